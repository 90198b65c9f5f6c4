-- One row per indicator, unit and period: the value published now.
-- Mỗi dòng là một chỉ tiêu, đơn vị và kỳ: giá trị đang công bố.
SELECT indicator_code, indicator_name, official_table, pillar, unit_code, unit_name, unit_level, unit_valid_from, period, period_type,
       numerator, denominator, value, decimals, unit_measure, target, is_met, obs_status, revision, known_from,
       obs_reason, definition, legal_source, sort_order,
       units_counted, units_expected, data_until, next_due, awaited, target_population, target_source, full_marks, full_marks_source, first_day, last_day, obs_note,
       parent_code, parent_name, province_code, province_name, unit_key, period_start, period_end, period_sort,
       value_fraction, target_fraction, full_marks_fraction,
       {CONFIDENTIAL shown false} AS conf_status
FROM mart.indicator_vintage AS shown
WHERE is_current
