"""Rows set aside: by the rules that need the warehouse, and by the checks before; never without a reason in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from expectations.contract import ROW_NUMBER, Contract
from tasks.deliveries.ledger import Delivery
from tasks.load.history import Mask, copy_temporary, temporary
from tasks.load.places import keep_places
from tasks.load.work import Finding, Flagged, Load
from tasks.read.bounded import Broke
from tasks.read.rows import Rejected
from tasks.validate.checks import Checked
from tasks.words.vietnamese import one_line, safe


def take(work: Load, part: Checked) -> None:
    """Counts what the checks found in a chunk and puts its faults into quarantine."""
    work.received += part.received
    work.ignored += part.ignored
    work.tally(part.results)
    work.quarantined += len(pc.unique(part.faults["row_number"]))
    keep(work.connection, work.delivery, work.contract, part.faults, "open")
    if part.set_aside is not None:
        keep_places(work, part.set_aside, part.faults)


def judge(work: Load, rows: pa.Table, found: Sequence[Finding]) -> Mask:
    """Counts what broke the rules that need the warehouse and sets aside what may not be loaded; True for rows to load."""
    loadable = ~np.isin(rows[ROW_NUMBER].to_numpy(), work.dismissed)
    work.quarantined += int((~loadable).sum())
    for item in found:
        for rule in work.rules(item.check):
            broken = item.rows & loadable
            work.count(rule, int(broken.sum()))
            if rule.severity == "critical" and broken.any():
                loadable &= ~broken
                column = item.column or (rule.columns[0] if rule.columns else "")
                faults = _faults(work, rows, broken, rule.code, column, item.awaited)
                work.found.add(faults)
                work.quarantined += faults.num_rows
                keep(work.connection, work.delivery, work.contract, faults, "open", item.observed)
                if item.observed and item.observed not in work.told_of.setdefault(rule.code, []):
                    work.told_of[rule.code].append(item.observed)
                keep_places(work, rows.filter(pa.array(broken)), faults)
            elif broken.any():
                things = item.things[broken] if item.things is not None else None
                work.flagged.setdefault(rule.code, Flagged()).add(rows.filter(pa.array(broken)), things)
    return loadable


def _faults(work: Load, rows: pa.Table, broken: Mask, rule_code: str, column: str, awaited: pa.Array | None) -> pa.Table:
    chosen = pa.array(broken)
    picked = rows.filter(chosen)
    headers = work.contract.layouts[work.delivery.layout].headers
    name = next((header for header, named in headers.items() if column and named == column), "")
    return pa.table(
        {
            "row_number": picked[ROW_NUMBER],
            "rule_code": pa.repeat(rule_code, picked.num_rows),
            "column_name": pa.repeat(name, picked.num_rows),
            "natural_key": work.contract.shown_keys({part: picked[part] for part in work.contract.natural_key}),
            "awaited_key": awaited.filter(chosen) if awaited is not None else pa.nulls(picked.num_rows, pa.int64()),
        }
    )


def keep(connection: Connection, delivery: Delivery, contract: Contract, faults: pa.Table, status: str, observed: str = "") -> None:
    """Writes faults into quarantine in the words of their rules; a dismissal or correction stays, what was released opens again.

    `observed`: what is told of all of them.
    """
    if not faults.num_rows:
        return
    faults = pa.table({name: faults[name] for name in ("row_number", "rule_code", "column_name", "natural_key", "awaited_key")})
    faults = faults.group_by(["row_number", "rule_code", "column_name"], use_threads=False).aggregate(
        [("natural_key", "max"), ("awaited_key", "max")]
    )
    said = faults.group_by(["rule_code", "column_name"], use_threads=False).aggregate([]).to_pylist()
    words = {(s["rule_code"], s["column_name"]): contract.rule(s["rule_code"]) for s in said}
    pairs = list(zip(faults["rule_code"].to_pylist(), faults["column_name"].to_pylist(), strict=True))
    file = safe(delivery.file_name)
    texts = {pair: one_line(rule.message_vi.format(column=pair[1], file=file, observed=observed)) for pair, rule in words.items()}
    awaited = faults["awaited_key_max"]
    temporary(connection, "faults", "LIKE ops.quarantine INCLUDING DEFAULTS")
    copy_temporary(
        connection,
        "faults",
        pa.table(
            {
                "delivery_id": pa.repeat(delivery.delivery_id, faults.num_rows),
                "row_number": faults["row_number"],
                "rule_code": faults["rule_code"],
                "column_name": faults["column_name"],
                "natural_key": faults["natural_key_max"],
                "severity": pa.array([words[pair].severity for pair in pairs]),
                "message_vi": pa.array([texts[pair] for pair in pairs]),
                "status": pc.if_else(pc.and_(awaited.is_valid(), status == "open"), "waiting", status),
                "awaited_key": awaited,
            }
        ),
    )
    connection.execute(text(_KEEP))
    connection.execute(text("DROP TABLE pg_temp.faults"))


_KEEP = """
INSERT INTO ops.quarantine SELECT * FROM pg_temp.faults ON CONFLICT (delivery_id, row_number, rule_code, column_name)
DO UPDATE SET natural_key = excluded.natural_key, severity = excluded.severity, message_vi = excluded.message_vi,
    awaited_key = excluded.awaited_key, checked_at = excluded.checked_at,
    status = CASE WHEN quarantine.status IN ('dismissed', 'corrected') THEN quarantine.status ELSE excluded.status END
