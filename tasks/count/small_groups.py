"""Which of some published lines are withheld so that no count of few persons can be read, nor worked out from the sums that stand beside.

Cells are counts; a sum says that one cell, its total, is what others add up to; a line shows some cells to its readers, as a numerator, a
denominator and what lies between them. A line that shows a small count is withheld (primary suppression); others are until no small count
follows from what is left (secondary suppression). Against that stands whoever solves linear equations: the cells that nobody is shown are
the unknowns, the sums the equations, and a small count is safe where it takes more than one value in their solutions.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from heapq import heapify, heappop, heappush

PRIME = 2**61 - 1
"""Equations with coefficients of 1 and -1 are solved modulo this: as good as exactly, and without fractions."""

Sum = Sequence[int]
"""Cells: a total, then its parts, whose counts add up to that of the total."""


def withheld(counts: Sequence[int], sums: Sequence[Sum], lines: Sequence[Sequence[int]], below: int) -> tuple[set[int], set[int]]:
    """The lines that show a count of 1 to `below` - 1, and those that are withheld besides.

    Where a sum would tell what is hidden in it, the part with the fewest is withheld beside it, its total only where no part is left; of
    parts that are alike, one that needs no others to hide it. Zero is not small. What no line shows is known to nobody.
    """
    table = _Table(counts, sums, lines, below)
    primary = set(table.hidden)
    while table.give_away():
        pass
    return primary, table.hidden - primary


class _Table:
    def __init__(self, counts: Sequence[int], sums: Sequence[Sum], lines: Sequence[Sequence[int]], below: int) -> None:
        self.counts, self.sums, self.lines, self.below = counts, sums, lines, below
        self.small = {cell for cell, count in enumerate(counts) if 0 < count < below}
        self.shown_by, self.sums_of = _where(lines), _where(sums)
        self.hidden: set[int] = set()
        self.known = set(self.shown_by)
        self.guarded = set(self.small)
        """Cells that must not be told: small counts, and those that hide them."""
        for cell in self.small:
            self._hide(cell)

    def give_away(self) -> bool:
        """Hides more where something is given away still; whether anything was."""
        before = self._size
        loose = loose_cells(self.sums, self.known)
        done: set[int] = set()
        for place in sorted({place for cell in self.small for place in self.sums_of.get(cell, ())}):
            if self._is_too_few(place):
                self._hide_one_more(place, done)
        told = [cell for cell in sorted(self.guarded - self.known - loose) if cell in self.sums_of]
        for cell in told:
            self._hide_beside(cell, done)
        if self._size == before:
            self.guarded |= {other for cell in told for place in self.sums_of[cell] for other in self.sums[place]}
        if self._size == before and self.small.intersection(told):
            self._hide_around(told)
        return self._size != before

    @property
    def _size(self) -> tuple[int, int]:
        return len(self.hidden), len(self.guarded)

    def _is_too_few(self, place: int) -> bool:
        """Whether all that is hidden in a sum, whose total is known, is a small count itself."""
        total, *parts = self.sums[place]
        secret = [part for part in parts if part not in self.known]
        return total in self.known and bool(secret) and 0 < sum(self.counts[part] for part in secret) < self.below

    def _hide_beside(self, cell: int, done: set[int]) -> None:
        """Hides something else in each of the sums in which a cell is hidden alone."""
        for place in self.sums_of[cell]:
            is_alone = all(other in self.known or other == cell for other in self.sums[place])
            if is_alone and place not in done:  # else something was hidden there just now
                self._hide_one_more(place, done)

    def _hide_one_more(self, place: int, done: set[int]) -> None:
        """Hides another cell of a sum, where one is left to be hidden."""
        total, *_ = self.sums[place]
        left = [cell for cell in dict.fromkeys(self.sums[place]) if cell in self.known]
        if not left:
            return
        rank = {cell: (self.counts[cell] == 0, cell == total, self._alone(cell, place), abs(self.counts[cell]), cell) for cell in left}
        chosen = min(left, key=rank.__getitem__)
        self.guarded.add(chosen)
        done.update(other for cell in self._hide(chosen) for other in self.sums_of.get(cell, ()))

    def _alone(self, cell: int, place: int) -> int:
        """In how many other sums a cell would be the only one hidden."""
        return sum(all(one in self.known for one in self.sums[other]) for other in self.sums_of[cell] if other != place)

    def _hide(self, cell: int) -> set[int]:
        """Withholds the lines that show a cell; returns what nobody is shown any more."""
        gone = set()
        for line in self.shown_by.get(cell, ()):
            self.hidden.add(line)
            gone |= {one for one in self.lines[line] if self.hidden.issuperset(self.shown_by[one])}
        self.known -= gone
        return gone

    def _hide_around(self, cells: Collection[int]) -> None:
        """Hides all that is bound to some cells by a sum; where all is hidden that is bound, the counts could as well be twice as large."""
        for cell in {other for one in cells for place in self.sums_of[one] for other in self.sums[place]}:
            self._hide(cell)
            self.guarded.add(cell)


def loose_cells(sums: Sequence[Sum], known: Collection[int]) -> set[int]:
    """The unknown cells of sums that take more than one value in the solutions.

    Read from one solution of the homogeneous equations, drawn at random: a cell that is zero there is zero in all.
    """
    cells = _where(sums)
    pivots: dict[int, int] = {}
    order: list[int] = []
    rows: list[dict[int, int]] = []
    for row in sorted(_equations(sums, known), key=len):
        _reduce(row, pivots, order, rows)
        if row:
            pivot = min(row, key=lambda cell: (len(cells[cell]), cell))
            inverse = pow(row[pivot], -1, PRIME)
            pivots[pivot] = len(rows)
            order.append(pivot)
            rows.append({cell: inverse * factor % PRIME for cell, factor in row.items()})
    draw = random.Random(0)  # noqa: S311  # no secret
    drawn: dict[int, int] = {}
    for cell in sorted({cell for row in rows for cell in row} - pivots.keys()):
        drawn[cell] = draw.randrange(1, PRIME)
    for pivot, row in zip(reversed(order), reversed(rows), strict=True):
        drawn[pivot] = -sum(factor * drawn[cell] for cell, factor in row.items() if cell != pivot) % PRIME
    unbound = {cell for cell in cells if cell not in known and cell not in drawn}
    return unbound | {cell for cell, value in drawn.items() if value}


def _equations(sums: Sequence[Sum], known: Collection[int]) -> Iterator[dict[int, int]]:
    for total, *parts in sums:
        row: dict[int, int] = defaultdict(int)
        for cell, factor in ((total, -1), *((part, 1) for part in parts)):
            if cell not in known:
                row[cell] += factor
        yield {cell: factor for cell, factor in row.items() if factor}


def _reduce(row: dict[int, int], pivots: dict[int, int], order: Sequence[int], rows: Sequence[dict[int, int]]) -> None:
    """Takes the pivots out of a row, in the order in which they were found: a pivot's own row holds none from before it."""
    waiting = [pivots[cell] for cell in row if cell in pivots]
    heapify(waiting)
    while waiting:
        place = heappop(waiting)
        factor = row.get(order[place], 0)
        if not factor:
            continue
        for cell, other in rows[place].items():
            is_new = cell not in row
            value = (row.get(cell, 0) - factor * other) % PRIME
            if value:
                row[cell] = value
                if is_new and cell in pivots:
                    heappush(waiting, pivots[cell])
            else:
                row.pop(cell, None)


def _where(groups: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    """Cell → in which groups it is."""
    found: dict[int, list[int]] = defaultdict(list)
    for place, cells in enumerate(groups):
        for cell in dict.fromkeys(cells):
            found[cell].append(place)
    return found
