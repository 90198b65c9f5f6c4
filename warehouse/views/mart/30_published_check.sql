-- One row per document, unit, period and indicator: the figure as printed beside the one recomputed from the counts.
-- Mỗi dòng là một văn bản, đơn vị, kỳ và chỉ tiêu: số đã in bên cạnh số tính lại.
WITH figure AS (
    SELECT told.*,
           span.*,
           coalesce(told.printed_decimals, counted.decimals, 0) AS decimals,
           0.5 * 10::numeric ^ -told.printed_decimals AS half,
           CASE
               WHEN told.printed LIKE '%/%' THEN 'counts'  -- as 16/16: two counts, no rate
               WHEN told.printed LIKE '%\%%' THEN 'rate'
               WHEN declared.unit_measure <> 'PERCENT' OR told.numerator = told.printed_value AND told.denominator IS NULL THEN 'count'
               ELSE 'rate'
           END AS kind,
           declared.numerator_counts,
           declared.denominator_counts,
           declared.may_exceed IS NOT NULL AS may_exceed,
           counted.numerator AS counted_numerator,
           counted.denominator AS counted_denominator,
           counted.obs_status
    FROM warehouse.fact_published_figure AS told
    CROSS JOIN LATERAL ({PERIOD told.period}) AS span
    LEFT JOIN LATERAL (
        SELECT * FROM warehouse.dim_indicator AS known
        WHERE known.indicator_code = told.indicator_code AND known.known_to = 'infinity'
        ORDER BY known.version DESC
        LIMIT 1
    ) AS declared ON true
    LEFT JOIN mart.indicator AS counted           -- without the rates of so few, which would name them
           ON counted.indicator_code = told.indicator_code
          AND counted.unit_key = told.unit_key
          AND counted.period = told.period
    WHERE told.known_to = 'infinity'
), fraction AS (  -- the figure by its own printed counts, and by those of the warehouse; compared before anything is rounded
    SELECT figure.row_key,
           counts.is_printed,
           round(div(2 * part * 10::numeric ^ decimals + whole, 2 * whole) / 10::numeric ^ decimals, greatest(decimals, 0)) AS recomputed,
           CASE figure.printed_as
               WHEN 'above' THEN part > printed_value * whole
               WHEN 'at_least' THEN part >= printed_value * whole
               WHEN 'below' THEN part < printed_value * whole
               WHEN 'at_most' THEN part <= printed_value * whole
               WHEN 'nearly' THEN part >= (printed_value - half) * whole AND part < printed_value * whole
               ELSE part >= (printed_value - half) * whole AND part < (printed_value + half) * whole
           END AS holds
    FROM figure
    CROSS JOIN LATERAL (
        VALUES (true, CASE WHEN kind = 'rate' THEN 100.0 * numerator END, denominator::numeric),
               (false, CASE WHEN kind = 'rate' THEN 100.0 ELSE 1 END * counted_numerator, CASE WHEN kind = 'rate' THEN counted_denominator ELSE 1 END)
    ) AS counts (is_printed, part, whole)
    WHERE part >= 0 AND whole > 0
), said AS (  -- how many there are of a thing by one figure: the count that it prints, or those that its rate leaves room for
    SELECT figure.row_key, source_document, unit_key, period, indicator_code, thing, fewest, most, is_all
    FROM figure
    CROSS JOIN LATERAL (
        SELECT coalesce(numerator, CASE WHEN kind = 'count' AND printed_as = 'exact' THEN printed_value END) AS number,
               kind = 'rate' AND printed_as IN ('exact', 'about') AND numerator > 0 AS leaves_room
    ) AS printed_number
    CROSS JOIN LATERAL (
        VALUES (numerator_counts, number, number, coalesce(numerator = denominator, false)),
               (
                   denominator_counts,
                   coalesce(denominator, CASE WHEN leaves_room THEN floor(100 * numerator / (printed_value + half)) + 1 END),
                   coalesce(denominator, CASE WHEN leaves_room AND printed_value > half THEN floor(100 * numerator / (printed_value - half)) END),
                   false
               )
    ) AS counts (thing, fewest, most, is_all)
    WHERE fewest > 0
), clash AS (  -- figures of one document that cannot all be right; small numbers, and counts of the same rows, may well be equal
    SELECT one.row_key,
           string_agg(DISTINCT other.indicator_code, ', ') FILTER (WHERE one.thing = other.thing) AS not_the_same_as,
           string_agg(DISTINCT other.indicator_code, ', ') FILTER (WHERE one.thing <> other.thing) AS used_by_too
    FROM said AS one
    JOIN said AS other USING (source_document, unit_key, period)
    WHERE one.row_key <> other.row_key
      AND CASE
              WHEN one.thing = other.thing THEN one.most < other.fewest OR one.fewest > other.most
              ELSE one.fewest >= 100 AND one.fewest = one.most AND one.fewest = other.fewest AND other.fewest = other.most
                  AND split_part(one.thing, ' ', 1) <> split_part(other.thing, ' ', 1)
                  AND NOT one.is_all AND NOT other.is_all
          END
    GROUP BY one.row_key
), judged AS (
    SELECT figure.*, own.recomputed AS by_print, ours.recomputed AS by_warehouse, clash.not_the_same_as, clash.used_by_too,
           CASE
               WHEN numerator > denominator AND NOT may_exceed OR least(numerator, denominator) < 0 THEN 'impossible'
               WHEN printed LIKE '%\%%' AND printed_value > 100 AND NOT may_exceed AND printed_as NOT IN ('below', 'at_most') THEN 'impossible'
               WHEN printed_value IS NULL THEN 'not_counted'
               WHEN NOT own.holds THEN 'not_of_its_counts'
               WHEN ours.row_key IS NOT NULL AND (
                   numerator <> counted_numerator OR denominator IS NOT NULL AND denominator IS DISTINCT FROM counted_denominator
               ) THEN 'other_counts'
               WHEN NOT ours.holds THEN 'other_value'
               WHEN ours.holds THEN 'holds'
               WHEN clash.not_the_same_as IS NOT NULL THEN 'not_the_same'
               WHEN clash.used_by_too IS NOT NULL THEN 'used_twice'
               WHEN own.holds THEN 'holds_in_print'
               ELSE 'not_counted'
           END AS finding
    FROM figure
    LEFT JOIN fraction AS own ON own.row_key = figure.row_key AND own.is_printed
    LEFT JOIN fraction AS ours ON ours.row_key = figure.row_key AND NOT ours.is_printed
    LEFT JOIN clash ON clash.row_key = figure.row_key
)
SELECT unit.unit_code,
       period,
       indicator_code,
       printed,
       round(printed_value, greatest(printed_decimals, 0)) AS printed_value,
       CASE WHEN finding IN ('impossible', 'not_of_its_counts') THEN coalesce(by_print, by_warehouse) ELSE coalesce(by_warehouse, by_print) END
           AS recomputed,
       CASE finding
           WHEN 'impossible' THEN 'impossible'
           WHEN 'holds' THEN 'holds'
           WHEN 'holds_in_print' THEN 'holds'
           WHEN 'not_counted' THEN 'not_computable'
           ELSE 'differs'
       END AS verdict,
       source_document,
       CASE finding
           WHEN 'impossible' THEN 'Phần không thể lớn hơn tổng thể, số không thể âm'
           WHEN 'not_of_its_counts' THEN 'Không khớp với chính tử số, mẫu số in kèm'
           WHEN 'other_counts' THEN 'Tử số, mẫu số in kèm khác số trong kho'
           WHEN 'other_value' THEN 'Khác số tính lại từ kho'
           WHEN 'not_the_same' THEN 'Cùng văn bản in số khác cho cùng một tổng thể: ' || not_the_same_as
           WHEN 'used_twice' THEN 'Cùng văn bản dùng một số cho hai việc: ' || used_by_too
           WHEN 'holds_in_print' THEN 'Chỉ đối chiếu được với tử số, mẫu số in kèm; kho chưa có số'
           WHEN 'not_counted' THEN 'Kho chưa có số để tính lại'
           WHEN 'holds' THEN NULL
       END || CASE WHEN obs_status = 'P' AND finding IN ('other_counts', 'other_value') THEN ', là số tạm tính' ELSE '' END AS note,
       unit.valid_from AS unit_valid_from,
       (SELECT named.indicator_name FROM warehouse.dim_indicator AS named WHERE named.indicator_code = judged.indicator_code
           ORDER BY named.known_to DESC, named.version DESC LIMIT 1) AS indicator_name,
       unit.unit_name,
       unit.unit_level,
       {PLACE},
       period_start,
       period_end,
       period_sort,
       CASE WHEN kind = 'rate' THEN 0.01 * round(printed_value, greatest(printed_decimals, 0)) END AS printed_fraction,
       CASE
           WHEN kind <> 'rate' THEN NULL
           WHEN finding IN ('impossible', 'not_of_its_counts') THEN 0.01 * coalesce(by_print, by_warehouse)
           ELSE 0.01 * coalesce(by_warehouse, by_print)
       END AS recomputed_fraction
