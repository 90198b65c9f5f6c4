"""`README.txt`: what the folder is, in Vietnamese and in English."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from tasks.open_data import words
from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import Edition
from tasks.open_data.kinds import KINDS


def readme(edition: Edition, declared: OpenData) -> bytes:
    """The text of an edition."""
    environment = Environment(
        loader=PackageLoader("tasks.open_data"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  # it is plain text
        keep_trailing_newline=True,
    )
    told = {
        "edition": edition,
        "title": words.title(edition),
        "description": words.description(edition),
        "publisher": words.publisher(edition, declared),
        "licence": words.licence(declared),
        "contact": declared.contact,
        "kinds": KINDS,
        "missing": words.MISSING,
    }
    return environment.get_template("README.txt").render(**told).encode()
