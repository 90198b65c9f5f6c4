"""The units' counts → indicator values: added up the hierarchy, divided once.

Everything runs in the caller's transaction and in the database. `compute` brings the counts up to date and finds the periods that
changed (tasks.indicators.touched), counts them (tasks.count.counts) and leaves the temporary table `candidate`; `audit`
(tasks.indicators.audit) looks at it, `revise_indicators` (tasks.indicators.publish) publishes what differs. A value that cannot
have changed is no candidate: the published one holds. For a vintage, all that was known then is a candidate, and nothing that is
kept is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from tasks.count.counting import Counting
from tasks.count.counts import Failed, as_of, count
from tasks.indicators.audit import hold_back, out_of_what_was_added_up
from tasks.indicators.publish import indicator_keys
from tasks.indicators.touched import Touched, leave_marks, touched
from warehouse import periods
from warehouse.indicators import Indicator, facts, indicators


@dataclass(frozen=True)
class Candidates:
    """What a computation came to: the periods it looked at and how many values stand in `candidate`."""

    periods: tuple[str, ...]
    values: int
    uncounted: Failed = field(default_factory=dict)
    """Indicators whose declared condition failed: version → reason. The values published before hold."""


def compute(connection: Connection, counting: Counting) -> Candidates:
    """Computes the values that what is new since the last publication may have changed, into the temporary table `candidate`."""
    connection.execute(text(_TEMPORARY))
    connection.execute(text("SET LOCAL work_mem = '128MB'"))
    failed: Failed = {}
    found = touched(connection, counting, failed)
    computed = found.all()
    if computed:
        _calendar(connection, found, counting)
        keys = indicator_keys(connection)
        count(connection, counting, keys, {name for name in facts() if found.periods[name]}, failed)
        declared = [i for i in indicators() if i.version_name not in failed]
        hold_back(connection)
        _add_up(connection, counting, keys, declared)
        _candidates(connection, counting, keys, declared)
    leave_marks(connection, counting, failed)
    return Candidates(tuple(computed), connection.scalar(text("SELECT count(*) FROM candidate")) or 0, failed)


# Working tables --------------------------------------------------------------------------------------------------------

_TEMPORARY = """
DROP TABLE IF EXISTS touched_period, touched_part, counted, measured, held_back, reporting, place, added_up, candidate;
CREATE TEMPORARY TABLE touched_period
  (period text PRIMARY KEY, period_type text, first_day date, last_day date, seen_to date, has_ended boolean,
   facts text[]) ON COMMIT DROP;
CREATE TEMPORARY TABLE touched_part
  (period text, part text, part_first_day date, part_last_day date, is_month boolean, lies_in text[], facts text[],
   PRIMARY KEY (period, part)) ON COMMIT DROP;
