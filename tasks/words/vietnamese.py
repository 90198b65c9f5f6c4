"""How numbers, dates and the words of the warehouse are written for people: Vietnamese, one place for terminal, workbook and site."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from warehouse.periods import days, is_period, period_type

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
SAMPLE = "Dữ liệu mẫu – không phải số liệu thật"
"""Stands on everything that is made of sample data."""
NOT_KEPT = "không ghi lại (có thể là dữ liệu cá nhân)"
"""Shown in place of a cell that may be somebody's."""
NOTHING = "–"
"""Shown where there is no value: missing is not zero."""
HIDDEN = "…"
"""Shown where there is a value that is not for whoever looks."""
WITHHELD = "chi tiết chỉ người kiểm soát xem được"
"""Shown in place of a sentence that quotes such values."""
MESSAGE = 600
"""Most characters of a message to a supplier or a steward."""

OBS_STATUS = {
    "A": "chính thức",
    "P": "tạm tính",
    "B": "gián đoạn chuỗi",
    "L": "chưa thu thập",
    "M": "không áp dụng",
    "Q": "đã ẩn (ít người)",
}
OBS_REASON = {
    "held_back": "giữ lại để kiểm tra",
    "no_cases": "không phát sinh",
    "stands_in": f"{OBS_STATUS['P']}, số thay thế",
    "lists_missing": f"{OBS_STATUS['P']}, thiếu danh sách",
    "small_count": "ẩn: dưới ngưỡng",
    "gives_another_away": "ẩn để không suy ra được số khác",
    "not_judged": "ẩn, chờ rà soát",
}
"""In place of the status of a value that is not shown, or not official, for a reason of its own."""
OBS_DOUBT = {"mixed_keys": "có thể tính trùng"}
"""Beside the status of a value that is shown."""
DELIVERY_STATUS = {"landed": "chờ nạp", "loaded": "đã nạp", "rejected": "bị từ chối", "superseded": "đã có bản thay"}
VERDICT = {"accept": "đạt", "accept_with_flags": "đạt, có cảnh báo", "reject": "từ chối"}
JUDGEMENT = {
    "rejected": "từ chối",
    "set_aside": "để riêng tất cả",
    "flagged": "có cảnh báo",
    "passed": "đạt",
    "waiting": DELIVERY_STATUS["landed"],
}
"""How a delivery is judged, in one word (`tasks.deliveries.judgement`)."""
PUBLISHED = {
    "holds": "khớp",
    "differs": "khác",
    "impossible": "không thể có",
    "not_computable": "không tính được",
}
"""What becomes of a figure that others published."""
FEES = {
    "matched": "khớp",
    "amount_differs": "lệch số tiền",
    "paid_not_marked": "đã nộp, hồ sơ chưa ghi",
    "marked_not_paid": "hồ sơ ghi đã nộp, không có giao dịch",
    "no_dossier": "nộp cho hồ sơ không có trong dữ liệu",
    "not_checkable": "chưa đối soát được",
    "other_gateway": "ghi nộp qua cổng khác",
}
"""How the payments of a dossier's fee and what it says of them agree (mart.fee_reconciliation)."""
DIFFERING_FEES = ("amount_differs", "paid_not_marked", "marked_not_paid", "no_dossier")
"""Classes of FEES in which both sides differ; the last two are held against nobody."""
FEES_IN_SHORT = {
    "amount_differs": "Lệch tiền",
    "paid_not_marked": "Nộp, chưa ghi",
    "marked_not_paid": "Ghi, không nộp",
    "no_dossier": "Không có hồ sơ",
}
"""The same at the head of a column."""
QUARANTINE_STATUS = {
    "open": "chờ xử lý",
    "waiting": "chờ hóa đơn",
    "released": "cho nạp lại",
    "dismissed": "đã bỏ",
    "corrected": "đã có bản sửa",
    "rejected": "bị từ chối cùng tệp",
}
STANDING = {
    "unreachable": "không lấy được tệp",
    "rejected": "bị từ chối",
    "never": "chưa gửi lần nào",
    "late": "chậm",
    "in_time": "đúng hạn",
}
"""How a source stands: the worst that can be said of it."""
DECISION = {"accepted": "chấp nhận", "rejected": "không chấp nhận"}
"""What is decided on something out of line."""
NOTE_KIND = {
    "released": "cho nạp lại",
    "dismissed": "bỏ hẳn",
    "let_pass": "cho qua dù khác mức thường",
    "assigned": "giao việc",
    "comment": "ghi chú",
    "correction": "nhận ô đã sửa",
}
"""What was done about what was set aside."""
ACTION = {
    "sign-in": "đăng nhập",
    "sign-out": "đăng xuất",
    "account-add": "lập tài khoản",
    "account-password": "đổi mật khẩu",
    "account-disable": "khóa tài khoản",
    "account-enable": "mở lại tài khoản",
    "sessions-revoke": "kết thúc các phiên đăng nhập",
    "quarantine-release": "cho nạp lại",
    "quarantine-let_pass": "cho qua dù khác mức thường",
    "quarantine-dismiss": "bỏ hẳn",
    "quarantine-assign": "giao việc",
    "quarantine-comment": "ghi chú",
    "quarantine-correct": "nhận ô đã sửa",
    "gate-accepted": "chấp nhận điểm bất thường",
    "gate-rejected": "không chấp nhận điểm bất thường",
    "publish-now": "yêu cầu tính và công bố ngay",
    "sign": "ký số liệu",
}
"""What is written down of people at the desk: every action that there is."""
SUBJECT = {"account": "tài khoản", "delivery": "lần gửi số", "alarm": "điểm bất thường số", "period": "kỳ", "publication": "số liệu"}
"""What it was done to."""
STEP = {"pull": "nhận tệp", "ingest": "kiểm tra và nạp", "publish": "tính chỉ tiêu và công bố", "report": "lập báo cáo"}
"""The steps of a night (ops.step)."""

