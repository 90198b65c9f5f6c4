"""Counts up the hierarchy: from communes to districts and provinces, each unit where it stood in the period."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from tasks.count.counting import Counting
from tasks.count.counts import as_of
from tasks.indicators.audit import out_of_what_was_added_up
from warehouse.bulk import analyze
from warehouse.indicators import Indicator, indicators, listed_units
from warehouse.tables.bridge_unit_succession import WENT_ON


def add_up(connection: Connection, counting: Counting, keys: dict[str, int], declared: list[Indicator]) -> None:
    """Adds `counted` up into `added_up`, from communes to districts and provinces; what is wrong with a count is so above it."""
    leave_places(connection, counting, keys, declared)
    for i in declared:
        if i.counted_fact.way == "listed":
            connection.execute(text(_ON_A_LIST), {"key": keys[i.version_name], "list": i.numerator})
    for level in ("commune", "district", "province"):
        add_up_to(connection, level, keys, declared)
    flaws_above(connection, keys, declared)


def leave_places(connection: Connection, counting: Counting, keys: dict[str, int], declared: list[Indicator]) -> None:
    """Leaves the units there are in the periods, and what stands above them, in `place`, and how many communes must send in `due`."""
    reporting = [(keys[i.version_name], i.fact if i in declared else "") for i in indicators() if i.counted_fact.way != "listed"]
    who = {"keys": [key for key, _ in reporting], "facts": [fact for _, fact in reporting]}
    connection.execute(text(_WHO_REPORTS.replace("{held}", held(counting))), who | as_of(counting))
    connection.execute(
        text(_LISTED), {name: [getattr(unit, name) for unit in listed_units()] for name in ("name", "unit_code", "valid_from", "valid_to")}
    )
    connection.execute(text(_PLACES))
    analyze(connection, "place", "counted")
    # Beside those of the indicators, all communes there are at the end: of these, a list holds some.
    connection.execute(text(_DUE), {"sent_by": [*(i.sent_by for i in declared), "all"]})
    analyze(connection, "due")


def add_up_to(connection: Connection, level: str, keys: dict[str, int], declared: list[Indicator]) -> None:
    """Adds up to the units of a level, from what they counted themselves and from those right below."""
    ways: dict[str, list[Any]] = {
        "keys": [keys[i.version_name] for i in declared],
        "whole": [i.counted_fact.counts_whole for i in declared],
        "stock": [i.is_stock for i in declared],
        "sample": [i.is_sample for i in declared],
        "sent_by": [i.sent_by for i in declared],
    }
    connection.execute(text(_ADD_UP), {"level": level, **ways})
    out_of_what_was_added_up(connection)
    analyze(connection, "added_up")


def flaws_above(connection: Connection, keys: dict[str, int], declared: list[Indicator]) -> None:
    """Notes in `flaw` that what is wrong with a count is so with the sums that it is in."""
    connection.execute(text(_FLAWED_ABOVE), {"stock": [keys[i.version_name] for i in declared if i.is_stock]})


def held(counting: Counting) -> str:
    """SQL condition on what was in force at the state of knowledge that is published; binds :as_of in a vintage."""
    return "known_from <= :as_of AND f.known_to > :as_of" if counting.is_vintage else "known_to = 'infinity'"


# A unit sends data of which anything was counted, now or in what was published and still holds: of facts that nothing
# changed in, and of indicators that are left out tonight.
_WHO_REPORTS = """
INSERT INTO reporting
SELECT unit_key, period FROM counted
UNION
SELECT f.unit_key, f.period FROM touched_period t
JOIN warehouse.fact_indicator f ON f.period = t.period AND f.{held} AND f.denominator IS NOT NULL
JOIN (SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:facts AS text[])) AS fact) i USING (indicator_key)
WHERE i.fact <> ALL(t.facts)
"""

# A list names the units of its time: what bears the code of one later, for another extent, is not on it.
_LISTED = """
INSERT INTO listed
SELECT l.name, u.unit_key, l.valid_from, least(l.valid_to, u.valid_to)
FROM (SELECT unnest(CAST(:name AS text[])) AS name, unnest(CAST(:unit_code AS text[])) AS unit_code,
    unnest(CAST(:valid_from AS date[])) AS valid_from, unnest(CAST(:valid_to AS date[])) AS valid_to) l
JOIN warehouse.dim_unit u ON u.unit_code = l.unit_code AND l.valid_from BETWEEN u.valid_from AND u.valid_to
"""

# Units in force at any time of the period so far, units that rows count for although it was over, and what stands
# above them. At the end: on the last day of the unit above, or of the period so far. A unit above that only changed its kind or name
# in the period, as a province that became a city, goes on: all of the period is that of the later version.
_PLACES = f"""
INSERT INTO place
WITH RECURSIVE went_on AS ({WENT_ON}), placed AS (
    SELECT t.period, t.first_day, t.seen_to, u.unit_key, u.unit_level, u.valid_from, u.valid_to,
        p.unit_key AS parent_key, p.valid_to AS parent_valid_to
    FROM touched_period t CROSS JOIN warehouse.dim_unit u
    LEFT JOIN warehouse.dim_unit above ON above.unit_code = u.parent_code
        AND greatest(u.valid_from, least(u.valid_to, t.seen_to)) BETWEEN above.valid_from AND above.valid_to
    LEFT JOIN went_on ON went_on.unit_key = above.unit_key AND went_on.since <= t.seen_to
    LEFT JOIN warehouse.dim_unit p ON p.unit_key = coalesce(went_on.later_key, above.unit_key)
    WHERE u.unit_key <> 0
), here AS (
    SELECT period, unit_key FROM placed WHERE valid_from <= seen_to AND valid_to >= first_day
  UNION
    SELECT period, unit_key FROM reporting
  UNION
    SELECT period, placed.parent_key FROM here JOIN placed USING (period, unit_key) WHERE placed.parent_key IS NOT NULL
)
SELECT period, unit_key, unit_level, parent_key, valid_from <= seen_to AND valid_to >= first_day,
    least(coalesce(parent_valid_to, seen_to), seen_to) BETWEEN valid_from AND valid_to
