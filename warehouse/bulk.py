"""Arrow in and out of PostgreSQL by COPY, on the caller's own connection and so in its transaction."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.csv as pv
from sqlalchemy import Connection, Table, text


def copy_in(connection: Connection, table: Table, rows: pa.Table) -> int:
    """Appends Arrow rows to a table by COPY and returns their number; null stays null, columns go by name."""
    columns = ", ".join(f'"{name}"' for name in rows.column_names)
    statement = f"COPY {table.fullname} ({columns}) FROM STDIN (FORMAT csv)"  # names come from our own metadata
    with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for batch in rows.to_batches(max_chunksize=65_536):
            sink = io.BytesIO()
            pv.write_csv(pa.Table.from_batches([batch]), sink, pv.WriteOptions(include_header=False, quoting_style="needed"))
            copy.write(sink.getbuffer())
    return rows.num_rows


def copy_out(connection: Connection, query: str, schema: Mapping[str, pa.DataType]) -> pa.Table:
    """Runs a query (no parameters) by COPY and returns its rows as Arrow with the given types, in that order."""
    sink = io.BytesIO()
    with _driver(connection).cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
        for block in copy:
            sink.write(block)
    if not sink.tell():
        return pa.table({name: pa.array([], kind) for name, kind in schema.items()})
    sink.seek(0)
    return pv.read_csv(
        sink,
        pv.ReadOptions(column_names=list(schema)),
        pv.ParseOptions(newlines_in_values=True),
        pv.ConvertOptions(column_types=dict(schema), strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""], true_values=["t"], false_values=["f"]),
    )


def analyze(connection: Connection, *tables: Table) -> None:
    """Refreshes the planner's statistics after a bulk load."""
    for table in tables:
        connection.execute(text(f"ANALYZE {table.fullname}"))


def _driver(connection: Connection):  # type: ignore[no-untyped-def]  # psycopg's connection behind SQLAlchemy's
    return connection.connection.driver_connection
