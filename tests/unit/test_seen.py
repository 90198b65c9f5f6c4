"""Rows that repeat, contradict or speak for others are told alike, however a file falls into chunks and whatever is kept on the disk."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contract import ROW_NUMBER, contract
from tasks.validate import seen
from tasks.validate.seen import Beside, Seen

PAYMENTS = contract("payments")
Row = tuple[str, str, int]
"""Transaction, state, amount."""


RANKS = {"cancelled": 2, "settled": 1, "pending": 0}


def rows(*said: Row) -> pa.Table:
    whole = [{"transaction_code": code, "status_code": status, "amount_vnd": amount} for code, status, amount in said]
    return pa.Table.from_pylist([{ROW_NUMBER: n, **row} for n, row in enumerate(whole)], schema=PAYMENTS.schema)


def told(beside: Beside) -> list[str]:
    """What is told of each row, in a word."""
    words = {name: getattr(beside, name).tolist() for name in ("same", "spoken_for", "contradicting", "late")}
    return ["+".join(name for name in words if words[name][place]) or "stays" for place in range(len(beside.same))]


def expected(chunks: list[list[Row]]) -> list[list[str]]:
    """The same by going through the rows one by one; what is cancelled speaks before all, what is pending after all."""
    accepted: dict[str, Row] = {}
    found = []
    for chunk in chunks:
        before, words = dict(accepted), []
        told_now = [*chunk, *before.values()]
        for row in chunk:
            code, status, _ = row
            first: Any = accepted.get(code)
            speaks = max(RANKS[told] for other, told, _ in told_now if other == code)
            if RANKS[status] < speaks:
                words.append("spoken_for")
            elif first is not None and first[1] == status:
                words.append("same" if first == row else "contradicting")
            else:
                accepted[code] = row
                words.append("late" if code in before else "stays")
        found.append(words)
    return found


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("ABCDEFGH"), st.sampled_from([*RANKS]), st.integers(1, 2)), max_size=8),
        min_size=1,
        max_size=9,
    ),
    st.sampled_from([2, 4, 1 << 21]),
)
@settings(max_examples=200)
def test_each_row_is_told_what_going_through_them_one_by_one_tells(chunks: list[list[Row]], longest: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, "LONGEST", longest)
        kept = Seen(PAYMENTS)
        kept.is_kept = True
        assert [told(kept.beside_others(rows(*chunk))) for chunk in chunks] == expected(chunks)
