"""Arrow in and out of PostgreSQL by COPY, on the caller's own connection and so in its transaction."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
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
    return int(rows.num_rows)


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
        pv.ConvertOptions(
            column_types=dict(schema),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
        ),
    )


def analyze(connection: Connection, *tables: str) -> None:
    """Refreshes the planner's statistics after a bulk load, from a tenth of the usual sample: row counts are what joins need."""
    connection.execute(text("SET LOCAL default_statistics_target = 10"))
    for table in tables:
        connection.execute(text(f"ANALYZE {table}"))
    connection.execute(text("RESET default_statistics_target"))


def _driver(connection: Connection):  # type: ignore[no-untyped-def]  # psycopg's connection behind SQLAlchemy's
    return connection.connection.driver_connection


BLOCK_ROWS = 4096
"""Rows of a message of `copy_out_blocks`: enough that its own cost vanishes, few enough to stay small."""


def copy_out_blocks(connection: Connection, query: str, numbers: Sequence[str], texts: Sequence[str] = ()) -> pa.Table:
    """Runs a query of whole numbers and texts, none of them null or holding U+001F, and returns its rows as Arrow, many rows a message.

    `copy_out` receives each row in a message of its own, which costs more than the row does where there are millions.
    """
    lists = [f"array_agg({name}::bigint)" for name in numbers] + [f"string_agg({name}::text, E'\\x1f')" for name in texts]
    blocks = f"SELECT *, row_number() OVER () / {BLOCK_ROWS} AS block FROM ({query}) AS found"
    statement = f"COPY (SELECT {', '.join(lists)} FROM ({blocks}) AS blocks GROUP BY block) TO STDOUT (FORMAT binary)"
    parts: list[pa.Table] = []
    with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for message in copy:
            row = bytes(message)
            if row.startswith(b"PGCOPY"):
                row = row[19:]
            if len(row) > 2:  # the last message only says that it is the last
                parts.append(_block(row, numbers, texts))
    schema = pa.schema([*((name, pa.int64()) for name in numbers), *((name, pa.string()) for name in texts)])
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _block(row: bytes, numbers: Sequence[str], texts: Sequence[str]) -> pa.Table:
    """A row in PostgreSQL's binary form: numbers as an array (header, then each element after its length), texts joined by a separator."""
    columns: dict[str, pa.Array] = {}
    place = 2
    for name in [*numbers, *texts]:
        length = int.from_bytes(row[place : place + 4], "big")
        body = row[place + 4 : place + 4 + length]
        place += 4 + length
        if name in numbers:
            elements = np.frombuffer(body[20:], dtype=[("length", ">i4"), ("value", ">i8")])
            columns[name] = pa.array(elements["value"].astype(np.int64))
        else:
            columns[name] = pa.array(body.decode().split("\x1f"))
    return pa.table(columns)
