"""How numbers, dates and the words of the warehouse are written for people: Vietnamese, one place for terminal, workbook and site."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
NOTHING = "–"
"""Shown where there is no value: missing is not zero."""

OBS_STATUS = {
    "A": "chính thức",
    "P": "tạm tính",
    "B": "gián đoạn chuỗi",
    "L": "chưa thu thập",
    "M": "không áp dụng",
    "Q": "bảo mật",
}
DELIVERY_STATUS = {"landed": "chờ nạp", "loaded": "đã nạp", "rejected": "bị từ chối", "superseded": "đã có bản thay"}
VERDICT = {"accept": "đạt", "accept_with_flags": "đạt, có cảnh báo", "reject": "từ chối"}
QUARANTINE_STATUS = {"open": "chờ xử lý", "waiting": "chờ hóa đơn", "released": "cho nạp lại", "dismissed": "đã bỏ"}
RUN_STATUS = {"running": "đang chạy", "completed": "hoàn thành", "failed": "hỏng", "killed": "bị ngắt"}
SEVERITY = {"critical": "nghiêm trọng", "warning": "cảnh báo", "info": "thông tin"}
EXPECTED = {"daily": "hằng ngày", "monthly": "hằng tháng", "quarterly": "hằng quý", "yearly": "hằng năm", "once": "một lần"}
PILLAR = {"chinh_quyen_so": "Chính quyền số", "kinh_te_so": "Kinh tế số", "xa_hoi_so": "Xã hội số"}

_PERIOD = re.compile(r"(?P<year>\d{4})(-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?")


def number(value: Decimal | int | None, decimals: int = 0) -> str:
    """A number with dots for thousands and a comma for decimals, rounded half up; a dash where there is none."""
    if value is None:
        return NOTHING
    exact = Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return f"{exact:,f}".translate(str.maketrans(",.", ".,"))


def measure(value: Decimal | int | None, decimals: int, unit_measure: str) -> str:
    """A value in its unit: `92,1 %` for a rate, the plain number for a count."""
    written = number(value, decimals)
    return f"{written} %" if unit_measure == "PERCENT" and value is not None else written


def day(value: date | datetime | None) -> str:
    """A day as dd/MM/yyyy, in Vietnamese time; a dash where there is none."""
    if value is None:
        return NOTHING
    local = value.astimezone(VIETNAM) if isinstance(value, datetime) and value.tzinfo else value
    return f"{local:%d/%m/%Y}"


def moment(value: datetime | None) -> str:
    """A time as HH:mm dd/MM/yyyy, in Vietnamese time; a dash where there is none."""
    return NOTHING if value is None else f"{value.astimezone(VIETNAM):%H:%M %d/%m/%Y}"


def is_period(text: str) -> bool:
    """Whether a text names a year, a quarter or a month: 2024, 2024-Q1, 2024-03."""
    return _PERIOD.fullmatch(text) is not None


def period(text: str) -> str:
    """A period in words: `Năm 2024`, `Quý I/2024`, `Tháng 03/2024`."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        return text
    if found["quarter"]:
        return f"Quý {['I', 'II', 'III', 'IV'][int(found['quarter']) - 1]}/{found['year']}"
    return f"Tháng {found['month']}/{found['year']}" if found["month"] else f"Năm {found['year']}"


def period_days(text: str) -> tuple[date, date]:
    """First and last day of a period."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year = int(found["year"])
    if found["quarter"]:
        first, months = 3 * int(found["quarter"]) - 2, 3
    else:
        first, months = (int(found["month"]), 1) if found["month"] else (1, 12)
    beyond = first + months
    after = date(year + (beyond > 12), (beyond - 1) % 12 + 1, 1)
    return date(year, first, 1), date.fromordinal(after.toordinal() - 1)


def plain(name: str) -> str:
    """A name without accents, case and doubled spaces, to recognise what someone typed."""
    bare = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return " ".join("".join(letter for letter in bare if not unicodedata.combining(letter)).split())