FROM judged
JOIN warehouse.dim_unit AS unit USING (unit_key)
UNION ALL
-- Scores of decision 766 as the national portal prints them: a score for a component, or for the group where it prints no other.
SELECT agency.agency_code,
       told.period,
       concat_ws('.', '766', told.group_code, nullif(told.component_code, '')),
       coalesce(replace(trim_scale(told.score)::text, '.', ','), 'không có điểm'),
       told.score,
       CASE WHEN ours.is_computed THEN ours.score END,
       CASE
           WHEN ours.is_computed IS NOT TRUE THEN 'not_computable'
           WHEN ours.score IS NOT DISTINCT FROM told.score THEN 'holds'  -- null is an answer: no cases, no score
           ELSE 'differs'
       END,
       'Cổng Dịch vụ công quốc gia, Bộ chỉ số 766, lấy lúc ' || to_char(told.known_from AT TIME ZONE 'Asia/Ho_Chi_Minh', 'HH24:MI DD/MM/YYYY'),
       NULL::text,
       NULL::date,
       concat_ws(': ', part.group_name, part.component_name),
       department.department_name,
       department.department_level,
       {PLACE},
       span.period_start,
       span.period_end,
       span.period_sort,
       NULL::numeric,
       NULL::numeric
FROM warehouse.fact_portal_766 AS told
CROSS JOIN LATERAL ({PERIOD told.period}) AS span
JOIN warehouse.dim_department AS department USING (department_key)
JOIN warehouse.dim_agency AS agency USING (agency_key)
LEFT JOIN ({PARTS_766}) AS part
       ON part.group_code = told.group_code
      AND part.component_code = told.component_code
      AND span.period_start BETWEEN part.valid_from AND part.valid_to
LEFT JOIN warehouse.fact_score_766 AS ours
       ON ours.counted_by = 'portal'
      AND ours.agency_key = department.agency_key
      AND ours.period = told.period
      AND ours.group_code = told.group_code
      AND ours.component_code = told.component_code
      AND ours.known_to = 'infinity'
JOIN warehouse.dim_unit AS unit ON unit.unit_key = coalesce(ours.unit_key, agency.unit_key)
WHERE told.known_to = 'infinity'
  AND department.agency_key <> 0
  AND CASE WHEN told.group_code IN ('TDGQ', 'CLGQ', 'TTTT') THEN told.component_code = '' ELSE told.component_code <> '' AND told.max_score > 0 END
