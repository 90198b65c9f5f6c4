"""What would become of rows set aside if a night read them again now: which would go in, and which rules the others still break.

The landed file is read and checked as a night does it, and what its rows are held against in the warehouse is looked up in a
transaction that is taken back: nothing is changed, by whoever may read both.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from expectations.contract import ROW_NUMBER, Contract
from tasks.deliveries import landed
from tasks.deliveries.ledger import Delivery, delivered, usual_rows
from tasks.deliveries.source import read_sources, terms_of
from tasks.load.chosen import MATCHES, Chosen
from tasks.load.dimensions import Dimensions
from tasks.load.facts import facts_of
from tasks.load.work import Load
from tasks.read.bounded import read
from tasks.read.limits import read_limits
from tasks.read.rows import Rejected
from tasks.validate.checks import Opened
from tasks.words.vietnamese import number
from warehouse.settings import Settings


@dataclass(frozen=True)
class Foreseen:
    """What would become of some rows."""

    rows: int
    """How many were asked about."""
    loadable: tuple[int, ...] = ()
    """Numbers of those that would go in."""
    still_broken: dict[str, int] = field(default_factory=dict)
    """Rule → how many of the others it would set aside again."""
    refused: str | None = None
    """Why the whole file would be refused, where it would."""
    unknown: str | None = None
    """What is closed to whoever asks: the landed file, so that nothing can be said, or what the warehouse's rules look into."""

    @property
    def says_something(self) -> bool:
        """Whether it is known of any row what would become of it."""
        return bool(self.loadable or self.still_broken or self.refused)

    @property
    def told(self) -> str:
        """The same in words."""
        if self.refused is not None:
            return f"Đọc lại thì cả tệp bị từ chối: {self.refused}"
        closed = f"Không xem trước được: {self.unknown}."
        if not self.says_something and self.unknown is not None:
            return closed
        rules = ", ".join(f"{code} ({number(rows)} dòng)" for code, rows in sorted(self.still_broken.items()))
        again = f"; {number(self.rows - len(self.loadable))} dòng lại bị để riêng vì vẫn sai quy tắc {rules}" if rules else ""
        words = f"{number(len(self.loadable))} trong {number(self.rows)} dòng sẽ được nạp{again}."
        return f"{words} {closed}" if self.unknown is not None else words


def foreseen(engine: Engine, settings: Settings, chosen: Chosen) -> Foreseen:
    """What would become of rows that are set aside; nothing is changed."""
    with engine.connect() as connection:
        asked = set(connection.scalars(text(f"SELECT DISTINCT row_number FROM ops.quarantine WHERE {MATCHES}"), chosen.values))
    found = delivered(engine, settings.home, [chosen.delivery_id])
    if not found or not asked:
        return Foreseen(0)
    [delivery] = found
    source = next((one for one in read_sources(settings.sources) if one.name == delivery.source), None)
    agreed = terms_of(delivery.feed, delivery.layout, source)
    broken: dict[str, set[int]] = defaultdict(set)
    unknown = None
    try:
        tables = _checked(engine, settings, delivery, agreed, asked, broken)
    except Rejected as refused:
        return Foreseen(len(asked), refused=refused.message_vi)
    except OSError as closed:
        why = f"tệp đã nhận không đọc được từ đây ({closed.strerror})"
        return Foreseen(len(asked), unknown=why if delivery.removed_at is None else landed.removed(delivery.removed_at))
    try:
        with engine.connect() as connection:  # what is made in it is gone when it is closed
            _held_against_the_warehouse(connection, delivery, agreed, tables, broken)
    except Rejected as refused:
        return Foreseen(len(asked), refused=refused.message_vi)
    except (DBAPIError, psycopg.Error) as error:  # of a COPY the driver's own
        if getattr(getattr(error, "orig", error), "sqlstate", None) != "42501":
            raise
        unknown = "tài khoản này không đọc được các bảng trong kho mà quy tắc cần"
    loadable = {row for table in tables for row in table[ROW_NUMBER].to_pylist()}.difference(*broken.values())
    return Foreseen(len(asked), tuple(sorted(loadable)), {code: len(rows) for code, rows in broken.items()}, unknown=unknown)


def _checked(
    engine: Engine, settings: Settings, delivery: Delivery, agreed: Contract, asked: set[int], broken: dict[str, set[int]]
) -> list[pa.Table]:
    """The rows asked about that pass the checks of the file; notes which rules the others break."""
    key = settings.secret_key or secrets.token_bytes(32)  # equal persons are equal under any
    limits = read_limits(settings.sources)
    chunks = read(delivery.path, agreed, delivery.layout, key, delivery.file_name, corrections=delivery.corrections, limits=limits)
    wanted, tables = pa.array(sorted(asked), pa.int32()), []
    for part in Opened.of(delivery, agreed, chunks).checked(lambda: usual_rows(engine, delivery)):
        faults = part.faults.filter(pc.is_in(part.faults["row_number"], value_set=wanted))
        for code, row in zip(faults["rule_code"].to_pylist(), faults["row_number"].to_pylist(), strict=True):
            broken[code].add(row)
        tables.append(part.table.filter(pc.is_in(part.table[ROW_NUMBER], value_set=wanted)))
    return [table for table in tables if table.num_rows]


def _held_against_the_warehouse(
    connection: Connection, delivery: Delivery, agreed: Contract, tables: list[pa.Table], broken: dict[str, set[int]]
) -> None:
    """Notes which rows break the rules that need the warehouse."""
    work = Load(connection, delivery, agreed, Dimensions(connection, delivery.delivery_id), load_id=0)
    for table in tables:
        loadable = np.ones(table.num_rows, dtype=bool)
        for item in facts_of(work, table)[1]:
            for rule in work.rules(item.check):
                found = item.rows & loadable
                if rule.severity == "critical" and found.any():  # as the loader counts them: by the first rule alone
                    broken[rule.code] |= set(table[ROW_NUMBER].to_numpy()[found].tolist())
                    loadable &= ~found
