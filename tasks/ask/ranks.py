"""The place of each unit among its neighbours: those of its level under the same unit above."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

from tasks.ask.official_table import Line
from tasks.words import vietnamese as vi
from warehouse.indicators import in_force
from warehouse.periods import days

LEAST = 2
"""Fewer units with a value are no ranking."""

Key = tuple[str, str, date]
"""Indicator, unit and the first of its days in the period, which tells two versions of one code apart."""


@dataclass(frozen=True)
class Rank:
    """The place of a unit with an indicator, among neighbours that have a value."""

    place: int
    """From the highest value down, 1-2-2-4: values that are printed alike share a place."""
    ranked: int
    """How many have a place."""
    is_provisional: bool
    """Whether the value of any of them is: the place may change without this unit's doing."""

    @property
    def printed(self) -> str:
        """The place among how many: `3/16`."""
        return f"{vi.number(self.place)}/{vi.number(self.ranked)}"


def key(line: Line) -> Key:
    """Of which value a rank is."""
    return line.indicator_code, line.unit_code, line.first_day


def ranks(lines: Iterable[Line]) -> dict[Key, Rank]:
    """The places of a period's values by indicator, level and unit above, of indicators by which units are ranked at all.

    A unit without a value has none, and takes none from others: it is missing, not last.
    """
    found: dict[Key, Rank] = {}
    beside = attrgetter("indicator_code", "unit_level", "parent_code")
    valued = [line for line in lines if line.value is not None and line.parent_code is not None]
    for _, group in groupby(sorted(valued, key=beside), beside):
        neighbours = sorted(group, key=attrgetter("value"), reverse=True)
        if len(neighbours) < LEAST or not _is_ranked(neighbours[0]):
            continue
        provisional, place = any(line.obs_status == "P" for line in neighbours), 1
        for _, alike in groupby(neighbours, attrgetter("value")):
            sharing = list(alike)
            found |= {key(line): Rank(place, len(neighbours), provisional) for line in sharing}
            place += len(sharing)
    return found


def _is_ranked(line: Line) -> bool:
    indicator = in_force(line.indicator_code, days(line.period)[1])
    return indicator is not None and indicator.is_ranked
