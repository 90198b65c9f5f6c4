-- Every line of the form half month by half month, from its first event on: what happened in it, and what was pending and overdue at
-- its end, or when the unit ended, as the running sum of events.
INSERT INTO form_step
SELECT unit_key, section, sector_code, step, coalesce(online, 0), coalesce(other, 0), coalesce(early, 0), coalesce(on_day, 0), coalesce(late, 0),
    sum(coalesce(online + other + moved - early - on_day - late, 0)) OVER so_far, sum(coalesce(overdue, 0)) OVER so_far
FROM (
    SELECT unit_key, section, sector_code, min(step) AS first, valid_to FROM form_event JOIN warehouse.dim_unit USING (unit_key)
    GROUP BY unit_key, section, sector_code, valid_to
) line
JOIN {steps} calendar ON calendar.step >= line.first AND calendar.step <= least(line.valid_to, CAST(:last AS date))
LEFT JOIN (
    SELECT unit_key, section, sector_code, step, sum(online) AS online, sum(other) AS other, sum(early) AS early, sum(on_day) AS on_day,
        sum(late) AS late, sum(overdue) AS overdue, sum(moved_online + moved_other) AS moved
    FROM form_event GROUP BY unit_key, section, sector_code, step
) happened USING (unit_key, section, sector_code, step)
WINDOW so_far AS (PARTITION BY unit_key, section, sector_code ORDER BY step)
