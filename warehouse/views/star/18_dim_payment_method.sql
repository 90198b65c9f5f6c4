-- One row per way of paying.
-- Mỗi dòng là một cách thanh toán.
SELECT payment_method_key, payment_method_code, payment_method_name, is_cashless FROM warehouse.dim_payment_method
