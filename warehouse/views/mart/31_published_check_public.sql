-- One row per document, unit, period and indicator as anybody may see it: mart.published_check, without what the warehouse computes where that is confidential (mart.indicator.conf_status).
-- Mỗi dòng là một văn bản, đơn vị, kỳ và chỉ tiêu như công khai được: mart.published_check, không có số tính lại ở nơi số đó phải giữ kín (mart.indicator.conf_status).
SELECT unit_code, period, indicator_code, printed, printed_value,
       CASE WHEN hidden.is_hidden IS NULL THEN recomputed END AS recomputed,
       CASE WHEN hidden.is_hidden IS NULL THEN verdict ELSE 'not_computable' END AS verdict,
       source_document,
       CASE WHEN hidden.is_hidden IS NULL THEN note ELSE 'Số trong kho không công khai: quá ít người' END AS note,
       unit_valid_from, indicator_name, unit_name, unit_level, parent_code, parent_name, province_code, province_name, unit_key,
       period_start, period_end, period_sort, printed_fraction,
       CASE WHEN hidden.is_hidden IS NULL THEN recomputed_fraction END AS recomputed_fraction
FROM mart.published_check AS told
LEFT JOIN LATERAL (
    SELECT true AS is_hidden FROM mart.indicator AS shown
    WHERE shown.indicator_code = told.indicator_code AND shown.unit_key = told.unit_key AND shown.period = told.period
      AND shown.conf_status IS DISTINCT FROM 'F'
    LIMIT 1
) AS hidden ON true
