"""The steward site: static pages, no script, nothing from outside, readable in a closed network and on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from tasks.ask.official_table import Line, sections
from tasks.count.revisions import last_publication
from tasks.deliveries.source import Source
from tasks.words import vietnamese as vi
from tasks.words.vietnamese import one_line


def write_site(
    connection: Connection, run: Row[Any], as_of: datetime, sources: Sequence[Source], tables: Mapping[str, list[Line]], folder: Path
) -> None:
    """Writes the pages into a folder: the night, and the official tables of each year as known at a time."""
    common = {"run": run, "as_of": as_of, "years": list(tables)}
    tonight = questions.deliveries(connection, since=run.started_at)
    night = _template("index.html").render(
        **common,
        tonight=tonight,
        deliveries=tonight or questions.deliveries(connection),
        rejected=questions.rejected(connection),
        sources=questions.source_states(connection, sources, run.as_of),
        publication=last_publication(connection),
        held_back=questions.held_back(connection),
        broken_rules=questions.broken_rules(connection),
        set_aside=[(code, list(rows)) for code, rows in groupby(questions.set_aside(connection), attrgetter("rule_code"))],
        printed=questions.published_check(connection),
    )
    (folder / "index.html").write_text(night, "utf-8")
    for year, lines in tables.items():
        by_indicator = [
            (title, [(first, [first, *rest]) for first, *rest in (group for _, group in groupby(part, attrgetter("indicator_code")))])
            for title, part in sections(lines)
        ]
        (folder / f"bieu-{year}.html").write_text(_template("table.html").render(**common, year=year, tables=by_indicator), "utf-8")


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
