"""A delivered file → typed Arrow tables, as the feed's contract says.

Streams: memory does not grow with a delimited file. Personal values are replaced by keyed pseudonyms here,
or not read at all; no cell is ever quoted in a fault or a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import ARROW_TYPES, PERSONAL, ROW_NUMBER, Contract
from tasks.read.cells import clean, integers, mapped, typed
from tasks.read.csv_file import read_csv
from tasks.read.dossier_json import read_dossier_json
from tasks.read.html_file import read_html
from tasks.read.limits import DEFAULT, Limits
from tasks.read.portal_766 import read_portal_766
from tasks.read.pseudonym import pseudonyms
from tasks.read.rows import NOTHING_SEEN, Account, File, Rejected, Rows
from tasks.read.sheet_file import read_sheet

__all__ = ["FAULTS", "Chunk", "Rejected", "read"]

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
    "dossier_json": read_dossier_json,
    "portal_766": read_portal_766,
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
    """Totals rows and wholly empty rows."""
    received: int
    controls: dict[str, int] = field(default_factory=dict)
    """What the totals row says: `rows`, and column → sum. In the chunk that holds it: the file's last rows."""
    titled: str | None = None
    """Period that a cell above the header says the file is about."""
    account: Account = NOTHING_SEEN


def read(
    path: Path,
    contract: Contract,
    layout_name: str,
    secret_key: bytes,
    file_name: str,
    *,
    limits: Limits = DEFAULT,
    chunk_rows: int = 250_000,
) -> Iterator[Chunk]:
    """Chunks of a delivered file. Raises Rejected where the file as a whole cannot be read; that may come after some chunks.

    A file that is not there or closed to us is an OSError: what was landed is ours to keep, not its supplier's.
    """
    file = File(Path(path), file_name, contract, layout_name, limits)
    if file.path.stat().st_size == 0:
        raise file.refused("STR-003")
    useful = 0
    for rows in READERS[file.layout.reader or file.layout.kind](file, chunk_rows):
        chunk = _chunk(rows, file, secret_key)
        useful += chunk.received - chunk.ignored
        yield chunk
    if not useful:
        raise file.refused("STR-004")


def _chunk(rows: Rows, file: File, secret_key: bytes) -> Chunk:
    """Rows as text → the typed rows, the faults of the others, and how many were no rows of data."""
    contract, layout = file.contract, file.layout
    cells = {header: clean(values, layout.missing) for header, values in rows.cells.items()}
    numbers = pa.array(rows.numbers, pa.int32())
    received = len(numbers) + len(rows.malformed)

    totals = _totals_rows(cells, file)
    controls = _controls(cells, totals, file)
    ignored = pc.or_(totals, _empty_rows(cells, len(numbers)))
    ignored_count = pc.sum(ignored).as_py() or 0
    if ignored_count:
        kept = pc.invert(ignored)
        cells = {header: values.filter(kept) for header, values in cells.items()}
        numbers = numbers.filter(kept)

    shaped = contract.shaped
    columns: dict[str, Any] = {ROW_NUMBER: numbers}
    found: list[tuple[str, str, Any]] = []
    for name, column in contract.columns.items():
        if column.type == "dropped":
            continue
        text = _text(name, cells, file, len(numbers))
        if text is None:
            columns[name] = pa.nulls(len(numbers), ARROW_TYPES[column.type])
        else:
            if name in shaped:
                found.append(("STR-015", name, _misshapen(text, column.pattern, is_ruled=shaped[name])))
            columns[name] = _typed(name, text, file, secret_key)
            untyped = columns[name].null_count - text.null_count if column.type != "hash" else 0
            if untyped:
                found.append(("STR-010", name, pc.and_(columns[name].is_null(), text.is_valid())))
        if column.required and columns[name].null_count:
            missing = columns[name].is_null() if text is None else pc.and_(columns[name].is_null(), text.is_null())
            found.append(("STR-011", name, missing))

    found = [(code, name, mask) for code, name, mask in found if pc.any(mask).as_py()]
    table = pa.table(columns, schema=contract.schema)
    wrong = [_faults(table, mask, code, contract.header(file.layout_name, name), contract) for code, name, mask in found]
    if found:
        bad = np.logical_or.reduce([mask.to_numpy(zero_copy_only=False) for _, _, mask in found])
        table = table.filter(pa.array(~bad))
    if rows.malformed:
        wrong.append(_fault_rows(len(rows.malformed), row_number=rows.malformed, rule_code="STR-012"))
    faults = pa.concat_tables([_fault_rows(), *wrong]).sort_by("row_number")
    return Chunk(table, faults, ignored_count, received, controls, rows.titled, rows.account)


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
        text = pc.binary_join_element_wise(*(cells[part] for part in layout.joined[name]), "/")
    elif name in layout.cases:
        text = _decided(name, cells, file, count)
    else:
        return None
    return mapped(text, layout.values[name]) if name in layout.values else text


def _decided(name: str, cells: dict[str, pa.StringArray], file: File, count: int) -> pa.StringArray:
    """The column as its cases say, the first that holds deciding."""
    result = pa.nulls(count, pa.string())
    for case in reversed(file.layout.cases[name]):
        holds: Any = pa.repeat(True, count)
        for header, values in case.when.items():
            cell = pc.fill_null(cells[header], "") if header in cells else pa.repeat("", count)
            holds = pc.and_(holds, pc.is_in(cell, value_set=pa.array(values)))
        result = pc.if_else(holds, case.then, result)
    return result


def _typed(name: str, text: pa.StringArray, file: File, secret_key: bytes) -> pa.Array:
    """The column's values; null where a cell cannot be typed."""
    column, layout = file.contract.columns[name], file.layout
    if column.placeholder:
        text = clean(text, column.placeholder)
    if column.type == "hash":
        return pseudonyms(text, secret_key)
    if column.stands_for:
        text = pc.replace_substring_regex(text, column.stands_for, r"\1")
    default = layout.timestamp_format if column.type == "timestamp" else layout.date_format
    scale, date_format = layout.scale.get(name, 1), layout.date_formats.get(name, default)
    try:
        return typed(text, column.type, numbers=layout.numbers, scale=scale, date_format=date_format)
    except pa.ArrowException:  # its message would quote a cell
        raise RuntimeError(f"{file.contract.feed}/{file.layout_name}: column {name} broke the parser of its type {column.type}") from None


def _misshapen(text: pa.StringArray, pattern: str | None, *, is_ruled: bool) -> pa.BooleanArray:
    """Values that are not of their column's shape; where a rule of the feed judges that, only what looks like a person's number."""
    personal = pc.match_substring_regex(text, PERSONAL)
    fits = pc.invert(personal) if is_ruled else pc.match_substring_regex(text, pattern)
    return pc.fill_null(pc.invert(fits), False)


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
