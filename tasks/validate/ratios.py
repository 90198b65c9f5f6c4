"""Sums that a reader would question: whether a ratio is near what is usual, and in words how far from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from expectations.contract import Limits, Ratio
from tasks.words.vietnamese import number

TOLD = 3
"""Parts of a delivery that are told in words, those furthest from what is usual first."""


@dataclass(frozen=True)
class Part:
    """What a ratio comes to in one part of a delivery: a service, a unit, or all of it."""

    key: str
    """What it is told apart by; empty where the ratio takes the delivery as a whole."""
    rows: int
    of: float
    per: float

    @property
    def value(self) -> float:
        """The ratio."""
        return self.of / self.per

    def is_judged(self, limits: Limits) -> bool:
        """Whether it rests on enough to be judged."""
        return self.rows >= limits.rows_at_least and self.per >= limits.per_at_least


@dataclass(frozen=True)
class Judged:
    """What a rule says of one part."""

    part: Part
    usual: float | None
    """Nothing where it is not known."""
    holds: bool = True

    @property
    def times(self) -> float:
        """How many times what is usual it is; 1 where that is not known."""
        return self.part.value / self.usual if self.usual else 1.0

    @property
    def distance(self) -> float:
        """How far it is from what is usual, upwards or downwards."""
        return max(self.times, 1 / self.times) if self.times else float("inf")


def judge(limits: Limits, part: Part, usual: float | None) -> Judged:
    """Judges one part by what is usual, where that is known and the part rests on enough."""
    if not usual or not part.is_judged(limits):
        return Judged(part, None)
    times = part.value / usual
    if limits.min_ratio is None and limits.max_ratio is None:
        return Judged(part, usual, factor(times, limits) is None)
    too_little = limits.min_ratio is not None and times < limits.min_ratio
    too_much = limits.max_ratio is not None and times > limits.max_ratio
    return Judged(part, usual, not (too_little or too_much))


def factor(times: float, limits: Limits) -> int | None:
    """The factor at which a number stands, near enough: 100 for a hundred times, -100 for a hundredth; else nothing."""
    for known in limits.factors:
        for told, far in ((known, times / known), (-known, times * known)):
            if 1 / (1 + limits.tolerance) <= far <= 1 + limits.tolerance:
                return told
    return None


def how_far(times: float, limits: Limits) -> str:
    """How many times what is usual, in words; a factor of 10, 100 or 1.000 is named as such."""
    near = factor(times, limits)
    if near is not None:
        return f"gấp khoảng {number(near)} lần" if near > 0 else f"chỉ bằng khoảng 1/{number(-near)}"
    if not times:
        return "bằng không"
    far = max(times, 1 / times)
    written = number(Decimal(far), 2 if far < 2 else 1 if far < 10 else 0)
    return f"gấp {written} lần" if times >= 1 else f"chỉ bằng 1/{written}"


def furthest(limits: Limits, judged: Sequence[Judged]) -> list[Judged]:
    """The parts that do not hold, or all where all do, those first that are furthest from what is usual, or from the most there may be."""
    is_bounded = limits.min_ratio is None and limits.max_ratio is not None
    return sorted(
        [one for one in judged if not one.holds] or judged, key=lambda one: one.times if is_bounded else one.distance, reverse=True
    )


def in_words(ratio: Ratio, limits: Limits, judged: Sequence[Judged], names: dict[str, str]) -> str:
    """What was observed, those parts first that are furthest from what is usual; `names`: key of a part → how people call it."""
    told = furthest(limits, judged)
    words = "; ".join(_of_part(ratio, limits, one, names.get(one.part.key, "")) for one in told[:TOLD])
    more = len(told) - TOLD
    return f"{words}; và {number(more)} nơi khác" if more > 0 else words or "không có gì để so"


def _of_part(ratio: Ratio, limits: Limits, one: Judged, name: str) -> str:
    came = f"{name}: " if name else ""
    came += f"bình quân {number(Decimal(one.part.value), ratio.decimals)} {ratio.unit_vi}"
    if one.usual is None:
        return f"{came}, chưa đủ số liệu để so"
    if limits.usual is None:
        beside = f"các lần trước {number(Decimal(one.usual), ratio.decimals)}"
    elif limits.min_ratio is None and limits.max_ratio is not None:
        beside = f"nhiều nhất {number(Decimal(one.usual * limits.max_ratio), ratio.decimals)}"
    else:
        beside = f"lẽ ra khoảng {number(Decimal(one.usual), ratio.decimals)}"
    if one.holds:
        return f"{came}, {beside}"
    # Only what is added up has a unit of measure or separators to be wrong.
    hint = ", có thể sai đơn vị tính" if ratio.of.sum and factor(one.times, limits) else ""
    return f"{came}, {beside}: {how_far(one.times, limits)}{hint}"
