-- The next period's (6) is this period's (11) and what was taken over since: the lines that break the chain. Where units were
-- reorganised, (6) of the first period of the new one is what the old ones had at their end.
WITH last AS (
    SELECT series, max(number) AS number FROM form_candidate GROUP BY series
), chain AS (
    SELECT line, series, number, unit_key, period, c6, c11, taken_over,
        lag(number) OVER in_a_row AS number_before, lag(c11) OVER in_a_row AS c11_before, lead(number) OVER in_a_row AS number_after
    FROM form_candidate
    WINDOW in_a_row AS (PARTITION BY line, series ORDER BY number)
)
SELECT chain.unit_key, chain.period
FROM chain
JOIN last USING (series)
JOIN reporting_period p ON (p.series, p.number) = (chain.series, chain.number)
JOIN form_line l USING (line)
JOIN warehouse.dim_unit u ON u.unit_key = chain.unit_key
WHERE p.last_step >= l.since
      AND c6 <> CASE WHEN number_before = chain.number - 1 THEN c11_before ELSE 0 END + taken_over
   OR c11 > 0 AND number_after IS DISTINCT FROM chain.number + 1 AND chain.number < last.number AND u.valid_to > p.last_day
      AND NOT EXISTS (SELECT FROM form_event e WHERE e.line = chain.line AND moved_online + moved_other < 0 AND e.day > p.last_day)
