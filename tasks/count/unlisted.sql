-- Carriers that count something of a unit in a period, while their lists name nobody there, nor in a unit that it came of.
INSERT INTO flaw
WITH listed AS MATERIALIZED (  -- few, whatever the number of persons
    SELECT provider_key, unit_key, min({day}) AS since FROM {history} h GROUP BY provider_key, unit_key
), reported AS (
    SELECT DISTINCT ON (f.provider_key, f.unit_key, t.period) f.provider_key, f.unit_key, t.period, f.{reported} AS counted
    FROM {reports} f JOIN touched_part t ON t.part = f.{reported_day}
    WHERE f.unit_key <> 0 AND f.{reported} IS NOT NULL AND :fact = ANY(t.facts)
    ORDER BY f.provider_key, f.unit_key, t.period, f.{reported_day} DESC
)
SELECT :key, r.unit_key, r.period, 'lists_missing', r.provider_key
FROM reported r JOIN touched_period t USING (period)
WHERE r.counted > 0 AND NOT EXISTS (
    SELECT FROM listed l LEFT JOIN warehouse.bridge_unit_lineage b ON b.earlier_key = l.unit_key AND b.unit_key = r.unit_key
    WHERE l.provider_key = r.provider_key AND l.since <= t.last_day AND (l.unit_key = r.unit_key OR b.unit_key IS NOT NULL))
