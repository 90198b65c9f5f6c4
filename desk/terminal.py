"""How the command line speaks: tables made to be read, Vietnamese numbers, one line for what goes wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from desk.service_manager import notify
from flows.progress import Stand, listening
from tasks.ask.official_table import Line, Unit, sections
from tasks.ask.province_editions import NAMED, Gathered
from tasks.ask.score_card import COUNTED_BY
from tasks.count.revisions import NOTHING, Revised
from tasks.words import vietnamese as vi
from tasks.words.vietnamese import summary
from warehouse.gate import gate
from warehouse.names import LEVELS
from warehouse.periods import days

if TYPE_CHECKING:
    from desk.installation.doctor import Finding
    from desk.profile import Profile
    from flows.nightly import Night
    from tasks.ask.explain import Explanation
    from tasks.ask.notes import Note
    from tasks.ask.questions import SourceState
    from tasks.ask.restated import RestatedLine
    from tasks.ask.score_card import Card
    from tasks.count.kept import Verified
    from tasks.keep.prune import Pruned
    from tasks.report.form_06a_sheet import Row
    from warehouse.losses import Loss
    from warehouse.pseudonym_key import Key

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
if not out.is_terminal:
    out.width = 160  # a pipe or a file: nothing is cut to a guess of 80 columns

OBS_STYLE = {"A": "", "P": "yellow"}
LINE = 2 * vi.MESSAGE
"""Most characters of a line: a message, and what it is about."""
NEXT = "Lượt đêm sau sẽ áp dụng; ngay bây giờ: bakhong nightly --no-pull."
"""When what was decided takes effect."""
SHOWN_ROWS = 5
"""Row numbers that are named of those that a decision was on."""
BROKEN_SHOWN = 10
"""Rules that did not hold named in the night's lines."""
PROFILE_SHOWN = 0.1
"""Fewest seconds of what is named where the time goes."""
VERDICT_STYLE = {"accept": "green", "accept_with_flags": "yellow", "reject": "red"}


@contextmanager
def progress() -> Iterator[None]:
    """Shows where the work stands while the block runs; where nobody watches, only what deserves a line, the rest to `systemctl status`."""
    if not err.is_terminal:

        def tell(stand: Stand) -> None:
            if stand.note:
                complain(stand.note)
            else:
                notify(f"STATUS={stand.stage} {pace(stand)}".strip())

        with listening(tell):
            yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("Chuẩn bị", total=None, count="")

        def show(stand: Stand) -> None:
            if stand.note:
                complain(stand.note)
                return
            done, total = (stand.share, 1) if stand.share else (stand.done, stand.total or None)
            bar.update(task, description=stand.stage, completed=done, total=total, count=pace(stand))

        with listening(show):
            yield


def pace(stand: Stand) -> str:
    """How far it is, how fast it goes and how long it will take, as `3/12 · 85.000 dòng/giây · còn 3 phút`."""
    parts = [f"{stand.done}/{stand.total}"] if stand.total else []
    if stand.rows_per_second:
        parts.append(f"{vi.number(round(stand.rows_per_second))} dòng/giây")
    if stand.seconds_left is not None:
        left = stand.seconds_left
        parts.append(f"còn {vi.number(round(left / 60))} phút" if left >= 90 else f"còn {vi.number(round(left))} giây")
    return " · ".join(parts)


def say(words: str = "") -> None:
    """A line of plain words."""
    out.print(Text(vi.one_line(words, LINE)), soft_wrap=True)


def complain(words: str) -> None:
    """One line on what went wrong."""
    err.print(Text(vi.one_line(words, LINE), style="red"), soft_wrap=True)


def heading(words: str, *, is_sample: bool = False) -> None:
    """A heading over what follows, and whether that is sample data."""
    out.print()
    out.print(Text(vi.one_line(words, LINE), style="bold"))
    if is_sample:
        sample_line()


def sample_line() -> None:
    """Says that what follows is sample data."""
    out.print(Text(vi.SAMPLE, style="bold yellow"))


def table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], title: str = "") -> None:
    """A table; a column whose name begins with `>` stands to the right."""
    shown = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        shown.add_column(
            name.removeprefix(">"), justify="right" if name.startswith(">") else "left", no_wrap=name.startswith(">"), overflow="fold"
        )
    for row in rows:
        shown.add_row(*map(_cell, row))
    out.print(shown)


