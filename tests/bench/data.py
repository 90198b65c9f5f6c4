"""Large deliveries in the layouts of the samples: seeded, written in parts, without a loop over rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from samples.generate import PROCEDURES
from warehouse.country import FOREVER, units_of
from warehouse.periods import containing

SEED = 20240101
PROVINCE = "38"
PART = 250_000

_OF_DOSSIERS = """\
sources:
  - {name: procedures, feed: procedures, layout: procedures_csv, provider: td, url: inbox/procedures_*.csv, expected: once}
  - {name: agencies, feed: agencies, layout: agencies_csv, provider: td, url: inbox/agencies_*.csv, expected: once}
  - {name: one-stop-shop, feed: dossiers, layout: dvcqg_csv, provider: td, url: "inbox/td_{period:%Y%m}.csv", expected: monthly}
"""
_OF_BILLS = """\
  - {name: evn-bills, feed: bills, layout: evn_csv, provider: evn, url: "inbox/evn_{period:%Y%m}.csv", expected: monthly}
  - {name: ecpay-payments, feed: payments, layout: ecpay_csv, provider: ecpay, url: "inbox/ecpay_{period:%Y%m}.csv", expected: monthly}
"""

_CLOCK = pa.array([f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86_400)])
_CLOCK_BARE = pc.replace_substring(_CLOCK, ":", "")


@dataclass(frozen=True)
class Months:
    """Deliveries of a run of months: each month one file of bills, one of payments, one a bill, and one of dossiers.

    What a bill, a payment or a dossier holds follows from its number alone, so that months can be written in any order, and a
    dossier again.
    """

    months: int
    bills: int
    """Bills a month, and as many payments."""
    dossiers: int
    """New dossiers a month."""
    first: int = 0
    """Number of the first month, counted from January 2024."""
    finished_now: int = 0
    """Dossiers of earlier months, pending then and finished now, that the first file of dossiers brings again."""
    only_changed: bool = False
    """Whether that file brings these alone."""

    @property
    def exported(self) -> date:
        """Day on which the last of its files was made."""
        return _STARTS[self.first + self.months] - timedelta(1)

    @property
    def rows(self) -> int:
        """Rows of all its files."""
        return self.months * 2 * self.bills + (0 if self.only_changed else self.months * self.dossiers) + self.finished_now

    def write(self, folder: Path) -> int:
        """Writes its files into the folder's inbox and returns their bytes."""
        inbox = folder / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        before = set(inbox.iterdir())
        for month in range(self.first, self.first + self.months):
            of = f"{_STARTS[month]:%Y%m}"
            if self.bills:
                bills = range(month * self.bills, (month + 1) * self.bills)
                _write(inbox / f"evn_{of}.csv", BILL, bills, self._bills)
                _write(inbox / f"ecpay_{of}.csv", PAYMENT, bills, self._payments)
            again = range(0, self.finished_now * _PENDING if month == self.first else 0, _PENDING)
            new = range(0) if self.only_changed else range(month * self.dossiers, (month + 1) * self.dossiers)
            _write(inbox / f"td_{of}.csv", DOSSIER, again, partial(self._dossiers, month))
            _write(inbox / f"td_{of}.csv", DOSSIER, new, partial(self._dossiers, month), "ab")
        return sum(path.stat().st_size for path in inbox.iterdir() if path not in before)

    def _of_bill(self, part: range) -> dict[str, np.ndarray]:
        """What a bill and its payment agree on."""
        random = np.random.default_rng([SEED, 0, part.start])
        net = random.integers(3_000, 90_000, len(part)) * 10
        number = np.arange(part.start, part.stop)
        month = number // self.bills
        day = _START_DAYS[month] + (number % self.bills) * (_START_DAYS[month + 1] - _START_DAYS[month]) // self.bills
        return {"number": number, "month": month, "day": day, "net": net, "tax": net * 8 // 100}

    def _bills(self, part: range) -> list[pa.Array]:
        bill = self._of_bill(part)
        # Bills are issued on the first of the month they are paid in, so that none is older than its payment.
        months, years, issued = (_shown(_STARTS, form).take(pa.array(bill["month"])) for form in ("%m", "%Y", "%d/%m/%Y"))
        customer = _padded("PA07MAU", bill["number"] % self.bills, 7)
        total = bill["net"] + bill["tax"]
        commune = units().take(pa.array(bill["number"] % self.bills % len(units())))
        return [
            _same("PA07", part), customer, _join("Khách Hàng Mẫu ", customer), _join("Số nhà mẫu ", customer),
            commune, _same("1", part), months, years, _padded("D", bill["number"], 9),
            _text(bill["net"]), _text(bill["tax"]), _text(total), _text(bill["net"] // 2000), _same("TD", part), issued, _same("1", part),
        ]  # fmt: skip

    def _payments(self, part: range) -> list[pa.Array]:
        bill, random = self._of_bill(part), np.random.default_rng([SEED, 1, part.start])
        ways = pa.array(["TIEN_MAT", "QR", "VI", "CHUYEN_KHOAN", "TU_DONG"])
        way = random.choice(5, len(part), p=[0.25, 0.3, 0.15, 0.2, 0.1])
        at = _join(_shown(_DAYS, "%d/%m/%Y ").take(pa.array(bill["day"])), _CLOCK.take(pa.array(random.integers(0, 86_400, len(part)))))
        cancelled = np.where(random.random(len(part)) < 0.005, 1, 0)
        return [
            _padded("EC", bill["number"], 9), _padded("D", bill["number"], 9), _same("MAU", part),
            _padded("PA07MAU", bill["number"] % self.bills, 7),
            _shown(_STARTS, "%m/%Y").take(pa.array(bill["month"])),
            _join(_text(bill["net"] + bill["tax"]), ".0"), ways.take(pa.array(way)), _same("", part),
            _same("1", part), _text(cancelled), _same("0", part), at,
        ]  # fmt: skip

    def _dossiers(self, told: int, part: range) -> list[pa.Array]:
        """Dossiers as the export of a month tells them: one in ten is pending in that of its own month, and finished in a later one."""
        number = np.arange(part.start, part.stop, part.step)
        own = np.random.default_rng([SEED, 2])
        offsets, seconds = own.integers(0, 1 << 30, 1 << 16), own.integers(27_000, 59_000, 1 << 16)
        at = number % (1 << 16)
        month = number // self.dossiers
        received_day = _START_DAYS[month] + offsets[at] % (_START_DAYS[month + 1] - _START_DAYS[month])
        pending = (number % _PENDING == 0) & (month == told)
        later = _START_DAYS[told] + offsets[at] % (_START_DAYS[told + 1] - _START_DAYS[told])
        finished_day = np.where(month == told, received_day, later)
        compact, short = _shown(_DAYS, "%Y%m%d"), _shown(_DAYS, "-%y%m%d-")
        clock = _CLOCK_BARE.take(pa.array(seconds[at]))
        late_clock = _CLOCK_BARE.take(pa.array(seconds[at] + 1200))
        unit = number % len(units())
        procedures = list(zip(*PROCEDURES, strict=True))
        kind = pa.array(offsets[at] % len(PROCEDURES))
        fee = np.array(procedures[5])[kind]
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
            _where((fee > 0) & (number % 3 == 0), "1", _same("", part)), _text(fee), _where(pending, received, finished), _same("", part),
        ]  # fmt: skip


_PENDING = 10
"""Of so many dossiers one is pending at the end of its month."""
_STARTS = [date(2024 + month // 12, month % 12 + 1, 1) for month in range(25)]
_DAYS = [_STARTS[0] + timedelta(number) for number in range((_STARTS[-1] - _STARTS[0]).days)]
_START_DAYS = np.array([(start - _STARTS[0]).days for start in _STARTS])

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


MONTHS = 10
"""Months of a first night."""


def first_night(rows: int) -> Months:
    """Ten monthly files a source: `rows` bills, as many payments, a tenth as many dossiers."""
    return Months(MONTHS, rows // MONTHS, rows // MONTHS // 10)


def second_night(rows: int) -> Months:
    """The month after a first night of `rows` bills, and 3 % of its dossiers finished now."""
    return Months(1, rows // MONTHS, rows // MONTHS // 10, MONTHS, rows // 10 * 3 // 100)


def backfill(rows: int) -> Months:
    """A year of `rows` bills, as many payments, and few dossiers."""
    return Months(12, rows // 12, rows // 12 // 100)


def month_after(year: Months) -> Months:
    """The month after a backfill, as large as one of its own."""
    return Months(1, year.bills, year.dossiers, year.months)


def year_of_dossiers(dossiers: int) -> Months:
    """A province's year of dossiers, and nothing else."""
    return Months(12, 0, dossiers // 12)


def changed_dossiers(dossiers: int, changed: int) -> Months:
    """A night upon a year of dossiers in which so many were finished."""
    return Months(1, 0, dossiers // 12, 12, changed, only_changed=True)


def catalogues(folder: Path, *, bills: bool = True) -> None:
    """Writes sources.yaml and the catalogues that the deliveries refer to; of a province that sends `bills`, or dossiers only."""
    inbox = folder / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    (folder / "sources.yaml").write_text(_OF_DOSSIERS + _OF_BILLS * bills)
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


def lookups(folder: Path) -> None:
    """Writes what the yardsticks need beside the deliveries: who an agency is, what a commune lies in, what a month lies in."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "agency": ("agency,commune", zip(_agencies().to_pylist(), units().to_pylist(), strict=True)),
        "place": ("commune,unit", ((row["code"], unit) for row in _communes() for unit in (row["code"], row["parent_code"], PROVINCE))),
        "period": ("month,period", ((f"{month}", period) for month in _STARTS for period in containing(f"{month:%Y-%m}"))),
    }
    for name, (header, rows) in tables.items():
        (folder / f"{name}.csv").write_text("\n".join([header, *map(",".join, rows)]) + "\n", encoding="utf-8")


def _write(path: Path, header: str, rows: range, make: Callable[[range], list[pa.Array]], mode: Literal["wb", "ab"] = "wb") -> None:
    names = header.split(",")
    with path.open(mode) as file:
        if mode == "wb":
            file.write(f"{header}\n".encode())
        for start in range(0, len(rows), PART):
            columns = make(rows[start : start + PART])
            table = pa.table(dict(zip(names, columns, strict=True)))
            pa_csv.write_csv(table, file, pa_csv.WriteOptions(include_header=False, quoting_style="none"))


@cache
def _communes() -> list[Mapping[str, str]]:
    """Communes of Thanh Hóa that exist unchanged through the two years."""
    stay = (FOREVER[0], "2025-06-30")
    return [row for row in units_of(PROVINCE) if row["level"] == "commune" and (row["valid_from"], row["valid_to"]) == stay]


@cache
def units() -> pa.Array:
    """Codes of the communes that send something."""
    return pa.array([row["code"] for row in _communes()])


@cache
def _agencies() -> pa.Array:
    return pa.array([f"H56.{number // 100 + 1}.{number % 100:02d}" for number in range(len(units()))])


def _text(numbers: np.ndarray) -> pa.Array:
    return pc.cast(pa.array(numbers), pa.string())


def _padded(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    return _join(prefix, pc.utf8_lpad(_text(numbers), width, "0"))


def _join(*parts: str | pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _shown(days: Sequence[date], form: str) -> pa.Array:
    return pa.array([day.strftime(form) for day in days])


def _same(value: str, part: range) -> pa.Array:
    return pa.repeat(value, len(part))


def _where(mask: np.ndarray, yes: str | pa.Array, no: str | pa.Array) -> pa.Array:
    return pc.if_else(pa.array(mask), yes, no)
