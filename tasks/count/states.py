"""The states of a fact as relations in SQL: those that hold after a load, and those that a publication has to count anew."""

from __future__ import annotations

from sqlalchemy import Connection, text

from tasks.count.counting import Counting
from warehouse.bulk import BULK, analyze
from warehouse.counted import Counted

AFTER_LOAD = "(SELECT *, 1 AS sign FROM warehouse.{table} WHERE loaded_by <= :load_id AND (ended_by IS NULL OR ended_by > :load_id))"
"""The states that held after a load; binds :load_id."""

# Since loads are numbered in the order of their commits: what a later one wrote and nobody ended has come, what held before and
# a later one ended is gone. A state that was written and ended since was never counted.
_CHANGED = """
CREATE TEMPORARY TABLE {changed} ON COMMIT DROP AS
SELECT *, 1 AS sign FROM warehouse.{table} WHERE loaded_by > {since} AND ended_by IS NULL
UNION ALL
SELECT *, -1 FROM warehouse.{table} WHERE loaded_by <= {since} AND ended_by > {since};
ANALYZE {changed}
"""

# In the order of the indexes, should they be looked up there.
_TOUCHED = """
CREATE TEMPORARY TABLE {changed} ON COMMIT DROP AS
SELECT row_key FROM warehouse.{table} WHERE loaded_by > {since}
UNION SELECT row_key FROM warehouse.{table} WHERE ended_by > {since}
UNION SELECT {by} FROM warehouse.{beside} WHERE loaded_by > {since} AND {by} IS NOT NULL
UNION SELECT {by} FROM warehouse.{beside} WHERE ended_by > {since} AND {by} IS NOT NULL
ORDER BY row_key;
ANALYZE {changed}
"""

# Everything touched, as it was with -1 and as it is with 1.
_BEFORE_AND_NOW = """(
SELECT f.*, sign FROM warehouse.{table} f JOIN {changed} t ON f.{key} = t.row_key
JOIN (VALUES (1), (-1)) signs (sign) ON sign = 1 OR f.loaded_by <= {since}
WHERE f.known_to = 'infinity'
UNION ALL
SELECT f.*, -1 FROM warehouse.{table} f JOIN {changed} t ON f.{key} = t.row_key WHERE f.loaded_by <= {since} AND f.ended_by > {since}
)"""


class Rows:
    """What is counted of one fact in a night: its states, and the rows made of them, once for all that is counted of them."""

    def __init__(self, connection: Connection, counting: Counting, *, are_shared: bool) -> None:
        self._connection = connection
        self._counting = counting
        self._are_shared = are_shared
        self._made: dict[int | None, str] = {}

    def states(self, counted: Counted, since: int | None) -> tuple[str, str]:
        """The states, and those beside them, as relations in SQL: what came and went since a load, or all of them."""
        tables = [counted.table, *([counted.beside.table] if counted.beside else [])]
        for table in tables:
            tell_the_planner(self._connection, self._counting, table, since or 0)
        if since is not None:
            return _changed_states(self._connection, self._counting, counted, since)
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
        name = "rows_of_all" if since is None else f"rows_since_{since}"
        states, beside = self.states(counted, since)
        rows = counted.rows.replace("{states}", states).replace("{beside}", beside)
        self._connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        self._connection.execute(text(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {rows} LIMIT 0"), self._counting.known)
        # Not in one statement: workers side by side would each sum up all that stands beside.
        self._connection.execute(text(f"INSERT INTO {name} {rows}"), self._counting.known)
        analyze(self._connection, name)
        return name


def no_states(table: str) -> str:
    """No state at all, as a relation in SQL."""
    return f"(SELECT *, 1 AS sign FROM warehouse.{table} WHERE FALSE)"


def _changed_states(connection: Connection, counting: Counting, counted: Counted, since: int) -> tuple[str, str]:
    """The states, and those beside them, that have to be counted for what came and went since a load.

    The table behind them is made once a night and last load; several things that are counted of one fact share it.
    """
    names = {"changed": f"changed_{since}_{counting.load_id}_{counted.table}", "since": str(since), "table": counted.table}
    beside = counted.beside
    if connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"pg_temp.{names['changed']}"}) is None:
        made = _CHANGED.format(**names) if beside is None else _TOUCHED.format(**names, beside=beside.table, by=beside.by)
        connection.execute(text(made))
    if beside is None:
        return names["changed"], ""
    return _BEFORE_AND_NOW.format(**names, key="row_key"), _BEFORE_AND_NOW.format(**{**names, "table": beside.table}, key=beside.by)


def tell_the_planner(connection: Connection, counting: Counting, table: str, since: int) -> None:
    """Refreshes the statistics of a fact of which much is new since a load: nobody else does between the load and the publication."""
    if table in counting.analysed:
        return
    counting.analysed.add(table)
    if connection.scalar(text(_MUCH_IS_NEW.format(table=table)), {"since": since}):
        analyze(connection, f"warehouse.{table}")


# As autovacuum judges it: a tenth of what was there when it was last looked at.
_MUCH_IS_NEW = f"""
SELECT (SELECT count(*) FROM (SELECT FROM warehouse.{{table}} WHERE loaded_by > :since LIMIT much + 1) AS new) > much
FROM (SELECT {BULK} + greatest(reltuples, 0)::bigint / 10 AS much FROM pg_class WHERE oid = 'warehouse.{{table}}'::regclass) AS known
"""
