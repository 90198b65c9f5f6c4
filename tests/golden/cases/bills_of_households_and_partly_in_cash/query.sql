SELECT unit_code, indicator_code, numerator, denominator FROM mart.indicator
WHERE period = '2024-03' AND indicator_code IN ('K2a', 'K2b', 'K2c') AND unit_code IN ('15652', '15655') ORDER BY 1, 2;
SELECT count(*) FROM ops.quarantine