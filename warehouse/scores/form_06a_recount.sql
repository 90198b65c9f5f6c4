-- Every dossier is looked at in each month from the one it was received in to the one it ended in: whether it was pending on the
-- last day of the month, and overdue. Nothing is carried over from month to month, so it cannot be wrong as events can.
SELECT unit_key, month,
    coalesce(sum(sign) FILTER (WHERE received >= month AND is_online), 0)::bigint AS online,
    coalesce(sum(sign) FILTER (WHERE received >= month AND NOT is_online), 0)::bigint AS other,
    coalesce(sum(sign) FILTER (WHERE ended <= month_end AND in_time AND NOT is_withdrawn AND ended < due), 0)::bigint AS early,
    coalesce(sum(sign) FILTER (WHERE ended <= month_end AND in_time AND (is_withdrawn OR due IS NULL OR ended >= due)), 0)::bigint AS on_day,
    coalesce(sum(sign) FILTER (WHERE ended <= month_end AND NOT in_time), 0)::bigint AS late,
    coalesce(sum(sign) FILTER (WHERE ended IS NULL OR ended > month_end), 0)::bigint AS pending,
    coalesce(sum(sign) FILTER (WHERE (ended IS NULL OR ended > month_end) AND due < month_end AND NOT is_held), 0)::bigint AS overdue
FROM (
    SELECT d.sign, d.unit_key, coalesce(d.channel_key = 2, FALSE) AS is_online, d.received_at::date AS received, d.due_at::date AS due,
        CASE WHEN {judged} THEN ({ended_at})::date END AS ended, CASE WHEN {judged} THEN {in_time} END AS in_time,
        s.is_withdrawn, s.dossier_status_code IN ('5', '6', '8') AS is_held
    FROM {states} d
    JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
    JOIN warehouse.dim_procedure p USING (procedure_key)
    WHERE d.deleted_at IS NULL AND s.is_received AND d.received_at >= '2000-01-01'
) dossier
CROSS JOIN LATERAL (
    SELECT month::date, (month + interval '1 month - 1 day')::date AS month_end
    FROM generate_series(date_trunc('month', received), least(coalesce(ended, :last), :last)::timestamp, interval '1 month') month
) looked_at
GROUP BY unit_key, month
