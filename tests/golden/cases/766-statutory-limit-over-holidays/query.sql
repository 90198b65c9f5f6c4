SELECT unit_code, period, numerator, denominator, ratio FROM mart.score_766
WHERE component_code = 'ON_TIME' AND unit_code IN ('15655', '15646') AND length(period) = 7 AND period NOT LIKE '%Q%' ORDER BY period;
SELECT count(*) FILTER (WHERE NOT is_working_day AND day_of_week < 6), count(*) FILTER (WHERE is_working_day AND day_of_week > 5)
FROM warehouse.dim_date WHERE year = '2025';
