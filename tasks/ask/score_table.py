"""The table of decision 766 for a period: groups, total, rank and change against the period before, by who counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, text

_TABLE = """
WITH line AS (
    SELECT s.agency_key, s.unit_key, u.valid_from AS unit_valid_from,
        coalesce(a.agency_code, u.unit_code) AS code, coalesce(d.department_name, u.unit_name) AS name,
        coalesce(d.department_level, u.unit_level) AS level, s.period, jsonb_object_agg(s.group_code, s.score::text) AS groups,
        sum(s.score) AS total, sum(s.max_score) AS max_score, bool_or(s.obs_status = 'P') AS is_provisional
    FROM warehouse.fact_score_766 s
    JOIN warehouse.dim_unit u USING (unit_key)
    LEFT JOIN warehouse.dim_agency a ON a.agency_key = s.agency_key AND s.agency_key <> 0
    LEFT JOIN warehouse.dim_department d ON d.agency_key = a.agency_key
    WHERE s.known_to = 'infinity' AND s.component_code = '' AND s.counted_by = :counted_by AND s.period IN (:period, :before)
    GROUP BY s.agency_key, s.unit_key, u.valid_from, code, name, level, s.period
), ranked AS (
    SELECT *, CASE WHEN total IS NOT NULL THEN
        rank() OVER (PARTITION BY period, level, CASE WHEN agency_key <> 0 THEN split_part(code, '.', 1) END
            ORDER BY total DESC NULLS LAST) END AS place
    FROM line
)
SELECT r.code, r.name, r.level, r.groups, r.total, r.max_score, r.place, r.is_provisional, r.total - b.total AS change,
    CASE WHEN r.agency_key <> 0 THEN split_part(r.code, '.', 1) END AS province, r.unit_valid_from
FROM ranked r LEFT JOIN ranked b ON (b.agency_key, b.unit_key, b.level, b.period) = (r.agency_key, r.unit_key, r.level, :before)
WHERE r.period = :period
ORDER BY r.level, r.place NULLS LAST, r.code
"""


@dataclass(frozen=True)
class ScoreLine:
    """One department or unit: points by group, their sum, and where it stands among those of its level."""

    code: str
    name: str
    level: str
    groups: dict[str, Decimal | None]
    total: Decimal | None
    max_score: Decimal | None
    rank: int | None
    """Competition ranking (1-2-2-4)."""
    is_provisional: bool
    change: Decimal | None
    """Against the period before; nothing where that has no total."""
    province: str | None
    """Province of a department, by its code on the portal; nothing for an administrative unit."""
    unit_valid_from: date


def score_table(connection: Connection, period: str, counted_by: str = "pipeline") -> list[ScoreLine]:
    """The scores of a period as published now, by level and rank."""
    found = connection.execute(text(_TABLE), {"period": period, "before": period_before(period), "counted_by": counted_by}).all()
    return [
        ScoreLine(
            row.code,
            row.name,
            row.level,
            {group: None if points is None else Decimal(points) for group, points in row.groups.items()},
            row.total,
            row.max_score,
            row.place,
            row.is_provisional,
            row.change,
            row.province,
            row.unit_valid_from,
        )
        for row in found
    ]


def period_before(period: str) -> str:
    """The month, quarter or year before a period."""
    year = int(period[:4])
    if len(period) == 4:
        return str(year - 1)
    quarterly = period[5] == "Q"
    number, most = int(period[-1:] if quarterly else period[-2:]), 4 if quarterly else 12
    year, number = (year, number - 1) if number > 1 else (year - 1, most)
    return f"{year}-Q{number}" if quarterly else f"{year}-{number:02}"
