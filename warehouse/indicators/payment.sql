-- A shop is told apart by its terminal at its provider, whichever version of it holds: one that moved is the same shop.
SELECT p.sign, p.row_key, p.delivery_id, p.row_number, p.unit_key, p.business_date, w.payment_method_code AS method_code,
    md5(m.provider_key || ' ' || m.merchant_code)::uuid AS shop
FROM {states} p
JOIN warehouse.dim_merchant m USING (merchant_key)
JOIN warehouse.dim_payment_method w USING (payment_method_key)
JOIN warehouse.dim_payment_status s USING (payment_status_key)
WHERE p.merchant_key <> 0 AND NOT m.is_inferred AND s.is_settled AND p.amount_vnd > p.refunded_vnd AND p.unit_key <> 0
