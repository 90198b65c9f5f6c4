-- One row per document, unit, period and indicator: the figure as printed beside the one recomputed from the counts.
SELECT unit.unit_code,
       figure.period,
       figure.indicator_code,
       figure.printed,
       round(figure.printed_value, figure.printed_decimals) AS printed_value,
       again.recomputed,
       CASE
           WHEN again.recomputed IS NULL OR figure.printed_value IS NULL THEN 'not_computable'
           WHEN again.recomputed = figure.printed_value THEN 'holds'
           WHEN figure.printed ~* '^\s*(hơn|trên|>)' AND again.recomputed > figure.printed_value THEN 'holds'
           ELSE 'differs'
       END AS verdict,
       figure.source_document,
       unit.valid_from AS unit_valid_from
FROM warehouse.fact_published_figure AS figure
JOIN warehouse.dim_unit AS unit USING (unit_key)
LEFT JOIN mart.indicator AS counted           -- without the rates of so few, which would name them
       ON counted.indicator_code = figure.indicator_code
      AND counted.unit_code = unit.unit_code
      AND counted.unit_valid_from = unit.valid_from
      AND counted.period = figure.period
CROSS JOIN LATERAL (
    SELECT round(
               CASE
                   WHEN figure.printed LIKE '%/%' THEN counted.numerator  -- printed as 16/16: the number is a count, not a rate
                   WHEN counted.unit_measure = 'PERCENT' THEN 100.0 * counted.numerator / nullif(counted.denominator, 0)
                   ELSE counted.value
               END,
               coalesce(figure.printed_decimals, counted.decimals)
           ) AS recomputed
) AS again
WHERE figure.known_to = 'infinity'
UNION ALL
-- Scores of decision 766 as the national portal prints them: a score for a component, or for the group where it prints no other.
SELECT agency.agency_code,
       told.period,
       concat_ws('.', '766', told.group_code, nullif(told.component_code, '')),
       coalesce(trim_scale(told.score)::text, 'null'),
       told.score,
       CASE WHEN ours.is_computed THEN ours.score END,
       CASE
           WHEN ours.is_computed IS NOT TRUE THEN 'not_computable'
           WHEN ours.score IS NOT DISTINCT FROM told.score THEN 'holds'  -- null is an answer: no cases, no score
           ELSE 'differs'
       END,
       'Cổng Dịch vụ công quốc gia, Bộ chỉ số 766, lấy lúc ' || to_char(told.known_from AT TIME ZONE 'Asia/Ho_Chi_Minh', 'HH24:MI DD/MM/YYYY'),
       NULL::date
FROM warehouse.fact_portal_766 AS told
JOIN warehouse.dim_department AS department USING (department_key)
JOIN warehouse.dim_agency AS agency USING (agency_key)
LEFT JOIN warehouse.fact_score_766 AS ours
       ON ours.counted_by = 'portal'
      AND ours.agency_key = department.agency_key
      AND ours.period = told.period
      AND ours.group_code = told.group_code
      AND ours.component_code = told.component_code
      AND ours.known_to = 'infinity'
WHERE told.known_to = 'infinity'
  AND department.agency_key <> 0
  AND CASE WHEN told.group_code IN ('TDGQ', 'CLGQ', 'TTTT') THEN told.component_code = '' ELSE told.component_code <> '' AND told.max_score > 0 END