def _cell(cell: str | Text) -> Text:
    """A cell in which nothing is hidden, and nothing is a command to the terminal."""
    text = cell if isinstance(cell, Text) else Text(cell)
    return text if text.plain.isprintable() else Text(vi.one_line(text.plain), style=text.style)


def unit_heading(unit: Unit, period: str, before: str = "", *, is_sample: bool) -> None:
    """A unit and a period, or the part of it in which the unit was there; and whether its code meant another one as well."""
    within = unit.within(period)
    heading(f"{before}{unit.title} · {vi.part_of(period, *within)}", is_sample=is_sample)
    if within != days(period):
        say("Đơn vị chỉ tồn tại trong những ngày này của kỳ: không phải số của cả kỳ.")
    if unit.others:
        say(unit.others)


def official_tables(unit: Unit, period: str, lines: Sequence[Line], *, is_sample: bool = False) -> None:
    """The official tables of a unit in a period."""
    unit_heading(unit, period, is_sample=is_sample)
    for title, part in sections(list(lines)):
        table(
            ["Mã", "Chỉ tiêu", ">Tử số", ">Mẫu số", ">Kết quả", ">Mục tiêu", "Đánh giá", "Số liệu", "Phạm vi", "Đến ngày", "Hạn gửi tiếp"],
            [
                [
                    line.indicator_code,
                    line.indicator_name,
                    vi.number(line.numerator),
                    vi.number(line.denominator),
                    Text(line.printed, style="bold"),
                    line.printed_target,
                    Text(line.met, style="green" if line.is_met else "red"),
                    Text(line.status, style=OBS_STYLE.get(line.obs_status, "dim")),
                    line.covers,
                    vi.day(line.data_until),
                    vi.day(line.next_due),
                ]
                for line in part
            ],
            title,
        )
    for line in lines:
        if line.full_marks is not None:
            say(f"{line.indicator_code}: {full_marks(line)}.")
    for note, noted in groupby(sorted((line for line in lines if line.obs_note), key=_note), _note):
        say(f"{', '.join(line.indicator_code for line in noted)}: {note}.")


def _note(line: Line) -> str:
    return line.obs_note or ""


def full_marks(line: Line) -> str:
    """The threshold of decision 766, as what it is: no target."""
    return f"từ {line.printed_full_marks} được điểm tối đa ({line.full_marks_source}), không phải mục tiêu"


def restated_tables(unit: Unit, period: str, lines: Sequence[RestatedLine], *, is_sample: bool = False) -> None:
    """The official tables of a unit of today in a period, put together from the units that went into it where it was not there yet."""
    heading(f"{unit.title} · {vi.period(period)} · theo đơn vị hiện nay", is_sample=is_sample)
    for predecessors in dict.fromkeys(line.predecessors for line in lines if line.predecessors):
        say(f"Đơn vị có từ {vi.day(unit.valid_from)}; tính lại từ: {predecessors}.")
    for title, part in groupby(lines, attrgetter("official_table")):
        table(
            ["Mã", "Chỉ tiêu", ">Tử số", ">Mẫu số", ">Kết quả", "Số liệu", "Ghi chú"],
            [
                [
                    line.indicator_code,
                    line.indicator_name,
                    vi.number(line.numerator),
                    vi.number(line.denominator),
                    Text(line.printed, style="bold"),
                    Text(line.status, style=OBS_STYLE.get(line.obs_status, "dim")),
                    line.obs_note or "",
                ]
                for line in part
            ],
            title,
        )


FORM_06A = (
    "STT", "Lĩnh vực\n\n\n(2)", ">Tổng\nnhận\n\n(3)", ">Trực\ntuyến\n\n(4)", ">Trực\ntiếp,\nb.chính\n(5)", ">Kỳ\ntrước\n\n(6)",
    ">Đã\ngiải\nquyết\n(7)", ">Trước\nhạn\n\n(8)", ">Đúng\nhạn\n\n(9)", ">Quá\nhạn\n\n(10)",
    ">Đang\ngiải\nquyết\n(11)", ">Trong\nhạn\n\n(12)", ">Quá\nhạn\n\n(13)",
)  # fmt: skip


