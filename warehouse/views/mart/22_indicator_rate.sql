-- One row per indicator that is a rate, unit and period, to be grouped by anything: 100.0 * sum(numerator) / nullif(sum(denominator), 0) is the rate of a group, since only counts that may be added stand in these columns. These are the communes' own; what offices of districts and of the province handle themselves, what was reported for a district as a whole, and persons and things counted once, which do not add up, have their published rate beside them (is_additive false).
-- Mỗi dòng là một chỉ tiêu tỷ lệ, đơn vị và kỳ, để gộp theo bất kỳ chiều nào: 100.0 * sum(numerator) / nullif(sum(denominator), 0) là tỷ lệ của nhóm, vì hai cột này chỉ có số đếm cộng được. Đó là số của riêng các xã; việc do cơ quan cấp huyện, cấp tỉnh tự giải quyết, số báo cáo chung cho cả huyện, và người hoặc vật chỉ đếm một lần (không cộng được) có tỷ lệ đã công bố ở bên cạnh (is_additive là false).
SELECT shown.indicator_code,
       shown.indicator_name,
       shown.official_table,
       shown.pillar,
       shown.sort_order,
       shown.unit_code,
       shown.unit_name,
       shown.unit_level,
       shown.unit_valid_from,
       shown.period,
       shown.period_type,
       shown.obs_status,
       CASE WHEN adds_up.is_additive THEN shown.numerator END AS numerator,
       CASE WHEN adds_up.is_additive THEN shown.denominator END AS denominator,
       shown.value AS rate,
       shown.value_fraction AS rate_fraction,
       adds_up.is_additive,
       counted.is_stock,
       shown.parent_code,
       shown.parent_name,
       shown.province_code,
       shown.province_name,
       shown.unit_key,
       shown.period_start,
       shown.period_end,
       shown.period_sort
FROM mart.indicator AS shown
LEFT JOIN ({ADDING_UP}) AS counted
       ON counted.indicator_code = shown.indicator_code
      AND shown.period_end BETWEEN counted.listed_from AND counted.listed_to
CROSS JOIN LATERAL (
    SELECT shown.unit_level = 'commune'
           AND shown.denominator IS NOT NULL
           AND coalesce(counted.is_additive, false)
           -- how many there are at the end: a unit that went before has passed its people on
           AND (NOT counted.is_stock OR shown.last_day = shown.period_end) AS is_additive
) AS adds_up
WHERE shown.unit_measure = 'PERCENT'
