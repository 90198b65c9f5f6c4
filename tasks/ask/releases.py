"""Who signed what: the signatures under the periods, without what they keep, and the checksum over signed values."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, select

from tasks.ask.official_table import Line, check_period
from tasks.ask.scope import Scope
from tasks.deliveries import edition_folder
from tasks.words import vietnamese as vi
from warehouse.tables import release

_TOLD = [column for column in release.c if column.name != "content"]


def signed(connection: Connection, period: str) -> Sequence[Row[Any]]:
    """The signatures under a period, the last first."""
    check_period(period)
    return connection.execute(select(*_TOLD).where(release.c.period == period).order_by(release.c.release_id.desc())).all()


def all_signed(connection: Connection) -> Sequence[Row[Any]]:
    """Every signature, the last first."""
    return connection.execute(select(*_TOLD).order_by(release.c.release_id.desc())).all()


def find_signed(connection: Connection, release_id: int) -> Row[Any] | None:
    """One signature; nothing where there is none of that number."""
    return connection.execute(select(*_TOLD).where(release.c.release_id == release_id)).one_or_none()


def checksum(lines: Iterable[Any]) -> str:
    """SHA-256 over the values, as whoever takes an edition makes it again."""
    return edition_folder.checksum(tuple(getattr(line, name) for name in edition_folder.CHECKED) for line in lines)


def citation(period: str, edition: str, day: datetime, over_values: str, *, is_sample: bool) -> str:
    """How to cite an edition of a period: what, which one, of which day, with the checksum over what anybody may see of it."""
    sample = f" ({vi.SAMPLE})" if is_sample else ""
    return f"Ba Không{sample}, {vi.in_text(period)}, {edition}, {vi.day(day)}, SHA-256 {over_values}"


@dataclass(frozen=True)
class _Kept:
    """Of what is kept with a signature, the values."""

    lines: list[Line]


_KEPT = TypeAdapter(_Kept)


def shown_checksum(connection: Connection, signature: Row[Any], scope: Scope) -> str:
    """The checksum over the signed values that whoever has a scope may see: from one over all of them, few counts could be tried out."""
    if not scope.is_public:
        return str(signature.checksum)
    return checksum(line.for_public() for line in _KEPT.validate_json(kept(connection, signature.release_id)).lines)


def kept(connection: Connection, release_id: int) -> bytes:
    """What is kept with a signature, as JSON."""
    packed: bytes = connection.execute(select(release.c.content).where(release.c.release_id == release_id)).scalar_one()
    return zlib.decompress(packed)