def form_06a(unit: Unit, period: str, form: Sequence[Row], *, is_sample: bool = False) -> None:
    """Form 06a of a unit in a period, with the columns and sections of the official form."""
    from tasks.report.form_06a_sheet import (  # noqa: PLC0415
        NUMBER,
        ROMAN,
        WHOSE,
        notes,
        reported_days,
        reporting,
        section_name,
        total,
    )

    def bold(*cells: str) -> list[str | Text]:
        return [Text(cell, style="bold") for cell in cells]

    unit_heading(unit, period, f"{NUMBER} · ", is_sample=is_sample)
    rows: list[list[str | Text]] = []
    for roman, (section, part) in zip(ROMAN, groupby(form, attrgetter("section")), strict=False):
        rows.append(bold(roman, section_name(section, period), *[""] * 11))
        rows += [[str(number), row.sector_name, *map(vi.number, row.values)] for number, row in enumerate(part, 1)]
    rows.append(bold("", "Tổng cộng", *map(vi.number, total(form))))
    table(FORM_06A, rows, "Tình hình, kết quả giải quyết thủ tục hành chính (số hồ sơ)")
    reports, receives = reporting(unit)
    first, last = reported_days(form, unit, period)
    say(f"Đơn vị báo cáo: {reports}. Đơn vị nhận báo cáo: {receives}. Từ ngày {vi.day(first)} đến ngày {vi.day(last)}.")
    say(WHOSE)
    for column, words in notes(period).items():
        say(f"Cột ({column}): {words[1:-1]}.")


def score_card(card: Card, *, is_sample: bool = False) -> None:
    """The score of decision 766 of one unit: groups, components, total, rank, against the period before."""
    total, before = card.total, vi.in_text(card.total.period_before)
    heading(f"{total.name} ({total.code}) · {vi.part_of(card.period, total.first_day, total.last_day)}", is_sample=is_sample)
    if card.others:
        say(card.others)
    rows: list[list[str | Text]] = []
    for line in card.lines:
        style = "" if line.component_code else "bold"
        cells = [
            ("  " if line.component_code else "") + line.name,
            vi.number(line.numerator) if line.component_code else "",
            vi.number(line.denominator) if line.component_code else "",
            vi.measure(line.ratio, 2, "PERCENT"),
            vi.number(line.score, 2),
            vi.number(line.max_score),
            vi.change(line.change, 2),
        ]
        status = Text(vi.OBS_STATUS[line.obs_status], style=OBS_STYLE.get(line.obs_status, "dim"))
        rows.append([*(Text(cell, style=style) for cell in cells), status])
    summed = ("Tổng điểm", "", "", "", vi.number(total.total, 2), vi.number(total.max_score), vi.change(total.change, 2))
    provisional = Text(vi.OBS_STATUS["P"], style=OBS_STYLE["P"]) if total.obs_status == "P" else ""
    rows.append([*(Text(cell, style="bold") for cell in summed), provisional])
    columns = ["Nhóm, chỉ số thành phần", ">Tử số", ">Mẫu số", ">Tỷ lệ", ">Điểm", ">Tối đa", ">So kỳ trước", "Số liệu"]
    table(columns, rows, f"Chỉ số 766 (Quyết định 766/QĐ-TTg), tính từ {COUNTED_BY[card.counted_by]}")
    for line in card.lines:
        if line.is_held_at_maximum:
            say(f"{line.name}: giữ ở mức tối đa {vi.number(line.max_score)} điểm; Cổng không nêu rõ điểm có được vượt mức này hay không.")
    if total.rank is not None:
        say(f"Xếp hạng: {vi.number(total.rank)} trong {vi.number(total.ranked)} đơn vị {LEVELS[total.level]} được chấm cùng các nhóm.")
    compared = f"{vi.change(total.change, 2)} điểm" if total.change is not None else "chưa có số để so"
    say(f"So với {before}: {compared}.")


