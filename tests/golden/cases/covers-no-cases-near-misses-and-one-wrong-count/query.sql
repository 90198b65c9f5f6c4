SELECT indicator_code, unit_code, numerator, denominator, value, obs_status, obs_reason FROM mart.indicator
WHERE (indicator_code, unit_code) IN (('K2f', '15655'), ('K3b', '15607'), ('K3b', '15655'), ('ND3', '15655'), ('ND3', '15661')) AND period = '2024'
ORDER BY 1, 2;
SELECT value, target, is_met, target_population, target_source FROM mart.indicator WHERE indicator_code = 'ND2' AND unit_code = '15655' AND period = '2024';
SELECT target, is_met, full_marks, full_marks_source FROM mart.indicator WHERE indicator_code = 'K1a' AND unit_code = '15655' AND period = '2024';
SELECT indicator_code, unit_code, reason_vi FROM ops.held_back JOIN warehouse.dim_unit USING (unit_key) WHERE period = '2024';
