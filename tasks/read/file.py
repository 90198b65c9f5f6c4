"""A delivered file → typed Arrow tables, as the feed's contract says.

Streams: memory does not grow with a delimited file. Personal values are replaced by keyed pseudonyms here,
or not read at all; no cell is ever quoted in a fault or a refusal.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import ARROW_TYPES, ROW_NUMBER, Contract
from tasks.deliveries.correction import Correction
from tasks.read.cells import clean, integers, mapped, of_age, typed
from tasks.read.csv_file import read_csv
from tasks.read.dossier_json import read_dossier_json
from tasks.read.fitting import Faults, fit
from tasks.read.html_file import read_html
from tasks.read.json_lines import read_json_lines, read_momo
from tasks.read.json_records import read_json_records
from tasks.read.limits import DEFAULT, Limits
from tasks.read.open_data import read_open_data
from tasks.read.portal_766 import read_portal_766
from tasks.read.pseudonym import pseudonyms
from tasks.read.put_right import put_right
from tasks.read.rows import NO_VALUE, NOTHING_SEEN, WITHOUT_VALUE, Account, File, Rejected, Rows
from tasks.read.sheet_file import read_sheet
from tasks.read.tagged_file import read_tagged
from tasks.words.vietnamese import number

__all__ = ["FAULTS", "Chunk", "Rejected", "concatenated", "read"]

MOST_NOTES = 1_000
"""Lines below a table that are taken for notes; more of them are rows that are not what they should be."""

FAULTS = pa.schema(
    [
        ("row_number", pa.int32()),
        ("rule_code", pa.string()),
        ("column_name", pa.string()),  # the header in the file; empty where the whole row is meant
        ("natural_key", pa.string()),  # only where its shape says that it is no person's
        ("awaited_key", pa.int64()),  # key of the row that a waiting row waits for
    ]
)

READERS: dict[str, Callable[[File, int], Iterator[Rows]]] = {
    "csv": read_csv,
    "xlsx": read_sheet,
    "html": read_html,
    "json": read_json_records,
    "jsonl": read_json_lines,
    "tagged": read_tagged,
    "dossier_json": read_dossier_json,
    "momo": read_momo,
    "portal_766": read_portal_766,
    "open_data": read_open_data,
}
"""Kind of a layout, or the reader it names → how its rows are read as text."""


@dataclass(frozen=True)
class Chunk:
    """Some of a file's rows. Received rows = rows of the table + distinct rows with faults + ignored rows, always."""

    table: pa.Table
    """The contract's schema; only rows whose cells could be typed and whose required cells are there."""
    faults: pa.Table
    """Schema FAULTS; a row may have several."""
    ignored: int
    """Totals rows, wholly empty rows, notes below the table."""
    received: int
    controls: dict[str, int] = field(default_factory=dict)
    """What the totals row says: `rows`, and column → sum. In the chunk that holds it: the file's last rows."""
    titled: str | None = None
    """Period that a cell above the header says the file is about."""
    account: Account = NOTHING_SEEN
    warned: dict[str, list[int]] = field(default_factory=dict)
    """Rule → numbers of the rows that it only flags."""
    read_bytes: int = 0
    """Bytes of the file that are read by then; 0 where that is not known before its end."""
    set_aside: pa.Table | None = None
    """The contract's schema; the rows with faults, as far as their cells could be typed."""


def read(
    path: Path,
    contract: Contract,
    layout_name: str,
    secret_key: bytes,
    file_name: str,
    *,
    corrections: Sequence[Correction] = (),
    limits: Limits = DEFAULT,
    chunk_rows: int = 125_000,
) -> Iterator[Chunk]:
    """Chunks of a delivered file, with the cells that were corrected since.

    Raises Rejected where the file as a whole cannot be read; that may come after some chunks.

    A file that is not there or closed to us is an OSError: what was landed is ours to keep, not its supplier's.
    """
    file = File(Path(path), file_name, contract, layout_name, limits)
    if file.path.stat().st_size == 0:
        raise file.refused("STR-003")
    parts = put_right(READERS[file.layout.reader or file.layout.kind](file, chunk_rows), corrections)
    yield from _gathered(_chunks(parts, file, secret_key), chunk_rows)


def _chunks(parts: Iterator[Rows], file: File, secret_key: bytes) -> Iterator[Chunk]:
    received = useful = 0
    for rows, ignored, below in _above_the_notes(parts, file):
        chunk = _chunk(rows, file, secret_key, ignored, below)
        received += chunk.received
        useful += chunk.received - chunk.ignored
        if received > file.limits.rows:
            raise file.refused("STR-022", advice=f"hơn {number(file.limits.rows)} dòng")
        yield chunk
    if not useful:
        raise file.refused("STR-004")


