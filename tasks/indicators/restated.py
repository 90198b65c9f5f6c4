"""Values of units of today for the periods before they were whole: published ones of the units that went into them, put together.

What happened in a period is added up over all that went in, by numerator and denominator, and the unit's own part where it had
begun; how things stand is taken from the units in force at the period's end. Distinct customers are counted anew. Distinct holders
need not be: whoever holds something is counted in one unit only, that of the last certificate (tasks/count/holders.sql). The level
does not matter: a province that others were merged into is put together like a commune.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, text

from tasks.count.counting import Counting, fingerprint, leave_mark, marked
from tasks.count.counts import as_of, of
from tasks.count.revisions import NOTHING, Publication, Revised, revise
from tasks.count.things import mixed_keys
from tasks.indicators.candidates import rounded_half_up
from tasks.indicators.hierarchy import held
from tasks.indicators.publish import KEYS, SAME_LINE, VALUES, indicator_keys
from warehouse import periods
from warehouse.bulk import analyze
from warehouse.counted import Counted
from warehouse.indicators import Indicator, facts, indicators
from warehouse.indicators.restated import kept_restated
from warehouse.seed import is_country
from warehouse.tables import fact_indicator_restated

ITEM = "indicators restated"
"""Mark of what the restated values were last made of, beside the published ones."""


def revise_restated(connection: Connection, counting: Counting, publication: Publication, uncounted: Collection[str]) -> Revised:
    """Publishes the restated values that tonight's candidates may have changed; all of them where units or definitions are others.

    Comes after the values of the units themselves are published. Indicators that could not be counted keep what was published.
    """
    keys, is_of_country = indicator_keys(connection), is_country(connection)
    declared = [i for i in indicators() if i.version_name not in uncounted and not (is_of_country and _is_distinct(i))]
    mark, now = marked(connection, ITEM), _laid_down(connection, counting)
    leave_mark(connection, ITEM, counting, now)
    counted_again = {} if is_of_country else facts()
    distinct = [counted for name, fact in counted_again.items() for counted in kept_restated(name, fact, of(name, uncounted))]
    everything = counting.is_vintage or mark is None or mark.fingerprint != now
    connection.execute(text(_TEMPORARY))
    if not _periods(connection, counting, everything) and not everything:
        return NOTHING
    candidates = "TRUE" if everything else "(indicator_key, period) IN (SELECT indicator_key, period FROM candidate)"
    connection.execute(text(_WAYS.replace("{candidates}", candidates)), _ways(declared, keys))
    analyze(connection, "restated_way")  # else all that was ever published is read to find what belongs to it
    for counted in distinct:
        _count_anew(connection, counting, counted, keys)
    connection.execute(text(_PUBLISHED.replace("{held}", held(counting))), as_of(counting))
    analyze(connection, "published")
    connection.execute(text(_MEMBERS), {"today": counting.today})
    analyze(connection, "member", "counted_anew")
    connection.execute(text(_RESTATED))
    return revise(
        connection,
        publication,
        fact_indicator_restated,
        "restated",
        keys=KEYS,
        values=(*VALUES, "units_counted", "units_all", "units_missing"),
        counted_as="values",
        among="TRUE" if everything else "(f.indicator_key, f.period) IN (SELECT indicator_key, period FROM restated_way)",
        ends="f.indicator_key <> ALL(CAST(:uncounted AS smallint[]))" if everything else "FALSE",
        where={"uncounted": [keys[name] for name in uncounted]} if everything else {},
        same_line=SAME_LINE if any(i.version > 1 for i in indicators()) else None,
    )


_TODAY = "CAST(:today AS date) BETWEEN unit.valid_from AND unit.valid_to"

_LATEST = f"""
SELECT max(unit.valid_from) FROM warehouse.dim_unit unit
WHERE {_TODAY} AND unit.unit_key IN (SELECT unit_key FROM warehouse.bridge_unit_lineage)
"""

_UNITS = f"""
SELECT md5(string_agg(unit.unit_key::text, ',' ORDER BY unit.unit_key)) FROM warehouse.dim_unit unit WHERE {_TODAY}
"""


def _laid_down(connection: Connection, counting: Counting) -> str:
    """What decides over all restated values at once: the units of today, out of which they came, how indicators are laid down."""
    units = str(connection.scalar(text(_UNITS), {"today": counting.today}))
    laid_down = [f"{i.version_name} {i.counted_as}" for i in indicators()]
    return fingerprint(connection, [units, *laid_down], ("dim_unit", "bridge_unit_lineage"), counting.contents)


_TEMPORARY = """
DROP TABLE IF EXISTS restated_period, restated_way, counted_anew, mixed_anew, published, member, restated;
CREATE TEMPORARY TABLE restated_period
  (period text PRIMARY KEY, period_type text, first_day date, last_day date, seen_to date) ON COMMIT DROP;
