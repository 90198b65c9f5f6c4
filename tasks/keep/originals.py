"""Landed files and what rests on them: which may go, and which way they lie there.

A file stays while one of its deliveries is waited for, has rows that nobody decided on, has a state in force, or had one when an edition
was published that somebody signed: whoever asks what a signed number was made of finds the very bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from expectations.contract import contract
from tasks.deliveries import landed
from tasks.keep.backup import Tell
from tasks.load.decisions import is_refused
from warehouse.tables import WAREHOUSE, metadata

WAITS, UNDECIDED = "đang chờ nạp", "có dòng để riêng chưa ai quyết định"
SIGNED, IN_FORCE = "bản đã ký dựa vào", "có dòng còn hiệu lực"
"""Why a file stays though it is old, in words."""
FORGOTTEN = timedelta(days=1)
"""A file that was only begun is at work for no longer."""


@dataclass(frozen=True)
class Original:
    """The bytes of one delivery or several, of the same source."""

    source: str
    sha256: str
    feed: str
    received_at: datetime
    """When it last came."""
    deliveries: tuple[int, ...]
    waits: bool
    """Whether a delivery of it waits to be read."""
    is_removed: bool

    @property
    def is_personal(self) -> bool:
        """Whether its feed names persons, who are hashed or dropped as it is read."""
        return _names_persons(self.feed)

    def remove(self, home: Path, *, tries: bool) -> int:
        """Removes the file, and returns how many bytes that frees."""
        path = landed.place(home, self.source, self.sha256)
        size = landed.occupied(path)
        if not tries:
            landed.remove(path)
        return size


@cache
def _names_persons(feed: str) -> bool:
    return any(column.type in ("hash", "dropped") for column in contract(feed).columns.values())


def originals(connection: Connection) -> list[Original]:
    """Every file that was landed, those that came first in front."""
    rows = connection.execute(text(_ORIGINALS))
    return [Original(row.source, row.sha256, row.feed, row.received_at, tuple(row.ids), row.waits, row.is_removed) for row in rows]


_ORIGINALS = """
SELECT source, sha256, min(feed) AS feed, max(received_at) AS received_at, array_agg(delivery_id ORDER BY delivery_id) AS ids,
    bool_or(status = 'landed') AS waits, bool_and(file_removed_at IS NOT NULL) AS is_removed
FROM ops.delivery GROUP BY source, sha256 ORDER BY max(received_at), source, sha256
"""


def held(connection: Connection, files: Sequence[Original]) -> dict[Original, str]:
    """Why files have to stay, those that do."""
    kept = [one for one in files if not one.is_removed]
    ids = [number for one in kept for number in one.deliveries]
    if not ids:
        return {}
    why = {reason: set(connection.scalars(text(query), {"ids": ids})) for reason, query in _held_by().items()}
    found = {}
    for one in kept:
        if reason := next((reason for reason, numbers in why.items() if numbers & set(one.deliveries)), None):
            found[one] = reason
    return found


def _held_by() -> dict[str, str]:
    """Why → SQL of the deliveries, among some, that have to stay for it; the first reason that fits is told."""
    with_states = [t.fullname for t in metadata.sorted_tables if t.schema == WAREHOUSE and {"delivery_id", "ended_by"} <= {*t.c.keys()}]
    signed = "SELECT load_id FROM ops.publication WHERE publication_id IN (SELECT publication_id FROM ops.release)"
    among = "delivery_id = ANY(:ids)"
    in_a_signed = f"EXISTS (SELECT FROM ({signed}) AS s WHERE loaded_by <= s.load_id AND (ended_by IS NULL OR ended_by > s.load_id))"
    return {
        WAITS: f"SELECT delivery_id FROM ops.delivery WHERE {among} AND status = 'landed'",
        UNDECIDED: _UNDECIDED,
        SIGNED: " UNION ".join(f"SELECT delivery_id FROM {table} WHERE {among} AND {in_a_signed}" for table in with_states),
        IN_FORCE: " UNION ".join(
            [f"SELECT delivery_id FROM {table} WHERE {among} AND known_to = 'infinity'" for table in with_states]
            + [f"SELECT delivery_id FROM ops.confirmation WHERE {among}"]
        ),
    }


_UNDECIDED = f"""
SELECT delivery_id FROM ops.delivery AS d WHERE delivery_id = ANY(:ids) AND (
    {is_refused("d")}
    OR EXISTS (SELECT FROM ops.quarantine AS q WHERE q.delivery_id = d.delivery_id AND q.status IN ('open', 'waiting', 'released'))
    OR EXISTS (SELECT FROM ops.correction AS c WHERE c.delivery_id = d.delivery_id AND c.read_at IS NULL)
    OR d.status = 'rejected' AND EXISTS (
        SELECT FROM ops.allowance AS a WHERE a.delivery_id = d.delivery_id AND a.decided_at > d.loaded_at))
"""


def remove_old(connection: Connection, files: Sequence[Original], now: datetime) -> int:
    """Notes that files go, and returns how many rows set aside go with them: what was found in them is known by its counts alone."""
    ids = [number for one in files for number in one.deliveries]
    values = {"ids": ids, "now": now}
    own = "WHERE delivery_id = ANY(:ids)"
    connection.execute(text(f"UPDATE ops.delivery SET file_removed_at = :now {own} AND file_removed_at IS NULL"), values)
    connection.execute(text(f"DELETE FROM ops.quarantine_place {own}"), values)
    return int(connection.execute(text(f"DELETE FROM ops.quarantine {own}"), values).rowcount)


def compress_old(home: Path, files: Sequence[Original], now: datetime, tell: Tell, *, tries: bool) -> Iterator[int | None]:
    """Compresses those files that still lie there plain, and clears away what was only begun; how many bytes each frees, nothing of a
    damaged one.
    """
    for path in (home / "landing").glob("*/.*"):
        if path.is_file() and path.stat().st_mtime < (now - FORGOTTEN).timestamp():
            size = path.stat().st_size
            if not tries:
                path.unlink()
            yield size
    plain = [path for one in files if (path := landed.place(home, one.source, one.sha256)).exists()]
    for number, path in enumerate(plain):
        tell("Nén tệp đã nhận", number, len(plain))
        try:
            yield landed.compress(path, tries=tries)
        except landed.Damaged:
            yield None
