-- One row per supplier of data: utilities, payment providers, carriers, offices.
-- Mỗi dòng là một nhà cung cấp dữ liệu: công ty điện, nước, trung gian thanh toán, nhà mạng, cơ quan.
SELECT provider_key, provider_code, provider_name FROM warehouse.dim_provider
