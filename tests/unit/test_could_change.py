"""How far rows set aside could move a value: worked out by hand."""

from dataclasses import replace
from datetime import date

import pytest

from tasks.ask.could_change import Cases, bounds
from tasks.ask.official_table import Line
from warehouse.indicators import Indicator, in_force

DAY = date(2024, 12, 31)


def indicator(code: str) -> Indicator:
    found = in_force(code, DAY)
    assert found is not None
    return found


def line(code: str, numerator: int | None, denominator: int | None, obs_status: str = "A") -> Line:
    """A published line of that many."""
    of = indicator(code)
    return Line(
        of.code, of.name, of.official_table, of.pillar, "15655", "Xã Ngọc Phụng", "commune", "2024", numerator, denominator, None,
        of.decimals, of.unit_measure, None, None, obs_status, None, 1, of.definition, of.legal_source, date(2024, 1, 1), DAY,
    )  # fmt: skip


def ends(code: str, numerator: int | None, denominator: int | None, cases: Cases) -> tuple[str, str] | None:
    found = bounds(indicator(code), line(code, numerator, denominator), cases)
    return None if found is None else (found.lowest.printed, found.highest.printed)


def test_new_cases_make_the_denominator_larger_at_both_ends() -> None:
    # 70 of 100; ten more: 70/110 = 63,63…, 80/110 = 72,72…
    assert ends("CQ4", 70, 100, Cases(new=10)) == ("63,6%", "72,7%")


def test_a_case_that_counts_already_moves_the_numerator_alone() -> None:
    # Two of the seventy leave it: 68/100. Three of the thirty join it: 73/100.
    assert ends("CQ4", 70, 100, Cases(in_numerator=2, in_denominator=3)) == ("68,0%", "73,0%")


def test_all_kinds_together_are_told_as_the_sums_they_are() -> None:
    found = bounds(indicator("K2b"), line("K2b", 70, 100), Cases(in_numerator=2, in_denominator=3, new=5))
    assert found is not None
    # lowest (70 - 2) / (100 + 5) = 64,76…; highest (70 + 3 + 5) / (100 + 5) = 74,28…
    assert found.told == "Thấp nhất (70 - 2) / (100 + 5) = 64,8%; cao nhất (70 + 8) / (100 + 5) = 74,3%."


def test_a_bill_joins_one_customer_who_may_be_there_already() -> None:
    # 8 of 10 customers. Three bills: two turn the customers who pay in cash, the third brings one more: 11/11. None: 8/13.
    assert ends("K2a", 8, 10, Cases(new=3)) == ("61,5%", "100,0%")
    # One bill: 9/10 is more than 9/11.
    assert ends("K2a", 8, 10, Cases(new=1)) == ("72,7%", "90,0%")


def test_where_nobody_may_know_how_cases_count_as_many_join_or_leave_as_there_is_room_for() -> None:
    assert ends("ND5", 40, 100, Cases(untold=3)) == ("37,0%", "43,0%")
    assert ends("ND5", 1, 2, Cases(untold=3)) == ("0,0%", "100,0%")


def test_where_nothing_happened_yet_anything_may() -> None:
    found = bounds(indicator("CQ4"), line("CQ4", None, None, "M"), Cases(new=2))
    assert found is not None
    assert (found.lowest.printed, found.highest.printed) == ("0,0%", "100,0%")


@pytest.mark.parametrize("code", ["K2c", "K3b", "ND5C", "K1b", "ST1"])
def test_an_amount_or_a_reported_count_has_no_end_to_tell(code: str) -> None:
    assert ends(code, 5, 10, Cases(new=1, untold=1)) is None


def test_a_value_that_is_hidden_gives_no_bounds_away() -> None:
    assert bounds(indicator("CQ4"), replace(line("CQ4", None, None), obs_status="Q"), Cases(new=2)) is None
