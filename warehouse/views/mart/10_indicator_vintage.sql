-- One row per indicator, unit, period, revision and state of what was declared: every value published, with the time in which it was so shown.
-- Mỗi dòng là một chỉ tiêu, đơn vị, kỳ, lần sửa đổi và trạng thái khai báo: mọi giá trị đã công bố, kèm thời gian giá trị được công bố như vậy.
SELECT indicator.indicator_code,
       indicator.indicator_name,
       indicator.official_table,
       indicator.pillar,
       unit.unit_code,
       unit.unit_name,
       unit.unit_level,
       unit.valid_from AS unit_valid_from,
       fact.period,
       span.period_type,
       CASE WHEN fact.obs_status <> 'Q' THEN fact.numerator END AS numerator,      -- a count of so few would name them
       CASE WHEN fact.obs_status <> 'Q' AND indicator.unit_measure = 'PERCENT' THEN fact.denominator END AS denominator,
       fact.value,
       indicator.decimals,
       indicator.unit_measure,
       target.target,
       CASE  -- on the counts themselves: 7.999 of 10.000 do not reach 80 %, though they print as 80,0
           WHEN fact.value IS NULL THEN NULL
           WHEN indicator.unit_measure = 'PERCENT' THEN 100.0 * fact.numerator >= target.target * fact.denominator
           ELSE fact.value >= target.target
       END AS is_met,
       fact.obs_status::text AS obs_status,
       fact.revision,
       greatest(fact.known_from, indicator.known_from) AS known_from,
       nullif(least(fact.known_to, indicator.known_to), 'infinity') AS known_to,  -- which no tool reads
       fact.obs_reason,
       indicator.definition,
       indicator.legal_source,
       indicator.sort_order,
       fact.known_to = 'infinity' AND indicator.known_to = 'infinity' AS is_current,
       fact.units_counted,
       fact.units_expected,
       reach.data_until,
       reach.next_due,
       nullif(array_to_string(reach.awaited, ', '), '') AS awaited,
       target.population AS target_population,
       nullif(concat_ws(', ', target.legal_source, to_char(target.document_date, 'DD/MM/YYYY'), target.place), '') AS target_source,
       full_marks.target AS full_marks,
       nullif(concat_ws(', ', full_marks.legal_source, to_char(full_marks.document_date, 'DD/MM/YYYY'), full_marks.place), '') AS full_marks_source,
       greatest(span.period_start, unit.valid_from) AS first_day,
       least(span.period_end, unit.valid_to) AS last_day,
       nullif(concat_ws('; ',
           CASE WHEN fact.obs_reason = 'stands_in'
               THEN CASE WHEN unit.unit_level <> 'commune' THEN 'ở đơn vị thiếu danh sách người là ' ELSE '' END || indicator.fallback_note END,
           CASE WHEN fact.providers_missing IS NOT NULL THEN (
               SELECT 'chưa có danh sách người của ' || string_agg(provider.provider_name, ', ' ORDER BY provider.provider_name)
               FROM warehouse.dim_provider AS provider WHERE provider.provider_key = ANY(fact.providers_missing)
           ) END,
           CASE WHEN fact.key_numbers IS NOT NULL THEN ({MIXES_KEYS}) END), '') AS obs_note,
       {PLACE},
       span.period_start,
       span.period_end,
       span.period_sort,
       CASE WHEN indicator.unit_measure = 'PERCENT' THEN 0.01 * fact.value END AS value_fraction,
       CASE WHEN indicator.unit_measure = 'PERCENT' THEN 0.01 * target.target END AS target_fraction,
       CASE WHEN indicator.unit_measure = 'PERCENT' THEN 0.01 * full_marks.target END AS full_marks_fraction
FROM warehouse.fact_indicator AS fact
JOIN warehouse.dim_indicator AS indicator
     ON indicator.indicator_key = fact.indicator_key
    AND indicator.known_from < fact.known_to
    AND indicator.known_to > fact.known_from
JOIN warehouse.dim_unit AS unit USING (unit_key)
CROSS JOIN LATERAL ({PERIOD fact.period}) AS span
LEFT JOIN warehouse.dim_target AS target
       ON target.indicator_key = indicator.indicator_key
      AND target.known_from = indicator.known_from
      AND target.province_code IN ('', unit.province_code)
      AND target.kind = 'target'
      AND span.period_end BETWEEN target.valid_from AND target.valid_to
LEFT JOIN warehouse.dim_target AS full_marks
       ON full_marks.indicator_key = indicator.indicator_key
      AND full_marks.known_from = indicator.known_from
      AND full_marks.kind = 'full_marks'
      AND full_marks.province_code IN ('', unit.province_code)
      AND span.period_end BETWEEN full_marks.valid_from AND full_marks.valid_to
LEFT JOIN LATERAL (  -- as it was last known while the value was shown
    SELECT * FROM warehouse.fact_reach AS known
    WHERE known.indicator_key = fact.indicator_key AND known.period = fact.period AND known.known_from < fact.known_to
    ORDER BY known.known_from DESC LIMIT 1
) AS reach ON true