CREATE TEMPORARY TABLE counted_anew
  (indicator_key smallint, unit_key integer, period text, numerator bigint, denominator bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE mixed_anew (indicator_key smallint, unit_key integer, period text, key_number smallint) ON COMMIT DROP;
"""


def _periods(connection: Connection, counting: Counting, everything: bool) -> int:
    """Notes the periods computed tonight, or published ever, in which the youngest unit of today was not there from the first day."""
    latest = connection.scalar(text(_LATEST), {"today": counting.today})
    published = f"SELECT DISTINCT period FROM warehouse.fact_indicator f WHERE f.{held(counting)}"
    query, values = (published, as_of(counting)) if everything else ("SELECT period FROM touched_period", {})
    rows = [
        {
            "period": period,
            "period_type": periods.period_type(period),
            "first_day": first,
            "last_day": last,
            "seen_to": max(first, min(last, counting.today)),
        }
        for period in connection.scalars(text(query), values)
        for first, last in [periods.days(period)]
        if latest is not None and first < latest
    ]
    if rows:
        connection.execute(text("INSERT INTO restated_period VALUES (:period, :period_type, :first_day, :last_day, :seen_to)"), rows)
    analyze(connection, "restated_period")
    return len(rows)


# How an indicator is put together in each period, of those that tonight's candidates may have changed.
_WAYS = """
CREATE TEMPORARY TABLE restated_way ON COMMIT DROP AS
SELECT i.*, p.period
FROM restated_period p CROSS JOIN (
    SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:stock AS boolean[])) AS is_stock,
        unnest(CAST(:is_count AS boolean[])) AS is_count, unnest(CAST(:sample AS boolean[])) AS is_sample,
        unnest(CAST(:distinct AS boolean[])) AS is_distinct,
        unnest(CAST(:decimals AS integer[])) AS decimals, unnest(CAST(:suppress_below AS integer[])) AS suppress_below
) i
WHERE {candidates}
"""


def _ways(declared: list[Indicator], keys: dict[str, int]) -> dict[str, Any]:
    return {
        "keys": [keys[i.version_name] for i in declared],
        "stock": [i.is_stock or i.counted_fact.way == "listed" for i in declared],  # a list names the units of its time
        "is_count": [i.is_count for i in declared],
        "sample": [i.is_sample for i in declared],
        "distinct": [_is_distinct(i) for i in declared],
        "decimals": [i.decimals for i in declared],
        "suppress_below": [i.suppress_below for i in declared],
    }


def _is_distinct(indicator: Indicator) -> bool:
    """Whether it counts each value of a column once, which no sum of units does: the country, which has no rows, restates none."""
    return indicator.count in indicator.counted_fact.distinct


def _count_anew(connection: Connection, counting: Counting, counted: Counted, keys: dict[str, int]) -> None:
    codes = [measure.removeprefix("n_") for measure in counted.measures[::2]]
    rows = ", ".join(f"({keys[code]:d}, {counted.place(f'n_{code}')}, {counted.place(f'd_{code}')})" for code in codes)
    connection.execute(
        text(
            "INSERT INTO counted_anew SELECT one.indicator_key, a.unit_key, p.period, numerator, denominator "
            f"FROM {counting.counts} a JOIN restated_period p ON p.first_day = a.day "
            "AND a.part = CASE p.period_type WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END "
            f"CROSS JOIN LATERAL (VALUES {rows}) one (indicator_key, numerator, denominator) "
            "JOIN restated_way w ON w.indicator_key = one.indicator_key AND w.period = p.period WHERE a.counted = :counted"
        ),
        {"counted": counted.name},
    )
    if counted.things is not None:
        connection.execute(text(f"INSERT INTO mixed_anew {mixed_keys(counting, counted, counted.things, keys, 'restated_period')}"))


_PUBLISHED = """
CREATE TEMPORARY TABLE published ON COMMIT DROP AS
SELECT f.* FROM warehouse.fact_indicator f JOIN restated_way USING (indicator_key, period) WHERE f.{held}
"""

# Of each unit of today that had not begun when a period did: the units that went into it, and itself; where one of them has values.
_MEMBERS = f"""
CREATE TEMPORARY TABLE member ON COMMIT DROP AS
WITH member AS (
    SELECT p.period, l.unit_key, l.earlier_key, l.extent = 'part' AS is_part,
        earlier.valid_from <= p.seen_to AND earlier.valid_to >= p.first_day AS is_in_force,
        p.seen_to BETWEEN earlier.valid_from AND earlier.valid_to AS is_at_end
    FROM restated_period p
    JOIN warehouse.dim_unit unit ON unit.valid_from > p.first_day AND {_TODAY}
    JOIN warehouse.bridge_unit_lineage l USING (unit_key)
    JOIN warehouse.dim_unit earlier ON earlier.unit_key = l.earlier_key
)
SELECT * FROM member WHERE (unit_key, period) IN (
    SELECT m.unit_key, m.period FROM member m JOIN published f ON f.unit_key = m.earlier_key AND f.period = m.period)
