-- One row per administrative unit and period of validity: the hierarchy by which indicators are filtered.
-- Mỗi dòng là một đơn vị hành chính và một thời gian hiệu lực: cây đơn vị dùng để lọc các chỉ tiêu.
SELECT unit.unit_code, unit.valid_from, unit.valid_to, unit.unit_name, unit.unit_kind, unit.unit_level,
       {PLACE}
FROM warehouse.dim_unit AS unit
WHERE unit.unit_key <> 0
