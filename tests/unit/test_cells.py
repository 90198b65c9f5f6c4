"""Cells become values only where there is one way to read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.read.cells import births, booleans, clean, decimals, integers, mapped, moments, of_age, period, typed


def column(*cells: str | None) -> pa.StringArray:
    return pa.array(cells, pa.string())


def grouped(number: int) -> str:
    """A whole number as Vietnamese offices print it."""
    return f"{number:,}".replace(",", ".")


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1.442", 1442), ("1442", 1442), ("247", 247), ("-1.000", -1000), ("1.234.567", 1234567), ("1.442,00", 1442), ("0", 0)],
)
def test_a_vietnamese_whole_number_is_read_with_its_thousand_dots(cell: str, number: int) -> None:
    assert integers(column(cell), "vietnamese").to_pylist() == [number]


@pytest.mark.parametrize(
    "cell", ["1.44", "70.2", "1,442", "92,1", "1.4421", "0.500", "1.44.200", "1442.000,5", "1 442", "1e3", "٣", "+5", "0x1F", "1,000"]
)
def test_what_could_be_another_number_elsewhere_is_never_guessed(cell: str) -> None:
    assert integers(column(cell), "vietnamese").to_pylist() == [None]


@given(st.lists(st.integers(-(10**14), 10**14), max_size=30))
def test_whole_numbers_printed_in_vietnamese_are_read_back(numbers: list[int]) -> None:
    assert integers(column(*map(grouped, numbers)), "vietnamese").to_pylist() == numbers


@given(st.lists(st.decimals(-(10**9), 10**9, places=4, allow_nan=False), max_size=30))
def test_decimals_printed_in_vietnamese_are_read_back(numbers: list[Decimal]) -> None:
    printed = [f"{number:,.4f}".translate(str.maketrans(",.", ".,")) for number in numbers]
    assert decimals(column(*printed), "vietnamese").to_pylist() == numbers


@given(st.text("0123456789.,-", max_size=9))
def test_a_vietnamese_number_that_is_read_prints_as_it_was_written(cell: str) -> None:
    number = integers(column(cell), "vietnamese")[0].as_py()
    if number is not None:
        digits = cell.removesuffix(",0").removesuffix(",00").lstrip("-")
        assert digits == grouped(abs(number)) or (digits.isdigit() and int(digits) == abs(number))


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("152340.0", 152340),
        ("152340", 152340),
        ("152340.", 152340),
        ("152340.5", None),
        ("1,234.0", None),
        ("152.000", None),
        ("152340.000", 152340),
        ("0.000", 0),
    ],
)
def test_money_written_as_a_float_is_whole_or_nothing(cell: str, number: int | None) -> None:
    assert integers(column(cell), "decimal_point").to_pylist() == [number]


def test_a_scaled_amount_must_be_whole_in_the_contracts_unit() -> None:
    assert integers(column("15234000", "15234050", None), scale=100).to_pylist() == [152340, None, None]


def test_a_plain_number_has_no_marks_at_all() -> None:
    assert integers(column("007", "1.442", "-5", "5-", "")).to_pylist() == [7, None, -5, None, None]


def test_a_number_too_long_for_a_count_is_nothing() -> None:
    assert integers(column("9" * 19)).to_pylist() == [None]


@pytest.mark.parametrize("cell", ["92.1", "92,12345", "1.44,5"])
def test_a_decimal_in_another_notation_is_nothing(cell: str) -> None:
    assert decimals(column(cell), "vietnamese").to_pylist() == [None]


FORMATS = ["%Y%m%d%H%M%S", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S"]


@given(st.sampled_from(FORMATS), st.lists(st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31))), max_size=20))
def test_moments_are_read_back_in_every_format(written: str, times: list[datetime | None]) -> None:
    whole = [time and time.replace(microsecond=0) for time in times]
    cells = [time and time.strftime(written) for time in whole]
    assert moments(column(*cells), written).to_pylist() == whole


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_day_or_month_of_one_digit_is_still_day_first(day: date) -> None:
    cell = f"{day.day}/{day.month}/{day.year}"
    assert typed(column(cell), "date", date_format="%d/%m/%Y").to_pylist() == [day]


@pytest.mark.parametrize(
    "cell",
    ["31/02/2024", "29/02/2023", "32/01/2024", "00/01/2024", "01/13/2024", "01/01/22023", "22023", "01-01-2024", "1/1/24", "٠١/٠١/٢٠٢٤"],
)
def test_a_day_that_does_not_exist_is_nothing(cell: str) -> None:
    assert typed(column(cell), "date", date_format="%d/%m/%Y").to_pylist() == [None]


@pytest.mark.parametrize("cell", ["20240101240000", "20240101126000", "2024010112000", "20240101 120000", "202401011200000"])
def test_an_hour_that_does_not_exist_is_nothing(cell: str) -> None:
    assert moments(column(cell), "%Y%m%d%H%M%S").to_pylist() == [None]


def test_a_month_is_its_first_day() -> None:
    assert typed(column("05/2024"), "date", date_format="%m/%Y").to_pylist() == [date(2024, 5, 1)]


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_milliseconds_since_1970_become_local_time(moment: datetime) -> None:
    milliseconds = int(moment.replace(tzinfo=UTC).timestamp()) * 1000 + 999
    assert moments(column(str(milliseconds)), "epoch_ms").to_pylist() == [moment.replace(microsecond=0) + timedelta(hours=7)]


@pytest.mark.parametrize(
    "cell", ["1672315843", "1672315843986000", "-1672315843986", "0"], ids=["seconds", "microseconds", "before", "zero"]
)
def test_what_cannot_be_milliseconds_is_no_moment(cell: str) -> None:
    assert moments(column(cell), "epoch_ms").to_pylist() == [None]


@pytest.mark.parametrize(
    ("cell", "normal"),
    [
        ("2024", "2024"), ("Năm 2024", "2024"), ("Quý I/2024", "2024-Q1"), ("Quý 4/2024", "2024-Q4"), ("quý iii-2024", "2024-Q3"),
        ("Q1/2024", "2024-Q1"),
        ("2024-Q1", "2024-Q1"), ("03/2024", "2024-03"), ("3/2024", "2024-03"), ("Tháng 12/2024", "2024-12"), ("2024-03", "2024-03"),
        ("13/2024", None), ("Quý V/2024", None), ("2024-13", None), ("24", None), ("2024-3", None),
    ],
)  # fmt: skip
def test_a_period_is_read_however_offices_write_it(cell: str, normal: str | None) -> None:
    assert period(cell) == normal
    assert typed(column(cell), "period").to_pylist() == [normal]


def test_booleans_are_one_and_zero_only() -> None:
    assert booleans(column("1", "0", "true", "2", None)).to_pylist() == [True, False, None, None, None]


def test_text_is_composed_trimmed_and_single_spaced() -> None:
    assert clean(column(" Ngo\u0323c\u00a0 Phụng\r\n", "a\t b", "a b"), [""]).to_pylist() == ["Ngọc Phụng", "a b", "a b"]


def test_only_what_the_layout_calls_missing_is_missing() -> None:
    assert clean(column("NA", "NULL", "-", "", "  ", None), [""]).to_pylist() == ["NA", "NULL", "-", None, None, None]
    assert clean(column("NA", "NULL", " - ", ""), ["", "-"]).to_pylist() == ["NA", "NULL", None, None]


def test_an_empty_text_is_a_value_where_the_file_has_its_own_missing() -> None:
    assert clean(column("", None), []).to_pylist() == ["", None]


@given(st.lists(st.text(max_size=8), max_size=12))
def test_cleaning_twice_is_cleaning_once(cells: list[str]) -> None:
    once = clean(column(*cells), [""])
    assert clean(once, [""]).to_pylist() == once.to_pylist()


def test_a_value_without_a_translation_stays_for_the_rules_to_judge() -> None:
    assert mapped(column("Đang xử lý", "lạ", None), {"Đang xử lý": "4"}).to_pylist() == ["4", "lạ", None]


KINDS: list[tuple[str, dict[str, Any]]] = [
    ("text", {}), ("integer", {}), ("integer", {"numbers": "vietnamese"}),
    ("integer", {"numbers": "decimal_point", "scale": 100}),
    ("decimal", {"numbers": "vietnamese"}), ("decimal", {"numbers": "decimal_point"}), ("boolean", {}),
    ("date", {"date_format": "%d/%m/%Y"}),
    ("timestamp", {"date_format": "%Y%m%d%H%M%S"}), ("timestamp", {"date_format": "epoch_ms"}), ("period", {}),
]  # fmt: skip


@given(st.sampled_from(KINDS), st.lists(st.one_of(st.none(), st.text(max_size=16), st.text("0123456789.,-/ ", max_size=16)), max_size=12))
def test_any_text_whatsoever_is_typed_or_nothing_cell_by_cell(kind: tuple[str, dict[str, Any]], cells: list[str | None]) -> None:
    name, options = kind
    whole = typed(column(*cells), name, **options).to_pylist()
    assert whole == [typed(column(cell), name, **options)[0].as_py() for cell in cells]


@pytest.mark.parametrize(
    ("born", "issued", "expected"),
    [
        ("17/05/2008", date(2024, 3, 1), date(2026, 5, 1)),  # turns 18 on 17 May 2026: at the end of that month she is
        ("31/12/2006", date(2024, 12, 30), date(2024, 12, 30)),  # turns 18 a day after the issue: the month's end is enough
        ("01/01/1980", date(2024, 3, 1), date(2024, 3, 1)),  # was of age already: no more is kept than that
        ("29/02/2008", date(2024, 3, 1), date(2026, 2, 1)),
        ("2008", date(2024, 3, 1), date(2026, 1, 1)),  # of the year alone: nobody is known to be a minor once it has begun
        ("1990", date(2024, 3, 1), date(2024, 3, 1)),
        ("1890", date(2024, 3, 1), None),
        ("31/02/2008", date(2024, 3, 1), None),
        ("5/2008", date(2024, 3, 1), None),
        (None, date(2024, 3, 1), None),
        ("17/05/2008", None, None),
    ],
)
def test_of_a_birth_only_the_month_of_coming_of_age_is_kept_where_it_still_matters(
    born: str | None, issued: date | None, expected: date | None
) -> None:
    assert of_age(births(column(born), "%d/%m/%Y"), pa.array([issued], pa.date32())).to_pylist() == [expected]