"""

# Where one unit's value is suppressed, it is left out: the others are published, and the sum would give it away. Several are added
# where together they are not too few. Values of a sample stand for those who were asked, never for a larger unit.
_RESTATED = f"""
CREATE TEMPORARY TABLE restated ON COMMIT DROP AS
WITH said AS (
    SELECT w.*, m.unit_key, m.earlier_key, m.is_part, m.is_in_force AND counts AS is_needed,
        f.numerator, f.denominator, f.obs_status, f.obs_reason, f.key_numbers, f.obs_status = 'Q' AND NOT m.is_part AND counts AS is_hidden,
        (f.denominator IS NOT NULL OR f.obs_reason = 'no_cases') AND f.obs_status <> 'Q' AND NOT m.is_part AND counts AS has_value
    FROM member m JOIN restated_way w USING (period)
    LEFT JOIN published f ON f.period = w.period AND f.indicator_key = w.indicator_key AND f.unit_key = m.earlier_key
    CROSS JOIN LATERAL (SELECT m.is_at_end OR NOT w.is_stock AS counts) way
), sums AS (
    SELECT indicator_key, unit_key, period, is_count, is_sample, is_distinct, decimals, suppress_below,
        count(*) FILTER (WHERE is_needed) AS units_all,
        count(*) FILTER (WHERE is_needed AND has_value) AS with_value,
        count(*) FILTER (WHERE is_needed AND is_hidden) AS hidden,
        CASE WHEN is_distinct THEN bool_or(has_value) IS NOT TRUE  -- how many of them stand elsewhere as well is not known
            ELSE coalesce(sum(denominator) FILTER (WHERE is_hidden) >= suppress_below, FALSE) END AS hidden_add_up,
        sum(numerator) FILTER (WHERE has_value) AS numerator, sum(denominator) FILTER (WHERE has_value) AS denominator,
        sum(numerator) FILTER (WHERE is_hidden) AS hidden_numerator, sum(denominator) FILTER (WHERE is_hidden) AS hidden_denominator,
        array_agg(earlier_key ORDER BY earlier_key) FILTER (WHERE is_needed AND is_part) AS parts,
        array_agg(earlier_key ORDER BY earlier_key) FILTER (WHERE is_needed AND has_value IS NOT TRUE) AS without_value,
        array_agg(earlier_key ORDER BY earlier_key) FILTER (WHERE is_needed AND has_value IS NOT TRUE AND is_hidden IS NOT TRUE) AS missing,
        bool_and(obs_status = 'M' AND obs_reason = 'not_applicable') AS is_outside,
        bool_or(obs_reason = 'held_back') IS TRUE AS is_held_back,
        string_agg(array_to_string(key_numbers, ' '), ' ') FILTER (WHERE has_value AND NOT is_distinct) AS mixed,
        bool_or(has_value AND obs_status = 'P') AS is_provisional, bool_or(has_value AND obs_status = 'B') AS is_broken,
        max(obs_reason) FILTER (WHERE has_value AND obs_status = 'P' AND obs_reason <> 'mixed_keys') AS lacks,
        max(obs_status::text) FILTER (WHERE has_value) AS a_status, max(obs_reason) FILTER (WHERE is_needed) AS a_reason
    FROM said
    GROUP BY indicator_key, unit_key, period, is_count, is_sample, is_distinct, decimals, suppress_below
    HAVING count(obs_status) > 0
), line AS (
    SELECT s.indicator_key, s.unit_key, s.period, s.decimals, s.suppress_below, s.is_count, s.is_sample, s.units_all, s.parts, s.is_outside,
        s.is_provisional, s.is_broken, s.lacks, s.a_status, s.a_reason, coalesce(mixed_anew.mixed, s.mixed) AS mixed,
        s.is_distinct AND (s.hidden > 0 AND NOT s.hidden_add_up OR s.is_held_back) AS is_counted_with_hidden,
        s.with_value + CASE WHEN hidden_add_up THEN s.hidden ELSE 0 END AS units_counted,
        s.with_value = 0 AND s.hidden > 0 AND NOT hidden_add_up AS is_all_hidden,
        CASE WHEN hidden_add_up THEN s.missing ELSE s.without_value END AS missing,
        CASE WHEN s.is_distinct THEN anew.numerator
            WHEN hidden_add_up THEN coalesce(s.numerator, 0) + s.hidden_numerator ELSE s.numerator END AS numerator,
        CASE WHEN s.is_distinct THEN anew.denominator
            WHEN hidden_add_up THEN coalesce(s.denominator, 0) + s.hidden_denominator ELSE s.denominator END AS denominator
    FROM sums s
    LEFT JOIN counted_anew anew USING (indicator_key, unit_key, period)
    LEFT JOIN (
        SELECT indicator_key, unit_key, period, string_agg(key_number::text, ' ') AS mixed FROM mixed_anew GROUP BY 1, 2, 3
    ) mixed_anew USING (indicator_key, unit_key, period)
), judged AS (
    SELECT *, CASE
        WHEN is_outside THEN ARRAY['M', 'not_applicable']
        WHEN parts IS NOT NULL THEN ARRAY['L', 'part_of_predecessor']
        WHEN is_all_hidden THEN ARRAY['Q', NULL]
        WHEN units_counted = 0 THEN ARRAY['L', a_reason]
        WHEN is_counted_with_hidden OR units_counted < units_all AND (is_sample OR coalesce(denominator, 0) = 0 AND NOT is_count)
            THEN ARRAY['L', 'predecessor_missing']
        WHEN coalesce(denominator, 0) = 0 AND NOT is_count THEN ARRAY[a_status, a_reason]
        WHEN denominator < suppress_below THEN ARRAY['Q', NULL]
        WHEN units_counted < units_all THEN ARRAY['P', 'predecessor_missing']
        ELSE ARRAY[CASE WHEN is_provisional THEN 'P' WHEN is_broken OR mixed <> '' THEN 'B' ELSE 'A' END,
            coalesce(lacks, CASE WHEN mixed <> '' THEN 'mixed_keys' END)] END AS judged
    FROM line
), told AS (
    SELECT *, judged[1] AS obs_status, judged[2] AS obs_reason, (denominator > 0 OR is_count) AND judged[1] IN ('A', 'B', 'P') AS has_value,
        judged[1] IN ('A', 'B', 'P', 'Q') OR units_counted = units_all AND judged[2] IS DISTINCT FROM 'part_of_predecessor' AS has_counts
    FROM judged
)
SELECT indicator_key, unit_key, period, CASE WHEN has_counts THEN numerator END AS numerator,
    CASE WHEN has_counts THEN denominator END AS denominator,
    CASE WHEN NOT has_value THEN NULL WHEN is_count THEN numerator
        ELSE {rounded_half_up("numerator", "denominator", "decimals")} END AS value,
    obs_status, obs_reason,
    CASE WHEN has_value AND mixed <> ''
        THEN ARRAY(SELECT DISTINCT number::smallint FROM unnest(string_to_array(mixed, ' ')) number ORDER BY 1) END AS key_numbers,
    units_counted, units_all,
    CASE obs_reason WHEN 'part_of_predecessor' THEN parts WHEN 'predecessor_missing' THEN missing END AS units_missing
FROM told
"""