def _gathered(chunks: Iterator[Chunk], most: int) -> Iterator[Chunk]:
    """The chunks, small ones together: what is done with a chunk costs something however few its rows are."""
    held: list[Chunk] = []
    try:
        for chunk in chunks:
            if held and (chunk.titled != held[0].titled or sum(one.received for one in held) + chunk.received > most):
                yield _together(held)
                held = []
            held.append(chunk)
    except Rejected:
        if held:
            yield _together(held)
        raise
    yield _together(held)


def _together(chunks: list[Chunk]) -> Chunk:
    if len(chunks) == 1:
        return chunks[0]
    warned = {code: [row for chunk in chunks for row in chunk.warned.get(code, [])] for chunk in chunks for code in chunk.warned}
    return replace(
        chunks[-1],
        table=pa.concat_tables([chunk.table for chunk in chunks]).combine_chunks(),
        faults=pa.concat_tables([chunk.faults for chunk in chunks]),
        ignored=sum(chunk.ignored for chunk in chunks),
        received=sum(chunk.received for chunk in chunks),
        controls=dict(ChainMap(*(chunk.controls for chunk in reversed(chunks)))),
        account=sum((chunk.account for chunk in chunks), NOTHING_SEEN),
        warned=warned,
        set_aside=concatenated(chunk.set_aside for chunk in chunks),
    )


def concatenated(tables: Iterable[pa.Table | None]) -> pa.Table | None:
    """Those tables that are there, one after the other; nothing where none is."""
    there = [table for table in tables if table is not None]
    return pa.concat_tables(there) if there else None


def _above_the_notes(parts: Iterator[Rows], file: File) -> Iterator[tuple[Rows, int, int]]:
    """Rows with their cells cleaned, without those that are none of the table: how many of them were ignored, and were notes below it.

    Notes and signatures under the table of a workbook or page: lines without a code, date or number in its place, after which
    no row of data comes. So the last lines of a chunk are held back until what follows them is known.
    """
    held: Rows | None = None
    is_begun = False
    for rows in parts:
        part = replace(rows, cells={header: clean(values, file.layout.missing) for header, values in rows.cells.items()})
        if held is not None:
            part = replace(
                part,
                cells={header: pa.concat_arrays([held.cells[header], values]) for header, values in part.cells.items()},
                numbers=np.concatenate([held.numbers, part.numbers]),
            )
            held = None
        count = len(part.numbers)
        notes = _notes(part, file) if file.layout.kind in ("xlsx", "html") else 0
        is_begun |= notes < count
        if notes and is_begun:
            held = replace(part.part(count - notes, count), malformed=[], account=NOTHING_SEEN)
            part = part.part(0, count - notes)
        yield part, 0, 0
        if held is not None and rows.ends:
            yield _ignored(held)
            held = None
    if held is not None:
        yield _ignored(held)


def _ignored(notes: Rows) -> tuple[Rows, int, int]:
    count = len(notes.numbers)
    return notes.part(0, 0), count, count - pc.sum(_empty_rows(notes.cells, count)).as_py()


def _notes(rows: Rows, file: File) -> int:
    """How many of the last rows hold nothing that is of its column's kind, and are no totals."""
    first = max(len(rows.numbers) - MOST_NOTES, 0)
    last = rows.part(first, len(rows.numbers))
    is_data = _totals_rows(last.cells, file).to_numpy(zero_copy_only=False).copy()
    for header, cells in last.cells.items():
        is_data |= pc.fill_null(pc.starts_with(cells, WITHOUT_VALUE), False).to_numpy(zero_copy_only=False)
        name = file.layout.headers.get(header)
        column = file.contract.columns.get(name or "")
        if name is None or column is None or column.type == "dropped":
            continue
        shape = column.quoted or column.pattern
        if column.type not in ("text", "hash"):
            fits = _typed(name, fit(cells, column)[0], file).is_valid()
        elif shape is not None:
            fits = pc.fill_null(pc.match_substring_regex(cells, shape), False)
        else:
            continue
        is_data |= fits.to_numpy(zero_copy_only=False)
    rows_of_data = np.flatnonzero(is_data)
    notes = len(is_data) - (rows_of_data[-1] + 1 if len(rows_of_data) else 0)
    return 0 if notes == MOST_NOTES else int(notes)