def source_table(states: Sequence[SourceState[Any]]) -> None:
    """How the sources stand."""
    rows: list[list[str | Text]] = []
    for state in states:
        last = state.last
        days = f" {vi.number(state.days_late)} ngày" if state.standing == "late" else ""
        standing = Text(vi.STANDING[state.standing] + days, style="green" if state.standing == "in_time" else "red")
        known: list[str | Text] = [vi.NOTHING, vi.NOTHING, vi.NOTHING]
        if last is not None:
            words = vi.VERDICT[last.verdict] if last.verdict else vi.DELIVERY_STATUS[last.status]
            known = [last.file_name, vi.day(last.exported_at), Text(words, style=VERDICT_STYLE.get(last.verdict, ""))]
        rows.append([state.source.name, vi.EXPECTED[state.source.expected], *known, vi.day(state.due), standing])
    table(["Nguồn", "Nhịp gửi", "Lần gửi cuối", "Xuất ngày", "Đánh giá", "Hạn gửi tiếp", "Tình trạng"], rows, "Nguồn dữ liệu")


def gathered_table(latest: Sequence[Gathered]) -> None:
    """Of how many provinces of the country an edition is in, of the latest periods."""
    rows = [[vi.period(one.period), one.count, vi.some(one.missing, NAMED, "tỉnh") or vi.NOTHING] for one in latest]
    if rows:
        table(["Kỳ", ">Số tỉnh", "Còn thiếu"], rows, "Bản ký của các tỉnh")


def account_table(rows: Sequence[Any], roles: Mapping[str, str]) -> None:
    """Who may use the desk."""
    told: list[list[str | Text]] = []
    for row in rows:
        state = Text("dùng được", style="green") if row.is_active else Text("đã khóa", style="red")
        told.append([row.account_name, row.shown_name, roles[row.role], row.unit_code or "", state, vi.moment(row.last_seen_at)])
    table(["Tên đăng nhập", "Họ tên", "Vai trò", "Đơn vị", "Tình trạng", "Lần cuối"], told, "Tài khoản")


FINDING = {"good": ("tốt", "green"), "to_do": ("cần làm", "bold red"), "to_know": ("biết thêm", "yellow")}
"""What a look at an installation found, in words and their colour."""


def finding_table(findings: Sequence[Finding]) -> None:
    """What a night needs, whether it is there and what to do; and how much there is to do."""
    rows: list[tuple[str | Text, ...]] = []
    for one in findings:
        rows.append((one.about, Text(*FINDING[one.state]), one.found))
        rows += [("", "", Text(f"→ {one.to_do}", style="bold"))] if one.to_do else []
    table(["Lượt đêm cần", "Tình trạng", "Thấy gì, → việc cần làm"], rows)
    open_ones = sum(one.state == "to_do" for one in findings)
    if open_ones:
        complain(f"{vi.number(open_ones)} việc cần làm.")
    else:
        say("Lượt đêm có đủ mọi thứ nó cần.")


def rejected_table(rows: Sequence[Any]) -> None:
    """Deliveries refused whole, and why."""
    if rows:
        told = [[row.source, row.file_name, row.message_vi or ""] for row in rows]
        table(["Nguồn", "Tệp", "Lý do và việc cần làm"], told, "Lần gửi bị từ chối")


def waiting_table(rows: Sequence[Any], now: datetime) -> None:
    """Payments that wait for their bill, and for how long."""
    if rows:
        told = [[row.source, vi.number(row.rows), vi.day(row.since), vi.number(vi.days_since(row.since, now))] for row in rows]
        table(["Nguồn", ">Số giao dịch", "Chờ từ ngày", ">Số ngày"], told, "Giao dịch chờ hóa đơn")


def difference_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Transactions that a collector's day files and its longer ones do not say alike, with where each says it."""

    def told(row: Mapping[str, Any], kind: str) -> list[str]:
        if row[f"{kind}_delivery_id"] is None:
            return ["không có", ""]
        return [f"lần gửi {row[f'{kind}_delivery_id']}, dòng {row[f'{kind}_row_number']}", vi.number(row[f"{kind}_amount_vnd"])]

    table(
        ["Ngày", "Giao dịch", "Tệp ngày", ">Số tiền", "Tệp tháng", ">Số tiền"],
        [[vi.day(row["business_date"]), row["transaction_code"] or vi.NOTHING, *told(row, "day"), *told(row, "longer")] for row in rows],
    )
    say(f"{vi.number(len(rows))} giao dịch.")


