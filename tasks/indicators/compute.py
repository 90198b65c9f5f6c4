"""The units' counts → indicator values: added up the hierarchy, divided once, published as revisions.

Everything runs in the caller's transaction and in the database. `compute` brings the counts up to date and finds the periods that
changed (tasks.indicators.touched), counts them (tasks.count.counts) and leaves the temporary table `candidate`; `audit`
(tasks.indicators.audit) looks at it, `publish_values` turns what differs into new revisions. A value that cannot have changed is
no candidate: the published one holds. For a vintage, all that was known then is a candidate, and nothing that is kept is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from tasks.count.counting import Counting
from tasks.count.counts import Failed, as_of, count
from tasks.indicators.touched import Touched, leave_marks, touched
from warehouse import periods
from warehouse.indicators import Indicator, facts, indicators
from warehouse.tables import dim_indicator, dim_target


@dataclass(frozen=True)
class Candidates:
    """What a computation came to: the periods it looked at and how many values stand in `candidate`."""

    periods: tuple[str, ...]
    values: int
    failed: Failed
    """Indicators that are left out, since their conditions fail: code → why. Their published values stay."""


@dataclass(frozen=True)
class Publication:
    """What a publication changed; no id where there was nothing to publish."""

    publication_id: int | None
    added: int
    revised: int
    unchanged: int


def sync_indicators(connection: Connection) -> None:
    """Brings dim_indicator and dim_target to what the YAML declares; a changed way of counting is dated now."""
    known = {row.indicator_code: row for row in connection.execute(select(dim_indicator))}
    now = datetime.now(UTC)
    for declared in indicators():
        row: dict[str, Any] = {
            "indicator_name": declared.name,
            "official_table": declared.official_table,
            "pillar": declared.pillar,
            "definition": declared.definition,
            "legal_source": declared.legal_source,
            "unit_measure": declared.unit_measure,
            "decimals": declared.decimals,
            "sort_order": declared.sort_order,
            "valid_from": declared.valid_from,
            "valid_to": declared.valid_to,
            "counted_as": declared.counted_as,
        }
        old = known.get(declared.code)
        if old is None:
            # Not an upsert: a conflict would use up a number of the narrow identity every night.
            connection.execute(insert(dim_indicator).values(indicator_code=declared.code, counted_since=now, **row))
        elif any(getattr(old, column) != value for column, value in row.items()):
            changed = {"counted_since": now} if old.counted_as != declared.counted_as else {}
            connection.execute(update(dim_indicator).where(dim_indicator.c.indicator_key == old.indicator_key).values(**row, **changed))
    keys = indicator_keys(connection)
    targets = [
        {"indicator_key": keys[i.code], "valid_from": t.valid_from, "valid_to": t.valid_to, "target": t.value, "legal_source": t.source}
        for i in indicators()
        for t in i.targets
    ]
    connection.execute(delete(dim_target))
    connection.execute(insert(dim_target), targets)


def indicator_keys(connection: Connection) -> dict[str, int]:
    """Code → surrogate key of every indicator known."""
    rows = connection.execute(select(dim_indicator.c.indicator_code, dim_indicator.c.indicator_key))
    return {row.indicator_code: row.indicator_key for row in rows}


def compute(connection: Connection, counting: Counting) -> Candidates:
    """Computes the values that what is new since the last publication may have changed, into the temporary table `candidate`."""
    sync_indicators(connection)
    connection.execute(text(_TEMPORARY))
    connection.execute(text("SET LOCAL work_mem = '128MB'"))
    failed: Failed = {}
    found = touched(connection, counting, failed)
    computed = found.all()
    if computed:
        _calendar(connection, found, counting)
        keys = indicator_keys(connection)
        count(connection, counting, keys, {name for name in facts() if found.periods[name]}, failed)
        declared = [i for i in indicators() if i.code not in failed]
        _add_up(connection, counting, keys, declared)
        _candidates(connection, counting, keys, declared)
    leave_marks(connection, counting, failed)
    return Candidates(tuple(computed), connection.scalar(text("SELECT count(*) FROM candidate")) or 0, failed)


def publish_values(connection: Connection, run_id: int, as_of: datetime) -> Publication:
    """Makes every candidate that differs from the value in force a new revision; a night without news publishes nothing."""
    if not connection.scalar(text("SELECT count(*) FROM candidate")):
        return Publication(None, 0, 0, 0)
    # By the clock that dates the loads: what was loaded after it is what the next night has to compute.
    found = connection.execute(text(_PUBLISH), {"run_id": run_id, "as_of": as_of, "published_at": datetime.now(UTC)}).one()
    return Publication(found.publication_id, found.values_added, found.values_revised, found.values_unchanged)


# Working tables --------------------------------------------------------------------------------------------------------

_TEMPORARY = """
DROP TABLE IF EXISTS touched_period, touched_part, counted, measured, reporting, place, added_up, candidate;
CREATE TEMPORARY TABLE touched_period
  (period text PRIMARY KEY, period_type text, first_day date, last_day date, seen_to date, has_ended boolean,
   facts text[]) ON COMMIT DROP;
CREATE TEMPORARY TABLE touched_part
  (period text, part text, part_first_day date, part_last_day date, is_month boolean, lies_in text[], facts text[],
   PRIMARY KEY (period, part)) ON COMMIT DROP;
CREATE TEMPORARY TABLE counted
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint, is_fallback boolean) ON COMMIT DROP;
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
   PRIMARY KEY (indicator_key, unit_key, period)) ON COMMIT DROP;
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


def _held(counting: Counting) -> str:
    """SQL condition on what was in force at the state of knowledge that is published; binds :as_of in a vintage."""
    return "known_from <= :as_of AND f.known_to > :as_of" if counting.is_vintage else "known_to = 'infinity'"


