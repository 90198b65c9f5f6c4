"""Data Docs: a page on every delivery, one on the night and a start page over the last nights, to be opened without the internet.

They say what `ops` says of the deliveries once a night has counted (`tasks.validate.examined`), so that they cannot tell another story
than the steward's pages. Everything lies beside its page: one stylesheet, no script.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tasks.deliveries.judgement import TONES, WORST_FIRST, Judgement
from tasks.validate.examined import Examined
from tasks.words import vietnamese as vi
from warehouse.retention import rules_on

NAME = "%Y-%m-%d-%H%M%S"
"""How the folder of a night is called, by when it began."""
SUMMARY = "night.json"
"""File in it that says what the start page lists."""


@dataclass(frozen=True)
class Line:
    """A delivery as the night and the start page list it."""

    delivery_id: int
    file_name: str
    source: str
    period: str
    judgement: Judgement
    received: int
    set_aside: int
    why: list[str]
    """Why it was refused, or what did not hold."""


@dataclass(frozen=True)
class Night:
    """The deliveries of a night, those first that are judged worst."""

    at: datetime
    lines: list[Line]

    @property
    def name(self) -> str:
        """Folder of its pages."""
        return f"{self.at:{NAME}}"

    @property
    def counts(self) -> dict[Judgement, int]:
        """How many deliveries were judged how."""
        return {one: sum(line.judgement == one for line in self.lines) for one in WORST_FIRST if one != "waiting"}


@dataclass
class DataDocs:
    """The Data Docs in a folder, and what is to be told next."""

    folder: Path
    deliveries: set[int] = field(default_factory=set)
    """Numbers of those that were taken or refused since the pages were last made."""
    examined: Sequence[Examined] = ()
    """What was found in them."""

    def build(self, at: datetime) -> Path:
        """Write the pages of what was examined, that of the night and the start page, forget the nights of long ago; the start page."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.examined:
            self._write(Night(at, _lines(self.examined)))
        kept, outlived = told_nights(self.folder, at.date())
        for path in outlived:
            shutil.rmtree(path)
        nights = [night for path in kept if (night := _read(path)) is not None]
        self._put("data_docs.css", _page("data_docs.css"))
        return self._put("index.html", _page("start.html", nights=nights))

    def _write(self, night: Night) -> None:
        """Writes the pages of a night where nobody reads them yet, and then puts them in their place."""
        coming, place = self.folder / ".coming", self.folder / night.name
        for folder in (coming, place):
            shutil.rmtree(folder, ignore_errors=True)
        coming.mkdir()
        for one in self.examined:
            (coming / f"{one.delivery_id}.html").write_text(_page("delivery.html", one=one, at=night.at), "utf-8")
        (coming / "index.html").write_text(_page("night.html", night=night), "utf-8")
        summary = {"at": night.at.isoformat(), "lines": [asdict(line) for line in night.lines]}
        (coming / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False), "utf-8")
        coming.rename(place)

    def _put(self, name: str, page: str) -> Path:
        """Replaces a page that someone may be reading."""
        place, draft = self.folder / name, self.folder / f".{name}"
        draft.write_text(page, "utf-8")
        return draft.replace(place)


def told_nights(folder: Path, day: date) -> tuple[list[Path], list[Path]]:
    """The folders of the nights that the start page tells of, the last first; and the others, which the rules of a day let go."""
    every = [path for path in folder.iterdir() if re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}", path.name)] if folder.is_dir() else []
    told = [path for path in sorted(every, reverse=True) if _read(path) is not None][: rules_on(day)["data_docs"].term.number]
    return told, sorted(set(every) - set(told))


def _lines(examined: Iterable[Examined]) -> list[Line]:
    lines = [
        Line(
            one.delivery_id,
            one.file_name,
            one.source_title,
            one.period,
            one.judgement,
            one.delivery.rows_received,
            one.delivery.rows_quarantined,
            one.why,
        )
        for one in examined
    ]
    return sorted(lines, key=lambda line: (WORST_FIRST.index(line.judgement), line.source, line.file_name))


def _read(folder: Path) -> Night | None:
    """A night as it was written down, unless another version wrote it."""
    try:
        told = json.loads((folder / SUMMARY).read_text("utf-8"))
        return Night(datetime.fromisoformat(told["at"]), [Line(**line) for line in told["lines"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tasks.validate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"vi": vi, "tones": TONES, "judgements": [one for one in WORST_FIRST if one != "waiting"]}
    return environment


def _page(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)
