"""What goes into PostgreSQL by COPY comes out as it went in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, MetaData, Table, text

from warehouse.bulk import FOREVER, copy_in

KINDS: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "int2": (st.integers(-(2**15), 2**15 - 1), pa.int64()),
    "int4": (st.integers(-(2**31), 2**31 - 1), pa.int32()),
    "int8": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "text": (st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), pa.string()),
    "bool": (st.booleans(), pa.bool_()),
    "date": (st.dates(date(1, 1, 1)), pa.date32()),
    "timestamp": (st.datetimes(datetime(1, 1, 1)).map(lambda moment: moment.replace(microsecond=0)), pa.timestamp("s")),
    "numeric": (st.decimals(-(10**12), 10**12, places=4), pa.decimal128(18, 4)),
    "uuid": (st.uuids().map(lambda one: one.hex), pa.string()),
}
TABLE = Table("copied", MetaData(), schema="pg_temp")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(*(st.none() | values for values, _ in KINDS.values())), max_size=20))
def test_every_type_and_null(engine: Engine, rows: list[tuple[Any, ...]]) -> None:
    columns = zip(KINDS, zip(*rows, strict=True) if rows else [()] * len(KINDS), strict=True)
    sent = pa.table({f"a_{kind}": pa.array(values, KINDS[kind][1]) for kind, values in columns})
    with engine.connect() as connection:
        connection.execute(text(f"CREATE TEMP TABLE copied ({', '.join(f'a_{kind} {kind}' for kind in KINDS)})"))
        assert copy_in(connection, TABLE, sent) == len(rows)
        found = [tuple(row) for row in connection.execute(text("SELECT * FROM copied ORDER BY ctid"))]
        connection.rollback()
    assert found == [(*row[:-1], None if row[-1] is None else UUID(row[-1])) for row in rows]


def test_a_moment_may_be_given_in_microseconds_or_as_for_ever(engine: Engine) -> None:
    moment = datetime(2024, 3, 15, 8, 30, 0, 123456, tzinfo=UTC)
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    with engine.connect() as connection:
        connection.execute(text("CREATE TEMP TABLE copied (at timestamptz)"))
        copy_in(connection, TABLE, pa.table({"at": pa.array([micros, FOREVER], pa.int64())}))
        found = connection.execute(text("SELECT at = :moment, at = 'infinity' FROM copied"), {"moment": moment}).all()
    assert [tuple(row) for row in found] == [(True, False), (False, True)]


def test_a_number_that_does_not_fit_stops_the_copy(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("CREATE TEMP TABLE copied (small int2)"))
        with pytest.raises(pa.ArrowInvalid):
            copy_in(connection, TABLE, pa.table({"small": pa.array([2**15])}))
