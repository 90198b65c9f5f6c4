"""The official tables of a period as one .xlsx, ready to print: cover, a sheet for each table, form 06a, the scores of 766, notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from math import ceil
from operator import attrgetter
from pathlib import Path
from typing import Any

import xlsxwriter

from tasks.ask.notes import Note
from tasks.ask.official_table import Line, sections
from tasks.ask.restated import RestatedLine
from tasks.ask.score_card import COUNTED_BY
from tasks.ask.score_table import ScoreLine
from tasks.report.form_06a_sheet import PRINTED_SAMPLE, SAMPLE_COLOUR, add_form_06a
from tasks.report.form_06a_sheet import SHEET as FORM_06A
from tasks.report.hidden import note_on, threshold_of
from tasks.report.one_stop_shop import OneStopShop
from tasks.words import vietnamese as vi
from warehouse import periods
from warehouse.names import LEVELS
from warehouse.scores.rules_766 import rules_on

HEADER = (
    "Mã ĐVHC", "Đơn vị", "Tử số", "Mẫu số", "Kết quả", "Mục tiêu", "Đánh giá", "Tình trạng số liệu",
    "Phạm vi", "Số liệu đến", "Hạn gửi tiếp", "Mức điểm tối đa (766)", "Ghi chú",
)  # fmt: skip
WIDTHS = (10, 30, 13, 13, 13, 12, 12, 20, 16, 12, 12, 14, 36)
NOTES = (("Mã", 8), ("Chỉ tiêu", 34), ("Cách tính", 58), ("Căn cứ", 34))
SCORES = "Chỉ số 766"
AT_MOST = "Tính từ hồ sơ, không chỉ số thành phần nào vượt mức tối đa, kể cả nơi Cổng để ngỏ."
RESTATED = "Đơn vị hiện nay"
OF_TODAY = (
    ("Mã ĐVHC", 10), ("Đơn vị hiện nay", 26), ("Tử số", 13), ("Mẫu số", 13), ("Kết quả", 12), ("Tình trạng số liệu", 22),
    ("Tính lại từ", 46), ("Ghi chú", 40),
)  # fmt: skip
LOCALE = "[$-42A]"
"""Vietnamese separators where the program follows the cell (LibreOffice); Excel follows the user's own."""


@dataclass(frozen=True)
class Signature:
    """Who signed the values of a workbook, and when."""

    publication_id: int
    signed_by: str
    signed_at: datetime
    checksum: str
    note: str | None

    @property
    def words(self) -> str:
        """As it stands on the cover."""
        said = f"Công bố số {self.publication_id}, {self.signed_by} ký lúc {vi.moment(self.signed_at)}"
        return f"{said}{f': {self.note}' if self.note else ''}. Mã kiểm tra số liệu (SHA-256): {self.checksum}"


