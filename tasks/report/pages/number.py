"""A number: how one published value came about, and how to cite it."""

from __future__ import annotations

from tasks.ask.explain import explain
from tasks.ask.gate import MOVERS
from tasks.ask.official_table import find_unit
from tasks.ask.overview import Overview
from tasks.ask.province_editions import parts_of
from tasks.report.drawings import has_trend
from tasks.report.pages.docs import docs_of
from tasks.report.rendering import Page
from warehouse.gate import gate
from warehouse.settings import Refusal

FILES_SHOWN = 100
"""Files behind a value that are listed."""


def number(overview: Overview, period: str, code: str, unit: str) -> Page | None:
    """The page of a value; nothing where none is published of it. `unit`: a code, with `@` and a day where a version of it is meant."""
    try:
        found = find_unit(overview.connection, unit, period)
        told = explain(overview.connection, code, found, period, overview.scope) if overview.scope.sees(found.code) else None
    except Refusal:
        return None
    if told is None:
        return None
    content = {
        "told": told,
        "line": told.line,
        "senders": overview.senders,
        "docs": docs_of(overview.connection, [row.delivery_id for row in told.files[:FILES_SHOWN]]),
        "titled": gate().titled,
        "shown": FILES_SHOWN,
        "named": MOVERS,
        "year": period[:4],
        "has_trend": has_trend(told.through_the_year),
        "publication": overview.publication,
        "provinces": parts_of(overview.connection, told.line, overview.gathered.get(period), overview.scope),
    }
    return Page(told.line.place, "number.html", content)
