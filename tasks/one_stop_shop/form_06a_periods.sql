-- Months, quarters and years of every reporting calendar, put together from half months. What went from one line to another in a
-- period counts there as received if it was in the same period, while the unit stood, and as carried over if before.
INSERT INTO form_candidate
WITH part AS MATERIALIZED (
    SELECT step, series, number, next_step, least(last_step, CAST(:last AS date)) AS last_step
    FROM form_calendar JOIN reporting_period ON step BETWEEN first_day AND last_step WHERE first_day <= :today
), happened AS (
    SELECT line, series, number, sum(c4) AS c4, sum(c5) AS c5, sum(c8) AS c8, sum(c9) AS c9, sum(c10) AS c10,
        sum(c11) FILTER (WHERE step = least(last_step, ends)) AS c11, sum(c13) FILTER (WHERE step = least(last_step, ends)) AS c13
    FROM form_step
    JOIN (SELECT line, since, {last_step_of_unit} AS ends FROM form_line JOIN warehouse.dim_unit u USING (unit_key)) line USING (line)
    JOIN part USING (step)
    WHERE next_step >= since
    GROUP BY line, series, number
), moved AS (
    SELECT line, series, number, sum(moved_online) FILTER (WHERE received >= first) AS online,
        sum(moved_other) FILTER (WHERE received >= first) AS other, sum(moved_online + moved_other) FILTER (WHERE received < first) AS before
    FROM form_event
    JOIN form_line USING (line)
    JOIN warehouse.dim_unit u USING (unit_key)
    JOIN reporting_period p ON step BETWEEN p.first_day AND p.last_step AND p.next_step >= since
    CROSS JOIN LATERAL (SELECT greatest(p.first_day, u.valid_from) AS first) period
    WHERE moved_online <> 0 OR moved_other <> 0
    GROUP BY line, series, number
), counted AS (
    SELECT line, series, number, c4 + coalesce(online, 0) AS c4, c5 + coalesce(other, 0) AS c5, c8, c9, c10, c11, c13,
        coalesce(before, 0) AS taken_over
    FROM happened LEFT JOIN moved USING (line, series, number)
)
SELECT line, series, number, unit_key, period, reporting_calendar, section, sector_code, sector_name, c11 + c8 + c9 + c10, c4, c5,
    c11 + c8 + c9 + c10 - c4 - c5, c8 + c9 + c10, c8, c9, c10, c11, c11 - c13, c13, taken_over
FROM counted
JOIN form_line USING (line)
JOIN reporting_period USING (series, number)
JOIN (SELECT sector_code, max(sector_name) AS sector_name FROM warehouse.dim_procedure GROUP BY sector_code) sector USING (sector_code)
WHERE c11 + c8 + c9 + c10 > 0 OR c4 <> 0 OR c5 <> 0
