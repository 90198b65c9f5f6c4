-- One row per signed edition of a period: who signed what and when, with the checksum over its values; is_latest marks the one that counts.
-- Mỗi dòng là một bản ký của một kỳ: ai ký bản công bố nào, lúc nào, mã kiểm tra số liệu; is_latest là bản ký sau cùng.
SELECT signed.release_id,
       signed.period,
       span.period_type,
       span.period_start,
       span.period_end,
       span.period_sort,
       signed.signed_by,
       signed.signed_at,
       signed.publication_id,
       signed.as_of,
       signed.values_signed,
       signed.checksum,
       signed.workbook_sha256,
       signed.release_id = max(signed.release_id) OVER (PARTITION BY signed.period) AS is_latest
FROM ops.release AS signed
CROSS JOIN LATERAL ({PERIOD signed.period}) AS span
