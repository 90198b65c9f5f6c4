-- One row per department or unit and period of decision 766, by who counted: the sum of its groups, its place among those scored alike.
-- Mỗi dòng là một cơ quan hoặc đơn vị và kỳ của Bộ chỉ số 766, theo nguồn đếm: tổng điểm các nhóm, thứ hạng giữa những nơi được chấm cùng các nhóm.
WITH total AS (
    SELECT score.counted_by, score.agency_key, score.unit_key, score.period, sum(score.score) AS score, sum(score.max_score) AS max_score,
           bool_or(score.obs_status = 'P') AS is_provisional,
           coalesce(string_agg(score.group_code, ', ' ORDER BY score.group_code) FILTER (WHERE score.score IS NOT NULL),
                    string_agg(score.group_code, ', ' ORDER BY score.group_code)) AS groups
    FROM warehouse.fact_score_766 AS score
    WHERE score.known_to = 'infinity' AND score.component_code = ''
    GROUP BY score.counted_by, score.agency_key, score.unit_key, score.period
), named AS (
    SELECT total.*,
           agency.agency_code AS department_code,
           coalesce(department.department_name, unit.unit_name) AS name,
           coalesce(department.department_level, unit.unit_level) AS level,
           split_part(agency.agency_code, '.', 1) AS portal_code,
           span.*
    FROM total
    CROSS JOIN LATERAL ({PERIOD total.period}) AS span
    JOIN warehouse.dim_unit AS unit USING (unit_key)
    LEFT JOIN warehouse.dim_agency AS agency ON agency.agency_key = total.agency_key AND total.agency_key <> 0
    LEFT JOIN warehouse.dim_department AS department ON department.agency_key = agency.agency_key
), placed AS (
    SELECT named.*,
           CASE WHEN score IS NOT NULL THEN rank() OVER (beside ORDER BY score DESC NULLS LAST) END AS rank,
           count(score) OVER beside AS ranked
    FROM named
    WINDOW beside AS (PARTITION BY counted_by, period, level, portal_code, groups, max_score)
)
SELECT total.counted_by,
       total.department_code,
       unit.unit_code,
       total.period,
       total.name,
       total.level,
       total.portal_code,
       total.score,
       total.max_score,
       total.rank,
       total.ranked,
       total.period_before,
       total.score - before.score AS change,
       CASE WHEN total.is_provisional OR received.obs_status = 'P' THEN 'P' ELSE 'A' END AS obs_status,
       unit.valid_from AS unit_valid_from,
       total.groups,
       received.units_counted,
       received.units_expected,
       level.level_name,
       {RANK_NAME total} AS rank_name,
       unit.unit_name,
       unit.unit_level,
       {PLACE},
       total.period_start,
       total.period_end,
       total.period_sort
FROM placed AS total
JOIN warehouse.dim_unit AS unit USING (unit_key)
LEFT JOIN ({LEVELS}) AS level USING (level)
LEFT JOIN ({RECEIVED}) AS received ON received.unit_key = total.unit_key AND received.period = total.period AND total.counted_by = 'pipeline'
LEFT JOIN LATERAL (
    SELECT sum(earlier.score) AS score, sum(earlier.max_score) AS max_score,
           string_agg(earlier.group_code, ', ' ORDER BY earlier.group_code) FILTER (WHERE earlier.score IS NOT NULL) AS groups
    FROM warehouse.fact_score_766 AS earlier
    WHERE earlier.counted_by = total.counted_by AND earlier.agency_key = total.agency_key AND earlier.unit_key = total.unit_key
      AND earlier.period = total.period_before AND earlier.component_code = '' AND earlier.known_to = 'infinity'
) AS before ON (before.groups, before.max_score) = (total.groups, total.max_score)
