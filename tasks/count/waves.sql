-- The last time a question was asked in the period: waves are compared, never added.
INSERT INTO counted
SELECT DISTINCT ON (f.unit_key, t.period) CAST(:key AS smallint), f.unit_key, t.period, f.positive_answers, f.respondents, false, false
FROM {states} f JOIN touched_part t ON t.part = to_char(f.{day}, 'YYYY-MM')
WHERE f.unit_key <> 0 AND f.question_code = :code AND :fact = ANY(t.facts)
ORDER BY f.unit_key, t.period, f.{day} DESC, f.wave DESC, f.survey_code
