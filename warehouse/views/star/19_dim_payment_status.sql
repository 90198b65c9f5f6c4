-- One row per state of a payment; only settled counts as paid.
-- Mỗi dòng là một trạng thái giao dịch; chỉ giao dịch thành công được tính là đã trả.
SELECT payment_status_key, payment_status_code, payment_status_name, is_settled FROM warehouse.dim_payment_status
