"""What is wrong with what sources send: what is new with the last night, and what was failing already, since when, more or less.

A source's word is taken night by night: the rules that did not hold in all it sent one night. A rule that did not hold in the last
night of its source is a problem; it began with the first of the nights in a row in which it did not. Files that were refused and in whose
place others have come count no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

LOOKED_BACK = 60
"""Nights of a source that are looked back upon."""

NIGHTS = "SELECT run_id, as_of, started_at, lead(started_at, 1, 'infinity') OVER (ORDER BY run_id) AS until FROM ops.run"
"""One row per night, with when the next began: what was loaded in between is of that night."""


@dataclass(frozen=True)
class Problem:
    """A rule that does not hold in what a source sent last."""

    source: str
    rule_code: str
    severity: str
    scope: str
    last_run: int
    """Night in which the source sent last."""
    first_seen: datetime
    """Night in which it began."""
    nights: int
    """Nights in a row."""
    found: int
    """Rows that broke it in that night; of a rule about deliveries, how many of these."""
    found_before: int | None
    """The same in the night of the source before; nothing where it held then."""

    @property
    def is_row_rule(self) -> bool:
        """Whether rows are counted."""
        return self.scope == "row"

    @property
    def is_of_old(self) -> bool:
        """Whether it began before all that is looked back upon."""
        return self.nights >= LOOKED_BACK


_PROBLEMS = f"""
WITH nights AS ({NIGHTS}),
sent AS (
    SELECT n.run_id, n.as_of, d.source, d.delivery_id, dense_rank() OVER (PARTITION BY d.source ORDER BY n.run_id DESC) AS ago
    FROM ops.delivery d JOIN nights n ON d.loaded_at >= n.started_at AND d.loaded_at < n.until
    WHERE d.corrected_by IS NULL
),
broken AS (
    SELECT s.source, v.rule_code, s.ago, max(s.run_id) AS run_id, max(s.as_of) AS as_of, min(v.severity) AS severity,
        min(v.scope) AS scope, CASE WHEN min(v.scope) = 'row' THEN sum(v.unexpected_count) ELSE count(*) END AS found
    FROM sent s JOIN ops.verdict v USING (delivery_id)
    WHERE s.ago <= {LOOKED_BACK} AND NOT v.success AND v.severity <> 'info' GROUP BY s.source, v.rule_code, s.ago
),
in_a_row AS (SELECT *, row_number() OVER (PARTITION BY source, rule_code ORDER BY ago) AS nth FROM broken)
SELECT source, rule_code, min(severity) FILTER (WHERE ago = 1) AS severity, min(scope) FILTER (WHERE ago = 1) AS scope,
    max(run_id) AS last_run, min(as_of) AS first_seen, count(*) AS nights, max(found) FILTER (WHERE ago = 1) AS found,
    max(found) FILTER (WHERE ago = 2) AS found_before
FROM in_a_row WHERE ago = nth GROUP BY source, rule_code
ORDER BY severity, max(run_id) DESC, source, rule_code
"""


def problems(connection: Connection) -> Sequence[Problem]:
    """What is wrong now, what is critical first."""
    return [Problem(**row) for row in connection.execute(text(_PROBLEMS)).mappings()]
