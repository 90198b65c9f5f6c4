SELECT indicator_code, unit_code, numerator, denominator, value, obs_status, obs_reason FROM mart.indicator
WHERE indicator_code IN ('K1b', 'K2s') AND period = '2024' AND unit_code IN ('38', '396', '15655', '15607') ORDER BY 1, 2;
SELECT count(*) FROM mart.indicator WHERE indicator_code = 'K1b' AND period = '2024' AND value IS NOT NULL AND obs_status = 'A';
