"""Periods as text."""

from datetime import date

import pytest

from warehouse.periods import before, containing, days, is_period, parts, period_type, year_before


@pytest.mark.parametrize(
    ("period", "kind", "first", "last"),
    [
        ("2024", "year", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-Q1", "quarter", date(2024, 1, 1), date(2024, 3, 31)),
        ("2024-Q4", "quarter", date(2024, 10, 1), date(2024, 12, 31)),
        ("2024-02", "month", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-02", "month", date(2025, 2, 1), date(2025, 2, 28)),
    ],
)
def test_a_period_has_a_kind_and_its_days(period: str, kind: str, first: date, last: date) -> None:
    assert (period_type(period), *days(period)) == (kind, first, last)


def test_a_month_lies_in_its_quarter_and_its_year() -> None:
    assert containing("2024-05") == ["2024-05", "2024-Q2", "2024"]
    assert containing("2024-Q2") == ["2024-Q2", "2024"]
    assert containing("2024") == ["2024"]


def test_the_period_before_is_of_the_same_kind_across_the_turn_of_a_year() -> None:
    told = {"2024": "2023", "2024-Q1": "2023-Q4", "2024-Q3": "2024-Q2", "2024-01": "2023-12", "2024-12": "2024-11"}
    assert {period: before(period) for period in told} == told
    assert [year_before(period) for period in ("2024", "2024-Q1", "2024-02")] == ["2023", "2023-Q1", "2023-02"]


def test_a_quarter_has_three_months_and_a_year_seventeen_parts() -> None:
    assert parts("2024-Q2") == ["2024-Q2", "2024-04", "2024-05", "2024-06"]
    assert len(parts("2024")) == 17


@pytest.mark.parametrize("text", ["2024-13", "2024-Q5", "2024-3", "24", "2024-Q1 ", "Quý I/2024", "", "0000", "٢٠٢٤"])
def test_what_is_no_period_is_refused(text: str) -> None:
    assert not is_period(text)
    with pytest.raises(ValueError, match="not a period"):
        days(text)
