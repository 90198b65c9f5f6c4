"""Arrow in and out of PostgreSQL by COPY, on the caller's own connection and so in its transaction."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
from pgpq import ArrowToPostgresBinaryEncoder
from sqlalchemy import Connection, Table, text

FOREVER = np.iinfo(np.int64).max
"""`infinity` of PostgreSQL, in microseconds since 1970."""

_EPOCH = 946_684_800_000_000
"""PostgreSQL's first moment, 1 January 2000, in microseconds since 1970."""
_TYPES = {
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
"""Type of PostgreSQL → that of Arrow whose binary form it reads; a number with decimals keeps its own."""


def copy_in(connection: Connection, table: Table, rows: pa.Table, *, is_fresh: bool = False) -> int:
    """Appends Arrow rows to a table by binary COPY and returns their number; null stays null, columns go by name.

    Whole numbers given for a moment are microseconds since 1970, or `FOREVER`; texts given for a UUID are its hex digits. `is_fresh`:
    the table was made in this transaction, so that its rows are written as they will be once they are old.
    """
    kinds = _kinds(connection, table)
    sent = pa.table({name: _sent(rows[name], kinds[name]) for name in rows.column_names})
    columns = ", ".join(f'"{name}"' for name in rows.column_names)  # names come from our own metadata
    encoder = ArrowToPostgresBinaryEncoder(sent.schema)
    options = "FORMAT binary, FREEZE" if is_fresh else "FORMAT binary"
    with _driver(connection).cursor() as cursor, cursor.copy(f"COPY {table.fullname} ({columns}) FROM STDIN ({options})") as copy:
        copy.write(encoder.write_header())
        for batch in sent.to_batches(max_chunksize=65_536):
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())
    return int(rows.num_rows)


def _kinds(connection: Connection, table: Table) -> dict[str, str]:
    """Name of each column's type, as the database has it."""
    query = text(
        "SELECT attname, typname FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid "
        "WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped"
    )
    return {row.attname: row.typname for row in connection.execute(query, {"name": table.fullname})}


def _sent(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray | pa.Array:
    """A column in the form that PostgreSQL's binary COPY takes for the type."""
    if kind == "timestamptz" and pa.types.is_integer(column.type):
        moments = column.to_numpy()
        return pa.array(np.where(moments == FOREVER, FOREVER, moments - _EPOCH))
    if kind == "uuid":
        return _bytes(column.combine_chunks())
    return column.cast(_TYPES[kind]) if kind in _TYPES else column


def _bytes(digits: pa.StringArray) -> pa.Array:
    """The sixteen bytes of each UUID."""
    width = 16
    given = digits.is_valid()
    joined = bytes.fromhex("".join(digits.filter(given).to_pylist()))
    found = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(joined) // width, [None, pa.py_buffer(joined)])
    place = pc.if_else(given, pc.subtract(pc.cumulative_sum(given.cast(pa.int64())), 1), None)
    return found.take(place)


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


BULK = 1_000
"""Rows new to a table from which the planner has to be told anew what it holds, since the night goes on before anybody else looks."""


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
