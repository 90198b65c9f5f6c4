"""Form II.06a as a sheet that looks as it was issued: title block, header of three rows, sections by level, A4 landscape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import Connection, text

from tasks.ask.official_table import Unit
from tasks.one_stop_shop.form_06a import COLUMNS
from tasks.report.form_06a_public import Values, shown
from tasks.report.hidden import note
from tasks.words import vietnamese as vi
from warehouse import periods
from warehouse.confidentiality import Threshold
from warehouse.scores.on_time import Counts, on_time
from warehouse.scores.reporting_calendars import reporting_calendar, reporting_calendars

SECTIONS = {
    "province": "Sở, ban, ngành",
    "district": "Huyện, thị xã, thành phố",
    "commune": "Xã, phường, thị trấn",
    "unknown": "Chưa xác định đơn vị",
}
"""Level of the handling unit → section of the form, in the form's order."""

WITHOUT_TOWNS = "Xã, phường"
FIRST_DAY_WITHOUT_TOWNS = date(2025, 7, 1)
"""Luật Tổ chức chính quyền địa phương 2025 (72/2025/QH15), Điều 1: no district and no thị trấn from this day on."""

NUMBER = "Biểu số II.06a/VPCP/KSTT"
ISSUED_BY = "Ban hành theo Thông tư số\n01/2020/TT-VPCP ngày 21/10/2020"
TITLE = "TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC TẠI CƠ QUAN, ĐƠN VỊ TRỰC TIẾP GIẢI QUYẾT TTHC"
GOVERNMENT_OFFICE = "Văn phòng Chính phủ"
"""Receives the form of a province."""

WHOSE = "Hồ sơ tính cho đơn vị giải quyết tại từng thời điểm; hồ sơ đơn vị mới nhận khi sắp xếp đơn vị hành chính là từ kỳ trước (cột 6)."
SHEET = "Biểu 06a"
ROMAN = ("I", "II", "III", "IV")
FIELDS = "Lĩnh vực, công việc giải quyết theo cấp"
"""What column (2) is called."""
GROUPS = ((3, 6, "Số hồ sơ nhận giải quyết"), (7, 10, "Số hồ sơ đã giải quyết"), (11, 13, "Số hồ sơ đang giải quyết"))
"""First and last column of each group of the form, and what stands over them; its first column is the total."""
OF_WHICH = (4, 5)
"""Columns under "Trong đó"."""
LABELS = {
    4: "Trực tuyến", 5: "Trực tiếp, dịch vụ bưu chính", 6: "Từ kỳ trước", 8: "Trước hạn", 9: "Đúng hạn", 10: "Quá hạn", 12: "Trong hạn",
    13: "Quá hạn",
}  # fmt: skip
"""Column that is no total → what it is called."""
SAMPLE_COLOUR = "#b3261e"
PRINTED_SAMPLE = f'&C&"Times New Roman,Bold"&11&K{SAMPLE_COLOUR[1:].upper()}{vi.SAMPLE}'
"""Stands at the head of every printed page that shows sample data."""
LAST = 12
"""Column (13), from 0."""


@dataclass(frozen=True)
class Row:
    """One sector in one section, with the form's columns (3) to (13)."""

    section: str
    sector_name: str
    values: tuple[int, ...]
    reporting_calendar: str = reporting_calendars()[0].code

    @property
    def named(self) -> dict[str, str | int]:
        """The row with its columns by name."""
        of_row = {"section": self.section, "sector_name": self.sector_name, "reporting_calendar": self.reporting_calendar}
        return of_row | dict(zip(COLUMNS, self.values, strict=True))


def rows_of(connection: Connection, unit: Unit, period: str) -> list[Row]:
    """The form of a unit and period as published now, in the order it is printed."""
    found = connection.execute(
        text(
            f"SELECT section, field_name, {', '.join(COLUMNS)}, reporting_calendar FROM mart.form_06a "
            "WHERE unit_code = :code AND unit_valid_from = :valid_from AND period = :period"
        ),
        {"code": unit.code, "valid_from": unit.valid_from, "period": period},
    )
    order = list(SECTIONS)
    return sorted(
        (Row(row[0], row[1], tuple(row[2:-1]), row[-1]) for row in found),
        key=lambda row: (order.index(row.section), vi.plain(row.sector_name)),
    )