def notes(told: Sequence[Note]) -> None:
    """What of the tables before went out on somebody's word."""
    if told:
        say("Số công bố theo quyết định:")
    for note in told:
        say(f"- {note.words}")


def held_back_table(rows: Sequence[Any]) -> None:
    """Values and forms that are not shown since they cannot be right."""
    if rows:
        told = [
            [
                row.indicator_code,
                vi.version(f"{row.unit_name} ({row.unit_code})", row.valid_from, row.valid_to),
                vi.period(row.period),
                row.reason_vi,
                vi.day(row.since),
            ]
            for row in rows
        ]
        table(["Chỉ tiêu", "Đơn vị", "Kỳ", "Lý do", "Từ ngày"], told, "Giữ lại, không công bố")


def set_aside_table(rows: Sequence[Any]) -> None:
    """What was set aside and why, a line for each rule and message."""
    grouped: dict[tuple[str, str, str, str], list[Any]] = {}
    for row in rows:
        grouped.setdefault((row.rule_code, row.source, row.status, row.message_vi), []).append(row)
    told: list[list[str | Text]] = [
        [
            code,
            source,
            vi.number(sum(row.rows for row in same)),
            vi.number(len({row.delivery_id for row in same})),
            vi.QUARANTINE_STATUS[status],
            message,
        ]
        for (code, source, status, message), same in grouped.items()
    ]
    table(["Quy tắc", "Nguồn", ">Số dòng", ">Số tệp", "Tình trạng", "Nội dung"], told, "Dòng để riêng")


def corrected_table(rows: Sequence[Any]) -> None:
    """Files of which cells are read as a letter put them right."""
    if rows:
        told = [[one.file_name, vi.number(one.cells), one.letter, one.made_by, vi.moment(one.made_at)] for one in rows]
        table(["Tệp", ">Số ô", "Theo thư", "Người nhận", "Lúc"], told, "Ô được đọc theo giá trị đúng đơn vị gửi đã ghi trong thư")


def quarantine_table(rows: Sequence[Any]) -> None:
    """Quarantined rows one by one."""
    table(
        [">Lần gửi", "Tệp", ">Dòng", "Khóa", "Quy tắc", "Cột", "Giá trị", "Tình trạng", "Nội dung"],
        [
            [
                str(row.delivery_id),
                row.file_name,
                str(row.row_number),
                row.natural_key or vi.NOTHING,
                row.rule_code,
                row.column_name,
                vi.NOTHING if row.value is None else row.value,
                vi.QUARANTINE_STATUS[row.status],
                row.message_vi,
            ]
            for row in rows
        ],
    )
    say(f"{vi.number(len(rows))} dòng.")


def history_table(notes: Sequence[Any]) -> None:
    """What was decided, assigned and said of what was set aside, in the order of time."""
    told = []
    for note in notes:
        numbers = note.row_numbers or []
        rows = f"dòng {', '.join(map(str, numbers[:SHOWN_ROWS]))}{', …' if len(numbers) > SHOWN_ROWS else ''}" if numbers else ""
        about = ", ".join(part for part in (note.rule_code, note.column_name, rows) if part) or "cả lần gửi"
        done = f"{vi.NOTE_KIND[note.kind]}{f': {note.assignee or vi.NOTHING}' if note.kind == 'assigned' else ''}"
        told.append([vi.moment(note.made_at), note.made_by, about, done, vi.number(note.rows), note.words or ""])
    table(["Lúc", "Ai", "Về", "Việc", ">Số lỗi", "Lý do, ghi chú"], told)


def printed_table(rows: Sequence[Any]) -> None:
    """Printed figures that cannot be, or that the counts do not bear out."""
    if rows:
        told = [
            [
                row.indicator_code,
                row.unit_name or row.unit_code,
                vi.period(row.period),
                row.printed,
                vi.beside(row.printed, row.recomputed),
                vi.PUBLISHED[row.verdict],
                row.note or "",
                row.source_document,
            ]
            for row in rows
        ]
        table(
            ["Chỉ tiêu", "Đơn vị", "Kỳ", ">Đã công bố", ">Tính lại", "Kết luận", "Vì sao", "Văn bản"],
            told,
            "Số đã công bố khác số tính lại",
        )