FROM here JOIN placed USING (period, unit_key)
"""

# Communes that must send an indicator, to each unit above them: those there are at the end, which is how many one speaks of, and those
# that ever were in the period, without which what happened in it is incomplete.
_DUE = """
INSERT INTO due
SELECT k.sent_by, above.unit_key, p.period,
    count(*) FILTER (WHERE p.is_in_force AND above.is_at_end AND (k.sent_by = 'all' OR l.until >= least(t.seen_to, u.valid_to))),
    count(*) FILTER (WHERE p.is_in_force)
FROM place p JOIN touched_period t USING (period) JOIN warehouse.dim_unit u USING (unit_key)
CROSS JOIN (SELECT DISTINCT unnest(CAST(:sent_by AS text[])) AS sent_by) k
LEFT JOIN (
    SELECT name, unit_key, period, max(valid_to) AS until
    FROM listed JOIN touched_period ON valid_from <= seen_to AND valid_to >= first_day GROUP BY 1, 2, 3
) l ON (l.name, l.unit_key, l.period) = (k.sent_by, p.unit_key, p.period)
LEFT JOIN place d ON (d.period, d.unit_key) = (p.period, p.parent_key)
CROSS JOIN LATERAL (
    VALUES (p.unit_key, p.is_at_end), (p.parent_key, p.is_at_end), (d.parent_key, p.is_at_end AND d.is_at_end)
) above (unit_key, is_at_end)
WHERE p.unit_level = 'commune' AND above.unit_key IS NOT NULL AND (k.sent_by = 'all' OR l.until IS NOT NULL)
GROUP BY k.sent_by, above.unit_key, p.period
"""

# Of all communes there are at the end, those on the list; which of these send data is told beside it.
_ON_A_LIST = """
INSERT INTO counted
SELECT :key, every.unit_key, every.period, coalesce(l.units, 0), every.units, false, false
FROM due every JOIN place p USING (period, unit_key)
LEFT JOIN due l ON (l.unit_key, l.period, l.sent_by) = (every.unit_key, every.period, :list)
WHERE every.sent_by = 'all' AND every.units > 0 AND p.unit_level <> 'commune'
"""

# Rows that a district handled itself are added to those of its communes. A figure that was reported for the district
# as a whole takes the place of their sum, and speaks for all of them. A stock is that of the units there are at the end: those
# that went before would count its people twice. Of a sample nothing is added up: it says nothing of units that were not asked.
_ADD_UP = """
INSERT INTO added_up
WITH way AS (
    SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:sent_by AS text[])) AS sent_by,
        unnest(CAST(:whole AS boolean[])) AS counts_whole, unnest(CAST(:stock AS boolean[])) AS is_stock,
        unnest(CAST(:sample AS boolean[])) AS is_sample
), own AS (
    SELECT c.*, i.counts_whole, d.units, d.units_ever
    FROM counted c JOIN place p USING (period, unit_key) JOIN way i USING (indicator_key)
    LEFT JOIN due d USING (unit_key, period, sent_by)
    WHERE p.unit_level = :level
), below AS (
    SELECT a.indicator_key, p.parent_key AS unit_key, p.period, sum(a.numerator) AS numerator, sum(a.denominator) AS denominator,
        sum(a.units) FILTER (WHERE p.is_at_end) AS units, sum(a.units_ever) AS units_ever, bool_and(a.is_firm) AS is_firm
    FROM added_up a
    JOIN way i USING (indicator_key)
    JOIN place p USING (period, unit_key)
    JOIN place parent ON parent.period = p.period AND parent.unit_key = p.parent_key
    WHERE parent.unit_level = :level AND (p.is_at_end OR NOT i.is_stock) AND NOT i.is_sample
    GROUP BY a.indicator_key, p.parent_key, p.period
)
SELECT indicator_key, unit_key, period,
    CASE WHEN own.counts_whole THEN own.numerator ELSE coalesce(own.numerator, 0) + coalesce(below.numerator, 0) END,
    CASE WHEN own.counts_whole THEN own.denominator ELSE coalesce(own.denominator, 0) + coalesce(below.denominator, 0) END,
    CASE WHEN own.counts_whole OR :level = 'commune' THEN coalesce(own.units, 0) ELSE coalesce(below.units, 0) END,
    CASE WHEN own.counts_whole OR :level = 'commune' THEN coalesce(own.units_ever, 0) ELSE coalesce(below.units_ever, 0) END,
    NOT coalesce(own.is_fallback OR own.is_part, false) AND (coalesce(own.counts_whole, false) OR coalesce(below.is_firm, true))
FROM own FULL JOIN below USING (indicator_key, unit_key, period)
"""

_FLAWED_ABOVE = """
INSERT INTO flaw
WITH RECURSIVE above AS (
    SELECT * FROM flaw
  UNION
    SELECT a.indicator_key, p.parent_key, a.period, a.reason, a.provider_key, a.key_number
    FROM above a JOIN place p USING (period, unit_key)
    WHERE (p.is_at_end OR a.indicator_key <> ALL(CAST(:stock AS smallint[])))
      AND (a.indicator_key, a.unit_key, a.period) IN (SELECT indicator_key, unit_key, period FROM added_up)
)
SELECT * FROM above WHERE unit_key IS NOT NULL
EXCEPT SELECT * FROM flaw
"""
