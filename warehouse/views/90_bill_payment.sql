-- One row per unit, month billed and service: bills unpaid, paid in part, in full and over, and partly in cash, as K2b counts them.
WITH states AS (
    SELECT 1 AS sign, row_key, delivery_id, row_number, unit_key, service_key, billing_month, customer_hash, key_number, is_household, amount_vnd
    FROM warehouse.fact_bill WHERE known_to = 'infinity'
), beside AS (
    SELECT 1 AS sign, bill_key, payment_status_key, payment_method_key, amount_vnd, refunded_vnd FROM warehouse.fact_payment WHERE known_to = 'infinity'
)
SELECT unit.unit_code,
       to_char(bill.billing_month, 'YYYY-MM') AS period,
       bill.service_code,
       count(*) AS bills,
       count(*) FILTER (WHERE paid_vnd = 0 AND amount_vnd > 0) AS unpaid_bills,
       count(*) FILTER (WHERE paid_vnd > 0 AND paid_vnd < amount_vnd) AS partly_paid_bills,
       count(*) FILTER (WHERE paid_vnd = amount_vnd) AS paid_bills,
       count(*) FILTER (WHERE paid_vnd > amount_vnd) AS overpaid_bills,
       count(*) FILTER (WHERE is_cashless) AS cashless_bills,
       count(*) FILTER (WHERE paid_in_cash_vnd > 0 AND paid_in_cash_vnd < paid_vnd) AS partly_in_cash_bills,
       sum(amount_vnd)::bigint AS amount_vnd,
       sum(paid_vnd)::bigint AS paid_vnd,
       sum(paid_in_cash_vnd)::bigint AS paid_in_cash_vnd,
       sum(greatest(amount_vnd - paid_vnd, 0))::bigint AS owed_vnd,
       sum(greatest(paid_vnd - amount_vnd, 0))::bigint AS overpaid_vnd,
       unit.valid_from AS unit_valid_from
FROM ({bill.sql}) AS bill
JOIN warehouse.dim_unit AS unit USING (unit_key)
GROUP BY unit.unit_code, unit.valid_from, bill.billing_month, bill.service_code
