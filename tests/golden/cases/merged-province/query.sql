SELECT unit_code, unit_name, unit_valid_from, period, numerator, denominator, value FROM mart.indicator
WHERE indicator_code = 'ND3' AND unit_level = 'province' AND period IN ('2024', '2025-Q2', '2025-Q3') AND denominator IS NOT NULL ORDER BY 4, 1;
SELECT old.unit_code, old.unit_name, new.unit_code, new.unit_name, effective_date, extent FROM warehouse.bridge_unit_succession
JOIN warehouse.dim_unit old ON old.unit_key = old_unit_key JOIN warehouse.dim_unit new ON new.unit_key = new_unit_key
WHERE old.unit_level = 'province' ORDER BY 1;
SELECT unit_code, unit_name, period, numerator, denominator FROM mart.indicator
WHERE indicator_code = 'CQ4' AND unit_level = 'commune' AND period IN ('2025-05', '2025-07') AND denominator > 0 ORDER BY 3, 1;
SELECT natural_key, rule_code FROM ops.quarantine ORDER BY 1;
SELECT rule_code, unexpected_count FROM ops.verdict WHERE rule_code IN ('DOS-022', 'DOS-023') ORDER BY 1;
SELECT count(*), count(target) FROM mart.indicator_vintage WHERE indicator_code IN ('K2f', 'ND5') AND period = '2025-Q2' AND unit_code = '08545';
