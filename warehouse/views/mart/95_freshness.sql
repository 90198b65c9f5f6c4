-- One row per source: its last delivery, up to which day it has spoken, by which day the next is due, and whether it is late now.
-- Mỗi dòng là một nguồn: lần gửi cuối, số liệu đã có đến ngày nào, lần gửi tới phải có trước ngày nào, và hiện có chậm không.
SELECT source.source,
       source.feed,
       source.expected,
       last.file_name,
       last.exported_at,
       last.status AS delivery_status,
       source.data_until,
       (due.due_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS next_due,
       due.is_late,
       CASE WHEN due.is_late AND due.due_at IS NOT NULL THEN greatest(1, local.today - (due.due_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date) END AS days_late,
       CASE
           WHEN EXISTS (
               SELECT FROM ops.unreachable AS missed
               WHERE missed.source = source.source AND missed.run_id = (SELECT max(run.run_id) FROM ops.run AS run)
           ) THEN 'unreachable'
           WHEN last.source IS NULL THEN 'never'
           WHEN last.status = 'rejected' THEN 'rejected'  -- what was refused is not on time, though it came
           WHEN due.is_late THEN 'late'
           ELSE 'on_time'
       END AS source_state
FROM ops.source AS source
LEFT JOIN (
    SELECT DISTINCT ON (delivery.source) delivery.source, delivery.file_name, delivery.exported_at, delivery.status
    FROM ops.delivery AS delivery
    WHERE delivery.loaded_at IS NOT NULL
    ORDER BY delivery.source, delivery.exported_at DESC, delivery.delivery_id DESC
) AS last USING (source)
LEFT JOIN (
    SELECT delivery.source, max(delivery.exported_at) AS exported_at
    FROM ops.delivery AS delivery
    WHERE delivery.status IN ('loaded', 'superseded')
    GROUP BY delivery.source
) AS taken USING (source)
CROSS JOIN LATERAL (
    SELECT taken.exported_at + make_interval(days => source.patience_days) AS due_at,
           taken.source IS NULL OR coalesce(taken.exported_at + make_interval(days => source.patience_days) < now(), false) AS is_late
) AS due
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS today) AS local
