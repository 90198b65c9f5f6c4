-- One row per dossier and change of the day it is due (NgayHenTra): a promise once made that the source moved or withdrew.
-- Mỗi dòng là một hồ sơ và một lần đổi ngày hẹn trả (NgayHenTra): lời hẹn mà nguồn đã lùi, đổi hoặc rút.
SELECT unit.unit_code,
       after.dossier_code,
       after.known_from,
       before.due_at AS due_before,
       after.due_at AS due_after,
       unit.valid_from AS unit_valid_from,
       unit.unit_name,
       unit.unit_level,
       {PLACE}
FROM warehouse.fact_dossier AS before
JOIN warehouse.fact_dossier AS after ON after.row_key = before.row_key AND after.known_from = before.known_to
JOIN warehouse.dim_unit AS unit ON unit.unit_key = after.unit_key
WHERE before.known_to <> 'infinity' AND before.due_at IS NOT NULL AND before.due_at IS DISTINCT FROM after.due_at
