"""A delivery is held against the days it says it is about; what cannot be meant is refused with both readings."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from expectations.contract import contract
from tasks.deliveries.coverage import Stretch
from tasks.validate.dates import Dates, dated


def paid(*days: date) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([datetime(day.year, day.month, day.day, 9) for day in days], pa.timestamp("s"))])


def held(covers: str, *days: date, title: str | None = None, declared: bool = True) -> Dates:
    found = dated(contract("payments"), Stretch.of(covers), title, is_declared=declared)
    assert found is not None
    found.add(paid(*days))
    return found


def test_rows_outside_are_counted_and_take_nothing_from_what_is_covered() -> None:
    found = held("2024-03-16", date(2024, 3, 15), date(2024, 3, 16))
    assert found.outside() == (False, "1/2 dòng ngoài ngày 16/03/2024", 1)
    assert found.misread()[0] is None


def test_a_file_that_holds_nothing_of_its_month_is_refused_with_both_readings() -> None:
    trouble, said = held("2024-03", date(2024, 4, 2), date(2024, 4, 9)).misread()
    assert trouble is not None
    assert "tháng 03/2024" in said
    assert "từ 02/04/2024 đến 09/04/2024" in said


def test_days_and_months_exchanged_are_refused_with_both_readings() -> None:
    trouble, said = held("2024-12", *(date(2024, month, 12) for month in range(1, 13))).misread()
    assert trouble == "exchanged"
    assert "từ 12/01/2024 đến 12/12/2024" in said
    assert "đọc tháng trước ngày thì là từ 01/12/2024 đến 12/12/2024" in said


@pytest.mark.parametrize(("days_before", "is_refused"), [(0, False), (31, False), (32, True), (-1, False), (-2, True)])
def test_a_day_only_understood_may_be_that_of_the_export_of_a_month(days_before: int, is_refused: bool) -> None:
    row = date(2024, 3, 31) - timedelta(days=days_before)
    assert (held("2024-03-31", row, declared=False).misread()[0] is not None) == is_refused


def test_a_title_that_says_another_period_than_the_pattern_of_the_name_is_refused() -> None:
    trouble, said = held("2024-03", date(2024, 3, 2), title="2024-04").misread()
    assert trouble is not None
    assert "dòng tiêu đề nói tháng 04/2024" in said


def test_the_name_of_a_bill_file_without_a_pattern_is_only_its_export() -> None:
    assert dated(contract("bills"), Stretch.of("2024-03"), None, is_declared=False) is None
    titled = dated(contract("bills"), Stretch.of("2024-03"), "2024-02", is_declared=False)
    assert titled is not None
    titled.add(pa.chunked_array([pa.array([date(2024, 1, 1)])]))
    assert titled.misread()[0] is not None
