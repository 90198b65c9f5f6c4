"""Two units or periods beside each other: differences in points, nothing made of what is missing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tasks.ask.comparison import compared
from tests.unit.lines import LINE


@pytest.mark.parametrize(
    ("one", "other", "unit_measure", "printed"),
    [
        ("92.1", "81.0", "PERCENT", "+11,1 điểm %"),
        ("70.0", "70.2", "PERCENT", "-0,2 điểm %"),
        ("70.0", "70.0", "PERCENT", "0,0 điểm %"),
        ("7", "1640", "tổ", "-1.633"),
        ("92.1", None, "PERCENT", "–"),
        (None, None, "PERCENT", "–"),
    ],
)
def test_a_difference_is_of_what_is_printed_in_points_of_a_percentage(
    one: str | None, other: str | None, unit_measure: str, printed: str
) -> None:
    decimals = 1 if unit_measure == "PERCENT" else 0
    lines = [replace(LINE, value=value and Decimal(value), unit_measure=unit_measure, decimals=decimals) for value in (one, other)]  # type: ignore[arg-type]
    (row,) = compared(lines[:1], lines[1:])
    assert row.printed == printed


def test_an_indicator_that_one_side_lacks_is_told_with_nothing_beside_it() -> None:
    rows = compared([LINE, replace(LINE, indicator_code="CQ1")], [replace(LINE, indicator_code="K1a"), LINE])
    assert [row.line.indicator_code for row in rows] == ["ND3", "CQ1", "K1a"]
    assert [(row.one is None, row.other is None) for row in rows] == [(False, False), (False, True), (True, False)]
    assert [row.difference for row in rows] == [0, None, None]


def test_what_is_counted_otherwise_on_the_other_side_is_said() -> None:
    (row,) = compared([LINE], [replace(LINE, definition="Người được cấp / người từ 14 tuổi")])
    assert row.is_counted_otherwise
