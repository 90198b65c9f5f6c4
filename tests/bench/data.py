"""Large deliveries in the layouts of the samples: seeded, written in parts, without a loop over rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from samples.generate import PROCEDURES
from warehouse.country import FOREVER, units_of

SEED = 20240101
PART = 250_000

SOURCES = """\
sources:
  - {name: procedures, feed: procedures, layout: procedures_csv, provider: td, url: inbox/procedures_*.csv, expected: once}
  - {name: agencies, feed: agencies, layout: agencies_csv, provider: td, url: inbox/agencies_*.csv, expected: once}
  - {name: one-stop-shop, feed: dossiers, layout: dvcqg_csv, provider: td, url: inbox/td_*.csv, expected: daily}
  - {name: evn-bills, feed: bills, layout: evn_csv, provider: evn, url: inbox/evn_*.csv, expected: daily}
  - {name: ecpay-payments, feed: payments, layout: ecpay_csv, provider: ecpay, url: inbox/ecpay_*.csv, expected: daily}
"""

_CLOCK = pa.array([f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86_400)])
_CLOCK_BARE = pc.replace_substring(_CLOCK, ":", "")


@dataclass(frozen=True)
class Night:
    """What arrives in one night: bills and payments of some months, one payment a bill, and dossiers."""

    first_day: date
    days: int
    rows: int
    """Payments, and as many bills."""
    start: int
    """Number of the first bill: those before it came in earlier nights."""
    dossiers: int
    first_dossier: int
    finished_now: int = 0
    """Dossiers of earlier nights, pending then and finished now, that come again beside the new ones."""

    @property
    def exported(self) -> date:
        """Day on which its files were made."""
        return self.first_day + timedelta(days=self.days - 1)

    def write(self, folder: Path) -> int:
        """Writes its files into the folder's inbox and returns their bytes."""
        inbox = folder / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        before = set(inbox.iterdir())
        day = f"{self.exported:%Y%m%d}"
        if self.rows:
            _write(inbox / f"evn_{day}.csv", BILL, self.rows, self._bills)
            _write(inbox / f"ecpay_{day}.csv", PAYMENT, self.rows, self._payments)
        _write(inbox / f"td_{day}.csv", DOSSIER, self.dossiers, self._dossiers)
        return sum(path.stat().st_size for path in inbox.iterdir() if path not in before)

    def _random(self, part: range, kind: int) -> np.random.Generator:
        return np.random.default_rng([SEED, kind, self.start + part.start])

    def _of_bill(self, part: range) -> dict[str, np.ndarray]:
        """What a bill and its payment agree on."""
        random = self._random(part, 0)
        number = np.arange(part.start, part.stop)
        net = random.integers(3_000, 90_000, len(part)) * 10
        day = (number * self.days) // self.rows
        return {"number": self.start + number, "day": day, "net": net, "tax": net * 8 // 100}

    def _bills(self, part: range) -> list[pa.Array]:
        bill = self._of_bill(part)
        days = [self.first_day + timedelta(days=day) for day in range(self.days)]
        # Bills are issued on the first of the month they are paid in, so that none is older than its payment.
        months = pa.array([f"{day:%m}" for day in days]).take(pa.array(bill["day"]))
        years = pa.array([f"{day:%Y}" for day in days]).take(pa.array(bill["day"]))
        issued = pa.array([f"01/{day:%m/%Y}" for day in days]).take(pa.array(bill["day"]))
        customer = _padded("PA07MAU", bill["number"] % max(1, self.rows // 12), 7)
        total = bill["net"] + bill["tax"]
        return [
            _same("PA07", part), customer, _join("Khách Hàng Mẫu ", customer), _join("Số nhà mẫu ", customer),
            units().take(pa.array(bill["number"] % len(units()))), _same("1", part), months, years, _padded("D", bill["number"], 9),
            _text(bill["net"]), _text(bill["tax"]), _text(total), _text(bill["net"] // 2000), _same("TD", part), issued, _same("1", part),
        ]  # fmt: skip

    def _payments(self, part: range) -> list[pa.Array]:
        bill, random = self._of_bill(part), self._random(part, 1)
        days = [self.first_day + timedelta(days=day) for day in range(self.days)]
        ways = pa.array(["TIEN_MAT", "QR", "VI", "CHUYEN_KHOAN", "TU_DONG"])
        way = random.choice(5, len(part), p=[0.25, 0.3, 0.15, 0.2, 0.1])
        at = _join(
            pa.array([f"{day:%d/%m/%Y} " for day in days]).take(pa.array(bill["day"])),
            _CLOCK.take(pa.array(random.integers(0, 86_400, len(part)))),
        )
        cancelled = np.where(random.random(len(part)) < 0.005, 1, 0)
        return [
            _padded("EC", bill["number"], 9), _padded("D", bill["number"], 9), _same("MAU", part),
            _padded("PA07MAU", bill["number"] % max(1, self.rows // 12), 7),
            pa.array([f"{day:%m/%Y}" for day in days]).take(pa.array(bill["day"])),
            _join(_text(bill["net"] + bill["tax"]), ".0"), ways.take(pa.array(way)), _same("", part),
            _same("1", part), _text(cancelled), _same("0", part), at,
        ]  # fmt: skip

    def _dossiers(self, part: range) -> list[pa.Array]:
        place = np.arange(part.start, part.stop)
        again = place < self.finished_now
        # One dossier in ten is pending when it first comes; those that come again are taken from these.
        number = np.where(again, place * 10, self.first_dossier + place - self.finished_now)
        pending = (number % 10 == 0) & ~again
        own = np.random.default_rng([SEED, 2])
        offsets, seconds = own.integers(0, 1 << 30, 1 << 16), own.integers(27_000, 59_000, 1 << 16)
        at = number % (1 << 16)
        day = (number * 31 + offsets[at]) % _YEAR
        received_day = np.where(again, day, _YEAR + offsets[at] % self.days) if self.finished_now else day
        finished_day = np.where(again, _YEAR + offsets[at] % self.days, received_day)
        days = [_FIRST + timedelta(days=number) for number in range(_YEAR + 62)]
        compact, short = pa.array([f"{day:%Y%m%d}" for day in days]), pa.array([f"-{day:%y%m%d}-" for day in days])
        clock = _CLOCK_BARE.take(pa.array(seconds[at]))
        late_clock = _CLOCK_BARE.take(pa.array(seconds[at] + 1200))
        unit = number % len(units())
        procedures = list(zip(*PROCEDURES, strict=True))
        kind = pa.array(offsets[at] % len(PROCEDURES))
        person = _padded("", offsets[at] % 60_000, 7)
        received = _join(compact.take(pa.array(received_day)), clock)
        finished = _where(pending, "", _join(compact.take(pa.array(finished_day)), late_clock))
        agency = _agencies().take(pa.array(unit))
        return [
            _join(agency, short.take(pa.array(received_day)), _padded("", number % 1_000_000, 6)),
            *(pa.array(procedures[column]).take(kind) for column in range(5)),
            pa.array(["1", "2", "2", "3"]).take(pa.array(number % 4)), _same("1", part),
            _join("Người Mẫu ", person), _join("99900", person), _join("099", person), _same("", part), _join("Đơn mẫu ", person),
            received, received, _join(compact.take(pa.array(received_day + 5)), "163000"), finished, finished, _same("", part),
            _where(pending, "4", _same("10", part)), agency, _same("UBND mẫu", part), _same("0", part), _same("", part),
            *(pa.array(["0", "1"]).take(pa.array(number // step % 2)) for step in (2, 3, 5, 7)),
            _same("", part), pa.array([str(fee) for fee in procedures[5]]).take(kind), _where(pending, received, finished), _same("", part),
        ]  # fmt: skip


_FIRST = date(2024, 1, 1)
_YEAR = 366

BILL = (
    "MA_DVIQLY,MA_KHANG,TEN_KHANG,DCHI_KHANG,MA_DVHC,KY,THANG,NAM,ID_HDON,SO_TIEN,TIEN_GTGT,TONG_TIEN,"
    "DIEN_TTHU,LOAI_HDON,NGAY_PHANH,TINH_TRANG"
)
PAYMENT = (
    "MA_GIAO_DICH,ID_HDON,SERI_HDON,MA_KHANG,THANG_TTOAN,SO_TIEN_TTOAN,HTHUC_TTOAN,VI_TTOAN,"
    "TTHAI_CHAM_NO,TTHAI_HUY,TTHAI_XLY_NGHI_NGO,NGAY_PSINH"
)
DOSSIER = (
    "MaHoSo,MaTTHC,TenTTHC,MaLinhVuc,TenLinhVuc,MucDo,KenhThucHien,LoaiDoiTuong,ChuHoSo,SoGiayToChuHoSo,SoDienThoai,Email,TrichYeuHoSo,"
    "NgayNopHoSo,NgayTiepNhan,NgayHenTra,NgayKetThucXuLy,NgayTra,NgayTuChoi,TrangThaiHoSo,MaDonViXuLy,DonViXuLy,SoLanBoSung,NgayYeuCauBoSung,"
    "HoSoCoThanhPhanSoHoa,DuocTaiSuDung,CoKetQuaDienTu,TaiKhoanDuocXacThucVoiVNeID,DuocThanhToanTrucTuyen,TongPhiLePhi,NgayCapNhat,DeletedOn"
)


def first_night(rows: int) -> Night:
    """A year at once: bills and payments, and a tenth as many dossiers."""
    return Night(_FIRST, _YEAR, rows, 0, rows // 10, 0)


def second_night(before: int, rows: int) -> Night:
    """The month after a year of `before` payments: new bills and payments, dossiers of which some finish now."""
    return Night(date(2025, 1, 1), 31, rows, before, rows // 10, before // 10, rows // 100)


def year_of_dossiers(dossiers: int) -> Night:
    """A province's year of dossiers at once, and nothing else."""
    return Night(_FIRST, _YEAR, 0, 0, dossiers, 0)


def changed_dossiers(before: int, dossiers: int) -> Night:
    """A night upon a year of `before` dossiers: half of them new, half of them pending until now."""
    return Night(date(2025, 1, 1), 1, 0, 0, dossiers, before, dossiers // 2)


def catalogues(folder: Path) -> None:
    """Writes sources.yaml and the catalogues that the deliveries refer to."""
    inbox = folder / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    (folder / "sources.yaml").write_text(SOURCES)
    lines = ["MaTTHC,TenTTHC,MaLinhVuc,TenLinhVuc,MucDo,CoPhiLePhi,CapThucHien,valid_from,valid_to"]
    lines += [
        f"{code[:8]},{name},{sector},{sector_name},{level},{int(fee > 0)},xa,2023-01-01,"
        for code, name, sector, sector_name, level, fee, _ in PROCEDURES
    ]
    (inbox / "procedures_20240101.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = ["MaDonVi,TenDonVi,MaDVHC,valid_from,valid_to"]
    lines += [
        f"{agency},UBND mẫu,{unit},2021-01-01,2025-06-30" for agency, unit in zip(_agencies().to_pylist(), units().to_pylist(), strict=True)
    ]
    (inbox / "agencies_20240101.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write(path: Path, header: str, rows: int, make: Callable[[range], list[pa.Array]]) -> None:
    names = header.split(",")
    with path.open("wb") as file:
        file.write(f"{header}\n".encode())
        for start in range(0, rows, PART):
            columns = make(range(start, min(rows, start + PART)))
            table = pa.table(dict(zip(names, columns, strict=True)))
            pa_csv.write_csv(table, file, pa_csv.WriteOptions(include_header=False, quoting_style="none"))


_known: dict[str, pa.Array] = {}


def units() -> pa.Array:
    """Communes of Thanh Hóa that exist unchanged through the two years."""
    if "units" not in _known:
        stay = (FOREVER[0], "2025-06-30")
        communes = [row["code"] for row in units_of("38") if row["level"] == "commune" and (row["valid_from"], row["valid_to"]) == stay]
        _known["units"] = pa.array(communes)
    return _known["units"]


def _agencies() -> pa.Array:
    if "agencies" not in _known:
        _known["agencies"] = pa.array([f"H56.{number // 100 + 1}.{number % 100:02d}" for number in range(len(units()))])
    return _known["agencies"]


def _text(numbers: np.ndarray) -> pa.Array:
    return pc.cast(pa.array(numbers), pa.string())


def _padded(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    return _join(prefix, pc.utf8_lpad(_text(numbers), width, "0"))


def _join(*parts: str | pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _same(value: str, part: range) -> pa.Array:
    return pa.repeat(value, len(part))


def _where(mask: np.ndarray, yes: str | pa.Array, no: str | pa.Array) -> pa.Array:
    return pc.if_else(pa.array(mask), yes, no)
