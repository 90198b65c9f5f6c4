-- One row per day that is worked, or not, otherwise than its weekday says, with the law and the notice that order it.
-- Mỗi dòng là một ngày làm việc hoặc nghỉ khác với thứ của ngày đó, kèm luật và thông báo quy định.
SELECT holiday.date_key, holiday.is_working_day, holiday.holiday_name, holiday.legal_source, holiday.evidence
FROM warehouse.dim_holiday AS holiday
