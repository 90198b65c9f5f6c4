SELECT indicator_code, unit_code, period, numerator, denominator, obs_status FROM mart.indicator
WHERE indicator_code IN ('K2g', 'CQ9') AND unit_code IN ('15655', '15607') AND period IN ('2024', '2024-Q3') ORDER BY 1, 2, 3;
SELECT numerator, denominator, obs_status, units_counted, units_expected FROM mart.indicator
WHERE indicator_code = 'K2g' AND unit_code = '396' AND period = '2024';
