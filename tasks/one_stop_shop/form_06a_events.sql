-- What climbs from each unit: what happened in it and what it took over, to the units above it on that day; what it gave up, to those
-- above it on the day before that go on. What happened before the periods that are computed is put together on the day before them.
INSERT INTO form_event
WITH own AS (
    SELECT a.unit_key, a.day, a.received, p.sector_code, {sums}
    FROM {counts} a JOIN warehouse.dim_procedure p ON p.procedure_key = a.part
    WHERE a.counted = 'form_06a' AND a.day <= :today AND p.sector_code IN (SELECT sector_code FROM form_line)
    GROUP BY 1, 2, 3, 4
), climbed AS (
    SELECT ancestor_key, ancestor.section, sector_code, own.day, own.received, online, other, early, on_day, late, overdue + in_overdue AS overdue,
        in_online AS moved_online, in_other AS moved_other
    FROM own JOIN ancestor ON ancestor.unit_key = own.unit_key AND {holds_on_day}
    UNION ALL
    SELECT ancestor_key, ancestor.section, sector_code, own.day, own.received, 0, 0, 0, 0, 0, -out_overdue, -out_online, -out_other
    FROM own JOIN ancestor ON ancestor.unit_key = own.unit_key AND {holds_on_day_before} AND ancestor_to >= own.day
    WHERE out_online <> 0 OR out_other <> 0
), counted AS (
    SELECT line, greatest(c.day, l.begins - 1) AS day, least(c.received, greatest(c.day, l.begins - 1)) AS received,
        sum(online) AS online, sum(other) AS other, sum(early) AS early, sum(on_day) AS on_day, sum(late) AS late, sum(overdue) AS overdue,
        sum(moved_online) AS moved_online, sum(moved_other) AS moved_other
    FROM climbed c
    JOIN form_line l ON (l.unit_key, l.section, l.sector_code) = (c.ancestor_key, c.section, c.sector_code)
    GROUP BY 1, 2, 3
)
SELECT line, c.day, {step_of_day}, received, online, other, early, on_day, late, overdue, moved_online, moved_other FROM counted c
