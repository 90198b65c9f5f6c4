"""The units' counts → indicator values: added up the hierarchy, divided once.

Everything runs in the caller's transaction and in the database. `compute` brings the counts up to date and finds the periods that
changed (tasks.indicators.touched), counts them (tasks.count.counts) and leaves the temporary table `candidate`; `audit`
(tasks.indicators.audit) looks at it, `revise_indicators` (tasks.indicators.publish) publishes what differs. A value that cannot
have changed is no candidate: the published one holds. For a vintage, all that was known then is a candidate, and nothing that is
kept is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from tasks.count.counting import Counting
from tasks.count.counts import Failed, as_of, count
from tasks.indicators.audit import hold_back, out_of_what_was_added_up
from tasks.indicators.expected import keep_spoken, leave_expected
from tasks.indicators.publish import indicator_keys
from tasks.indicators.touched import Touched, leave_marks, touched
from warehouse import periods
from warehouse.bulk import analyze
from warehouse.indicators import Indicator, facts, indicators, listed_units
from warehouse.tables.bridge_unit_succession import WENT_ON


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
    computed, keys = found.all(), indicator_keys(connection)
    keep_spoken(connection, counting, found.expectations)
    leave_expected(connection, found.expectations, keys, found.published.union(computed))
    if computed:
        _calendar(connection, found, counting)
        count(connection, counting, keys, {name for name in facts() if found.periods[name]}, failed)
        connection.execute(text(_NO_MORE_WILL_COME))
        declared = [i for i in indicators() if i.version_name not in failed]
        hold_back(connection)
        _add_up(connection, counting, keys, declared)
        _candidates(connection, counting, keys, declared)
    leave_marks(connection, counting, failed)
    return Candidates(tuple(computed), connection.scalar(text("SELECT count(*) FROM candidate")) or 0, failed)


# Working tables --------------------------------------------------------------------------------------------------------

_TEMPORARY = """
DROP TABLE IF EXISTS touched_period, touched_part, counted, measured, held_back, reporting, listed, place, due, added_up,
  shown_indicator, shown_line, candidate, flaw;
CREATE TEMPORARY TABLE touched_period
  (period text PRIMARY KEY, period_type text, first_day date, last_day date, seen_to date, has_ended boolean,
   facts text[]) ON COMMIT DROP;
CREATE TEMPORARY TABLE touched_part
  (period text, part text, part_first_day date, part_last_day date, is_month boolean, lies_in text[], facts text[],
   PRIMARY KEY (period, part)) ON COMMIT DROP;
CREATE TEMPORARY TABLE counted
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, is_fallback boolean, is_part boolean)
  ON COMMIT DROP;
CREATE TEMPORARY TABLE flaw
  (indicator_key smallint, unit_key integer, period text, reason text, provider_key smallint, key_number smallint) ON COMMIT DROP;
CREATE TEMPORARY TABLE held_back
  (indicator_key smallint, unit_key integer, period text, reason_vi text, PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE measured (unit_key integer, period text, measure text, value bigint, is_part boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE reporting (unit_key integer, period text, PRIMARY KEY (unit_key, period)) ON COMMIT DROP;
CREATE TEMPORARY TABLE place
  (period text, unit_key integer, unit_level text, parent_key integer, is_in_force boolean, is_at_end boolean,
   PRIMARY KEY (period, unit_key)) ON COMMIT DROP;
CREATE TEMPORARY TABLE listed (name text, unit_key integer, valid_from date, valid_to date) ON COMMIT DROP;
CREATE TEMPORARY TABLE due
  (sent_by text, unit_key integer, period text, units integer, units_ever integer, PRIMARY KEY (unit_key, period, sent_by))
  ON COMMIT DROP;
CREATE TEMPORARY TABLE added_up
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, units integer, units_ever integer,
   is_firm boolean) ON COMMIT DROP;
CREATE TEMPORARY TABLE candidate
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, value numeric, obs_status text,
   obs_reason text, key_numbers smallint[], units_counted integer, units_expected integer, providers_missing smallint[]) ON COMMIT DROP;
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
    analyze(connection, "touched_period", "touched_part")


# Up the hierarchy -----------------------------------------------------------------------------------------------------

