-- What holds in place of the states of pg_temp.absent, once their own source withdrew them: at any time the latest word of another
-- source or stretch that is in force. One row a state and stretch of time in which the same word holds.
-- A word is in force until its own source speaks for its stretch again; saying the same again would have left a word of its own.
CREATE TEMP TABLE word_in_force ON COMMIT DROP AS
WITH said AS (
    SELECT c.row_key, c.row_hash, c.delivery_id, c.row_number, c.scope, d.source, d.exported_at AS said_at, d.exported_at AS since
    FROM ops.confirmation AS c JOIN ops.delivery AS d USING (delivery_id)
    WHERE c.feed = :feed AND c.row_key IN (SELECT row_key FROM pg_temp.absent)
    UNION ALL
    -- a state that another word ended, not its own source
    SELECT s.row_key, s.row_hash, s.delivery_id, s.row_number, {scope}, d.source, d.exported_at, s.known_to
    FROM {table} AS s
    JOIN (SELECT DISTINCT row_key, scope FROM pg_temp.absent) AS a USING (row_key)
    JOIN ops.delivery AS d USING (delivery_id)
    WHERE s.ended_by IS NOT NULL AND s.known_to > s.known_from
), word AS (
    SELECT said.*, coalesce((
        SELECT min(l.exported_at) FROM ops.coverage AS v JOIN ops.delivery AS l USING (delivery_id)
        WHERE v.scope = said.scope AND l.source = said.source AND l.loaded_at IS NOT NULL AND l.status <> 'rejected'
          AND l.exported_at > said.said_at AND l.exported_at >= said.since
    ), 'infinity') AS until
    FROM said
), left_open AS (
    SELECT row_key, known_from, scope, greatest(known_from, :moment) AS since, least(known_to, until) AS until FROM pg_temp.absent
), candidate AS (
    SELECT a.row_key, a.known_from, w.row_hash, w.delivery_id, w.row_number, w.said_at,
        greatest(a.since, w.since) AS since, least(a.until, w.until) AS until
    FROM left_open AS a JOIN word AS w USING (row_key)
    WHERE {others} AND greatest(a.since, w.since) < least(a.until, w.until)
), part AS (
    SELECT row_key, known_from, since, lead(since) OVER (PARTITION BY row_key, known_from ORDER BY since) AS until
    FROM (SELECT row_key, known_from, since FROM candidate UNION SELECT row_key, known_from, until FROM candidate) AS point
)
SELECT DISTINCT ON (p.row_key, p.known_from, p.since)
    p.row_key, p.known_from, p.since, p.until, c.row_hash, c.delivery_id, c.row_number
FROM part AS p
JOIN candidate AS c ON c.row_key = p.row_key AND c.known_from = p.known_from AND c.since <= p.since AND c.until >= p.until
WHERE p.until IS NOT NULL
ORDER BY p.row_key, p.known_from, p.since, c.said_at DESC
