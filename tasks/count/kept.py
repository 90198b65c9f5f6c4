"""Counts that are kept: what changed is added to them, by the query that counts them from scratch; and whether they still agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from tasks.count.counting import Counting, fingerprint, leave_mark, marked
from tasks.count.states import AFTER_LOAD, changed_states, tell_the_planner
from warehouse.bulk import analyze
from warehouse.counted import Counted
from warehouse.indicators import facts, indicators
from warehouse.indicators.facts import kept as kept_of_fact
from warehouse.indicators.restated import kept_restated
from warehouse.scores.form_06a import form_06a
from warehouse.scores.score_766 import versions
from warehouse.scores.score_766_counts import counted_dossiers


@dataclass(frozen=True)
class Change:
    """What bringing counts up to date did to them."""

    counted: Counted
    from_scratch: bool
    """Everything was counted; whatever was made of the counts before may be another."""
    states: str
    """The states counted, as a relation in SQL with their sign: all of them, or the change."""
    lines: str
    """Temporary table of the counts added: unit_key, part, day, received, counts; where from scratch, all counts there are."""


def declared(left_out: Iterable[str] = ()) -> list[Counted]:
    """Everything that is kept counted: facts for their indicators, but those left out, form 06a, decision 766."""
    found = [
        counted
        for name, fact in facts().items()
        for kept_so in (kept_of_fact, kept_restated)
        for counted in kept_so(name, fact, [i for i in indicators() if i.fact == name and i.version_name not in set(left_out)])
    ]
    return [*found, form_06a(), *(counted_dossiers(rules) for rules in versions())]


def bring_up_to_date(connection: Connection, counting: Counting, counted: Counted) -> Change:
    """Adds what was loaded since to the counts, or counts from scratch where they were made by other rules or are no longer whole.

    A vintage is counted from scratch, out of the states known then, into a temporary table of the same form.
    """
    if counting.is_vintage:
        _make_vintage(connection)
        return _from_scratch(connection, counting, counted)
    mark, now = marked(connection, counted.name), fingerprint(connection, [repr(counted)], counted.depends_on)
    if mark is None or mark.fingerprint != now or mark.load_id > counting.load_id or mark.totals != _totals(connection, counted):
        change = _from_scratch(connection, counting, counted)
    else:
        change = _added(connection, counting, counted, mark.load_id)
    leave_mark(connection, counted.name, counting, now, _totals(connection, counted))
    return change


def count_anew(connection: Connection, counting: Counting, counted: Counted) -> Change:
    """Counts from scratch, whatever is kept."""
    connection.execute(text("DELETE FROM ops.mark WHERE item = :item"), {"item": counted.name})
    return bring_up_to_date(connection, counting, counted)


def _totals(connection: Connection, counted: Counted) -> str:
    """Number of the counts that are kept and total of each, which tells whether somebody else changed them."""
    sums = ", ".join(f"sum(counts[{place}])" for place in range(1, counted.width + 1))
    query = text(f"SELECT (count(*), {sums})::text FROM warehouse.agg_count WHERE counted = :counted")
    return str(connection.scalar(query, {"counted": counted.name}))


def _make_vintage(connection: Connection) -> None:
    connection.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS vintage_count (LIKE warehouse.agg_count INCLUDING ALL) ON COMMIT DROP"))


def _from_scratch(connection: Connection, counting: Counting, counted: Counted) -> Change:
    for table in (counted.table, *([counted.beside.table] if counted.beside else [])):
        tell_the_planner(connection, counting, table, 0)
    states = counting.states(counted.table)
    query = counted.over(states, counting.states(counted.beside.table) if counted.beside else "")
    values = {"counted": counted.name} | ({"as_of": counting.as_of} if counting.is_vintage else {})
    connection.execute(text(f"DELETE FROM {counting.counts} WHERE counted = :counted"), {"counted": counted.name})
    connection.execute(
        text(
            f"INSERT INTO {counting.counts} (counted, unit_key, part, day, received, counts) "
            f"SELECT :counted, unit_key, part, day, received, counts FROM ({query}) counting"
        ),
        values,
    )
    analyze(connection, counting.counts)
    lines = f"(SELECT unit_key, part, day, received, counts FROM {counting.counts} WHERE counted = '{counted.name}')"
    return Change(counted, True, states, lines)


def _added(connection: Connection, counting: Counting, counted: Counted, since: int) -> Change:
    states, beside = changed_states(connection, counting, counted, since)
    lines = "added_" + counted.name.replace(" ", "_").replace("-", "_")
    nothing = f"array_fill(0::bigint, ARRAY[{counted.width}])"
    together = ", ".join(f"kept.counts[{place}] + excluded.counts[{place}]" for place in range(1, counted.width + 1))
    same = "(kept.unit_key, kept.part, kept.day, kept.received) = (l.unit_key, l.part, l.day, l.received)"
    connection.execute(text(f"DROP TABLE IF EXISTS {lines}"))
    connection.execute(
        text(
            f"CREATE TEMPORARY TABLE {lines} ON COMMIT DROP AS "
            f"SELECT * FROM ({counted.over(states, beside)}) counting WHERE counts <> {nothing}; ANALYZE {lines}"
        )
    )
    values = {"counted": counted.name}
    connection.execute(
        text(
            "INSERT INTO warehouse.agg_count AS kept (counted, unit_key, part, day, received, counts) "
            f"SELECT :counted, unit_key, part, day, received, counts FROM {lines} "
            f"ON CONFLICT (counted, unit_key, part, day, received) DO UPDATE SET counts = ARRAY[{together}]"
        ),
        values,
    )
    gone = f"counts = {nothing} AND counted = :counted"
    connection.execute(text(f"DELETE FROM warehouse.agg_count kept USING {lines} l WHERE {same} AND kept.{gone}"), values)
    return Change(counted, False, states, lines)


# Whether they agree -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A count that is kept and is not what the facts say."""

    counted: str
    unit_code: str
    part: int
    day: str
    kept: list[int] | None
    """Nothing where no count is kept."""
    found: list[int] | None
    """Nothing where the facts say there is nothing."""


