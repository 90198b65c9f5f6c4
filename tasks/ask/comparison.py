"""Two units, two periods, or both, beside each other, indicator by indicator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from tasks.ask.official_table import Line, Unit, find_unit, meant_period, of_unit
from tasks.ask.scope import Scope
from tasks.words import vietnamese as vi
from warehouse.settings import Refusal


@dataclass(frozen=True)
class Side:
    """A unit in a period, with its official tables."""

    unit: Unit
    period: str
    lines: list[Line]

    @property
    def name(self) -> str:
        """Unit and period in words, with its days where it was there for a part of it only."""
        return f"{vi.while_there(self.unit.name, self.period, *self.unit.within(self.period))}, {vi.in_text(self.period)}"

    @property
    def asked_as(self) -> str:
        """How to ask for this version of the unit and no other."""
        return f"{self.unit.code}@{self.unit.within(self.period)[1]}" if self.unit.beside else self.unit.code


@dataclass(frozen=True)
class Compared:
    """One indicator on both sides."""

    one: Line | None
    other: Line | None

    @property
    def line(self) -> Line:
        """The side that tells what the indicator is."""
        return self.one or self.other  # type: ignore[return-value]

    @property
    def values(self) -> tuple[Decimal, Decimal] | None:
        """Both values, as they are printed; nothing where one is missing."""
        one, other = (None if line is None else line.value for line in (self.one, self.other))
        return None if one is None or other is None else (one, other)

    @property
    def difference(self) -> Decimal | None:
        """By how much the first is above the second; nothing where one is missing."""
        return None if self.values is None else self.values[0] - self.values[1]

    @property
    def printed(self) -> str:
        """The difference as it is printed: a rate's in points of a percentage."""
        points = " điểm %" if self.difference is not None and self.line.unit_measure == "PERCENT" else ""
        return vi.change(self.difference, self.line.decimals) + points

    @property
    def is_counted_otherwise(self) -> bool:
        """Whether the indicator was defined otherwise on the two sides."""
        return self.one is not None and self.other is not None and self.one.definition != self.other.definition


def side(connection: Connection, scope: Scope, unit_words: str, period_words: str) -> Side:
    """The unit and period that someone means, with what is published; Refusal in one sentence where that is nothing, or not for them."""
    period = meant_period(period_words)
    unit = find_unit(connection, unit_words, period)
    if not scope.sees(unit.code):
        raise Refusal(f"{unit.title} nằm ngoài phạm vi của tài khoản.")
    lines = of_unit(connection, unit, period, scope)
    if not lines:
        raise Refusal(f"Chưa công bố chỉ tiêu nào của {unit.title} cho {vi.in_text(period)}.")
    return Side(unit, period, lines)


def compared(one: Sequence[Line], other: Sequence[Line]) -> list[Compared]:
    """The indicators of both, in the order in which they are printed."""
    first, second = ({line.indicator_code: line for line in lines} for lines in (one, other))
    return [Compared(first.get(code), second.get(code)) for code in {**first, **second}]
