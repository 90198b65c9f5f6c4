"""Form II.06a for the public: whose, and without its small counts, nor what in the same form would give them away.

The public has the year of the highest unit it sees alone: from forms of the units below, or of months, counts that are hidden in one
could be worked out by taking the others away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.ask.official_table import Unit
from tasks.ask.scope import Scope
from tasks.count.small_groups import withheld
from tasks.one_stop_shop.form_06a import COLUMNS
from warehouse.periods import period_type

Values = tuple[int | None, ...]
"""Columns (3) to (13); nothing where a count is hidden."""

SUMS = (("c3", "c4", "c5", "c6"), ("c7", "c8", "c9", "c10"), ("c11", "c12", "c13"), ("c3", "c7", "c11"))
"""Columns of the form: a total, then what it is made of."""


def is_for(scope: Scope, unit: Unit, period: str) -> bool:
    """Whether the form of a unit and period is for whoever has a scope."""
    is_highest = unit.parent_code is None or (scope.codes is not None and unit.parent_code not in scope.codes)
    return scope.sees(unit.code) and (not scope.is_public or (is_highest and period_type(period) == "year"))


@dataclass(frozen=True)
class Shown:
    """The numbers of a form as they are printed, row by row and in all."""

    rows: list[Values]
    total: Values

    @property
    def hidden(self) -> int:
        """How many are not shown."""
        return sum(value is None for values in (*self.rows, self.total) for value in values)


def shown(rows: Sequence[tuple[int, ...]], total: tuple[int, ...], below: int | None) -> Shown:
    """The form as it is printed: all of it, or without counts of less than `below` and what would give them away."""
    if below is None:
        return Shown(list(rows), total)
    counts = [count for values in (*rows, total) for count in values]
    sums = [cells for cells in _sums(len(rows)) if _holds(cells, counts)]
    primary, besides = withheld(counts, sums, [[cell] for cell in range(len(counts))], below)
    printed = [None if cell in primary or cell in besides else count for cell, count in enumerate(counts)]
    width = len(COLUMNS)
    *of_rows, in_all = (tuple(printed[first : first + width]) for first in range(0, len(printed), width))
    return Shown(of_rows, in_all)


def _sums(rows: int) -> Iterator[list[int]]:
    """Cells that add up: within each row and that of the totals, and in each column."""
    width = len(COLUMNS)
    for row in range(rows + 1):
        for columns in SUMS:
            yield [row * width + COLUMNS.index(column) for column in columns]
    for column in range(width):
        yield [rows * width + column, *(row * width + column for row in range(rows))]


def _holds(cells: Sequence[int], counts: Sequence[int]) -> bool:
    total, *parts = cells
    return counts[total] == sum(counts[part] for part in parts)
