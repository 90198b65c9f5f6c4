-- Dossiers that ended, counted by the day they ended, the unit that handled them then, procedure, handling agency, channel, status and level of service, as the indicators count them: one row where any are.
-- Hồ sơ đã kết thúc, đếm theo ngày kết thúc, đơn vị giải quyết lúc đó, thủ tục, cơ quan giải quyết, kênh nộp, trạng thái và mức độ dịch vụ, đúng như cách tính chỉ tiêu: chỗ nào có hồ sơ thì có một dòng.
WITH states AS (
    SELECT *, 1 AS sign FROM warehouse.fact_dossier WHERE known_to = 'infinity'
)
SELECT dossier.ended_unit_key AS unit_key,
       dossier.ended AS date_key,
       dossier.procedure_key,
       dossier.agency_key,
       dossier.channel_key,
       dossier.dossier_status_key,
       dossier.service_level,
       count(*) AS dossiers,
       count(*) FILTER (WHERE dossier.is_in_time) AS in_time_dossiers,
       sum(dossier.ended - dossier.received) AS handling_days
FROM ({DOSSIERS}) AS dossier
WHERE dossier.ended IS NOT NULL
GROUP BY dossier.ended_unit_key, dossier.ended, dossier.procedure_key, dossier.agency_key, dossier.channel_key, dossier.dossier_status_key,
    dossier.service_level
