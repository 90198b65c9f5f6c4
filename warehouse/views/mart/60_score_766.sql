-- One row per department or unit, period, group and component of decision 766, by who counted; without component the group's total.
-- Mỗi dòng là một cơ quan hoặc đơn vị, kỳ, nhóm và thành phần của Bộ chỉ số 766, theo nguồn đếm; không có thành phần là tổng của nhóm.
WITH named AS (
    SELECT score.*,
           agency.agency_code AS department_code,
           coalesce(department.department_name, unit.unit_name) AS name,
           coalesce(department.department_level, unit.unit_level) AS level,
           split_part(agency.agency_code, '.', 1) AS portal_code
    FROM warehouse.fact_score_766 AS score
    JOIN warehouse.dim_unit AS unit USING (unit_key)
    LEFT JOIN warehouse.dim_agency AS agency ON agency.agency_key = score.agency_key AND score.agency_key <> 0
    LEFT JOIN warehouse.dim_department AS department ON department.agency_key = agency.agency_key
    WHERE score.known_to = 'infinity'
), placed AS (
    SELECT named.*,
           CASE WHEN score IS NOT NULL THEN rank() OVER (beside ORDER BY score DESC NULLS LAST) END AS rank,
           count(score) OVER beside AS ranked
    FROM named
    WINDOW beside AS (PARTITION BY counted_by, period, level, portal_code, group_code, component_code, max_score)
)
SELECT score.counted_by,
       score.department_code,
       unit.unit_code,
       score.period,
       score.group_code,
       nullif(score.component_code, '') AS component_code,
       score.numerator,
       score.denominator,
       score.ratio,
       score.score,
       score.max_score,
       CASE WHEN score.obs_status = 'A' AND received.obs_status = 'P' THEN 'P' ELSE score.obs_status::text END AS obs_status,
       score.revision,
       unit.valid_from AS unit_valid_from,
       score.is_computed,
       score.known_from,
       received.units_counted,
       received.units_expected,
       score.name,
       score.level,
       level.level_name,
       part.group_name,
       part.component_name,
       score.rank,
       score.ranked,
       {RANK_NAME score} AS rank_name,
       score.portal_code,
       unit.unit_name,
       unit.unit_level,
       {PLACE},
       span.period_start,
       span.period_end,
       span.period_sort,
       0.01 * score.ratio AS ratio_fraction
FROM placed AS score
CROSS JOIN LATERAL ({PERIOD score.period}) AS span
JOIN warehouse.dim_unit AS unit USING (unit_key)
LEFT JOIN ({LEVELS}) AS level USING (level)
LEFT JOIN ({PARTS_766}) AS part
       ON part.group_code = score.group_code
      AND part.component_code = score.component_code
      AND span.period_start BETWEEN part.valid_from AND part.valid_to
LEFT JOIN ({RECEIVED}) AS received ON received.unit_key = score.unit_key AND received.period = score.period AND score.counted_by = 'pipeline'
