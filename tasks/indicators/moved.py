"""What moved values: deliveries of which rows, written or ended since, are of what a value counts, of its period and of units under it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Date, text

from tasks.indicators.publish import indicator_keys
from warehouse.bulk import analyze
from warehouse.indicators import Indicator, facts, indicators
from warehouse.indicators.here import counted_here
from warehouse.periods import containing
from warehouse.tables import WAREHOUSE, metadata

Value = tuple[int, int, str]
"""Indicator, unit and period."""


def moved_by(connection: Connection, since: int, values: Collection[Value]) -> dict[Value, tuple[int, ...]]:
    """Value → deliveries that moved it after a load, whose rows are most first; values that none moved are left out.

    Comes while the candidates are there, whose units in each period say what is under what (`place`).
    """
    if not values:
        return {}
    keys = indicator_keys(connection)
    here = (counted_here(connection, i) for i in indicators() if i.version_name in keys)
    by_key = {keys[i.version_name]: i for i in here if i.counted_fact.table is not None}
    connection.execute(text(_TEMPORARY))
    keys_of, units, in_periods = map(list, zip(*values, strict=True))
    connection.execute(text(_ASKED), {"keys": keys_of, "units": units, "periods": in_periods})
    counted_in = {key: tables_of(by_key[key]) for key, _, _ in values if key in by_key}
    counted = [
        {"indicator_key": key, "fact": table, "is_beside": table in beside}
        for key, (own, beside) in counted_in.items()
        for table in {own, *beside}
    ]
    if not counted:
        return {}
    connection.execute(text("INSERT INTO counted_in VALUES (:indicator_key, :fact, :is_beside)"), counted)
    for table in sorted({table for own, beside in counted_in.values() for table in (own, *beside)}):
        connection.execute(text(_MOVER.format(fact=table, period=period_of(table))), {"fact": table, "since": since})
    spoken_of = connection.execute(text("SELECT DISTINCT fact, period FROM mover WHERE period IS NOT NULL")).all()
    inside = [{"fact": fact, "period": period, "part": part} for fact, part in spoken_of for period in touched_by(fact, part)]
    if inside:
        connection.execute(text("INSERT INTO part_of VALUES (:fact, :period, :part)"), inside)
    analyze(connection, "moved", "mover")
    return {(row.indicator_key, row.unit_key, row.period): tuple(row.deliveries) for row in connection.execute(text(_MOVED))}


def tables_of(indicator: Indicator) -> tuple[str, tuple[str, ...]]:
    """The table of the fact that an indicator counts, which has one, and those beside it whose rows have a say."""
    fact = indicator.counted_fact
    divided = facts()[fact.divided_by].table if fact.divided_by else None
    return str(fact.table), tuple(table for table in (fact.beside and fact.beside.table, divided) if table)


def touched_by(table: str, period: str) -> Sequence[str]:
    """Periods in which a row of a fact has a say: its own and those around it; of an edition its own alone."""
    return [period] if table == facts()["edition"].table else containing(period)


def period_of(table: str) -> str:
    """SQL of the period to which a row of a fact belongs, as far as a column of its own says so."""
    named = {fact.table: fact.day(None) for fact in facts().values() if fact.table is not None}[table]
    column = metadata.tables[f"{WAREHOUSE}.{table}"].columns.get(named)
    if column is None:
        return "NULL"
    return f"to_char(f.{named}, 'YYYY-MM')" if isinstance(column.type, Date) else f"f.{named}"


_TEMPORARY = """
DROP TABLE IF EXISTS moved, counted_in, mover, part_of;
CREATE TEMPORARY TABLE moved (indicator_key smallint, unit_key integer, period text) ON COMMIT DROP;
CREATE TEMPORARY TABLE counted_in (indicator_key smallint, fact text, is_beside boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE mover (fact text, delivery_id integer, unit_key integer, period text, rows bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE part_of (fact text, period text, part text, PRIMARY KEY (fact, period, part)) ON COMMIT DROP;
"""

_ASKED = "INSERT INTO moved SELECT * FROM unnest(CAST(:keys AS smallint[]), CAST(:units AS integer[]), CAST(:periods AS text[]))"

_MOVER = """
INSERT INTO mover
SELECT :fact, l.delivery_id, f.unit_key, {period}, count(*) FROM (
    SELECT loaded_by AS load_id, * FROM warehouse.{fact} WHERE loaded_by > :since
    UNION ALL SELECT ended_by, * FROM warehouse.{fact} WHERE ended_by > :since
) f JOIN ops.load l USING (load_id) WHERE l.delivery_id IS NOT NULL GROUP BY 2, 3, 4
"""

# Rows of a fact beside, as payments, have a say in periods other than their own: they may come months after their bill.
_MOVED = """
WITH RECURSIVE below AS (
    SELECT DISTINCT period, unit_key AS of_unit, unit_key FROM moved
  UNION
    SELECT b.period, b.of_unit, p.unit_key FROM below b JOIN place p ON p.period = b.period AND p.parent_key = b.unit_key
),
rows AS (
    SELECT a.indicator_key, a.unit_key, a.period, m.delivery_id, sum(m.rows) AS rows
    FROM moved a JOIN counted_in c USING (indicator_key)
    JOIN below b ON (b.period, b.of_unit) = (a.period, a.unit_key)
    JOIN mover m ON (m.fact, m.unit_key) = (c.fact, b.unit_key)
    WHERE c.is_beside OR m.period IS NULL
        OR EXISTS (SELECT FROM part_of WHERE (part_of.fact, part_of.period, part) = (m.fact, a.period, m.period))
    GROUP BY 1, 2, 3, 4
)
SELECT indicator_key, unit_key, period, array_agg(delivery_id ORDER BY rows DESC, delivery_id) AS deliveries
FROM rows GROUP BY indicator_key, unit_key, period
"""
