-- One row per department or unit and period of decision 766, by who counted: the sum of its groups, its place among those scored alike.
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
           unit.unit_code,
           unit.valid_from AS unit_valid_from,
           coalesce(department.department_name, unit.unit_name) AS name,
           coalesce(department.department_level, unit.unit_level) AS level,
           split_part(agency.agency_code, '.', 1) AS province_code,
           CASE
               WHEN length(total.period) = 4 THEN (total.period::int - 1)::text
               WHEN total.period LIKE '%-Q1' THEN left(total.period, 4)::int - 1 || '-Q4'
               WHEN total.period LIKE '%Q%' THEN left(total.period, 6) || right(total.period, 1)::int - 1
               ELSE to_char(to_date(total.period, 'YYYY-MM') - interval '1 month', 'YYYY-MM')
           END AS period_before
    FROM total
    JOIN warehouse.dim_unit AS unit USING (unit_key)
    LEFT JOIN warehouse.dim_agency AS agency ON agency.agency_key = total.agency_key AND total.agency_key <> 0
    LEFT JOIN warehouse.dim_department AS department ON department.agency_key = agency.agency_key
)
SELECT named.counted_by,
       named.department_code,
       named.unit_code,
       named.period,
       named.name,
       named.level,
       named.province_code,
       named.score,
       named.max_score,
       CASE WHEN named.score IS NOT NULL THEN rank() OVER (beside ORDER BY named.score DESC NULLS LAST) END AS rank,
       count(named.score) OVER beside AS ranked,
       named.period_before,
       named.score - before.score AS change,
       CASE WHEN named.is_provisional OR received.obs_status = 'P' THEN 'P' ELSE 'A' END AS obs_status,
       named.unit_valid_from,
       named.groups,
       received.units_counted,
       received.units_expected
FROM named
LEFT JOIN (  -- what the dossiers received in it cover: a score of a part is no more than provisional either
    SELECT fact.unit_key, fact.period, fact.obs_status, fact.units_counted, fact.units_expected
    FROM warehouse.fact_indicator AS fact
    JOIN warehouse.dim_indicator AS indicator ON indicator.indicator_key = fact.indicator_key AND indicator.known_to = 'infinity'
    WHERE indicator.indicator_code = 'CQ4' AND fact.known_to = 'infinity'
) AS received ON received.unit_key = named.unit_key AND received.period = named.period AND named.counted_by = 'pipeline'
LEFT JOIN LATERAL (
    SELECT sum(earlier.score) AS score, sum(earlier.max_score) AS max_score,
           string_agg(earlier.group_code, ', ' ORDER BY earlier.group_code) FILTER (WHERE earlier.score IS NOT NULL) AS groups
    FROM warehouse.fact_score_766 AS earlier
    WHERE earlier.counted_by = named.counted_by AND earlier.agency_key = named.agency_key AND earlier.unit_key = named.unit_key
      AND earlier.period = named.period_before AND earlier.component_code = '' AND earlier.known_to = 'infinity'
) AS before ON (before.groups, before.max_score) = (named.groups, named.max_score)
WINDOW beside AS (PARTITION BY named.counted_by, named.period, named.level, named.province_code, named.groups, named.max_score)
