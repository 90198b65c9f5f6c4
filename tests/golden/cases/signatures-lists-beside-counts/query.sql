SELECT file_name, status, rows_loaded, message_vi FROM ops.delivery WHERE feed = 'signatures' ORDER BY file_name;
SELECT unit_code, revision, numerator, obs_status, obs_reason, obs_note FROM mart.indicator_vintage
WHERE indicator_code = 'ND5' AND period = '2024-12' AND unit_code IN ('15655', '15607', '396') ORDER BY 1, 2;
SELECT unit_code, provider_name, certificates_in_force, persons_listed, certificates_of_all, persons_of_all, list_verdict FROM mart.signature_check
ORDER BY 1, 2
