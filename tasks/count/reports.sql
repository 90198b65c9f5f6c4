-- Measures as offices report them: a figure given for the period itself, else the last of a stock or the sum of a flow inside it,
-- for each provider where the counts of several add up. A sum over some months, a stock of before the end are those of a part.
INSERT INTO measured
WITH reported AS (
    SELECT f.unit_key, CASE WHEN f.measure = ANY(:adding) THEN f.provider_key ELSE 0 END AS provider_key,
        t.period, t.part, t.part_first_day, t.part_last_day, t.lies_in, f.measure, f.value
    FROM {states} f JOIN touched_part t ON t.part = f.{day}
    WHERE f.unit_key <> 0 AND :fact = ANY(t.facts)
), widest AS (  -- a month inside a quarter that was reported itself adds nothing
    SELECT * FROM reported r WHERE NOT EXISTS (
        SELECT FROM reported w
        WHERE w.unit_key = r.unit_key AND w.provider_key = r.provider_key AND w.measure = r.measure AND w.period = r.period
          AND w.part = ANY(r.lies_in))
), last AS (
    SELECT DISTINCT ON (unit_key, period, measure, provider_key) * FROM widest
    ORDER BY unit_key, period, measure, provider_key, part_last_day DESC
)
SELECT unit_key, period, measure, sum(value), bool_or(days < last_day - first_day + 1)
FROM (
    SELECT unit_key, period, measure, provider_key, sum(value) AS value, sum(part_last_day - part_first_day + 1) AS days
    FROM widest WHERE measure = ANY(:flows) GROUP BY unit_key, period, measure, provider_key
) summed JOIN touched_period USING (period)
GROUP BY unit_key, period, measure
UNION ALL
SELECT unit_key, period, measure, sum(value), bool_or(part_last_day < last_day)
FROM last JOIN touched_period USING (period) WHERE measure <> ALL(:flows) GROUP BY unit_key, period, measure
