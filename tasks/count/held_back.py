"""What an audit holds back: kept in ops.held_back from the run that held it to the one that found it right."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from tasks.count.revisions import Publication

FORM_06A = "06a"
"""What stands in the place of an indicator's code where form II.06a is held back."""


@dataclass(frozen=True)
class HeldBack:
    """A value or a form that is not published, and why."""

    indicator_code: str
    """Code of the indicator, or FORM_06A."""
    unit_code: str
    period: str
    reason_vi: str


def write_held_back(connection: Connection, publication: Publication, looked_at: str, held: str) -> list[HeldBack]:
    """What a publication holds back, written down; what was held back before and no longer is among what was looked at is let go.

    `looked_at` is a query of (indicator_code, unit_key, period), `held` one of these with reason_vi. A vintage writes nothing down:
    what it holds back was never awaited.
    """
    if not publication.is_vintage:
        for statement in (_LET_GO, _WRITE):
            connection.execute(text(statement.format(looked_at=looked_at, held=held)), {"run_id": publication.run_id})
    return [HeldBack(*row) for row in connection.execute(text(_HELD.format(held=held)))]


_LET_GO = """
UPDATE ops.held_back h SET released_by = :run_id
FROM ({looked_at}) looked LEFT JOIN ({held}) again USING (indicator_code, unit_key, period)
WHERE h.released_by IS NULL AND (h.indicator_code, h.unit_key, h.period) = (looked.indicator_code, looked.unit_key, looked.period)
  AND h.reason_vi IS DISTINCT FROM again.reason_vi
"""

_WRITE = """
INSERT INTO ops.held_back (held_by, indicator_code, unit_key, period, reason_vi)
SELECT :run_id, indicator_code, unit_key, period, reason_vi FROM ({held}) again
ON CONFLICT (indicator_code, unit_key, period) WHERE released_by IS NULL DO NOTHING
"""

_HELD = """
SELECT indicator_code, unit_code, period, reason_vi FROM ({held}) held JOIN warehouse.dim_unit USING (unit_key)
ORDER BY indicator_code, unit_code, period
"""
