"""Keys are kept in the warehouse: they must come out the same in every version and on every machine."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tasks.words.keys import code_hash, row_hash, row_key, scoped

CODES = pa.array(["HD-1", "HD-2", "Hóa đơn"])


def test_keys_are_those_that_were_stored() -> None:
    assert row_key("evn", [CODES]).to_pylist() == [-2373468433828048594, -3393619278191583329, 671708914316377653]
    table = pa.table({"a": pa.array([0, None, 1]), "b": pa.array(["", None, "x"])})
    assert row_hash(table).to_pylist() == [3660213935634459915, 0, 7916010288020686424]


def test_content_is_known_by_the_names_of_its_columns_not_by_their_place_or_number() -> None:
    table = pa.table({"a": pa.array([0, 1]), "b": pa.array(["x", None])})
    moved = table.select(["b", "a"]).append_column("c", pa.nulls(2, pa.string()))
    assert row_hash(moved) == row_hash(table)
    assert row_hash(table.rename_columns(["b", "a"])) != row_hash(table)


def test_the_same_code_of_two_providers_has_two_keys() -> None:
    assert row_key("evn", [CODES]) != row_key("nuoc", [CODES])


def test_a_key_can_be_made_in_two_steps_when_the_provider_is_found_later() -> None:
    assert scoped("evn", code_hash([CODES])) == row_key("evn", [CODES])


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    left, right = pa.array(["1", "11"]), pa.array(["11", "1"])
    first, second = row_key("x", [left, right]).to_pylist()
    assert first != second


def test_a_column_in_chunks_has_the_keys_of_the_whole() -> None:
    assert row_key("evn", [pa.chunked_array([CODES[:1], CODES[1:]])]) == row_key("evn", [CODES])


def test_content_with_a_value_differs_from_content_without() -> None:
    for values in ([0, None], ["", None], [False, None], [date(1970, 1, 1), None], [datetime(1970, 1, 1), None]):
        with_value, without = row_hash(pa.table({"x": values})).to_pylist()
        assert with_value != without


def test_a_value_in_another_column_is_other_content() -> None:
    first, second = row_hash(pa.table({"a": ["x", None], "b": [None, "x"]})).to_pylist()
    assert first != second


@given(st.lists(st.text(), min_size=1), st.integers(1, 5))
def test_repeated_and_single_texts_hash_alike(texts: list[str], times: int) -> None:
    once = row_hash(pa.table({"x": texts})).to_pylist()
    assert row_hash(pa.table({"x": texts * times})).to_pylist() == once * times
