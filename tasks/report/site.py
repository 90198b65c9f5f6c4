"""The static edition: every page as a file that opens from a folder, without a server, without actions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from tasks.ask.nights import nights
from tasks.ask.overview import Overview
from tasks.ask.releases import all_signed
from tasks.ask.scope import PUBLIC
from tasks.report.pages.deliveries import delivery, worth_a_page
from tasks.report.pages.gate import publication, release
from tasks.report.pages.nights import night, past_nights
from tasks.report.pages.provinces import provinces
from tasks.report.pages.published import all_published
from tasks.report.pages.rules import rule, rules
from tasks.report.pages.sources import source, sources
from tasks.report.pages.tables import years
from tasks.report.pages.tonight import NIGHTS_SHOWN, tonight
from tasks.report.pages.worklist import worklist
from tasks.report.rendering import ASSETS, Page, render
from warehouse.seed import is_sample

DELIVERIES = 100
"""Most deliveries that have a page; at the desk all have one."""
RELEASES = 20
"""Most signed editions that have a page."""
MADE_APART = ("bieu/", "doi-soat-phi")
"""Beginnings of the places of pages that are made when what they tell changes, not every night."""
BESIDE = ("data_docs/", "open-data/")
"""Beginnings of what an edition leads to, and may not be there."""
OF_A_NUMBER = re.compile(r"bieu/[^/]+/(?!don-vi/|hien-nay/)[^/]+/")
"""Beginning of the place of a single value's page: there are too many to write them all."""
BELOW_PROVINCES = re.compile(r"bieu/[^/]+/don-vi(/[0-9]{3}|$)")
"""In the country, the same of units below the provinces, whose codes have two digits, and of their list: each province shows its own."""


@dataclass(frozen=True)
class StaticFrame:
    """The frame of a page in a folder: addresses relative to it, nobody who looks, nothing to do."""

    edition: Path
    place: str
    known: Collection[str] | None = None
    """Places that have a page; of a page whose links are all to such as always have one, none are given."""
    missing: tuple[str, ...] = ()
    """Beginnings of places that have none."""
    is_sample: bool = False
    is_country: bool = False
    account: None = None
    form_token: str = ""

    def link(self, place: str) -> str:
        """The file of a page."""
        is_known = self.known is None or place in self.known or place.startswith(MADE_APART)
        if not is_known or place.startswith(self.missing) or OF_A_NUMBER.match(place) or (self.is_country and BELOW_PROVINCES.match(place)):
            return ""
        return self._up + file_of(place)

    def asset(self, name: str) -> str:
        """A file beside the start page."""
        return self._up + name

    def drawing(self, place: str) -> str:
        """The file of a chart."""
        return f"{self._up}{place}.svg"

    def file(self, name: str) -> str:
        """A file of the edition; the Data Docs forget what is older than a few nights, and not every period has open data."""
        if name.startswith(BESIDE) and not (self.edition / name).exists():
            return ""
        return self._up + name

    def can(self, role: str) -> bool:
        """Nothing is done in a folder."""
        return False

    @property
    def _up(self) -> str:
        return "../" * self.place.count("/")


def file_of(place: str) -> str:
    """Name of the file of a page."""
    return f"{place or 'index'}.html"


def write_pages(
    pages: Iterable[Page],
    edition: Path,
    known: Collection[str] | None = None,
    missing: tuple[str, ...] = (),
    *,
    is_sample: bool,
    is_country: bool = False,
) -> list[str]:
    """Writes pages into an edition, and returns the names of their files."""
    written = []
    for page in pages:
        path = edition / file_of(page.place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(page, StaticFrame(edition, page.place, known, missing, is_sample, is_country)), "utf-8")
        written.append(file_of(page.place))
    return written


def write_site(connection: Connection, edition: Path) -> None:
    """Writes what tells of the nights into an edition: tonight, sources, nights, deliveries, rules, printed figures, the list of years."""
    for asset in ASSETS.iterdir():
        shutil.copyfile(asset, edition / asset.name)
    overview = Overview(connection, PUBLIC)
    pages = [
        tonight(overview),
        worklist(overview),
        publication(overview),
        sources(overview),
        past_nights(overview),
        rules(overview),
        years(overview),
    ]
    named = [provinces(overview)] if overview.is_country else [*all_published(overview)]
    named += [source(overview, one.name) for one in overview.sources]
    named += [night(overview, run.run_id) for run in nights(connection, NIGHTS_SHOWN)]
    named += [delivery(overview, number) for number in worth_a_page(overview, DELIVERIES)]
    named += [rule(overview, code) for code in sorted({*overview.broken_lately, *(row.rule_code for row in overview.open_rows)})]
    named += [release(overview, one.release_id) for one in all_signed(connection)[:RELEASES]]
    pages += [page for page in named if page is not None]
    write_pages(pages, edition, {page.place for page in pages}, is_sample=is_sample(connection), is_country=overview.is_country)
