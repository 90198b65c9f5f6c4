-- The latest word of another source or stretch that is in force when a state is withdrawn: one row a state of pg_temp.absent at most.
-- A word is in force until its own source speaks for its stretch again without saying it; saying it again would have left a word.
CREATE TEMP TABLE word_in_force ON COMMIT DROP AS
WITH word AS (
    SELECT c.row_key, c.row_hash, c.delivery_id, c.row_number, c.scope, d.source, d.exported_at AS said_at,
        d.exported_at + interval '1 microsecond' AS holds_unless_after
    FROM ops.confirmation AS c JOIN ops.delivery AS d USING (delivery_id)
    WHERE c.feed = :feed AND c.row_key IN (SELECT row_key FROM pg_temp.absent)
    UNION ALL
    -- a state that another word ended, not its own source
    SELECT s.row_key, s.row_hash, s.delivery_id, s.row_number, {scope}, d.source, d.exported_at, s.known_to
    FROM {table} AS s
    JOIN (SELECT DISTINCT row_key, scope FROM pg_temp.absent) AS a USING (row_key)
    JOIN ops.delivery AS d USING (delivery_id)
    WHERE s.ended_by IS NOT NULL AND s.known_to > s.known_from
)
SELECT DISTINCT ON (a.row_key, a.known_from) a.row_key, a.known_from, w.row_hash, w.delivery_id, w.row_number
FROM pg_temp.absent AS a
JOIN word AS w USING (row_key)
WHERE {others}
  AND w.said_at <= greatest(a.known_from, :moment)
  AND NOT EXISTS (
      SELECT FROM ops.coverage AS v JOIN ops.delivery AS l USING (delivery_id)
      WHERE v.scope = w.scope AND l.source = w.source AND l.loaded_at IS NOT NULL AND l.status <> 'rejected'
        AND l.exported_at >= w.holds_unless_after AND l.exported_at <= greatest(a.known_from, :moment)
  )
ORDER BY a.row_key, a.known_from, w.said_at DESC
