-- Each dossier is what happens to it, at the unit that has it then: received, became overdue, ended; and, where its unit ended or
-- another took over what stands above it, given up the day before and taken over. The unknown unit counts as any other.
-- How dossiers count that are set aside is the rule's (on_time.yaml).
WITH alike AS MATERIALIZED (  -- alike in all that matters are counted once: a tenth is left
    SELECT sum(sign) AS sign, first_key, last_key, procedure_key, is_online, received, ended, outcome,
        CASE WHEN {step_of_due} < coalesce({step_of_ended}, 'infinity') THEN due END AS overdue
    FROM (
        SELECT d.sign, {first} AS first_key, {last} AS last_key, d.procedure_key, coalesce(d.channel_key = 2, FALSE) AS is_online,
            {received} AS received, CASE WHEN {judged} THEN {ended} END AS ended,
            CASE WHEN NOT ({judged}) THEN NULL WHEN NOT {in_time} THEN 'late'
                WHEN NOT ({whatever_date}) AND ({ended_at})::date < d.due_at::date THEN 'early' ELSE 'on_day' END AS outcome,
            CASE WHEN NOT ({held}) AND d.due_at IS NOT NULL THEN {due} END AS due
        FROM {states} d
        JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
        JOIN warehouse.dim_procedure p USING (procedure_key)
        JOIN warehouse.dim_unit u ON u.unit_key = d.unit_key
        JOIN warehouse.dim_unit r ON r.unit_key = d.received_unit_key
        WHERE d.deleted_at IS NULL AND s.is_received AND d.received_at >= '2000-01-01'
        OFFSET 0  -- each of these is worked out once, however often it is used
    ) dossier
    GROUP BY first_key, last_key, procedure_key, is_online, received, ended, outcome, 9
), owner AS MATERIALIZED ({owners})
SELECT happening.unit_key, procedure_key AS part, happening.day, CASE WHEN event IN ('in', 'out') THEN at.received ELSE happening.day END AS received,
    {counts} AS counts
FROM alike a
JOIN owner o USING (first_key, last_key)
CROSS JOIN LATERAL (SELECT greatest(a.received, o.begins) AS received, CASE WHEN a.ended IS NOT NULL THEN greatest(a.ended, o.begins) END AS ended,
    CASE WHEN a.overdue IS NOT NULL THEN greatest(a.overdue, o.begins) END AS overdue) at
CROSS JOIN LATERAL (VALUES
    ('received', CASE WHEN at.received BETWEEN o.since AND o.until THEN at.received END, o.owner_key),
    ('in', CASE WHEN o.since > at.received THEN o.since END, o.owner_key),
    ('out', CASE WHEN o.since > at.received THEN o.since END, o.before_key),
    ('overdue', CASE WHEN at.overdue BETWEEN o.since AND o.until THEN at.overdue END, o.owner_key),
    ('ended', CASE WHEN at.ended BETWEEN o.since AND o.until THEN at.ended END, o.owner_key)
) happening (event, day, unit_key)
WHERE o.until >= at.received AND o.since <= coalesce(at.ended, 'infinity') AND happening.day IS NOT NULL
GROUP BY happening.unit_key, procedure_key, happening.day, 4
