"""The states of a fact as relations in SQL: those that hold after a load, and those that a publication has to count anew."""

from __future__ import annotations

from sqlalchemy import Connection, text

from tasks.count.counting import Counting
from warehouse.bulk import analyze
from warehouse.counted import Counted

BULK = 5_000
"""Rows of a fact loaded since it was last counted from which the planner has to be told anew what it holds."""

AFTER_LOAD = "(SELECT *, 1 AS sign FROM warehouse.{table} WHERE loaded_by <= :load_id AND (ended_by IS NULL OR ended_by > :load_id))"
"""The states that held after a load; binds :load_id."""

# Since loads are numbered in the order of their commits: what a later one wrote and nobody ended has come, what held before and
# a later one ended is gone. A state that was written and ended since was never counted.
_CHANGED = """
INSERT INTO {changed}
SELECT *, 1 FROM warehouse.{table} WHERE loaded_by > :since AND ended_by IS NULL
UNION ALL
SELECT *, -1 FROM warehouse.{table} WHERE loaded_by <= :since AND ended_by > :since
"""

_TOUCHED = """
INSERT INTO {touched}
SELECT row_key FROM warehouse.{table} WHERE loaded_by > :since
UNION
SELECT row_key FROM warehouse.{table} WHERE ended_by > :since
"""

_TOUCHED_BESIDE = """
INSERT INTO {touched}
SELECT {by} FROM warehouse.{beside} WHERE loaded_by > :since AND {by} IS NOT NULL
UNION
SELECT {by} FROM warehouse.{beside} WHERE ended_by > :since AND {by} IS NOT NULL
ON CONFLICT DO NOTHING
"""

# All rows of a year that count as one with a touched row, before or now.
_TOUCHED_TOGETHER = """
ANALYZE {touched};
CREATE TEMPORARY TABLE together ON COMMIT DROP AS
SELECT DISTINCT {columns}, date_trunc('year', {day})::date AS year
FROM warehouse.{table} JOIN {touched} USING (row_key)
WHERE known_to = 'infinity' OR ended_by IS NOT NULL;
ANALYZE together;
INSERT INTO {touched}
SELECT f.row_key FROM warehouse.{table} f
JOIN together t ON {same} AND f.{day} >= t.year AND f.{day} < t.year + interval '1 year'
WHERE f.known_to = 'infinity'
  AND f.{day} BETWEEN (SELECT min(year) FROM together) AND (SELECT max(year) + interval '1 year' FROM together)
ON CONFLICT DO NOTHING;
DROP TABLE together
"""

# Everything touched, as it was with -1 and as it is with 1.
_BEFORE_AND_NOW = """
INSERT INTO {changed}
WITH now AS MATERIALIZED (SELECT f.* FROM warehouse.{table} f JOIN {touched} t ON f.{key} = t.row_key WHERE f.known_to = 'infinity')
SELECT *, 1 FROM now
UNION ALL
SELECT *, -1 FROM now WHERE loaded_by <= :since
UNION ALL
SELECT f.*, -1 FROM warehouse.{table} f JOIN {touched} t ON f.{key} = t.row_key WHERE f.loaded_by <= :since AND f.ended_by > :since
"""


def changed_states(connection: Connection, counting: Counting, counted: Counted, since: int) -> tuple[str, str]:
    """Temporary tables of the states, and of those beside them, that have to be counted for what came and went since a load.

    They are made once a night and last load; several things that are counted of one fact share them.
    """
    name = f"changed_{since}_{counting.load_id}_{counted.table}" + ("_together" if counted.together else "")
    beside = f"{name}_beside" if counted.beside is not None else ""
    if connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"pg_temp.{name}"}) is not None:
        return name, beside
    tell_the_planner(connection, counting, counted.table, since)
    _make(connection, name, counted.table)
    values = {"since": since}
    if counted.beside is None and counted.together is None:
        connection.execute(text(_CHANGED.format(changed=name, table=counted.table)), values)
    else:
        touched = f"{name}_touched"
        connection.execute(text(f"CREATE TEMPORARY TABLE {touched} (row_key bigint PRIMARY KEY) ON COMMIT DROP"))
        connection.execute(text(_TOUCHED.format(touched=touched, table=counted.table)), values)
        if counted.beside is not None:
            tell_the_planner(connection, counting, counted.beside.table, since)
            which = {"touched": touched, "by": counted.beside.by, "beside": counted.beside.table}
            connection.execute(text(_TOUCHED_BESIDE.format(**which)), values)
        if counted.together is not None:
            same = " AND ".join(f"f.{column} = t.{column}" for column in counted.together.columns)
            columns = ", ".join(counted.together.columns)
            which = {"touched": touched, "table": counted.table, "day": counted.together.day, "same": same, "columns": columns}
            connection.execute(text(_TOUCHED_TOGETHER.format(**which)))
        connection.execute(text(f"ANALYZE {touched}"))
        connection.execute(text(_BEFORE_AND_NOW.format(changed=name, touched=touched, table=counted.table, key="row_key")), values)
        if counted.beside is not None:
            _make(connection, beside, counted.beside.table)
            which = {"changed": beside, "touched": touched, "table": counted.beside.table, "key": counted.beside.by}
            connection.execute(text(_BEFORE_AND_NOW.format(**which)), values)
            connection.execute(text(f"ANALYZE {beside}"))
    connection.execute(text(f"ANALYZE {name}"))
    return name, beside


def _make(connection: Connection, name: str, table: str) -> None:
    connection.execute(text(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT *, 1 AS sign FROM warehouse.{table} WHERE FALSE"))


def tell_the_planner(connection: Connection, counting: Counting, table: str, since: int) -> None:
    """Refreshes the statistics of a fact of which much is new since a load: nobody else does between the load and the publication."""
    if table in counting.analysed:
        return
    counting.analysed.add(table)
    loaded = f"SELECT count(*) FROM (SELECT FROM warehouse.{table} WHERE loaded_by > :since LIMIT {BULK + 1}) AS new"
    if (connection.scalar(text(loaded), {"since": since}) or 0) > BULK:
        analyze(connection, f"warehouse.{table}")
