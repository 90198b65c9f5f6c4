-- The lines of the provinces and of the unknown unit, which hold every dossier once, beside what was counted for all units, summed up
-- between the days of each period without half months and without hierarchy: how many lines differ. A province that took over from
-- others inside a period carries over what they count as well, so (6) is left out there.
WITH line AS (
    SELECT reporting_calendar, period, section, sector_code, sum(c4) AS c4, sum(c5) AS c5, sum(c6) AS c6, sum(c8) AS c8, sum(c9) AS c9,
        sum(c10) AS c10, sum(c11) FILTER (WHERE valid_to >= least(last_day, :today)) AS c11,
        sum(c13) FILTER (WHERE valid_to >= least(last_day, :today)) AS c13
    FROM form_candidate JOIN reporting_period USING (reporting_calendar, period) JOIN warehouse.dim_unit USING (unit_key)
    WHERE CASE section WHEN 'unknown' THEN unit_key = 0 ELSE unit_level = 'province' END
    GROUP BY reporting_calendar, period, section, sector_code
), touched AS (
    SELECT section, sector_code, min(since) AS since FROM form_line GROUP BY section, sector_code
), happened AS (
    SELECT u.unit_level AS section, p.sector_code, a.day, a.received, {sums}
    FROM {counts} a
    JOIN warehouse.dim_unit u USING (unit_key)
    JOIN warehouse.dim_procedure p ON p.procedure_key = a.part
    WHERE a.counted = 'form_06a' AND a.day <= :today
      AND (u.unit_level, p.sector_code) IN (SELECT section, sector_code FROM form_line)
    GROUP BY u.unit_level, p.sector_code, a.day, a.received
), straight AS (
    SELECT reporting_calendar, period, section, sector_code,
        sum(CASE WHEN day >= first_day THEN online + CASE WHEN received >= first_day THEN in_online - out_online ELSE 0 END ELSE 0 END) AS c4,
        sum(CASE WHEN day >= first_day THEN other + CASE WHEN received >= first_day THEN in_other - out_other ELSE 0 END ELSE 0 END) AS c5,
        sum(CASE WHEN day < first_day THEN online + other + moved - early - on_day - late WHEN received < first_day THEN moved ELSE 0 END) AS c6,
        coalesce(sum(early) FILTER (WHERE day >= first_day), 0) AS c8, coalesce(sum(on_day) FILTER (WHERE day >= first_day), 0) AS c9,
        coalesce(sum(late) FILTER (WHERE day >= first_day), 0) AS c10,
        sum(online + other + moved - early - on_day - late) AS c11, sum(overdue + in_overdue - out_overdue) AS c13
    FROM (SELECT *, in_online + in_other - out_online - out_other AS moved FROM happened) happened
    JOIN touched USING (section, sector_code)
    JOIN reporting_period ON day <= last_day AND first_day <= least(:today, CAST(:last AS date)) AND next_step >= since
    GROUP BY reporting_calendar, period, section, sector_code
)
SELECT count(*)
FROM line l FULL JOIN straight s USING (reporting_calendar, period, section, sector_code)
JOIN reporting_period p USING (reporting_calendar, period)
WHERE (coalesce(l.c4, 0), coalesce(l.c5, 0), coalesce(l.c8, 0), coalesce(l.c9, 0), coalesce(l.c10, 0), coalesce(l.c11, 0), coalesce(l.c13, 0))
   <> (coalesce(s.c4, 0), coalesce(s.c5, 0), coalesce(s.c8, 0), coalesce(s.c9, 0), coalesce(s.c10, 0), coalesce(s.c11, 0), coalesce(s.c13, 0))
   OR coalesce(l.c6, 0) <> coalesce(s.c6, 0) AND NOT EXISTS (
        SELECT FROM warehouse.dim_unit u WHERE u.unit_level = 'province' AND u.valid_from > p.first_day AND u.valid_from <= p.last_day)
