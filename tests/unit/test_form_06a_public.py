"""Form II.06a for the public: its small counts, and what in its rows and columns would tell them."""

from __future__ import annotations

from tasks.report.form_06a_public import Values, shown

#        3   4   5   6   7   8   9  10  11  12  13
LAND = (60, 40, 20, 0, 50, 30, 18, 2, 10, 10, 0)
CIVIL = (90, 60, 30, 0, 70, 40, 20, 10, 20, 15, 5)
TOTAL = tuple(one + other for one, other in zip(LAND, CIVIL, strict=True))


def hidden(values: Values) -> list[int]:
    """Numbers of the columns that are hidden in a row."""
    return [column for column, value in enumerate(values, 3) if value is None]


def test_who_works_with_it_sees_all_of_it() -> None:
    assert shown([LAND, CIVIL], TOTAL, None).rows == [LAND, CIVIL]
    assert shown([LAND, CIVIL], TOTAL, None).hidden == 0


def test_two_that_were_late_are_hidden_with_one_more_of_their_row_and_of_their_column() -> None:
    printed = shown([LAND, CIVIL], TOTAL, 5)
    # Column 7 says 8 + 9 + 10 = 50, so 9, the smaller of the others, goes with 10; columns are told by the totals: so does the other row.
    assert [hidden(row) for row in printed.rows] == [[9, 10], [9, 10]]
    assert hidden(printed.total) == []
    assert printed.hidden == 4


def test_a_form_of_a_single_row_hides_its_total_with_it() -> None:
    printed = shown([LAND], LAND, 5)
    assert hidden(printed.rows[0]) == hidden(printed.total) == [9, 10]
