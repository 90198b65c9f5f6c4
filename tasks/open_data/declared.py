"""The tables of the open data and their codes as declared: `tables.yaml`, `codes.yaml` and the meanings of the mart's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from tasks.words import vietnamese as vi
from warehouse.names import LEVELS
from warehouse.views import Words, meanings

FOLDER = Path(__file__).parent
Type = Literal["string", "integer", "number", "date", "boolean"]


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: Type
    title: Words
    means: Words
    is_required: bool
    codes: Mapping[str, Words] | None
    """Code → what it is called, where its cells are of a list."""
    pattern: str | None


@dataclass(frozen=True)
class Table:
    """A table of the folder, written as `<name>.csv`."""

    name: str
    row: Words
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    refers_to: Mapping[str, Mapping[str, str]]
    """Table → column here → column there."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its header."""
        return tuple(column.name for column in self.columns)


@cache
def tables() -> dict[str, Table]:
    """The tables by name, each behind those it refers to."""
    known = meanings()
    return {name: _table(name, told, known) for name, told in _read("tables.yaml").items()}


def _table(name: str, told: dict[str, Any], known: Mapping[str, Words]) -> Table:
    columns = tuple(_column(column, one, known) for column, one in told["columns"].items())
    return Table(name, Words(**told["row"]), columns, tuple(told["key"]), told.get("refers_to", {}))


def _column(name: str, told: dict[str, Any], known: Mapping[str, Words]) -> Column:
    means = Words(**told["means"]) if "means" in told else known[name]
    listed = codes()[told["codes"]] if "codes" in told else None
    return Column(name, told["type"], Words(**told["title"]), means, told.get("required", False), listed, told.get("pattern"))


@cache
def codes() -> dict[str, dict[str, Words]]:
    """Code list → code → what it is called."""
    shown: dict[str, Mapping[str, str]] = {
        "obs_status": vi.OBS_STATUS,
        "obs_reason": vi.OBS_REASON | vi.OBS_DOUBT,
        "unit_level": LEVELS,
        "pillar": vi.PILLAR,
        "unit_measure": {},
    }
    return {
        name: {
            code: Words(**words) if isinstance(words, dict) else Words(shown[name].get(code, code), words) for code, words in listed.items()
        }
        for name, listed in _read("codes.yaml").items()
    }


def _read(name: str) -> dict[str, Any]:
    return dict(yaml.load((FOLDER / name).read_text("utf-8"), yaml.CSafeLoader))
