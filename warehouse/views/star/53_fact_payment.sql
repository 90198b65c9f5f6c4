-- Payments, counted by day, unit, service, provider, way of paying, state, kind of shop and what they pay: one row where any are. Neither payer nor shop is in it.
-- Giao dịch thanh toán, đếm theo ngày, đơn vị, dịch vụ, nhà cung cấp, cách thanh toán, trạng thái, loại điểm nhận và việc được trả: chỗ nào có giao dịch thì có một dòng. Không có người trả, cũng không có cửa hàng nào trong đó.
SELECT payment.unit_key,
       payment.business_date AS date_key,
       payment.service_key,
       payment.provider_key,
       payment.payment_method_key,
       payment.payment_status_key,
       CASE WHEN payment.merchant_key = 0 THEN 'none' WHEN merchant.is_inferred THEN 'not_listed' ELSE merchant.merchant_kind END AS merchant_kind,
       CASE WHEN payment.bill_key IS NOT NULL THEN 'bill' WHEN payment.dossier_key IS NOT NULL THEN 'dossier' ELSE 'other' END AS pays,
       payment.is_refund,
       count(*) AS payments,
       sum(payment.amount_vnd)::bigint AS amount_vnd,
       sum(payment.refunded_vnd)::bigint AS refunded_vnd,
       sum(CASE WHEN status.is_settled THEN payment.amount_vnd - payment.refunded_vnd ELSE 0 END)::bigint AS paid_vnd
FROM warehouse.fact_payment AS payment
JOIN warehouse.dim_payment_status AS status USING (payment_status_key)
JOIN warehouse.dim_merchant AS merchant USING (merchant_key)
WHERE payment.known_to = 'infinity'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