def _chunk(rows: Rows, file: File, secret_key: bytes, ignored_count: int, below: int) -> Chunk:
    """Rows as text → the typed rows, the faults of the others, and how many were no rows of data."""
    contract, cells = file.contract, rows.cells
    numbers = pa.array(rows.numbers, pa.int32())
    received = len(numbers) + len(rows.malformed) + ignored_count
    account = rows.account + Account(cells=len(numbers) * len(cells), below=below)

    totals = _totals_rows(cells, file)
    controls = rows.controls | _controls(cells, totals, file)
    ignored = pc.or_(totals, _empty_rows(cells, len(numbers)))
    if pc.any(ignored).as_py():
        ignored_count += pc.sum(ignored).as_py()
        kept = pc.invert(ignored)
        cells = {header: values.filter(kept) for header, values in cells.items()}
        numbers = numbers.filter(kept)

    if rows.titled is not None and contract.period_column is not None:  # what a column says goes first
        cells = {contract.period_column: pa.repeat(rows.titled, len(numbers)), **cells}
    columns: dict[str, Any] = {ROW_NUMBER: numbers}
    found: list[tuple[str, str, Any]] = []
    warned: dict[str, list[int]] = {}
    for name, column in contract.columns.items():
        if column.type == "dropped":
            continue
        columns[name], faults = _column(name, cells, file, len(numbers), secret_key)
        for code, mask in faults:
            if column.tolerant:
                warned.setdefault("STR-037", []).extend(numbers.filter(mask).to_pylist())
            else:
                found.append((code, name, mask))

    found = [(code, name, mask) for code, name, mask in found if pc.any(mask).as_py()]
    table, set_aside = pa.table(columns, schema=contract.schema), None
    wrong = [_faults(table, mask, code, contract.header(file.layout_name, name), contract) for code, name, mask in found]
    if found:
        bad = np.logical_or.reduce([mask.to_numpy(zero_copy_only=False) for _, _, mask in found])
        table, set_aside = table.filter(pa.array(~bad)), table.filter(pa.array(bad))
    if rows.malformed:
        wrong.append(_fault_rows(len(rows.malformed), row_number=rows.malformed, rule_code="STR-012"))
    return Chunk(
        table=table,
        faults=pa.concat_tables([_fault_rows(), *wrong]).sort_by("row_number"),
        ignored=ignored_count,
        received=received,
        controls=controls,
        titled=rows.titled,
        account=account,
        warned=warned,
        read_bytes=rows.read_bytes,
        set_aside=set_aside,
    )


def _column(name: str, cells: dict[str, pa.StringArray], file: File, count: int, secret_key: bytes) -> tuple[pa.Array, Faults]:
    """The column's values, and by rule which of them could not be taken."""
    column = file.contract.columns[name]
    text = _text(name, cells, file, count)
    if text is not None and column.placeholder:
        text = clean(text, column.placeholder)
    if name in file.layout.otherwise:
        instead = _joined(file.layout.otherwise[name], cells, count)
        text = instead if text is None else pc.coalesce(text, instead)
    if text is None:
        return pa.nulls(count, ARROW_TYPES[column.type]), [("STR-011", pa.repeat(True, count))] if column.required else []
    fitting, faults = fit(text, column)
    if column.required and text.null_count:
        faults.append(("STR-011", text.is_null()))
    values = pseudonyms(fitting, secret_key) if column.type == "hash" else _typed(name, fitting, file)
    if values.null_count > fitting.null_count:
        faults.append(("STR-010", pc.and_(values.is_null(), fitting.is_valid())))
    if column.since:
        values = of_age(values, _column(column.since, cells, file, count, secret_key)[0])
    if column.type == "integer":
        outside = pc.or_(pc.less(values, column.range[0]), pc.greater(values, column.range[1]))
        faults.append(("STR-020", pc.fill_null(outside, False)))
    return values, faults


def _text(name: str, cells: dict[str, pa.StringArray], file: File, count: int) -> pa.StringArray | None:
    """The column's cells as cleaned text, translated; nothing where the layout or the file does not write it."""
    layout = file.layout
    header = next((header for header, column in layout.headers.items() if column == name and header in cells), None)
    if header is not None:
        text = cells[header]
    elif name in cells:
        text = cells[name]
    elif name in layout.constants:
        text = pa.repeat(pa.scalar(layout.constants[name], pa.string()), count)
    elif name in layout.joined:
        text = _joined(layout.joined[name], cells, count)
    elif name in layout.cases:
        text = _decided(name, cells, file, count)
    else:
        return None
    return mapped(text, layout.values[name]) if name in layout.values else text


