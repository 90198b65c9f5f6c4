-- The lines of the units without parent, which hold every dossier once, beside what was counted for all units, summed up between the
-- days of each period without months and without hierarchy: how many lines differ.
WITH line AS (
    SELECT period, section, sector_code, {added}
    FROM form_candidate JOIN warehouse.dim_unit USING (unit_key) WHERE parent_code IS NULL
    GROUP BY period, section, sector_code
), span AS (
    SELECT period, min(date_key) AS first, least(max(date_key), :today) AS last
    FROM warehouse.dim_date CROSS JOIN LATERAL (VALUES (month), (quarter), (year)) part (period)
    GROUP BY period HAVING min(date_key) <= CAST(:last AS date)
), happened AS (
    SELECT u.unit_level AS section, p.sector_code, a.day, {sums}
    FROM {counts} a
    JOIN warehouse.dim_unit u USING (unit_key)
    JOIN warehouse.dim_procedure p ON p.procedure_key = a.part
    WHERE a.counted = 'form_06a' AND a.day <= :today
      AND (u.unit_level, p.sector_code) IN (SELECT section, sector_code FROM form_line)
    GROUP BY u.unit_level, p.sector_code, a.day
), straight AS (
    SELECT period, section, sector_code,
        coalesce(sum(online) FILTER (WHERE day >= first), 0) AS c4, coalesce(sum(other) FILTER (WHERE day >= first), 0) AS c5,
        coalesce(sum(online + other - early - on_day - late) FILTER (WHERE day < first), 0) AS c6,
        coalesce(sum(early) FILTER (WHERE day >= first), 0) AS c8, coalesce(sum(on_day) FILTER (WHERE day >= first), 0) AS c9,
        coalesce(sum(late) FILTER (WHERE day >= first), 0) AS c10,
        sum(online + other - early - on_day - late) AS c11, sum(overdue) AS c13
    FROM happened JOIN span ON day <= last
    GROUP BY period, section, sector_code
)
SELECT count(*) FROM line l FULL JOIN straight s USING (period, section, sector_code)
WHERE (coalesce(l.c3, 0), coalesce(l.c4, 0), coalesce(l.c5, 0), coalesce(l.c6, 0), coalesce(l.c7, 0), coalesce(l.c8, 0), coalesce(l.c9, 0),
        coalesce(l.c10, 0), coalesce(l.c11, 0), coalesce(l.c12, 0), coalesce(l.c13, 0))
   <> (coalesce(s.c4 + s.c5 + s.c6, 0), coalesce(s.c4, 0), coalesce(s.c5, 0), coalesce(s.c6, 0), coalesce(s.c8 + s.c9 + s.c10, 0),
        coalesce(s.c8, 0), coalesce(s.c9, 0), coalesce(s.c10, 0), coalesce(s.c11, 0), coalesce(s.c11 - s.c13, 0), coalesce(s.c13, 0))
