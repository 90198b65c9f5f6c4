SELECT p.transaction_code, s.payment_status_code, p.amount_vnd, p.refunded_vnd, p.is_refund, u.unit_code FROM warehouse.fact_payment p
JOIN warehouse.dim_payment_status s USING (payment_status_key) JOIN warehouse.dim_unit u USING (unit_key)
WHERE p.known_to = 'infinity' ORDER BY p.transaction_code;
SELECT p.transaction_code, p.amount_vnd, p.refunded_vnd FROM warehouse.fact_payment p
WHERE p.known_to < 'infinity' AND NOT p.is_refund AND p.known_to > p.known_from ORDER BY p.transaction_code, p.known_from;
SELECT d.file_name, v.severity, v.unexpected_count FROM ops.verdict v JOIN ops.delivery d USING (delivery_id)
WHERE v.rule_code = 'PAY-013' AND NOT v.success ORDER BY 1
