"""The table of decision 766 for a period: groups, total, rank and change against the period before, by who counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, text

from tasks.words import vietnamese as vi
from warehouse.periods import days

_TABLE = """
WITH points AS MATERIALIZED (
    SELECT coalesce(department_code, '') AS department_code, unit_code, unit_valid_from, jsonb_object_agg(group_code, score::text) AS groups
    FROM mart.score_766 WHERE period = :period AND counted_by = :counted_by AND component_code IS NULL
    GROUP BY 1, unit_code, unit_valid_from
)
SELECT coalesce(t.department_code, t.unit_code) AS code, t.name, t.level, p.groups,
    t.score, t.max_score, t.rank, t.ranked, t.change, t.period_before, t.obs_status, t.unit_valid_from, t.groups AS scored_on,
    t.period, greatest(t.unit_valid_from, :first) AS first_day, least(u.valid_to, :last) AS last_day
FROM mart.score_766_total t
JOIN points p ON (p.department_code, p.unit_code, p.unit_valid_from) = (coalesce(t.department_code, ''), t.unit_code, t.unit_valid_from)
LEFT JOIN mart.unit u ON u.unit_code = t.unit_code AND u.valid_from = t.unit_valid_from
WHERE t.period = :period AND t.counted_by = :counted_by
ORDER BY t.level, t.ranked DESC, t.groups, t.rank NULLS LAST, code
"""


@dataclass(frozen=True)
class ScoreLine:
    """One department or unit: points by group, their sum, and where it stands among those scored alike."""

    code: str
    name: str
    level: str
    groups: dict[str, Decimal | None]
    total: Decimal | None
    max_score: Decimal | None
    rank: int | None
    """Competition ranking (1-2-2-4) among those of its level scored on the same groups."""
    ranked: int
    """How many have a place."""
    change: Decimal | None
    """Against the period before; nothing where that has no total."""
    period_before: str
    obs_status: str
    unit_valid_from: date
    scored_on: str
    """Codes of the groups that have a score."""
    period: str
    first_day: date
    last_day: date
    """Days of the period on which the unit was there."""

    @property
    def shown(self) -> str:
        """Its name, with its days where it was there for a part of the period only."""
        return vi.while_there(self.name, self.period, self.first_day, self.last_day)


def score_table(connection: Connection, period: str, counted_by: str = "pipeline") -> list[ScoreLine]:
    """The scores of a period as published now, by level and rank."""
    first, last = days(period)
    found = connection.execute(text(_TABLE), {"period": period, "counted_by": counted_by, "first": first, "last": last}).mappings()
    return [
        ScoreLine(
            **{name: value for name, value in row.items() if name not in ("groups", "score")},
            groups={group: None if points is None else Decimal(points) for group, points in row["groups"].items()},
            total=row["score"],
        )
        for row in found
    ]
