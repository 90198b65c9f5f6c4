"""Tables of a workbook or page: title rows, a header somewhere below them, rows, perhaps a totals row and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice, zip_longest
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tasks.read.encodings import Encoding, recognise, to_unicode
from tasks.read.rows import HEADER_WITHIN, KEPT_DIGITS, LOST_DIGITS, NOTHING_SEEN, WITHOUT_VALUE, Account, File, Rejected, Rows

_SAMPLE = 200
"""Rows of a table by which its letters are recognised."""
_BATCH = 5_000
"""Rows that are made text at a time: cells as objects are dear to keep."""
_EXACT = 10**KEPT_DIGITS


class Given(NamedTuple):
    """What a cell that spans several rows or columns gives to one row."""

    since: int
    """Number of the row in which the cell stands."""
    start: int
    end: int
    value: Any


class Row(NamedTuple):
    """A row of a table as its kind of file gives it."""

    number: int
    cells: list[Any]
    given: tuple[Given, ...] = ()
    is_hidden: bool = False
    hidden_places: frozenset[int] = frozenset()
    """Places of the columns that the sender cannot see."""


@dataclass(eq=False)
class Table:
    """A sheet, or a table of a page, while its rows come."""

    is_hidden: bool = False
    waiting: list[Row] = field(default_factory=list)
    read: list[Rows] = field(default_factory=list)
    is_judged: bool = False
    """Whether it is known if it has the header."""
    headers: list[str | None] | None = None
    """The layout's headers by place, where it has the header."""
    header_row: int = 0
    before: int = 0
    """Number of the last row of the table read before it."""
    encoding: Encoding = "unicode"
    titled: str | None = None


