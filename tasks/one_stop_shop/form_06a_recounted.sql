-- What was counted as events, beside the same states looked at half month by half month: how many units and half months differ.
WITH looked_at AS ({recount}),
happened AS (
    SELECT unit_key, {step_of_event} AS step, {sums}
    FROM {lines} a WHERE day < CAST(:last AS date) + 32 GROUP BY 1, 2
), running AS (
    SELECT unit_key, step, coalesce(online, 0) AS online, coalesce(other, 0) AS other, coalesce(early, 0) AS early,
        coalesce(on_day, 0) AS on_day, coalesce(late, 0) AS late,
        sum(coalesce(online + other + in_online + in_other - out_online - out_other - early - on_day - late, 0)) OVER so_far AS pending,
        sum(coalesce(overdue + in_overdue - out_overdue, 0)) OVER so_far AS overdue
    FROM (SELECT unit_key, min(step) AS first FROM happened GROUP BY unit_key) unit
    JOIN form_calendar calendar ON calendar.step >= first
    LEFT JOIN happened USING (unit_key, step)
    WINDOW so_far AS (PARTITION BY unit_key ORDER BY step)
)
SELECT count(*) FROM running r FULL JOIN looked_at l USING (unit_key, step)
WHERE (coalesce(r.online, 0), coalesce(r.other, 0), coalesce(r.early, 0), coalesce(r.on_day, 0), coalesce(r.late, 0),
        coalesce(r.pending, 0), coalesce(r.overdue, 0))
   <> (coalesce(l.online, 0), coalesce(l.other, 0), coalesce(l.early, 0), coalesce(l.on_day, 0), coalesce(l.late, 0),
        coalesce(l.pending, 0), coalesce(l.overdue, 0))
