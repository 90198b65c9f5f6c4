"""The official tables of a period as one .xlsx, ready to print: cover, a sheet for each table, form 06a, the scores of 766, notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import ceil
from operator import attrgetter
from pathlib import Path
from typing import Any

import xlsxwriter

from tasks.ask.notes import Note
from tasks.ask.official_table import UPPER, Line, sections
from tasks.ask.restated import RestatedLine
from tasks.ask.score_card import COUNTED_BY
from tasks.ask.score_table import ScoreLine
from tasks.report.form_06a_sheet import SHEET as FORM_06A
from tasks.report.form_06a_sheet import add_form_06a
from tasks.report.hidden import note_on, threshold_of
from tasks.report.one_stop_shop import OneStopShop
from tasks.report.workbook_charts import AGAINST, BESIDE, add_against_targets, add_beside_each_other
from tasks.report.workbook_styles import Styles, is_hidden, mark, page, write_number
from tasks.report.workbook_tables import DATA, add_data, add_table
from tasks.words import vietnamese as vi
from warehouse import periods
from warehouse.names import LEVELS
from warehouse.scores.rules_766 import rules_on

NOTES = (("Mã", 8), ("Chỉ tiêu", 40), ("Cách tính", 84), ("Căn cứ", 46))
SCORES = "Chỉ số 766"
DEFINITIONS = "Ghi chú"
UNSIGNED = "Số liệu đang công bố, chưa ký"
AT_MOST = "Tính từ hồ sơ, không chỉ số thành phần nào vượt mức tối đa, kể cả nơi Cổng để ngỏ."
RESTATED = "Đơn vị hiện nay"
OF_TODAY = (
    ("Mã", 8), ("Chỉ tiêu", 34), ("Mã ĐVHC", 10), ("Đơn vị hiện nay", 26), ("Tử số", 13), ("Mẫu số", 13), ("Kết quả", 12),
    ("Tình trạng số liệu", 22), ("Tính lại từ", 46), ("Ghi chú", 36),
)  # fmt: skip


OF_PROVINCE = (
    "Kết quả được tính lại từ từng dòng dữ liệu nguồn; làm tròn một lần, nửa lên, ở số chữ số thập phân được in.",
    "Cấp trên được tính bằng cách cộng tử số và mẫu số của cấp dưới, không lấy trung bình các tỷ lệ.",
    "Số của cấp trên ghi phạm vi: bao nhiêu trong số các xã phải gửi đã có số liệu; chưa đủ thì là số tạm tính.",
    "Chính thức khi mọi nguồn đã gửi đến hết kỳ; “Mức điểm tối đa (766)” là ngưỡng chấm điểm, không phải mục tiêu.",
)
OF_COUNTRY = (
    "Số của cả nước là tổng tử số chia cho tổng mẫu số mà các tỉnh đã ký, làm tròn một lần; không lấy trung bình các tỷ lệ.",
    "Số của mỗi tỉnh giữ nguyên như tỉnh đã ký. Số của từng xã, phường ở tệp .csv và ở trang của tỉnh.",
    "Phạm vi: bao nhiêu trong số các tỉnh, ở dòng của tỉnh là trong số các xã, đã có số liệu; chưa đủ thì là số tạm tính.",
    "“Mức điểm tối đa (766)” là ngưỡng chấm điểm, không phải mục tiêu.",
)
OF_ALL = (
    f"Ô ghi “{vi.NOTHING}” là chưa có số liệu, không phát sinh hoặc không áp dụng; không phải bằng 0.",
    "Định nghĩa và căn cứ của từng chỉ tiêu ở trang “Ghi chú”.",
)


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
    publisher: str = "",
    is_sample: bool = False,
    is_public: bool = False,
    rests_on: str = "",
) -> None:
    """Writes the workbook beside its place and moves it there, so that nobody ever opens half of it.

    `whose`: the unit whose tables they are, with those below it; else they are of all units. `publisher`: who answers for them.
    `rest`: the tables of the one-stop-shop and the values of units of today, asked for when those of the indicators are written.
    `notes`: what is printed under the tables they touch. `is_public`: the form is printed without its small counts; the lines are given
    as they are to be shown. `rests_on`: whose editions the numbers of the country are made of, and who is missing. Of the country it has
    the provinces, whatever else is among the lines.
    """
    of_country = any(line.unit_level == "country" for line in lines)
    if of_country:
        lines = [line for line in lines if line.unit_level in UPPER]
    draft = path.with_suffix(".draft")
    # Whatever begins with =, +, - or @ is a text that someone sent, never a formula or an address.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(draft, options) as book:
        title = f"Bộ chỉ tiêu mô hình “3 không”{f' – {whose}' if whose else ''} – {vi.period(period)}"
        told = {"title": title, "created": as_of.replace(tzinfo=None)}
        book.set_properties(told | ({"author": publisher, "company": publisher} if publisher else {}))
        styles = Styles(book, is_sample)
        cover = book.add_worksheet("Bìa")
        tables = {f"Biểu {number}": table for number, table in enumerate(sections(lines), 1)}
        for name, (table, part) in tables.items():
            decided = [note.words for note in notes if table in note.official_tables]
            hidden = note_on(part, as_of)
            told_below = [*([hidden] if hidden else []), *(["Số công bố theo quyết định:", *decided] if decided else [])]
            add_table(book, styles, name, part, period, told_below)
        listed = {name: (table, len({line.indicator_code for line in part})) for name, (table, part) in tables.items()}
        added: dict[str, str] = {}
        if add_against_targets(book, styles, lines, period):
            added[AGAINST] = "Kết quả so với mục tiêu"
        if add_beside_each_other(book, styles, lines, period):
            added[BESIDE] = "So sánh các đơn vị"
        if lines:
            add_data(book, styles, lines, period)
            added[DATA] = "Tử số, mẫu số, tình trạng của từng số; lọc được"
        one_stop_shop, restated = rest()
        if one_stop_shop and one_stop_shop.form:
            threshold = threshold_of(as_of) if is_public else None
            add_form_06a(book, one_stop_shop.form, one_stop_shop.unit, period, is_sample=is_sample, threshold=threshold)
            added[FORM_06A] = "Tình hình, kết quả giải quyết thủ tục hành chính"
        if one_stop_shop:
            _scores(book, styles, one_stop_shop.scores, period)
            added[SCORES] = "Chỉ số phục vụ người dân, doanh nghiệp"
        if restated:
            _restated(book, styles, restated, period, note_on(restated, as_of))
            added[RESTATED] = "Tính lại theo đơn vị hiện nay"
        _notes(book, styles, lines)
        added[DEFINITIONS] = "Định nghĩa và căn cứ của từng chỉ tiêu"
        contents: dict[str, tuple[str, int | None]] = {**listed, **{name: (words, None) for name, words in added.items()}}
        reading = [*(OF_COUNTRY if of_country else OF_PROVINCE), *OF_ALL]
        _cover(cover, styles, title, publisher, as_of, contents, signature, reading, rests_on)
    draft.replace(path)


def _cover(
    sheet: Any,
    styles: Styles,
    title: str,
    publisher: str,
    as_of: datetime,
    listed: dict[str, tuple[str, int | None]],
    signature: Signature | None,
    reading: Sequence[str],
    rests_on: str,
) -> None:
    """`listed`: sheet → what it shows, and how many indicators an official table has; `reading`: how it is to be read."""
    page(sheet, styles, "Bìa")
    sheet.hide_gridlines(2)
    for column, width in enumerate((12, 66, 24)):
        sheet.set_column(column, column, width)
    if publisher:
        sheet.write_string(0, 0, f"Đơn vị công bố: {publisher}", styles.publisher)
    sheet.set_row(1, 60)
    sheet.merge_range(1, 0, 1, 2, title, styles.title)
    sheet.merge_range(2, 0, 2, 2, signature.words if signature else UNSIGNED, styles.signature)
    sheet.set_row(2, 48 if signature else 18)
    sheet.merge_range(3, 0, 3, 2, f"Số liệu đến {vi.moment(as_of)}", styles.subtitle)
    if styles.is_sample:
        sheet.merge_range(4, 0, 4, 2, vi.SAMPLE, styles.sample_title)
    sheet.write_string(5, 0, "Các biểu", styles.heading)
    for column, name in enumerate(("Trang", "Nội dung", "Số chỉ tiêu")):
        sheet.write_string(6, column, name, styles.head)
    for row, (name, (words, indicators)) in enumerate(listed.items(), 7):
        sheet.write_url(row, 0, f"internal:'{name}'!A1", styles.link, string=name)
        sheet.write_string(row, 1, words, styles.text)
        if indicators is None:
            sheet.write_blank(row, 2, None, styles.centre)
        else:
            sheet.write_number(row, 2, indicators, styles.centre)
    row = 8 + len(listed)
    sheet.write_string(row, 0, "Cách đọc", styles.heading)
    for number, note in enumerate(reading, 1):
        sheet.write_string(row + number, 0, f"• {note}", styles.plain)
    if rests_on:
        sheet.merge_range(row + len(reading) + 2, 0, row + len(reading) + 2, 2, f"Có bản ký của {rests_on}.", styles.note)
        sheet.set_row(row + len(reading) + 2, 15 * ceil(1.15 * len(rests_on) / 100))


def _restated(book: Any, styles: Styles, lines: Sequence[RestatedLine], period: str, hidden: str) -> None:
    sheet = book.add_worksheet(RESTATED)
    page(sheet, styles, RESTATED)
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
    mark(sheet, styles)
    for column, (words, _) in enumerate(OF_TODAY):
        sheet.write_string(3, column, words, styles.head)
    sheet.freeze_panes(4, 4)
    sheet.repeat_rows(3)
    for row, line in enumerate(lines, 4):
        sheet.write_string(row, 0, line.indicator_code, styles.code)
        sheet.write_string(row, 1, line.indicator_name, styles.line)
        sheet.write_string(row, 2, line.unit_code, styles.code)
        sheet.write_string(row, 3, line.unit_shown, styles.line)
        measured = styles.number(line.decimals, line.unit_measure)
        counts = (
            ("numerator", line.numerator, styles.whole),
            ("denominator", line.denominator, styles.whole),
            ("value", line.value, measured),
        )
        for column, (name, value, style) in enumerate(counts, 4):
            write_number(sheet, styles, row, column, value, style, is_hidden=is_hidden(line, name))
        for column, told in enumerate((line.status, line.predecessors, line.obs_note), 7):
            sheet.write_string(row, column, told or "", styles.text)
    end = 3 + len(lines)
    sheet.autofilter(3, 0, end, len(OF_TODAY) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"C5:C{end + 1}"})
    if hidden:
        sheet.merge_range(end + 2, 0, end + 2, len(OF_TODAY) - 1, hidden, styles.note)
        sheet.set_row(end + 2, 30)


def _scores(book: Any, styles: Styles, scores: dict[str, list[ScoreLine]], period: str) -> None:
    groups = rules_on(periods.days(period)[0]).groups
    sheet = book.add_worksheet(SCORES)
    page(sheet, styles, SCORES)
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
    mark(sheet, styles)
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
                write_number(sheet, styles, row, 0, line.rank, styles.centre)
                for column, group in enumerate(groups, 3):
                    write_number(sheet, styles, row, column, line.groups.get(group), points)
                for column, (value, style) in enumerate(
                    ((line.total, points), (line.max_score, whole), (line.change, points)), 3 + len(groups)
                ):
                    write_number(sheet, styles, row, column, value, style)
                sheet.write_string(row, len(head) - 1, vi.OBS_STATUS[line.obs_status], styles.centre)
            row += 1


def _notes(book: Any, styles: Styles, lines: list[Line]) -> None:
    sheet = book.add_worksheet(DEFINITIONS)
    page(sheet, styles, DEFINITIONS)
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
    sheet.autofilter(2, 0, 2 + len(by_code), len(NOTES) - 1)
