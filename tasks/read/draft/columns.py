"""Which header of an unknown file is which column of the feed: by name, by content, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from expectations.contract import Contract
from tasks.read.draft.cells import Cells
from tasks.read.draft.names import Names, meaning

_LEAST = 0.5
"""A header is proposed for a column from here on."""
_LEAST_NAME = 0.45
_SURE_NAME = 0.9
"""A name this alike holds whatever the cells are."""
_ANY_TEXT = 0.6
"""Taken for the share of cells that fit, where the column takes any text."""
_ALL = 0.95
_FOUND_BY_CONTENT = 0.4
_SAYS_LITTLE = ("integer", "decimal", "hash", "dropped", "boolean")
"""Types whose cells look like those of other columns: content alone proposes none of them."""
_MONTHS, _YEARS = (1, 12), (1900, 2199)


@dataclass(frozen=True)
class Proposal:
    """A column proposed for a header."""

    column: str
    sure: float
    by_name: bool
    fit: float | None
    """Share of cells that the column takes, where it does not take any text."""


def propose(feed: Contract, names: Names, columns: dict[str, Cells]) -> dict[str, Proposal]:
    """Header → the column it stands for; the surest pairs first, no header and no column twice."""
    found: list[tuple[tuple[float, float, bool], str, Proposal]] = []
    fits = {(header, name): _fit(feed, name, cells) for header, cells in columns.items() for name in feed.columns}
    for (header, name), fit in fits.items():
        alike, special = names.likeness(header, name)
        sure = 0.75 * alike + 0.25 * (_ANY_TEXT if fit is None else fit)
        is_odd = fit is not None and fit < 1 - fit and alike < _SURE_NAME
        if (
            names.left_out_by(header) is None
            and alike >= _LEAST_NAME
            and sure >= _LEAST
            and not is_odd
            and _may_be(feed, name, columns[header])
        ):
            found.append(((sure, special, feed.columns[name].required), header, Proposal(name, sure, True, fit)))
    proposed: dict[str, Proposal] = {}
    for _, header, proposal in sorted(found, key=lambda pair: pair[0], reverse=True):
        if header not in proposed and proposal.column not in {other.column for other in proposed.values()}:
            proposed[header] = proposal
    for header, name in _by_content(feed, proposed, {pair: fit or 0.0 for pair, fit in fits.items()}):
        if names.left_out_by(header) is None and _may_be(feed, name, columns[header]):
            proposed[header] = Proposal(name, _FOUND_BY_CONTENT, False, fits[header, name])
    return {header: proposed[header] for header in columns if header in proposed}


def allowed(feed: Contract, name: str) -> list[str]:
    """Values that rules allow in a column, where they list them."""
    listed = (rule.args for rule in feed.rules if rule.expect == "ExpectColumnValuesToBeInSet" and rule.args["column"] == name)
    return [value for args in listed for value in args["value_set"] if isinstance(value, str)]


def translated(feed: Contract, name: str, cells: Cells) -> dict[str, str]:
    """The labels of another layout for a column's codes, where most of the cells are among them."""
    known = (layout.values[name] for layout in feed.layouts.values() if name in layout.values)
    return next((values for values in known if cells.are_in(values) > 0.5), {})


def month_and_year(columns: dict[str, Cells], proposed: dict[str, Proposal]) -> list[str]:
    """The headers of a month and a year that stand in two columns."""

    def of(word: str, within: tuple[int, int]) -> str | None:
        spans = ((header, cells.span()) for header, cells in columns.items() if header not in proposed and word in meaning(header))
        return next((header for header, span in spans if span and within[0] <= span[0] and span[1] <= within[1]), None)

    month, year = of("month", _MONTHS), of("year", _YEARS)
    return [month, year] if month and year else []


def _fit(feed: Contract, name: str, cells: Cells) -> float | None:
    values = allowed(feed, name)
    labels = translated(feed, name, cells)
    return cells.are_in(labels) if labels else cells.fitting(feed.columns[name], values)


def _may_be(feed: Contract, name: str, cells: Cells) -> bool:
    """What looks like a person's data goes into no column that keeps it."""
    return feed.columns[name].type in ("hash", "dropped") or not cells.are_personal


def _by_content(feed: Contract, proposed: dict[str, Proposal], fits: dict[tuple[str, str], float]) -> Iterator[tuple[str, str]]:
    """Pairs of a header and a required column that are still free and fit each other and nothing else; a text's shape
    has to be one that no other header of the file has."""
    taken = {proposal.column for proposal in proposed.values()}
    free = [
        (header, name)
        for (header, name), fit in fits.items()
        if fit >= _ALL and header not in proposed and name not in taken
        if feed.columns[name].required and feed.columns[name].type not in _SAYS_LITTLE
    ]
    for header, name in free:
        rivals = free if feed.columns[name].type != "text" else [pair for pair, fit in fits.items() if fit >= _ALL]
        if sum(header == other for other, _ in free) == 1 and sum(name == other for _, other in rivals) == 1:
            yield header, name
