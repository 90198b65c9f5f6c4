-- What carriers report by the month: the last report of each in the period, added up; one of before its last month is of a part.
INSERT INTO counted
SELECT :key, unit_key, period, sum(carrier.counted), d.value, false, bool_or(carrier.part_last_day < t.last_day) OR d.is_part
FROM (
    SELECT DISTINCT ON (f.provider_key, f.unit_key, t.period) f.unit_key, t.period, t.part_last_day, f.{numerator} AS counted
    FROM {states} f JOIN touched_part t ON t.part = f.{day}
    WHERE f.unit_key <> 0 AND f.{numerator} IS NOT NULL AND :fact = ANY(t.facts)
    ORDER BY f.provider_key, f.unit_key, t.period, f.{day} DESC
) carrier
JOIN measured d USING (unit_key, period)
JOIN touched_period t USING (period)
WHERE d.measure = :denominator
GROUP BY unit_key, period, d.value, d.is_part
