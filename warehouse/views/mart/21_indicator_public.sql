-- One row per indicator, unit and period as anybody may see it: mart.indicator, without the numbers that are confidential (conf_status A or D, obs_status Q), nor those that no night has looked at yet (conf_status empty).
-- Mỗi dòng là một chỉ tiêu, đơn vị và kỳ như công khai được: mart.indicator, không có các số phải giữ kín (conf_status A hoặc D, obs_status Q) và các số chưa được rà soát (conf_status để trống).
SELECT indicator_code, indicator_name, official_table, pillar, unit_code, unit_name, unit_level, unit_valid_from, period, period_type,
       CASE WHEN conf_status = 'F' THEN numerator END AS numerator,
       CASE WHEN conf_status = 'F' THEN denominator END AS denominator,
       CASE WHEN conf_status = 'F' THEN value END AS value,
       decimals, unit_measure, target,
       CASE WHEN conf_status = 'F' THEN is_met END AS is_met,
       CASE WHEN conf_status = 'F' THEN obs_status ELSE 'Q' END AS obs_status,
       revision, known_from,
       CASE conf_status WHEN 'F' THEN obs_reason WHEN 'A' THEN 'small_count' WHEN 'D' THEN 'gives_another_away' ELSE 'not_judged' END AS obs_reason,
       definition, legal_source, sort_order,
       units_counted, units_expected, data_until, next_due, awaited, target_population, target_source, full_marks, full_marks_source, first_day, last_day, obs_note,
       parent_code, parent_name, province_code, province_name, unit_key, period_start, period_end, period_sort,
       CASE WHEN conf_status = 'F' THEN value_fraction END AS value_fraction,
       target_fraction, full_marks_fraction, conf_status
FROM mart.indicator
