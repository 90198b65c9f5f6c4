"""Numbers, dates and periods as they are written in Vietnamese offices."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tasks.words import vietnamese as vi


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        (1442, 0, "1.442"),
        (0, 0, "0"),
        (999, 0, "999"),
        (1_440_042_799, 0, "1.440.042.799"),
        (-1234, 0, "-1.234"),
        (Decimal("92.1"), 1, "92,1"),
        (Decimal("70"), 1, "70,0"),
        (Decimal("0.25"), 1, "0,3"),  # half up, not to the even digit
        (Decimal("1234.5"), 0, "1.235"),
        (None, 0, "–"),
    ],
)
def test_numbers_have_dots_for_thousands_and_a_comma_for_decimals(value: Decimal | int | None, decimals: int, written: str) -> None:
    assert vi.number(value, decimals) == written


def test_a_rate_carries_its_sign_and_a_missing_one_is_a_dash_not_zero() -> None:
    assert vi.measure(Decimal("92.1"), 1, "PERCENT") == "92,1%"
    assert vi.measure(None, 1, "PERCENT") == "–"
    assert vi.measure(1442, 0, "DOSSIER") == "1.442"


def test_a_figure_beside_a_printed_one_is_written_as_that_was() -> None:
    assert vi.beside("70,2%", Decimal("70.0")) == "70,0%"
    assert vi.beside("247/247", Decimal("247")) == "247"
    assert vi.beside("81%", None) == "–"


def test_days_and_times_are_those_of_vietnam() -> None:
    assert vi.day(date(2024, 3, 5)) == "05/03/2024"
    assert vi.day(datetime(2024, 12, 31, 17, 30, tzinfo=UTC)) == "01/01/2025"
    assert vi.moment(datetime(2024, 12, 31, 17, 30, tzinfo=UTC)) == "00:30 01/01/2025"
    assert vi.day(None) == vi.moment(None) == "–"


@pytest.mark.parametrize(
    ("period", "words"), [("2024", "Năm 2024"), ("2024-Q1", "Quý I/2024"), ("2024-Q4", "Quý IV/2024"), ("2024-03", "Tháng 03/2024")]
)
def test_periods_are_said_in_words(period: str, words: str) -> None:
    assert vi.period(period) == words


@pytest.mark.parametrize("typed", ["ngọc phụng", "NGỌC PHỤNG", " Ngoc  Phung ", "Ngọc Phụng"])
def test_a_name_is_recognised_however_it_is_typed(typed: str) -> None:
    assert vi.plain(typed) == vi.plain("Ngọc Phụng")


def test_accents_and_the_letter_d_with_stroke_are_folded() -> None:
    assert vi.plain("Điện Biên") == "dien bien"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tệp  một\n\tdòng ", "tệp một dòng"),
        ("gia\u202excod.csv", "gia<U+202E>xcod.csv"),
        ("\x1b[31mđỏ\x00", "<U+001B>[31mđỏ<U+0000>"),
        ("a\u200bb\ud800", "a<U+200B>b<U+D800>"),
        ("Xã Ngọc Phụng 🙂", "Xã Ngọc Phụng 🙂"),
    ],
)
def test_a_message_is_one_line_in_which_nothing_is_hidden(text: str, shown: str) -> None:
    assert vi.one_line(text) == shown


def test_of_a_message_that_is_too_long_beginning_and_end_are_left() -> None:
    cut = vi.one_line("a" * 5000 + " \n" * 5000 + "b" * 5000)
    assert len(cut) == vi.MESSAGE
    assert (cut[0], cut[-1]) == ("a", "b")
