-- One row per day that is worked, or not, otherwise than its weekday says, with the law and the notice that order it.
SELECT holiday.date_key, holiday.is_working_day, holiday.holiday_name, holiday.legal_source, holiday.evidence
FROM warehouse.dim_holiday AS holiday
