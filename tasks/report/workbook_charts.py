"""What is looked at first: the highest unit's indicators against their targets, and the units below it beside each other.

Charts of the spreadsheet itself, over tables of their own: a value that is missing is an empty cell in them, never a bar of nought.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tasks.ask.official_table import Line
from tasks.report.workbook_styles import BAR, Styles, mark, page, threshold
from tasks.words import vietnamese as vi
from warehouse.names import LEVELS
from warehouse.periods import days

AGAINST = "Biểu đồ"
BESIDE = "So sánh"
MOST = 40
"""More units are no chart that anybody reads."""
COMPARED = 8
"""Most indicators of which units are compared."""
FONT = {"name": "Times New Roman", "size": 9}
TARGET = "#e08a1e"
EMPTY = "Ô trống, không có cột: không có số hoặc không công khai; vì sao thì xem ở trang “Số liệu”."


def add_against_targets(book: Any, styles: Styles, lines: Sequence[Line], period: str) -> bool:
    """Adds the rates of the highest unit, with its targets; False, and nothing, where there is not one such unit with a rate."""
    highest = _highest(lines)
    rates = [line for line in highest if line.unit_measure == "PERCENT" and line.value is not None]
    if not rates or len({(line.unit_code, line.first_day) for line in highest}) > 1:
        return False
    sheet = book.add_worksheet(AGAINST)
    page(sheet, styles, AGAINST, high=1)
    sheet.write_string(0, 0, f"Kết quả và mục tiêu của {rates[0].unit_shown}, {vi.in_text(period)}", styles.heading)
    sheet.write_string(1, 0, "Các chỉ tiêu tỷ lệ có số liệu.", styles.plain)
    mark(sheet, styles)
    for column, (words, width) in enumerate((("Mã", 8), ("Chỉ tiêu", 46), ("Kết quả", 10), ("Mục tiêu", 10))):
        sheet.set_column(column, column, width)
        sheet.write_string(3, column, words, styles.head)
    for row, line in enumerate(rates, 4):
        sheet.write_string(row, 0, line.indicator_code, styles.code)
        sheet.write_string(row, 1, line.indicator_name, styles.text)
        sheet.set_row(row, 30)
        sheet.write_number(row, 2, float(line.value or 0), styles.number(line.decimals, line.unit_measure))
        if line.target is None:
            sheet.write_blank(row, 3, None, styles.whole)
        else:
            sheet.write_number(row, 3, float(line.target), threshold(styles, line, line.target))
    end = 3 + len(rates)
    chart = book.add_chart({"type": "bar"})
    for column, name, colour in ((2, "Kết quả", BAR), (3, "Mục tiêu", TARGET)):
        chart.add_series(
            {
                "name": name,
                "categories": [AGAINST, 4, 0, end, 0],
                "values": [AGAINST, 4, column, end, column],
                "fill": {"color": colour},
                "gap": 35,
                **({"data_labels": {"value": True, "font": FONT}} if column == 2 else {}),
            }
        )
    chart.set_title({"name": "Kết quả (%) và mục tiêu", "name_font": FONT | {"size": 12}, "overlay": False})
    chart.set_x_axis({"min": 0, "max": 100, "num_font": FONT, "major_gridlines": {"visible": True, "line": {"color": "#dfe4e8"}}})
    chart.set_y_axis({"reverse": True, "num_font": FONT})
    chart.set_legend({"position": "bottom", "font": FONT})
    chart.set_size({"width": 620, "height": 24 + 40 * (len(rates) + 1)})
    sheet.insert_chart(3, 5, chart, {"description": f"Kết quả và mục tiêu các chỉ tiêu của {rates[0].unit_shown}"})
    sheet.repeat_rows(3)
    return True


def add_beside_each_other(book: Any, styles: Styles, lines: Sequence[Line], period: str) -> bool:
    """Adds the units below the highest, each indicator with a target a chart; False, and nothing, where there are none to compare."""
    below = _below(lines)
    valued = Counter(line.indicator_code for line in below if line.value is not None)
    main = {line.indicator_code: line for line in below if line.target is not None or line.full_marks is not None}
    shown = [line for code, line in main.items() if valued[code] > 1][:COMPARED]
    if not shown:
        return False
    units = {(line.unit_code, line.first_day): line for line in below}
    sheet = book.add_worksheet(BESIDE)
    page(sheet, styles, BESIDE, high=1)
    sheet.write_string(0, 0, f"So sánh các đơn vị, {vi.in_text(period)}", styles.heading)
    sheet.write_string(1, 0, f"Các chỉ tiêu có mục tiêu hoặc mức điểm tối đa (766). {EMPTY}", styles.plain)
    mark(sheet, styles)
    for column, (words, width) in enumerate((("Mã ĐVHC", 10), ("Đơn vị", 28), *((line.indicator_code, 12) for line in shown))):
        sheet.set_column(column, column, width)
        sheet.write_string(3, column, words, styles.head)
    row_of = {key: row for row, key in enumerate(units, 4)}
    for key, line in units.items():
        sheet.write_string(row_of[key], 0, line.unit_code, styles.code)
        sheet.write_string(row_of[key], 1, line.unit_shown, styles.line)
    end = 3 + len(units)
    for column, line in enumerate(shown, 2):
        values = {(one.unit_code, one.first_day): one.value for one in below if one.indicator_code == line.indicator_code}
        style = styles.number(line.decimals, line.unit_measure)
        for key, row in row_of.items():
            value = values.get(key)
            if value is None:
                sheet.write_blank(row, column, None, style)
            else:
                sheet.write_number(row, column, float(value), style)
    sheet.autofilter(3, 0, end, 1 + len(shown))
    sheet.ignore_errors({"number_stored_as_text": f"A5:A{end + 1}"})
    for number, line in enumerate(shown):
        column, row = 2 + number, end + 2 + 15 * (number // 2)
        told = {"x_offset": (number % 2) * 260, "description": line.indicator_name}
        sheet.insert_chart(row, (number % 2) * 4, _compared(book, line, column, end), told)
    return True


def _compared(book: Any, line: Line, column: int, end: int) -> Any:
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {
            "name": line.indicator_code,
            "categories": [BESIDE, 4, 1, end, 1],
            "values": [BESIDE, 4, column, end, column],
            "fill": {"color": BAR},
            "gap": 40,
            "data_labels": {"value": True, "font": FONT | {"size": 7, "rotation": -90 if end > 12 else 0}},
        }
    )
    told = f"mục tiêu {line.printed_target}" if line.target is not None else f"766 cho điểm tối đa từ {line.printed_full_marks}"
    chart.set_title({"name": f"{line.indicator_code}. {line.indicator_name} ({told})", "name_font": FONT | {"size": 10}})
    chart.set_y_axis({"min": 0, "num_font": FONT, "major_gridlines": {"visible": True, "line": {"color": "#dfe4e8"}}})
    chart.set_x_axis({"num_font": FONT | {"size": 8, "rotation": -45}})
    chart.set_legend({"none": True})
    chart.set_size({"width": 560, "height": 290})
    return chart


def _highest(lines: Sequence[Line]) -> list[Line]:
    for level in LEVELS:
        if found := [line for line in lines if line.unit_level == level]:
            return found
    return []


def _below(lines: Sequence[Line]) -> list[Line]:
    """Of the levels below the highest, the first with several units and not too many."""
    levels = {level: [line for line in lines if line.unit_level == level] for level in LEVELS}
    if levels["country"]:  # of the provinces, those that there are at the end
        levels["province"] = [line for line in levels["province"] if line.last_day == days(line.period)[1]]
    there = [part for part in levels.values() if part][1:]
    return next((part for part in there if 1 < len({(line.unit_code, line.first_day) for line in part}) <= MOST), [])
