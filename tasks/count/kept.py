"""Counts that are kept: what changed is added to them, by the query that counts them from scratch; and whether they still agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from tasks.count.counting import Counting, fingerprint, leave_mark, marked, since
from tasks.count.states import AFTER_LOAD, Rows, no_states
from tasks.count.things import HAS_OTHERS, bring_things_up_to_date, changed_things, different_things, kept_things
from warehouse.bulk import analyze
from warehouse.counted import Counted, Things
from warehouse.indicators import facts, indicators
from warehouse.indicators.facts import kept as kept_of_fact
from warehouse.indicators.restated import kept_restated
from warehouse.scores.form_06a import form_06a
from warehouse.scores.rules_766 import versions
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
    rows: str = ""
    """The rows made of the states, as a relation in SQL with their sign; nothing where no state changed."""
    since: int = 0
    """The load since which the states are: what later ones wrote was counted now."""


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
    (change,) = bring_all_up_to_date(connection, counting, [counted])
    return change


def bring_all_up_to_date(connection: Connection, counting: Counting, counted: Sequence[Counted]) -> list[Change]:
    """Brings several counts of one fact up to date; what they have in common, rows and distinct things, is put together once."""
    if counting.is_vintage:
        _make_vintage(connection)
    connection.execute(text("SET LOCAL bakhong.counting = 'on'"))  # what writes to the counts without it marks them as altered
    rows = Rows(connection, counting, are_shared=len(counted) > 1)
    things_since: dict[Things, int | None] = {}
    changes = []
    for each in counted:
        now = fingerprint(connection, [repr(each)], each.depends_on, counting.contents)
        last = since(connection, counting, each.name, now)
        if each.things is not None:
            if each.things not in things_since:
                things_since[each.things] = bring_things_up_to_date(connection, counting, each, each.things, rows)
            last = last if last == things_since[each.things] else None
        if last is None:
            change = _from_scratch(connection, counting, each, rows)
        elif last < counting.load_id:
            change = _add(connection, counting, each, rows, last)
        else:
            change = Change(each, False, no_states(each.table), _NO_LINES)
        leave_mark(connection, each.name, counting, now)
        changes.append(change)
    connection.execute(text("SET LOCAL bakhong.counting = 'off'"))
    return changes


_NO_LINES = "(SELECT unit_key, part, day, received, counts FROM warehouse.agg_count WHERE FALSE)"


def count_anew(connection: Connection, counting: Counting, counted: Counted) -> Change:
    """Counts from scratch, whatever is kept."""
    connection.execute(text("DELETE FROM ops.mark WHERE item = :item"), {"item": counted.name})
    return bring_up_to_date(connection, counting, counted)


def _make_vintage(connection: Connection) -> None:
    for vintage, kept in (("vintage_count", "agg_count"), ("vintage_thing", "agg_thing")):
        like = f"(LIKE warehouse.{kept} INCLUDING ALL)"
        connection.execute(text(f"CREATE TEMPORARY TABLE IF NOT EXISTS {vintage} {like} ON COMMIT DROP"))


def _from_scratch(connection: Connection, counting: Counting, counted: Counted, rows: Rows) -> Change:
    if counted.things is None:
        query = rows.query(counted, counted.query, None)
    else:
        query = counted.query.replace("{things}", kept_things(counting, counted, counted.things))
    values = {"counted": counted.name, **counting.known}
    connection.execute(text(f"DELETE FROM {counting.counts} WHERE counted = :counted"), values)
    connection.execute(
        text(
            f"INSERT INTO {counting.counts} (counted, unit_key, part, day, received, counts) "
            f"SELECT :counted, unit_key, part, day, received, counts FROM ({query}) counting"
        ),
        values,
    )
    analyze(connection, counting.counts)
    lines = f"(SELECT unit_key, part, day, received, counts FROM {counting.counts} WHERE counted = '{counted.name}')"
    return Change(counted, True, counting.states(counted.table), lines, rows.query(counted, "{rows}", None))


def _add(connection: Connection, counting: Counting, counted: Counted, rows: Rows, last: int) -> Change:
    if counted.things is None:
        query, changed = rows.query(counted, counted.query, last), ""
    else:
        query = counted.query.replace("{things}", changed_things(connection, counting, counted, counted.things))
        changed = f" OR {HAS_OTHERS}"  # as many as before, and not the same
    lines = "added_" + counted.name.replace(" ", "_").replace("-", "_")
    nothing = f"array_fill(0::bigint, ARRAY[{counted.width}])"
    together = ", ".join(f"kept.counts[{place}] + excluded.counts[{place}]" for place in range(1, counted.width + 1))
    same = "(kept.unit_key, kept.part, kept.day, kept.received) = (l.unit_key, l.part, l.day, l.received)"
    connection.execute(text(f"DROP TABLE IF EXISTS {lines}"))
    connection.execute(
        text(
            f"CREATE TEMPORARY TABLE {lines} ON COMMIT DROP AS "
            f"SELECT * FROM ({query}) counting WHERE counts <> {nothing}{changed}; ANALYZE {lines}"
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
    return Change(counted, False, rows.states(counted, last)[0], lines, rows.query(counted, "{rows}", last), last)


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
    queries = [_DIFFERENCES.replace("{query}", counted.over("{states}", "{beside}"))]
    if counted.things is not None and counted.belonging == Counted.belonging:
        queries.append(different_things(counted, counted.things))
    states, beside = (AFTER_LOAD.format(table=table) for table in (counted.table, counted.beside.table if counted.beside else ""))
    values: dict[str, Any] = {"counted": counted.name, "load_id": mark.load_id}
    rows = [
        row for query in queries for row in connection.execute(text(query.replace("{states}", states).replace("{beside}", beside)), values)
    ]
    return Verified(counted.name, lines, False, [Difference(counted.name, *row) for row in rows])
