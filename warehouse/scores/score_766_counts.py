"""Decision 766 from our own dossiers: what of them is kept counted for each version of the rules."""

from __future__ import annotations

from warehouse.counted import Counted, by_step, counts, month
from warehouse.scores.on_time import on_time
from warehouse.scores.rules_766 import Rules


def counted_dossiers(rules: Rules) -> Counted:
    """Dossiers by unit, procedure, month received and the day on which they fall late while they are not ended.

    What was in time when it was received stays so until that day: since the day is kept, no day has to be counted on.
    """
    measures = _measures(rules)
    received, turns_late = by_step(month, "d.received_at::date"), by_step(month, on_time(rules.in_time).turns_late)
    query = f"""
    SELECT d.received_unit_key AS unit_key, d.procedure_key AS part, coalesce({turns_late}, 'infinity')::date AS day,
        {received} AS received, {counts([("sign", condition) for condition in measures.values()])} AS counts
    FROM {{states}} d
    JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
    JOIN warehouse.dim_procedure p USING (procedure_key)
    WHERE d.deleted_at IS NULL AND s.is_received AND d.received_unit_key <> 0 AND d.received_at >= '{rules.valid_from}'
    GROUP BY 1, 2, 3, 4
    """
    return Counted(
        name=f"score_766 {rules.valid_from}",
        table="fact_dossier",
        query=query,
        measures=tuple(measures),
        depends_on=("dim_dossier_status", "dim_procedure", "dim_holiday"),
    )


def _measures(rules: Rules) -> dict[str, str]:
    """Name → SQL condition of what is counted: d and n of shares of dossiers, w of procedures with such a dossier."""
    measures = {}
    in_time = on_time(rules.in_time).in_time_at("timestamp '-infinity'")
    for code, component in rules.components.items():
        counting = component.pipeline
        if counting is None:
            continue
        if counting.with_dossier:
            measures[f"w_{code}"] = counting.with_dossier
        elif counting.numerator and not counting.catalogue:
            among = counting.among or "TRUE"
            measures[f"d_{code}"] = among
            measures[f"n_{code}"] = f"({among}) AND ({counting.numerator.replace('{in_time}', in_time)})"
    return measures
