-- One row per carrier, unit and month (date_key, its last day): digital-signature certificates as the carrier reports them. No holder is in it.
-- Mỗi dòng là một nhà mạng, đơn vị và tháng (date_key là ngày cuối tháng): chứng thư chữ ký số theo báo cáo của nhà mạng. Không có người được cấp nào trong đó.
SELECT signature.unit_key,
       span.period_end AS date_key,
       signature.provider_key,
       signature.certificates_issued,
       signature.certificates_in_force,
       signature.holders_cumulative
FROM warehouse.fact_signature AS signature
CROSS JOIN LATERAL ({PERIOD signature.month}) AS span
WHERE signature.known_to = 'infinity'
