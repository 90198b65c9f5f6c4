-- One row per province of today and period of which any province sent a signed edition: the edition that is in force here, its number empty where none has come. Empty where the installation is a province's.
-- Mỗi dòng là một tỉnh hiện nay và một kỳ đã có tỉnh gửi bản ký: bản đang dùng ở đây, số của bản để trống khi tỉnh chưa gửi. Nơi cài đặt là một tỉnh thì không có dòng nào.
SELECT province.unit_code AS province_code,
       province.unit_name AS province_name,
       sent.period,
       span.period_type,
       edition.edition_number,
       edition.exported_at AS signed_at,
       edition.source,
       edition.delivery_id,
       span.period_start,
       span.period_end,
       span.period_sort
FROM (
    SELECT DISTINCT delivery.business_period AS period FROM ops.delivery AS delivery
    WHERE delivery.feed = 'editions' AND delivery.status = 'loaded' AND delivery.business_period IS NOT NULL
) AS sent
JOIN warehouse.dim_unit AS province ON province.unit_level = 'province' AND province.valid_to = DATE '9999-12-31'
LEFT JOIN (  -- a source says of a period what it said last
    SELECT DISTINCT ON (delivery.provider, delivery.business_period)
           delivery.provider, delivery.business_period, delivery.exported_at, delivery.source, delivery.delivery_id,
           substring(delivery.file_name FROM '([0-9]+)\.zip$')::int AS edition_number
    FROM ops.delivery AS delivery
    WHERE delivery.feed = 'editions' AND delivery.status = 'loaded'
    ORDER BY delivery.provider, delivery.business_period, delivery.exported_at DESC, delivery.delivery_id DESC
) AS edition ON edition.provider = province.unit_code AND edition.business_period = sent.period
CROSS JOIN LATERAL ({PERIOD sent.period}) AS span
