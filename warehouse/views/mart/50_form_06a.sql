-- One row per unit, period, section and sector: form II.06a (TT 01/2020/TT-VPCP) as published now, by the installation's reporting calendar.
-- Mỗi dòng là một đơn vị, kỳ, phần và lĩnh vực: biểu II.06a (TT 01/2020/TT-VPCP) đang công bố, theo lịch báo cáo của nơi cài đặt.
SELECT unit.unit_code,
       form.period,
       form.sector_code AS field_code,
       form.sector_name AS field_name,
       form.c3, form.c4, form.c5, form.c6, form.c7, form.c8, form.c9, form.c10, form.c11, form.c12, form.c13,
       form.section,
       unit.valid_from AS unit_valid_from,
       form.revision,
       form.known_from,
       form.reporting_calendar,
       unit.unit_name,
       unit.unit_level,
       {PLACE},
       calendar.first_day AS period_start,
       calendar.last_day AS period_end,
       span.period_sort
FROM warehouse.fact_form_06a AS form
JOIN warehouse.dim_unit AS unit USING (unit_key)
CROSS JOIN LATERAL ({PERIOD form.period}) AS span
LEFT JOIN ({CALENDARS}) AS calendar USING (reporting_calendar, period)
WHERE form.known_to = 'infinity'
  AND form.reporting_calendar = coalesce((SELECT value FROM ops.installation WHERE item = 'reporting_calendar form_06a'), 'lich')
