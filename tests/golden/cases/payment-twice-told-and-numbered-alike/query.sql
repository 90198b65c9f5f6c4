SELECT provider_code, transaction_code, amount_vnd FROM warehouse.fact_payment JOIN warehouse.dim_provider USING (provider_key)
WHERE known_to = 'infinity' ORDER BY 1;
SELECT indicator_code, numerator, denominator FROM mart.indicator
WHERE indicator_code IN ('K2b', 'K2c') AND unit_code = '15655' AND period = '2024-06' ORDER BY 1;
SELECT rows_received, rows_loaded + rows_unchanged, rows_quarantined FROM ops.delivery WHERE feed = 'payments' ORDER BY file_name