# What rests on a part of a period is all there is where a steward said that no more will come.
_NO_MORE_WILL_COME = """
UPDATE counted c SET is_part = false
FROM expected e WHERE is_part AND is_closed AND (c.indicator_key, c.period) = (e.indicator_key, e.period)
"""

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
LEFT JOIN LATERAL (
    SELECT max(valid_to) AS until FROM listed
    WHERE name = k.sent_by AND unit_key = p.unit_key AND valid_from <= t.seen_to AND valid_to >= t.first_day
) l ON true
CROSS JOIN LATERAL (
    SELECT p.unit_key, p.is_at_end
    UNION ALL
    SELECT p.parent_key, p.is_at_end
    UNION ALL
    SELECT d.parent_key, p.is_at_end AND d.is_at_end FROM place d WHERE d.period = p.period AND d.unit_key = p.parent_key
) above
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


# What is wrong with the count of a unit is so with the sums above it that it is in.
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


def held(counting: Counting) -> str:
    """SQL condition on what was in force at the state of knowledge that is published; binds :as_of in a vintage."""
    return "known_from <= :as_of AND f.known_to > :as_of" if counting.is_vintage else "known_to = 'infinity'"


def _add_up(connection: Connection, counting: Counting, keys: dict[str, int], declared: list[Indicator]) -> None:
    ways: dict[str, list[Any]] = {
        "keys": [keys[i.version_name] for i in declared],
        "whole": [i.counted_fact.counts_whole for i in declared],
        "stock": [i.is_stock for i in declared],
        "sample": [i.is_sample for i in declared],
        "sent_by": [i.sent_by for i in declared],
    }
    # Beside those of the indicators, all communes there are at the end: of these, a list holds some.
    due = {"sent_by": [*ways["sent_by"], "all"]}
    reporting = [(keys[i.version_name], i.fact if i in declared else "") for i in indicators() if i.counted_fact.way != "listed"]
    who = {"keys": [key for key, _ in reporting], "facts": [fact for _, fact in reporting]}
    connection.execute(text(_WHO_REPORTS.replace("{held}", held(counting))), who | as_of(counting))
    connection.execute(
        text(_LISTED), {name: [getattr(unit, name) for unit in listed_units()] for name in ("name", "unit_code", "valid_from", "valid_to")}
    )
    connection.execute(text(_PLACES))
    analyze(connection, "place", "counted")
    connection.execute(text(_DUE), due)
    analyze(connection, "due")
    for i in declared:
        if i.counted_fact.way == "listed":
            connection.execute(text(_ON_A_LIST), {"key": keys[i.version_name], "list": i.numerator})
    for level in ("commune", "district", "province"):
        connection.execute(text(_ADD_UP), {"level": level, **ways})
        out_of_what_was_added_up(connection)
        analyze(connection, "added_up")
    connection.execute(text(_FLAWED_ABOVE), {"stock": [keys[i.version_name] for i in declared if i.is_stock]})


def rounded_half_up(numerator: str, denominator: str, decimals: str) -> str:
    """SQL of 100 × numerator / denominator, rounded half up once: whole numbers all the way, so no digit is lost before."""
    tens = f"(10 ^ {decimals})::numeric"
    scaled = f"div(2 * 100 * {numerator}::numeric * {tens} + {denominator}, 2 * {denominator}::numeric)"
    return f"round({scaled} / {tens}, {decimals})"


# How an indicator is shown in a period, for units of a level.
_INDICATORS = """
CREATE TEMPORARY TABLE shown_indicator ON COMMIT DROP AS
WITH asked AS (  -- in a period in which a question was asked of some units, tonight or in what was published and still holds
    SELECT indicator_key, period FROM counted WHERE indicator_key = ANY(CAST(:sample AS smallint[]))
    UNION
    SELECT indicator_key, period FROM held_back WHERE indicator_key = ANY(CAST(:sample AS smallint[]))
    UNION
    SELECT f.indicator_key, f.period FROM touched_period t
    JOIN warehouse.fact_indicator f ON f.period = t.period AND f.{held} AND (f.denominator IS NOT NULL OR f.obs_reason = 'held_back')
    JOIN (SELECT unnest(CAST(:sample AS smallint[])) AS indicator_key, unnest(CAST(:sample_fact AS text[])) AS fact) i USING (indicator_key)
    WHERE i.fact <> ALL(t.facts)
)
SELECT i.*, t.period, t.first_day, t.last_day, t.has_ended, unit_level, i.fact = ANY(t.facts) OR i.is_derived AS is_touched,
    NOT i.is_derived AND coalesce(e.awaited <> '{}', false) AS is_awaited, asked.indicator_key IS NOT NULL AS is_asked,
    NOT (unit_level = ANY(string_to_array(i.levels, ','))) OR t.last_day < i.valid_from OR t.first_day > i.valid_to AS is_beyond
FROM touched_period t
CROSS JOIN (SELECT DISTINCT unit_level FROM place) level
JOIN (
    SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:facts AS text[])) AS fact,
        unnest(CAST(:levels AS text[])) AS levels, unnest(CAST(:suppress_below AS integer[])) AS suppress_below,
        unnest(CAST(:decimals AS integer[])) AS decimals,
        unnest(CAST(:valid_from AS date[])) AS valid_from, unnest(CAST(:valid_to AS date[])) AS valid_to,
        unnest(CAST(:listed_from AS date[])) AS listed_from, unnest(CAST(:listed_to AS date[])) AS listed_to,
        unnest(CAST(:is_count AS boolean[])) AS is_count,
        unnest(CAST(:sent_by AS text[])) AS sent_by, unnest(CAST(:stock AS boolean[])) AS is_stock,
        unnest(CAST(:keys AS smallint[])) = ANY(CAST(:derived AS smallint[])) AS is_derived,
        unnest(CAST(:keys AS smallint[])) = ANY(CAST(:sample AS smallint[])) AS is_sample
) i ON t.last_day BETWEEN i.listed_from AND i.listed_to
LEFT JOIN asked USING (indicator_key, period)
LEFT JOIN expected e USING (indicator_key, period)
"""

