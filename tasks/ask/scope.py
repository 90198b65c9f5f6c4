"""What an account that is confined to a unit may see.

Confined: official tables of the unit, of those below it and of those that went wholly into it; deliveries whose file is of one of
these, with their rows. What is of the whole province at once (a source, a night, a rule) is seen as counts and verdicts, as everybody
sees it, without rows, and nothing of it may be decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Scope:
    """The units someone may see; all of them where no codes are given."""

    codes: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is kept from them."""
        return self.codes is None

    @property
    def listed(self) -> list[str] | None:
        """The codes as a query takes them."""
        return None if self.codes is None else sorted(self.codes)

    def sees(self, unit_code: str | None) -> bool:
        """Whether a unit is one of theirs; what is of no unit is of the whole province."""
        return self.codes is None or unit_code in self.codes


WHOLE = Scope()

_WITHIN = """
WITH RECURSIVE mine AS (
    SELECT unit_key FROM warehouse.dim_unit WHERE unit_code = :code AND unit_key <> 0
  UNION
    SELECT next.unit_key FROM mine CROSS JOIN LATERAL (
        SELECT earlier_key AS unit_key FROM warehouse.bridge_unit_lineage l WHERE l.unit_key = mine.unit_key AND l.extent = 'whole'
        UNION ALL
        SELECT below.unit_key FROM warehouse.dim_unit u JOIN warehouse.dim_unit below
            ON below.parent_code = u.unit_code AND below.valid_from <= u.valid_to AND below.valid_to >= u.valid_from
        WHERE u.unit_key = mine.unit_key) next
)
SELECT DISTINCT unit_code FROM warehouse.dim_unit JOIN mine USING (unit_key)
"""


def scope_of(connection: Connection, unit_code: str | None) -> Scope:
    """What is within a unit; everything where there is none."""
    return WHOLE if unit_code is None else Scope(frozenset(connection.scalars(text(_WITHIN), {"code": unit_code})))
