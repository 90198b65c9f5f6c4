SELECT unit_name, indicator_code, numerator, denominator, value, obs_status, predecessors_counted, predecessors_all FROM mart.indicator_restated
WHERE unit_code = '15646' AND indicator_code IN ('CQ4', 'ND3') AND period = '2024' ORDER BY indicator_code;
SELECT unit_name, numerator, denominator, value, obs_status, obs_reason, obs_note FROM mart.indicator_restated
WHERE unit_code = '15634' AND indicator_code = 'ND3' AND period = '2024';
SELECT unit_code, value FROM mart.indicator WHERE indicator_code = 'ND3' AND period = '2024' AND unit_code IN ('15646', '15655') ORDER BY 1;
