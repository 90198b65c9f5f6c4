-- One row per day, with the month, quarter and year it lies in, its weekday, and whether it is worked.
-- Mỗi dòng là một ngày, kèm tháng, quý, năm, thứ, và có phải ngày làm việc không.
SELECT day.date_key,
       day.month,
       day.quarter,
       day.year,
       day.month_start,
       date_trunc('quarter', day.date_key::timestamp)::date AS quarter_start,
       date_trunc('year', day.date_key::timestamp)::date AS year_start,
       day.day_of_week,
       (ARRAY['Thứ Hai', 'Thứ Ba', 'Thứ Tư', 'Thứ Năm', 'Thứ Sáu', 'Thứ Bảy', 'Chủ Nhật'])[day.day_of_week] AS day_name,
       day.is_working_day,
       holiday.holiday_name
FROM warehouse.dim_date AS day
LEFT JOIN warehouse.dim_holiday AS holiday USING (date_key)
