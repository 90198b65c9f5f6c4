"""Files of rows and of what describes them: CSV by RFC 4180, Parquet, JSON, the same bytes whenever and wherever they are written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from tasks.open_data.declared import Table

LINE_END = "\r\n"


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A header and rows: UTF-8, commas, a decimal point, days as ISO 8601, nothing where there is nothing."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator=LINE_END)
    writer.writerow(header)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return told.getvalue().encode()


def _cell(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, date):
        return cell.isoformat()
    return f"{cell:f}" if isinstance(cell, Decimal) else cell


def as_parquet(table: Table, rows: Sequence[Sequence[Any]]) -> bytes:
    """The same rows with their types; titles and meanings go with the fields. Rates are doubles, as tools for statistics have them."""
    import pyarrow as pa  # noqa: PLC0415  # heavy, and only who writes a folder needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "date": pa.date32(), "boolean": pa.bool_()}
    fields = [
        pa.field(
            column.name,
            types[column.type],
            nullable=not column.is_required,
            metadata={"title": column.title.both, "description": column.means.both},
        )
        for column in table.columns
    ]
    arrays = [
        pa.array([float(row[place]) if isinstance(row[place], Decimal) else row[place] for row in rows], field.type)
        for place, field in enumerate(fields)
    ]
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays, pa.schema(fields)), out, compression="zstd", compression_level=9, version="2.6", row_group_size=1 << 20)
    return bytes(out.getvalue())


def as_json(told: Any) -> bytes:
    """A document without what is not known: it has no nulls."""
    return (json.dumps(_there(told), ensure_ascii=False, indent=2) + "\n").encode()


def _there(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _there(one) for name, one in told.items() if one is not None}
    return [_there(one) for one in told] if isinstance(told, list) else told
