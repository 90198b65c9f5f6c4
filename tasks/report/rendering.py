"""How a page becomes HTML: one set of templates for the static edition and for the desk, which differ in their frame."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tasks.deliveries.judgement import TONES, judgement
from tasks.report import charts
from tasks.words import vietnamese as vi
from tasks.words.vietnamese import one_line

ASSETS = Path(__file__).parent / "assets"
"""Stylesheet, script and icon of every page."""


@dataclass(frozen=True)
class Page:
    """What a page shows: its place among the others, its template and what that is told."""

    place: str
    """Path without extension, as `nguon/ecpay`; empty for the start page."""
    template: str
    content: dict[str, Any] = field(default_factory=dict)


class Frame(Protocol):
    """What the static edition and the desk answer otherwise; the templates know nothing else of where they are shown."""

    def link(self, place: str) -> str:
        """Address of a page; empty where there is no such page for whoever looks, so that no link is dead."""

    def asset(self, name: str) -> str:
        """Address of a stylesheet, script or image."""

    def drawing(self, place: str) -> str:
        """Address of a chart that stands on a page."""

    def file(self, name: str) -> str:
        """Address of a file to download; empty where it is not there."""

    def can(self, role: str) -> bool:
        """Whether whoever looks may do what a role may."""

    @property
    def is_sample(self) -> bool:
        """Whether all that is shown was made up, to try the system on."""

    @property
    def is_country(self) -> bool:
        """Whether what is shown is the whole country, of its provinces' editions."""

    @property
    def account(self) -> Any:
        """Who looks; nothing in the static edition."""

    @property
    def form_token(self) -> str:
        """What a form of this page has to say."""


def render(page: Page, frame: Frame, environment: Environment | None = None) -> str:
    """A page in its frame."""
    template = (environment or environment_of()).get_template(page.template)
    framed: dict[str, Any] = {"link": frame.link, "asset": frame.asset, "drawing": frame.drawing, "file": frame.file}
    framed |= {"can": frame.can, "is_sample": frame.is_sample, "account": frame.account, "form_token": frame.form_token}
    framed["is_country"] = frame.is_country
    framed["sections"] = OF_THE_COUNTRY if frame.is_country else SECTIONS
    return template.render(**page.content, **framed, place=page.place, section=page.place.split("/")[0])


@cache
def environment_of(*more: BaseLoader) -> Environment:
    """The templates of all pages, and further ones."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("tasks.report"), *more]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals |= {"vi": vi, "charts": charts, "judgement": judgement, "tones": TONES}
    return environment


SECTIONS: Sequence[tuple[str, str]] = (
    ("", "Tối nay"),
    ("viec-can-lam", "Việc cần làm"),
    ("cong-bo", "Công bố"),
    ("nguon", "Nguồn"),
    ("bieu", "Biểu"),
    ("da-cong-bo", "Đã công bố và tính lại"),
    ("cac-dem", "Các đêm"),
    ("quy-tac", "Quy tắc"),
)
"""First part of a place → what the navigation calls it."""
PROVINCES = "cac-tinh"
"""Place of the page that tells which provinces' editions are in."""
OF_THE_COUNTRY: Sequence[tuple[str, str]] = tuple(
    new
    for place, name in SECTIONS
    if place != "da-cong-bo"
    for new in ([(PROVINCES, "Các tỉnh")] if place == "bieu" else []) + [(place, name)]
)
"""The same in the country, which takes its provinces' editions, and no figures that others printed."""


def digest(path: Path) -> str:
    """What tells one content of an asset from another."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _shown(value: Any) -> Any:
    """What is put into a page: a text that others wrote hides nothing there."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return one_line(value) if is_text and not value.isprintable() else value
