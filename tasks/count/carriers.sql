-- What carriers report by the month: the last report of each in the period, added up.
INSERT INTO counted
SELECT :key, unit_key, period, sum(carrier.counted), d.value, false
FROM (
    SELECT DISTINCT ON (f.provider_key, f.unit_key, t.period) f.unit_key, t.period, f.{numerator} AS counted
    FROM {states} f JOIN touched_part t ON t.part = f.{day}
    WHERE f.unit_key <> 0 AND f.{numerator} IS NOT NULL AND :fact = ANY(t.facts)
    ORDER BY f.provider_key, f.unit_key, t.period, f.{day} DESC
) carrier
JOIN measured d USING (unit_key, period)
WHERE d.measure = :denominator
GROUP BY unit_key, period, d.value
