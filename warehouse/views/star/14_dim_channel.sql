-- One row per way in which a dossier is handed in.
-- Mỗi dòng là một kênh nộp hồ sơ.
SELECT channel_key, channel_code, channel_name FROM warehouse.dim_channel
