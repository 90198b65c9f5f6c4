"""What does not add up over the units that went into a later one: a customer of two of them is one customer of the later unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from warehouse.counted import Counted
from warehouse.indicators.facts import CountedFact, kept

if TYPE_CHECKING:
    from warehouse.indicators import Indicator

_OF_LATER_UNITS = """
SELECT t.sign, l.unit_key, t.year, t.month, t.key_number, t.thing, t.holds
FROM {things} t
JOIN warehouse.bridge_unit_lineage l ON l.earlier_key = t.unit_key AND l.extent = 'whole'
JOIN warehouse.dim_unit later ON later.unit_key = l.unit_key AND t.year <= extract(year FROM later.valid_from)::int
"""
"""Things at every unit that their own went whole into, and at their own, to the end of the year in which that began."""


def kept_restated(name: str, fact: CountedFact, indicators: Sequence[Indicator]) -> list[Counted]:
    """What is kept counted of each distinct thing for units that others went into whole, to the end of the year they began in."""
    return [
        replace(
            counted,
            name=f"{counted.name} restated",
            belonging=_OF_LATER_UNITS,
            depends_on=(*counted.depends_on, "dim_unit", "bridge_unit_lineage"),
        )
        for counted in kept(name, fact, indicators)
        if counted.things is not None
    ]
