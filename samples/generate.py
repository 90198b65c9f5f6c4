"""Writes the sample inbox: `python -m samples.generate [folder]`, the same bytes at every run.

The counts that a newspaper printed for one commune are kept exactly (`samples/README.md` lists them); every
person, dossier, bill and payment behind them is invented. Each file says so: `mau` (sample) in its name, "SỐ LIỆU
MẪU" in the title row of a workbook, "Người Mẫu" for every name.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter

SEED = 247817
HERE = Path(__file__).parent
REFERENCE = HERE.parent / "warehouse" / "reference" / "admin_units.csv"

DISTRICT = "396"
NGOC_PHUNG = "15655"
FIRST, LAST = pd.Period("2024-01", "M"), pd.Period("2025-04", "M")
MONTHS = pd.period_range(FIRST, LAST, freq="M")

PERSONAL = (
    "ChuHoSo", "SoGiayToChuHoSo", "SoDienThoai", "Email", "TrichYeuHoSo", "MA_KHANG", "TEN_KHANG", "DCHI_KHANG",
    "Mã khách hàng", "HoTenNguoiNop", "SoCMNDNguoiNop", "SoCCCD",
)  # fmt: skip

# code, name, sector code, sector, level, fee, days allowed
PROCEDURES = [
    ("2.000815", "Chứng thực bản sao từ bản chính", "MAU-CT", "Chứng thực", "3", 4000, 1),
    ("2.000884", "Chứng thực chữ ký", "MAU-CT", "Chứng thực", "3", 10000, 1),
    ("2.000908", "Cấp bản sao từ sổ gốc", "MAU-CT", "Chứng thực", "3", 0, 1),
    ("1.000894", "Đăng ký kết hôn", "MAU-HT", "Hộ tịch", "3", 0, 3),
    ("1.000656", "Đăng ký khai tử", "MAU-HT", "Hộ tịch", "3", 0, 1),
    ("1.001776", "Trợ cấp xã hội hàng tháng", "MAU-XH", "Bảo trợ xã hội", "3", 0, 20),
    ("1.001193.000.00.00.H56", "Đăng ký khai sinh", "MAU-HT", "Hộ tịch", "4", 0, 1),
    ("2.000635", "Cấp bản sao trích lục hộ tịch", "MAU-HT", "Hộ tịch", "4", 8000, 1),
    ("1.004873", "Xác nhận tình trạng hôn nhân", "MAU-HT", "Hộ tịch", "4", 15000, 3),
    ("1.003554", "Hòa giải tranh chấp đất đai", "MAU-DD", "Đất đai", "2", 0, 20),
]
# How often each procedure is asked for, within its level.
WEIGHTS = {"3": [0.45, 0.2, 0.05, 0.08, 0.07, 0.15], "4": [0.4, 0.35, 0.25], "2": [1.0]}

PARTIAL, FULL = 1195, 247
"""Dossiers of xã Ngọc Phụng received in 2024: partial and full online services, together 1.442."""

ARTICLE_COUNTS = {
    "population_adult": 5205,
    "population_15plus": 5648,
    "eid_issued": 4795,
    "smartphone_subscribers": 3798,
    "safety_software_users": 2660,
    "bank_account_holders": 4575,
    "citizen_data_platform_users": 1562,
}
"""Xã Ngọc Phụng, 2024: printed in the article, but for the last, which makes its "about 30%"."""

HOLDERS = {"vnpt": 1700, "viettel": 1500}
HOLDERS_OF_BOTH = 405
"""Xã Ngọc Phụng: 1.700 + 1.500 - 405 = 2.795 persons, "about 53,7%" of 5.205."""

MEASURES = {
    "officials_total": "Cán bộ, công chức",
    "officials_digital": "Cán bộ, công chức làm việc hoàn toàn trên TD-Office và một cửa",
    "officials_certified": "Cán bộ, công chức có chứng thư số",
    "officials_email": "Cán bộ, công chức dùng thư điện tử công vụ",
    "agencies_total": "Cơ quan nhà nước",
    "agencies_exchanging": "Cơ quan gửi, nhận văn bản trên nền tảng số",
    "shops_total": "Cửa hàng, quầy hàng",
    "shops_qr": "Cửa hàng, quầy hàng nhận thanh toán QR",
    "digital_teams": "Tổ công nghệ số cộng đồng",
    "documents_outgoing": "Văn bản đi (trừ văn bản mật)",
    "documents_signed": "Văn bản đi có chữ ký số của cơ quan",
    "documents_signed_by_leader": "Văn bản đi có chữ ký số của lãnh đạo",
    "tasks_assigned": "Nhiệm vụ được giao",
    "tasks_on_system": "Nhiệm vụ theo dõi trên hệ thống",
    "feedback_received": "Phản ánh, kiến nghị nhận được",
    "feedback_on_time": "Phản ánh, kiến nghị trả lời đúng hạn",
    "training_sessions": "Buổi tập huấn",
    "training_attendees": "Lượt người được tập huấn",
}


@dataclass(frozen=True)
class Csv:
    """One CSV of the inbox, every cell a text."""

    path: str
    frame: pd.DataFrame
    bom: bool = False

    def write(self, folder: Path) -> None:
        """Writes it under the folder."""
        text = self.frame.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        target = folder / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8-sig" if self.bom else "utf-8"))


@dataclass(frozen=True)
class Workbook:
    """One xlsx of the inbox: title rows, header, rows and perhaps totals, every cell a text."""

    path: str
    titles: tuple[str, ...]
    frame: pd.DataFrame
    totals: dict[str, str] | None = None

    def write(self, folder: Path) -> None:
        """Writes it under the folder, dated the same at every run."""
        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": False})
        book.set_properties({"created": datetime(2025, 5, 1), "comments": "Số liệu mẫu, do máy tạo ra"})
        sheet = book.add_worksheet("Số liệu mẫu")
        columns = list(self.frame.columns)
        for number, title in enumerate(self.titles):
            sheet.merge_range(number, 0, number, len(columns) - 1, title)
        rows = [columns, *self.frame.to_numpy().tolist()]
        if self.totals is not None:
            rows.append([self.totals.get(column, "") for column in columns])
        for number, row in enumerate(rows, start=len(self.titles)):
            sheet.write_row(number, 0, row)
        book.close()
        target = folder / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(buffer.getvalue())


File = Csv | Workbook


def units() -> pd.DataFrame:
    """The 16 communes and townships of the district in 2024, one row each, by code."""
    known = pd.read_csv(REFERENCE, dtype=str, keep_default_na=False)
    own = known[(known["parent_code"] == DISTRICT) & (known["valid_to"] == "2025-06-30")]
    return own.sort_values("code").reset_index(drop=True)[["code", "name"]]


def _random(part: int) -> np.random.Generator:
    return np.random.default_rng([SEED, part])


def _dotted(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def _stamp(moments: pd.Series) -> pd.Series:
    return moments.dt.strftime("%Y%m%d%H%M%S").fillna("")


def _numbered(text: str, numbers: Any) -> pd.Series:
    return pd.Series(text, index=range(len(numbers)), dtype=str) + pd.Series(numbers).astype(str).str.zfill(6)


def _end(month: pd.Period) -> pd.Timestamp:
    return month.end_time.floor("s")


# ---------------------------------------------------------------- one-stop-shop


def _agency(codes: pd.Series) -> pd.Series:
    numbers = {code: f"H56.38.{number:02d}" for number, code in enumerate(units()["code"], start=1)}
    return codes.map(numbers)


def catalogues() -> Iterator[File]:
    """Procedures and agencies, as valid in the two years."""
    table = pd.DataFrame(PROCEDURES, columns=["MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "MucDo", "fee", "days"])
    yield Csv(
        "catalogues/procedures_mau_20240101.csv",
        table.assign(
            MaTTHC=table["MaTTHC"].str[:8],
            CoPhiLePhi=(table["fee"] > 0).astype(int).astype(str),
            CapThucHien="xa",
            ThoiHanGiaiQuyet=table["days"],
            valid_from="2023-01-01",
            valid_to="",
        ).drop(columns=["fee", "days"]),
    )
    own = units()
    yield Csv(
        "catalogues/agencies_mau_20240101.csv",
        pd.DataFrame(
            {
                "MaDonVi": _agency(own["code"]),
                "TenDonVi": "UBND " + own["name"].str[0].str.lower() + own["name"].str[1:],
                "MaDVHC": own["code"],
                "valid_from": "2021-01-01",
                "valid_to": "2025-06-30",
            }
        ),
    )


def _weekdays(random: np.random.Generator, first: str, last: str, size: int) -> np.ndarray:
    days = pd.bdate_range(first, last).to_numpy(dtype="datetime64[s]")
    clock = random.integers(7 * 3600 + 1800, 16 * 3600 + 1800, size)
    return np.sort(days[random.integers(0, len(days), size)] + clock.astype("timedelta64[s]"))


def _lives() -> pd.DataFrame:
    """Every dossier with its code and all that ever happens to it, one row each."""
    lives = _events(_random(1))
    day = lives["received"].dt.strftime("%y%m%d")
    lives["agency"] = _agency(lives["unit"])
    order = lives.groupby([lives["unit"], day]).cumcount() + 1
    lives["dossier"] = lives["agency"] + "-" + day + "-" + order.astype(str).str.zfill(4)
    return lives


def _requests(random: np.random.Generator) -> pd.DataFrame:
    """When each unit receives a dossier, of which level of service, one row a dossier."""
    parts = []
    for unit in units()["code"]:
        own = unit == NGOC_PHUNG
        last_year = PARTIAL + FULL if own else int(random.integers(300, 400))
        this_year = 430 if own else int(last_year * 0.3)
        # Everything Ngọc Phụng received in 2024 was handled within the year.
        received = np.concatenate(
            [
                _weekdays(random, "2024-01-02", "2024-12-26" if own else "2024-12-31", last_year),
                _weekdays(random, "2025-01-02", "2025-04-29", this_year),
            ]
        )
        if own:
            level = random.permutation(np.repeat(["3", "4"], [PARTIAL, FULL]))
            level = np.concatenate([level, random.choice(["3", "4"], this_year, p=[0.75, 0.25])])
        else:
            level = random.choice(["2", "3", "4"], last_year + this_year, p=[0.03, 0.67, 0.3])
        parts.append(pd.DataFrame({"unit": unit, "received": received, "level": level}))
    return pd.concat(parts, ignore_index=True)


def _events(random: np.random.Generator) -> pd.DataFrame:
    """What was asked for, how, and what became of it, one row a dossier."""
    lives = _requests(random)
    table = pd.DataFrame(PROCEDURES, columns=["code", "name", "sector", "sector_name", "level", "fee", "days"])
    count = len(lives)
    own = (lives["unit"] == NGOC_PHUNG).to_numpy()

    choice = np.zeros(count, dtype=int)
    for level, weights in WEIGHTS.items():
        here = (lives["level"] == level).to_numpy()
        choice[here] = random.choice(table.index[table["level"] == level], int(here.sum()), p=weights)
    for column in ("code", "name", "sector", "sector_name", "fee", "days"):
        lives[column] = table[column].to_numpy()[choice]

    # Where the months pass from the first to the last, the share of what is done online rises.
    progress = ((lives["received"] - FIRST.start_time) / (LAST.end_time - FIRST.start_time)).to_numpy()
    online = random.random(count) < 0.62 + 0.35 * progress
    channel = np.where(online, "2", random.choice(["1", "3", ""], count, p=[0.88, 0.1, 0.02]))
    pays_online = (lives["fee"] > 0).to_numpy() & online & (random.random(count) < 0.2 + 0.7 * progress)
    lives["channel"] = channel
    lives["paid"] = np.where(pays_online, random.choice(["1", "2", "3"], count, p=[0.72, 0.23, 0.05]), "")
    lives["reused"] = np.where(random.random(count) < 0.06 + 0.5 * progress, random.choice(["1", "2"], count), "0")
    lives["digitised"] = np.where(random.random(count) < 0.55 + 0.4 * progress, "1", "0")
    lives["result"] = np.where(random.random(count) < 0.7 + 0.28 * progress, "1", "0")
    lives["vneid"] = np.where(random.random(count) < 0.6 + 0.38 * progress, "1", "0")
    lives["applicant"] = random.choice(["1", "2", "4"], count, p=[0.95, 0.03, 0.02])

    lives["submitted"] = lives["received"] - pd.to_timedelta(random.exponential(2 * 3600, count).astype(int), unit="s")
    lives["due"] = lives["received"].dt.normalize() + pd.to_timedelta(lives["days"], unit="D") + pd.Timedelta("16:30:00")
    late = random.random(count) < 0.03
    used = np.where(late, random.uniform(1.2, 2.5, count), random.beta(2, 3, count))
    span = (lives["due"] - lives["received"]).dt.total_seconds().to_numpy()
    finished = lives["received"] + pd.to_timedelta((span * used).astype(int) + 60, unit="s")
    this_year = (lives["received"] >= "2025-01-01").to_numpy()
    finished = finished.where(~own | this_year | (finished < "2024-12-31 16:00"), pd.Timestamp("2024-12-31 15:00"))
    lives["finished"] = finished
    lives["returned"] = finished + pd.to_timedelta((random.exponential(1.0, count) * 86400).astype(int), unit="s")

    fate = random.choice(
        ["done", "withdrawn", "refused", "supplement", "paying", "stopped", "unclear"],
        count, p=[0.942, 0.015, 0.015, 0.015, 0.005, 0.005, 0.003],
    )  # fmt: skip
    fate[own] = "done"
    lives["fate"] = fate
    lives["asked"] = (lives["received"] + pd.Timedelta("1h")).where((fate == "supplement") | (random.random(count) < 0.03))
    lives["deleted"] = (lives["submitted"] + pd.Timedelta("2D")).where(~own & (random.random(count) < 0.003))

    return lives.sort_values(["unit", "received"], ignore_index=True)


def _as_exported(lives: pd.DataFrame, month: pd.Period) -> pd.DataFrame:
    """The dossiers touched in the month, as the one-stop-shop knew them at its end."""
    until = _end(month)
    fate = lives["fate"]

    def known(moments: pd.Series) -> pd.Series:
        return moments.where(moments <= until)

    refused = known(lives["received"].where(fate == "refused"))
    received = known(lives["received"].where(fate != "refused"))
    ends = fate.isin(["done", "withdrawn"])
    finished = known(lives["finished"].where(ends))
    returned = known(lives["returned"].where(fate == "done"))
    asked, deleted, submitted = known(lives["asked"].where(fate != "refused")), known(lives["deleted"]), known(lives["submitted"])
    updated = pd.concat([submitted, received, refused, finished, returned, asked, deleted], axis=1).max(axis=1)

    held = fate.map({"supplement": "5", "paying": "6", "stopped": "8", "unclear": "0"})
    status = pd.Series(np.where(until - received < pd.Timedelta("12h"), "2", "4"), index=lives.index)
    status = status.where(~held.notna() | received.isna(), held)
    status = status.mask(finished.notna(), "9").mask(returned.notna(), "10").mask(finished.notna() & (fate == "withdrawn"), "7")
    status = status.mask(received.isna(), "1").mask(refused.notna(), "3")

    number = pd.Series(lives.index, index=lives.index)
    person = number % 4999
    names = dict(zip(units()["code"], units()["name"], strict=True))
    handled_by = lives["unit"].map(names)
    frame = pd.DataFrame(
        {
            "MaHoSo": lives["dossier"],
            "MaTTHC": lives["code"],
            "TenTTHC": lives["name"],
            "MaLinhVuc": lives["sector"],
            "TenLinhVuc": lives["sector_name"],
            "MucDo": lives["level"],
            "KenhThucHien": lives["channel"],
            "LoaiDoiTuong": lives["applicant"],
            "ChuHoSo": _numbered("Người Mẫu ", person),
            "SoGiayToChuHoSo": _numbered("999000", person).where(number % 97 > 0, "000000001"),
            "SoDienThoai": _numbered("0999", person),
            "Email": (_numbered("mau", person) + "@example.invalid").where(number % 3 == 0, ""),
            "TrichYeuHoSo": _numbered("Đơn mẫu ", person),
            "NgayNopHoSo": _stamp(submitted),
            "NgayTiepNhan": _stamp(received),
            "NgayHenTra": _stamp(lives["due"].where(received.notna())),
            "NgayKetThucXuLy": _stamp(finished),
            "NgayTra": _stamp(returned),
            "NgayTuChoi": _stamp(refused),
            "TrangThaiHoSo": status,
            "MaDonViXuLy": lives["agency"],
            "DonViXuLy": "UBND " + handled_by.str[0].str.lower() + handled_by.str[1:],
            "SoLanBoSung": asked.notna().astype(int).astype(str),
            "NgayYeuCauBoSung": _stamp(asked),
            "HoSoCoThanhPhanSoHoa": lives["digitised"],
            "DuocTaiSuDung": lives["reused"],
            "CoKetQuaDienTu": lives["result"].where(finished.notna(), "0"),
            "TaiKhoanDuocXacThucVoiVNeID": lives["vneid"],
            "DuocThanhToanTrucTuyen": lives["paid"].where(received.notna(), ""),
            "TongPhiLePhi": lives["fee"].astype(str),
            "NgayCapNhat": _stamp(updated),
            "DeletedOn": _stamp(deleted),
        }
    )
    return frame[updated >= month.start_time].sort_values(["NgayCapNhat", "MaHoSo"], ignore_index=True)


def _plain(frame: pd.DataFrame) -> pd.Index:
    """Rows of finished dossiers of xã Xuân Lẹ, whose turn it is to have the errors."""
    return frame.index[(frame["MaDonViXuLy"] == "H56.38.03") & frame["TrangThaiHoSo"].isin(["9", "10"]) & (frame["SoLanBoSung"] == "0")]


def _spoil_dossiers(frame: pd.DataFrame, month: pd.Period) -> pd.DataFrame:
    """Puts in what real exports contain too: an unknown procedure and agency, and rows that cannot be right."""
    rows = _plain(frame)
    frame = frame.copy()
    if month == pd.Period("2024-05"):
        frame.loc[rows[0], ["MaTTHC", "TenTTHC"]] = ["9.999999", "Thủ tục mẫu không có trong danh mục"]
        frame.loc[rows[1], ["MaDonViXuLy", "DonViXuLy"]] = ["H56.38.99", "Đơn vị mẫu không có trong danh mục"]
    if month == pd.Period("2024-09"):
        frame.loc[rows[0], "NgayKetThucXuLy"] = "20240801090000"
        frame.loc[rows[1], "TrangThaiHoSo"] = "12"
        frame.loc[rows[2], "NgayTiepNhan"] = "20240931080000"
    if month == pd.Period("2024-10"):
        # Two of September's three wrong rows come again, put right.
        right = _as_exported(_lives(), pd.Period("2024-09"))
        again = right.loc[_plain(right)[:2]].assign(NgayCapNhat="20241002080000")
        frame = pd.concat([frame, again]).drop_duplicates("MaHoSo", ignore_index=True)
    return frame


def one_stop_shop() -> Iterator[File]:
    """The one-stop-shop's monthly exports and the fees that citizens paid through the national portal."""
    lives = _lives()
    for month in MONTHS:
        frame = _spoil_dossiers(_as_exported(lives, month), month)
        yield Csv(f"one-stop-shop/td_mau_{_end(month):%Y%m%d}.csv", frame, bom=True)

    paid = lives[(lives["paid"] == "1") & (lives["fate"] != "refused")]
    fees = pd.DataFrame(
        {
            "MaThamChieu": _numbered("TCMAU", paid.index),
            "MaGiaoDich": _numbered("GDMAU", paid.index),
            "MaHoSo": paid["dossier"].to_numpy(),
            "MaThuTucDVCQG": paid["code"].str[:8].to_numpy(),
            "MaDonVi": paid["agency"].to_numpy(),
            "TenDonVi": ("UBND " + paid["unit"].map(dict(zip(units()["code"], units()["name"], strict=True)))).to_numpy(),
            "LoaiPhiLePhi": "1",
            "MaPhiLePhi": "LP-MAU",
            "TenPhiLePhi": "Lệ phí mẫu",
            "SoTien": paid["fee"].astype(str).to_numpy(),
            "MaTienTe": "VND",
            "LoaiHinhThanhToan": np.array(["CHUYEN_KHOAN", "QR", "VI", "THE"])[paid.index % 4],
            "MaKenhThanhToan": np.array(["VNPTPAY", "VIETTELPAY", "VCB"])[paid.index % 3],
            "MaNganHang": np.array(["VCB", "BIDV", "AGRIBANK", "VIETINBANK"])[paid.index % 4],
            "ThoiGianGD": _stamp(paid["received"] + pd.Timedelta("10min")).to_numpy(),
            "TrangThaiGD": "1",
            "MaLoi": "00",
            "HoTenNguoiNop": _numbered("Người Mẫu ", paid.index % 4999),
            "SoCMNDNguoiNop": _numbered("999000", paid.index % 4999),
        }
    )
    failed = fees.index % 83 == 0
    fees.loc[failed, ["TrangThaiGD", "MaLoi"]] = ["4", "99"]
    twofold = fees.index % 211 == 7
    fees.loc[twofold, "SoTien"] = (2 * fees.loc[twofold, "SoTien"].astype(int)).astype(str)
    astray = fees.index % 307 == 11
    unmarked = lives.loc[(lives["fee"] > 0) & (lives["paid"] == "") & (lives["fate"] == "done"), "dossier"]
    fees.loc[astray, "MaHoSo"] = unmarked.to_numpy()[fees.index[astray]]
    quarter = pd.PeriodIndex(pd.to_datetime(fees["ThoiGianGD"], format="%Y%m%d%H%M%S"), freq="Q")
    for one in quarter.unique().sort_values():
        rows = fees[quarter == one].sort_values(["ThoiGianGD", "MaGiaoDich"])
        yield Csv(f"dvcqg/dvcqg_mau_{one.start_time:%Y%m%d}-{_last_month(one):%Y%m%d}.csv", rows)


