-- One row per administrative unit and period of validity, the unknown unit (unit_key 0) among them.
-- Mỗi dòng là một đơn vị hành chính và một thời gian hiệu lực, kể cả đơn vị không rõ (unit_key 0).
SELECT unit.unit_code,
       unit.unit_name,
       unit.unit_kind,
       unit.unit_level,
       nullif(unit.valid_from, '0001-01-01') AS begins_on,
       nullif(unit.valid_to, '9999-12-31') AS ends_on,
       {PLACE}
FROM warehouse.dim_unit AS unit
