"""Reference data the project ships, as files."""

from __future__ import annotations

from datetime import date

import pytest

from warehouse.country import rows

HOLIDAYS = rows("holidays")


def test_only_days_that_are_otherwise_than_their_weekday_says_are_holidays_each_once_with_the_law_that_orders_it() -> None:
    days = [date.fromisoformat(row["date_key"]) for row in HOLIDAYS]
    assert days == sorted(set(days))
    assert all((day.isoweekday() > 5) == (row["is_working_day"] == "true") for day, row in zip(days, HOLIDAYS, strict=True))
    assert all(row["legal_source"] and row["evidence"] in ("law", "notice", "reported") for row in HOLIDAYS)


@pytest.mark.parametrize("year", range(2022, 2027))
def test_each_year_with_a_notice_has_the_eleven_days_of_the_labour_code(year: int) -> None:
    """Bộ luật Lao động 2019, Điều 112: 1 + 5 + 1 + 1 + 2 + 1 days; a day in exchange for a Saturday and 24/11 from 2026 come on top."""
    ofs = [row for row in HOLIDAYS if row["date_key"].startswith(str(year))]
    worked = sum(row["is_working_day"] == "true" for row in ofs)
    assert len(ofs) - 2 * worked - (year >= 2026) == 11
