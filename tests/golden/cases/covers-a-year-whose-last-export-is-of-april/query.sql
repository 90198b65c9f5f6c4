SELECT unit_code, period, numerator, denominator, obs_status, units_counted, units_expected, data_until, next_due FROM mart.indicator
WHERE indicator_code = 'CQ4' AND unit_code IN ('15655', '38') AND period IN ('2024', '2024-03') ORDER BY 1, 2;
SELECT revision, numerator, obs_status, data_until, next_due, awaited FROM mart.indicator_vintage
WHERE indicator_code = 'CQ4' AND unit_code = '15655' AND period = '2024' ORDER BY revision;
SELECT DISTINCT unit_code, obs_status, units_counted, units_expected FROM mart.score_766
WHERE counted_by = 'pipeline' AND group_code = 'CLGQ' AND component_code IS NULL AND unit_code IN ('15655', '38') AND period = '2024' ORDER BY 1;
SELECT obs_status, units_counted, units_expected FROM mart.score_766_total WHERE counted_by = 'pipeline' AND unit_code = '38' AND period = '2024';
