SELECT component_code, numerator, denominator, score, max_score FROM mart.score_766
WHERE unit_code = '15655' AND period = '2025-Q1' AND group_code = 'TTTT' ORDER BY component_code NULLS LAST;
SELECT ratio, score FROM mart.score_766 WHERE unit_code = '15655' AND period = '2025-03' AND group_code = 'TDGQ' AND component_code IS NULL;
SELECT count(*) FROM mart.score_766 WHERE score > max_score;