def reported_days(rows: Sequence[Row], unit: Unit, period: str) -> tuple[date, date]:
    """First and last day that a form tells of, by the reporting calendar it was made by, while the unit was there."""
    calendar = reporting_calendar(rows[0].reporting_calendar) if rows else reporting_calendars()[0]
    first, last = calendar.days(period)
    return max(first, unit.valid_from), min(last, unit.valid_to)


def section_name(section: str, period: str) -> str:
    """What a section of the form is called in a period; while there were thị trấn in any part of it they are named."""
    without_towns = section == "commune" and periods.days(period)[0] >= FIRST_DAY_WITHOUT_TOWNS
    return WITHOUT_TOWNS if without_towns else SECTIONS[section]


def notes(period: str) -> dict[int, str]:
    """Column of the form → what it holds besides, by the rule of "in time" in force at the end of a period."""
    rule = on_time("form_06a").holding(periods.days(period)[1])
    ways: dict[int, Counts] = {9: "ended_in_time", 12: "pending_in_time"}
    besides = {column: ", ".join(one.name_vi for one in rule.counting(way)) for column, way in ways.items()}
    return {column: f"(Bao gồm cả hồ sơ {words})" for column, words in besides.items() if words}


def reporting(unit: Unit) -> tuple[str, str]:
    """Who reports and who receives the report: `UBND xã Ngọc Phụng`, `UBND huyện Thường Xuân`."""
    above = _committee(unit.parent_name) if unit.parent_name else GOVERNMENT_OFFICE if unit.level == "province" else "…"
    return _committee(unit.name), above


def _committee(name: str) -> str:
    return f"UBND {name[:1].lower()}{name[1:]}"


def total(rows: Sequence[Row]) -> tuple[int, ...]:
    """Column by column the sum of the rows."""
    return tuple(sum(column) for column in zip(*(row.values for row in rows), strict=True)) or (0,) * len(COLUMNS)


def write_form_06a(
    rows: list[Row], unit: Unit, period: str, path: Path, *, is_sample: bool = False, threshold: Threshold | None = None
) -> None:
    """Writes the sheet beside its place and moves it there, so that nobody ever opens half of it; `threshold`: for the public."""
    draft = path.with_suffix(".draft")
    with xlsxwriter.Workbook(draft, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}) as book:
        add_form_06a(book, rows, unit, period, is_sample=is_sample, threshold=threshold)
    draft.replace(path)


def add_form_06a(book: Any, rows: list[Row], unit: Unit, period: str, *, is_sample: bool, threshold: Threshold | None = None) -> None:
    """Adds the form to a workbook as its next sheet; with a threshold as the public may see it."""
    sheet = book.add_worksheet(SHEET)
    base = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter", "text_wrap": True}
    cell = base | {"border": 1}
    style = {
        "plain": book.add_format(base),
        "centre": book.add_format(base | {"align": "center"}),
        "title": book.add_format(base | {"align": "center", "bold": True, "font_size": 13}),
        "italic": book.add_format(base | {"align": "center", "italic": True}),
        "block": book.add_format(base | {"valign": "top"}),
        "sample": book.add_format({"font_name": "Times New Roman", "font_size": 11, "bold": True, "font_color": SAMPLE_COLOUR}),
        "strong": book.add_format({"font_name": "Times New Roman", "font_size": 11, "bold": True}),
        "note": book.add_format({"font_name": "Times New Roman", "font_size": 8}),
        "head": book.add_format(cell | {"align": "center", "bold": True}),
        "number": book.add_format(cell | {"align": "center", "italic": True}),
        "stt": book.add_format(cell | {"align": "center"}),
        "text": book.add_format(cell),
        "count": book.add_format(cell | {"num_format": "[$-42A]#,##0"}),
        "section": book.add_format(cell | {"bold": True}),
        "sum": book.add_format(cell | {"bold": True, "num_format": "[$-42A]#,##0"}),
    }
    _title(sheet, style, unit, period, *reported_days(rows, unit, period))
    _header(sheet, style, notes(period))
    _body(sheet, style, rows, period, threshold)
    if is_sample:
        sheet.set_header(PRINTED_SAMPLE)
        sheet.merge_range(3, 0, 3, 2, vi.SAMPLE, style["sample"])