def write_workbook(
    lines: list[Line],
    period: str,
    as_of: datetime,
    path: Path,
    rest: Callable[[], tuple[OneStopShop | None, Sequence[RestatedLine]]] = lambda: (None, ()),
    notes: Sequence[Note] = (),
    signature: Signature | None = None,
    *,
    whose: str = "",
    is_sample: bool = False,
    is_public: bool = False,
) -> None:
    """Writes the workbook beside its place and moves it there, so that nobody ever opens half of it.

    `whose`: the unit whose tables they are, with those below it; else they are of all units.
    `rest`: the tables of the one-stop-shop and the values of units of today, asked for when those of the indicators are written.
    `notes`: what is printed under the tables they touch. `is_public`: the form is printed without its small counts; the lines are given
    as they are to be shown.
    """
    draft = path.with_suffix(".draft")
    # Whatever begins with =, +, - or @ is a text that someone sent, never a formula or an address.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(draft, options) as book:
        title = f"Bộ chỉ tiêu mô hình “3 không”{f' – {whose}' if whose else ''} – {vi.period(period)}"
        book.set_properties({"title": title, "created": as_of.replace(tzinfo=None)})
        styles = _Styles(book, is_sample)
        tables = sections(lines)
        cover = book.add_worksheet("Bìa")
        for number, (table, part) in enumerate(tables, 1):
            decided = [note.words for note in notes if table in note.official_tables]
            _table(book, styles, f"Biểu {number}", part, period, decided, note_on(part, as_of))
        one_stop_shop, restated = rest()
        added = {FORM_06A: "Tình hình, kết quả giải quyết thủ tục hành chính"} if one_stop_shop and one_stop_shop.form else {}
        added |= {SCORES: "Chỉ số phục vụ người dân, doanh nghiệp"} if one_stop_shop else {}
        added |= {RESTATED: "Tính lại theo đơn vị hiện nay"} if restated else {}
        _cover(cover, styles, title, as_of, tables, added, signature)
        if one_stop_shop and one_stop_shop.form:
            threshold = threshold_of(as_of) if is_public else None
            add_form_06a(book, one_stop_shop.form, one_stop_shop.unit, period, is_sample=is_sample, threshold=threshold)
        if one_stop_shop:
            _scores(book, styles, one_stop_shop.scores, period)
        if restated:
            _restated(book, styles, restated, period, note_on(restated, as_of))
        _notes(book, styles, lines)
    draft.replace(path)


class _Styles:
    def __init__(self, book: Any, is_sample: bool) -> None:
        self.book, self.is_sample = book, is_sample
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
        cell = base | {"border": 1, "border_color": "#9aa5b1"}
        self.title = book.add_format(base | {"bold": True, "font_size": 20, "text_wrap": True, "align": "center"})
        self.subtitle = book.add_format(base | {"font_size": 12, "align": "center"})
        self.signature = book.add_format(base | {"italic": True, "text_wrap": True, "align": "center"})
        self.heading = book.add_format(base | {"bold": True, "font_size": 14})
        self.note = book.add_format(base | {"italic": True, "text_wrap": True, "valign": "top"})
        self.link = book.add_format(base | {"font_color": "#0b5cad", "underline": 1})
        self.plain = book.add_format(base)
        self.sample = book.add_format(base | {"bold": True, "font_color": SAMPLE_COLOUR})
        self.sample_title = book.add_format(base | {"bold": True, "font_size": 16, "font_color": SAMPLE_COLOUR, "align": "center"})
        dark = {"bg_color": "#1f4e79", "font_color": "white"}
        self.head = book.add_format(cell | dark | {"bold": True, "align": "center", "text_wrap": True})
        self.section = book.add_format(cell | {"bold": True, "bg_color": "#dce6f1"})
        self.text = book.add_format(cell | {"text_wrap": True})
        self.wrapped = book.add_format(cell | {"text_wrap": True, "valign": "top"})
        self.code = book.add_format(cell | {"align": "center", "num_format": "@"})
        self.centre = book.add_format(cell | {"align": "center"})
        self.met = book.add_format(cell | {"align": "center", "font_color": "#1b6e2e"})
        self.unmet = book.add_format(cell | {"align": "center", "font_color": "#b3261e", "bold": True})
        self.whole = book.add_format(cell | {"num_format": f"{LOCALE}#,##0"})
        self._cell = cell
        self._numbers: dict[str, Any] = {}

    def number(self, decimals: int, unit_measure: str) -> Any:
        shape = "#,##0" + (f".{'0' * decimals}" if decimals else "") + ('"%"' if unit_measure == "PERCENT" else "")
        if shape not in self._numbers:
            self._numbers[shape] = self.book.add_format(self._cell | {"num_format": LOCALE + shape})
        return self._numbers[shape]