def _add_up(connection: Connection, counting: Counting, keys: dict[str, int], declared: list[Indicator]) -> None:
    ways = {
        "keys": [keys[i.code] for i in declared],
        "whole": [i.counted_fact.counts_whole for i in declared],
        "stock": [i.is_stock for i in declared],
        "sample": [i.is_sample for i in declared],
    }
    reporting = [(keys[i.code], i.fact if i in declared else "") for i in indicators() if i.counted_fact.way != "units"]
    who = {"keys": [key for key, _ in reporting], "facts": [fact for _, fact in reporting]}
    connection.execute(text(_WHO_REPORTS.replace("{held}", _held(counting))), who | as_of(counting))
    connection.execute(text(_PLACES))
    for i in declared:
        if i.counted_fact.way == "units":
            connection.execute(text(_REPORTING), {"key": keys[i.code]})
    for level in ("commune", "district", "province"):
        connection.execute(text(_ADD_UP), {"level": level, **ways})
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
    SELECT i.indicator_key, s.unit_key, s.period, d.decimals, t.has_ended, a.is_complete, a.numerator, a.denominator,
        NOT (u.unit_level = ANY(string_to_array(i.levels, ','))) OR t.last_day < d.valid_from OR t.first_day > d.valid_to AS is_outside,
        a.denominator < i.suppress_below AS is_small, t.last_day >= i.breaks_from AS is_after_break
    FROM listed s JOIN touched_period t USING (period) JOIN warehouse.dim_unit u USING (unit_key)
    CROSS JOIN (
        SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:facts AS text[])) AS fact,
            unnest(CAST(:levels AS text[])) AS levels, unnest(CAST(:suppress_below AS integer[])) AS suppress_below,
            unnest(CAST(:breaks_from AS date[])) AS breaks_from,
            unnest(CAST(:keys AS smallint[])) = ANY(CAST(:derived AS smallint[])) AS is_derived
    ) i
    JOIN warehouse.dim_indicator d USING (indicator_key)
    LEFT JOIN added_up a USING (indicator_key, unit_key, period)
    WHERE s.is_new OR i.fact = ANY(t.facts) OR i.is_derived
), judged AS (
    SELECT *, CASE WHEN is_outside THEN 'M' WHEN denominator IS NULL OR denominator = 0 THEN 'L' WHEN is_small THEN 'Q'
        WHEN NOT has_ended OR NOT is_complete THEN 'P' WHEN is_after_break THEN 'B' ELSE 'A' END AS obs_status
    FROM line
)
SELECT indicator_key, unit_key, period, CASE WHEN NOT is_outside THEN numerator END, CASE WHEN NOT is_outside THEN denominator END,
    CASE WHEN obs_status IN ('A', 'B', 'P') THEN {rounded_half_up("numerator", "denominator", "decimals")} END, obs_status
FROM judged
"""


def _candidates(connection: Connection, counting: Counting, keys: dict[str, int], declared: list[Indicator]) -> None:
    connection.execute(
        text(_CANDIDATES.replace("{held}", _held(counting))),
        {
            "keys": [keys[i.code] for i in declared],
            "facts": [i.fact for i in declared],
            "levels": [",".join(i.levels) for i in declared],
            "suppress_below": [i.suppress_below for i in declared],
            "breaks_from": [min((b.from_ for b in i.breaks), default=None) for i in declared],
            "derived": [keys[i.code] for i in declared if i.counted_fact.way == "units"],
            **as_of(counting),
        },
    )
    connection.execute(text("ANALYZE candidate"))


# Publishing -----------------------------------------------------------------------------------------------------------

_PUBLISH = """
WITH compared AS (
    SELECT c.*, f.revision, f.known_from,
        f.revision IS NOT NULL AND (c.numerator, c.denominator, c.value, c.obs_status::text)
            IS NOT DISTINCT FROM (f.numerator, f.denominator, f.value, f.obs_status::text) AS is_unchanged
    FROM candidate c LEFT JOIN warehouse.fact_indicator f
        ON f.indicator_key = c.indicator_key AND f.unit_key = c.unit_key AND f.period = c.period AND f.known_to = 'infinity'
), published AS (
    INSERT INTO ops.publication (run_id, published_at, load_id, as_of, values_added, values_revised, values_unchanged)
    SELECT :run_id, :published_at, (SELECT coalesce(max(load_id), 0) FROM ops.load), :as_of, count(*) FILTER (WHERE revision IS NULL),
        count(*) FILTER (WHERE revision IS NOT NULL AND NOT is_unchanged), count(*) FILTER (WHERE is_unchanged)
    FROM compared
    RETURNING *
), closed AS (
    UPDATE warehouse.fact_indicator f SET known_to = greatest(f.known_from, :as_of)
    FROM compared c
    WHERE (f.indicator_key, f.unit_key, f.period, f.revision) = (c.indicator_key, c.unit_key, c.period, c.revision) AND NOT c.is_unchanged
    RETURNING f.indicator_key
), revised AS (
    INSERT INTO warehouse.fact_indicator
        (indicator_key, unit_key, period, revision, numerator, denominator, value, obs_status, known_from, publication_id)
    SELECT c.indicator_key, c.unit_key, c.period, coalesce(c.revision, 0) + 1, c.numerator, c.denominator, c.value, c.obs_status,
        greatest(c.known_from, :as_of), published.publication_id
    FROM compared c CROSS JOIN published
    WHERE NOT c.is_unchanged AND (SELECT count(*) FROM closed) >= 0
    RETURNING revision
)
SELECT publication_id, values_added, values_revised, values_unchanged FROM published
"""
