-- Bills, counted by month billed (date_key, its first day), day of issue, unit of the customer, service, utility and kind of customer, with what of them is paid: one row where any are. No customer is in it.
-- Hóa đơn, đếm theo tháng hóa đơn (date_key là ngày đầu tháng), ngày phát hành, đơn vị của khách hàng, dịch vụ, nhà cung cấp và loại khách hàng, kèm phần đã trả: chỗ nào có hóa đơn thì có một dòng. Không có khách hàng nào trong đó.
WITH states AS (  -- the unknown unit as -1: the indicators leave out what is of unit 0
    SELECT 1 AS sign, row_key, delivery_id, row_number, CASE unit_key WHEN 0 THEN -1 ELSE unit_key END AS unit_key, provider_key, service_key,
           billing_month, issued_on, customer_hash, key_number, is_household, amount_vnd
    FROM warehouse.fact_bill WHERE known_to = 'infinity'
), beside AS (
    SELECT *, 1 AS sign FROM warehouse.fact_payment WHERE known_to = 'infinity'
)
SELECT greatest(bill.unit_key, 0) AS unit_key,
       bill.billing_month AS date_key,
       bill.issued_on,
       bill.service_key,
       bill.provider_key,
       bill.is_household,
       count(*) AS bills,
       count(*) FILTER (WHERE bill.paid_vnd >= bill.amount_vnd) AS settled_bills,
       count(*) FILTER (WHERE bill.is_cashless) AS cashless_bills,
       sum(bill.amount_vnd)::bigint AS amount_vnd,
       sum(bill.paid_vnd)::bigint AS paid_vnd,
       sum(bill.cashless_vnd)::bigint AS cashless_vnd,
       sum(bill.paid_in_cash_vnd)::bigint AS paid_in_cash_vnd
FROM ({BILLS}) AS bill
GROUP BY bill.unit_key, bill.billing_month, bill.issued_on, bill.service_key, bill.provider_key, bill.is_household
