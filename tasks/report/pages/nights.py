"""The nights that were, and one of them."""

from __future__ import annotations

from tasks.ask.nights import deliveries_of, find_night, nights, unreachable
from tasks.ask.overview import Overview
from tasks.report.pages.tonight import night_bar
from tasks.report.rendering import Page

NIGHTS_LISTED = 60


def past_nights(overview: Overview) -> Page:
    """The last nights."""
    return Page("cac-dem", "nights.html", {"past": nights(overview.connection, NIGHTS_LISTED), "night_bar": night_bar})


def night(overview: Overview, run_id: int) -> Page | None:
    """One night; nothing where there is none of that number."""
    run = find_night(overview.connection, run_id)
    if run is None:
        return None
    sent = deliveries_of(overview.connection, run_id)
    missed = unreachable(overview.connection, run_id)
    content = {"run": run, "deliveries": sent, "unreachable": missed, "senders": overview.senders}
    return Page(f"cac-dem/{run_id}", "night.html", content)
