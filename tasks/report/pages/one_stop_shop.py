"""The official tables of the one-stop-shop for one unit: form 06a as officials know it, and the score of decision 766."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import groupby

from tasks.ask.official_table import Unit
from tasks.ask.overview import Overview
from tasks.ask.score_card import COUNTED_BY, Card, score_cards
from tasks.report import form_06a_sheet as sheet
from tasks.report.form_06a_public import Shown, Values, is_for, shown
from tasks.report.form_06a_sheet import Row, reported_days, reporting, rows_of, section_name, total
from tasks.report.hidden import note, threshold_of
from tasks.report.pages.tables import versions_of
from tasks.report.rendering import Page
from warehouse.confidentiality import Threshold
from warehouse.names import LEVELS


@dataclass(frozen=True)
class Form:
    """Form 06a of a unit in one of its versions, as it may be seen."""

    unit: Unit
    period: str
    rows: list[Row]
    threshold: Threshold | None
    """Of the public, below which counts are hidden."""

    @cached_property
    def _printed(self) -> Shown:
        return shown([row.values for row in self.rows], total(self.rows), None if self.threshold is None else self.threshold.below)

    @property
    def sections(self) -> list[tuple[str, str, list[tuple[Row, Values]]]]:
        """Roman number, name and rows of each section that has any."""
        parts = groupby(zip(self.rows, self._printed.rows, strict=True), lambda row: row[0].section)
        return [(roman, section_name(name, self.period), list(part)) for roman, (name, part) in zip(sheet.ROMAN, parts, strict=False)]

    @property
    def total(self) -> Values:
        """Column by column the sum of its rows."""
        return self._printed.total

    @property
    def hidden(self) -> str:
        """How many counts are not shown, and why; nothing where all are."""
        return note(self._printed.hidden, "ô", self.threshold) if self.threshold is not None else ""

    @property
    def days(self) -> tuple[date, date]:
        """First and last day that it tells of."""
        return reported_days(self.rows, self.unit, self.period)

    @property
    def reporting(self) -> tuple[str, str]:
        """Who reports, and to whom."""
        return reporting(self.unit)


def form_06a(overview: Overview, period: str, code: str) -> Page | None:
    """Form 06a of a unit in a period; nothing where nothing is published of it, or it is not for whoever looks."""
    forms = [
        Form(unit, period, rows, threshold_of(overview.as_of) if overview.scope.is_public else None)
        for unit in versions_of(overview, period, code)
        if is_for(overview.scope, unit, period) and (rows := rows_of(overview.connection, unit, period))
    ]
    return _form_page(period, forms, overview.as_of) if forms else None


def score_766(overview: Overview, period: str, code: str) -> Page | None:
    """The score of a unit in a period, from its dossiers and from the portal's counts; nothing where nothing is published of it."""
    units = versions_of(overview, period, code)
    cards = [card for unit in units for card in score_cards(overview.connection, unit, period, overview.scope)]
    return _score_page(period, units[-1], cards, overview) if cards else None


def _form_page(period: str, forms: Sequence[Form], known: datetime) -> Page:
    content = {"year": period, "forms": forms, "unit": forms[-1].unit, "sheet": sheet, "besides": sheet.notes(period), "as_of": known}
    return Page(f"bieu/{period}/don-vi/{forms[-1].unit.code}/06a", "form_06a.html", content)


def _score_page(period: str, unit: Unit, cards: Sequence[Card], overview: Overview) -> Page:
    content = {"year": period, "unit": unit, "cards": cards, "counted_by": COUNTED_BY, "levels": LEVELS, "as_of": overview.as_of}
    content["is_public"] = overview.scope.is_public
    return Page(f"bieu/{period}/don-vi/{unit.code}/766", "score_766.html", content)
