-- Every line of the form month by month, from its first event on: what happened in the month, and what was pending and overdue at
-- its end, as the running sum of events. So the next period's (6) is this period's (11) whatever the states are.
INSERT INTO form_month
WITH own AS (
    SELECT a.unit_key, a.received, p.sector_code, date_trunc('month', a.day)::date AS month, {sums}
    FROM {counts} a JOIN warehouse.dim_procedure p ON p.procedure_key = a.part
    WHERE a.counted = 'form_06a' AND a.day <= :today AND p.sector_code IN (SELECT sector_code FROM form_line)
    GROUP BY 1, 2, 3, 4
), monthly AS (
    SELECT ancestor_key AS unit_key, ancestor.section, own.sector_code, month,
        sum(online) AS online, sum(other) AS other, sum(early) AS early, sum(on_day) AS on_day, sum(late) AS late, sum(overdue) AS overdue
    FROM own
    JOIN ancestor ON ancestor.unit_key = own.unit_key AND {holds_on_received}
    JOIN form_line ON (form_line.unit_key, form_line.section, form_line.sector_code) = (ancestor_key, ancestor.section, own.sector_code)
    GROUP BY ancestor_key, ancestor.section, own.sector_code, month
), running AS (
    SELECT unit_key, section, sector_code, month, coalesce(online, 0) AS c4, coalesce(other, 0) AS c5,
        coalesce(early, 0) AS c8, coalesce(on_day, 0) AS c9, coalesce(late, 0) AS c10,
        sum(coalesce(online, 0) + coalesce(other, 0) - coalesce(early, 0) - coalesce(on_day, 0) - coalesce(late, 0)) OVER so_far AS c11,
        sum(coalesce(overdue, 0)) OVER so_far AS c13
    FROM (SELECT unit_key, section, sector_code, min(month) AS first FROM monthly GROUP BY unit_key, section, sector_code) line
    JOIN (SELECT DISTINCT month_start AS month FROM warehouse.dim_date WHERE month_start <= :last) calendar
        ON calendar.month >= line.first
    LEFT JOIN monthly USING (unit_key, section, sector_code, month)
    WINDOW so_far AS (PARTITION BY unit_key, section, sector_code ORDER BY month)
)
SELECT unit_key, section, sector_code, month, c4, c5, c11 - c4 - c5 + c8 + c9 + c10 AS c6, c8, c9, c10, c11, c13 FROM running
