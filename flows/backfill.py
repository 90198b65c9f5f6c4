"""A range of nights, one after the other. Interrupted, it is started again with the same words: what was done costs nothing.

It makes up for history, so what each night computes goes out: the gate is for what people will read tomorrow.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from flows.cluster import spread
from flows.ending import state_of
from flows.logs import log_with_prefect
from flows.nightly import Night, night
from flows.steps import TASKS
from tasks.validate.data_docs import DataDocs
from tasks.words.understood import understood_period
from warehouse.database import open_warehouse
from warehouse.periods import days
from warehouse.settings import Refusal, Settings


def nights(first: str, last: str) -> list[date]:
    """The nights of a range: every day between two days, every month's last day between two months, quarters or years."""
    begin, finish = understood_period(first), understood_period(last)
    if begin and finish:
        day, end = days(begin)[0], days(finish)[1]
        found = [each for each in _every_day(day, end) if (each + timedelta(1)).day == 1]
    else:
        try:
            day, end = date.fromisoformat(first), date.fromisoformat(last)
        except ValueError as error:
            raise Refusal(f"Khoảng {first!r}–{last!r} không hợp lệ: viết hai ngày 2024-01-31 hoặc hai tháng 1/2024.") from error
        found = _every_day(day, end)
    if not found:
        raise Refusal(f"Khoảng {first!r}–{last!r} không có ngày nào: ngày đầu đứng sau ngày cuối.")
    return found


def _every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(n) for n in range((last - first).days + 1)]


@flow(name="backfill")
def backfill(first: str, last: str) -> list[Night] | State[list[Night]]:
    """The nightly run for every night of a range, in order; the report is made once, after the last."""
    settings = Settings.from_environment()
    log_with_prefect(settings)
    every = nights(first, last)
    docs = DataDocs(settings.home / "data_docs")
    with open_warehouse(settings) as engine, spread(settings, TASKS) as spread_out:
        steps = replace(spread_out, publish=partial(spread_out.publish, is_gated=False))
        quiet = replace(steps, report=None)
        done = [night(settings, engine, day, "backfill", steps if day == every[-1] else quiet, docs) for day in every]
    return state_of(done, done)
