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
       score.obs_status::text AS obs_status,
       score.revision,
       unit.valid_from AS unit_valid_from,
       score.is_computed,
       score.known_from
FROM warehouse.fact_score_766 AS score
LEFT JOIN warehouse.dim_agency AS agency ON agency.agency_key = score.agency_key AND score.agency_key <> 0
JOIN warehouse.dim_unit AS unit ON unit.unit_key = score.unit_key
WHERE score.known_to = 'infinity'
