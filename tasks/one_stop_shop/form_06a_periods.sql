-- Months, and quarters and years put together from their months.
INSERT INTO form_candidate
WITH month AS (
    SELECT DISTINCT month_start, month, quarter, year,
        make_date(left(year, 4)::int, 3 * right(quarter, 1)::int - 2, 1) AS quarter_start, make_date(year::int, 1, 1) AS year_start
    FROM warehouse.dim_date
), part AS (
    SELECT m.month_start, of.period, of.first, least(of.last, CAST(:last AS date)) AS last
    FROM month m
    CROSS JOIN LATERAL (VALUES (month, month_start, month_start), (quarter, quarter_start, (quarter_start + interval '2 months')::date),
        (year, year_start, (year_start + interval '11 months')::date)) of (period, first, last)
), added AS (
    SELECT unit_key, period, section, sector_code, sum(c4) AS c4, sum(c5) AS c5, coalesce(sum(c6) FILTER (WHERE month = first), 0) AS c6,
        sum(c8) AS c8, sum(c9) AS c9, sum(c10) AS c10,
        sum(c11) FILTER (WHERE month = last) AS c11, sum(c13) FILTER (WHERE month = last) AS c13
    FROM form_month JOIN part ON part.month_start = form_month.month
    GROUP BY unit_key, period, section, sector_code
)
SELECT unit_key, period, section, sector_code, sector_name, c4 + c5 + c6, c4, c5, c6, c8 + c9 + c10, c8, c9, c10, c11, c11 - c13, c13
FROM added
JOIN (SELECT sector_code, max(sector_name) AS sector_name FROM warehouse.dim_procedure GROUP BY sector_code) sector USING (sector_code)
WHERE c4 + c5 + c6 > 0
