"""Distinct things, as the customers of bills: kept by unit, month and key, and what changed of them as it was before and as it is now.

How many there are in a quarter or a year does not follow from how many there are in its months; it follows from which they are. And
which they are is known only as far as one key of the pseudonyms reaches: where there are several, one may be counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from tasks.count.counting import Counting, fingerprint, leave_mark, since
from tasks.count.states import Rows
from warehouse.counted import Counted, Things


def bring_things_up_to_date(connection: Connection, counting: Counting, counted: Counted, things: Things, rows: Rows) -> int | None:
    """Adds what was loaded since to the things that are kept, or makes them from scratch; returns the load since which it was added."""
    now = fingerprint(connection, [repr(things), counted.rows, repr(counted.beside)], things.depends_on, counting.contents)
    last = since(connection, counting, things.name, now)
    if last == counting.load_id:
        leave_mark(connection, things.name, counting, now)
        return last
    told = rows.query(counted, things.query, last)
    if last is None:
        connection.execute(text(f"DELETE FROM {counting.things} WHERE counted = :counted"), {"counted": things.name})
        made = text(_FROM_SCRATCH.format(kept=counting.things, told=told))
        connection.execute(made, {"counted": things.name, **counting.known})
    else:
        connection.execute(text(_ADD.format(changed=_changed(things), told=told, counted=things.name)))
    leave_mark(connection, things.name, counting, now)
    return last


def kept_things(counting: Counting, counted: Counted, things: Things) -> str:
    """All things that are kept, at the units at which they are counted, as a relation in SQL."""
    return f"(SELECT sign, unit_key, year, month, one AS thing, holds FROM ({_lists(counting, counted, things)}) list {_UNNESTED})"


def changed_things(connection: Connection, counting: Counting, counted: Counted, things: Things) -> str:
    """The things of a count that tonight changed, as a relation in SQL: their whole year, as it was and as it is."""
    changed = counted.belonging.replace("{things}", _changed(things))
    connection.execute(text(_CHANGED_HERE.format(changed=changed)))
    return _BEFORE_AND_NOW.format(lists=_lists(counting, counted, things), unnested=_UNNESTED)


HAS_OTHERS = "part = 1 AND (unit_key, day) IN (SELECT unit_key, make_date(year, month, 1) FROM changed_here)"
"""Condition on a line of a count: whether its month has other things than before, be they as many."""


def mixed_keys(counting: Counting, counted: Counted, things: Things, keys: Mapping[str, int], periods: str) -> str:
    """SELECT indicator_key, unit_key, period, key_number of what was counted under several keys, in the periods of a relation in SQL."""
    wholes = [
        f"({keys[measure.removeprefix('d_')]:d}, {place})" for place, measure in enumerate(counted.measures) if measure.startswith("d_")
    ]
    return _MIXED_KEYS.format(lists=_lists(counting, counted, things), periods=periods, wholes=", ".join(wholes))


def different_things(counted: Counted, things: Things) -> str:
    """SELECT of the lists of things that are kept and are not those that rows tell, over {states} and {beside}."""
    return _DIFFERENT.replace("{counted}", things.name).replace("{told}", things.query.replace("{rows}", f"({counted.rows})"))


def _lists(counting: Counting, counted: Counted, things: Things) -> str:
    """The lists that are kept; where a unit is counted for another, whole lists go over, since they are far fewer than what is in them."""
    columns = "1 AS sign, unit_key, year, month, key_number, things AS thing, holds"
    kept = f"SELECT {columns} FROM {counting.things} WHERE counted = '{things.name}'"
    return f"{counted.belonging.replace('{things}', f'({kept})')} OFFSET 0"


_UNNESTED = "CROSS JOIN LATERAL unnest(thing) one"


def _changed(things: Things) -> str:
    return "changed_" + things.name.replace(" ", "_")


_FROM_SCRATCH = """
INSERT INTO {kept} (counted, unit_key, year, month, key_number, holds, things)
SELECT :counted, unit_key, year, month, key_number, holds, array_agg(thing) FROM ({told}) told
GROUP BY unit_key, year, month, key_number, holds
"""

# Of a list in which something changed, all of it is written anew.
_ADD = """
DROP TABLE IF EXISTS {changed};
CREATE TEMPORARY TABLE {changed} ON COMMIT DROP AS
SELECT sum(sign)::int AS sign, unit_key, year, month, key_number, thing, holds FROM ({told}) told
GROUP BY unit_key, year, month, key_number, thing, holds HAVING sum(sign) <> 0;
ANALYZE {changed};
WITH before AS (
    DELETE FROM warehouse.agg_thing k
    USING (SELECT DISTINCT unit_key, year, month, key_number, holds FROM {changed}) c
    WHERE k.counted = '{counted}'
      AND (k.unit_key, k.year, k.month, k.key_number, k.holds) = (c.unit_key, c.year, c.month, c.key_number, c.holds)
    RETURNING k.*
)
INSERT INTO warehouse.agg_thing (counted, unit_key, year, month, key_number, holds, things)
SELECT '{counted}', unit_key, year, month, key_number, holds, array_agg(thing)
FROM (
    SELECT unit_key, year, month, key_number, holds, thing, sum(sign)::int AS times
    FROM (
        SELECT 1 AS sign, unit_key, year, month, key_number, holds, thing FROM before CROSS JOIN LATERAL unnest(things) thing
        UNION ALL
        SELECT sign, unit_key, year, month, key_number, holds, thing FROM {changed}
    ) told
    GROUP BY unit_key, year, month, key_number, holds, thing
) now
CROSS JOIN LATERAL generate_series(1, times)
GROUP BY unit_key, year, month, key_number, holds
"""

_CHANGED_HERE = """
DROP TABLE IF EXISTS changed_here;
CREATE TEMPORARY TABLE changed_here ON COMMIT DROP AS {changed};
ANALYZE changed_here
"""

# A list in which nothing changed stands on both sides as it is; of the others each thing is weighed against what changed of it.
_BEFORE_AND_NOW = """(
WITH list AS MATERIALIZED (
    SELECT *, (unit_key, year, month, holds) IN (SELECT unit_key, year, month, holds FROM changed_here) AS is_changed
    FROM ({lists}) list WHERE (unit_key, year) IN (SELECT unit_key, year FROM changed_here)
)
SELECT 0 AS sign, unit_key, year, month, one AS thing, holds FROM list {unnested}
WHERE NOT is_changed AND (unit_key, year, one) IN (SELECT unit_key, year, thing FROM changed_here)
UNION ALL
SELECT CASE WHEN sum(before) <= 0 THEN 1 WHEN sum(now) = 0 THEN -1 ELSE 0 END, unit_key, year, month, thing, holds
FROM (
    SELECT 1 AS now, 1 AS before, unit_key, year, month, one AS thing, holds FROM list {unnested}
    WHERE is_changed AND (unit_key, year, one) IN (SELECT unit_key, year, thing FROM changed_here)
    UNION ALL
    SELECT 0, -sign, unit_key, year, month, thing, holds FROM changed_here
) told
GROUP BY unit_key, year, month, thing, holds HAVING sum(now) > 0 OR sum(before) > 0
)"""

# While all there is was hashed with one key, nothing is read for it.
_MIXED_KEYS = """
WITH said AS (
    SELECT DISTINCT one.indicator_key, list.unit_key, p.period, list.key_number
    FROM ({lists}) list
    JOIN {periods} p ON make_date(list.year, list.month, 1) BETWEEN p.first_day AND p.last_day
    JOIN (VALUES {wholes}) one (indicator_key, place) ON list.holds >> one.place & 1 = 1
    WHERE EXISTS (SELECT FROM ops.pseudonym_key WHERE key_number > 1)
)
SELECT * FROM said
WHERE (indicator_key, unit_key, period) IN (SELECT indicator_key, unit_key, period FROM said GROUP BY 1, 2, 3 HAVING count(*) > 1)
"""

_DIFFERENT = """
SELECT coalesce(u.unit_code, unit_key::text), 1, make_date(year, month, 1)::text, ARRAY[cardinality(k.things)], ARRAY[cardinality(f.things)]
FROM (
    SELECT unit_key, year, month, key_number, holds, (SELECT array_agg(one ORDER BY one) FROM unnest(things) one) AS things
    FROM warehouse.agg_thing WHERE counted = '{counted}'
) k
FULL JOIN (
    SELECT unit_key, year, month, key_number, holds, array_agg(thing ORDER BY thing) AS things FROM ({told}) told
    GROUP BY unit_key, year, month, key_number, holds
) f USING (unit_key, year, month, key_number, holds)
LEFT JOIN warehouse.dim_unit u USING (unit_key)
WHERE k.things IS DISTINCT FROM f.things
ORDER BY 1, 3
"""
