"""Workbooks, read as their senders see them: sheets and rows that are hidden are not what was sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import python_calamine
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from tasks.read.rows import File, Rows
from tasks.read.tables import Given, Row, Table, TableRows
from tasks.read.workbook import Sheet, survey
from tasks.words.vietnamese import number

_NO_CELL = (sys.maxsize, 0, "")


def read_sheet(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of the sheet that has the header, as text in the layout's own formats."""
    if file.path.stat().st_size == 0:
        raise file.refused("STR-003")
    seen = survey(file)
    try:
        workbook = CalamineWorkbook.from_path(file.path)
    except python_calamine.PasswordError:
        raise file.refused("STR-030") from None
    except Exception:  # damage shows in many ways, and an error may quote a cell
        raise file.refused("STR-031") from None
    with workbook:
        reading = TableRows(file, "trang tính")
        try:
            yield from reading.read(_rows(file, workbook, seen, reading), chunk_rows)
        except BaseException as problem:
            if type(problem).__name__ == "PanicException":  # of calamine, which has no class to import and is no Exception
                raise file.refused("STR-031") from None
            raise


def _rows(file: File, workbook: CalamineWorkbook, seen: list[Sheet], reading: TableRows) -> Iterator[tuple[Table, Row | None]]:
    """Rows of every sheet that can be seen; of the others only where none of these has the header."""
    sheets = list(enumerate(workbook.sheets_metadata))
    tables = [Table(is_hidden=sheet.visible != SheetVisibleEnum.Visible) for _, sheet in sheets]
    reading.tables += tables
    for at, sheet in sorted(sheets, key=lambda one: tables[one[0]].is_hidden):
        if tables[at].is_hidden and reading.found:
            break
        if sheet.typ not in (SheetTypeEnum.WorkSheet, SheetTypeEnum.MacroSheet):
            continue
        for row in _sheet_rows(file, workbook, at, seen[at] if at < len(seen) else Sheet()):
            yield tables[at], row
        yield tables[at], None


def _sheet_rows(file: File, workbook: CalamineWorkbook, at: int, seen: Sheet) -> Iterator[Row]:
    """Rows of a sheet from the first on, with what the reader of cells leaves out written in."""
    _bound(file, seen.rows, seen.columns, seen.texts)
    try:
        sheet = workbook.get_sheet_by_index(at)
    except Exception:  # as above
        raise file.refused("STR-031") from None
    if sheet.start is None or sheet.end is None:
        return
    (_, left), (bottom, right) = sheet.start, sheet.end
    _bound(file, bottom + 1, right + 1)
    hidden_places = frozenset(place - left for place in seen.hidden_columns)
    merged = _merged(file, sheet, left, bottom, right)
    odd = zip(seen.odd_rows, seen.odd_columns, seen.odd_texts, strict=True)
    odd_row, odd_column, odd_text = next(odd, _NO_CELL)
    last = max([bottom + 1, *seen.odd_rows[-1:]])  # a formula without its value is no cell to the reader of cells
    rows: Iterator[list[Any]] = chain(sheet.iter_rows(), ([""] * (right - left + 1) for _ in repeat(None)))
    spanning: list[tuple[int, Given]] = []
    for row, cells in zip(range(1, last + 1), rows, strict=False):
        while odd_row <= row:
            if odd_row == row and left <= odd_column <= right:
                cells[odd_column - left] = odd_text
            odd_row, odd_column, odd_text = next(odd, _NO_CELL)
        if spanning or row in merged:
            spanning = [one for one in spanning if one[0] >= row]
            spanning += [(end, Given(row, start, stop, cells[start])) for end, start, stop in merged.get(row, ()) if cells[start] != ""]
        yield Row(row, cells, tuple(given for _, given in spanning), row in seen.hidden_rows, hidden_places)


def _merged(file: File, sheet: CalamineSheet, left: int, bottom: int, right: int) -> dict[int, list[tuple[int, int, int]]]:
    """Merged ranges by the number of their first row: their last row, the first of their columns and the one after the last."""
    ranges: dict[int, list[tuple[int, int, int]]] = {}
    area = 0
    for (top, first), (end, last) in sheet.merged_cell_ranges or ():
        height, width = min(end, bottom) - top + 1, min(last, right) - first + 1
        if height > 0 and width > 0 and first >= left:
            ranges.setdefault(top + 1, []).append((top + height, first - left, first - left + width))
            area += height * width
    if area > (bottom + 1) * (right + 1):  # they overlap, which no program writes
        raise file.refused("STR-031")
    return ranges


def _bound(file: File, rows: int, columns: int, texts: int = 0) -> None:
    limits = file.limits
    if rows > limits.rows or columns > limits.columns or rows * columns > limits.cells:
        corner = f"dòng {number(rows)}" + (f", cột thứ {number(columns)}" if columns else "")
        raise file.refused("STR-022", advice=f"bảng trải đến {corner}")
    if texts > limits.unpacked_mb << 20:
        raise file.refused("STR-022", advice=f"nội dung các ô hơn {number(limits.unpacked_mb)} MB")
