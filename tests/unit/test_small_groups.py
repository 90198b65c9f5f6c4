"""Small counts, and what has to be hidden beside them: by hand, and against whoever solves linear equations exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.count.small_groups import loose_cells, withheld


def each_shown_alone(counts: Sequence[int], sums: Sequence[Sequence[int]]) -> tuple[set[int], set[int]]:
    """What is hidden of counts that stand each for itself, at a threshold of 5."""
    return withheld(counts, sums, [[cell] for cell in range(len(counts))], 5)


def test_a_count_of_few_is_hidden_and_none_at_all_is_not() -> None:
    assert each_shown_alone([1, 4, 5, 0], []) == ({0, 1}, set())


def test_beside_a_single_small_part_the_next_smallest_is_hidden_not_the_total() -> None:
    total, *parts = range(4)
    assert each_shown_alone([59, 3, 40, 16], [[total, *parts]]) == ({1}, {3})


def test_none_at_all_hides_nobody() -> None:
    assert each_shown_alone([43, 3, 40, 0], [[0, 1, 2, 3]]) == ({1}, {2})


def test_two_small_parts_that_are_few_together_need_a_third() -> None:
    assert each_shown_alone([24, 1, 2, 9, 12], [[0, 1, 2, 3, 4]]) == ({1, 2}, {3})
    assert each_shown_alone([27, 3, 3, 9, 12], [[0, 1, 2, 3, 4]]) == ({1, 2}, set())


def test_where_all_else_is_none_the_total_is_small_itself() -> None:
    assert each_shown_alone([3, 3, 0, 0], [[0, 1, 2, 3]]) == ({0, 1}, set())


def test_the_total_goes_only_where_no_part_is_left() -> None:
    assert each_shown_alone([5, 1, 4], [[0, 1, 2]]) == ({1, 2}, set())
    assert each_shown_alone([4, 4, 0, 8, 8], [[0, 1, 2], [3, 4]]) == ({0, 1}, set())
    assert each_shown_alone([4, 1, 3, 9, 13], [[0, 1, 2], [4, 0, 3]]) == ({0, 1, 2}, {3})


def test_what_hides_a_count_in_a_table_is_hidden_in_its_other_sums_as_well() -> None:
    # Two units by three months, with the sums of both:   2 30 40 =  72
    #                                                     20 50 60 = 130
    #                                                     22 80 100 = 202
    counts = [2, 30, 40, 72, 20, 50, 60, 130, 22, 80, 100, 202]
    months = [[3, 0, 1, 2], [7, 4, 5, 6], [11, 8, 9, 10]]
    units = [[8 + month, month, 4 + month] for month in range(4)]
    primary, besides = each_shown_alone(counts, [*months, *units])
    assert (primary, besides) == ({0}, {1, 4, 5})


def test_a_line_is_hidden_with_all_that_it_shows_and_with_every_line_that_shows_what_it_must_not() -> None:
    # Numerators of two indicators over one denominator, of two units and both: 2/3 and 1/3 in the first unit, 10/20 and 11/20 in the other.
    counts = [12, 2, 10, 12, 1, 11, 23, 3, 20]
    sums = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    lines = [[0, 6], [1, 7], [2, 8], [3, 6], [4, 7], [5, 8]]
    assert withheld(counts, sums, lines, 5) == ({1, 4}, {2, 5})


def test_what_nobody_is_shown_may_hide_a_count_and_is_hidden_where_it_is_few() -> None:
    unseen = [[0], [1], [2]]  # the last cell: what an office handled itself
    assert withheld([60, 3, 40, 17], [[0, 1, 2, 3]], unseen, 5) == ({1}, set())
    assert withheld([60, 17, 40, 3], [[0, 1, 2, 3]], unseen, 5) == (set(), {1})


def test_what_is_not_bound_by_sums_is_not_looked_at() -> None:
    assert loose_cells([[0, 1, 2]], {0, 1}) == set()
    assert loose_cells([[0, 1, 2]], {0}) == {1, 2}


def _told(sums: Sequence[Sequence[int]], known: set[int]) -> set[int]:
    """The unknown cells that the equations tell, solved by fractions until each row names what it tells alone."""
    rows: list[dict[int, Fraction]] = []
    for total, *parts in sums:
        row: dict[int, Fraction] = {}
        for cell, factor in [(total, -1), *((part, 1) for part in parts)]:
            if cell not in known:
                row[cell] = row.get(cell, Fraction(0)) + factor
        for other in rows:
            _without(row, next(iter(other)), other)
        row = {cell: factor for cell, factor in row.items() if factor}
        if row:
            pivot = next(iter(row))
            row = {cell: factor / row[pivot] for cell, factor in row.items()}
            for other in rows:
                _without(other, pivot, row)
            rows.append(row)
    return {next(iter(row)) for row in rows if len(row) == 1}


def _without(row: dict[int, Fraction], pivot: int, other: dict[int, Fraction]) -> None:
    """Takes from a row so much of another that it no longer names a cell."""
    if times := row.get(pivot):
        for cell, factor in other.items():
            row[cell] = row.get(cell, Fraction(0)) - times * factor
        for cell in [cell for cell, factor in row.items() if not factor]:
            del row[cell]


@st.composite
def published(draw: st.DrawFn) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """Rates of units below districts below a province in the months of two quarters of a year: counts, sums, and lines of three cells."""
    districts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    months = draw(st.lists(st.integers(1, 2), min_size=1, max_size=2))
    few = st.one_of(st.integers(0, 6), st.integers(0, 60))
    units, unit_sums = _tree(districts)
    periods, period_sums = _tree(months)
    counts: list[int] = []
    sums: list[list[int]] = []
    lines: list[list[int]] = [[] for _ in range(units * periods)]
    for _ in range(2):  # numerator and what lies between it and the denominator
        grid = [[0] * periods for _ in range(units)]
        for unit, period in product(range(units), range(periods)):
            if not (unit_sums.get(unit) or period_sums.get(period)):
                grid[unit][period] = draw(few)
        for unit in range(units):
            for total, parts in sorted(period_sums.items(), reverse=True):
                grid[unit][total] = sum(grid[unit][part] for part in parts)
        for total, parts in sorted(unit_sums.items(), reverse=True):
            for period in range(periods):
                grid[total][period] = sum(grid[part][period] for part in parts)
        counts += [count for row in grid for count in row]
    size = units * periods
    counts += [counts[cell] + counts[size + cell] for cell in range(size)]
    for kind in range(3):
        at = [[kind * size + unit * periods + period for period in range(periods)] for unit in range(units)]
        sums += [
            [at[total][period], *(at[part][period] for part in parts)] for total, parts in unit_sums.items() for period in range(periods)
        ]
        sums += [[at[unit][total], *(at[unit][part] for part in parts)] for total, parts in period_sums.items() for unit in range(units)]
    sums += [[2 * size + cell, cell, size + cell] for cell in range(size)]
    lines = [[cell, 2 * size + cell, size + cell] for cell in range(size)]
    if draw(st.booleans()):  # another indicator over the same denominator
        lines += [[2 * size + cell] for cell in range(size) if draw(st.booleans())]
    return counts, sums, lines


def _tree(branches: Sequence[int]) -> tuple[int, dict[int, list[int]]]:
    """How many nodes there are, and total → parts: the root is 0, then its branches, then their leaves."""
    sums: dict[int, list[int]] = {0: list(range(1, len(branches) + 1))}
    nodes = len(branches) + 1
    for branch, leaves in enumerate(branches, 1):
        sums[branch] = list(range(nodes, nodes + leaves))
        nodes += leaves
    return nodes, sums


@settings(max_examples=150, deadline=None)
@given(published())
def test_no_small_count_follows_from_what_is_left(table: tuple[list[int], list[list[int]], list[list[int]]]) -> None:
    counts, sums, lines = table
    assert all(counts[total] == sum(counts[part] for part in parts) for total, *parts in sums)
    primary, besides = withheld(counts, sums, lines, 5)
    hidden = primary | besides
    assert primary == {line for line, cells in enumerate(lines) if any(0 < counts[cell] < 5 for cell in cells)}
    known = {cell for line, cells in enumerate(lines) if line not in hidden for cell in cells}
    small = [cell for cell, count in enumerate(counts) if 0 < count < 5]
    assert not known.intersection(small)
    assert not _told(sums, known).intersection(small)
    for total, *parts in sums:
        secret = [counts[part] for part in parts if part not in known]
        assert total not in known or not any(0 < count < 5 for count in secret) or sum(secret) >= 5


@settings(max_examples=60, deadline=None)
@given(published(), st.data())
def test_who_draws_a_solution_finds_what_who_solves_exactly_finds(
    table: tuple[list[int], list[list[int]], list[list[int]]], data: st.DataObject
) -> None:
    counts, sums, _ = table
    known = set(data.draw(st.lists(st.integers(0, len(counts) - 1))))
    loose = loose_cells(sums, known)
    assert loose == set(range(len(counts))) - known - _told(sums, known)
