"""Deliveries as ops.delivery knows them: what waits, what was taken, what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, func, select, text

from tasks.deliveries import landed
from tasks.deliveries.correction import Correction
from tasks.deliveries.coverage import Stretch
from tasks.deliveries.rhythm import RHYTHMS
from tasks.deliveries.source import Source
from tasks.words.understood import did_you_mean
from tasks.words.vietnamese import VIETNAM, one_line
from warehouse.seed import sync_rows
from warehouse.settings import Refusal
from warehouse.tables import allowance, completion, unreachable
from warehouse.tables import delivery as deliveries
from warehouse.tables import source as sources_known


@dataclass(frozen=True)
class Delivery:
    """One file as received, on its way into the warehouse."""

    delivery_id: int
    source: str
    feed: str
    layout: str
    provider: str
    file_name: str
    sha256: str
    path: Path
    """Where its plain bytes lie, if they do: `tasks.deliveries.landed` reads them whichever way they lie there."""
    exported_at: datetime
    covers: Stretch | None = None
    """Days that its name says it is about."""
    is_declared: bool = False
    """Whether the pattern of its source says so; else the name was understood as names usually are."""
    named_unit: str | None = None
    """Unit, or any other word for its part of a period, that the source's pattern finds in the name."""
    is_loaded: bool = False
    """Its rows are in the warehouse already: it is read again."""
    let_pass: frozenset[str] = frozenset()
    """Rules for which it was refused, and which a steward says it may break."""
    corrections: tuple[Correction, ...] = ()
    """Cells that are read otherwise than they were sent."""
    removed_at: datetime | None = None
    """When its file was removed by rule; nothing while it is kept."""


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery."""

    delivery_id: int
    status: str
    verdict: str
    received: int
    loaded: int
    unchanged: int
    quarantined: int
    ignored: int
    message_vi: str | None = None
    cause: str | None = None
    """Of what was refused, the source and the rule: the same for the same fault, night after night."""


def pending(engine: Engine, home: Path) -> list[Delivery]:
    """Deliveries that wait to be ingested, or were refused and are let pass by a steward, in the order in which they were exported."""
    is_let_pass = select(allowance).where(
        allowance.c.delivery_id == deliveries.c.delivery_id, allowance.c.decided_at > deliveries.c.loaded_at
    )
    is_refused = (deliveries.c.status == "rejected") & deliveries.c.file_removed_at.is_(None)
    waits = (deliveries.c.status == "landed") | is_refused & is_let_pass.exists()
    with engine.connect() as connection:
        return _found(connection, waits, home)


def delivered(engine: Engine, home: Path, ids: list[int]) -> list[Delivery]:
    """Deliveries by number, in the order in which they were exported: what is read again when waiting or released rows may go in."""
    with engine.connect() as connection:
        return _found(connection, deliveries.c.delivery_id.in_(ids), home)


def lost_originals(connection: Connection, home: Path, ids: Iterable[int]) -> list[str]:
    """Names of files whose bytes are not in the landing any more, for no rule: what was made of them stands, they cannot be read again."""
    found = _found(connection, deliveries.c.delivery_id.in_(list(ids)), home)
    return [delivery.file_name for delivery in found if delivery.removed_at is None and not landed.is_there(delivery.path)]


def _found(connection: Connection, condition: ColumnElement[bool], home: Path) -> list[Delivery]:
    allowed = select(func.array_agg(allowance.c.rule_code)).where(allowance.c.delivery_id == deliveries.c.delivery_id)
    query = select(deliveries, allowed.scalar_subquery().label("let_pass")).where(condition)
    query = query.order_by(deliveries.c.exported_at, deliveries.c.delivery_id)
    rows = connection.execute(query).all()
    corrections = _corrections(connection, [row.delivery_id for row in rows])
    return [_delivery(row, home, tuple(corrections[row.delivery_id])) for row in rows]


def _corrections(connection: Connection, ids: list[int]) -> dict[int, list[Correction]]:
    """The last correction of each cell, by delivery."""
    found: dict[int, list[Correction]] = defaultdict(list)
    last = (
        "SELECT DISTINCT ON (delivery_id, row_number, column_name) delivery_id, correction_id, row_number, column_name, value "
        "FROM ops.correction WHERE delivery_id = ANY(:ids) ORDER BY delivery_id, row_number, column_name, correction_id DESC"
    )
    for row in connection.execute(text(last), {"ids": ids}) if ids else ():
        found[row.delivery_id].append(Correction(row.correction_id, row.row_number, row.column_name, row.value))
    return found


def _delivery(row: Row[Any], home: Path, corrections: tuple[Correction, ...]) -> Delivery:
    return Delivery(
        row.delivery_id,
        row.source,
        row.feed,
        row.layout,
        row.provider,
        row.file_name,
        row.sha256,
        landed.place(home, row.source, row.sha256),
        row.exported_at.astimezone(VIETNAM),
        Stretch.of(row.named_period) if row.named_period else None,
        row.is_declared,
        row.named_unit,
        row.loaded_at is not None and row.status != "rejected",
        frozenset(row.let_pass or ()),
        corrections,
        row.file_removed_at,
    )


def know_sources(connection: Connection, sources: Iterable[Source]) -> None:
    """Writes down who sends what and how often, as sources.yaml says tonight: by it a period is held to be complete."""
    told = ("feed", "layout", "expected", "provider", "title", "rank")
    rows = [
        {"source": source.name, "is_required": source.required, **{name: getattr(source, name) for name in told}}
        | {"patience_days": RHYTHMS[source.expected].patience.days if source.expected in RHYTHMS else None}
        for source in sources
    ]
    connection.execute(sources_known.delete().where(sources_known.c.source.not_in([row["source"] for row in rows])))
    sync_rows(connection, sources_known, rows, ["source"])


def note_unreachable(connection: Connection, run_id: int, missed: Iterable[tuple[str, str]]) -> None:
    """Writes down what a run could not take, source by source, and why."""
    rows = [{"run_id": run_id, "source": source, "message_vi": one_line(line)} for source, line in dict.fromkeys(missed)]
    if rows:
        connection.execute(unreachable.insert(), rows)


def complete(connection: Connection, source: str, period: str, by: str, *, undone: bool = False) -> None:
    """Notes that no more will come of a source for a period, or that it is awaited after all; Refusal where there is no such source."""
    known = list(connection.scalars(select(sources_known.c.source).order_by(sources_known.c.source)))
    if source not in known:
        raise Refusal(f"Không có nguồn {source!r}.{did_you_mean(source, known)} Có: {', '.join(known) or 'chưa có lượt chạy nào'}.")
    connection.execute(completion.delete().where(completion.c.source == source, completion.c.period == period))
    if not undone:
        row = {"source": source, "period": period, "decided_by": by, "decided_at": datetime.now(VIETNAM)}
        connection.execute(completion.insert(), row)


def usual_rows(engine: Engine, delivery: Delivery) -> int | None:
    """How many rows the last deliveries of the same source and layout had: their median, or nothing where there were fewer than three."""
    with engine.connect() as connection:
        usual: int | None = connection.scalar(
            text(
                "SELECT CASE WHEN count(*) >= 3 THEN percentile_disc(0.5) WITHIN GROUP (ORDER BY rows_received) END FROM ("
                "  SELECT rows_received FROM ops.delivery WHERE source = :source AND layout = :layout "
                "  AND status IN ('loaded', 'superseded') AND exported_at < :exported_at ORDER BY exported_at DESC LIMIT 8) earlier"
            ),
            {"source": delivery.source, "layout": delivery.layout, "exported_at": delivery.exported_at},
        )
    return usual
