"""Answers of the national portal on decision 766, see `tasks.portal_766`, as columns of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.portal_766 import NotAnAnswer, rows
from tasks.readers.rows import File, Rows


def read_portal_766(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of one answer, a figure of a department each."""
    try:
        found = rows(file.path, file.name)
    except NotAnAnswer as refusal:
        raise file.refused(refusal.code) from None
    header = {column: name for name, column in file.layout.headers.items() if column}
    for start in range(0, len(found), chunk_rows):
        part = found[start : start + chunk_rows]
        cells = {header.get(name, name): pa.array([_text(row[name]) for row in part], pa.string()) for name in part[0]}
        yield Rows(cells, np.arange(start + 1, start + len(part) + 1, dtype=np.int32))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