def night_line(night: Night, outcomes: Sequence[Any] | None = None) -> None:
    """What a night did, in a few lines."""
    taken = night.outcomes if outcomes is None else outcomes
    rows = {
        name: sum(getattr(outcome, name) for outcome in taken) for name in ("received", "loaded", "unchanged", "quarantined", "ignored")
    }
    statuses = summary([outcome.status for outcome in taken]) or "không có tệp mới"
    say(f"Lượt chạy số {night.run_id}: {statuses}.")
    if taken:
        say(
            f"Dòng nhận {vi.number(rows['received'])} = mới {vi.number(rows['loaded'])} + không đổi {vi.number(rows['unchanged'])} "
            f"+ để riêng {vi.number(rows['quarantined'])} + bỏ qua {vi.number(rows['ignored'])}."
        )
    published = night.published
    if published.is_held:
        say(f"Chưa công bố, chờ quyết định: {revisions(published.indicators, 'giá trị')}; số đã công bố trước giữ nguyên.")
    elif published.publication_id is None:
        say("Không có gì thay đổi để công bố.")
    else:
        if published.is_vintage:
            say("Ngày này trước lần công bố cuối: chỉ bổ sung số liệu đáng ra đã công bố khi đó, số đang công bố giữ nguyên.")
        say(f"Công bố: {revisions(published.indicators, 'giá trị')}.")
        lines = published.scores.form_06a + published.scores.pipeline + published.scores.portal
        if lines != NOTHING:
            say(f"Biểu 06a và chỉ số 766: {revisions(lines, 'dòng')}.")


def taken_lines(broken: Sequence[Any]) -> None:
    """What did not hold in the files that a night took: rows set aside first, then files; rows only flagged are on the steward's page."""
    taken = [row for row in broken if row.status != "rejected" and row.observed and (row.severity == "critical" or row.scope == "delivery")]
    for row in sorted(taken, key=lambda row: row.severity != "critical")[:BROKEN_SHOWN]:
        say(f"{vi.SEVERITY[row.severity].capitalize()} {row.rule_code}, {row.source}/{row.file_name}: {row.observed}.")
    if len(taken) > BROKEN_SHOWN:
        say(f"và {vi.number(len(taken) - BROKEN_SHOWN)} lỗi, cảnh báo khác: xem trang kiểm soát hoặc bakhong quarantine list.")


def revisions(done: Revised, what: str) -> str:
    """What a publication changed, in words."""
    ended = f", {vi.number(done.ended)} thôi công bố" if done.ended else ""
    return f"{vi.number(done.added)} {what} mới, {vi.number(done.revised)} sửa đổi{ended}"


def explanation(told: Explanation, lost: Sequence[str] = (), *, is_sample: bool = False) -> None:
    """How a number came about; `lost`: files behind it whose bytes are not on this machine any more."""
    line = told.line
    heading(f"{line.indicator_code} · {line.indicator_name}")
    unit_heading(told.unit, line.period, is_sample=is_sample)
    parts = f"{vi.number(line.numerator)} / {vi.number(line.denominator)} = " if line.denominator is not None else ""
    say(f"Kết quả: {parts}{line.printed} ({line.status}, bản số {line.revision})")
    if told.held_back:
        say(f"Vì sao giữ lại: {told.held_back}")
    if line.obs_note:
        say(f"Lưu ý: {line.obs_note}")
    if told.of_unknown_age:
        say(f"Không rõ tuổi nhưng vẫn được tính: {vi.number(told.of_unknown_age)} người")
    if line.target is not None:
        say(f"Mục tiêu: {line.printed_target}, {line.met or 'chưa đánh giá được'} ({line.target_source})")
    if line.full_marks is not None:
        say(f"Chấm điểm: {full_marks(line)}")
    if line.covers:
        say(f"Phạm vi: {line.covers}")
    if line.data_until is not None:
        say(f"Số liệu đến ngày {vi.day(line.data_until)}")
    if line.awaited:
        say(f"Còn chờ nguồn: {line.awaited}; hạn gửi {vi.day(line.next_due)}")
    say(f"Cách tính: {line.definition}")
    say(f"Căn cứ: {line.legal_source}")
    if told.files:
        table(
            ["Nguồn", "Tệp", "Xuất ngày", ">Số dòng được đếm", ">Ở tử số"],
            [
                [row.source, row.file_name, vi.day(row.exported_at), vi.number(row.rows), vi.number(row.rows_in_numerator)]
                for row in told.files
            ],
            "Tệp nguồn",
        )
    if lost:
        say(f"Không còn bản gốc trên máy này: {vi.some(lost)}. Những gì đã nạp từ đó vẫn đủ; chỉ không đọc lại tệp được.")
    if told.is_closed:
        say("Tài khoản kho này không đọc được danh sách người, nên không kể được tệp nguồn.")
    heading("Dòng để riêng có thể làm đổi số này nhiều nhất bao nhiêu")
    for words in told.set_aside.told:
        say(words)
    of_unit_table(told.set_aside.deliveries)
    corrected_table(told.corrected)
    revision_table(told)
    told_beside(told)
    say(f"Trích dẫn: {told.citation}")