CREATE TEMPORARY TABLE counted
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, is_fallback boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE held_back
  (indicator_key smallint, unit_key integer, period text, reason_vi text, PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE measured (unit_key integer, period text, measure text, value bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE reporting (unit_key integer, period text, PRIMARY KEY (unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE place
  (period text, unit_key integer, unit_level text, parent_key integer, is_in_force boolean, is_at_end boolean,
   PRIMARY KEY (period, unit_key)) ON COMMIT DROP;
CREATE TEMPORARY TABLE added_up
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, is_complete boolean,
   PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE candidate
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, value numeric, obs_status text,
   obs_reason text, PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
"""


def _calendar(connection: Connection, found: Touched, counting: Counting) -> None:
    for period in found.all():
        first, last = periods.days(period)
        names = [name for name in facts() if period in found.periods[name]]
        connection.execute(
            text("INSERT INTO touched_period VALUES (:period, :period_type, :first_day, :last_day, :seen_to, :has_ended, :facts)"),
            {
                "period": period,
                "period_type": periods.period_type(period),
                "first_day": first,
                "last_day": last,
                "seen_to": max(first, min(last, counting.today)),
                "has_ended": counting.has_ended(period),
                "facts": names,
            },
        )
        connection.execute(
            text("INSERT INTO touched_part VALUES (:period, :part, :first_day, :last_day, :is_month, :lies_in, :facts)"),
            [
                {
                    "period": period,
                    "part": part,
                    "first_day": periods.days(part)[0],
                    "last_day": periods.days(part)[1],
                    "is_month": periods.period_type(part) == "month",
                    "lies_in": periods.containing(part)[1:],
                    "facts": names,
                }
                for part in periods.parts(period)
            ],
        )
    connection.execute(text("ANALYZE touched_period; ANALYZE touched_part"))


# Up the hierarchy -----------------------------------------------------------------------------------------------------

# A unit runs the model of which anything was counted, now or in what was published and still holds: of facts that nothing
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

# Units in force at any time of the period so far, units that rows count for although it was over, and what stands
# above them. At the end: on the last day of the unit above, or of the period so far.
_PLACES = """
INSERT INTO place
WITH RECURSIVE placed AS (
    SELECT t.period, t.first_day, t.seen_to, u.unit_key, u.unit_level, u.valid_from, u.valid_to,
        p.unit_key AS parent_key, p.valid_to AS parent_valid_to
    FROM touched_period t CROSS JOIN warehouse.dim_unit u
    LEFT JOIN warehouse.dim_unit p ON p.unit_code = u.parent_code
        AND greatest(u.valid_from, least(u.valid_to, t.seen_to)) BETWEEN p.valid_from AND p.valid_to
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
FROM here JOIN placed USING (period, unit_key);
ANALYZE place; ANALYZE counted;
"""

# The whole is every commune there is at the end.
_REPORTING = """
INSERT INTO counted
SELECT :key, above.unit_key, p.period,
    count(*) FILTER (WHERE EXISTS (SELECT FROM reporting r WHERE r.unit_key = p.unit_key AND r.period = p.period)), count(*), false
FROM place p
CROSS JOIN LATERAL (
    SELECT p.parent_key AS unit_key
    UNION ALL
    SELECT d.parent_key FROM place d WHERE d.period = p.period AND d.unit_key = p.parent_key AND d.is_at_end
) above
WHERE p.unit_level = 'commune' AND p.is_at_end AND above.unit_key IS NOT NULL
GROUP BY above.unit_key, p.period
"""

# Rows that a district handled itself are added to those of its communes. A figure that was reported for the district
# as a whole takes the place of their sum. A stock is that of the units there are at the end: those that went before
# would count its people twice.
_ADD_UP = """
INSERT INTO added_up
WITH way AS (
    SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key,
        unnest(CAST(:whole AS boolean[])) AS counts_whole, unnest(CAST(:stock AS boolean[])) AS is_stock,
        unnest(CAST(:sample AS boolean[])) AS is_sample
), own AS (
    SELECT c.*, i.counts_whole FROM counted c JOIN place p USING (period, unit_key) JOIN way i USING (indicator_key)
    WHERE p.unit_level = :level
), below AS (
    SELECT a.indicator_key, p.parent_key AS unit_key, p.period, sum(a.numerator) AS numerator, sum(a.denominator) AS denominator,
        bool_and(a.is_complete)
            AND (bool_and(i.is_sample)
                OR count(*) FILTER (WHERE p.is_in_force) = max(CASE WHEN i.is_stock THEN all_of.units_at_end ELSE all_of.units END))
            AS is_complete
    FROM added_up a
    JOIN way i USING (indicator_key)
    JOIN place p USING (period, unit_key)
    JOIN place parent ON parent.period = p.period AND parent.unit_key = p.parent_key
    LEFT JOIN (
        SELECT period, parent_key, count(*) AS units, count(*) FILTER (WHERE is_at_end) AS units_at_end
        FROM place WHERE is_in_force GROUP BY period, parent_key
    ) all_of ON all_of.period = p.period AND all_of.parent_key = p.parent_key
    WHERE parent.unit_level = :level AND (p.is_at_end OR NOT i.is_stock)
    GROUP BY a.indicator_key, p.parent_key, p.period
)
SELECT indicator_key, unit_key, period,
    CASE WHEN own.counts_whole THEN own.numerator ELSE coalesce(own.numerator, 0) + coalesce(below.numerator, 0) END,
    CASE WHEN own.counts_whole THEN own.denominator ELSE coalesce(own.denominator, 0) + coalesce(below.denominator, 0) END,
    NOT coalesce(own.is_fallback, false) AND (:level = 'commune' OR coalesce(own.counts_whole, false) OR coalesce(below.is_complete, false))
FROM own FULL JOIN below USING (indicator_key, unit_key, period)
"""


def held(counting: Counting) -> str:
    """SQL condition on what was in force at the state of knowledge that is published; binds :as_of in a vintage."""
    return "known_from <= :as_of AND f.known_to > :as_of" if counting.is_vintage else "known_to = 'infinity'"


def _add_up(connection: Connection, counting: Counting, keys: dict[str, int], declared: list[Indicator]) -> None:
    ways = {
        "keys": [keys[i.version_name] for i in declared],
        "whole": [i.counted_fact.counts_whole for i in declared],
        "stock": [i.is_stock for i in declared],
        "sample": [i.is_sample for i in declared],
    }
    reporting = [(keys[i.version_name], i.fact if i in declared else "") for i in indicators() if i.counted_fact.way != "units"]
    who = {"keys": [key for key, _ in reporting], "facts": [fact for _, fact in reporting]}
    connection.execute(text(_WHO_REPORTS.replace("{held}", held(counting))), who | as_of(counting))
    connection.execute(text(_PLACES))
    for i in declared:
        if i.counted_fact.way == "units":
            connection.execute(text(_REPORTING), {"key": keys[i.version_name]})
    for level in ("commune", "district", "province"):
        connection.execute(text(_ADD_UP), {"level": level, **ways})
        out_of_what_was_added_up(connection)
        connection.execute(text("ANALYZE added_up"))


def rounded_half_up(numerator: str, denominator: str, decimals: str) -> str:
    """SQL of 100 × numerator / denominator, rounded half up once: whole numbers all the way, so no digit is lost before."""
    scaled = f"div(2 * 100 * {numerator}::numeric * 10::numeric ^ {decimals} + {denominator}, 2 * {denominator}::numeric)"
    return f"round({scaled} / 10::numeric ^ {decimals}, {decimals})"


# Shown are the communes of a parent of which at least one commune reported, and everything above: a commune that
# sent nothing while its neighbours did is missing, which is worth a line; a district nobody reports from is not.
_CANDIDATES = f"""
INSERT INTO candidate
WITH reported AS (
    SELECT DISTINCT a.period, a.unit_key, p.unit_level, p.parent_key FROM added_up a JOIN place p USING (period, unit_key)
    WHERE a.indicator_key <> ALL(CAST(:derived AS smallint[]))
), shown AS (
    SELECT period, unit_key FROM reported
    UNION
    SELECT p.period, p.unit_key FROM place p
    WHERE p.unit_level = 'commune' AND p.is_in_force
      AND (p.period, p.parent_key) IN (SELECT period, parent_key FROM reported WHERE unit_level = 'commune')
), published AS (
    SELECT DISTINCT f.period, f.unit_key FROM warehouse.fact_indicator f JOIN touched_period USING (period) WHERE f.{{held}}
), listed AS (  -- what was published once stays, even where nothing is left of it; a unit that is new has lines of every indicator
    SELECT period, unit_key, p.period IS NULL AS is_new FROM shown FULL JOIN published p USING (period, unit_key)
), line AS (
    SELECT i.indicator_key, s.unit_key, s.period, i.decimals, t.has_ended, a.is_complete, a.numerator, a.denominator,
        NOT (u.unit_level = ANY(string_to_array(i.levels, ','))) OR t.last_day < i.valid_from OR t.first_day > i.valid_to AS is_outside,
        a.denominator < i.suppress_below AS is_small, t.last_day >= i.breaks_from AS is_after_break
    FROM listed s JOIN touched_period t USING (period) JOIN warehouse.dim_unit u USING (unit_key)
    CROSS JOIN (
        SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:facts AS text[])) AS fact,
            unnest(CAST(:levels AS text[])) AS levels, unnest(CAST(:suppress_below AS integer[])) AS suppress_below,
            unnest(CAST(:breaks_from AS date[])) AS breaks_from, unnest(CAST(:decimals AS integer[])) AS decimals,
            unnest(CAST(:valid_from AS date[])) AS valid_from, unnest(CAST(:valid_to AS date[])) AS valid_to,
            unnest(CAST(:listed_from AS date[])) AS listed_from, unnest(CAST(:listed_to AS date[])) AS listed_to,
            unnest(CAST(:keys AS smallint[])) = ANY(CAST(:derived AS smallint[])) AS is_derived
    ) i
    LEFT JOIN added_up a USING (indicator_key, unit_key, period)
    WHERE t.last_day BETWEEN i.listed_from AND i.listed_to AND (s.is_new OR i.fact = ANY(t.facts) OR i.is_derived)
      AND u.valid_to >= t.first_day  -- what still happens to a unit that is no more counts above it only
), judged AS (
    SELECT *, CASE WHEN is_outside THEN 'M' WHEN denominator IS NULL OR denominator = 0 THEN 'L' WHEN is_small THEN 'Q'
        WHEN NOT has_ended OR NOT is_complete THEN 'P' WHEN is_after_break THEN 'B' ELSE 'A' END AS obs_status
    FROM line
)
SELECT indicator_key, unit_key, period, CASE WHEN NOT is_outside THEN numerator END, CASE WHEN NOT is_outside THEN denominator END,
    CASE WHEN obs_status IN ('A', 'B', 'P') THEN {rounded_half_up("numerator", "denominator", "decimals")} END, obs_status,
    CASE obs_status WHEN 'M' THEN 'not_applicable' END
FROM judged
"""


def _candidates(connection: Connection, counting: Counting, keys: dict[str, int], declared: list[Indicator]) -> None:
    connection.execute(
        text(_CANDIDATES.replace("{held}", held(counting))),
        {
            "keys": [keys[i.version_name] for i in declared],
            "facts": [i.fact for i in declared],
            "levels": [",".join(i.levels) for i in declared],
            "suppress_below": [i.suppress_below for i in declared],
            "breaks_from": [min((b.from_ for b in i.breaks), default=None) for i in declared],
            "derived": [keys[i.version_name] for i in declared if i.counted_fact.way == "units"],
            **{name: [getattr(i, name) for i in declared] for name in ("decimals", "valid_from", "valid_to", "listed_from", "listed_to")},
            **as_of(counting),
        },
    )
    connection.execute(text("ANALYZE candidate"))
