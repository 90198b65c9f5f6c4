-- One row per unit, month and class: fees of public services paid online beside the dossiers marked so, at the unit and in the month that received the dossier (K2f); of a dossier that is not known, the unknown unit and the month first paid. Units above the commune are added up.
WITH own AS (
    SELECT unit_code, unit_valid_from, month, class,
        count(*) AS dossiers, sum(paid_vnd)::bigint AS paid_vnd, sum(fee_vnd)::bigint AS fee_vnd, sum(difference_vnd)::bigint AS difference_vnd
    FROM mart.fee_dossier GROUP BY unit_code, unit_valid_from, month, class
)
SELECT ancestor.unit_code,
       ancestor.unit_name,
       ancestor.unit_level,
       ancestor.valid_from AS unit_valid_from,
       own.month,
       own.class,
       sum(own.dossiers)::bigint AS dossiers,
       sum(own.paid_vnd)::bigint AS paid_vnd,
       sum(own.fee_vnd)::bigint AS fee_vnd,
       sum(own.difference_vnd)::bigint AS difference_vnd
FROM own
JOIN warehouse.dim_unit AS unit ON unit.unit_code = own.unit_code AND unit.valid_from = own.unit_valid_from
JOIN ({ABOVE}) AS above ON above.unit_key = unit.unit_key
    -- it stood above its unit on the last day of the month, or on the nearest day on which the unit was there
    AND greatest(unit.valid_from, least(unit.valid_to, (own.month || '-01')::date + interval '1 month - 1 day'))
        BETWEEN above.valid_from AND above.valid_to
JOIN warehouse.dim_unit AS ancestor ON ancestor.unit_key = above.ancestor_key
GROUP BY ancestor.unit_key, own.month, own.class
