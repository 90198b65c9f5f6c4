-- A dossier belongs to the month it was received in and, once it ended, to the month it ended in. Only the current state
-- counts: what an earlier night saw is kept as a revision of the value, not computed again.
SELECT d.sign, d.row_key, d.delivery_id, d.row_number, d.unit_key,
    d.received_at::date AS received, CASE WHEN {judged} THEN ({ended_at})::date END AS ended,
    c.channel_code, d.service_level, d.applicant_type, s.is_solved, s.is_in_progress, s.is_withdrawn, {in_time} AS is_in_time,
    d.is_digitised, d.reuse_code, d.has_electronic_result, d.is_vneid_verified, d.online_payment_code, d.fee_vnd, d.supplement_count
FROM {states} d
JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
JOIN warehouse.dim_channel c USING (channel_key)
WHERE d.deleted_at IS NULL AND s.is_received AND d.unit_key <> 0
