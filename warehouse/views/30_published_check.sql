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
       figure.source_document
FROM warehouse.fact_published_figure AS figure
JOIN warehouse.dim_unit AS unit USING (unit_key)
LEFT JOIN warehouse.dim_indicator AS indicator USING (indicator_code)
LEFT JOIN warehouse.fact_indicator AS fact
       ON fact.indicator_key = indicator.indicator_key
      AND fact.unit_key = figure.unit_key
      AND fact.period = figure.period
      AND fact.known_to = 'infinity'
      AND fact.obs_status <> 'Q'                -- a rate of so few would name them
CROSS JOIN LATERAL (
    SELECT round(
               CASE
                   WHEN figure.printed LIKE '%/%' THEN fact.numerator  -- printed as 16/16: the number is a count, not a rate
                   WHEN indicator.unit_measure = 'PERCENT' THEN 100.0 * fact.numerator / nullif(fact.denominator, 0)
                   ELSE fact.value
               END,
               coalesce(figure.printed_decimals, indicator.decimals)
           ) AS recomputed
) AS again
WHERE figure.known_to = 'infinity'
