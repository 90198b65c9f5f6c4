-- Months, quarters and years of every reporting calendar, put together from half months. What went from one line to another in a
-- period counts there as received if it was in the same period, while the unit stood, and as carried over if before.
INSERT INTO form_candidate
WITH happened AS (
    SELECT unit_key, section, sector_code, reporting_calendar, period, first_day, sum(c4) AS c4, sum(c5) AS c5, sum(c8) AS c8, sum(c9) AS c9,
        sum(c10) AS c10, sum(c11) FILTER (WHERE is_last) AS c11, sum(c13) FILTER (WHERE is_last) AS c13
    FROM (
        SELECT s.*, p.reporting_calendar, p.period, greatest(p.first_day, u.valid_from) AS first_day,
            s.step = least(p.last_step, CAST(:last AS date), {last_step_of_unit}) AS is_last
        FROM form_step s JOIN reporting_period p ON s.step BETWEEN p.first_day AND p.last_step AND p.first_day <= :today
        JOIN warehouse.dim_unit u USING (unit_key)
    ) part
    GROUP BY unit_key, section, sector_code, reporting_calendar, period, first_day
), moved AS (
    SELECT h.unit_key, h.section, h.sector_code, h.reporting_calendar, h.period,
        sum(moved_online) FILTER (WHERE received >= h.first_day) AS online, sum(moved_other) FILTER (WHERE received >= h.first_day) AS other,
        coalesce(sum(moved_online + moved_other) FILTER (WHERE received < h.first_day), 0) AS before
    FROM form_event e
    JOIN reporting_period p ON e.step BETWEEN p.first_day AND p.last_step
    JOIN happened h USING (unit_key, section, sector_code, reporting_calendar, period)
    WHERE moved_online <> 0 OR moved_other <> 0
    GROUP BY h.unit_key, h.section, h.sector_code, h.reporting_calendar, h.period
), line AS (
    SELECT unit_key, section, sector_code, reporting_calendar, period, c4 + coalesce(online, 0) AS c4, c5 + coalesce(other, 0) AS c5,
        c8, c9, c10, c11, c13, coalesce(before, 0) AS taken_over
    FROM happened LEFT JOIN moved USING (unit_key, section, sector_code, reporting_calendar, period)
)
SELECT unit_key, period, reporting_calendar, section, sector_code, sector_name, c11 + c8 + c9 + c10, c4, c5, c11 + c8 + c9 + c10 - c4 - c5,
    c8 + c9 + c10, c8, c9, c10, c11, c11 - c13, c13, taken_over
FROM line
JOIN (SELECT sector_code, max(sector_name) AS sector_name FROM warehouse.dim_procedure GROUP BY sector_code) sector USING (sector_code)
WHERE c11 + c8 + c9 + c10 > 0 OR c4 <> 0 OR c5 <> 0
