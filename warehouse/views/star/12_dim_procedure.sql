-- One row per administrative procedure and period of validity, with its sector; the unknown procedure is procedure_key 0. One that no list names has its code for a name: what a file wrote there is not shown.
-- Mỗi dòng là một thủ tục hành chính và một thời gian hiệu lực, kèm lĩnh vực; procedure_key 0 là thủ tục không rõ. Thủ tục không có trong danh mục nào thì lấy mã làm tên: chữ mà tệp ghi ở đó không được đưa ra.
SELECT procedure.procedure_key,
       procedure.procedure_code,
       CASE WHEN procedure.is_inferred THEN procedure.procedure_code ELSE procedure.procedure_name END AS procedure_name,
       procedure.sector_code AS field_code,
       CASE WHEN procedure.is_inferred THEN procedure.sector_code ELSE procedure.sector_name END AS field_name,
       procedure.service_level,
       procedure.has_fee,
       procedure.authority_level,
       procedure.statutory_working_days,
       nullif(procedure.valid_from, '0001-01-01') AS begins_on,
       nullif(procedure.valid_to, '9999-12-31') AS ends_on,
       procedure.procedure_key <> 0 AND NOT procedure.is_inferred AS is_listed
FROM warehouse.dim_procedure AS procedure
