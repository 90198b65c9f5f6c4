-- Every dossier is looked at in each half month from the one it was received in to the one it ended in: whose it was on the last day,
-- whether it was pending, and overdue. Nothing is carried over from one to the next, so it cannot be wrong as events can.
WITH alike AS MATERIALIZED (  -- alike in all that matters are looked at once
    SELECT sum(sign) AS sign, first_key, last_key, is_online, received, ended, in_time, is_early, overdue
    FROM (
        SELECT d.sign, {first} AS first_key, {last} AS last_key, coalesce(d.channel_key = 2, FALSE) AS is_online,
            {received_step} AS received, CASE WHEN {judged} THEN {ended_step} END AS ended, CASE WHEN {judged} THEN {in_time} END AS in_time,
            coalesce(({judged}) AND NOT ({whatever_date}) AND ({ended_at})::date < d.due_at::date, FALSE) AS is_early,
            CASE WHEN NOT ({held}) AND d.due_at IS NOT NULL THEN {overdue_step} END AS overdue
        FROM {states} d
        JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
        JOIN warehouse.dim_procedure p USING (procedure_key)
        JOIN warehouse.dim_unit u ON u.unit_key = d.unit_key
        JOIN warehouse.dim_unit r ON r.unit_key = d.received_unit_key
        WHERE d.deleted_at IS NULL AND s.is_received AND d.received_at >= '2000-01-01'
        OFFSET 0  -- each of these is worked out once, however often it is used
    ) dossier
    GROUP BY first_key, last_key, is_online, received, ended, in_time, is_early, overdue
), owner AS MATERIALIZED ({owners})
SELECT o.owner_key AS unit_key, step.step,
    coalesce(sum(sign) FILTER (WHERE is_first AND is_online), 0)::bigint AS online,
    coalesce(sum(sign) FILTER (WHERE is_first AND NOT is_online), 0)::bigint AS other,
    coalesce(sum(sign) FILTER (WHERE is_last AND in_time AND is_early), 0)::bigint AS early,
    coalesce(sum(sign) FILTER (WHERE is_last AND in_time AND NOT is_early), 0)::bigint AS on_day,
    coalesce(sum(sign) FILTER (WHERE is_last AND NOT in_time), 0)::bigint AS late,
    coalesce(sum(sign) FILTER (WHERE is_pending), 0)::bigint AS pending,
    coalesce(sum(sign) FILTER (WHERE is_pending AND step.step >= overdue), 0)::bigint AS overdue
FROM alike a
JOIN owner o USING (first_key, last_key)
JOIN form_calendar step ON step.step BETWEEN a.received AND greatest(coalesce(a.ended, 'infinity'), o.begins)
CROSS JOIN LATERAL (
    SELECT step.step = {first_step} AND greatest(a.received, o.begins) BETWEEN o.since AND o.until AS is_first,
        step.step = {last_step} AND greatest(a.ended, o.begins) BETWEEN o.since AND o.until AS is_last,
        step.step < coalesce(a.ended, 'infinity') AND step.last_day BETWEEN o.since AND o.until AS is_pending
) seen
WHERE is_first OR is_last OR is_pending
GROUP BY o.owner_key, step.step
