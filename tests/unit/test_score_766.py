"""The engine of decision 766: rounding, empty denominators, caps, levels and totals."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.scores.on_time import OnTime, on_time
from warehouse.scores.rules_766 import Component, Group, Rules, rules_on
from warehouse.scores.score_766 import evaluate, totals

RULES = rules_on(date(2024, 3, 1))


def score(component: str, numerator: int | None, denominator: int | None, **given: object) -> float:
    frame = pd.DataFrame(
        {"component_code": [component], "numerator": [numerator], "denominator": [denominator], **{k: [v] for k, v in given.items()}}
    )
    return float(evaluate(RULES, frame)["score"].iloc[0])


@pytest.mark.parametrize(
    ("component", "numerator", "denominator", "points"),
    [
        ("SO_HOA_GIAY_TO_GIAI_QUYET", 1, 32, 0.13),  # a tie goes up, not to even
        ("REUSED_DIGITIZED_DATA", 28, 1274, 0.05),  # the percentage is not rounded first …
        ("ORIGINAL_RESULT_AVAILABLE", 133609, 184503, 4.34),
        ("PAID_DOSSIERS", 6575, 10000, 3.94),  # … but here it is, and binary floating point ends below the tie
        ("PROCEDURES_PAID_ONLINE", 9, 10, 2),  # capped
        ("FEE_PROCEDURES_WITH_DOSSIERS", 4, 4, 2),  # not 2,50: the portal leaves it open, and no more than the maximum can be earned
        ("ONLINE_SERVICES", 52, 56, 2),
        ("DOSSIER_RECEIVING_SATISFACTION", 9, 10, 6),
    ],
)
def test_each_component_rounds_in_its_own_way(component: str, numerator: int, denominator: int, points: float) -> None:
    assert score(component, numerator, denominator) == points


def test_no_cases_and_no_data_are_two_things() -> None:
    frame = pd.DataFrame({"component_code": ["REUSED_DIGITIZED_DATA"] * 2, "numerator": [0, None], "denominator": [0, None]})
    scored = evaluate(RULES, frame)
    assert scored["score"].isna().all()
    assert scored["obs_status"].tolist() == ["M", "L"]


def test_a_provisional_denominator_makes_score_and_total_provisional() -> None:
    frame = pd.DataFrame(
        {"component_code": ["DOSSIER_SYNC", "PUBLIC_CONTENT_FULL"], "numerator": [5, 87], "denominator": [5, 89], "quality": ["P", None]}
    )
    scored = evaluate(RULES, frame).assign(unit="x")
    assert scored["obs_status"].tolist() == ["P", "A"]
    assert totals(scored, ["unit"])["obs_status"].tolist() == ["P"]


def test_a_component_that_does_not_apply_to_a_level_takes_its_maximum_away() -> None:
    rules = Rules(
        name_vi="x", legal_source="x", valid_from=date(2024, 1, 1), valid_to=date(2024, 12, 31), in_time="decision_766",
        groups={"G": Group(name_vi="g", max=6, components={
            "A": Component(name_vi="a", max=4), "B": Component(name_vi="b", max=2, not_for=["commune"])})},
    )  # fmt: skip
    frame = pd.DataFrame(
        [("commune", "A", 1, 2), ("commune", "B", 1, 2), ("province", "A", 1, 2), ("province", "B", 1, 2)],
        columns=["level", "component_code", "numerator", "denominator"],
    )
    scored = evaluate(rules, frame)
    assert scored["obs_status"].tolist() == ["A", "M", "A", "A"]
    total = totals(scored, ["level"]).set_index("level")
    assert total.loc["commune", ["score", "max_score", "ratio"]].tolist() == [2, 4, 50]
    assert total.loc["province", ["score", "max_score", "ratio"]].tolist() == [3, 6, 50]


def test_a_group_without_any_score_has_no_total() -> None:
    frame = pd.DataFrame({"unit": ["x"], "component_code": ["ORIGINAL_RESULT_AVAILABLE"], "numerator": [0], "denominator": [0]})
    total = totals(evaluate(RULES, frame), ["unit"])
    assert total["score"].isna().all()
    assert total["obs_status"].tolist() == ["M"]


@pytest.mark.parametrize("code", RULES.components)
def test_no_component_earns_more_than_its_maximum(code: str) -> None:
    assert score(code, 3, 2) == RULES.components[code].max


def test_a_score_in_another_decision_is_refused_and_maxima_must_add_up() -> None:
    with pytest.raises(LookupError, match="2020-01-01"):
        rules_on(date(2020, 1, 1))
    with pytest.raises(ValueError, match="add up"):
        Group(name_vi="g", max=7, components={"A": Component(name_vi="a", max=6)})
    assert sum(group.max for group in RULES.groups.values()) == 100


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(1, 2_000_000)), min_size=1, max_size=200))
def test_exact_components_round_half_up_like_fractions(counts: list[tuple[int, int]]) -> None:
    counts = [(min(pair), max(pair)) for pair in counts]
    frame = pd.DataFrame(counts, columns=["numerator", "denominator"]).assign(component_code="SO_HOA_GIAY_TO_GIAI_QUYET")
    expected = [(Decimal(4 * n) / Decimal(d)).quantize(Decimal("0.01"), ROUND_HALF_UP) for n, d in counts]
    assert [Decimal(str(points)).quantize(Decimal("0.01")) for points in evaluate(RULES, frame)["score"]] == expected


def test_versions_of_a_rule_of_in_time_stand_in_the_order_in_which_they_hold() -> None:
    (version,) = on_time("form_06a").versions
    later = version.model_copy(update={"valid_from": date(2026, 1, 1)})
    rule = OnTime(versions=(version, later))
    assert [rule.holding(day).valid_from for day in (date(2019, 1, 1), date(2025, 12, 31), date(2026, 1, 1))] == [
        version.valid_from, version.valid_from, later.valid_from
    ]  # fmt: skip
    with pytest.raises(ValueError, match="does not begin after"):
        OnTime(versions=(later, version))


@pytest.mark.parametrize("name", ["form_06a", "decision_766", "vendor"])
def test_every_rule_of_in_time_says_where_it_is_laid_down(name: str) -> None:
    for version in on_time(name).versions:
        assert all(one.legal_source for one in (version, *version.set_aside.values()))
    assert "{" not in on_time(name).in_time_at("now()")
