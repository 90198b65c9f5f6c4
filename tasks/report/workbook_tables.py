"""The official tables in the workbook: each on a sheet, units down and indicators across; and all values below each other, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import ceil
from operator import attrgetter
from typing import Any

from tasks.ask.official_table import Line
from tasks.report.workbook_styles import Styles, is_hidden, looks_of, mark, page, threshold, write_day, write_number
from tasks.words import vietnamese as vi
from warehouse.names import LEVELS

DATA = "Số liệu"
COLUMNS = (
    ("Biểu", 8), ("Mã", 7), ("Chỉ tiêu", 40), ("Mã ĐVHC", 9), ("Đơn vị", 22), ("Cấp", 10), ("Tử số", 13), ("Mẫu số", 13), ("Kết quả", 10),
    ("Mục tiêu", 9), ("Đánh giá", 27), ("Tình trạng số liệu", 18), ("Phạm vi", 13), ("Số liệu đến", 11), ("Hạn gửi tiếp", 11),
    ("Mức tối đa (766)", 9), ("Ghi chú", 26),
)  # fmt: skip
"""Of the data: what a column is called, and its width."""
UNIT_COLUMNS = (("Mã ĐVHC", 9), ("Đơn vị", 26), ("Cấp", 10))
"""Of an official table, before its indicators."""
INDICATOR_WIDTH = 9.5
BARS = {
    "type": "data_bar", "bar_only": False, "bar_solid": True, "bar_color": "#c9dcef", "bar_border_color": "#c9dcef", "min_type": "num",
    "min_value": 0, "max_type": "num", "max_value": 100,
}  # fmt: skip
"""Behind the percentages of a column, so that units are compared at a glance."""
LEGEND = (
    f"Màu xanh: đạt mục tiêu; đỏ, đậm: chưa đạt; nghiêng: tạm tính. “{vi.NOTHING}”: chưa có số liệu, không phát sinh hoặc không áp dụng; "
    f"“{vi.HIDDEN}”: không công khai. Tử số, mẫu số, tình trạng của từng số ở trang “{DATA}”."
)


def add_table(book: Any, styles: Styles, name: str, lines: Sequence[Line], period: str, told: Sequence[str]) -> None:
    """Adds an official table: a row a unit, a column an indicator; `told`: sentences below it."""
    sheet = book.add_worksheet(name)
    page(sheet, styles, name)
    indicators = [next(group) for _, group in groupby(lines, attrgetter("indicator_code"))]
    first, last = len(UNIT_COLUMNS), len(UNIT_COLUMNS) + len(indicators) - 1
    widths = [width for _, width in UNIT_COLUMNS]
    if any(line.unit_level == "country" for line in lines):  # provinces that merged in the period bear their days
        widths[1] = max(widths[1], *(len(line.unit_shown) for line in lines))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.set_column(first, last, INDICATOR_WIDTH)
    sheet.write_string(0, 0, f"{name}. {lines[0].official_table}", styles.heading)
    sheet.write_string(1, 0, vi.period(period), styles.plain)
    mark(sheet, styles)
    # Names and targets stand above the row with the filter's arrows.
    for column, (words, _) in enumerate(UNIT_COLUMNS):
        sheet.write_string(3, column, "", styles.head)
        sheet.write_string(4, column, words, styles.head)
    longest = max(len(line.indicator_name) for line in indicators)
    sheet.set_row(3, 12 * (ceil(1.1 * longest / INDICATOR_WIDTH) + 2))
    for column, line in enumerate(indicators, first):
        sheet.write_string(3, column, f"{line.indicator_name}\nMục tiêu: {_target(lines, line.indicator_code)}", styles.small_head)
        sheet.write_string(4, column, line.indicator_code, styles.head)
    sheet.set_row(4, 24)
    place_of = {line.indicator_code: column for column, line in enumerate(indicators, first)}
    unit = attrgetter("unit_code", "first_day")
    units = {unit(line): line for line in sorted(lines, key=_from_above)}
    row_of = dict(zip(units, range(5, 5 + len(units)), strict=True))
    for key, line in units.items():
        sheet.write_string(row_of[key], 0, line.unit_code, styles.code)
        sheet.write_string(row_of[key], 1, line.unit_shown, styles.text)
        sheet.write_string(row_of[key], 2, LEVELS[line.unit_level], styles.centre)
    end = 4 + len(units)
    missing = {(row, column) for row in range(5, end + 1) for column in range(first, last + 1)}
    for line in lines:
        row, column = row_of[unit(line)], place_of[line.indicator_code]
        style = styles.number(line.decimals, line.unit_measure, looks_of(line))
        write_number(sheet, styles, row, column, line.value, style, is_hidden=line.is_hidden)
        missing.discard((row, column))
    for row, column in sorted(missing):
        sheet.write_string(row, column, vi.NOTHING, styles.soft)
    for column, line in enumerate(indicators, first):
        if line.unit_measure == "PERCENT":
            sheet.conditional_format(5, column, end, column, BARS)
    sheet.autofilter(4, 0, end, last)
    sheet.ignore_errors({"number_stored_as_text": f"A6:A{end + 1}"})
    sheet.freeze_panes(5, 2)
    sheet.repeat_rows(3, 4)
    across = sum(widths) + INDICATOR_WIDTH * len(indicators)
    for below, words in enumerate([LEGEND, *_without_target(indicators), *told], end + 2):
        sheet.merge_range(below, 0, below, last, words, styles.note)
        sheet.set_row(below, 15 * ceil(1.15 * len(words) / across))


def _from_above(line: Line) -> tuple[int, str, object]:
    return list(LEVELS).index(line.unit_level), line.unit_code, line.first_day


def _target(lines: Sequence[Line], code: str) -> str:
    """The target of all units with an indicator; of several, that they differ."""
    targets = {line.target: line.printed_target for line in lines if line.indicator_code == code and line.target is not None}
    return "tùy đơn vị" if len(targets) > 1 else next(iter(targets.values()), vi.NOTHING)


def _without_target(indicators: Sequence[Line]) -> Iterator[str]:
    """Why indicators have no target, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for line in indicators:
        if line.no_target:
            reasons.setdefault(line.no_target, []).append(line.indicator_code)
    if reasons:
        yield f"Mục tiêu “{vi.NOTHING}”: " + "; ".join(f"{', '.join(codes)} {why}" for why, codes in reasons.items()) + "."