"""


def let_go(connection: Connection, delivery: Delivery) -> None:
    """Forgets the faults of earlier readings that this one did not find; what was dismissed stays left out."""
    gone = "delivery_id = :number AND status <> 'dismissed' AND checked_at < now()"
    connection.execute(text(f"DELETE FROM ops.quarantine WHERE {gone}"), {"number": delivery.delivery_id})
    connection.execute(text(_LEFT), {"number": delivery.delivery_id})


_LEFT = """
DELETE FROM ops.quarantine_place p WHERE delivery_id = :number AND NOT EXISTS (
    SELECT FROM ops.quarantine q WHERE (q.delivery_id, q.row_number) = (p.delivery_id, p.row_number))
"""


def read_by(connection: Connection, delivery: Delivery) -> None:
    """Notes that the delivery was read by its corrections."""
    if delivery.corrections:
        last = max(one.correction_id for one in delivery.corrections)
        connection.execute(
            text("UPDATE ops.correction SET read_at = now() WHERE delivery_id = :number AND correction_id <= :last AND read_at IS NULL"),
            {"number": delivery.delivery_id, "last": last},
        )


Quote = Callable[[Mapping[str, list[int]]], Iterable[pa.Table]]
"""Header → numbers of rows, to the cells there (`tasks.read.quoted.CELLS`)."""


def quote(connection: Connection, delivery: Delivery, quoted: Quote) -> None:
    """Adds the cells to the faults that were just found, from the landed file; of what cannot be read twice nothing is said."""
    found = connection.execute(
        text(
            "SELECT column_name, array_agg(DISTINCT row_number) AS rows FROM ops.quarantine "
            "WHERE delivery_id = :number AND column_name <> '' AND checked_at = now() GROUP BY column_name"
        ),
        {"number": delivery.delivery_id},
    )
    wanted = {one.column_name: one.rows for one in found}
    if not wanted:
        return
    try:
        cells = [*quoted(wanted)]
    except (Rejected, Broke):
        return
    if cells:
        temporary(connection, "cell", "row_number integer, column_name text, value text, cell_hash text")
        copy_temporary(connection, "cell", pa.concat_tables(cells))
        connection.execute(text(_QUOTE), {"number": delivery.delivery_id})
        connection.execute(text("DROP TABLE pg_temp.cell"))


_QUOTE = """
UPDATE ops.quarantine AS q SET value = c.value, cell_hash = c.cell_hash FROM pg_temp.cell AS c
WHERE q.delivery_id = :number AND q.row_number = c.row_number AND q.column_name = c.column_name
"""
