"""What a rule was checked with when it set rows aside or refused a delivery: itself, the layout, the lists that it looks into.

It is kept beside the verdict. Where it is another one now, what stands because of the rule is worth reading again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

from expectations.contract import Contract
from tasks.deliveries.source import Source, terms_of
from tasks.load.decisions import is_dismissed
from tasks.load.editions import definitions
from warehouse.tables import metadata

LOOKED_INTO = {
    "unit_known": ("dim_unit", "bridge_unit_succession"),
    "unit_elsewhere": ("dim_unit", "bridge_unit_succession"),
    "code_elsewhere": ("dim_unit",),
    "waived": ("dim_unit",),
    "unit_of_sender": ("dim_unit",),
    "provider_known": ("dim_provider",),
    "merchant_known": ("dim_merchant",),
    "agency_known": ("dim_agency",),
    "agency_named": ("dim_agency",),
    "procedure_known": ("dim_procedure",),
    "procedure_named": ("dim_procedure",),
}
"""Check → tables of the warehouse that it looks into. Bills are no list: who waits for one knows which."""


class CheckedWith:
    """Hashes of what rules are checked with now; each list is looked at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[int, str, str], str] = {}
        self._contracts: dict[int, Contract] = {}
        self._lists: dict[str, str] = {}

    def hash(self, agreed: Contract, layout: str, rule_code: str) -> str:
        """Of one rule of a contract, for files of a layout."""
        self._contracts[id(agreed)] = agreed  # so that no other takes its place in memory
        place = (id(agreed), layout, rule_code)
        if place not in self._known:
            told = [agreed.checked_with(layout, rule_code)]
            told += [definitions()] if agreed.check_of(rule_code) == "definition_known" else []
            told += [self._list(table) for table in LOOKED_INTO.get(agreed.check_of(rule_code) or "", ())]
            self._known[place] = hashlib.sha256("\0".join(told).encode()).hexdigest()[:16]
        return self._known[place]

    def _list(self, name: str) -> str:
        """Hash of what a list says, without what only loads infer."""
        if name not in self._lists:
            listed = "WHERE NOT is_inferred" if "is_inferred" in metadata.tables[f"warehouse.{name}"].c else ""
            lines = f"SELECT md5((to_jsonb(t) - 'delivery_id')::text) AS line FROM warehouse.{name} AS t {listed}"
            self._lists[name] = self._connection.scalar(text(f"SELECT md5(string_agg(line, '' ORDER BY line)) FROM ({lines}) AS l")) or ""
        return self._lists[name]


_STANDS = f"""
SELECT d.delivery_id, d.source, d.feed, d.layout, v.rule_code, v.checked_with
FROM ops.verdict AS v JOIN ops.delivery AS d USING (delivery_id)
WHERE v.checked_with IS NOT NULL AND d.corrected_by IS NULL
    AND CASE WHEN d.status = 'rejected'
        THEN NOT {is_dismissed("d")}
        ELSE EXISTS (SELECT FROM ops.quarantine AS q
            WHERE q.delivery_id = d.delivery_id AND q.rule_code = v.rule_code AND q.status IN ('open', 'waiting')) END
"""


def checked_otherwise(connection: Connection, sources: Mapping[str, Source]) -> Iterator[int]:
    """Deliveries with rows set aside by a rule, or refused by one, that is checked with something else now."""
    now = CheckedWith(connection)
    agreed: dict[tuple[str, str, str], Contract] = {}
    for row in connection.execute(text(_STANDS)):
        own = (row.source, row.feed, row.layout)
        if own not in agreed:
            agreed[own] = terms_of(row.feed, row.layout, sources.get(row.source))
        if row.checked_with != now.hash(agreed[own], row.layout, row.rule_code):
            yield row.delivery_id


def leave_as_it_is(connection: Connection, delivery_id: int, agreed: Contract, layout: str) -> None:
    """Notes that a delivery was read again with what there is now, and what stands of it stands."""
    now = CheckedWith(connection)
    marked = "SELECT rule_code FROM ops.verdict WHERE delivery_id = :number AND checked_with IS NOT NULL"
    for rule_code in connection.scalars(text(marked), {"number": delivery_id}).all():
        connection.execute(
            text("UPDATE ops.verdict SET checked_with = :now WHERE delivery_id = :number AND rule_code = :rule_code"),
            {"now": now.hash(agreed, layout, rule_code), "number": delivery_id, "rule_code": rule_code},
        )
