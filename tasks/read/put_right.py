"""Cells that their supplier corrected in a letter, put into the rows as they are read: the landed file stays as it came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.deliveries.correction import Correction
from tasks.read.rows import Account, Rows


def put_right(parts: Iterator[Rows], corrections: Sequence[Correction]) -> Iterator[Rows]:
    """The rows with the corrected cells in place of those that were sent; how many there are is told with each."""
    by_header: dict[str, dict[int, str]] = defaultdict(dict)
    for one in corrections:
        by_header[one.column_name][one.row_number] = one.value
    for rows in parts:
        cells, count = dict(rows.cells), 0
        for header, values in by_header.items():
            chosen = np.isin(rows.numbers, list(values))
            if header in cells and chosen.any():
                right = pa.array([values[number] for number in rows.numbers[chosen].tolist()], pa.string())
                cells[header] = pc.replace_with_mask(cells[header], pa.array(chosen), right)
                count += len(right)
        yield replace(rows, cells=cells, account=rows.account + Account(corrected=count)) if count else rows