def _cover(
    sheet: Any,
    styles: _Styles,
    title: str,
    as_of: datetime,
    tables: Sequence[tuple[str, list[Line]]],
    added: dict[str, str],
    signature: Signature | None,
) -> None:
    _page(sheet, styles, "Bìa")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 1, 66)
    sheet.set_column(2, 2, 24)
    sheet.set_row(1, 60)
    sheet.merge_range(1, 0, 1, 2, title, styles.title)
    sheet.merge_range(2, 0, 2, 2, f"Số liệu đến {vi.moment(as_of)}", styles.subtitle)
    if styles.is_sample:
        sheet.merge_range(3, 0, 3, 2, vi.SAMPLE, styles.sample_title)
    if signature is not None:
        sheet.merge_range(0, 0, 0, 2, signature.words, styles.signature)
        sheet.set_row(0, 48)
    sheet.write_string(4, 0, "Các biểu", styles.heading)
    for column, name in enumerate(("Biểu", "Tên biểu", "Số chỉ tiêu")):
        sheet.write_string(5, column, name, styles.head)
    for number, (table, part) in enumerate(tables, 1):
        row = 5 + number
        sheet.write_url(row, 0, f"internal:'Biểu {number}'!A1", styles.link, string=f"Biểu {number}")
        sheet.write_string(row, 1, table, styles.text)
        sheet.write_number(row, 2, len({line.indicator_code for line in part}), styles.centre)
    for row, (name, words) in enumerate(added.items(), 6 + len(tables)):
        sheet.write_url(row, 0, f"internal:'{name}'!A1", styles.link, string=name)
        sheet.write_string(row, 1, words, styles.text)
        sheet.write_string(row, 2, vi.NOTHING, styles.centre)
    row = 8 + len(tables) + len(added)
    sheet.write_string(row, 0, "Cách đọc", styles.heading)
    for number, note in enumerate(
        (
            "Kết quả được tính lại từ từng dòng dữ liệu nguồn; làm tròn một lần, nửa lên, ở số chữ số thập phân được in.",
            "Cấp trên được tính bằng cách cộng tử số và mẫu số của cấp dưới, không lấy trung bình các tỷ lệ.",
            "Số của cấp trên ghi phạm vi: bao nhiêu trong số các xã phải gửi đã có số liệu; chưa đủ thì là số tạm tính.",
            "Chính thức khi mọi nguồn đã gửi đến hết kỳ; “Mức điểm tối đa (766)” là ngưỡng chấm điểm, không phải mục tiêu.",
            f"Ô ghi “{vi.NOTHING}” là chưa có số liệu, không phát sinh hoặc không áp dụng; không phải bằng 0.",
            "Định nghĩa và căn cứ của từng chỉ tiêu ở trang “Ghi chú”.",
        ),
        1,
    ):
        sheet.write_string(row + number, 0, f"• {note}", styles.plain)


def _table(book: Any, styles: _Styles, name: str, lines: list[Line], period: str, decided: Sequence[str], hidden: str) -> None:
    sheet = book.add_worksheet(name)
    _page(sheet, styles, name)
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, f"{name}. {lines[0].official_table}", styles.heading)
    sheet.write_string(1, 0, vi.period(period), styles.plain)
    _mark(sheet, styles)
    for column, words in enumerate(HEADER):
        sheet.write_string(3, column, words, styles.head)
    sheet.freeze_panes(4, 2)
    sheet.repeat_rows(3)
    row = 4
    for _, group in groupby(lines, attrgetter("indicator_code")):
        of_indicator = list(group)
        first = of_indicator[0]
        sheet.merge_range(row, 0, row, len(HEADER) - 1, "", styles.section)
        sheet.write_string(row, 0, f"{first.indicator_code}. {first.indicator_name}", styles.section)
        row += 1
        for line in of_indicator:
            _line(sheet, styles, row, line)
            row += 1
    told = [*([hidden] if hidden else []), *(["Số công bố theo quyết định:", *decided] if decided else [])]
    for below, words in enumerate(told, row + 1):
        sheet.merge_range(below, 0, below, len(HEADER) - 1, words, styles.note)
        sheet.set_row(below, 15 * ceil(1.15 * len(words) / sum(WIDTHS)))


