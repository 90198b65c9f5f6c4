-- The next period's (6) is this period's (11): the lines that break the chain.
WITH place AS (
    SELECT period, kind, row_number() OVER (PARTITION BY kind ORDER BY period) AS number
    FROM (SELECT DISTINCT period, kind FROM warehouse.dim_date
        CROSS JOIN LATERAL (VALUES (month, 'month'), (quarter, 'quarter'), (year, 'year')) part (period, kind)) part
), last AS (
    SELECT kind, max(number) AS number FROM form_candidate JOIN place USING (period) GROUP BY kind
), line AS (
    SELECT unit_key, period, kind, number, c6, c11, lag(number) OVER in_a_row AS number_before, lag(c11) OVER in_a_row AS c11_before,
        lead(number) OVER in_a_row AS number_after
    FROM form_candidate JOIN place USING (period)
    WINDOW in_a_row AS (PARTITION BY unit_key, section, sector_code, kind ORDER BY number)
)
SELECT unit_key, period FROM line JOIN last USING (kind)
WHERE c6 <> CASE WHEN number_before = line.number - 1 THEN c11_before ELSE 0 END
   OR c11 > 0 AND number_after IS DISTINCT FROM line.number + 1 AND line.number < last.number