def loss_table(lost: Iterable[Loss], now: str, to: str) -> None:
    """What a step back to an older version of the tables would lose."""
    rows = [[one.table, one.column or "cả bảng, hoặc một phần dòng", vi.number(one.rows)] for one in lost]
    if rows:
        table(["Bảng", "Cột", ">Số dòng sẽ mất"], rows, f"Lùi kho từ bản {now} về bản {to} sẽ mất")
    else:
        say(f"Lùi kho từ bản {now} về bản {to} không mất gì.")


def revision_table(told: Explanation) -> None:
    """The revisions of a number: what moved each, who let it out, in which signed editions it stands."""
    line = told.line
    header = [">Bản", "Từ", "Đến", ">Tử số", ">Mẫu số", ">Kết quả", "Số liệu", "Vì sao", "Ai cho công bố", "Bản ký"]
    rows = [
        [
            vi.number(row.revision),
            vi.moment(row.known_from),
            "nay" if row.known_to is None else vi.moment(row.known_to),
            vi.number(row.numerator),
            vi.number(row.denominator),
            vi.measure(row.value, line.decimals, line.unit_measure),
            row.status,
            row.cause or vi.some([mover.told for mover in row.movers]),
            row.approval,
            ", ".join(row.signed_by),
        ]
        for row in told.revisions
    ]
    table(header, rows, "Các bản đã công bố")


def told_beside(told: Explanation) -> None:
    """What others say of a number: who signed it, what the gate found in it, where it was printed."""
    for one in told.signed:
        signature = f"{one.signed_by}, {vi.moment(one.signed_at)}, SHA-256 {one.checksum}"
        say(f"Bản ký số {one.release_id} ({signature}): {one.printed}, {one.standing}")
    for row in told.alarms:
        fate = f"{row.decided_by} {vi.DECISION[row.decision]}: {row.reason}" if row.decision else "chờ" if row.is_standing else "không còn"
        say(f"Điểm bất thường số {row.alarm_id}, {gate().titled(row.check_code).lower()}: {row.told} ({fate})")
    if told.awaiting is not None:
        held = vi.measure(told.awaiting.value, told.line.decimals, told.line.unit_measure)
        say(f"Bản đang giữ chờ quyết định có số khác: {held} ({vi.status(told.awaiting.obs_status)})")
    for row in told.printed:
        why = f" ({row.note[0].lower()}{row.note[1:]})" if row.note else ""
        say(f"Đã công bố: {row.printed} trong {row.source_document}: {vi.PUBLISHED[row.verdict]}{why}.")


def of_unit_table(rows: Sequence[Any]) -> None:
    """Rows set aside that a number concerns, by the file and the rules they broke."""
    if rows:
        told = [
            [str(row.delivery_id), row.source, row.file_name, row.rules, vi.number(row.rows), row.place, vi.QUARANTINE_STATUS[row.status]]
            for row in rows
        ]
        table([">Lần gửi", "Nguồn", "Tệp", "Quy tắc", ">Số dòng", "Của đơn vị", "Tình trạng"], told)


