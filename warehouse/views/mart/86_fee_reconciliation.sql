-- One row per unit, month and class: fees of public services paid online beside the dossiers marked so, at the unit and in the month that received the dossier (K2f); of a dossier that is not known, the unknown unit and the month first paid. Units above the commune are added up.
-- Mỗi dòng là một đơn vị, tháng và loại: phí dịch vụ công nộp trực tuyến bên cạnh các hồ sơ được ghi như vậy, tại đơn vị và tháng tiếp nhận (K2f); hồ sơ không có trong dữ liệu thì đơn vị không rõ và tháng nộp đầu tiên. Đơn vị trên cấp xã là tổng.
WITH own AS (
    SELECT unit_key, month, class,
        count(*) AS dossiers, sum(paid_vnd)::bigint AS paid_vnd, sum(fee_vnd)::bigint AS fee_vnd, sum(difference_vnd)::bigint AS difference_vnd
    FROM mart.fee_dossier GROUP BY unit_key, month, class
)
SELECT unit.unit_code,
       unit.unit_name,
       unit.unit_level,
       unit.valid_from AS unit_valid_from,
       own.month,
       own.class,
       sum(own.dossiers)::bigint AS dossiers,
       sum(own.paid_vnd)::bigint AS paid_vnd,
       sum(own.fee_vnd)::bigint AS fee_vnd,
       sum(own.difference_vnd)::bigint AS difference_vnd,
       {PLACE},
       span.period_start,
       span.period_end,
       span.period_sort
FROM own
JOIN warehouse.dim_unit AS receiving USING (unit_key)
CROSS JOIN LATERAL ({PERIOD own.month}) AS span
JOIN ({ABOVE}) AS above ON above.unit_key = receiving.unit_key
    -- it stood above its unit on the last day of the month, or on the nearest day on which the unit was there
    AND greatest(receiving.valid_from, least(receiving.valid_to, span.period_end)) BETWEEN above.valid_from AND above.valid_to
JOIN warehouse.dim_unit AS unit ON unit.unit_key = above.ancestor_key
GROUP BY unit.unit_key, own.month, own.class, span.period_start, span.period_end, span.period_sort
