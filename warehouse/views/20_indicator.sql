-- One row per indicator, unit and period: the value published now.
SELECT indicator_code, indicator_name, official_table, pillar, unit_code, unit_name, unit_level, unit_valid_from, period, period_type,
       numerator, denominator, value, decimals, unit_measure, target, is_met, obs_status, revision, known_from,
       obs_reason, definition, legal_source, sort_order,
       units_counted, units_expected, data_until, next_due, awaited, target_population, target_source, full_marks, full_marks_source, first_day, last_day, obs_note
FROM mart.indicator_vintage
WHERE is_current