def what_a_new_key_means(left: Key, codes: Iterable[str]) -> None:
    """What the change of the key of the pseudonyms does, before it is done."""
    heading("Đổi khóa bút danh")
    say(f"Khóa số {left.number} (dùng từ {vi.day(left.used_from)}) thôi dùng; tệp nhận từ nay được băm bằng khóa số {left.number + 1}.")
    say("Số băm đã lưu không tính lại được: giữ nguyên, mang số của khóa cũ.")
    say(f"Kỳ nào có người được đếm dưới cả hai khóa thì {', '.join(codes)} ghi rõ có thể tính một người hai lần.")
    say("Lượt đêm chạy bằng khóa cũ sẽ bị từ chối. Không quay lại khóa cũ được.")
    say("Ai giữ khóa cũ vẫn dò được số giấy tờ từ các số băm cũ, cho đến khi quên khóa ấy: xem docs/rotate-the-key.md.")


def what_forgetting_means(number: int) -> None:
    """What it does to forget a key, before it is done."""
    heading(f"Quên khóa bút danh số {number}")
    say("Mọi số băm của khóa này được thay bằng số khác, không ai dò ra người được nữa, kể cả người giữ khóa. Số đã đếm giữ nguyên.")
    say("Người có chữ ký số dưới khóa này thôi được tính từ khi nhà mạng của họ gửi danh sách bằng khóa mới:")
    say("chỉ làm khi mọi nhà mạng đã gửi lại đủ cả danh sách. Lượt đêm sau công bố lại ND5 từ ngày ấy.")
    say("Bản sao lưu và nhật ký của PostgreSQL còn giữ số băm cũ. Không hoàn lại được.")


SHOWN = 20
"""Differences that are shown of each thing counted; the rest is counted."""


def verified_table(found: Sequence[Verified]) -> None:
    """Kept counts beside a count from scratch, and where they differ."""

    def outcome(counted: Verified) -> str:
        if counted.is_due:
            return "chưa đếm theo quy tắc hiện nay; lượt đêm sau sẽ đếm từ đầu"
        return f"khác {vi.number(len(counted.differences))} dòng" if counted.differences else "khớp"

    table(["Đếm", ">Dòng", "Đối chiếu"], [[counted.counted, vi.number(counted.lines), outcome(counted)] for counted in found])
    for counted in found:
        told = [[d.unit_code, str(d.part), d.day, _counts(d.kept), _counts(d.found)] for d in counted.differences[:SHOWN]]
        if told:
            rest = len(counted.differences) - len(told)
            table(["Đơn vị", ">Phần", "Ngày", "Đang giữ", "Đếm lại"], told, f"{counted.counted}: chỗ khác nhau")
            if rest:
                say(f"và {vi.number(rest)} dòng khác nữa")


def _counts(counts: Sequence[int] | None) -> str:
    return "không có" if counts is None else " ".join(map(str, counts))


def profile_table(profile: Profile) -> None:
    """Where a night's time went."""
    rows = []
    for step, functions in profile.steps.items():
        most = [f"{name} {_seconds(took)}" for name, took in sorted(functions.items(), key=itemgetter(1))[:-4:-1] if took >= PROFILE_SHOWN]
        if most:
            rows.append([step, _seconds(sum(functions.values())), ", ".join(most)])
    title = f"Thời gian của lượt chạy: {_seconds(profile.seconds)} giây; những bước chạy song song cộng lại thì nhiều hơn"
    out.print()
    table(["Bước", ">Giây", "Nhiều nhất ở"], rows, title)


def _seconds(took: float) -> str:
    return vi.number(Decimal(took), 1)


def retention_table(lines: Iterable[Pruned], *, is_foreseen: bool) -> None:
    """What goes by each rule of retention, and what stays though it is old."""
    rows = [
        [
            line.kept.title,
            line.kept.term.told,
            line.kept.term.source,
            vi.number(line.files),
            vi.number(line.rows),
            vi.number(line.bytes // 1000),
            "; ".join(f"{vi.number(count)} {why}" if count else why for why, count in line.stays.items()) or "–",
        ]
        for line in lines
    ]
    title = "Sẽ nén, bỏ theo thời hạn lưu" if is_foreseen else "Đã nén, bỏ theo thời hạn lưu"
    table(["Những gì", "Giữ", "Theo", ">Tệp", ">Dòng", ">KB", "Đã cũ mà giữ lại"], rows, title)


def where(places: Mapping[str, str | Path]) -> None:
    """Where what was made lies."""
    out.print()
    for name, place in places.items():
        out.print(Text(f"{name}: ", style="bold"), _cell(str(place)), sep="", soft_wrap=True)
