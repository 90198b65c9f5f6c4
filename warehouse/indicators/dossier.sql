-- A dossier belongs to the month it was received in and the unit that received it and, once it ended, to the month it ended in and the
-- unit that handled it then. Only the current state counts: what an earlier night saw is kept as a revision of the value, not computed
-- again.
SELECT d.sign, d.row_key, d.delivery_id, d.row_number, d.received_unit_key AS unit_key,
    coalesce(passed_on.later_key, nullif(d.unit_key, 0), d.received_unit_key) AS ended_unit_key,
    d.received_at::date AS received, CASE WHEN {judged} THEN ({ended_at})::date END AS ended,
    c.channel_code, d.service_level, d.applicant_type, s.is_solved, s.is_in_progress, s.is_withdrawn, {in_time} AS is_in_time,
    d.is_digitised, d.reuse_code, d.has_electronic_result, d.is_vneid_verified, d.online_payment_code, d.fee_vnd, d.supplement_count,
    d.procedure_key, d.agency_key, d.channel_key, d.dossier_status_key
FROM {states} d
JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
JOIN warehouse.dim_channel c USING (channel_key)
LEFT JOIN (SELECT * FROM ({later}) l WHERE later_key <> unit_key) passed_on ON passed_on.unit_key = d.unit_key
    AND ({ended_at})::date BETWEEN passed_on.valid_from AND passed_on.valid_to
WHERE d.deleted_at IS NULL AND s.is_received
