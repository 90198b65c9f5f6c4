"""A value that a province signed is the one that its counts come to, however large they are."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, cast

import pyarrow as pa
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tasks.load.editions import miscounted
from warehouse.indicators import in_force, indicators
from warehouse.periods import days

COUNTS = st.integers(0, 10**15)
"""As far as the contract lets them through."""
RATES = sorted(i.code for i in indicators() if not i.is_count and i.version == 1)


def is_wrong(code: str, numerator: int, denominator: int | None, value: Decimal) -> bool:
    told = {
        "indicator_code": pa.array([code], pa.string()),
        "definition_version": pa.array([1], pa.int64()),
        "numerator": pa.array([numerator], pa.int64()),
        "denominator": pa.array([denominator], pa.int64()),
        "value": pa.array([value], pa.decimal128(18, 4)),
    }
    (found,) = miscounted(cast("Any", None), pa.table(told), {}, cast("Any", None))
    return bool(found)


@given(st.sampled_from(RATES), COUNTS, st.integers(1, 10**15))
@example("CQ4", 1, 2000)  # 0,05 % is 0,1 %
@example("CQ4", 4 * 10**12 + 1, 8 * 10**15)
def test_a_rate_is_rounded_half_up_once_and_any_other_is_wrong(code: str, numerator: int, denominator: int) -> None:
    indicator = in_force(code, days("2024")[1])
    assert indicator is not None
    last_place = Decimal(1).scaleb(-indicator.decimals)
    with localcontext() as exact:
        exact.prec = 80
        rate = (Decimal(100 * numerator) / denominator).quantize(last_place, ROUND_HALF_UP)
    assume(rate < 10**13)
    assert not is_wrong(code, numerator, denominator, rate)
    assert is_wrong(code, numerator, denominator, rate + last_place)


@given(st.integers(0, 10**13))
def test_a_count_is_its_own_value(numerator: int) -> None:
    assert not is_wrong("ST2", numerator, None, Decimal(numerator))
    assert is_wrong("ST2", numerator, None, Decimal(numerator + 1))


def test_nothing_over_nothing_has_no_rate() -> None:
    assert is_wrong("CQ4", 0, 0, Decimal(0))
