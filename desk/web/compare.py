"""Comparing at the desk: the page that a form asks for."""

from __future__ import annotations

from desk.web.access import Asked
from tasks.ask.overview import Overview
from tasks.report.pages.compare import ASKED, compare
from tasks.report.rendering import Page


def compare_page(asked: Asked) -> Page:
    """What the address asks for."""
    with asked.reading() as connection:
        return compare(Overview(connection, asked.scope(connection)), {name: asked.asked_for(name) for name in ASKED})
