-- One row per indicator, unit of today and period: its value as if it had always been there, before it began put together from the units that went into it.
-- Mỗi dòng là một chỉ tiêu, đơn vị hiện nay và kỳ: giá trị như thể đơn vị đã có từ trước; trước khi đơn vị thành lập thì tính từ các đơn vị đã nhập vào.
WITH restated AS NOT MATERIALIZED (
    SELECT fact.*, span.period_type, span.period_start, span.period_end, span.period_sort
    FROM warehouse.fact_indicator_restated AS fact
    CROSS JOIN LATERAL ({PERIOD fact.period}) AS span
    WHERE fact.known_to = 'infinity'
), place AS NOT MATERIALIZED (
    SELECT DISTINCT unit_key, period, period_start AS first_day, period_end AS last_day FROM restated
), predecessor AS NOT MATERIALIZED (
    SELECT place.unit_key, place.period, place.first_day, place.last_day,
           string_agg(unit.unit_name || ' (' || unit.unit_code || CASE WHEN lineage.extent = 'part' THEN ', một phần' ELSE '' END
               || CASE WHEN unit.unit_key = place.unit_key THEN ', từ ' || to_char(unit.valid_from, 'DD/MM/YYYY') ELSE '' END || ')', '; '
               ORDER BY unit.valid_from, unit.unit_code) AS named
    FROM place
    JOIN warehouse.bridge_unit_lineage AS lineage USING (unit_key)
    JOIN warehouse.dim_unit AS unit ON unit.unit_key = lineage.earlier_key AND unit.valid_from <= place.last_day AND unit.valid_to >= place.first_day
    GROUP BY place.unit_key, place.period, place.first_day, place.last_day
)
SELECT indicator.indicator_code,
       indicator.indicator_name,
       indicator.official_table,
       indicator.pillar,
       unit.unit_code,
       unit.unit_name,
       unit.unit_level,
       unit.valid_from AS unit_valid_from,
       fact.period,
       fact.period_type,
       CASE WHEN fact.obs_status <> 'Q' THEN fact.numerator END AS numerator,      -- a count of so few would name them
       CASE WHEN fact.obs_status <> 'Q' AND indicator.unit_measure = 'PERCENT' THEN fact.denominator END AS denominator,
       fact.value,
       indicator.decimals,
       indicator.unit_measure,
       target.target,
       CASE
           WHEN fact.value IS NULL THEN NULL
           WHEN indicator.unit_measure = 'PERCENT' THEN 100.0 * fact.numerator >= target.target * fact.denominator
           ELSE fact.value >= target.target
       END AS is_met,
       fact.obs_status::text AS obs_status,
       fact.revision,
       greatest(fact.known_from, indicator.known_from) AS known_from,
       fact.obs_reason,
       indicator.definition,
       indicator.legal_source,
       indicator.sort_order,
       NULL::int AS units_counted,
       NULL::int AS units_expected,
       reach.data_until,
       reach.next_due,
       nullif(array_to_string(reach.awaited, ', '), '') AS awaited,
       target.population AS target_population,
       nullif(concat_ws(', ', target.legal_source, to_char(target.document_date, 'DD/MM/YYYY'), target.place), '') AS target_source,
       full_marks.target AS full_marks,
       nullif(concat_ws(', ', full_marks.legal_source, to_char(full_marks.document_date, 'DD/MM/YYYY'), full_marks.place), '') AS full_marks_source,
       predecessor.first_day,
       predecessor.last_day,
       TRUE AS is_restated,
       predecessor.named AS predecessors,
       fact.units_counted AS predecessors_counted,
       fact.units_all AS predecessors_all,
       nullif(concat_ws('; ', CASE fact.obs_reason
           WHEN 'part_of_predecessor' THEN missing.named || ' chỉ nhập vào một phần'
           WHEN 'predecessor_missing' THEN 'chưa có số của ' || missing.named
           WHEN 'stands_in' THEN 'ở đơn vị thiếu danh sách người là ' || indicator.fallback_note
           WHEN 'lists_missing' THEN 'chưa có danh sách người của mọi nhà cung cấp'
       END, CASE WHEN fact.key_numbers IS NOT NULL THEN ({MIXES_KEYS}) END), '') AS obs_note,
       {PLACE},
       fact.period_start,
       fact.period_end,
       fact.period_sort,
       CASE WHEN indicator.unit_measure = 'PERCENT' THEN 0.01 * fact.value END AS value_fraction,
       CASE WHEN indicator.unit_measure = 'PERCENT' THEN 0.01 * target.target END AS target_fraction,
       CASE WHEN indicator.unit_measure = 'PERCENT' THEN 0.01 * full_marks.target END AS full_marks_fraction,
       {CONFIDENTIAL shown true} AS conf_status