def _title(sheet: Any, style: dict[str, Any], unit: Unit, period: str, first: date, last: date) -> None:
    reports, receives = reporting(unit)
    _block(sheet, style, 0, 2, style["strong"], NUMBER, style["plain"], f"\n{ISSUED_BY}")
    sheet.merge_range(0, 3, 0, 8, TITLE, style["title"])
    sheet.merge_range(1, 3, 1, 8, f"Kỳ báo cáo: {vi.part_of(period, *unit.within(period))}", style["centre"])
    sheet.merge_range(2, 3, 2, 8, f"(Từ ngày {vi.day(first)} đến ngày {vi.day(last)})", style["italic"])
    words = ("- Đơn vị báo cáo:", f"\n{reports}\n", "- Đơn vị nhận báo cáo:", f"\n{receives}")
    _block(sheet, style, 9, LAST, style["strong"], words[0], style["plain"], words[1], style["strong"], words[2], style["plain"], words[3])
    sheet.merge_range(3, 9, 3, LAST, "Đơn vị tính: Số hồ sơ TTHC", style["italic"])
    sheet.set_row(0, 52)


def _block(sheet: Any, style: dict[str, Any], first: int, last: int, *words: Any) -> None:
    """Words in turn bold and plain beside the title."""
    sheet.merge_range(0, first, 2, last, "", style["block"])
    sheet.write_rich_string(0, first, *words, style["block"])


def _header(sheet: Any, style: dict[str, Any], besides: dict[int, str]) -> None:
    head = style["head"]
    sheet.merge_range(4, 0, 6, 0, "STT", head)
    sheet.merge_range(4, 1, 6, 1, FIELDS, head)
    for start, end, label in GROUPS:
        sheet.merge_range(4, start - 1, 4, end - 1, label, head)
        sheet.merge_range(5, start - 1, 6, start - 1, "Tổng số", head)
    sheet.merge_range(5, OF_WHICH[0] - 1, 5, OF_WHICH[-1] - 1, "Trong đó", head)
    for number, label in LABELS.items():
        column = number - 1
        if number in OF_WHICH:
            sheet.write(6, column, label, head)
            continue
        sheet.merge_range(5, column, 6, column, label, head)
        if number in besides:
            sheet.write_rich_string(5, column, style["strong"], label, style["note"], f"\n{besides[number]}", head)
    for column in range(LAST + 1):
        sheet.write(7, column, f"({column + 1})", style["number"])
    sheet.set_row(6, 84)


def _body(sheet: Any, style: dict[str, Any], rows: list[Row], period: str, threshold: Threshold | None) -> None:
    line = 8
    printed = shown([row.values for row in rows], total(rows), None if threshold is None else threshold.below)
    values = iter(printed.rows)
    for roman, (section, part) in zip(ROMAN, groupby(rows, attrgetter("section")), strict=False):
        sheet.write(line, 0, roman, style["head"])
        sheet.merge_range(line, 1, line, LAST, section_name(section, period), style["section"])
        for number, row in enumerate(part, 1):
            line += 1
            sheet.write(line, 0, number, style["stt"])
            sheet.write_string(line, 1, row.sector_name, style["text"])
            _counts(sheet, line, next(values), style["count"])
        line += 1
    sheet.write(line, 0, "", style["sum"])
    sheet.write(line, 1, "Tổng cộng", style["sum"])
    _counts(sheet, line, printed.total, style["sum"])
    sheet.merge_range(line + 1, 0, line + 1, LAST, WHOSE, style["plain"])
    if threshold is not None and printed.hidden:
        line += 1
        sheet.merge_range(line + 1, 0, line + 1, LAST, note(printed.hidden, "ô", threshold), style["plain"])
        sheet.set_row(line + 1, 30)
    sheet.set_column(0, 0, 5)
    sheet.set_column(1, 1, 34)
    sheet.set_column(2, LAST, 9.5)
    for column in (9, 12):  # those with a note
        sheet.set_column(column - 1, column - 1, 13)
    sheet.freeze_panes(8, 2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(4, 7)
    sheet.set_margins(0.4, 0.4, 0.5, 0.6)
    sheet.set_footer(f"&L&8{NUMBER}&R&8Trang &P/&N")
    sheet.print_area(0, 0, line + 1, LAST)


def _counts(sheet: Any, line: int, values: Values, style: Any) -> None:
    for column, value in enumerate(values, 2):
        sheet.write(line, column, vi.HIDDEN if value is None else value, style)
