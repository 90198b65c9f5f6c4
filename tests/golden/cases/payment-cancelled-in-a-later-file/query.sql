SELECT indicator_code, period, revision, numerator, denominator FROM mart.indicator_vintage
WHERE indicator_code IN ('K2a', 'K2b', 'K2c') AND unit_code = '15655' AND period IN ('2024-06', '2024-07')
ORDER BY indicator_code, period, revision;
SELECT transaction_code, payment_status_code, business_date, known_to = 'infinity' FROM warehouse.fact_payment
JOIN warehouse.dim_payment_status USING (payment_status_key) ORDER BY transaction_code, known_from
