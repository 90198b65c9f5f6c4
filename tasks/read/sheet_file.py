"""Workbooks: title rows, a header somewhere below them, rows, perhaps a totals row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import python_calamine

from tasks.read.encodings import recognise, to_unicode
from tasks.read.rows import HEADER_WITHIN, File, Rows

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def read_sheet(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of the first sheet that has the header, as text in the layout's own formats."""
    yield from table_rows(file, _tables(file), chunk_rows)


def table_rows(file: File, tables: Iterator[Sequence[Sequence[Any]]], chunk_rows: int) -> Iterator[Rows]:
    """Rows below the header of the first of the tables in which it is found."""
    for table in tables:
        convert = _to_unicode(table)
        titles = [[convert(str(cell)) for cell in row] for row in table[:HEADER_WITHIN]]
        at = next((at for at, row in enumerate(titles) if file.is_header(row)), None)
        if at is None:
            continue
        headers, body, needed = file.recognise(titles[at]), table[at + 1 :], file.needed()
        titled = file.titled(cell for row in titles[:at] for cell in row)
        for start in range(0, len(body), chunk_rows):
            part = body[start : start + chunk_rows]
            cells = {
                header: _column(file, header, [row[place] if place < len(row) else "" for row in part], convert)
                for place, header in enumerate(headers)
                if header in needed
            }
            yield Rows(cells, np.arange(start + 1, start + len(part) + 1, dtype=np.int32), titled=titled)
        return
    raise file.refused("STR-009")


def _tables(file: File) -> Iterator[Sequence[Sequence[Any]]]:
    with file.path.open("rb") as stream:
        start = stream.read(512)
    if not start:
        raise file.refused("STR-003")
    if not start.startswith(_WORKBOOKS):
        found = "một trang HTML đổi đuôi" if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else "một tệp văn bản"
        raise file.refused("STR-007", advice=f"Tệp nhận được là {found}; mở bằng Excel và lưu lại dạng .xlsx.")
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(file.path)
        tables = [workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names]
    except Exception:  # a damaged archive fails in many ways, all of them mean the same
        raise file.refused("STR-005") from None
    if not any(tables):
        raise file.refused("STR-003")
    yield from tables


def _to_unicode(table: Sequence[Sequence[Any]]) -> Callable[[str], str]:
    words = " ".join(cell for row in table[:200] for cell in row if isinstance(cell, str))
    encoding = recognise(words)
    return partial(to_unicode, encoding=encoding or "unicode")


def _column(file: File, header: str, cells: list[Any], convert: Callable[[str], str]) -> pa.StringArray:
    if set(map(type, cells)) <= {str}:
        return pa.array([convert(cell) for cell in cells], pa.string())
    return pa.array([_text(file, header, cell, convert) for cell in cells], pa.string())


def _text(file: File, header: str, cell: Any, convert: Callable[[str], str]) -> str:
    """A cell as the layout would have written it, so that one parser judges typed and untyped workbooks alike."""
    layout = file.layout
    name = layout.headers[header]
    kind = file.contract.columns[name].type if name else "text"
    if isinstance(cell, str):
        return convert(cell)
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float | int):
        text = str(int(cell)) if cell == int(cell) else repr(cell)
        return text.replace(".", ",") if layout.numbers == "vietnamese" and kind in ("integer", "decimal") else text
    if isinstance(cell, datetime | date):
        if kind == "period":  # Excel turns a typed 03/2024 into the first of March
            return f"{cell:%Y-%m}" if cell.day == 1 else ""
        default = layout.timestamp_format if kind == "timestamp" else layout.date_format
        return cell.strftime(layout.date_formats.get(name or "", default))
    return str(cell) if isinstance(cell, time | timedelta) else ""
