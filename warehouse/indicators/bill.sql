-- A bill counts for the month billed, whenever it is paid: before, in it or long after. It is paid without cash where some of it
-- is, and no more in cash or the whole of it besides: one paid partly in cash is not, though the rest of its amount is.
SELECT b.sign, b.row_key, b.delivery_id, b.row_number, b.unit_key, b.billing_month, b.customer_hash, b.key_number, b.is_household, s.service_code,
    b.amount_vnd, coalesce(paid.cashless_vnd > 0 AND (paid.cash_vnd = 0 OR paid.cashless_vnd >= b.amount_vnd), FALSE) AS is_cashless,
    least(coalesce(paid.cashless_vnd, 0), b.amount_vnd)::bigint AS cashless_vnd,
    coalesce(paid.cash_vnd, 0)::bigint AS paid_in_cash_vnd, coalesce(paid.cash_vnd + paid.cashless_vnd, 0)::bigint AS paid_vnd,
    b.service_key, b.provider_key, b.issued_on
FROM {states} b
JOIN warehouse.dim_service s USING (service_key)
LEFT JOIN (
    SELECT p.sign, p.bill_key, coalesce(sum(p.amount_vnd - p.refunded_vnd) FILTER (WHERE is_cashless), 0) AS cashless_vnd,
        coalesce(sum(p.amount_vnd - p.refunded_vnd) FILTER (WHERE NOT is_cashless), 0) AS cash_vnd
    FROM {beside} p
    JOIN warehouse.dim_payment_status USING (payment_status_key)
    JOIN warehouse.dim_payment_method USING (payment_method_key)
    WHERE p.bill_key IS NOT NULL AND is_settled
    GROUP BY p.sign, p.bill_key
) paid ON paid.bill_key = b.row_key AND paid.sign = b.sign
WHERE b.unit_key <> 0
