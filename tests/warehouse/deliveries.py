"""Small deliveries for tests of the loader: what the validator would hand over, without a file."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, insert

from expectations.contract import contract
from tasks.deliveries.coverage import Stretch
from tasks.deliveries.ledger import Delivery, Outcome
from tasks.load.deliver import load
from tasks.read.file import FAULTS
from tasks.validate.checks import Checked, RuleResult
from tasks.words.vietnamese import VIETNAM
from warehouse.tables import delivery as deliveries

LAYOUTS = {"bills": "evn_csv", "payments": "ecpay_csv", "dossiers": "dvcqg_csv"}
PROVIDERS = {
    "bills": "evn",
    "payments": "ecpay",
    "merchants": "vnpay",
    "signatures": "vnpt",
    "signature_holders": "vnpt",
    "unit_counts": "vpubnd",
}
_numbers = itertools.count(1)


def land(
    engine: Engine,
    feed: str,
    day: str,
    *,
    source: str | None = None,
    provider: str | None = None,
    covers: str | None = None,
    layout: str | None = None,
    is_declared: bool = False,
) -> Delivery:
    """A delivery that was pulled: exported at the end of a day, not yet ingested; its name speaks of that day, or of what is given."""
    exported_at = datetime.fromisoformat(f"{day}T23:59:59").replace(tzinfo=VIETNAM)
    sha256 = hashlib.sha256(str(next(_numbers)).encode()).hexdigest()
    layout = layout or LAYOUTS.get(feed) or next(iter(contract(feed).layouts))
    row = {
        "source": source or feed,
        "feed": feed,
        "layout": layout,
        "provider": provider or PROVIDERS.get(feed, "td"),
        "file_name": f"{feed}_{day.replace('-', '')}.csv",
        "sha256": sha256,
        "exported_at": exported_at,
        "is_declared": is_declared,
    }
    with engine.begin() as connection:
        number = connection.scalar(
            insert(deliveries).values(**row, received_at=exported_at, status="landed").returning(deliveries.c.delivery_id)
        )
    assert number is not None
    return Delivery(delivery_id=number, path=Path("unused"), covers=Stretch.of(covers or day), **row)  # type: ignore[arg-type]


def checked(
    feed: str,
    rows: Sequence[dict[str, Any]],
    *,
    ignored: int = 0,
    faults: Sequence[dict[str, Any]] = (),
    results: Sequence[RuleResult] = (),
    set_aside: Sequence[dict[str, Any]] = (),
) -> Checked:
    """Accepted rows of a feed, numbered as in a file; columns not named are missing. `set_aside`: what of the rows at fault was typed."""
    schema = contract(feed).schema

    def typed(rows: Sequence[dict[str, Any]]) -> pa.Table:
        numbered = [{**dict.fromkeys(schema.names), "row_number": number, **row} for number, row in enumerate(rows, 1)]
        return pa.Table.from_pylist(numbered, schema=schema)

    table = typed(rows)
    found = pa.Table.from_pylist([{**dict.fromkeys(FAULTS.names), **fault} for fault in faults], schema=FAULTS)
    rows_at_fault = len({fault["row_number"] for fault in faults})
    received = table.num_rows + ignored + rows_at_fault
    return Checked(table, found, ignored, received, [*results], set_aside=typed(set_aside))


def deliver(engine: Engine, delivery: Delivery, rows: Sequence[dict[str, Any]], **others: Any) -> Outcome:
    """Loads rows as that delivery."""
    return load(engine, delivery, contract(delivery.feed), [checked(delivery.feed, rows, **others)])
