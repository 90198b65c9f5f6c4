SELECT unit_code, numerator, denominator FROM mart.indicator
WHERE indicator_code = 'CQ4' AND period = '2025-06' AND unit_code IN ('15655', '15637', '396', '38') ORDER BY 1;
SELECT u.unit_name, f.period, f.section, sum(c3), sum(c4 + c5), sum(c6), sum(c7), sum(c11)
FROM mart.form_06a f JOIN mart.unit u ON u.unit_code = f.unit_code AND u.valid_from = f.unit_valid_from
WHERE f.period IN ('2025-06', '2025-07', '2025') AND u.unit_level IN ('commune', 'province')
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