def _last_month(quarter: pd.Period) -> pd.Timestamp:
    return min(quarter.end_time, LAST.end_time)


# ---------------------------------------------------------------- bills and their payments

CUSTOMERS = {"DIEN": 24, "NUOC": 8, "VSMT": 8}
"""Customers of each service in each unit."""


def _bills(service: str, every: int) -> pd.DataFrame:
    """Bills of one service, one row each, with the day each is paid (or never) and how."""
    random = _random({"DIEN": 2, "NUOC": 3, "VSMT": 4}[service])
    months = [month for month in MONTHS if month.month % every == 0 or month == LAST]
    codes = units()["code"]
    index = pd.MultiIndex.from_product([months, codes, range(CUSTOMERS[service])], names=["month", "unit", "customer"])
    bills = index.to_frame(index=False)
    count = len(bills)
    number = pd.factorize(bills["unit"])[0] * 1000 + bills["customer"]
    bills["customer_code"] = _numbered({"DIEN": "PA07MAU", "NUOC": "NUOCMAU", "VSMT": "VSMTMAU"}[service], number)
    serial = bills.groupby("month").cumcount() + 1
    prefix = {"DIEN": "DMAU", "NUOC": "NMAU", "VSMT": "VMAU"}[service]
    bills["bill"] = prefix + bills["month"].dt.strftime("%y%m") + serial.astype(str).str.zfill(5)
    mean = {"DIEN": 280_000, "NUOC": 90_000, "VSMT": 75_000}[service]
    bills["net"] = (random.gamma(4, mean / 4, count) // 10 * 10).astype(int) + 10_000
    bills["tax"] = (bills["net"] * 0.08).round().astype(int)
    bills["total"] = bills["net"] + bills["tax"]
    start = bills["month"].dt.start_time
    bills["issued"] = start + pd.to_timedelta(random.integers(2, 9, count), unit="D")

    progress = (pd.factorize(bills["month"])[0] / max(len(months) - 1, 1)).astype(float)
    seconds = random.integers(8 * 3600, 18 * 86400, count)
    bills["paid_at"] = bills["issued"] + pd.to_timedelta(seconds, unit="s")
    last_year = (bills["month"].dt.year == 2024).to_numpy()
    # Each customer leaves cash at a time of its own, and stays with it.
    leaves = random.random(len(codes) * CUSTOMERS[service])[bills.groupby("month").cumcount()]
    if service == "DIEN":
        cashless = ~last_year | (leaves < 0.23 + 1.0 * progress)
        unpaid = last_year & (random.random(count) < 0.01)
    else:
        cashless = leaves < 0.2 + 0.76 * progress
        unpaid = random.random(count) < 0.02
    ways = random.choice(["CHUYEN_KHOAN", "QR", "VI", "TU_DONG"], count, p=[0.3, 0.35, 0.2, 0.15])
    bills["method"] = np.where(cashless, ways, "TIEN_MAT")
    bills["paid_at"] = bills["paid_at"].mask(unpaid)
    return bills


def _electricity(bills: pd.DataFrame) -> pd.DataFrame:
    person = bills["customer_code"].str[-6:]
    return pd.DataFrame(
        {
            "MA_DVIQLY": "PA07TX",
            "MA_KHANG": bills["customer_code"],
            "TEN_KHANG": "Khách Hàng Mẫu " + person,
            "DCHI_KHANG": "Số nhà mẫu " + person,
            "MA_DVHC": bills["unit"],
            "KY": "1",
            "THANG": bills["month"].dt.strftime("%m"),
            "NAM": bills["month"].dt.strftime("%Y"),
            "ID_HDON": bills["bill"],
            "SO_TIEN": bills["net"].astype(str),
            "TIEN_GTGT": bills["tax"].astype(str),
            "TONG_TIEN": bills["total"].astype(str),
            "DIEN_TTHU": (bills["net"] // 2000).astype(str),
            "LOAI_HDON": "TD",
            "LOAI_KHANG": np.where(bills["customer"] % 12 == 0, "NSH", "SH"),
            "NGAY_PHANH": bills["issued"].dt.strftime("%d/%m/%Y"),
            "TINH_TRANG": "1",
        }
    )


def _utility(path: str, title: str, service: str, bills: pd.DataFrame, error: int = 0) -> Workbook:
    frame = pd.DataFrame(
        {
            "Mã hóa đơn": bills["bill"],
            "Mã khách hàng": bills["customer_code"],
            "Mã ĐVHC": bills["unit"],
            "Dịch vụ": service,
            "Kỳ": bills["month"].dt.strftime("%m/%Y"),
            "Số tiền": bills["total"].map(_dotted),
            "Ngày phát hành": bills["issued"].dt.strftime("%d/%m/%Y"),
        }
    )
    totals = {"Mã hóa đơn": "Tổng cộng", "Mã khách hàng": _dotted(len(bills)), "Số tiền": _dotted(int(bills["total"].sum()) + error)}
    return Workbook(path, (f"SỐ LIỆU MẪU – {title}", "Huyện Thường Xuân, tỉnh Thanh Hóa"), frame, totals)


def _collected(bills: pd.DataFrame) -> pd.DataFrame:
    paid = bills[bills["paid_at"].notna()].sort_values(["paid_at", "bill"], ignore_index=True)
    number = pd.Series(paid.index)
    return pd.DataFrame(
        {
            "MA_GIAO_DICH": _numbered("ECMAU", number),
            "ID_HDON": paid["bill"],
            "SERI_HDON": "MAU" + paid["month"].dt.strftime("%y"),
            "MA_KHANG": paid["customer_code"],
            "THANG_TTOAN": paid["month"].dt.strftime("%m/%Y"),
            "SO_TIEN_TTOAN": paid["total"].astype(str) + ".0",
            "HTHUC_TTOAN": paid["method"],
            "VI_TTOAN": pd.Series(np.where(paid["method"] == "VI", "VIMAU", "")),
            "TTHAI_CHAM_NO": "1",
            "TTHAI_HUY": "0",
            "TTHAI_XLY_NGHI_NGO": "0",
            "NGAY_PSINH": paid["paid_at"].dt.strftime("%d/%m/%Y %H:%M:%S"),
        }
    ).assign(at=paid["paid_at"])


def _spoil_payments(frame: pd.DataFrame, month: pd.Period) -> pd.DataFrame:
    """Puts in what real collections contain too: the same number twice, a bill nobody sent, cancelled ones."""
    if month == pd.Period("2024-07"):
        # Paid twice by mistake, then one cancelled, one suspect: neither counts.
        extra = frame.iloc[[5, 6]].assign(MA_GIAO_DICH=["ECMAU900001", "ECMAU900002"], TTHAI_HUY=["1", "0"], TTHAI_XLY_NGHI_NGO=["0", "1"])
        return pd.concat([frame, extra], ignore_index=True)
    if month == pd.Period("2024-08"):
        return pd.concat([frame, frame.iloc[[9]].assign(SO_TIEN_TTOAN="1000.0")], ignore_index=True)
    if month == pd.Period("2024-11"):
        return pd.concat([frame, frame.iloc[[3]].assign(MA_GIAO_DICH="ECMAU900003", ID_HDON="DMAU999900001")], ignore_index=True)
    return frame


def utilities() -> Iterator[File]:
    """Bills of electricity, water and environment, and what the collector took for them."""
    electricity, water, environment = _bills("DIEN", 1), _bills("NUOC", 3), _bills("VSMT", 3)
    quarter = electricity["month"].dt.asfreq("Q")
    for one in quarter.unique():
        rows = _electricity(electricity[quarter == one].reset_index(drop=True))
        if one == pd.Period("2024Q2"):
            wrong = rows.index[(rows["MA_DVHC"] == "15607") & (rows["THANG"] == "05")][0]
            rows.loc[wrong, "TONG_TIEN"] = str(int(rows.loc[wrong, "TONG_TIEN"]) + 1000)
        yield Csv(f"evn/evn_mau_{_last_month(one):%Y%m}.csv", rows)

    for month in water["month"].unique():
        rows, name = water[water["month"] == month], f"{month:%Y%m}"
        title = f"Hóa đơn nước kỳ {month:%m/%Y}"
        if name == "202406":
            yield _utility(f"water/nuoc_mau_{name}.xlsx", title, "NUOC", rows, error=100_000)
            yield _utility(f"water/nuoc_mau_{name}_dinh_chinh.xlsx", f"{title} (đính chính)", "NUOC", rows)
        else:
            yield _utility(f"water/nuoc_mau_{name}.xlsx", title, "NUOC", rows)
    for month in environment["month"].unique():
        rows = environment[environment["month"] == month]
        yield _utility(f"environment/moitruong_mau_{month:%Y%m}.xlsx", f"Phí vệ sinh môi trường kỳ {month:%m/%Y}", "VSMT", rows)

    taken = _collected(pd.concat([electricity, water, environment], ignore_index=True))
    month = taken["at"].dt.to_period("M")
    for one in MONTHS:
        rows = taken[month == one].drop(columns="at").reset_index(drop=True)
        yield Csv(f"ecpay/ecpay_mau_{one:%Y%m}.csv", _spoil_payments(rows, one))


# ---------------------------------------------------------------- people, signatures, offices


def _people() -> pd.DataFrame:
    """What is counted of the people of each unit at the end of 2024, one row a unit."""
    random = _random(5)
    own = units()
    adults = random.integers(1300, 3200, len(own))
    shares = {
        "eid_issued": (0.86, 0.95), "smartphone_subscribers": (0.62, 0.85), "bank_account_holders": (0.7, 0.85),
        "citizen_data_platform_users": (0.18, 0.36),
    }  # fmt: skip
    people = pd.DataFrame({"unit": own["code"], "population_adult": adults})
    people["population_15plus"] = (adults * 1.083).astype(int)
    people["households"] = (adults / 2.7).astype(int)
    for measure, (low, high) in shares.items():
        people[measure] = (people["population_adult"] * random.uniform(low, high, len(own))).astype(int)
    people["eid_activated"] = (people["eid_issued"] * random.uniform(0.75, 0.9, len(own))).astype(int)
    people["safety_software_users"] = (people["smartphone_subscribers"] * random.uniform(0.5, 0.72, len(own))).astype(int)
    here = people["unit"] == NGOC_PHUNG
    for measure, value in ARTICLE_COUNTS.items():
        people.loc[here, measure] = value
    people.loc[here, ["households", "eid_activated"]] = [1702, 3611]
    people["signature_share"] = random.uniform(0.33, 0.5, len(own))
    return people


def people_counts() -> Iterator[File]:
    """Counts of people, for the year 2024 and the first quarter of 2025."""
    people = _people().drop(columns="signature_share").set_index("unit")
    grown = people.copy()
    stays = ["population_adult", "population_15plus", "households"]
    others = [column for column in people if column not in stays]
    grown[others] = (people[others] * 1.02).astype(int)
    for column, ceiling in (
        ("eid_issued", "population_adult"),
        ("eid_activated", "eid_issued"),
        ("bank_account_holders", "population_15plus"),
    ):
        grown[column] = grown[[column, ceiling]].min(axis=1)
    for period, counted, day in (("2024", people, "20241231"), ("2025-Q1", grown, "20250331")):
        long = counted.reset_index().melt("unit", var_name="measure", value_name="value")
        frame = pd.DataFrame({"unit_code": long["unit"], "period": period, "measure": long["measure"], "value": long["value"].astype(str)})
        yield Csv(f"people-counts/dan_cu_mau_{day}.csv", frame)


def office_counts() -> Iterator[File]:
    """What the offices report: officials, agencies and shops once a year, work done once a quarter."""
    random = _random(6)
    own = units()
    count = len(own)

    def share(total: np.ndarray, low: float) -> np.ndarray:
        part = np.ceil(total * random.uniform(low, 1.0, count)).astype(int)
        part[(own["code"] == NGOC_PHUNG).to_numpy()] = total[(own["code"] == NGOC_PHUNG).to_numpy()]
        return part

    def sheet(path: str, period: str, counted: dict[str, np.ndarray]) -> Workbook:
        long = own.assign(**counted).melt(["code", "name"], var_name="measure", value_name="value")
        frame = pd.DataFrame(
            {
                "Mã ĐVHC": long["code"],
                "Đơn vị": long["name"],
                "Kỳ báo cáo": period,
                "Mã chỉ tiêu": long["measure"],
                "Tên chỉ tiêu": long["measure"].map(MEASURES),
                "Số liệu": long["value"].map(_dotted),
                "Ghi chú": "",
            }
        )
        if period == "Quý III/2024":
            unsure = frame.index[(frame["Mã ĐVHC"] == "15640") & (frame["Mã chỉ tiêu"] == "feedback_on_time")]
            frame.loc[unsure, ["Số liệu", "Ghi chú"]] = ["khoảng 10", "chưa chốt"]
        return Workbook(path, ("SỐ LIỆU MẪU – Biểu số liệu chuyển đổi số cấp xã", f"Kỳ báo cáo: {period}"), frame)

    officials, shops, agencies = random.integers(19, 26, count), random.integers(20, 90, count), np.full(count, 4)
    teams = random.integers(4, 12, count)
    teams[(own["code"] == NGOC_PHUNG).to_numpy()] = 7
    yield sheet(
        "office-counts/bieu_so_lieu_mau_20241231.xlsx", "2024",
        {
            "officials_total": officials, "officials_digital": share(officials, 0.85), "officials_certified": share(officials, 0.6),
            "officials_email": share(officials, 0.8), "agencies_total": agencies, "agencies_exchanging": agencies,
            "shops_total": shops, "shops_qr": shops, "digital_teams": teams,
        },
    )  # fmt: skip
    for quarter in pd.period_range("2024Q1", "2025Q1", freq="Q"):
        documents, tasks, feedback = random.integers(60, 320, count), random.integers(20, 90, count), random.integers(5, 40, count)
        roll_out = quarter == pd.Period("2024Q3")
        yield sheet(
            f"office-counts/bieu_so_lieu_quy_mau_{quarter.end_time:%Y%m%d}.xlsx",
            f"Quý {('I', 'II', 'III', 'IV')[quarter.quarter - 1]}/{quarter.year}",
            {
                "documents_outgoing": documents, "documents_signed": share(documents, 0.93),
                "documents_signed_by_leader": share(documents, 0.9),
                "tasks_assigned": tasks, "tasks_on_system": share(tasks, 0.8),
                "feedback_received": feedback, "feedback_on_time": share(feedback, 0.75),
                "training_sessions": np.full(count, int(roll_out)),
                "training_attendees": random.integers(36, 46, count) if roll_out else np.zeros(count, dtype=int),
            },
        )  # fmt: skip


def _holders() -> pd.DataFrame:
    """Certificates in force at the end of 2024, one row for each person and carrier."""
    random = _random(7)
    parts = []
    for row in _people().itertuples():
        first = 1_000_000 * (int(row.unit) - 15600)
        if row.unit == NGOC_PHUNG:
            persons, shared, vnpt = HOLDERS["vnpt"] + HOLDERS["viettel"] - HOLDERS_OF_BOTH, HOLDERS_OF_BOTH, HOLDERS["vnpt"]
        else:
            persons = int(row.population_adult * row.signature_share)
            shared, vnpt = persons // 8, int(persons * 0.55)
        numbers = first + np.arange(persons)
        parts.append(pd.DataFrame({"provider": "vnpt", "unit": row.unit, "number": numbers[:vnpt]}))
        parts.append(pd.DataFrame({"provider": "viettel", "unit": row.unit, "number": numbers[vnpt - shared :]}))
        lapsed = first + 500_000 + np.arange(30)
        parts.append(pd.DataFrame({"provider": "vnpt", "unit": row.unit, "number": lapsed, "status": "HET_HAN"}))
    holders = pd.concat(parts, ignore_index=True).fillna({"status": "HIEU_LUC"})
    days = random.integers(0, 600, len(holders))
    holders["issued"] = pd.Timestamp("2023-05-02") + pd.to_timedelta(days, unit="D")
    return holders


def signatures() -> Iterator[File]:
    """Certificates that the two carriers report, and whom they issued them to."""
    holders = _holders()
    own = units()
    for provider in ("vnpt", "viettel"):
        mine = holders[holders["provider"] == provider].sort_values(["unit", "number"])
        frame = pd.DataFrame(
            {
                "SoCCCD": "999" + mine["number"].astype(str).str.zfill(9),
                "MaDVHC": mine["unit"],
                "NgayCap": mine["issued"].dt.strftime("%d/%m/%Y"),
                "TrangThai": mine["status"],
            }
        )
        yield Csv(f"{provider}-holders/{provider}_mau_20241231.csv", frame)
        in_force = mine[mine["status"] == "HIEU_LUC"].groupby("unit").size().reindex(own["code"])
        cumulative = mine.groupby("unit").size().reindex(own["code"])
        for month, growth in (("12/2024", 1.0), ("04/2025", 1.06)):
            now, so_far = (in_force * growth).astype(int), (cumulative * growth).astype(int)
            issued = (in_force * 0.05).astype(int)
            table = pd.DataFrame(
                {
                    "STT": [str(number) for number in range(1, len(own) + 1)],
                    "Mã ĐVHC": own["code"],
                    "Xã, phường, thị trấn": own["name"],
                    "Kỳ báo cáo": month,
                    "Số chứng thư cấp mới": issued.map(_dotted).to_numpy(),
                    "Số chứng thư đang hiệu lực": now.map(_dotted).to_numpy(),
                    "Số người được cấp (lũy kế)": so_far.map(_dotted).to_numpy(),
                }
            )
            totals = {
                "STT": "Tổng cộng",
                "Số chứng thư cấp mới": _dotted(int(issued.sum())),
                "Số chứng thư đang hiệu lực": _dotted(int(now.sum())),
                "Số người được cấp (lũy kế)": _dotted(int(so_far.sum())),
            }
            titles = ("SỐ LIỆU MẪU – Chứng thư chữ ký số theo đơn vị", f"Kỳ báo cáo: {month}")
            yield Workbook(f"{provider}-signatures/{provider}_mau_{month[3:]}{month[:2]}.xlsx", titles, table, totals)


def surveys() -> Iterator[File]:
    """Two surveys, each before and after the model was rolled out."""
    random = _random(8)
    own = units()["code"]
    four = dict.fromkeys((NGOC_PHUNG, "15646", "15652", "15634"), 100)
    everywhere = {code: 63 if place < 8 else 62 for place, code in enumerate(own)}
    for wave, asked, declared_once, cashless in (("1", "2024-07-15", 140, 227), ("2", "2025-04-15", 360, 966)):
        parts = []
        for survey, question, asked_people, positive in (
            ("MAU-KHAI-BAO", "K1b", four, declared_once),
            ("MAU-KHONG-TIEN-MAT", "K2s", everywhere, cashless),
        ):
            yes = random.multivariate_hypergeometric(list(asked_people.values()), positive)
            parts.append(
                pd.DataFrame(
                    {
                        "survey_code": survey,
                        "wave": wave,
                        "unit_code": list(asked_people),
                        "question_code": question,
                        "asked_at": asked,
                        "respondents": [str(people) for people in asked_people.values()],
                        "positive_answers": [str(count) for count in yes],
                    }
                )
            )
        yield Csv(f"surveys/khao_sat_mau_{asked.replace('-', '')}.csv", pd.concat(parts, ignore_index=True))


def published() -> Iterator[File]:
    """The figures that the newspaper printed, real ones: they are only ever compared."""
    commune, district = (NGOC_PHUNG, "Xã Ngọc Phụng"), (DISTRICT, "Huyện Thường Xuân")
    quarters = [f"2024-Q{number}" for number in range(1, 5)]
    rows = [
        (*commune, "2024", "CQ7", "1442", "1442", "100%"),
        # What stands below the stroke is not all that was received: of the indicator's counts only the first is printed.
        (*commune, "2024", "CQ6P", "1195", "", "1.195/1.195"),
        (*commune, "2024", "CQ6F", "247", "", "247/247"),
        (*commune, "2024", "ND3", "4795", "5205", "92,1%"),
        (*commune, "2024", "ND7", "2660", "3798", "70,2%"),
        (*commune, "2024", "ND2", "4575", "5648", "81%"),
        (*commune, "2024", "ND8", "", "", "khoảng 30%"),
        (*commune, "2024", "ND5", "", "", "khoảng 53,7%"),
        (*commune, "2024", "CQ1", "", "", "100%"),
        *((*commune, quarter, signed, "", "", "100%") for signed in ("CQ3", "CQ3L") for quarter in quarters),
        (*commune, "2024", "ST2", "", "", "7 tổ"),
        (*district, "2024-07", "K1b", "", "", "35%"),
        (*district, "2025-04", "K1b", "", "", "90%"),
        (*district, "2024-07", "K2s", "", "", "22,7%"),
        (*district, "2025-04", "K2s", "", "", "hơn 96,5%"),
        (*district, "2025-04", "K2b", "", "", "100%"),
        (*district, "2024", "K2g", "", "", "100%"),
        (*district, "2024", "K3a", "", "", "100%"),
        (*district, "2024", "ST1", "16", "16", "16/16"),
        (*district, "2024", "ST3", "", "", "hơn 640 người"),
        (*district, "2024", "ST4", "", "", "16 buổi"),
    ]
    columns = ["unit_code", "unit_name", "period", "indicator_code", "numerator", "denominator", "printed"]
    frame = pd.DataFrame(rows, columns=columns).assign(source_document="Báo Thanh Hóa 247817")
    yield Csv("published/bao_thanh_hoa_20250430.csv", frame)


# ---------------------------------------------------------------- all of it


def files() -> Iterator[File]:
    """Every file of the inbox."""
    for part in (catalogues, one_stop_shop, utilities, people_counts, office_counts, signatures, surveys, published):
        yield from part()


def personal_values() -> set[str]:
    """Every personal value in the inbox: names, papers, telephones, customers. None may leave the reader in clear."""
    found: set[str] = set()
    for file in files():
        for column in file.frame.columns.intersection(PERSONAL):
            found.update(file.frame[column])
    return found - {"", "000000001"}


def main(folder: Path = HERE / "inbox") -> None:
    """Writes the inbox under the folder."""
    written = 0
    for file in files():
        file.write(folder)
        written += 1
    print(f"{written} files in {folder}, as at {date(2025, 4, 30):%d/%m/%Y}")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
