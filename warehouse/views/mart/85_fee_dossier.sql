-- One row per dossier that a payment names or that is marked as paid online: what was paid beside its fee, at the unit and in the month that received it; of a dossier that is not known in the month first paid.
-- Mỗi dòng là một hồ sơ có giao dịch nộp phí hoặc được ghi là thanh toán trực tuyến: số đã nộp bên cạnh phí, tại đơn vị và tháng tiếp nhận; hồ sơ không có trong dữ liệu thì tính vào tháng nộp đầu tiên.
-- A mark is held against the payment files only where these could confirm it: they are those of the national portal (code 1), and
-- between the day the dossier was handed in and the day it was marked, or its result handed over, none of them may be missing.
SELECT told.dossier_key,
       told.class,
       unit.unit_code,
       unit.unit_name,
       unit.unit_level,
       unit.valid_from AS unit_valid_from,
       received.month,
       told.dossier_code,
       told.paid_vnd,
       told.fee_vnd,
       told.paid_vnd - told.fee_vnd AS difference_vnd,
       told.is_paid,
       told.paid_on,
       told.received_at,
       delivery.file_name,
       told.row_number,
       {PLACE},
       span.period_start,
       span.period_end,
       span.period_sort
FROM (
    SELECT paid.dossier_key, dossier.received_unit_key, dossier.received_at, dossier.submitted_at, paid.paid_on, NULL::date AS marked_on, dossier.dossier_code,
        CASE WHEN dossier.row_key IS NULL OR dossier.deleted_at IS NOT NULL THEN 'no_dossier'
            WHEN delivery.layout = 'td_html_xls' THEN 'not_checkable'  -- it has no column for the mark, nor for the fee
            WHEN dossier.online_payment_code IN (1, 2, 3) IS NOT TRUE THEN 'paid_not_marked'
            WHEN paid.paid_vnd = coalesce(dossier.fee_vnd, 0) THEN 'matched'
            ELSE 'amount_differs' END AS class,
        paid.paid_vnd,
        CASE WHEN dossier.deleted_at IS NULL AND delivery.layout <> 'td_html_xls' THEN coalesce(dossier.fee_vnd, 0) END AS fee_vnd,
        TRUE AS is_paid, dossier.delivery_id, dossier.row_number
    FROM (
        SELECT dossier_key, sum(paid_vnd)::bigint AS paid_vnd, min(paid_on) AS paid_on FROM mart.fee_payment GROUP BY dossier_key
    ) AS paid
    LEFT JOIN warehouse.fact_dossier AS dossier ON dossier.row_key = paid.dossier_key AND dossier.known_to = 'infinity'
    LEFT JOIN ops.delivery ON delivery.delivery_id = dossier.delivery_id
  UNION ALL
    SELECT dossier.row_key, dossier.received_unit_key, dossier.received_at, dossier.submitted_at, NULL, dossier.marked_on, dossier.dossier_code,
        dossier.class,
        CASE WHEN dossier.class = 'marked_not_paid' THEN 0 END,
        coalesce(dossier.fee_vnd, 0), FALSE, dossier.delivery_id, dossier.row_number
    FROM (
        SELECT dossier.*, mark.day AS marked_on,
            CASE WHEN dossier.online_payment_code <> 1 THEN 'other_gateway'
                WHEN covered.days @> daterange(
                    least(dossier.submitted_at::date, dossier.received_at::date, mark.day, dossier.returned_at::date),
                    least(mark.day, dossier.returned_at::date), '[]'
                ) THEN 'marked_not_paid'
                ELSE 'not_checkable' END AS class
        FROM warehouse.fact_dossier AS dossier
        CROSS JOIN (
            SELECT coalesce(range_agg(daterange(first_day, last_day, '[]')), '{}') AS days
            FROM ops.coverage JOIN ops.delivery USING (delivery_id)
            WHERE layout = 'dvcqg_payment_csv' AND last_day IS NOT NULL
        ) AS covered
        LEFT JOIN LATERAL (  -- since when the source has said so without a break
            SELECT (coalesce(max(known_to) FILTER (WHERE online_payment_code IS DISTINCT FROM dossier.online_payment_code), min(known_from))
                AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day
            FROM warehouse.fact_dossier AS state WHERE state.row_key = dossier.row_key AND known_to > known_from
        ) AS mark ON TRUE
        WHERE dossier.known_to = 'infinity' AND dossier.deleted_at IS NULL AND dossier.online_payment_code IN (1, 2, 3)
            AND NOT EXISTS (SELECT FROM mart.fee_payment WHERE dossier_key = dossier.row_key)
    ) AS dossier
) AS told
CROSS JOIN LATERAL (SELECT to_char(coalesce(told.received_at, told.submitted_at, told.paid_on, told.marked_on), 'YYYY-MM') AS month) AS received
CROSS JOIN LATERAL ({PERIOD received.month}) AS span
JOIN warehouse.dim_unit AS unit ON unit.unit_key = coalesce(told.received_unit_key, 0)
LEFT JOIN ops.delivery ON delivery.delivery_id = told.delivery_id
