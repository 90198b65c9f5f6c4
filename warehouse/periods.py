"""Periods as text: `2024`, `2024-Q1`, `2024-03`."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
"""Local time of everything that is dated: UTC+7, no daylight saving."""

PeriodType = Literal["month", "quarter", "year"]

_PERIOD = re.compile(r"(?P<year>(?!0000)[0-9]{4})(?:-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?")


def is_period(text: str) -> bool:
    """Whether a text is a period."""
    return _PERIOD.fullmatch(text) is not None


def period_type(period: str) -> PeriodType:
    """Whether a period is a month, a quarter or a year; ValueError where it is none."""
    found = _match(period)
    return "quarter" if found["quarter"] else "month" if found["month"] else "year"


@cache
def days(period: str) -> tuple[date, date]:
    """First and last day of a period."""
    found = _match(period)
    year = int(found["year"])
    first, last = 1, 12
    if found["quarter"]:
        first, last = 3 * int(found["quarter"]) - 2, 3 * int(found["quarter"])
    elif found["month"]:
        first = last = int(found["month"])
    return date(year, first, 1), date(year, last, monthrange(year, last)[1])


def containing(period: str) -> list[str]:
    """The period itself, then the quarter and the year it lies in."""
    found = _match(period)
    year = found["year"]
    if found["month"]:
        return [period, f"{year}-Q{(int(found['month']) + 2) // 3}", year]
    return [period, year] if found["quarter"] else [period]


def parts(period: str) -> list[str]:
    """The period itself and every shorter period inside it."""
    year = period[:4]
    everything = [year, *(f"{year}-Q{q}" for q in range(1, 5)), *(f"{year}-{m:02}" for m in range(1, 13))]
    return [part for part in everything if period in containing(part)]


def _match(period: str) -> re.Match[str]:
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise ValueError(f"not a period: {period!r}")
    return found
