-- One row per essential service billed.
-- Mỗi dòng là một dịch vụ thiết yếu có hóa đơn.
SELECT service_key, service_code, service_name FROM warehouse.dim_service
