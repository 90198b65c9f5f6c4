-- A bill counts for the month billed, whenever it is paid: before, in it or long after. It is paid without cash where payments
-- without cash cover the whole of it: one paid partly in cash is not, though that part of its amount is.
SELECT b.sign, b.row_key, b.delivery_id, b.row_number, b.unit_key, b.billing_month, b.customer_hash, b.is_household, s.service_code,
    b.amount_vnd, coalesce(paid.paid_vnd >= b.amount_vnd, FALSE) AS is_cashless, least(coalesce(paid.paid_vnd, 0), b.amount_vnd)::bigint AS cashless_vnd
FROM {states} b
JOIN warehouse.dim_service s USING (service_key)
LEFT JOIN (
    SELECT p.sign, p.bill_key, sum(p.amount_vnd) AS paid_vnd
    FROM {beside} p
    JOIN warehouse.dim_payment_status USING (payment_status_key)
    JOIN warehouse.dim_payment_method USING (payment_method_key)
    WHERE p.bill_key IS NOT NULL AND is_settled AND is_cashless
    GROUP BY p.sign, p.bill_key
) paid ON paid.bill_key = b.row_key AND paid.sign = b.sign
WHERE b.unit_key <> 0
