-- The next period's (6) is this period's (11) and what was taken over since: the lines that break the chain. Where units were
-- reorganised, (6) of the first period of the new one is what the old ones had at their end.
WITH place AS (
    SELECT reporting_calendar, period, kind, row_number() OVER (PARTITION BY reporting_calendar, kind ORDER BY first_day) AS number,
        first_day, last_day
    FROM reporting_period
), last AS (
    SELECT reporting_calendar, kind, max(number) AS number FROM form_candidate JOIN place USING (reporting_calendar, period)
    GROUP BY reporting_calendar, kind
), line AS (
    SELECT unit_key, section, sector_code, period, reporting_calendar, kind, number, last_day, c6, c11, taken_over,
        lag(number) OVER in_a_row AS number_before, lag(c11) OVER in_a_row AS c11_before, lead(number) OVER in_a_row AS number_after
    FROM form_candidate JOIN place USING (reporting_calendar, period)
    WINDOW in_a_row AS (PARTITION BY unit_key, section, sector_code, reporting_calendar, kind ORDER BY number)
)
SELECT unit_key, period FROM line JOIN last USING (reporting_calendar, kind) JOIN warehouse.dim_unit USING (unit_key)
WHERE c6 <> CASE WHEN number_before = line.number - 1 THEN c11_before ELSE 0 END + taken_over
   OR c11 > 0 AND number_after IS DISTINCT FROM line.number + 1 AND line.number < last.number AND valid_to > last_day
      AND NOT EXISTS (SELECT FROM form_event e WHERE (e.unit_key, e.section, e.sector_code) = (line.unit_key, line.section, line.sector_code)
        AND moved_online + moved_other < 0 AND e.day > last_day)
