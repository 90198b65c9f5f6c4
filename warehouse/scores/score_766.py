"""The score of decision 766: a pure engine over its rules. Counts in, scores out; it knows no database.

Scores are worked out in hundredths, as integers, so that half-up is exact; only the payment components run in
binary floating point, because the portal does and the last digit depends on it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from warehouse.scores.rules_766 import Component, Rules

NONE = -1
"""Stands for "no score" among hundredths."""


def evaluate(rules: Rules, counts: pd.DataFrame, *, above_maximum: bool = False) -> pd.DataFrame:
    """Adds group_code, ratio, score, max_score and obs_status to counts per component, and group_ratio where that is its group's too.

    `counts` has component_code, numerator and denominator, and may have level (of the unit), printed and printed_ratio (of a
    component the portal prints without counts) and quality (P provisional, L no data). NaN is "no value", never 0. With
    `above_maximum` a component may earn more than its maximum where the portal leaves it open.
    """
    parts = []
    for group_code, group in rules.groups.items():
        for code, component in group.components.items():
            cap = component.cap == "shown" or not above_maximum
            part = _evaluate_component(component, counts[counts["component_code"] == code], cap)
            parts.append(part.assign(group_code=group_code, group_ratio=part["ratio"] if group.ratio == "counts" else np.nan))
    return pd.concat(parts).sort_index()


def totals(scored: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Group totals of evaluated components: the sum of the rounded parts over the sum of the maxima that apply.

    Its ratio is the share of the maximum, or `group_ratio` where there is one. A part without a score counts as nothing and
    keeps its maximum; a group without any score has no total.
    """
    frame = scored.assign(
        score=(scored["score"] * 100).round(),
        provisional=scored["obs_status"].eq("P"),
        counted=scored["score"].notna(),
        missing=scored["obs_status"].eq("L"),
    )
    grouped = frame.groupby([*keys, "group_code"], sort=False, dropna=False)
    total = grouped.agg(
        score=("score", "sum"),
        max_score=("max_score", "sum"),
        provisional=("provisional", "max"),
        counted=("counted", "sum"),
        missing=("missing", "sum"),
        group_ratio=("group_ratio", "first"),
    ).reset_index()
    hundredths = total["score"].to_numpy().astype(np.int64)
    maximum = total["max_score"].to_numpy().astype(np.int64)
    empty = (total["counted"].to_numpy() == 0) | (maximum == 0)
    total["score"] = np.where(empty, np.nan, hundredths / 100)
    of_points = _half_up(hundredths * 100, np.where(maximum == 0, 1, maximum)) / 100
    total["ratio"] = np.where(empty, np.nan, total["group_ratio"].fillna(pd.Series(of_points)))
    total["obs_status"] = np.where(empty, np.where(total["missing"] > 0, "L", "M"), np.where(total["provisional"], "P", "A"))
    return total.drop(columns=["provisional", "counted", "missing", "group_ratio"])


def _evaluate_component(component: Component, counts: pd.DataFrame, cap: bool) -> pd.DataFrame:
    known = (counts["numerator"].notna() & counts["denominator"].notna()).to_numpy()
    numerator = counts["numerator"].fillna(0).to_numpy(dtype=np.int64)
    denominator = counts["denominator"].fillna(0).to_numpy(dtype=np.int64)
    cases = known & (denominator > 0)
    divisor = np.where(cases, denominator, 1)
    percentage = _half_up(numerator * 10_000, divisor)

    points = (
        _binary(percentage, component)
        if component.percentage == "rounded_binary"
        else _half_up(component.max * 10_000 * numerator, divisor * component.full_at)
    )
    if cap:
        points = np.minimum(points, component.max * 100)
    without = {"none": NONE, "zero": 0, "full": component.max * 100}[component.no_cases]
    points = np.where(cases, points, np.where(known, without, NONE))
    score = np.where(points == NONE, np.nan, points / 100)
    no_ratio = ~known | (~cases & (component.no_cases == "none"))
    ratio = np.where(no_ratio, np.nan, np.where(cases, percentage, 0) / 100)
    if component.portal_constant:
        score = counts["printed"].to_numpy(dtype=float) if "printed" in counts else score
        ratio = counts["printed_ratio"].to_numpy(dtype=float) if "printed_ratio" in counts else ratio

    applies = ~counts["level"].isin(component.not_for).to_numpy() if "level" in counts else np.ones(len(counts), dtype=bool)
    status = np.where(np.isnan(score), np.where(known, "M", "L"), "A")
    if "quality" in counts:
        status = np.where(counts["quality"].notna(), counts["quality"], status)
    return counts.assign(
        ratio=np.where(applies, ratio, np.nan),
        score=np.where(applies, score, np.nan),
        max_score=np.where(applies, component.max, np.nan),
        obs_status=np.where(applies, status, "M"),
    )


def _half_up(dividend: NDArray[np.int64], divisor: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole quotient of non-negative integers, halves up."""
    return (2 * dividend + divisor) // (2 * divisor)


def _binary(percentage: NDArray[np.int64], component: Component) -> NDArray[np.int64]:
    """Points in hundredths from a rounded percentage, as binary floating point makes them (65.75 × 6 / 100 is below 3.945)."""
    different, place = np.unique(percentage, return_inverse=True)
    doubles = different / 100 * component.max / component.full_at
    exact = [int(Decimal(double).quantize(Decimal("0.01"), ROUND_HALF_UP) * 100) for double in doubles.tolist()]
    return np.array(exact, dtype=np.int64)[place]
