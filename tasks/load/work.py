"""One delivery being loaded: what all steps share, and its counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Table, text

from expectations.contract import ROW_NUMBER, Contract, Rule, structure
from tasks.deliveries.ledger import Delivery
from tasks.load.dimensions import Dimensions
from tasks.load.history import Mask, microseconds
from tasks.load.partitions import Partitions
from tasks.read.rows import Rejected
from tasks.validate.checks import RuleResult
from tasks.validate.found import TOLD, Found, which, with_faults
from tasks.words.vietnamese import VIETNAM, number
from warehouse.tables import UNKNOWN, dim_provider, metadata

FIRST_KEY = 1


@dataclass
class Tally:
    """What was checked and found by one rule over the whole delivery."""

    severity: str
    scope: str
    success: bool = True
    observed: str | None = None
    unexpected: int = 0


@dataclass
class Flagged:
    """Rows that broke a rule and are loaded all the same, gathered chunk by chunk: how many, of which units, and the first of them."""

    rows: int = 0
    units: set[str] = field(default_factory=set)
    first: list[int] = field(default_factory=list)
    things: set[int] = field(default_factory=set)
    """What they are about, where that is told: shops, say."""

    def add(self, rows: pa.Table, things: npt.NDArray[np.int32] | None = None) -> None:
        """Adds those of a chunk."""
        self.rows += rows.num_rows
        self.things |= set(np.unique(things).tolist()) if things is not None else set()
        self.first += rows[ROW_NUMBER].slice(0, TOLD - len(self.first)).to_pylist()
        if "unit_code" in rows.column_names:
            self.units |= set(pc.unique(rows["unit_code"]).drop_null().to_pylist())

    @property
    def told(self) -> str:
        """The same in words."""
        of = f" của {number(len(self.units))} đơn vị" if self.units else ""
        of += f", {number(len(self.things))} mã" if self.things else ""
        return f"{number(self.rows)} dòng{of} {which(self.rows, self.first)}"


@dataclass(frozen=True)
class Finding:
    """What a row rule of the loader found: which rows broke it, in which column, for which bill they wait, and about what they are."""

    check: str | None
    rows: Mask
    column: str | None = None
    """Column of the contract, where the rule itself names none."""
    awaited: pa.Array | None = None
    things: npt.NDArray[np.int32] | None = None
    observed: str = ""
    """What is told of the rows beside their numbers, where the rule's message has a place for it: codes, and never a person's."""


@dataclass
class Load:
    """One delivery being loaded: what all steps share, and its counts."""

    connection: Connection
    delivery: Delivery
    contract: Contract
    dimensions: Dimensions
    load_id: int
    """Number of the load: it marks the states written and ended."""
    received: int = 0
    loaded: int = 0
    unchanged: int = 0
    quarantined: int = 0
    ignored: int = 0
    is_followed: bool = False
    """Whether payments refer to what is loaded, and have to follow it."""
    tells: set[str] = field(default_factory=set)
    """Measures or services that its rows are of, where the contract tells sources apart by them."""
    tallies: dict[str, Tally] = field(default_factory=dict)

    flagged: dict[str, Flagged] = field(default_factory=dict)
    """Rule → rows that broke it and are loaded all the same."""
    told_of: dict[str, list[str]] = field(default_factory=dict)
    """Rule → what is told of the rows that it set aside."""

    @cached_property
    def found(self) -> Found:
        """Rows that broke the loader's own rules."""
        return Found(self.contract)

    @cached_property
    def dismissed(self) -> npt.NDArray[np.int32]:
        """Numbers of the rows that a steward left out for good."""
        query = text("SELECT DISTINCT row_number FROM ops.quarantine WHERE delivery_id = :number AND status = 'dismissed'")
        return np.array(self.connection.scalars(query, {"number": self.delivery.delivery_id}).all(), dtype=np.int32)

    @cached_property
    def table(self) -> Table:
        """The table that keeps the feed's rows."""
        return metadata.tables[f"warehouse.{self.contract.table}"]

    @cached_property
    def partitions(self) -> Partitions:
        """Where its rows go."""
        return Partitions(self.connection, self.table)

    @property
    def provider_key(self) -> int:
        """Surrogate key of the source's provider."""
        return self.dimensions.codes(dim_provider).get(self.delivery.provider, UNKNOWN)

    @cached_property
    def key_number(self) -> int:
        """Key that persons in it are hashed with: the one in use, to which every run holds itself once it is alone."""
        return self.connection.scalar(text("SELECT max(key_number) FROM ops.pseudonym_key")) or FIRST_KEY

    @property
    def moment(self) -> int:
        """Export time in microseconds."""
        return microseconds(self.delivery.exported_at)

    @property
    def exported_on(self) -> date:
        """Day of the export."""
        return self.delivery.exported_at.astimezone(VIETNAM).date()

    @property
    def prefix(self) -> str:
        """Scope in which the natural key is unique."""
        return {"provider": self.delivery.provider, "source": self.delivery.source}.get(self.contract.key_within, self.contract.feed)

    def rules(self, check: str | None) -> list[Rule]:
        """The rules of the feed, and of all feeds, that name a check of the pipeline."""
        return [rule for rule in (*self.contract.rules, *structure()) if rule.check == check]

    def count(self, rule: Rule, unexpected: int, observed: str | None = None) -> None:
        """Adds what a rule found."""
        tally = self.tallies.setdefault(rule.code, Tally(rule.severity, rule.scope))
        tally.unexpected += unexpected
        tally.success = tally.unexpected == 0
        tally.observed = observed if observed is not None else tally.observed

    def tally(self, results: Iterable[RuleResult]) -> None:
        """Adds what the checks of a chunk found."""
        for result in results:
            tally = self.tallies.setdefault(result.rule_code, Tally(result.severity, result.scope))
            tally.success &= result.success
            tally.observed = result.observed if result.observed is not None else tally.observed
            tally.unexpected += result.unexpected_count or 0

    @property
    def results(self) -> list[RuleResult]:
        """What every rule found so far."""
        return [
            RuleResult(code, tally.severity, tally.scope, tally.success, tally.observed, tally.unexpected)
            for code, tally in self.tallies.items()
        ]

    def tell_rows(self) -> None:
        """Says in words which rows broke the loader's own rules."""
        for code, words in (*self.found.told().items(), *((code, flagged.told) for code, flagged in self.flagged.items())):
            self.tallies[code].observed = "; ".join(self.told_of[code]) if code in self.told_of else words

    def refusal(self, refused: Rejected) -> Rejected:
        """A refusal of the checks with what the loader found before, its message naming the faults of both."""
        self.tell_rows()
        known = {result.rule_code for result in refused.results}
        results = [*refused.results, *(result for result in self.results if result.rule_code not in known)]
        faults = pa.concat_tables([self.found.first, *([refused.faults] if refused.faults is not None else [])])
        return Rejected(refused.rule_code, with_faults(refused.message_vi, results), results, faults)


def constant(value: int, rows: pa.Table, kind: pa.DataType) -> pa.Array:
    """The same value for every row."""
    return pa.repeat(pa.scalar(value, kind), rows.num_rows)


def mask_of(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Arrow booleans as a mask."""
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    mask: npt.NDArray[np.bool_] = flat.to_numpy(zero_copy_only=False)
    return mask
