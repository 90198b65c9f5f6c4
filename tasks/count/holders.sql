-- Distinct persons at the end of a period, each once whatever the number of carriers, in the unit of their last certificate. A unit whose
-- lists name persons, all of them out, has none; but not where a carrier has certificates there and lists nobody.
-- Whoever stands in the lists under two keys cannot be known to be one: counted twice, perhaps in two units, wherever somebody counts.
WITH RECURSIVE became AS (  -- a unit that went whole into another takes its people along
    SELECT unit_key, unit_key AS later_key, valid_from, valid_to FROM warehouse.dim_unit
    UNION
    SELECT b.unit_key, u.unit_key, u.valid_from, u.valid_to FROM became b
    JOIN warehouse.bridge_unit_succession s ON s.old_unit_key = b.later_key AND s.extent = 'whole'
    JOIN warehouse.dim_unit u ON u.unit_key = s.new_unit_key
), state AS (  -- the first state known holds for the time before it as well, but not of whom an older key may have named for that time
    SELECT h.*, CASE
        WHEN known_from > min(known_from) OVER (PARTITION BY provider_key, holder_hash) THEN known_from
        WHEN known_from >= since AND h.{day} < used_on THEN known_from
        ELSE '-infinity' END AS holds_from
    FROM {history} h LEFT JOIN ({spoke_before}) before USING (provider_key, key_number)
), ending AS (  -- the end of the period, and before it the last days of units that ended inside it: they are told as they stood then
    SELECT day, (day + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS ends_at
    FROM (
        SELECT last_day AS day FROM touched_period WHERE :fact = ANY(facts)
        UNION
        SELECT u.valid_to FROM touched_period t JOIN warehouse.dim_unit u ON u.valid_to >= t.first_day AND u.valid_to < t.last_day
        WHERE :fact = ANY(t.facts)
    ) days
), person AS (
    SELECT DISTINCT ON (at_end, holder_hash) at_end AS day, unit_key, key_number
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
    SELECT day, unit_key, key_number, count(*) AS persons FROM person GROUP BY day, unit_key, key_number
    UNION ALL
    SELECT day, unit_key, NULL, 0 FROM listed JOIN ending ON since <= day
), held AS MATERIALIZED (
    SELECT u.unit_key, t.period, own.day, sum(persons) AS persons
    FROM own
    LEFT JOIN became b ON b.unit_key = own.unit_key AND own.day BETWEEN b.valid_from AND b.valid_to
    JOIN warehouse.dim_unit u ON u.unit_key = coalesce(b.later_key, own.unit_key)
    JOIN touched_period t ON own.day >= t.first_day AND own.day = least(t.last_day, u.valid_to)
    WHERE :fact = ANY(t.facts)
    GROUP BY u.unit_key, t.period, own.day
), mixing AS (
    INSERT INTO flaw (indicator_key, unit_key, period, reason, key_number)
    SELECT DISTINCT :key, held.unit_key, held.period, 'mixed_keys', own.key_number
    FROM held JOIN own USING (day)
    WHERE held.persons > 0 AND own.persons > 0 AND day IN (SELECT day FROM own GROUP BY day HAVING count(DISTINCT key_number) > 1)
)
INSERT INTO counted
SELECT :key, unit_key, period, persons, d.value, false, d.is_part
FROM held
JOIN measured d USING (unit_key, period)
WHERE d.measure = :denominator
  AND (persons > 0 OR (unit_key, period) NOT IN (SELECT unit_key, period FROM flaw WHERE indicator_key = :key AND reason = 'lists_missing'))
