"""Counts added up → candidate values: what is shown of whom, its rate, and how it is to be taken."""

from __future__ import annotations

from sqlalchemy import Connection

from tasks.count.counting import Counting
from tasks.count.counts import as_of
from tasks.indicators.hierarchy import held
from warehouse.bulk import analyze
from warehouse.indicators import Indicator
from warehouse.queries import execute_with


def rounded_half_up(numerator: str, denominator: str, decimals: str) -> str:
    """SQL of 100 × numerator / denominator, rounded half up once: whole numbers all the way, so no digit is lost before."""
    tens = f"(10 ^ {decimals})::numeric"
    scaled = f"div(2 * 100 * {numerator}::numeric * {tens} + {denominator}, 2 * {denominator}::numeric)"
    return f"round({scaled} / {tens}, {decimals})"


# How an indicator is shown in a period, for units of a level; for the country where it is for provinces.
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
    NOT (replace(unit_level, 'country', 'province') = ANY(string_to_array(i.levels, ',')))
        OR t.last_day < i.valid_from OR t.first_day > i.valid_to AS is_beyond
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
LINES = """
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


def leave_candidates(
    connection: Connection,
    counting: Counting,
    keys: dict[str, int],
    declared: list[Indicator],
    derived: list[Indicator],
    lines: str = LINES,
) -> None:
    """Leaves the values of the lines that are shown in `candidate`, from `added_up`.

    `derived`: indicators that follow from a list, of which nothing has to be sent. `lines`: SQL that leaves the lines in `shown_line`.
    """
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
        "derived": [keys[i.version_name] for i in derived],
        "sample": [keys[i.version_name] for i in declared if i.is_sample],
        "sample_fact": [i.fact for i in declared if i.is_sample],
        "stock": [i.is_stock for i in declared],
        "sent_by": [i.sent_by for i in declared],
        **{name: [getattr(i, name) for i in declared] for name in ("decimals", "valid_from", "valid_to", "listed_from", "listed_to")},
        **as_of(counting),
    }
    for query, made in ((_INDICATORS, "shown_indicator"), (lines, "shown_line"), (_CANDIDATES, "candidate")):
        execute_with(connection, query.replace("{held}", held(counting)), values)
        analyze(connection, made)
