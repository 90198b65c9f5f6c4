"""Sums that a reader would question: how far from what is usual, and what counts as a factor of 10, 100 or 1.000."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contract import Limits, Ratio, Total, contract, feeds
from tasks.load.ratios import DISTINCT_KEPT, Distinct
from tasks.validate.ratios import Part, factor, how_far, in_words, judge
from warehouse.tables import metadata

FOUND_BESIDE = {"payments": {"bill_amount_vnd"}}
"""What the loader finds beside the columns of the contract and of the table."""
AMOUNT = Ratio(of=Total(sum="amount_vnd"), per=Total(rows=True), unit_vi="đồng/hóa đơn")
DOUBLE = Limits(ratio="amount", min_ratio=0.5, max_ratio=2)
AT_FACTORS = Limits(ratio="amount")


@pytest.mark.parametrize(
    ("times", "named"),
    [
        *((10, 10), (8, 10), (12.5, 10), (100, 100), (1000, 1000), (0.1, -10), (0.01, -100), (0.00125, -1000), (0.001, -1000)),
        *((1, None), (2, None), (7.9, None), (12.6, None), (50, None), (0.5, None), (0.02, None), (5000, None)),
    ],
)
def test_a_quarter_more_or_less_than_a_factor_is_the_factor(times: float, named: int | None) -> None:
    assert factor(times, AT_FACTORS) == named


@given(st.sampled_from([10, 100, 1000]), st.floats(0.81, 1.24))
def test_a_factor_is_found_from_both_sides(known: int, off: float) -> None:
    assert factor(known * off, AT_FACTORS) == known
    assert factor(1 / (known * off), AT_FACTORS) == -known


@given(st.floats(0.13, 7.9))
def test_what_is_less_than_eight_times_as_much_or_as_little_is_no_factor(times: float) -> None:
    assert factor(times, AT_FACTORS) is None


@given(st.floats(1e-6, 1e6))
def test_the_distance_is_told_in_one_way_only(times: float) -> None:
    words = how_far(times, AT_FACTORS)
    assert ("khoảng" in words) is (factor(times, AT_FACTORS) is not None)
    assert words.startswith("gấp" if times >= 1 else "chỉ bằng")


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (100.9, "gấp khoảng 100 lần"),
        (0.00101, "chỉ bằng khoảng 1/1.000"),
        (1.024, "gấp 1,02 lần"),
        (2.14, "gấp 2,1 lần"),
        (5000, "gấp 5.000 lần"),
        (0.4, "chỉ bằng 1/2,5"),
        (0.02, "chỉ bằng 1/50"),
        (0, "bằng không"),
    ],
)
def test_the_distance_in_words(times: float, words: str) -> None:
    assert how_far(times, AT_FACTORS) == words


@pytest.mark.parametrize(("value", "holds"), [(100, True), (200, True), (201, False), (50, True), (49, False), (1000, False), (0, False)])
def test_a_rule_with_a_band_judges_by_the_band(value: float, holds: bool) -> None:
    assert judge(DOUBLE, Part("", 50, value * 50, 50), 100).holds is holds


@pytest.mark.parametrize(("value", "holds"), [(100, True), (300, True), (1000, False), (10, False), (5000, True)])
def test_a_rule_without_a_band_judges_by_the_factors(value: float, holds: bool) -> None:
    assert judge(AT_FACTORS, Part("", 50, value * 50, 50), 100).holds is holds


@pytest.mark.parametrize(("rows", "usual"), [(49, 100.0), (50, None), (50, 0.0)])
def test_few_rows_or_nothing_usual_are_not_judged(rows: int, usual: float | None) -> None:
    judged = judge(AT_FACTORS, Part("", rows, 10_000 * rows, rows), usual)
    assert judged.holds
    assert in_words(AMOUNT, AT_FACTORS, [judged], {}) == "bình quân 10.000 đồng/hóa đơn, chưa đủ số liệu để so"


def test_what_came_and_what_was_usual_stand_side_by_side_the_worst_first() -> None:
    came = {"1": 245_310, "2": 50_000, "3": 200_000, "4": 100_000, "5": 90_000}
    judged = [judge(DOUBLE, Part(key, 60, amount * 60, 60), 2_431 if key == "1" else 10_000) for key, amount in came.items()]
    names = {"1": "Điện", "3": "Nước", "4": "Rác"}
    assert in_words(AMOUNT, DOUBLE, judged, names) == (
        "Điện: bình quân 245.310 đồng/hóa đơn, các lần trước 2.431: gấp khoảng 100 lần, có thể sai đơn vị tính; "
        "Nước: bình quân 200.000 đồng/hóa đơn, các lần trước 10.000: gấp 20 lần; "
        "Rác: bình quân 100.000 đồng/hóa đơn, các lần trước 10.000: gấp khoảng 10 lần, có thể sai đơn vị tính; và 2 nơi khác"
    )


def test_what_holds_is_told_without_a_distance() -> None:
    assert in_words(AMOUNT, DOUBLE, [judge(DOUBLE, Part("", 50, 5_500, 50), 100)], {}) == "bình quân 110 đồng/hóa đơn, các lần trước 100"
    assert in_words(AMOUNT, DOUBLE, [], {}) == "không có gì để so"


@pytest.mark.parametrize("different", [0, 1, 5_000, DISTINCT_KEPT - 1, 300_000])
def test_different_values_are_counted_exactly_while_few_and_closely_when_many_however_they_come(different: int) -> None:
    hashes = np.random.default_rng(4).integers(0, 2**64, different, dtype=np.uint64)
    counted = Distinct()
    for part in np.array_split(np.concatenate([hashes, hashes[: different // 2]]), 7):
        counted.add(part)
    assert counted.total == (different if different < DISTINCT_KEPT else pytest.approx(different, rel=0.02))


@pytest.mark.parametrize(("feed", "name"), [(feed, name) for feed in feeds() for name in contract(feed).ratios])
def test_a_ratio_looks_at_columns_that_there_are(feed: str, name: str) -> None:
    terms = contract(feed)
    there = {*terms.schema.names, *metadata.tables[f"warehouse.{terms.table}"].c.keys()} | FOUND_BESIDE.get(feed, set())
    assert set(terms.ratios[name].columns) <= there


@pytest.mark.parametrize("side", [{}, {"rows": True, "sum": "amount_vnd"}])
def test_a_side_of_a_ratio_says_one_thing(side: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="give one of"):
        Total(**side)  # type: ignore[arg-type]
