SELECT source, rows_received, rows_loaded, rows_quarantined, rows_ignored FROM ops.delivery WHERE feed = 'signature_holders' ORDER BY 1;
SELECT rule_code, row_number, column_name FROM ops.quarantine ORDER BY 2;
SELECT rule_code, observed, unexpected_count FROM ops.verdict JOIN ops.delivery USING (delivery_id)
WHERE source = 'vnpt' AND rule_code IN ('HOL-009', 'HOL-010') ORDER BY 1;
SELECT issued_on, expires_on, adult_from FROM warehouse.fact_signature_holder ORDER BY 1, 2, 3;
SELECT unit_code, period, numerator, denominator, obs_status, obs_reason FROM mart.indicator
WHERE indicator_code = 'ND5' AND unit_code IN ('15655', '15607') AND period IN ('2024', '2024-11') AND denominator IS NOT NULL ORDER BY 1, 2
