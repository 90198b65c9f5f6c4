"""Deliveries as ops.delivery knows them: what waits, what was taken, what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, select, text

from tasks.words.vietnamese import VIETNAM
from warehouse.tables import delivery as deliveries

ORDER = ("procedures", "agencies", "merchants", "bills", "dossiers", "payments")
"""Feeds that others refer to come first; the rest follow."""


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
    exported_at: datetime
    business_period: str | None
    is_loaded: bool = False
    """Its rows are in the warehouse already: it is read again."""


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


def pending(engine: Engine, home: Path) -> list[Delivery]:
    """Deliveries that wait to be ingested, in the order in which they must be."""
    query = select(deliveries).where(deliveries.c.status == "landed")
    with engine.connect() as connection:
        waiting = [_delivery(row, home) for row in connection.execute(query)]
    return in_order(waiting)


def delivered(engine: Engine, home: Path, ids: list[int]) -> list[Delivery]:
    """Deliveries by number, in ingest order: what is read again when waiting or released rows may go in."""
    with engine.connect() as connection:
        found = [_delivery(row, home) for row in connection.execute(select(deliveries).where(deliveries.c.delivery_id.in_(ids)))]
    return in_order(found)


def in_order(found: list[Delivery]) -> list[Delivery]:
    """Deliveries in the order of ingest: what others refer to first, then as they were exported."""
    return sorted(found, key=lambda d: (ORDER.index(d.feed) if d.feed in ORDER else len(ORDER), d.exported_at, d.delivery_id))


def _delivery(row: Row[Any], home: Path) -> Delivery:
    return Delivery(
        row.delivery_id,
        row.source,
        row.feed,
        row.layout,
        row.provider,
        row.file_name,
        row.sha256,
        home / "landing" / row.source / row.sha256,
        row.exported_at.astimezone(VIETNAM),
        row.business_period,
        row.loaded_at is not None and row.status != "rejected",
    )


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
