-- One row per unit, month and carrier: the certificates it reports beside the persons its list names, and all persons once, however many carriers they have; under several keys of the pseudonyms, once each.
-- Mỗi dòng là một đơn vị, tháng và nhà mạng: số chứng thư nhà mạng báo cáo bên cạnh số người trong danh sách, và tổng số người, mỗi người một lần dù có ở nhiều nhà mạng; qua nhiều khóa bút danh thì mỗi khóa một lần.
WITH reported AS (
    SELECT fact.unit_key, fact.month, fact.provider_key, fact.certificates_in_force,
           span.period_end AS last_day
    FROM warehouse.fact_signature AS fact
    CROSS JOIN LATERAL ({PERIOD fact.month}) AS span
    WHERE fact.known_to = 'infinity' AND fact.unit_key <> 0
), told AS (
    SELECT DISTINCT month, last_day, (last_day + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS ends_at FROM reported
), place AS (  -- a unit that went whole into another takes its people along
    SELECT lineage.earlier_key, unit.unit_key, unit.valid_from, unit.valid_to
    FROM warehouse.bridge_unit_lineage AS lineage JOIN warehouse.dim_unit AS unit USING (unit_key)
    WHERE lineage.extent = 'whole'
), history AS NOT MATERIALIZED (
    SELECT * FROM warehouse.fact_signature_holder WHERE known_to > known_from
), first AS (  -- of whom more than one state is known
    SELECT provider_key, holder_hash, min(known_from) AS known_from FROM history WHERE known_to < 'infinity' GROUP BY provider_key, holder_hash
), state AS (  -- the first state known holds for the time before it as well, but not of whom an older key may have named for that time
    SELECT holder.provider_key, holder.holder_hash, holder.key_number, holder.unit_key, holder.issued_on, holder.certificate_status,
           holder.expires_on, holder.adult_from, holder.known_to,
           CASE WHEN holder.known_from > first.known_from THEN holder.known_from
                WHEN holder.known_from >= before.since AND holder.issued_on < before.used_on THEN holder.known_from
                ELSE '-infinity' END AS holds_from
    FROM history AS holder
    LEFT JOIN first USING (provider_key, holder_hash)
    LEFT JOIN ({SPOKE_BEFORE}) AS before USING (provider_key, key_number)
), listed AS (
    SELECT told.month, coalesce(place.unit_key, state.unit_key) AS unit_key, state.provider_key, state.holder_hash, state.key_number, state.issued_on,
           state.adult_from IS NULL AS is_of_unknown_age, coalesce(state.adult_from <= told.last_day, true) AS is_adult,
           state.certificate_status = 'HIEU_LUC' AND coalesce(state.expires_on >= told.last_day, true) AS is_valid
    FROM told
    JOIN state ON state.issued_on <= told.last_day AND state.holds_from < told.ends_at AND state.known_to >= told.ends_at AND state.unit_key <> 0
    LEFT JOIN place ON place.earlier_key = state.unit_key AND told.last_day BETWEEN place.valid_from AND place.valid_to
), person AS (  -- as ND5 counts them: in the unit of the last certificate
    SELECT *, is_valid AND is_adult AND row_number() OVER (
               PARTITION BY month, holder_hash ORDER BY (is_valid AND is_adult) DESC, issued_on DESC, provider_key) = 1 AS is_counted
    FROM listed
), under_key AS (
    SELECT month, unit_key, provider_key, key_number, count(*) FILTER (WHERE is_valid) AS listed,
           count(*) FILTER (WHERE is_valid AND is_of_unknown_age) AS of_unknown_age, count(*) FILTER (WHERE is_counted) AS counted
    FROM person GROUP BY month, unit_key, provider_key, key_number
), persons AS (
    SELECT month, unit_key, provider_key, sum(listed)::bigint AS persons_listed, max(listed) AS persons_at_least,
           sum(of_unknown_age)::bigint AS persons_of_unknown_age, sum(counted)::bigint AS counted
    FROM under_key GROUP BY month, unit_key, provider_key
), mixing AS (
    SELECT month FROM under_key WHERE counted > 0 GROUP BY month HAVING count(DISTINCT key_number) > 1
)
SELECT unit.unit_code,
       unit.unit_name,
       unit.unit_level,
       unit.valid_from AS unit_valid_from,
       month AS period,
       provider.provider_name,
       reported.certificates_in_force,
       persons.persons_listed,
       persons.persons_of_unknown_age,
       sum(reported.certificates_in_force) OVER of_unit AS certificates_of_all,
       (sum(persons.counted) OVER of_unit)::bigint AS persons_of_all,
       CASE WHEN persons.persons_at_least > reported.certificates_in_force THEN 'impossible'
            WHEN reported.certificates_in_force IS NULL THEN 'no_count'
            WHEN persons.persons_listed IS NULL AND reported.certificates_in_force > 0 THEN 'no_list'
            ELSE 'holds' END AS list_verdict,
       coalesce(sum(persons.counted) OVER of_unit > 0, false) AND month IN (SELECT month FROM mixing) AS mixes_keys,
       {PLACE},
       span.period_start,
       span.period_end,
       span.period_sort
FROM reported
FULL JOIN persons USING (unit_key, month, provider_key)
JOIN warehouse.dim_unit AS unit USING (unit_key)
JOIN warehouse.dim_provider AS provider USING (provider_key)
CROSS JOIN LATERAL ({PERIOD month}) AS span
WINDOW of_unit AS (PARTITION BY unit_key, month)
