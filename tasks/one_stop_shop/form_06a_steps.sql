-- Every line of the form half month by half month, from its first event on: what happened in it, and what was pending and overdue at
-- its end, or when the unit ended, as the running sum of events.
INSERT INTO form_step
SELECT line, step, coalesce(online, 0), coalesce(other, 0), coalesce(early, 0), coalesce(on_day, 0), coalesce(late, 0),
    sum(coalesce(online + other + moved - early - on_day - late, 0)) OVER so_far, sum(coalesce(overdue, 0)) OVER so_far
FROM (SELECT line, min(step) AS first FROM form_event GROUP BY line) event
JOIN form_line USING (line)
JOIN warehouse.dim_unit u USING (unit_key)
JOIN form_calendar calendar ON calendar.step >= event.first AND calendar.step <= u.valid_to
LEFT JOIN (
    SELECT line, step, sum(online) AS online, sum(other) AS other, sum(early) AS early, sum(on_day) AS on_day,
        sum(late) AS late, sum(overdue) AS overdue, sum(moved_online + moved_other) AS moved
    FROM form_event GROUP BY line, step
) happened USING (line, step)
WINDOW so_far AS (PARTITION BY line ORDER BY step)