# Shown are the communes of a parent of which at least one commune reported, and everything above: a commune that
# sent nothing while its neighbours did is missing, which is worth a line; a district nobody reports from is not.
_LINES = """
CREATE TEMPORARY TABLE shown_line ON COMMIT DROP AS
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
    SELECT DISTINCT f.period, f.unit_key FROM warehouse.fact_indicator f JOIN touched_period USING (period) WHERE f.{held}
), listed_line AS (  -- what was published once stays, even where nothing is left of it; a unit that is new has lines of every indicator
    SELECT period, unit_key, p.period IS NULL AS is_new FROM shown FULL JOIN published p USING (period, unit_key)
), sending AS (  -- of those on a list, who sends data
    SELECT sent_by, above.unit_key, p.period, count(*) AS units
    FROM place p JOIN reporting r USING (period, unit_key)
    JOIN due own ON (own.unit_key, own.period) = (p.unit_key, p.period) AND own.units > 0 AND own.sent_by <> 'all'
    CROSS JOIN LATERAL (
        SELECT p.parent_key AS unit_key
        UNION ALL
        SELECT d.parent_key FROM place d WHERE d.period = p.period AND d.unit_key = p.parent_key AND d.is_at_end
    ) above
    WHERE p.unit_level = 'commune' GROUP BY sent_by, above.unit_key, p.period
)
SELECT s.*, u.unit_level, u.province_code, u.valid_to, sent_by, d.units, d.units_ever, sending.units AS units_sending
FROM listed_line s
JOIN warehouse.dim_unit u USING (unit_key)
CROSS JOIN (SELECT DISTINCT unnest(CAST(:sent_by AS text[])) AS sent_by) k
LEFT JOIN due d USING (unit_key, period, sent_by)
LEFT JOIN sending USING (unit_key, period, sent_by)
"""