class TableRows:
    """Rows under the header of the one table that has it, or of all that have it, where the layout says so."""

    def __init__(self, file: File, noun: str, *, is_ragged: bool = False) -> None:
        self.file = file
        self.tables: list[Table] = []
        """Those met so far: what reads the file adds them."""
        self.found: list[Table] = []
        """Those that can be seen and have the header."""
        self._noun = noun
        self._is_ragged = is_ragged  # a cell too many moves the others of its row to wrong columns
        self._needed = frozenset(file.needed())
        self._is_empty = True
        self._hidden: Rejected | None = None
        self._nearly: Rejected | None = None
        self._account = NOTHING_SEEN
        self._last = 0

    def read(self, rows: Iterator[tuple[Table, Row | None]], chunk_rows: int) -> Iterator[Rows]:
        """Chunks of the rows. `rows` gives each table's in order, hidden ones too, and nothing where a table ends.

        What was seen of the file beside its rows is told with the last of them.
        """
        held, batch = None, min(_BATCH, chunk_rows)
        for table, row in rows:
            if row is not None:
                table.waiting.append(row)
                self._is_empty &= table.is_hidden
            if not table.is_judged and (row is None or len(table.waiting) == _SAMPLE):
                self._judge(table)
            if table.is_judged and table.headers is None:
                table.waiting.clear()
            elif table.is_judged and table.waiting and (row is None or len(table.waiting) >= batch):
                table.read.append(self._rows(table))
            if table.read and (row is None or len(table.read) * batch >= chunk_rows):
                if held is not None:
                    yield held
                held = _joined(table.read)
                table.read.clear()
            if held is not None and row is None and table.headers is not None:
                held = replace(held, ends=True)
        if not self.found:
            raise self._hidden or self._nearly or self.file.refused("STR-003" if self._is_empty else "STR-009")
        if held is not None:
            hidden = sum(table.is_hidden for table in self.tables)
            others = len(self.tables) - hidden - len(self.found)
            yield replace(held, account=held.account + Account(sheets=len(self.tables), other_sheets=others, hidden_sheets=hidden))

    def _judge(self, table: Table) -> None:
        """Looks for the header among the first rows that hold anything; the rows under it are left waiting."""
        table.is_judged = True
        table.encoding = recognise(" ".join(cell for row in table.waiting for cell in row.cells if isinstance(cell, str))) or "unicode"
        titles: list[str] = []
        for at, row in islice(((at, row) for at, row in enumerate(table.waiting) if not row.is_hidden and _holds(row)), HEADER_WITHIN):
            texts = [to_unicode(str(cell), table.encoding) for cell in row.cells]
            if not self.file.is_header(texts):
                titles += texts
                continue
            try:
                headers = self.file.recognise(texts)
            except Rejected as refused:  # beside the table agreed on, another may have half of its labels
                self._nearly = self._nearly or (None if table.is_hidden else refused)
                return
            if table.is_hidden:
                self._hidden = self.file.refused("STR-033")
                return
            self._find(table)
            table.headers, table.header_row = headers, row.number
            table.titled = self.file.dated(headers, self.file.titled(titles))
            hidden = sum(header in self._needed for place, header in enumerate(headers) if place in row.hidden_places)
            self._account += Account(hidden_columns=hidden)
            del table.waiting[: at + 1]
            return

    def _find(self, table: Table) -> None:
        if self.found and self.file.layout.sheets == "one":
            visible = [one for one in self.tables if not one.is_hidden]
            first, second = (visible.index(one) + 1 for one in (self.found[0], table))
            raise self.file.refused("STR-032", advice=f"{self._noun} thứ {first} và thứ {second}")
        self.found.append(table)
        table.before = self._last

    def _rows(self, table: Table) -> Rows:
        """The waiting rows as columns of text."""
        headers = table.headers or []
        rows, table.waiting = table.waiting, []
        hidden = sum(row.is_hidden and _holds(row) for row in rows)
        kept, malformed = [], []
        for row in rows:
            if row.is_hidden:
                continue
            if row.given and _holds(row):  # where nothing stands beside them, nobody wrote a row
                self._fill(row, table)
            if self._is_ragged and any(row.cells[len(headers) :]):
                malformed.append(row.number + table.before)
            else:
                kept.append(row)
        columns = [*zip_longest(*(row.cells for row in kept), fillvalue="")]
        columns += [("",) * len(kept)] * (len(headers) - len(columns))
        cells = {
            header: self._column(header, columns[place], table.encoding) for place, header in enumerate(headers) if header in self._needed
        }
        self._last = table.before + rows[-1].number
        numbers = np.fromiter((row.number + table.before for row in kept), np.int32, len(kept))
        account = self._account + Account(hidden_rows=hidden)
        self._account = NOTHING_SEEN
        return Rows(cells, numbers, malformed, table.titled, account)

    def _fill(self, row: Row, table: Table) -> None:
        """Writes into a row what the cells that span it give; a header's or title's cells give nothing to the rows below."""
        totals, width = self.file.layout.totals, len(table.headers or [])
        for since, start, end, value in row.given:
            text = to_unicode(value, table.encoding).casefold() if isinstance(value, str) else ""
            if since > table.header_row and not (totals and text.startswith(totals.label.casefold())):  # it names the row
                places = range(start, min(end, width))
                row.cells.extend([""] * (places.stop - len(row.cells)))
                row.cells[places.start : places.stop] = [value] * len(places)

    def _column(self, header: str, cells: Sequence[Any], encoding: Encoding) -> pa.StringArray:
        kinds = set(map(type, cells))
        if kinds <= {str} and encoding == "unicode":
            return pa.array(cells, pa.string())
        if kinds == {float}:
            numbers = np.array(cells)
            if ((np.abs(numbers) < _EXACT) & (numbers == np.trunc(numbers))).all():
                return pa.array(numbers.astype(np.int64)).cast(pa.string())
        texts = {cell: _text(self.file, header, cell, encoding) for cell in set(cells)}  # dates and words repeat
        return pa.array([texts[cell] for cell in cells], pa.string())


def _joined(parts: list[Rows]) -> Rows:
    return Rows(
        cells={header: pa.concat_arrays([part.cells[header] for part in parts]) for header in parts[0].cells},
        numbers=np.concatenate([part.numbers for part in parts]),
        malformed=[number for part in parts for number in part.malformed],
        titled=parts[0].titled,
        account=sum((part.account for part in parts), NOTHING_SEEN),
    )


def _holds(row: Row) -> bool:
    return any(cell != "" for cell in row.cells)


def _text(file: File, header: str, cell: Any, encoding: Encoding) -> str:
    """A cell as the layout would have written it, so that one parser judges typed and untyped workbooks alike."""
    layout = file.layout
    name = layout.headers[header]
    kind = file.contract.columns[name].type if name else "text"
    if isinstance(cell, str):
        return to_unicode(cell, encoding)
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float | int):
        if not isfinite(cell):
            return WITHOUT_VALUE
        if kind in ("text", "hash") and abs(cell) >= _EXACT:
            return LOST_DIGITS
        text = str(int(cell)) if cell == int(cell) else repr(cell)
        return text.replace(".", ",") if layout.numbers == "vietnamese" and kind in ("integer", "decimal") else text
    if isinstance(cell, datetime | date):
        if kind == "period":  # Excel turns a typed 03/2024 into the first of March
            return f"{cell:%Y-%m}" if cell.day == 1 else f"{cell:%Y-%m-%d}"
        default = layout.timestamp_format if kind == "timestamp" else layout.date_format
        return cell.strftime(layout.date_formats.get(name or "", default))
    return str(cell)  # a time of day
