"""The calendars of reporting periods, declared in `reporting_calendars.yaml` → checked model, and their periods in SQL."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from warehouse.periods import days

FORM = "form_06a"
"""The form whose calendar an installation may choose, as it calls it."""


class ReportingCalendar(BaseModel):
    """One calendar: the half month with which its months begin."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    name_vi: str
    legal_source: str
    starts_on: Literal[1, 15]
    valid_from: date
    valid_to: date = date.max

    def days(self, period: str) -> tuple[date, date]:
        """First and last day of one of its periods."""
        first, last = days(period)
        if self.starts_on == 1:
            return first, last
        return (first - timedelta(days=1)).replace(day=self.starts_on), last.replace(day=self.starts_on - 1)

    def periods(self) -> str:
        """SELECT reporting_calendar, period, kind, first_day, last_step (first day of its last half month), last_day of all its periods."""
        early = self.starts_on == 1
        first = "first_month" if early else "(first_month - interval '1 month')::date + 14"
        last_step = "last_month + 14" if early else "last_month"
        last_day = "(last_month + interval '1 month')::date - 1" if early else "last_month + 13"
        return f"""
        SELECT '{self.code}' AS reporting_calendar, period, kind, {first} AS first_day, {last_step} AS last_step, {last_day} AS last_day
        FROM (
            SELECT period, kind, min(month_start) AS first_month, max(month_start) AS last_month FROM warehouse.dim_date
            CROSS JOIN LATERAL (VALUES (month, 'month'), (quarter, 'quarter'), (year, 'year')) of (period, kind) GROUP BY period, kind
        ) whole
        WHERE {first} BETWEEN '{self.valid_from}' AND '{self.valid_to}'
        """


@cache
def reporting_calendars() -> tuple[ReportingCalendar, ...]:
    """All declared calendars, the calendar's own first."""
    text = resources.files(__package__).joinpath("reporting_calendars.yaml").read_text("utf-8")
    return tuple(ReportingCalendar(**entry) for entry in yaml.load(text, yaml.CSafeLoader))


def reporting_calendar(code: str) -> ReportingCalendar:
    """The calendar of that code."""
    return next(calendar for calendar in reporting_calendars() if calendar.code == code)
