-- What each role may do. An upgrade lays it over the warehouse whole, so it holds after a restore on a server without the roles too.
-- A migration that widens or narrows rights does so here. Columns that name persons, or things of theirs, are in no list of the steward's.

GRANT USAGE ON SCHEMA staging, warehouse, mart, star, ops TO bakhong_etl;
GRANT CREATE ON SCHEMA staging TO bakhong_etl;
GRANT USAGE ON SCHEMA warehouse, mart, star, ops TO bakhong_steward;
GRANT USAGE ON SCHEMA mart, star TO bakhong_reader;
GRANT SELECT ON public.alembic_version TO bakhong_etl, bakhong_steward, bakhong_reader;

-- What is published, and the facts without persons
GRANT SELECT ON ALL TABLES IN SCHEMA mart, star TO bakhong_etl, bakhong_steward, bakhong_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA mart, star GRANT SELECT ON TABLES TO bakhong_etl, bakhong_steward, bakhong_reader;

-- The night loads and counts; it rewrites no action, correction, key or note of others, and sees no accounts
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA warehouse, ops TO bakhong_etl;
ALTER DEFAULT PRIVILEGES IN SCHEMA warehouse, ops GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bakhong_etl;
REVOKE ALL ON ops.account, ops.session, ops.sign_in FROM bakhong_etl;
REVOKE UPDATE, DELETE ON ops.action, ops.correction, ops.pruning, ops.pseudonym_key, ops.quarantine_note FROM bakhong_etl;
GRANT UPDATE (read_at) ON ops.correction TO bakhong_etl;
GRANT EXECUTE ON FUNCTION warehouse.begin_payment_partition(date), warehouse.attach_payment_partition(date) TO bakhong_etl;
DO $$
DECLARE
    month regclass;
BEGIN
    -- from PostgreSQL 17 on others than the owner may refresh statistics; before, the autovacuum does it in time
    IF current_setting('server_version_num')::int >= 170000 THEN
        GRANT MAINTAIN ON ALL TABLES IN SCHEMA warehouse, ops TO bakhong_etl;
        REVOKE MAINTAIN ON ops.account, ops.session, ops.sign_in FROM bakhong_etl;
        ALTER DEFAULT PRIVILEGES IN SCHEMA warehouse, ops GRANT MAINTAIN ON TABLES TO bakhong_etl;
    END IF;
    FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'warehouse.fact_payment'::regclass LOOP
        EXECUTE format('REVOKE INSERT ON %s FROM bakhong_etl', month);  -- rows go in by the whole table
    END LOOP;
END
$$;

-- The steward asks what became of deliveries and decides
GRANT SELECT ON ALL TABLES IN SCHEMA ops TO bakhong_steward;
ALTER DEFAULT PRIVILEGES IN SCHEMA ops GRANT SELECT ON TABLES TO bakhong_steward;
GRANT INSERT ON ops.action, ops.correction, ops.quarantine_note, ops.release TO bakhong_steward;
GRANT INSERT, UPDATE ON ops.account, ops.allowance, ops.session TO bakhong_steward;
GRANT INSERT, DELETE ON ops.completion TO bakhong_steward;
GRANT INSERT, UPDATE, DELETE ON ops.sign_in TO bakhong_steward;
GRANT UPDATE (decision, reason, decided_by, decided_at) ON ops.alarm TO bakhong_steward;
GRANT UPDATE (status, decided_by, decided_at) ON ops.quarantine TO bakhong_steward;
GRANT SELECT ON warehouse.bridge_unit_lineage, warehouse.bridge_unit_succession, warehouse.dim_agency, warehouse.dim_channel,
    warehouse.dim_department, warehouse.dim_dossier_status, warehouse.dim_indicator, warehouse.dim_merchant,
    warehouse.dim_payment_method, warehouse.dim_payment_status, warehouse.dim_provider, warehouse.dim_service, warehouse.dim_unit,
    warehouse.fact_edition, warehouse.fact_indicator, warehouse.fact_indicator_restated, warehouse.fact_score_766 TO bakhong_steward;
GRANT SELECT (provider_key, service_key, unit_key, billing_month, issued_on, amount_vnd, is_household, row_key, row_hash, key_number,
    known_from, known_to, delivery_id, row_number, loaded_by, ended_by) ON warehouse.fact_bill TO bakhong_steward;
GRANT SELECT (procedure_key, agency_key, receiving_agency_key, unit_key, received_unit_key, channel_key, dossier_status_key,
    service_level, applicant_type, submitted_at, received_at, due_at, finished_at, returned_at, refused_at, supplement_count,
    supplement_requested_at, is_digitised, reuse_code, has_electronic_result, is_vneid_verified, online_payment_code, fee_vnd,
    updated_at, deleted_at, row_key, row_hash, key_number, known_from, known_to, delivery_id, row_number, loaded_by, ended_by)
    ON warehouse.fact_dossier TO bakhong_steward;
GRANT SELECT (transaction_code, provider_key, service_key, unit_key, bill_key, merchant_key, payment_method_key, payment_status_key,
    paid_at, business_date, amount_vnd, refunded_vnd, is_refund, row_key, row_hash, known_from, known_to, delivery_id, row_number,
    loaded_by, ended_by) ON warehouse.fact_payment TO bakhong_steward;
GRANT SELECT (provider_key, unit_key, month, certificates_issued, certificates_in_force, holders_cumulative, row_key, row_hash,
    known_from, known_to, delivery_id, row_number, loaded_by, ended_by) ON warehouse.fact_signature TO bakhong_steward;
GRANT SELECT (provider_key, unit_key, issued_on, expires_on, certificate_status, adult_from, row_key, row_hash, key_number,
    known_from, known_to, delivery_id, row_number, loaded_by, ended_by) ON warehouse.fact_signature_holder TO bakhong_steward;
GRANT SELECT (survey_code, wave, unit_key, question_code, asked_on, respondents, positive_answers, row_key, row_hash, known_from,
    known_to, delivery_id, row_number, loaded_by, ended_by) ON warehouse.fact_survey TO bakhong_steward;
GRANT SELECT (unit_key, period, measure, value, provider_key, row_key, row_hash, known_from, known_to, delivery_id, row_number,
    loaded_by, ended_by) ON warehouse.fact_unit_count TO bakhong_steward;
