-- One row per payment that names a dossier and counts as paid now: what it is worth, and the row of the file that says so.
-- Mỗi dòng là một giao dịch ghi mã hồ sơ và hiện được tính là đã nộp: giá trị của giao dịch và dòng của tệp nói điều đó.
-- The one place that says what a payment of a fee is worth.
SELECT payment.dossier_key,
       payment.business_date AS paid_on,
       payment.amount_vnd - payment.refunded_vnd AS paid_vnd,
       delivery.file_name,
       payment.row_number
FROM warehouse.fact_payment AS payment
JOIN warehouse.dim_payment_status USING (payment_status_key)
LEFT JOIN ops.delivery USING (delivery_id)
WHERE payment.known_to = 'infinity' AND payment.dossier_key IS NOT NULL AND is_settled AND payment.amount_vnd > payment.refunded_vnd