def add_data(book: Any, styles: Styles, lines: Sequence[Line], period: str) -> None:
    """Adds all values below each other, those of the units that stand highest first; these are what is printed of them."""
    sheet = book.add_worksheet(DATA)
    page(sheet, styles, DATA)
    for column, (words, width) in enumerate(COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(3, column, words, styles.head)
    sheet.set_row(3, 30)
    sheet.write_string(0, 0, f"Số liệu của mọi biểu, {vi.in_text(period)}", styles.heading)
    mark(sheet, styles)
    tables = {table: number for number, table in enumerate(dict.fromkeys(line.official_table for line in lines), 1)}
    by_unit = sorted(lines, key=_from_above)  # which keeps the order of the indicators
    for row, line in enumerate(by_unit, 4):
        _data(sheet, styles, row, line, tables[line.official_table])
    end, last = 3 + len(by_unit), len(COLUMNS) - 1
    highest = sum(line.unit_level == by_unit[0].unit_level for line in by_unit)
    if highest < len(by_unit):
        names = ", ".join(dict.fromkeys(line.unit_name for line in by_unit[:highest]))
        told = f"Lọc bằng các mũi tên ở đầu cột. Trang này chỉ in số của {names}; số của mọi đơn vị có ở các biểu."
        sheet.write_string(1, 0, told, styles.plain)
    sheet.print_area(0, 0, 3 + highest, last)
    is_provisional = f'=LEFT($L5,{len(vi.OBS_STATUS["P"])})="{vi.OBS_STATUS["P"]}"'
    begins = {"type": "text", "criteria": "begins with"}
    sheet.conditional_format(4, 0, end, last, {"type": "formula", "criteria": is_provisional, "format": styles.becomes_provisional})
    sheet.conditional_format(4, 10, end, 10, begins | {"value": "đạt", "format": styles.becomes_met})
    sheet.conditional_format(4, 10, end, 10, begins | {"value": "chưa đạt", "format": styles.becomes_unmet})
    sheet.autofilter(3, 0, end, last)
    sheet.ignore_errors({"number_stored_as_text": f"D5:D{end + 1}"})
    sheet.freeze_panes(4, 5)
    sheet.repeat_rows(3)


def _data(sheet: Any, styles: Styles, row: int, line: Line, table: int) -> None:
    sheet.write_string(row, 0, f"Biểu {table}", styles.centre)
    sheet.write_string(row, 1, line.indicator_code, styles.code)
    sheet.write_string(row, 2, line.indicator_name, styles.line)
    sheet.write_string(row, 3, line.unit_code, styles.code)
    sheet.write_string(row, 4, line.unit_shown, styles.line)
    sheet.write_string(row, 5, LEVELS[line.unit_level], styles.centre)
    measured = styles.number(line.decimals, line.unit_measure)
    counts = (("numerator", line.numerator, styles.whole), ("denominator", line.denominator, styles.whole), ("value", line.value, measured))
    for column, (name, value, style) in enumerate(counts, 6):
        write_number(sheet, styles, row, column, value, style, is_hidden=is_hidden(line, name))
    write_number(sheet, styles, row, 9, line.target, threshold(styles, line, line.target))
    for column, words in enumerate((line.met or line.no_target, line.status, line.covers), 10):
        sheet.write_string(row, column, words, styles.centre)
    write_day(sheet, styles, row, 13, line.data_until)
    write_day(sheet, styles, row, 14, line.next_due)
    write_number(sheet, styles, row, 15, line.full_marks, threshold(styles, line, line.full_marks))
    sheet.write_string(row, 16, line.obs_note or "", styles.line)
