-- One row per department or unit, period, group and component of decision 766, by who counted; without component the group's total.
SELECT score.counted_by,
       agency.agency_code AS department_code,
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
       received.units_expected
FROM warehouse.fact_score_766 AS score
LEFT JOIN warehouse.dim_agency AS agency ON agency.agency_key = score.agency_key AND score.agency_key <> 0
JOIN warehouse.dim_unit AS unit ON unit.unit_key = score.unit_key
LEFT JOIN (  -- what the dossiers received in it cover: a score of a part is no more than provisional either
    SELECT fact.unit_key, fact.period, fact.obs_status, fact.units_counted, fact.units_expected
    FROM warehouse.fact_indicator AS fact
    JOIN warehouse.dim_indicator AS indicator ON indicator.indicator_key = fact.indicator_key AND indicator.known_to = 'infinity'
    WHERE indicator.indicator_code = 'CQ4' AND fact.known_to = 'infinity'
) AS received ON received.unit_key = score.unit_key AND received.period = score.period AND score.counted_by = 'pipeline'
WHERE score.known_to = 'infinity'
