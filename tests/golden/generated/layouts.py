"""What the layouts of a generated inbox have in common: an ordinary row, what is sown into it, how rows become a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.golden.generated.place import Place
from tests.golden.generated.rows import Aside, Ignored, Loaded, Row, Sown, Stage, sow
from tests.golden.generated.written import Lines, delimited, json_lines, records, workbook

SHARE = 4
"""Ordinary rows for each that is set aside, so that the file is not refused for having too many of them."""


@dataclass(frozen=True)
class Layout:
    """One way of writing one feed, with what is odd in its rows."""

    name: str
    feed: str
    provider: str
    stem: str
    """How its files' names begin."""
    kind: str
    header: tuple[str, ...]
    ordinary: Callable[[Place], Row]
    sown: Callable[[Place], Iterable[Sown]]
    others: Callable[[Place], Iterable[Row]] = lambda place: ()
    """Rows that are odd together, or beside what other files say."""
    required: str = ""
    """A header that every row must have something under."""
    text: str = ""
    """A header under which the file writes words, that are not checked."""
    titles: Callable[[Place], list[str]] = lambda place: []
    total: Callable[[Sequence[Row]], dict[str, Any]] | None = None
    own_provider: bool = False
    """Whether every file is of a provider of its own, since the key of a row says no more than unit and month."""
    more: tuple[str, ...] = ()
    """Headers that a file may leave out, and that ours do not."""

    @property
    def suffix(self) -> str:
        return {"csv": "csv", "xlsx": "xlsx", "jsonl": "jsonl", "napas": "dat"}[self.kind]

    def write(self, place: Place, rows: Lines, **how: Any) -> bytes:
        """The file of these rows."""
        if self.kind == "xlsx":
            return workbook(self.titles(place), self.header, rows, **how)
        if self.kind == "jsonl":
            return json_lines(rows, **how).encode()
        if self.kind == "napas":
            return records(place.last_day, rows, **how).encode()
        return delimited(self.header + self.more, rows, **how).encode()

    def first(self, place: Place) -> int:
        """Number of the first row, as whoever opens the file counts."""
        return 1 if self.kind == "jsonl" else len(self.titles(place)) + 2

    def with_total(self, rows: Sequence[Row]) -> list[Row]:
        """The rows and, where the layout has one, the control row under them."""
        return [*rows, *([Row(self.total(rows), Ignored(), "control row")] if self.total else [])]

    def rows(self, place: Place, count: int = 5) -> list[Row]:
        """Ordinary rows."""
        return [self.ordinary(place) for _ in range(count)]


def of_everything(place: Place, layout: Layout) -> list[Row]:
    """Rows with each oddity of the layout alone, some with two, among so many ordinary ones that the file is taken."""
    odd = [sow(layout.ordinary(place), one) for one in layout.sown(place)]
    odd += [sow(layout.ordinary(place), *two) for two in _pairs(place, [*layout.sown(place)])]
    empty = Row({}, Ignored(), "nothing in any cell", line="{}" if layout.kind == "jsonl" else None)
    odd += [] if layout.kind == "napas" else [empty]
    rows = odd + layout.rows(place, SHARE * sum(not isinstance(row.becomes, Loaded) for row in odd))
    place.random.shuffle(rows)
    return [*rows, *layout.others(place)]


def _pairs(place: Place, sown: Sequence[Sown]) -> Iterator[tuple[Sown, Sown]]:
    """Two faults, or two things that mean nothing, in different cells of a row."""
    for kind in (True, False):
        alike = [one for one in sown if bool(one.faults) == kind and not one.warns]
        place.random.shuffle(alike)
        for one, other in zip(alike[:8], alike[8:16], strict=False):
            both_late = one.stage == other.stage == Stage.WAREHOUSE
            if not one.cells.keys() & other.cells.keys() and not one.fact.keys() & other.fact.keys() and not both_late:
                yield one, other


def too_wide_and_too_short(layout: Layout, place: Place) -> list[Row]:
    """Rows of a delimited file whose cells are not under the header."""
    row = layout.ordinary(place)
    cells = [str(row.cells.get(name, "")) for name in layout.header + layout.more]
    said = Aside(frozenset([("STR-012", "")]))
    return [
        Row({}, said, "a cell too many", line=",".join([*cells, "thừa"])),
        Row({}, said, "cells too few", line=",".join(cells[:2])),
        Row(layout.ordinary(place).cells, Ignored(), "", line=",".join([""] * len(cells))),
    ]
