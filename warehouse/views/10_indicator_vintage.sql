-- One row per indicator, unit, period, revision and state of what was declared: every value published, with the time in which it was so shown.
SELECT indicator.indicator_code,
       indicator.indicator_name,
       indicator.official_table,
       indicator.pillar,
       unit.unit_code,
       unit.unit_name,
       unit.unit_level,
       unit.valid_from AS unit_valid_from,
       fact.period,
       kind.period_type,
       CASE WHEN fact.obs_status <> 'Q' THEN fact.numerator END AS numerator,      -- a count of so few would name them
       CASE WHEN fact.obs_status <> 'Q' THEN fact.denominator END AS denominator,
       fact.value,
       indicator.decimals,
       indicator.unit_measure,
       target.target,
       fact.value >= target.target AS is_met,
       fact.obs_status::text AS obs_status,
       fact.revision,
       greatest(fact.known_from, indicator.known_from) AS known_from,
       least(fact.known_to, indicator.known_to, timestamptz '9999-12-31 00:00:00+07') AS known_to,  -- no tool reads 'infinity'
       fact.obs_reason,
       indicator.definition,
       indicator.legal_source,
       indicator.sort_order,
       fact.known_to = 'infinity' AND indicator.known_to = 'infinity' AS is_current,
       greatest(span.first_day, unit.valid_from) AS first_day,
       least(span.last_day, unit.valid_to) AS last_day
FROM warehouse.fact_indicator AS fact
JOIN warehouse.dim_indicator AS indicator
     ON indicator.indicator_key = fact.indicator_key
    AND indicator.known_from < fact.known_to
    AND indicator.known_to > fact.known_from
JOIN warehouse.dim_unit AS unit USING (unit_key)
CROSS JOIN LATERAL (
    SELECT CASE WHEN length(fact.period) = 4 THEN 'year' WHEN fact.period LIKE '%Q%' THEN 'quarter' ELSE 'month' END AS period_type,
           CASE WHEN length(fact.period) = 4 THEN 12 WHEN fact.period LIKE '%Q%' THEN 3 ELSE 1 END AS months,
           CASE WHEN length(fact.period) = 4 THEN 1 WHEN fact.period LIKE '%Q%' THEN 3 * right(fact.period, 1)::int - 2 ELSE right(fact.period, 2)::int END AS month
) AS kind
CROSS JOIN LATERAL (
    SELECT make_date(left(fact.period, 4)::int, kind.month, 1) AS first_day,
           (make_date(left(fact.period, 4)::int, kind.month, 1) + make_interval(months => kind.months))::date - 1 AS last_day
) AS span
LEFT JOIN warehouse.dim_target AS target
       ON target.indicator_key = indicator.indicator_key
      AND target.known_from = indicator.known_from
      AND span.last_day BETWEEN target.valid_from AND target.valid_to
