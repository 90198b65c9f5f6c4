"""Cells of a landed file as its supplier wrote them: those that rows were set aside for, where they may be told, and a mark of each.

The mark is a keyed hash of the cell and its place. It gives nothing away, and tells whether a cell is still what somebody saw.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import Contract
from tasks.deliveries.correction import Correction
from tasks.read.cells import clean
from tasks.read.file import READERS
from tasks.read.limits import DEFAULT, Limits
from tasks.read.put_right import put_right
from tasks.read.rows import File
from tasks.read.tellable import is_of_persons, tellable
from tasks.words.vietnamese import safe

CELLS = pa.schema([("row_number", pa.int32()), ("column_name", pa.string()), ("value", pa.string()), ("cell_hash", pa.string())])
HEX_DIGITS = 16
_CHUNK_ROWS = 125_000


def mark(key: bytes, sha256: str, row: int, header: str, cell: str) -> str:
    """Keyed hash of a cell at its place in a file."""
    return hmac.digest(key, "\x1f".join((sha256, str(row), header, cell)).encode(), "sha256").hex()[:HEX_DIGITS]


def quoted(
    path: Path,
    contract: Contract,
    layout_name: str,
    secret_key: bytes,
    file_name: str,
    wanted: Mapping[str, list[int]],
    *,
    sha256: str,
    corrections: Sequence[Correction] = (),
    limits: Limits = DEFAULT,
) -> Iterator[pa.Table]:
    """Tables of CELLS. `wanted`: header → numbers of the rows whose cells under it are asked for; of personal columns none are given."""
    file = File(Path(path), file_name, contract, layout_name, limits)
    asked = {header: np.array(rows, np.int32) for header, rows in wanted.items() if not is_of_persons(contract, layout_name, header)}
    last = max((int(rows.max()) for rows in asked.values() if len(rows)), default=0)
    if not last:
        return
    for rows in put_right(READERS[file.layout.reader or file.layout.kind](file, _CHUNK_ROWS), corrections):
        for header in asked.keys() & rows.cells.keys():
            chosen = np.isin(rows.numbers, asked[header])
            if chosen.any():
                cells = clean(rows.cells[header].filter(pa.array(chosen)), file.layout.missing)
                yield _cells(cells, rows.numbers[chosen].tolist(), header, file, secret_key, sha256)
        if len(rows.numbers) and rows.numbers[-1] >= last:
            return


def _cells(cells: pa.StringArray, numbers: list[int], header: str, file: File, key: bytes, sha256: str) -> pa.Table:
    told = pc.if_else(tellable(cells, file.contract, file.layout_name, header), cells, None)
    marks = [mark(key, sha256, row, header, cell or "") for row, cell in zip(numbers, cells.to_pylist(), strict=True)]
    shown = [None if cell is None else safe(cell) for cell in told.to_pylist()]
    return pa.table([numbers, [header] * len(numbers), shown, marks], schema=CELLS)
