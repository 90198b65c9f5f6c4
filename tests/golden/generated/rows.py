"""A row of a generated file and what must become of it: said by whoever wrote the row, from what was sown into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum
from typing import Any, TypeAlias

Unit: TypeAlias = tuple[str, bool] | None
"""Code, and whether the unit of today is meant, not the one that bore the code until 30/6/2025; nothing: nobody knows which."""
Fault: TypeAlias = tuple[str, str]
"""Rule, and the header under which the file breaks it."""


@dataclass(frozen=True)
class Bill:
    """A bill as it must be known."""

    number: str
    service: str
    unit: Unit
    month: date
    issued: date | None
    amount: int
    person: str | None
    """Whose it is; the same person everywhere bears the same name."""
    household: bool | None = None


@dataclass(frozen=True)
class Payment:
    """A payment as it must be known."""

    number: str
    status: str
    amount: int
    day: date
    method: str | None
    service: str | None
    unit: Unit
    shop: str | None = None
    refunded: int = 0
    is_refund: bool = False


@dataclass(frozen=True)
class Shop:
    """A line of a list of shops as it must be known."""

    provider: str
    terminal: str
    name: str
    kind: str
    unit_code: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Certificates:
    """A carrier's counts of a unit and month as they must be known."""

    unit: Unit
    month: str
    issued: int | None
    in_force: int | None
    cumulative: int | None


@dataclass(frozen=True)
class Holder:
    """A holder of a certificate as it must be known."""

    person: str
    unit: Unit
    issued: date
    status: str


Fact: TypeAlias = Bill | Payment | Shop | Certificates | Holder


@dataclass(frozen=True)
class Loaded:
    """In force as this fact."""

    fact: Fact
    warns: tuple[str, ...] = ()
    """Rules that flag the row and do not set it aside."""


@dataclass(frozen=True)
class Aside:
    """In quarantine, by these rules and no others."""

    faults: frozenset[Fault]


@dataclass(frozen=True)
class Waits:
    """In quarantine until the bill arrives."""

    fault: Fault


@dataclass(frozen=True)
class Replaced:
    """Loaded, and no longer in force: a later file says otherwise."""


@dataclass(frozen=True)
class Unchanged:
    """What an earlier file said already."""


@dataclass(frozen=True)
class Ignored:
    """No row of data: totals, emptiness, the same row once more."""


Becomes: TypeAlias = Loaded | Aside | Waits | Replaced | Unchanged | Ignored


@dataclass(frozen=True)
class Row:
    """A row as it is written, and what must become of it."""

    cells: dict[str, Any]
    becomes: Becomes
    sown: str = ""
    """What is odd about it."""
    at_last: Becomes | None = None
    """What it is after the night in which arrives what was missing, where that is another thing."""
    line: str | None = None
    """The line of the file, where it is not written from the cells."""

    @property
    def fact(self) -> Any:
        """The fact of a row that is loaded."""
        assert isinstance(self.becomes, Loaded)
        return self.becomes.fact


class Stage(IntEnum):
    """Where a defect shows: a row that fails at one is told of all that is wrong there, and goes no further."""

    CELL = 1
    """A cell cannot be what its column holds."""
    ROW = 2
    """The cells can be read, and break a rule of the feed."""
    WAREHOUSE = 3
    """What the row refers to is not known."""


@dataclass(frozen=True)
class Sown:
    """Something odd for one row."""

    what: str
    cells: dict[str, Any]
    faults: tuple[Fault, ...] = ()
    """Rules that set the row aside for it; without any it is loaded."""
    stage: Stage = Stage.CELL
    fact: dict[str, Any] = field(default_factory=dict)
    """What it changes in the fact of a row that is loaded."""
    warns: tuple[str, ...] = ()


def sow(row: Row, *sown: Sown) -> Row:
    """The row with these oddities. Of several faults, those of the first stage are told."""
    cells = {**row.cells}
    for one in sown:
        cells |= one.cells
    what = " + ".join(one.what for one in sown)
    wrong = [one for one in sown if one.faults]
    if wrong:
        first = min(one.stage for one in wrong)
        return Row(cells, Aside(frozenset(fault for one in wrong if one.stage == first for fault in one.faults)), what)
    changes = {name: value for one in sown for name, value in one.fact.items()}
    warns = tuple(rule for one in sown for rule in one.warns)
    return Row(cells, Loaded(replace(row.fact, **changes), warns), what)


def repeated(row: Row, rule: Fault, other: Row) -> list[Row]:
    """A row, the same once more, and its number once more with other content: the first one holds."""
    return [
        row,
        replace(row, becomes=Ignored(), sown="the row once more"),
        replace(other, becomes=Aside(frozenset([rule])), sown="its number once more"),
    ]


@dataclass(frozen=True)
class File:
    """A file as it arrives, and what must become of it and of each of its rows."""

    source: str
    feed: str
    layout: str
    provider: str
    name: str
    content: bytes
    rows: dict[int, Row]
    """By their numbers, as whoever opens the file counts them."""
    refused: str = ""
    """Rule by which it is refused whole."""
    flags: frozenset[str] = frozenset()
    """Rules that flag the file as a whole."""
    night: int = 1
    """In which it arrives; the third one brings what was missing."""
    wrong: str = ""
    """What is odd about it."""


def numbered(rows: Sequence[Row | None], first: int) -> dict[int, Row]:
    """Rows by their numbers; in place of nothing an empty line stands."""
    return {number: row for number, row in enumerate(rows, first) if row is not None}
