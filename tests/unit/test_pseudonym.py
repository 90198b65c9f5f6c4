"""A pseudonym counts a person once and does not give the person away."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.read.pseudonym import pseudonym, pseudonyms

KEY = b"a key of the test"


def test_it_is_the_first_128_bits_of_hmac_sha_256() -> None:
    # What `printf HITHERE | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b…` (twenty 0b) prints first:
    assert pseudonym("Hi There", b"\x0b" * 20) == "0d7b9a1e02cb675f296fe5748bbc8a10"


@pytest.mark.parametrize("written", ["038085001234", " 038 085 001 234", "038.085.001-234", "'038085001234", "０３８０８５００１２３４"])
def test_the_same_paper_written_otherwise_is_the_same_person(written: str) -> None:
    assert pseudonym(written, KEY) == pseudonym("038085001234", KEY)


def test_letters_of_a_passport_or_customer_number_count_but_not_their_case() -> None:
    assert pseudonym("b1234567", KEY) == pseudonym("B1234567", KEY)
    assert pseudonym("B1234567", KEY) != pseudonym("1234567", KEY)


def test_another_key_gives_another_pseudonym() -> None:
    assert pseudonym("038085001234", KEY) != pseudonym("038085001234", KEY + b"!")


def test_nothing_is_left_of_a_cell_without_letters_and_digits() -> None:
    assert pseudonym(" - ", KEY) is None


@given(st.lists(st.one_of(st.none(), st.sampled_from(["038085001234", "038085001235", "-"])), max_size=20))
def test_a_column_has_the_pseudonyms_of_its_cells(cells: list[str | None]) -> None:
    expected = [None if cell is None else pseudonym(cell, KEY) for cell in cells]
    assert pseudonyms(pa.array(cells, pa.string()), KEY).to_pylist() == expected


@given(st.binary(min_size=1, max_size=100), st.text(min_size=1, max_size=20))
def test_a_column_is_hashed_as_a_single_value_is_whatever_the_key(key: bytes, value: str) -> None:
    assert pseudonyms(pa.array([value]), key).to_pylist() == [pseudonym(value, key)]