def _joined(headers: list[str], cells: dict[str, pa.StringArray], count: int) -> pa.StringArray:
    """Cells joined by a slash; missing where one of them is."""
    return pc.binary_join_element_wise(*(cells.get(header, pa.nulls(count, pa.string())) for header in headers), "/")


def _decided(name: str, cells: dict[str, pa.StringArray], file: File, count: int) -> pa.StringArray:
    """The column as its cases say, the first that holds deciding; cells that are there and fit no case are no value."""
    said: Any = pa.repeat(False, count)
    for header in {header for case in file.layout.cases[name] for header in case.when} & cells.keys():
        said = pc.or_(said, cells[header].is_valid())
    result = pc.if_else(said, NO_VALUE, pa.scalar(None, pa.string()))
    for case in reversed(file.layout.cases[name]):
        holds: Any = pa.repeat(True, count)
        for header, values in case.when.items():
            cell = pc.fill_null(cells[header], "") if header in cells else pa.repeat("", count)
            holds = pc.and_(holds, pc.is_in(cell, value_set=pa.array(values)))
        result = pc.if_else(holds, case.then, result)
    return result


def _typed(name: str, text: pa.StringArray, file: File) -> pa.Array:
    """The column's values; null where a cell cannot be typed."""
    column, layout = file.contract.columns[name], file.layout
    if column.stands_for:
        text = pc.replace_substring_regex(text, column.stands_for, r"\1")
    default = layout.timestamp_format if column.type == "timestamp" else layout.date_format
    scale, date_format = layout.scale.get(name, 1), layout.date_formats.get(name, default)
    try:
        return typed(text, column.type, numbers=layout.numbers, scale=scale, date_format=date_format)
    except pa.ArrowException:  # its message would quote a cell
        raise RuntimeError(f"{file.contract.feed}/{file.layout_name}: column {name} broke the parser of its type {column.type}") from None


def _empty_rows(cells: dict[str, pa.StringArray], count: int) -> pa.BooleanArray:
    if not cells or any(not values.null_count for values in cells.values()):
        return pa.repeat(False, count)
    return pa.array(np.logical_and.reduce([values.is_null().to_numpy(zero_copy_only=False) for values in cells.values()]))


def _totals_rows(cells: dict[str, pa.StringArray], file: File) -> pa.BooleanArray:
    count = len(next(iter(cells.values()))) if cells else 0
    if file.layout.totals is None:
        return pa.repeat(False, count)
    label = file.layout.totals.label
    marked = [pc.fill_null(pc.starts_with(values, label, ignore_case=True), False) for values in cells.values()]
    return pa.array(np.logical_or.reduce([mask.to_numpy(zero_copy_only=False) for mask in marked]), pa.bool_())


def _controls(cells: dict[str, pa.StringArray], totals: pa.BooleanArray, file: File) -> dict[str, int]:
    """What the totals row says; a control that cannot be read is a control that does not agree."""
    agreed = file.layout.totals
    if agreed is None or not pc.any(totals).as_py():
        return {}
    last = int(np.flatnonzero(totals.to_numpy(zero_copy_only=False))[-1])
    controls = {}
    for name, header in {**({"rows": agreed.count} if agreed.count else {}), **agreed.sums}.items():
        cell = cells[header].slice(last, 1)
        value = integers(cell, file.layout.numbers, file.layout.scale.get(name, 1))[0].as_py()
        if value is None and cell.null_count == 0:
            raise file.refused("STR-008", header, "không phải là số")
        if value is not None:
            controls[name] = value
    return controls


def _faults(table: pa.Table, mask: pa.BooleanArray, rule_code: str, header: str, contract: Contract) -> pa.Table:
    """Faults by one rule of the rows under the mask, naming the file's header."""
    rows = table.filter(mask)
    keys = contract.shown_keys({name: rows[name] for name in contract.natural_key})
    return _fault_rows(rows.num_rows, row_number=rows[ROW_NUMBER], rule_code=rule_code, column_name=header, natural_key=keys)


def _fault_rows(count: int = 0, *, row_number: Any = None, rule_code: str = "", column_name: str = "", natural_key: Any = None) -> pa.Table:
    """A table of faults: empty, or of that many rows by one rule."""
    return pa.table(
        [
            pa.array([], pa.int32()) if row_number is None else row_number,
            pa.repeat(rule_code, count),
            pa.repeat(column_name, count),
            pa.nulls(count, pa.string()) if natural_key is None else natural_key,
            pa.nulls(count, pa.int64()),
        ],
        schema=FAULTS,
    )
