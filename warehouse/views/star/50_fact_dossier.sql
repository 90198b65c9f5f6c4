-- Dossiers received, counted by day received, receiving unit, procedure, handling agency, channel, status and level of service, as the indicators count them: one row where any are. A row may count a single dossier: which procedure was asked for in a commune on a day names nobody, and nothing here leads from it to a person or to the dossier.
-- Hồ sơ tiếp nhận, đếm theo ngày tiếp nhận, đơn vị tiếp nhận, thủ tục, cơ quan giải quyết, kênh nộp, trạng thái và mức độ dịch vụ, đúng như cách tính chỉ tiêu: chỗ nào có hồ sơ thì có một dòng. Một dòng có thể chỉ đếm một hồ sơ: ngày nào, xã nào có thủ tục gì không cho biết là của ai, và ở đây không có gì dẫn tới một người hay tới hồ sơ đó.
WITH states AS (
    SELECT *, 1 AS sign FROM warehouse.fact_dossier WHERE known_to = 'infinity'
)
SELECT dossier.unit_key,
       dossier.received AS date_key,
       dossier.procedure_key,
       dossier.agency_key,
       dossier.channel_key,
       dossier.dossier_status_key,
       dossier.service_level,
       count(*) AS dossiers,
       count(dossier.ended) AS ended_dossiers,
       count(*) FILTER (WHERE dossier.ended IS NOT NULL AND dossier.is_in_time) AS in_time_dossiers,
       count(*) FILTER (WHERE dossier.is_digitised) AS digitised_dossiers,
       count(*) FILTER (WHERE dossier.reuse_code > 0) AS reused_dossiers,
       count(*) FILTER (WHERE dossier.has_electronic_result) AS electronic_result_dossiers,
       count(*) FILTER (WHERE dossier.is_vneid_verified) AS vneid_verified_dossiers,
       count(*) FILTER (WHERE dossier.fee_vnd > 0) AS fee_dossiers,
       count(*) FILTER (WHERE dossier.fee_vnd > 0 AND dossier.online_payment_code IN (1, 2)) AS fee_paid_online_dossiers,
       coalesce(sum(dossier.fee_vnd), 0)::bigint AS fee_vnd
FROM ({DOSSIERS}) AS dossier
WHERE dossier.received IS NOT NULL
GROUP BY dossier.unit_key, dossier.received, dossier.procedure_key, dossier.agency_key, dossier.channel_key, dossier.dossier_status_key,
    dossier.service_level
