"""Rows of the official tables: what is said thousands of times is held once, and nothing else is touched."""

from __future__ import annotations

from decimal import Decimal

from tasks.ask.official_table import sharing_texts


def test_a_text_that_comes_again_is_the_same_object_and_equal_numbers_stay_what_they_are() -> None:
    first, second = "".join(["Hồ sơ ", "đúng hạn"]), "".join(["Hồ sơ ", "đúng hạn"])
    rows = [(first, Decimal("50.0"), True, None), (second, Decimal("50.00"), 1, "A"), ("khác", None, False, None)]
    shared = list(sharing_texts(rows))
    assert shared == rows
    assert shared[0][0] is shared[1][0]
    assert [str(row[1]) for row in shared] == ["50.0", "50.00", "None"]
    assert [row[2] for row in shared] == [True, 1, False]
    assert type(shared[1][2]) is int


def test_no_rows_are_none() -> None:
    assert list(sharing_texts([])) == []