def _line(sheet: Any, styles: _Styles, row: int, line: Line) -> None:
    sheet.write_string(row, 0, line.unit_code, styles.code)
    sheet.write_string(row, 1, line.unit_shown, styles.text)
    numbers = (
        (line.numerator, styles.whole),
        (line.denominator, styles.whole),
        (line.value, styles.number(line.decimals, line.unit_measure)),
        (line.target, _threshold(styles, line, line.target)),
    )
    for column, (value, style) in enumerate(numbers, 2):
        _number(sheet, styles, row, column, value, style, is_hidden=_is_hidden(line, column))
    sheet.write(row, 6, line.met or None, styles.met if line.is_met else styles.unmet)
    for column, words in enumerate((line.status, line.covers, vi.day(line.data_until), vi.day(line.next_due)), 7):
        sheet.write_string(row, column, words, styles.centre)
    _number(sheet, styles, row, 11, line.full_marks, _threshold(styles, line, line.full_marks))
    sheet.write_string(row, 12, line.obs_note or "", styles.text)


def _is_hidden(line: Line, column: int) -> bool:
    """Whether what stands in a column of the counts and the value is not for who reads it; of a plain count there is no denominator."""
    return line.is_hidden and column in (2, 3, 4) and not (column == 3 and line.unit_measure != "PERCENT")


def _threshold(styles: _Styles, line: Line, value: Decimal | None) -> Any:
    return styles.number(0 if value is None or value % 1 == 0 else line.decimals, line.unit_measure)


def _restated(book: Any, styles: _Styles, lines: Sequence[RestatedLine], period: str, hidden: str) -> None:
    sheet = book.add_worksheet(RESTATED)
    _page(sheet, styles, RESTATED)
    for column, (_, width) in enumerate(OF_TODAY):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, f"{vi.period(period)}, tính lại theo đơn vị hiện nay", styles.heading)
    sheet.write_string(
        1,
        0,
        "Cộng tử số và mẫu số của các đơn vị đã nhập trọn; khách hàng, người đếm lại mỗi người một lần; "
        "số cuối kỳ lấy ở đơn vị đang có ngày cuối kỳ.",
        styles.plain,
    )
    _mark(sheet, styles)
    for column, (words, _) in enumerate(OF_TODAY):
        sheet.write_string(3, column, words, styles.head)
    sheet.freeze_panes(4, 2)
    sheet.repeat_rows(3)
    row = 4
    for _, group in groupby(lines, attrgetter("indicator_code")):
        of_indicator = list(group)
        sheet.merge_range(row, 0, row, len(OF_TODAY) - 1, "", styles.section)
        sheet.write_string(row, 0, f"{of_indicator[0].indicator_code}. {of_indicator[0].indicator_name}", styles.section)
        for line in of_indicator:
            row += 1
            sheet.write_string(row, 0, line.unit_code, styles.code)
            sheet.write_string(row, 1, line.unit_shown, styles.text)
            measured = styles.number(line.decimals, line.unit_measure)
            counts = ((line.numerator, styles.whole), (line.denominator, styles.whole), (line.value, measured))
            for column, (value, style) in enumerate(counts, 2):
                _number(sheet, styles, row, column, value, style, is_hidden=_is_hidden(line, column))
            for column, told in enumerate((line.status, line.predecessors, line.obs_note), 5):
                sheet.write_string(row, column, told or "", styles.text)
        row += 1
    if hidden:
        sheet.merge_range(row + 1, 0, row + 1, len(OF_TODAY) - 1, hidden, styles.note)
        sheet.set_row(row + 1, 30)