# What a value lacks keeps it provisional, and is its reason. Where persons were counted under several keys, one may count twice, and the
# value is no longer like those before: a break, and its reason where it lacks nothing.
_CANDIDATES = f"""
INSERT INTO candidate
WITH flawed AS (
    SELECT indicator_key, unit_key, period,
        max(reason) FILTER (WHERE reason <> 'mixed_keys') AS lacks,  -- that another count stands in is worse than a list that is missing
        array_agg(DISTINCT provider_key ORDER BY provider_key) FILTER (WHERE provider_key IS NOT NULL) AS providers,
        array_agg(DISTINCT key_number ORDER BY key_number) FILTER (WHERE key_number IS NOT NULL) AS key_numbers
    FROM flaw GROUP BY indicator_key, unit_key, period
), line AS (
    SELECT i.indicator_key, s.unit_key, s.period, i.decimals, i.is_count, i.last_day, i.has_ended, i.is_awaited, s.province_code,
        a.is_firm, a.numerator, a.denominator, flawed.lacks, flawed.providers, flawed.key_numbers,
        i.is_beyond OR a.indicator_key IS NULL
            AND (i.is_asked OR i.sent_by <> 'all' AND s.unit_level = 'commune' AND s.units IS NULL)
            AND (i.indicator_key, s.unit_key, s.period) NOT IN (SELECT indicator_key, unit_key, period FROM held_back) AS is_outside,
        a.denominator < i.suppress_below AS is_small,
        CASE WHEN s.unit_level <> 'commune' AND NOT i.is_sample
            THEN CASE WHEN i.is_derived THEN coalesce(s.units_sending, 0) ELSE coalesce(a.units, 0) END END AS units_counted,
        CASE WHEN s.unit_level <> 'commune' AND NOT i.is_sample THEN coalesce(s.units, 0) END AS units_expected,
        s.unit_level = 'commune' OR i.is_sample OR i.is_derived
            OR CASE WHEN i.is_stock THEN a.units >= nullif(s.units, 0) ELSE a.units_ever >= nullif(s.units_ever, 0) END AS has_all_units
    FROM shown_line s
    JOIN shown_indicator i ON i.period = s.period AND i.unit_level = s.unit_level AND i.sent_by = s.sent_by AND (s.is_new OR i.is_touched)
        AND s.valid_to >= i.first_day  -- what still happens to a unit that is no more counts above it only
    LEFT JOIN added_up a ON (a.indicator_key, a.unit_key, a.period) = (i.indicator_key, s.unit_key, s.period)
    LEFT JOIN flawed ON (flawed.indicator_key, flawed.unit_key, flawed.period) = (i.indicator_key, s.unit_key, s.period)
    OFFSET 0  -- each of these is worked out once, however often it is used
), judged AS (
    SELECT *, CASE WHEN is_outside THEN 'M' WHEN denominator IS NULL THEN 'L' WHEN denominator = 0 AND NOT is_count THEN 'M'
        WHEN is_small THEN 'Q'
        WHEN NOT has_ended OR is_awaited OR NOT is_firm OR has_all_units IS NOT TRUE OR lacks IS NOT NULL THEN 'P'
        WHEN key_numbers IS NOT NULL OR EXISTS (
            SELECT FROM unnest(CAST(:broken AS smallint[]), CAST(:breaks_from AS date[]), CAST(:breaks_in AS text[])) b (key, day, province)
            WHERE b.key = line.indicator_key AND line.last_day >= b.day AND b.province IN ('', line.province_code)
        ) THEN 'B' ELSE 'A' END AS obs_status
    FROM line OFFSET 0
)
SELECT indicator_key, unit_key, period, CASE WHEN NOT is_outside THEN numerator END, CASE WHEN NOT is_outside THEN denominator END,
    CASE WHEN obs_status NOT IN ('A', 'B', 'P') THEN NULL WHEN is_count THEN numerator
        ELSE {rounded_half_up("numerator", "denominator", "decimals")} END, obs_status,
    CASE WHEN is_outside THEN 'not_applicable' WHEN obs_status = 'M' THEN 'no_cases'
        WHEN obs_status IN ('B', 'P') THEN coalesce(lacks, CASE WHEN key_numbers IS NOT NULL THEN 'mixed_keys' END) END,
    CASE WHEN obs_status IN ('B', 'P') THEN key_numbers END,
    CASE WHEN NOT is_outside THEN units_counted END, CASE WHEN NOT is_outside THEN units_expected END,
    CASE WHEN obs_status = 'P' THEN providers END
FROM judged
"""


def _candidates(connection: Connection, counting: Counting, keys: dict[str, int], declared: list[Indicator]) -> None:
    breaks = [(keys[i.version_name], one) for i in declared for one in i.breaks]
    values = {
        "keys": [keys[i.version_name] for i in declared],
        "facts": [i.fact for i in declared],
        "levels": [",".join(i.levels) for i in declared],
        "suppress_below": [i.suppress_below for i in declared],
        "broken": [key for key, _ in breaks],
        "breaks_from": [one.from_ for _, one in breaks],
        "breaks_in": [one.province for _, one in breaks],
        "is_count": [i.is_count for i in declared],
        "derived": [keys[i.version_name] for i in declared if i.counted_fact.way == "listed"],
        "sample": [keys[i.version_name] for i in declared if i.is_sample],
        "sample_fact": [i.fact for i in declared if i.is_sample],
        "stock": [i.is_stock for i in declared],
        "sent_by": [i.sent_by for i in declared],
        **{name: [getattr(i, name) for i in declared] for name in ("decimals", "valid_from", "valid_to", "listed_from", "listed_to")},
        **as_of(counting),
    }
    for query, made in ((_INDICATORS, "shown_indicator"), (_LINES, "shown_line"), (_CANDIDATES, "candidate")):
        filled = query.replace("{held}", held(counting))
        connection.execute(text(filled), {name: value for name, value in values.items() if f":{name}" in filled})
        analyze(connection, made)
