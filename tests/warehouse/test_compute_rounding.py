"""A rate is rounded half up, once, at the printed number of decimals."""

from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from tasks.indicators.candidates import rounded_half_up

COUNTS = st.integers(0, 10**15)
CASES = st.lists(st.tuples(COUNTS, st.integers(1, 10**15), st.integers(0, 4)), min_size=100, max_size=200)
QUERY = f"""
    SELECT {rounded_half_up("n", "d", "k")}
    FROM unnest(CAST(:n AS bigint[]), CAST(:d AS bigint[]), CAST(:k AS integer[])) WITH ORDINALITY AS c (n, d, k, place) ORDER BY place
"""


def rounded(engine: Engine, cases: list[tuple[int, int, int]]) -> list[Decimal]:
    with engine.connect() as connection:
        return list(connection.scalars(text(QUERY), {"n": [c[0] for c in cases], "d": [c[1] for c in cases], "k": [c[2] for c in cases]}))


def by_hand(numerator: int, denominator: int, decimals: int) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return (Decimal(100 * numerator) / denominator).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=CASES)
def test_any_rate_is_rounded_as_decimal_arithmetic_does(engine: Engine, cases: list[tuple[int, int, int]]) -> None:
    assert rounded(engine, cases) == [by_hand(*case) for case in cases]


@pytest.mark.parametrize(
    ("numerator", "denominator", "decimals", "printed"),
    [
        (2660, 3798, 1, "70.0"),  # the article prints 70,2
        (4795, 5205, 1, "92.1"),
        (4575, 5648, 1, "81.0"),
        (1195, 1442, 1, "82.9"),
        (247, 1442, 1, "17.1"),
        (1, 8, 0, "13"),  # 12,5: half goes up
        (1, 8, 1, "12.5"),
        (1, 2000, 1, "0.1"),  # 0,05
        (1, 2001, 1, "0.0"),  # 0,04998: once; by way of two decimals it would have become 0,1
        (449999999999999, 10**15, 0, "45"),  # 44,9999999999999
        (444999999999999, 10**15, 0, "44"),  # 44,4999999999999
    ],
)
def test_a_rate_is_rounded_half_up_once(engine: Engine, numerator: int, denominator: int, decimals: int, printed: str) -> None:
    assert [str(value) for value in rounded(engine, [(numerator, denominator, decimals)])] == [printed]
