-- One row per administrative unit and period of validity: the hierarchy by which indicators are filtered.
SELECT unit_code, valid_from, valid_to, unit_name, unit_kind, unit_level, parent_code
FROM warehouse.dim_unit
WHERE unit_key <> 0
