-- What climbs from each unit: what happened in it and what it took over, to the units above it on that day; what it gave up, to those
-- above it on the day before that go on.
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
)
SELECT c.ancestor_key, c.section, c.sector_code, c.day, {step_of_day} AS step, CASE WHEN c.received < c.day THEN c.received ELSE c.day END,
    sum(online), sum(other), sum(early), sum(on_day), sum(late), sum(overdue), sum(moved_online), sum(moved_other)
FROM climbed c
JOIN form_line l ON (l.unit_key, l.section, l.sector_code) = (c.ancestor_key, c.section, c.sector_code)
GROUP BY c.ancestor_key, c.section, c.sector_code, c.day, 6
