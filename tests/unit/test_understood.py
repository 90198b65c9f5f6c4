"""What people type is taken for what they mean, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.words import vietnamese as vi
from tasks.words.understood import did_you_mean, understood_period
from warehouse.periods import is_period

PERIODS = st.one_of(
    st.builds("{:04}".format, st.integers(1900, 2099)),
    st.builds("{:04}-Q{}".format, st.integers(1900, 2099), st.integers(1, 4)),
    st.builds("{:04}-{:02}".format, st.integers(1900, 2099), st.integers(1, 12)),
)


@pytest.mark.parametrize(
    ("words", "period"),
    [
        ("2024", "2024"), ("năm 2024", "2024"), ("NAM 2024", "2024"),
        ("03/2024", "2024-03"), ("3/2024", "2024-03"), ("2024-3", "2024-03"), ("2024/03", "2024-03"), ("3-2024", "2024-03"),
        ("tháng 3/2024", "2024-03"), ("Tháng 3 năm 2024", "2024-03"), ("thang 12 2024", "2024-12"), ("T3/2024", "2024-03"),
        ("quý 1/2024", "2024-Q1"), ("Quý IV/2024", "2024-Q4"), ("quý ii năm 2024", "2024-Q2"), ("Q1/2024", "2024-Q1"),
        ("q1 2024", "2024-Q1"), ("2024 Q1", "2024-Q1"), ("2024q3", "2024-Q3"), ("  2024-q1 ", "2024-Q1"),
    ],
)  # fmt: skip
def test_a_period_is_understood_as_vietnamese_write_it(words: str, period: str) -> None:
    assert understood_period(words) == period


@pytest.mark.parametrize(
    "words",
    ["", "24", "13/2024", "0/2024", "quý 5/2024", "quý v/2024", "quý 1", "tháng 3", "2024-03-01", "31/12/2024", "3 2024", "2024.1", "0000"],
)
def test_what_says_no_period_or_may_say_two_is_not_understood(words: str) -> None:
    assert understood_period(words) is None


@given(PERIODS)
def test_a_period_is_understood_as_the_warehouse_names_it_and_as_it_is_printed(period: str) -> None:
    for written in (
        period,
        period.lower(),
        vi.period(period),
        vi.in_text(period),
        vi.plain(vi.period(period)),
        f" {vi.period(period).upper()} ",
    ):
        assert understood_period(written) == period


@given(st.one_of(st.text(), st.from_regex(r"(tháng|quý|q|năm)? ?[0-9ivIV]{1,5} ?[-/ ]? ?[0-9qQ]{1,5}", fullmatch=True)))
def test_what_is_understood_is_a_period(words: str) -> None:
    period = understood_period(words)
    assert period is None or is_period(period)


def test_of_names_the_closest_are_asked_for_the_closest_first() -> None:
    assert did_you_mean("evn-bill", ["water-bills", "evn-bills", "surveys"]) == " Có phải: evn-bills?"
    assert did_you_mean("dos-02", ["DOS-022", "DOS-002", "BIL-001"]) == " Có phải: DOS-002, DOS-022?"


def test_accents_and_case_make_no_difference() -> None:
    assert did_you_mean("NGOC PHUG", ["Ngọc Phụng", "Bát Mọt"]) == " Có phải: Ngọc Phụng?"


def test_a_name_that_is_close_to_none_is_answered_by_nothing() -> None:
    assert did_you_mean("Atlantis", ["Ngọc Phụng", "Bát Mọt"]) == ""
    assert did_you_mean("x", []) == ""


def test_several_spellings_of_one_are_told_once_and_no_more_than_three_of_all() -> None:
    titles = {"xã Bát Mọt": "Xã Bát Mọt (15607)", "bát mọt": "Xã Bát Mọt (15607)", **{f"bát mọt {n}": str(n) for n in range(9)}}
    assert did_you_mean("Bat Mot", titles, titles.__getitem__) == " Có phải: Xã Bát Mọt (15607), 0, 1?"
