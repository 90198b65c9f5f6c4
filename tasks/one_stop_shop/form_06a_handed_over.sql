-- What units that ended had still open on their last day, beside what others took over from them: how many units gave up another number.
SELECT count(*) FROM (
    SELECT unit_key FROM (
        SELECT a.unit_key, {sums} FROM {counts} a JOIN warehouse.dim_unit u USING (unit_key)
        WHERE a.counted = 'form_06a' AND a.day <= :today AND u.valid_to < :today GROUP BY a.unit_key
    ) ended
    WHERE online + other + in_online + in_other - early - on_day - late <> out_online + out_other
) left_over
