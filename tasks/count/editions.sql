-- What provinces published of the periods that are computed, each value for the unit itself, by the key of its indicator. A count that is no
-- rate is published without a denominator, and stands for its own.
SELECT i.indicator_key, e.unit_key, e.period, e.numerator, CASE WHEN i.is_count THEN e.numerator ELSE e.denominator END AS denominator,
    round(e.value, i.decimals) AS value, e.obs_status, e.obs_reason, e.units_counted, e.units_expected, i.is_stock
FROM {states} e
JOIN touched_period t ON t.period = e.{day}
JOIN (
    SELECT unnest(CAST(:keys AS smallint[])) AS indicator_key, unnest(CAST(:codes AS text[])) AS indicator_code,
        unnest(CAST(:version AS smallint[])) AS version, unnest(CAST(:is_count AS boolean[])) AS is_count,
        unnest(CAST(:is_stock AS boolean[])) AS is_stock, unnest(CAST(:decimals AS integer[])) AS decimals,
        unnest(CAST(:listed_from AS date[])) AS listed_from, unnest(CAST(:listed_to AS date[])) AS listed_to
) i ON (i.indicator_code, i.version) = (e.indicator_code, e.definition_version) AND t.last_day BETWEEN i.listed_from AND i.listed_to
WHERE e.unit_key <> 0
