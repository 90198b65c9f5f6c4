"""Which of the rows set aside are meant, and how whoever means them saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UNDECIDED = ("open", "waiting")
"""Statuses of what nobody decided on."""
MATCHES = (
    "delivery_id = :delivery_id AND (CAST(:rule_code AS text) IS NULL OR rule_code = :rule_code) "
    "AND (CAST(:column AS text) IS NULL OR column_name = :column) "
    "AND (cardinality(CAST(:rows AS int[])) = 0 OR row_number = ANY(:rows)) AND status = ANY(:statuses)"
)
"""SQL of the faults meant, of those in certain statuses."""


@dataclass(frozen=True)
class Chosen:
    """Faults of one delivery."""

    delivery_id: int
    rule_code: str | None = None
    column: str | None = None
    """As the file names it; nothing where any is meant."""
    rows: tuple[int, ...] = ()
    """Their numbers; none where all are meant."""
    status: str | None = None
    """In which they were seen; nothing where nobody had decided on them."""
    seen: int | None = None
    """How many faults were seen; nothing where that was not asked."""

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of MATCHES."""
        about = {"delivery_id": self.delivery_id, "rule_code": self.rule_code, "column": self.column, "rows": list(self.rows)}
        return about | {"statuses": [self.status] if self.status else list(UNDECIDED)}
