-- Each dossier is three events: received, ended, became overdue; one that ends while it is overdue is so no longer. The unknown
-- unit counts as any other. Pending supplements, payments and stops are in time whatever the due date.
SELECT unit_key, procedure_key AS part, happening.day, received, {counts} AS counts
FROM (  -- alike in all that matters are counted once: a tenth is left
    SELECT sum(sign) AS sign, unit_key, procedure_key, is_online, received, ended, outcome,
        CASE WHEN date_trunc('month', due) < coalesce(date_trunc('month', ended), 'infinity') THEN due END AS overdue
    FROM (
        SELECT d.sign, d.unit_key, d.procedure_key, coalesce(d.channel_key = 2, FALSE) AS is_online, {received} AS received,
            CASE WHEN {judged} THEN {ended} END AS ended,
            CASE WHEN NOT ({judged}) THEN NULL WHEN NOT {in_time} THEN 'late'
                WHEN NOT s.is_withdrawn AND ({ended_at})::date < d.due_at::date THEN 'early' ELSE 'on_day' END AS outcome,
            CASE WHEN s.dossier_status_code NOT IN ('5', '6', '8') AND d.due_at IS NOT NULL THEN {due} END AS due
        FROM {states} d
        JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
        JOIN warehouse.dim_procedure p USING (procedure_key)
        WHERE d.deleted_at IS NULL AND s.is_received AND d.received_at >= '2000-01-01'
        OFFSET 0  -- each of these is worked out once, however often it is used
    ) dossier
    GROUP BY unit_key, procedure_key, is_online, received, ended, outcome, 8
) alike
CROSS JOIN LATERAL (VALUES ('received', received), ('ended', ended), ('overdue', overdue)) happening (event, day)
WHERE happening.day IS NOT NULL
GROUP BY unit_key, procedure_key, happening.day, received
