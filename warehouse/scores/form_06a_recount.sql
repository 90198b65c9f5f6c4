-- Every dossier is looked at in each month from the one it was received in to the one it ended in: whether it was pending on the
-- last day of the month, and overdue. Nothing is carried over from month to month, so it cannot be wrong as events can.
SELECT unit_key, month::date AS month,
    coalesce(sum(sign) FILTER (WHERE month = received AND is_online), 0)::bigint AS online,
    coalesce(sum(sign) FILTER (WHERE month = received AND NOT is_online), 0)::bigint AS other,
    coalesce(sum(sign) FILTER (WHERE month = ended AND in_time AND is_early), 0)::bigint AS early,
    coalesce(sum(sign) FILTER (WHERE month = ended AND in_time AND NOT is_early), 0)::bigint AS on_day,
    coalesce(sum(sign) FILTER (WHERE month = ended AND NOT in_time), 0)::bigint AS late,
    coalesce(sum(sign) FILTER (WHERE month < ended), 0)::bigint AS pending,
    coalesce(sum(sign) FILTER (WHERE month < ended AND month >= overdue), 0)::bigint AS overdue
FROM (  -- alike in all that matters are looked at once
    SELECT sum(sign) AS sign, unit_key, is_online, date_trunc('month', received) AS received,
        coalesce(date_trunc('month', ended), 'infinity') AS ended, in_time,
        coalesce(NOT is_withdrawn AND ended < due, FALSE) AS is_early, CASE WHEN NOT is_held THEN date_trunc('month', due + 1) END AS overdue
    FROM (
        SELECT d.sign, d.unit_key, coalesce(d.channel_key = 2, FALSE) AS is_online, d.received_at::date AS received, d.due_at::date AS due,
            CASE WHEN {judged} THEN ({ended_at})::date END AS ended, CASE WHEN {judged} THEN {in_time} END AS in_time,
            s.is_withdrawn, s.dossier_status_code IN ('5', '6', '8') AS is_held
        FROM {states} d
        JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
        JOIN warehouse.dim_procedure p USING (procedure_key)
        WHERE d.deleted_at IS NULL AND s.is_received AND d.received_at >= '2000-01-01'
        OFFSET 0  -- each of these is worked out once, however often it is used
    ) dossier
    GROUP BY unit_key, is_online, 4, 5, in_time, 7, 8
) alike
CROSS JOIN LATERAL generate_series(received, least(ended, CAST(:last AS date)), interval '1 month') month
GROUP BY unit_key, month