RUN_STATUS = {
    "running": "đang chạy",
    "completed": "hoàn thành",
    "not_all_taken": "xong, có việc cần xem",
    "held": "xong, chưa công bố",
    "failed": "thất bại",
    "killed": "bị ngắt",
}
"""What became of a run; the third and fourth of a night of which something was refused, out of reach or held back, or all was held."""
SEVERITY = {"critical": "nghiêm trọng", "warning": "cảnh báo", "info": "thông tin"}
EXPECTED = {"daily": "hằng ngày", "monthly": "hằng tháng", "quarterly": "hằng quý", "yearly": "hằng năm", "once": "một lần"}
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Categories of signs that steer a terminal, turn or break a line, or are not seen: they may deceive whoever reads them."""
PILLAR = {"chinh_quyen_so": "Chính quyền số", "kinh_te_so": "Kinh tế số", "xa_hoi_so": "Xã hội số"}


def number(value: Decimal | int | None, decimals: int = 0) -> str:
    """A number with dots for thousands and a comma for decimals, rounded half up; a dash where there is none."""
    if value is None:
        return NOTHING
    exact = Decimal(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return f"{exact:,f}".translate(str.maketrans(",.", ".,"))


def measure(value: Decimal | int | None, decimals: int, unit_measure: str) -> str:
    """A value in its unit: `92,1%` for a rate, as the press and the official forms print it; the plain number for a count."""
    written = number(value, decimals)
    return f"{written}%" if unit_measure == "PERCENT" and value is not None else written


def status(obs_status: str, obs_reason: str | None = None) -> str:
    """How a value is to be taken: `chính thức`, `tạm tính`, `không phát sinh`, `gián đoạn chuỗi, có thể tính trùng`."""
    if obs_reason in OBS_DOUBT:
        return f"{OBS_STATUS[obs_status]}, {OBS_DOUBT[obs_reason]}"
    return OBS_REASON.get(obs_reason or "", OBS_STATUS[obs_status])


def subject(told: str) -> str:
    """What something was done to, as the audit keeps it: `delivery:16 DOS-002` as `lần gửi số 16 DOS-002`."""
    kind, _, rest = told.partition(":")
    return f"{SUBJECT[kind]} {rest}".strip() if kind in SUBJECT else told


def change(value: Decimal | None, decimals: int) -> str:
    """A difference with its sign: `+0,33`, `-1,20`, `0,00`; a dash where there is none."""
    return ("+" if value is not None and value > 0 else "") + number(value, decimals)


def beside(printed: str, recomputed: Decimal | None) -> str:
    """A figure computed again, written as the printed one beside it was: a rate or a count, with its decimals."""
    if recomputed is None:
        return NOTHING
    return measure(recomputed, -int(recomputed.as_tuple().exponent), "PERCENT" if "%" in printed else "")


def day(value: date | datetime | None) -> str:
    """A day as dd/MM/yyyy, in Vietnamese time; a dash where there is none."""
    if value is None:
        return NOTHING
    local = value.astimezone(VIETNAM) if isinstance(value, datetime) and value.tzinfo else value
    return f"{local:%d/%m/%Y}"


def days_since(then: datetime, now: datetime) -> int:
    """How many days ago something was, by the calendar of Viet Nam."""
    return (now.astimezone(VIETNAM).date() - then.astimezone(VIETNAM).date()).days


def moment(value: datetime | None) -> str:
    """A time as HH:mm dd/MM/yyyy, in Vietnamese time; a dash where there is none."""
    return NOTHING if value is None else f"{value.astimezone(VIETNAM):%H:%M %d/%m/%Y}"


def period(text: str) -> str:
    """A period in words: `Năm 2024`, `Quý I/2024`, `Tháng 03/2024`."""
    year, part = text[:4], text[5:]
    match period_type(text):
        case "quarter":
            return f"Quý {['I', 'II', 'III', 'IV'][int(part[1]) - 1]}/{year}"
        case "month":
            return f"Tháng {part}/{year}"
        case _:
            return f"Năm {year}"


def in_text(text: str) -> str:
    """A period in running text: `năm 2024`, `quý I/2024`, `tháng 03/2024`."""
    written = period(text)
    return written[0].lower() + written[1:]


def part_of(text: str, first: date, last: date) -> str:
    """A period in words; where a part of it is meant, only its days: `Từ 01/07/2025 đến 31/12/2025`."""
    return period(text) if (first, last) == days(text) else f"Từ {day(first)} đến {day(last)}"


def while_there(name: str, text: str, first: date, last: date) -> str:
    """Name of a unit, with its days where it was there for a part of a period only: `Xã Ngọc Phụng, từ 01/01/2025 đến 30/06/2025`."""
    return name if (first, last) == days(text) else f"{name}, từ {day(first)} đến {day(last)}"


def version(name: str, first: date, last: date) -> str:
    """Name of a unit with the days of one of its versions, as far as they are known: `Xã Tân Thành đến 30/06/2025`."""
    began, ended = (f" từ {day(first)}" if first > date.min else ""), (f" đến {day(last)}" if last < date.max else "")
    return f"{name}{began}{ended}"


def stretch(text: str) -> str:
    """A stretch of days in running text: `ngày 15/03/2024`, `tháng 3/2024`, `từ 01/03/2024 đến 07/03/2024`."""
    if is_period(text):
        return in_text(text)
    first, _, last = text.partition("/")
    return f"từ {day(date.fromisoformat(first))} đến {day(date.fromisoformat(last))}" if last else f"ngày {day(date.fromisoformat(first))}"


def about(text: str | None) -> str:
    """What a delivery is about: a stretch of days, else what it calls itself, as a document; a dash where nothing is known."""
    try:
        return stretch(text) if text else NOTHING
    except ValueError:
        return str(text)


def summary(statuses: Iterable[str]) -> str:
    """Deliveries counted by what became of them, in words: `70 đã nạp, 2 bị từ chối`."""
    return ", ".join(f"{number(count)} {DELIVERY_STATUS[status]}" for status, count in Counter(statuses).most_common())


def some(names: Sequence[str], shown: int = 3, what: str = "tệp") -> str:
    """The first of some names, and how many more there are: `a.csv, b.csv, c.csv và 11 tệp khác`."""
    more = f" và {number(len(names) - shown)} {what} khác" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def unseen(text: str) -> list[str]:
    """The signs of a text that act or are not seen, each once."""
    return [sign for sign in dict.fromkeys(text) if unicodedata.category(sign) in UNSEEN]


def safe(text: str, most: int = 255, shown: str = "<U+{:04X}>") -> str:
    """What others wrote as part of one line: signs that act or are not seen as `<U+202E>`, and of a long text its beginning and end."""
    line = text.translate({ord(sign): shown.format(ord(sign)) for sign in unseen(text)})
    return line if len(line) <= most else f"{line[: most // 2]}…{line[len(line) + most // 2 + 1 - most :]}"


def one_line(text: str, most: int = MESSAGE) -> str:
    """A message as one bounded line, whatever names of others stand in it."""
    return safe(" ".join(text.split()), most)


def blanks(message: str) -> str:
    """A message before anything is filled into it, with … in the places of what will be."""
    return re.sub(r"\{\w+\}", "…", message)


def plain(name: str) -> str:
    """A name without accents, case and doubled spaces, to recognise what someone typed."""
    bare = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return " ".join("".join(letter for letter in bare if not unicodedata.combining(letter)).split())
