"""Tonight on one screen: what to do first, what is late, what is published and what is held back, what is new, what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row

from tasks.ask.nights import deliveries_of, nights
from tasks.ask.overview import Overview
from tasks.ask.problems import Problem
from tasks.ask.questions import SILENCE
from tasks.ask.worklist import Item
from tasks.report.charts import Bar
from tasks.report.rendering import Page
from tasks.words import vietnamese as vi

NIGHTS_SHOWN = 14
SHOWN, SHOWN_BESIDE = 5, 3
"""Lines of each list, of those at the right, so that all fits on one screen; every list leads to the whole."""


def tonight(overview: Overview, now: datetime | None = None) -> Page:
    """The start page; before the first night it says so. Only who knows the time can tell that a night is missing since."""
    run = overview.run
    if run is None:
        return Page("", "no_night.html")
    late = [state for state in overview.states if state.is_late]
    waiting = [row for row in overview.findings if row.decision is None]
    to_do: list[tuple[str, Any]] = [("held", waiting)] if waiting else []
    to_do += [("unreachable", state) for state in overview.states if state.unreachable is not None]
    to_do += [("refused", row) for row in overview.refused]
    to_do += [("held_back", one) for one in by_indicator(overview.held_back)]
    to_do += [("set_aside", row) for row in overview.open_rows]
    content = {
        "run": run,
        "is_silent": now is not None and now - run.started_at > SILENCE,
        "past": nights(overview.connection, NIGHTS_SHOWN)[::-1],
        "night_bar": night_bar,
        "publication": overview.publication,
        "held": overview.held_edition,
        "senders": overview.senders,
        "to_do": to_do,
        "refused": overview.refused,
        "by_status": overview.by_status,
        "held_back": overview.held_back,
        "late": sorted(late, key=lambda state: (state.due is not None, -state.days_late, state.source.title)),
        "sources": overview.sources,
        "new": [one for one in overview.problems if is_new(one, run.run_id)],
        "known": [one for one in overview.problems if not is_new(one, run.run_id)],
        "sent": deliveries_of(overview.connection, run.run_id),
        "items": overview.items,
        "place_of": place_of,
        "shown": SHOWN,
        "shown_beside": SHOWN_BESIDE,
    }
    return Page("", "tonight.html", content)


def place_of(kind: str, one: Any, items: Sequence[Item]) -> str:
    """Where somebody sees to something to do: the item itself where it is a single one, else the list it stands in."""
    match kind:
        case "held":
            return "cong-bo"
        case "unreachable":
            return f"nguon/{one.source.name}"
        case "refused":
            found = [item.place for item in items if item.is_delivery and item.delivery_id == one.delivery_id]
        case "set_aside":
            alike = (item for item in items if not item.is_delivery and item.status == "open")
            found = [item.place for item in alike if (item.source, item.rule_code) == (one.source, one.rule_code)]
        case _:
            found = []
    return found[0] if len(found) == 1 else "viec-can-lam"


def is_new(problem: Problem, run_id: int) -> bool:
    """Whether a problem began with a night."""
    return problem.last_run == run_id and problem.nights == 1


def by_indicator(held: Sequence[Row[Any]]) -> list[tuple[str, list[Row[Any]]]]:
    """Indicator → its values that are held back."""
    return [(code, list(rows)) for code, rows in groupby(held, attrgetter("indicator_code"))]


def night_bar(night: Any, link: Callable[[str], str]) -> Bar:
    """A night as a bar: deliveries taken, taken with rows set aside, refused."""
    told = f"Đêm {vi.day(night.as_of)}: {vi.number(night.taken)} lần gửi đã nạp"
    told += f", trong đó {vi.number(night.flagged)} có dòng để riêng" if night.flagged else ""
    told += f", {vi.number(night.rejected)} bị từ chối" if night.rejected else ""
    parts = [("good", night.taken - night.flagged), ("warn", night.flagged), ("bad", night.rejected)]
    return Bar(parts, told, link(f"cac-dem/{night.run_id}"))
