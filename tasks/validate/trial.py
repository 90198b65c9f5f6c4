"""A file read and checked as a night does it, for whoever is writing its layout: without a warehouse, and without keeping anything."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from expectations.contract import Contract, Layout
from tasks.deliveries.coverage import exported_at, said
from tasks.read.bounded import read
from tasks.read.file import Chunk, Rejected
from tasks.validate.checks import Checked, RuleResult, merged, validate
from tasks.validate.found import Found

_WITHOUT_WAREHOUSE = {"unique", "volume", "quarantine_share"}
"""Checks of a feed that need no warehouse."""


@dataclass(frozen=True)
class Fault:
    """One rule broken in one column: how often, and where first."""

    rule_code: str
    column: str
    rows: int
    first: list[int]
    message_vi: str


@dataclass
class Trial:
    """What a night would make of a file, but for what only the warehouse knows."""

    columns: list[str]
    """Columns of the contract that the layout says."""
    unsaid: list[str]
    """Required columns that it does not say: a night would not take such a layout, and the feed's rules are not run."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """The first rows that could be typed, their number in the file among them."""
    received: int = 0
    accepted: int = 0
    ignored: int = 0
    set_aside: int = 0
    faults: list[Fault] = field(default_factory=list)
    warnings: list[RuleResult] = field(default_factory=list)
    refused: Rejected | None = None
    not_checked: list[str] = field(default_factory=list)
    """Rules that only the warehouse can check."""

    @property
    def is_accepted(self) -> bool:
        """Whether every row of the file would go on."""
        return not (self.refused or self.set_aside or self.unsaid)


def with_layout(contract: Contract, name: str, layout: Layout) -> Contract:
    """The contract with this layout alone, which need not say everything yet; ValueError where it names what is not there."""
    lenient = _lenient(contract, _unsaid(contract, layout)).model_dump(exclude={"layouts"})
    Contract(**lenient, layouts={name: layout.model_dump()})
    return contract.model_copy(update={"layouts": {name: layout}})


def try_layout(path: Path, contract: Contract, layout_name: str, rows: int) -> Trial:
    """Reads and checks a file by a layout of the contract; persons are hashed with a key that is thrown away."""
    layout = contract.layouts[layout_name]
    trial = Trial([name for name in contract.columns if name in layout.columns or layout.reader], _unsaid(contract, layout))
    terms = _lenient(contract, trial.unsaid)
    name = path.name if path.name.isprintable() else "này"
    found = Found(terms)
    try:
        chunks = _shown(read(path, terms, layout_name, secrets.token_bytes(32), name), trial, rows)
        if trial.unsaid:
            checked: Iterable[Checked] = (
                Checked(table=one.table, faults=one.faults, ignored=one.ignored, received=one.received, results=[]) for one in chunks
            )
        else:
            checked = _checked(chunks, path, terms, layout_name, name)
            trial.not_checked = [rule.code for rule in contract.rules if rule.check and rule.check not in _WITHOUT_WAREHOUSE]
        results: list[RuleResult] = []
        for part in checked:
            found.add(part.faults)
            trial.set_aside += pc.count_distinct(part.faults["row_number"]).as_py()
            results += part.results
            trial.accepted += part.table.num_rows
            trial.ignored += part.ignored
            trial.warnings = [result for result in merged(results) if not result.success and result.severity == "warning"]
    except Rejected as rejected:
        trial.refused = rejected
    trial.faults = [Fault(code, column, count, first, _message(terms, code, column, name)) for code, column, count, first in found.each()]
    return trial


def _shown(chunks: Iterator[Chunk], trial: Trial, rows: int) -> Iterator[Chunk]:
    for chunk in chunks:
        trial.received += chunk.received
        trial.rows += chunk.table.slice(0, rows - len(trial.rows)).to_pylist()
        yield chunk


def _checked(chunks: Iterator[Chunk], path: Path, contract: Contract, layout_name: str, name: str) -> Iterator[Checked]:
    told = said(name)
    made = exported_at(told, datetime.fromtimestamp(path.stat().st_mtime, UTC), datetime.now(UTC))
    return validate(chunks, contract, layout_name, name, exported_at=made, covers=told.covers)


def _message(contract: Contract, rule_code: str, column: str, file_name: str) -> str:
    return contract.rule(rule_code).message_vi.format(file=file_name, column=column, observed="")


def _unsaid(contract: Contract, layout: Layout) -> list[str]:
    required = [name for name, column in contract.columns.items() if column.required]
    return [name for name in required if name not in layout.columns and layout.reader is None]


def _lenient(contract: Contract, names: list[str]) -> Contract:
    """The contract without the demand that these columns be there."""
    columns = {
        name: column.model_copy(update={"required": False}) if name in names else column for name, column in contract.columns.items()
    }
    return contract.model_copy(update={"columns": columns})
