"""The views that people and BI tools read: schema `mart`, what is published, and `star`, the facts without persons.

A view is a file `mart/NN_name.sql`: in its first two lines what a row is, in English and in Vietnamese, then its SELECT. What several of
them have in common stands there by its name, with what it is of behind it, as {PERIOD fact.period}. `columns.yaml` says what
the columns mean, which is the same in every view. The wide views are made of the indicators that are declared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from warehouse.names import LEVELS
from warehouse.periods import PERIOD
from warehouse.pseudonym_key import MIXES_KEYS, SPOKE_BEFORE
from warehouse.succession import ABOVE, PLACE

FOLDER = Path(__file__).parent
SCHEMAS = ("mart", "star")
_BILL = FOLDER.parent / "indicators" / "bill.sql"


@dataclass(frozen=True)
class Words:
    """What something means, in the languages of its readers."""

    vi: str
    en: str

    @property
    def both(self) -> str:
        """As a comment in the database says it."""
        return f"{self.vi} | {self.en}"


@dataclass(frozen=True)
class View:
    """A view: what one row of it is, its SELECT, and what those of its columns mean that no other view has."""

    schema: str
    name: str
    row: Words
    select: str
    columns: Mapping[str, Words] = field(default_factory=dict)


def written() -> list[View]:
    """The views as this version of the program writes them; {NAME} stays where something declared in YAML or CSV belongs."""
    return [_read(file) for schema in SCHEMAS for file in sorted((FOLDER / schema).glob("*.sql"))]


def complete() -> list[View]:
    """The same with what is declared, and the wide views: each behind those it stands on."""
    from warehouse.views import declared  # noqa: PLC0415  # who only asks the warehouse need not read what is declared

    return [*(replace(view, select=fill(view.select, declared.IN_COMMON)) for view in written()), *declared.wide_views()]


def digest(views: Iterable[View]) -> str:
    """What tells some views, and what their columns mean, from others."""
    return hashlib.sha256("\0".join([*map(repr, views), (FOLDER / "columns.yaml").read_text("utf-8")]).encode()).hexdigest()


def meanings() -> dict[str, Words]:
    """Column → what it means, in every view that has it."""
    columns = yaml.load((FOLDER / "columns.yaml").read_text("utf-8"), yaml.CSafeLoader)
    return {name: Words(**words) for name, words in columns.items()}


def _read(file: Path) -> View:
    text = file.read_text("utf-8")
    english, vietnamese, *_ = (line.removeprefix("-- ") for line in text.split("\n", 2))
    return View(file.parent.name, file.stem.split("_", 1)[1], Words(vietnamese, english), fill(text, IN_COMMON))


# What views have in common ----------------------------------------------------------------------------------------------


def fill(select: str, in_common: Mapping[str, Callable[[str], str]]) -> str:
    """A SELECT with what stands behind the names in it; those that are not known stay."""

    def given(found: re.Match[str]) -> str:
        return in_common[found[1]](found[2]) if found[1] in in_common else found[0]

    return re.sub(r"\{([A-Z0-9_]+)(?: ([^{}]+))?\}", given, select)


def relation(columns: str, rows: Iterable[Iterable[object]]) -> str:
    """SELECT of rows written out; columns are given as `name type, …`."""
    names = [column.split()[0] for column in columns.split(", ")]
    typed = ", ".join("{0}::{1} AS {0}".format(*column.split()) for column in columns.split(", "))
    values = ", ".join(f"({', '.join('NULL' if value is None else literal(str(value)) for value in row)})" for row in rows)
    return f"SELECT {typed} FROM (VALUES {values}) AS given ({', '.join(names)})"


def literal(words: str) -> str:
    """A text as SQL writes it."""
    return "'" + words.replace("'", "''") + "'"


RECEIVED = """
    SELECT fact.unit_key, fact.period, fact.obs_status, fact.units_counted, fact.units_expected
    FROM warehouse.fact_indicator AS fact
    JOIN warehouse.dim_indicator AS indicator ON indicator.indicator_key = fact.indicator_key AND indicator.known_to = 'infinity'
    WHERE indicator.indicator_code = 'CQ4' AND fact.known_to = 'infinity'
"""
"""SELECT of what the dossiers received by a unit in a period cover: a score of a part of them is no more than provisional either."""

IN_COMMON: Mapping[str, Callable[[str], str]] = {
    "ABOVE": lambda _: ABOVE,
    "BILLS": lambda _: _BILL.read_text("utf-8").format(states="states", beside="beside"),
    "LEVELS": lambda _: relation("level text, level_name text", LEVELS.items()),
    "MIXES_KEYS": lambda _: MIXES_KEYS,
    "PERIOD": lambda period: PERIOD.format(period=period),
    "PLACE": lambda _: PLACE,
    "RANK_NAME": "'Hạng ' || {0}.rank || ' trong ' || {0}.ranked || ' đơn vị ' || level_name".format,
    "RECEIVED": lambda _: RECEIVED,
    "SPOKE_BEFORE": lambda _: SPOKE_BEFORE.format(history="history"),
}
"""Name → SQL of what it is of: what is above a unit; bills over `states` and `beside`, as indicators count them; levels by name; what a
period is; where a `unit` lies; what the dossiers received cover; and of keys of the pseudonyms, which carriers in `history` spoke under
an older one, and what mixing them means for a `fact`."""