@dataclass(frozen=True)
class Verified:
    """Kept counts compared with a count from scratch."""

    counted: str
    lines: int
    """Counts that are kept."""
    is_due: bool
    """Never counted yet, or by other rules than those of now: the next night counts it from scratch."""
    differences: Sequence[Difference]


_DIFFERENCES = """
SELECT coalesce(u.unit_code, unit_key::text) AS unit_code, part, day::text, k.counts AS kept, f.counts AS found
FROM (SELECT unit_key, part, day, received, counts FROM warehouse.agg_count WHERE counted = :counted) k
FULL JOIN ({query}) f USING (unit_key, part, day, received)
LEFT JOIN warehouse.dim_unit u USING (unit_key)
WHERE k.counts IS DISTINCT FROM f.counts
ORDER BY 1, 2, 3
"""


def verify(connection: Connection) -> list[Verified]:
    """Compares everything that is kept counted with the same query over all facts, as they stood when they were last counted."""
    return [_verified(connection, counted) for counted in declared()]


def _verified(connection: Connection, counted: Counted) -> Verified:
    mark = marked(connection, counted.name)
    lines = connection.scalar(text("SELECT count(*) FROM warehouse.agg_count WHERE counted = :counted"), {"counted": counted.name}) or 0
    if mark is None or mark.fingerprint != fingerprint(connection, [repr(counted)], counted.depends_on):
        return Verified(counted.name, lines, True, [])
    beside = AFTER_LOAD.format(table=counted.beside.table) if counted.beside else ""
    query = counted.over(AFTER_LOAD.format(table=counted.table), beside)
    values: dict[str, Any] = {"counted": counted.name, "load_id": mark.load_id}
    rows = connection.execute(text(_DIFFERENCES.replace("{query}", query)), values)
    return Verified(counted.name, lines, False, [Difference(counted.name, *row) for row in rows])
