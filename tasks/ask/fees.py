"""Fees of public services paid online beside the dossiers that say so: by month, by unit, and the rows in which they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from expectations.contract import contract
from tasks.words.vietnamese import DIFFERING_FEES, version

MONTHS = 24
"""Months that are shown: the last one and those before it. All of them are in mart.fee_reconciliation."""


@dataclass
class Agreement:
    """How many dossiers agree with what was paid for them, of a unit, a month or both."""

    name: str
    dossiers: Counter[str] = field(default_factory=Counter)
    """By class, as mart.fee_reconciliation has them."""
    difference_vnd: int = 0
    """Paid less the fees, where both are known."""

    @property
    def matched(self) -> int:
        """Dossiers of which both sides say the same."""
        return self.dossiers["matched"]

    @property
    def differing(self) -> int:
        """Dossiers of which they do not."""
        return sum(self.dossiers[name] for name in DIFFERING_FEES)

    @property
    def compared(self) -> int:
        """Dossiers that could be compared."""
        return self.matched + self.differing

    @property
    def share(self) -> Decimal | None:
        """Percentage of those compared that agree."""
        return Decimal(100 * self.matched) / self.compared if self.compared else None

    def add(self, row: Any) -> None:
        """Adds dossiers of one class."""
        self.dossiers[row["class"]] += row["dossiers"]
        self.difference_vnd += row["difference_vnd"] or 0


@dataclass(frozen=True)
class Difference:
    """A dossier of which both sides differ, with the row that tells of it and that of a payment for it."""

    kind: str
    """Class of mart.fee_reconciliation."""
    unit: str
    month: str
    dossier_code: str | None
    """Only where it has the shape of one: else it might be somebody's number."""
    paid_vnd: int | None
    fee_vnd: int | None
    difference_vnd: int | None
    dossier_file: str | None
    dossier_row: int | None
    payment_file: str | None
    payment_row: int | None


@dataclass(frozen=True)
class Fees:
    """What is shown of the fees of some months."""

    since: date
    whole: Agreement
    months: Sequence[Agreement]
    """The latest first."""
    units: Sequence[tuple[Agreement, Sequence[Agreement]]]
    """Each with its months, what differs most first."""
    differences: Sequence[Difference]
    """One a payment, the latest month first."""


def first_shown(connection: Connection, as_of: datetime) -> date:
    """First day of the months that are shown at a time: the last ones in which dossiers were received."""
    query = "SELECT least(CAST(:as_of AS date), max(received_at)::date) FROM warehouse.fact_dossier WHERE known_to = 'infinity'"
    last = connection.execute(text(query), {"as_of": as_of.date()}).scalar_one()
    months = last.year * 12 + last.month - MONTHS
    return date(months // 12, months % 12 + 1, 1)


def fees(connection: Connection, since: date) -> Fees:
    """The dossiers received since a day, and what was paid since then for some that are not known."""
    connection.execute(text(_SHOWN), {"since": since, "month": f"{since:%Y-%m}"})
    by_month: dict[str, Agreement] = {}
    by_unit: dict[tuple[str, date], tuple[Agreement, dict[str, Agreement]]] = {}
    whole = Agreement("")
    for row in connection.execute(text(_COUNTED)).mappings():
        month, name = row["month"], version(f"{row['unit_name']} ({row['unit_code']})", row["valid_from"], row["valid_to"])
        unit, months = by_unit.setdefault((row["unit_code"], row["valid_from"]), (Agreement(name), {}))
        for place in (whole, unit, by_month.setdefault(month, Agreement(month)), months.setdefault(month, Agreement(month))):
            place.add(row)
    units = [(unit, _worst_first(months.values())) for unit, months in by_unit.values()]
    shape = contract("dossiers").columns["dossier_code"].quoted
    rows = connection.execute(text(_DIFFERENCES), {"differing": list(DIFFERING_FEES), "shape": shape}).mappings()
    found = [Difference(**row) for row in rows]
    return Fees(since, whole, sorted(by_month.values(), key=lambda of: of.name, reverse=True), _units_worst_first(units), found)


def _worst_first(months: Iterable[Agreement]) -> list[Agreement]:
    return sorted(sorted(months, key=lambda of: of.name, reverse=True), key=lambda of: of.differing, reverse=True)


def _units_worst_first(units: list[tuple[Agreement, list[Agreement]]]) -> list[tuple[Agreement, list[Agreement]]]:
    return sorted(units, key=lambda of: (-of[0].differing, of[0].name))


# Looked at several times, worked out once.
_SHOWN = """
CREATE TEMPORARY TABLE fee_shown ON COMMIT DROP AS
SELECT dossier_key, class, unit_code, unit_name, unit_valid_from, month, dossier_code, paid_vnd, fee_vnd, difference_vnd, file_name,
    row_number
FROM mart.fee_dossier WHERE received_at >= :since OR received_at IS NULL AND month >= :month
"""
_COUNTED = """
SELECT unit_code, unit.valid_from, unit.valid_to, unit.unit_name, month, class, count(*) AS dossiers,
    sum(difference_vnd)::bigint AS difference_vnd
FROM fee_shown JOIN warehouse.dim_unit AS unit USING (unit_code) WHERE unit.valid_from = unit_valid_from
GROUP BY unit_code, unit.valid_from, unit.valid_to, unit.unit_name, month, class
"""
_DIFFERENCES = """
SELECT class AS kind, unit_name || ' (' || unit_code || ')' AS unit, month,
    CASE WHEN dossier_code ~ :shape THEN dossier_code END AS dossier_code, shown.paid_vnd, fee_vnd, difference_vnd,
    shown.file_name AS dossier_file, shown.row_number AS dossier_row,
    payment.file_name AS payment_file, payment.row_number AS payment_row
FROM fee_shown AS shown LEFT JOIN mart.fee_payment AS payment USING (dossier_key)
WHERE class = ANY(:differing)
ORDER BY month DESC, unit_code, array_position(:differing, class), shown.dossier_code, payment_file, payment_row
"""
