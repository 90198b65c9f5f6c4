-- One row per unit, period, measure and, where several add up, who counted: what offices counted.
-- Mỗi dòng là một đơn vị, kỳ, chỉ số đếm và nơi đếm (khi số của nhiều nơi cộng lại): số do cơ quan, đơn vị báo cáo.
SELECT told.unit_key,
       told.period,
       span.period_type,
       span.period_end AS date_key,
       told.measure,
       coalesce(measure.measure_name, told.measure) AS measure_name,
       measure.is_stock,
       told.provider_key,
       told.value AS counted,
       span.period_start,
       span.period_end,
       span.period_sort
FROM warehouse.fact_unit_count AS told
CROSS JOIN LATERAL ({PERIOD told.period}) AS span
LEFT JOIN ({MEASURES}) AS measure USING (measure)
WHERE told.known_to = 'infinity'
