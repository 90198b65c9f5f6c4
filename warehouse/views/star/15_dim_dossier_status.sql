-- One row per status of a dossier (TrangThaiHoSo).
-- Mỗi dòng là một trạng thái hồ sơ (TrangThaiHoSo).
SELECT dossier_status_key, dossier_status_code, dossier_status_name, is_received, is_in_progress, is_solved, is_withdrawn
FROM warehouse.dim_dossier_status
