"""Periods as text: `2024`, `2024-Q1`, `2024-03`; in Python, and as a relation in SQL."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
"""Local time of everything that is dated: UTC+7, no daylight saving."""

PeriodType = Literal["month", "quarter", "year"]

_PERIOD = re.compile(r"(?P<year>(?!0000)[0-9]{4})(?:-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?")

PERIOD = """
SELECT CASE months WHEN 12 THEN 'year' WHEN 3 THEN 'quarter' ELSE 'month' END AS period_type,
    make_date(year, last - months + 1, 1) AS period_start,
    make_date(year + last / 12, last % 12 + 1, 1) - 1 AS period_end,
    1000 * year + 10 * last + CASE months WHEN 12 THEN 3 WHEN 3 THEN 2 ELSE 1 END AS period_sort,
    to_char(make_date(year, last - months + 1, 1) - 1, CASE months WHEN 12 THEN 'YYYY' WHEN 3 THEN 'YYYY-"Q"Q' ELSE 'YYYY-MM' END)
        AS period_before
FROM (
    SELECT left({period}, 4)::int AS year,
        CASE WHEN length({period}) = 4 THEN 12 WHEN {period} LIKE '%Q%' THEN 3 ELSE 1 END AS months,
        CASE WHEN length({period}) = 4 THEN 12 WHEN {period} LIKE '%Q%' THEN 3 * right({period}, 1)::int ELSE right({period}, 2)::int END
            AS last
) AS parts
"""
"""SELECT of what a {period} is: its days, a number that orders it, each month before its quarter and its year, and the period before."""


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


def months(period: str) -> list[str]:
    """The months in it."""
    return [part for part in parts(period) if period_type(part) == "month"]


def before(period: str) -> str:
    """The period of the same kind before it."""
    return _of_day(days(period)[0] - timedelta(days=1), period_type(period))


def after(period: str) -> str:
    """The period of the same kind after it."""
    return _of_day(days(period)[1] + timedelta(days=1), period_type(period))


def _of_day(day: date, kind: str) -> str:
    return next(one for one in containing(f"{day:%Y-%m}") if period_type(one) == kind)


def year_before(period: str) -> str:
    """The same period of the year before."""
    return f"{int(period[:4]) - 1:04}{period[4:]}"


def _match(period: str) -> re.Match[str]:
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise ValueError(f"not a period: {period!r}")
    return found
