-- Distinct persons at the end of a period, each once whatever the number of carriers, in the unit of their last certificate. A unit whose
-- lists name persons, all of them out, has none; but not where a carrier has certificates there and lists nobody.
INSERT INTO counted
WITH RECURSIVE became AS (  -- a unit that went whole into another takes its people along
    SELECT unit_key, unit_key AS later_key, valid_from, valid_to FROM warehouse.dim_unit
    UNION
    SELECT b.unit_key, u.unit_key, u.valid_from, u.valid_to FROM became b
    JOIN warehouse.bridge_unit_succession s ON s.old_unit_key = b.later_key AND s.extent = 'whole'
    JOIN warehouse.dim_unit u ON u.unit_key = s.new_unit_key
), state AS (  -- the first state known holds for the time before it as well
    SELECT *, CASE WHEN known_from > min(known_from) OVER (PARTITION BY provider_key, holder_hash) THEN known_from
        ELSE '-infinity' END AS holds_from
    FROM {history} h
), ending AS (  -- the end of the period, and before it the last days of units that ended inside it: they are told as they stood then
    SELECT day, (day + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS ends_at
    FROM (
        SELECT last_day AS day FROM touched_period WHERE :fact = ANY(facts)
        UNION
        SELECT u.valid_to FROM touched_period t JOIN warehouse.dim_unit u ON u.valid_to >= t.first_day AND u.valid_to < t.last_day
        WHERE :fact = ANY(t.facts)
    ) days
), person AS (
    SELECT DISTINCT ON (at_end, holder_hash) at_end AS day, unit_key
    FROM (
        SELECT f.*, t.day AS at_end FROM state f
        JOIN ending t ON f.{day} <= t.day AND f.holds_from < t.ends_at AND f.known_to >= t.ends_at
        WHERE f.unit_key <> 0
    ) held
    WHERE {numerator}
    ORDER BY at_end, holder_hash, {day} DESC, provider_key
), listed AS (
    SELECT unit_key, min({day}) AS since FROM {history} h WHERE unit_key <> 0 GROUP BY unit_key
), own AS MATERIALIZED (  -- few, whatever the number of persons
    SELECT day, unit_key, count(*) AS persons FROM person GROUP BY day, unit_key
    UNION ALL
    SELECT day, unit_key, 0 FROM listed JOIN ending ON since <= day
)
SELECT :key, unit_key, period, persons, d.value, false, d.is_part
FROM (
    SELECT u.unit_key, t.period, sum(persons) AS persons
    FROM own
    LEFT JOIN became b ON b.unit_key = own.unit_key AND own.day BETWEEN b.valid_from AND b.valid_to
    JOIN warehouse.dim_unit u ON u.unit_key = coalesce(b.later_key, own.unit_key)
    JOIN touched_period t ON own.day >= t.first_day AND own.day = least(t.last_day, u.valid_to)
    WHERE :fact = ANY(t.facts)
    GROUP BY u.unit_key, t.period
) held
JOIN measured d USING (unit_key, period)
WHERE d.measure = :denominator
  AND (persons > 0 OR (unit_key, period) NOT IN (SELECT unit_key, period FROM flaw WHERE indicator_key = :key AND reason = 'lists_missing'))