FROM restated AS fact
JOIN warehouse.dim_indicator AS indicator ON indicator.indicator_key = fact.indicator_key AND indicator.known_to = 'infinity'
JOIN warehouse.dim_unit AS unit USING (unit_key)
JOIN predecessor USING (unit_key, period)
LEFT JOIN warehouse.dim_target AS target
       ON target.indicator_key = indicator.indicator_key
      AND target.known_from = indicator.known_from
      AND target.kind = 'target'
      AND target.province_code IN ('', unit.province_code)
      AND predecessor.last_day BETWEEN target.valid_from AND target.valid_to
LEFT JOIN warehouse.dim_target AS full_marks
       ON full_marks.indicator_key = indicator.indicator_key
      AND full_marks.known_from = indicator.known_from
      AND full_marks.kind = 'full_marks'
      AND full_marks.province_code IN ('', unit.province_code)
      AND predecessor.last_day BETWEEN full_marks.valid_from AND full_marks.valid_to
LEFT JOIN warehouse.fact_reach AS reach
       ON reach.indicator_key = fact.indicator_key AND reach.period = fact.period AND reach.known_to = 'infinity'
LEFT JOIN LATERAL (
    SELECT string_agg(lacking.unit_name || ' (' || lacking.unit_code
               || CASE WHEN lacking.unit_key = fact.unit_key THEN ', từ ' || to_char(lacking.valid_from, 'DD/MM/YYYY') ELSE '' END || ')', ', '
               ORDER BY lacking.valid_from, lacking.unit_code) AS named
    FROM warehouse.dim_unit AS lacking WHERE lacking.unit_key = ANY(fact.units_missing)
) AS missing ON fact.units_missing IS NOT NULL
CROSS JOIN LATERAL (
    SELECT indicator.indicator_code, fact.period, fact.unit_key, fact.numerator, fact.obs_status
) AS shown
UNION ALL
SELECT own.indicator_code, own.indicator_name, own.official_table, own.pillar, own.unit_code, own.unit_name, own.unit_level,
       own.unit_valid_from, own.period, own.period_type, own.numerator, own.denominator, own.value, own.decimals, own.unit_measure,
       own.target, own.is_met, own.obs_status, own.revision, own.known_from, own.obs_reason, own.definition, own.legal_source, own.sort_order,
       own.units_counted, own.units_expected, own.data_until, own.next_due, own.awaited, own.target_population, own.target_source,
       own.full_marks, own.full_marks_source, own.first_day, own.last_day,
       FALSE, NULL, NULL, NULL, own.obs_note,
       own.parent_code, own.parent_name, own.province_code, own.province_name, own.unit_key, own.period_start, own.period_end, own.period_sort,
       own.value_fraction, own.target_fraction, own.full_marks_fraction, own.conf_status
FROM mart.indicator AS own
JOIN warehouse.dim_unit AS unit USING (unit_key)
WHERE unit.valid_to >= (SELECT max(as_of AT TIME ZONE 'Asia/Ho_Chi_Minh')::date FROM ops.publication)  -- a unit of today
  AND NOT EXISTS (
    SELECT FROM warehouse.fact_indicator_restated AS other
    WHERE other.known_to = 'infinity' AND other.unit_key = unit.unit_key AND other.period = own.period
  )
