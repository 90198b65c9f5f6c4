-- One row per agency and period in which its name and unit did not change; the unknown agency is agency_key 0. One that no list names has its code for a name.
-- Mỗi dòng là một cơ quan và một thời gian không đổi tên, đổi đơn vị; agency_key 0 là cơ quan không rõ. Cơ quan không có trong danh sách nào thì lấy mã làm tên.
SELECT agency.agency_key,
       agency.agency_code,
       CASE WHEN agency.is_inferred THEN agency.agency_code ELSE agency.agency_name END AS agency_name,
       agency.unit_key,
       nullif(agency.valid_from, '0001-01-01') AS begins_on,
       nullif(agency.valid_to, '9999-12-31') AS ends_on,
       agency.agency_key <> 0 AND NOT agency.is_inferred AS is_listed
FROM warehouse.dim_agency AS agency
