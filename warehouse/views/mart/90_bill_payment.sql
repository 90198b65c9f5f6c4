-- One row per unit, month billed and service: bills unpaid, paid in part, in full and over, and partly in cash, as K2b counts them.
-- Mỗi dòng là một đơn vị, tháng hóa đơn và dịch vụ: số hóa đơn chưa trả, trả một phần, trả đủ, trả thừa, và trả một phần bằng tiền mặt, theo cách tính của K2b.
WITH states AS (
    SELECT *, 1 AS sign FROM warehouse.fact_bill WHERE known_to = 'infinity'
), beside AS (
    SELECT *, 1 AS sign FROM warehouse.fact_payment WHERE known_to = 'infinity'
)
SELECT unit.unit_code,
       bill.period,
       bill.service_code,
       bill.bills,
       bill.unpaid_bills,
       bill.partly_paid_bills,
       bill.paid_bills,
       bill.overpaid_bills,
       bill.cashless_bills,
       bill.partly_in_cash_bills,
       bill.amount_vnd,
       bill.paid_vnd,
       bill.paid_in_cash_vnd,
       bill.owed_vnd,
       bill.overpaid_vnd,
       unit.valid_from AS unit_valid_from,
       unit.unit_name,
       unit.unit_level,
       {PLACE},
       span.period_start,
       span.period_end,
       span.period_sort
FROM (
    SELECT unit_key,
           to_char(billing_month, 'YYYY-MM') AS period,
           service_code,
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
           sum(greatest(paid_vnd - amount_vnd, 0))::bigint AS overpaid_vnd
    FROM ({BILLS}) AS bill
    GROUP BY unit_key, billing_month, service_code
) AS bill
JOIN warehouse.dim_unit AS unit USING (unit_key)
CROSS JOIN LATERAL ({PERIOD bill.period}) AS span
