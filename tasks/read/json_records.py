"""JSON that is a table: a list of objects without anything inside them, a field a column."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from tasks.read.json_text import parsed, text_of
from tasks.read.rows import File, Rows, label


def read_json_records(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of a list of objects; what an object leaves out or says to be null is missing."""
    records = parsed(file)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise file.refused("STR-007", advice="Cần một danh sách các đối tượng JSON.")
    if not records:
        raise file.refused("STR-004")
    keys = list(dict.fromkeys(key for record in records for key in record))
    optional = [header for header, column in file.layout.headers.items() if column is None or not file.contract.columns[column].required]
    left_out = {label(header) for header in optional} - set(map(label, keys))
    found = file.recognise([*keys, *left_out])
    written = dict(zip(found, keys, strict=False))
    for start in range(0, len(records), chunk_rows):
        part = records[start : start + chunk_rows]
        cells = {header: pa.array([text_of(record.get(written.get(header))) for record in part], pa.string()) for header in file.needed()}
        yield Rows(cells, np.arange(start + 1, start + len(part) + 1, dtype=np.int32))
