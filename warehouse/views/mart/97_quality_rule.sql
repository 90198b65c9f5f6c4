-- One row per delivery and rule that it broke: how many rows broke it, and how many of these still wait for a decision. A row that breaks two rules stands under both, so rows add up over deliveries and months, not over rules.
-- Mỗi dòng là một lần gửi và một quy tắc bị vi phạm: số dòng vi phạm, và số dòng còn chờ xử lý. Một dòng vi phạm hai quy tắc thì có ở cả hai, nên số dòng cộng được theo lần gửi và tháng, không cộng theo quy tắc.
SELECT delivery.source,
       delivery.feed,
       delivery.file_name,
       delivery.exported_at,
       of.month,
       delivery.status AS delivery_status,
       verdict.rule_code,
       verdict.severity,
       verdict.scope,
       verdict.observed,
       coalesce(verdict.unexpected_count, 0) AS rows_broken,
       coalesce(aside.rows_open, 0) AS rows_open,
       span.period_start,
       span.period_end,
       span.period_sort
FROM ops.verdict AS verdict
JOIN ops.delivery AS delivery USING (delivery_id)
CROSS JOIN LATERAL (SELECT to_char(delivery.exported_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM') AS month) AS of
CROSS JOIN LATERAL ({PERIOD of.month}) AS span
LEFT JOIN (
    SELECT quarantine.delivery_id, quarantine.rule_code, count(DISTINCT quarantine.row_number) AS rows_open
    FROM ops.quarantine AS quarantine
    WHERE quarantine.status IN ('open', 'waiting')
    GROUP BY quarantine.delivery_id, quarantine.rule_code
) AS aside USING (delivery_id, rule_code)
WHERE NOT verdict.success
