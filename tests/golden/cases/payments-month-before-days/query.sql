SELECT indicator_code, unit_code, period, numerator, denominator FROM mart.indicator
WHERE indicator_code IN ('K2b', 'K2c') AND unit_code = '15607' AND period = '2024-03' ORDER BY 1;
SELECT bills, unpaid_bills, partly_paid_bills, paid_bills, overpaid_bills FROM mart.bill_payment WHERE unit_code = '15607' AND period = '2024-03';
SELECT transaction_code, amount_vnd FROM warehouse.fact_payment WHERE known_to = 'infinity' ORDER BY 1;
SELECT file_name, observed FROM ops.verdict JOIN ops.delivery USING (delivery_id) WHERE rule_code = 'PAY-022' AND NOT success ORDER BY 1;
