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
    name = f"changed_{since}_{counting.load_id}_{counted.table}"
    beside = f"{name}_beside" if counted.beside is not None else ""
    if connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"pg_temp.{name}"}) is not None:
        return name, beside
    tell_the_planner(connection, counting, counted.table, since)
    _make(connection, name, counted.table)
    values = {"since": since}
    if counted.beside is None:
        connection.execute(text(_CHANGED.format(changed=name, table=counted.table)), values)
    else:
        touched = f"{name}_touched"
        connection.execute(text(f"CREATE TEMPORARY TABLE {touched} (row_key bigint PRIMARY KEY) ON COMMIT DROP"))
        connection.execute(text(_TOUCHED.format(touched=touched, table=counted.table)), values)
        tell_the_planner(connection, counting, counted.beside.table, since)
        which = {"touched": touched, "by": counted.beside.by, "beside": counted.beside.table}
        connection.execute(text(_TOUCHED_BESIDE.format(**which)), values)
        connection.execute(text(f"ANALYZE {touched}"))
        _make(connection, beside, counted.beside.table)
        for made, table, key in ((name, counted.table, "row_key"), (beside, counted.beside.table, counted.beside.by)):
            connection.execute(text(_BEFORE_AND_NOW.format(changed=made, touched=touched, table=table, key=key)), values)
        connection.execute(text(f"ANALYZE {beside}"))
    connection.execute(text(f"ANALYZE {name}"))
    return name, beside


class Rows:
    """What is counted of one fact in a night: its states, and the rows made of them, once for all that is counted of them."""

    def __init__(self, connection: Connection, counting: Counting, *, are_shared: bool) -> None:
        self._connection = connection
        self._counting = counting
        self._are_shared = are_shared
        self._made: dict[int | None, str] = {}

    def states(self, counted: Counted, since: int | None) -> tuple[str, str]:
        """The states, and those beside them, as relations in SQL: what came and went since a load, or all of them."""
        if since is not None:
            return changed_states(self._connection, self._counting, counted, since)
        tables = [counted.table, *([counted.beside.table] if counted.beside else [])]
        for table in tables:
            tell_the_planner(self._connection, self._counting, table, 0)
        states, *beside = map(self._counting.states, tables)
        return states, "".join(beside)

    def query(self, counted: Counted, query: str, since: int | None) -> str:
        """A query over {rows}, or {states} and {beside}, with these in place."""
        if self._are_shared:
            if since not in self._made:
                self._made[since] = self._make(counted, since)
            return query.replace("{rows}", self._made[since])
        states, beside = self.states(counted, since)
        return query.replace("{rows}", f"({counted.rows})").replace("{states}", states).replace("{beside}", beside)

    def _make(self, counted: Counted, since: int | None) -> str:
        """The rows as a temporary table."""
        name = f"rows_since_{since}".lower()
        states, beside = self.states(counted, since)
        rows = counted.rows.replace("{states}", states).replace("{beside}", beside)
        self._connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        self._connection.execute(text(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {rows} LIMIT 0"), self._counting.known)
        self._connection.execute(text(f"INSERT INTO {name} {rows}"), self._counting.known)
        analyze(self._connection, name)
        return name


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