def _scores(book: Any, styles: _Styles, scores: dict[str, list[ScoreLine]], period: str) -> None:
    groups = rules_on(periods.days(period)[0]).groups
    sheet = book.add_worksheet(SCORES)
    _page(sheet, styles, SCORES)
    head = ("Hạng", "Mã", "Đơn vị", *(f"{group.name_vi} ({group.max})" for group in groups.values()))
    head += ("Tổng điểm", "Tối đa", "So kỳ trước", "Tình trạng số liệu")
    sheet.set_column(0, 0, 7)
    sheet.set_column(1, 1, 10)
    sheet.set_column(2, 2, 30)
    sheet.set_column(3, len(head) - 2, 12)
    sheet.set_column(len(head) - 1, len(head) - 1, 14)
    sheet.write_string(0, 0, "Chỉ số phục vụ người dân, doanh nghiệp (Quyết định 766/QĐ-TTg)", styles.heading)
    sheet.write_string(
        1, 0, f"{vi.period(period)}. Nhóm ghi “{vi.NOTHING}” chưa có số liệu và không cộng vào tối đa. {AT_MOST}", styles.plain
    )
    _mark(sheet, styles)
    sheet.set_row(3, 62)
    for column, words in enumerate(head):
        sheet.write_string(3, column, words, styles.head)
    sheet.freeze_panes(4, 3)
    sheet.repeat_rows(3)
    row = 4
    points, whole = styles.number(2, ""), styles.whole
    for counted_by, lines in scores.items():
        by_level = sorted(lines, key=lambda line: list(LEVELS).index(line.level))
        for (level, scored_on), ranked in groupby(by_level, attrgetter("level", "scored_on")):
            sheet.merge_range(row, 0, row, len(head) - 1, "", styles.section)
            heading = f"Đơn vị {LEVELS[level]} được chấm các nhóm {scored_on}, tính từ {COUNTED_BY[counted_by]}"
            sheet.write_string(row, 0, heading, styles.section)
            for line in ranked:
                row += 1
                sheet.write_string(row, 1, line.code, styles.code)
                sheet.write_string(row, 2, line.shown, styles.text)
                _number(sheet, styles, row, 0, line.rank, styles.centre)
                for column, group in enumerate(groups, 3):
                    _number(sheet, styles, row, column, line.groups.get(group), points)
                for column, (value, style) in enumerate(
                    ((line.total, points), (line.max_score, whole), (line.change, points)), 3 + len(groups)
                ):
                    _number(sheet, styles, row, column, value, style)
                sheet.write_string(row, len(head) - 1, vi.OBS_STATUS[line.obs_status], styles.centre)
            row += 1


def _mark(sheet: Any, styles: _Styles) -> None:
    """Says above a table that it shows sample data."""
    if styles.is_sample:
        sheet.write_string(2, 0, vi.SAMPLE, styles.sample)


def _number(sheet: Any, styles: _Styles, row: int, column: int, value: Any, style: Any, *, is_hidden: bool = False) -> None:
    """A number, or a dash where there is none; of one that is hidden its sign."""
    if value is None:
        sheet.write_string(row, column, vi.HIDDEN if is_hidden else vi.NOTHING, styles.centre)
    else:
        sheet.write_number(row, column, float(value), style)


def _notes(book: Any, styles: _Styles, lines: list[Line]) -> None:
    sheet = book.add_worksheet("Ghi chú")
    _page(sheet, styles, "Ghi chú")
    sheet.write_string(0, 0, "Định nghĩa và căn cứ", styles.heading)
    for column, (name, width) in enumerate(NOTES):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, name, styles.head)
    sheet.freeze_panes(3, 2)
    sheet.repeat_rows(2)
    by_code = {line.indicator_code: line for line in lines}
    for row, line in enumerate(by_code.values(), 3):
        cells = (line.indicator_code, line.indicator_name, line.definition, line.legal_source)
        sheet.set_row(row, 15 * max(ceil(1.15 * len(words) / width) for words, (_, width) in zip(cells, NOTES, strict=True)))
        for column, words in enumerate(cells):
            sheet.write_string(row, column, words, styles.wrapped)


def _page(sheet: Any, styles: _Styles, name: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{name}&RTrang &P/&N")
    if styles.is_sample:
        sheet.set_header(PRINTED_SAMPLE)
