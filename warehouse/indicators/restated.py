"""What does not add up over the units that went into a later one: a customer of two of them is one customer of the later unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from warehouse.counted import Counted
from warehouse.indicators.facts import CountedFact, kept

if TYPE_CHECKING:
    from warehouse.indicators import Indicator


def kept_restated(name: str, fact: CountedFact, indicators: Sequence[Indicator]) -> list[Counted]:
    """What is kept counted of each distinct thing for units that others went into whole, to the end of the year they began in."""
    depends_on = ("dim_unit", "bridge_unit_lineage")
    return [
        replace(
            counted,
            name=name_restated(counted.name),
            query=counted.query.replace(fact.select(), _of_later_units(fact)),
            depends_on=(*counted.depends_on, *depends_on),
        )
        for counted in kept(name, fact, indicators)
        if counted.together is not None
    ]


def name_restated(counted: str) -> str:
    """Under which name a thing is counted for later units (`Counted.name`)."""
    return f"{counted} restated"


def _of_later_units(fact: CountedFact) -> str:
    """The rows of a fact, each for every unit that its own went whole into, and for its own."""
    named = "".join(f", r.{name}" for name in dict.fromkeys(fact.named()))
    return f"""
    SELECT r.sign, l.unit_key{named}
    FROM ({fact.select()}) r
    JOIN warehouse.bridge_unit_lineage l ON l.earlier_key = r.unit_key AND l.extent = 'whole'
    JOIN warehouse.dim_unit later ON later.unit_key = l.unit_key
    WHERE r.{fact.day(None)} < date_trunc('year', later.valid_from) + interval '1 year'
    """
