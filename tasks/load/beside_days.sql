-- Transactions of a collector that its day files and its longer ones do not say alike, on days for which both have come: one row a
-- transaction. What a file says holds until its own source speaks for its stretch again; what was set aside of a file it has said.
WITH file AS (
    SELECT d.delivery_id, d.exported_at, c.scope = ANY(:day_scopes) AS is_day,
        max(d.exported_at) OVER (PARTITION BY d.source, c.scope) AS last_said
    FROM ops.coverage AS c JOIN ops.delivery AS d USING (delivery_id)
    WHERE d.delivery_id = ANY(:files)
), state AS (
    SELECT row_key, row_hash, business_date, transaction_code, amount_vnd, delivery_id, row_number, known_to
    FROM warehouse.fact_payment
    WHERE business_date BETWEEN :first AND :last AND business_date = ANY(:days) AND known_to > known_from
      AND provider_key = (SELECT provider_key FROM warehouse.dim_provider WHERE provider_code = :provider)
), said AS (
    SELECT s.row_key, s.business_date, s.transaction_code, s.amount_vnd, s.delivery_id, s.row_number, is_day, exported_at
    FROM state AS s JOIN file USING (delivery_id)
    WHERE s.known_to > last_said OR exported_at = last_said
    UNION ALL
    SELECT s.row_key, s.business_date, s.transaction_code, s.amount_vnd, c.delivery_id, c.row_number, is_day, exported_at
    FROM state AS s
    JOIN ops.confirmation AS c ON (c.feed, c.row_key, c.row_hash) = ('payments', s.row_key, s.row_hash)
    JOIN file ON file.delivery_id = c.delivery_id
    WHERE exported_at = last_said
), last AS (
    SELECT DISTINCT ON (row_key, is_day) * FROM said ORDER BY row_key, is_day, exported_at DESC
), beside AS (
    SELECT row_key, max(business_date) AS business_date, max(transaction_code) AS transaction_code,
        max(delivery_id) FILTER (WHERE is_day) AS day_delivery_id, max(delivery_id) FILTER (WHERE NOT is_day) AS longer_delivery_id,
        max(row_number) FILTER (WHERE is_day) AS day_row_number, max(row_number) FILTER (WHERE NOT is_day) AS longer_row_number,
        max(amount_vnd) FILTER (WHERE is_day) AS day_amount_vnd, max(amount_vnd) FILTER (WHERE NOT is_day) AS longer_amount_vnd
    FROM last GROUP BY row_key
)
SELECT * FROM beside AS b
WHERE day_amount_vnd IS DISTINCT FROM longer_amount_vnd
  AND NOT EXISTS (
    SELECT FROM ops.quarantine AS q JOIN file AS f USING (delivery_id)
    WHERE q.natural_key = b.transaction_code AND f.exported_at = f.last_said
      AND (day_amount_vnd IS NULL AND f.is_day OR longer_amount_vnd IS NULL AND NOT f.is_day)
  )
