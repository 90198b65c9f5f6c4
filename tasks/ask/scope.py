"""What somebody may see: which units, and whether as the public does.

Confined: official tables of the unit, of those below it and of those that went wholly into it; deliveries whose file is of one of
these, with their rows. What is of the whole province at once (a source, a night, a rule) is seen as counts and verdicts, as everybody
sees it, without rows, and nothing of it may be decided.

Public: without counts of small groups, nor what would give them away. So does the static edition show everything, and the desk to
whoever only looks; who works with the figures sees all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from warehouse.confidentiality import confidentiality


@dataclass(frozen=True)
class Scope:
    """The units someone may see; all of them where no codes are given."""

    codes: frozenset[str] | None = None
    is_public: bool = False
    """Whether counts of small groups are kept from them."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is kept from them."""
        return self.codes is None

    @property
    def listed(self) -> list[str] | None:
        """The codes as a query takes them."""
        return None if self.codes is None else sorted(self.codes)

    def narrowed(self, codes: Collection[str]) -> Scope:
        """The same for some units alone."""
        return replace(self, codes=frozenset(code for code in codes if self.sees(code)))

    def view(self, name: str) -> str:
        """The view of the mart that they may ask: for the public, the one without what is confidential."""
        return f"mart.{name}_public" if self.is_public else f"mart.{name}"

    def withholds(self, indicator_code: str) -> str:
        """SQL: whether numbers of an indicator that no edition shows, as a value that is held, are kept from them."""
        exempt = ", ".join(f"'{code}'" for code in confidentiality().exempt)
        return f"coalesce({indicator_code} NOT IN ({exempt}), FALSE)" if self.is_public else "FALSE"

    def sees(self, unit_code: str | None) -> bool:
        """Whether a unit is one of theirs; what is of no unit is of the whole province."""
        return self.codes is None or unit_code in self.codes


WHOLE = Scope()
PUBLIC = Scope(is_public=True)

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


def scope_of(connection: Connection, unit_code: str | None, *, is_public: bool = False) -> Scope:
    """What is within a unit; everything where there is none."""
    codes = None if unit_code is None else frozenset(connection.scalars(text(_WITHIN), {"code": unit_code}))
    return Scope(codes, is_public)
