-- One row per delivery that was checked: rows received, and what became of each; rows_received = rows_loaded + rows_unchanged + rows_quarantined + rows_ignored + rows_rejected. All of them add up over sources and months.
-- Mỗi dòng là một lần gửi đã kiểm tra: số dòng nhận và từng dòng đi đâu; rows_received = rows_loaded + rows_unchanged + rows_quarantined + rows_ignored + rows_rejected. Tất cả đều cộng được theo nguồn và tháng.
SELECT delivery.source,
       delivery.feed,
       provider.provider_name,
       delivery.file_name,
       delivery.business_period AS covers,
       delivery.exported_at,
       of.month,
       delivery.status AS delivery_status,
       delivery.verdict AS delivery_verdict,
       delivery.rows_received,
       delivery.rows_loaded,
       delivery.rows_unchanged,
       CASE WHEN delivery.status = 'rejected' THEN 0 ELSE delivery.rows_quarantined END AS rows_quarantined,
       delivery.rows_ignored,
       CASE WHEN delivery.status = 'rejected' THEN delivery.rows_quarantined ELSE 0 END AS rows_rejected,
       coalesce(aside.rows_open, 0) AS rows_open,
       span.period_start,
       span.period_end,
       span.period_sort
FROM ops.delivery AS delivery
CROSS JOIN LATERAL (SELECT to_char(delivery.exported_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM') AS month) AS of
CROSS JOIN LATERAL ({PERIOD of.month}) AS span
LEFT JOIN warehouse.dim_provider AS provider ON provider.provider_code = delivery.provider
LEFT JOIN (
    SELECT quarantine.delivery_id, count(DISTINCT quarantine.row_number) AS rows_open
    FROM ops.quarantine AS quarantine
    WHERE quarantine.status IN ('open', 'waiting')
    GROUP BY quarantine.delivery_id
) AS aside USING (delivery_id)
WHERE delivery.loaded_at IS NOT NULL
