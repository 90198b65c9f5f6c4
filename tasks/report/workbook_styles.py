"""How cells and pages of the workbook look: Times New Roman, Vietnamese separators, A4 across, numbers as numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tasks.ask.official_table import Line
from tasks.report.form_06a_sheet import PRINTED_SAMPLE, SAMPLE_COLOUR
from tasks.words import vietnamese as vi

LOCALE = "[$-42A]"
"""Vietnamese separators where the program follows the cell (LibreOffice); Excel follows the user's own."""
GOOD, BAD, SOFT, BAR = "#1b6e2e", "#b3261e", "#5b6570", "#1f4e79"


class Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, book: Any, is_sample: bool) -> None:
        self.book, self.is_sample = book, is_sample
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "vcenter"}
        cell = base | {"border": 1, "border_color": "#9aa5b1"}
        self.publisher = book.add_format(base | {"bold": True, "font_size": 13})
        self.title = book.add_format(base | {"bold": True, "font_size": 20, "text_wrap": True, "align": "center"})
        self.subtitle = book.add_format(base | {"font_size": 12, "align": "center"})
        self.signature = book.add_format(base | {"italic": True, "text_wrap": True, "align": "center"})
        self.heading = book.add_format(base | {"bold": True, "font_size": 14})
        self.note = book.add_format(base | {"italic": True, "text_wrap": True, "valign": "top"})
        self.link = book.add_format(base | {"font_color": "#0b5cad", "underline": 1})
        self.plain = book.add_format(base)
        self.sample = book.add_format(base | {"bold": True, "font_color": SAMPLE_COLOUR})
        self.sample_title = book.add_format(base | {"bold": True, "font_size": 16, "font_color": SAMPLE_COLOUR, "align": "center"})
        dark = {"bg_color": BAR, "font_color": "white"}
        self.head = book.add_format(cell | dark | {"bold": True, "align": "center", "text_wrap": True})
        self.small_head = book.add_format(cell | dark | {"font_size": 9, "align": "center", "text_wrap": True})
        self.section = book.add_format(cell | {"bold": True, "bg_color": "#dce6f1"})
        self.text = book.add_format(cell | {"text_wrap": True})
        self.line = book.add_format(cell)
        self.wrapped = book.add_format(cell | {"text_wrap": True, "valign": "top"})
        self.code = book.add_format(cell | {"align": "center", "num_format": "@"})
        self.centre = book.add_format(cell | {"align": "center"})
        self.soft = book.add_format(cell | {"align": "center", "font_color": SOFT})
        self.day = book.add_format(cell | {"align": "center", "num_format": f"{LOCALE}dd/mm/yyyy"})
        self.whole = book.add_format(cell | {"num_format": f"{LOCALE}#,##0"})
        # What a cell becomes by what it, or its row, says.
        self.becomes_met = book.add_format({"font_color": GOOD, "bg_color": "#e3f1e5"})
        self.becomes_unmet = book.add_format({"font_color": BAD, "bg_color": "#fbe5e3", "bold": True})
        self.becomes_provisional = book.add_format({"font_color": SOFT, "italic": True})
        self._cell = cell
        self._numbers: dict[tuple[str, str], Any] = {}

    def number(self, decimals: int, unit_measure: str, looks: str = "") -> Any:
        """A number with so many decimals, as a part of a table of values; `looks`: one of LOOKS."""
        shape = shape_of(decimals, unit_measure)
        if (shape, looks) not in self._numbers:
            self._numbers[shape, looks] = self.book.add_format(self._cell | {"num_format": shape} | LOOKS[looks])
        return self._numbers[shape, looks]


LOOKS: dict[str, dict[str, Any]] = {
    "": {},
    "met": {"font_color": GOOD},
    "unmet": {"font_color": BAD, "bold": True},
    "provisional": {"font_color": SOFT, "italic": True},
    "provisional met": {"font_color": GOOD, "italic": True},
    "provisional unmet": {"font_color": BAD, "bold": True, "italic": True},
    "target": {"bold": True, "bg_color": "#dce6f1"},
}
"""How a value is told apart where nothing stands beside it: by its target, and by whether it may still change."""


def shape_of(decimals: int, unit_measure: str) -> str:
    """The number format of a measure."""
    return LOCALE + "#,##0" + (f".{'0' * decimals}" if decimals else "") + ('"%"' if unit_measure == "PERCENT" else "")


def looks_of(line: Line) -> str:
    """One of LOOKS."""
    judged = "" if line.is_met is None else "met" if line.is_met else "unmet"
    return f"{'provisional ' if line.obs_status == 'P' else ''}{judged}".strip()


def threshold(styles: Styles, line: Line, value: Decimal | None, looks: str = "") -> Any:
    """The format of a target: without decimals where it has none."""
    return styles.number(0 if value is None or value % 1 == 0 else line.decimals, line.unit_measure, looks)


def write_number(sheet: Any, styles: Styles, row: int, column: int, value: Any, style: Any, *, is_hidden: bool = False) -> None:
    """A number, or a dash where there is none; of one that is hidden its sign."""
    if value is None:
        sheet.write_string(row, column, vi.HIDDEN if is_hidden else vi.NOTHING, styles.soft)
    else:
        sheet.write_number(row, column, float(value), style)


def write_day(sheet: Any, styles: Styles, row: int, column: int, day: date | None) -> None:
    """A day as a date, or a dash where there is none."""
    if day is None:
        sheet.write_string(row, column, vi.NOTHING, styles.soft)
    else:
        sheet.write_datetime(row, column, day, styles.day)


def is_hidden(line: Line, column: str) -> bool:
    """Whether a count or the value is not for who reads it; of a plain count there is no denominator."""
    return line.is_hidden and not (column == "denominator" and line.unit_measure != "PERCENT")


def mark(sheet: Any, styles: Styles) -> None:
    """Says above a table that it shows sample data."""
    if styles.is_sample:
        sheet.write_string(2, 0, vi.SAMPLE, styles.sample)


def page(sheet: Any, styles: Styles, name: str, *, high: int = 0) -> None:
    """A4 across, one page wide, and so many high; as many as it takes where nothing is said."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, high)
    sheet.set_footer(f"&L{name}&RTrang &P/&N")
    if styles.is_sample:
        sheet.set_header(PRINTED_SAMPLE)
