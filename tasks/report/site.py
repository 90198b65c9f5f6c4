"""The steward site: static pages, no script, nothing from outside, readable in a closed network and on paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from sqlalchemy import Connection, Row

from tasks.ask import questions
from tasks.ask.fees import Fees
from tasks.ask.official_table import Line, sections
from tasks.count.revisions import last_publication
from tasks.deliveries.source import Source
from tasks.words import vietnamese as vi
from tasks.words.vietnamese import one_line


def write_site(
    connection: Connection,
    run: Row[Any],
    as_of: datetime,
    sources: Sequence[Source],
    years: Sequence[str],
    restated: Sequence[str],
    folder: Path,
) -> None:
    """Writes the start page into a folder: the night, and the way to the tables of each year, also by units of today."""
    titles = defaultdict(str, {source.name: source.title for source in sources})
    tonight = questions.deliveries(connection, since=run.started_at)
    night = _template("index.html").render(
        run=run,
        as_of=as_of,
        years=years,
        restated=restated,
        titles=titles,
        tonight=tonight,
        deliveries=tonight or questions.deliveries(connection),
        rejected=questions.rejected(connection),
        sources=questions.source_states(connection, sources, run.as_of),
        publication=last_publication(connection),
        held_back=questions.held_back(connection),
        broken_rules=questions.broken_rules(connection),
        set_aside=[(code, list(rows)) for code, rows in groupby(questions.set_aside(connection), attrgetter("rule_code"))],
        waiting=questions.waiting(connection),
        printed=questions.published_check(connection),
    )
    (folder / "index.html").write_text(night, "utf-8")


def write_table(
    template: str, path: Path, lines: Sequence[Line], year: str, as_of: datetime, years: Sequence[str], restated: Sequence[str]
) -> None:
    """Writes the page of a year's official tables as known at a time; `years`, `restated`: what else there is a page of."""
    shown = _template(template).render(year=year, tables=_by_indicator(lines), as_of=as_of, years=years, restated=restated)
    path.write_text(shown, "utf-8")


def write_fees_page(path: Path, shown: Fees, as_of: datetime, years: Sequence[str], restated: Sequence[str], listed: str) -> None:
    """Writes the page of the fees paid online beside the dossiers that say so; `listed`: the file with all rows that differ."""
    page = _template("fees.html").render(fees=shown, as_of=as_of, years=years, restated=restated, listed=listed)
    path.write_text(page, "utf-8")


def _by_indicator(lines: Sequence[Line]) -> list[tuple[str, list[tuple[Line, list[Line]]]]]:
    """Official table → each of its indicators: a first line that tells of it, and all its lines."""
    return [
        (title, [(first, [first, *rest]) for first, *rest in (group for _, group in groupby(part, attrgetter("indicator_code")))])
        for title, part in sections(list(lines))
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tasks.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals["vi"] = vi
    return environment


def _shown(value: Any) -> Any:
    """What is put into a page: a text that others wrote hides nothing there."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return one_line(value) if is_text and not value.isprintable() else value


def _template(name: str) -> Template:
    return _environment().get_template(name)
