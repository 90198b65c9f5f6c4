SELECT period, revision, numerator, value, unit_measure FROM mart.indicator_vintage
WHERE indicator_code = 'K2h' AND unit_code = '15655' AND period IN ('2024-04', '2024-05', '2024-06', '2024-Q2', '2024') ORDER BY period, revision;
SELECT numerator, denominator, value FROM mart.indicator WHERE indicator_code = 'K2g' AND unit_code = '15655' AND period = '2024-Q2';
SELECT unexpected_count FROM ops.verdict WHERE rule_code = 'PAY-009' AND NOT success
