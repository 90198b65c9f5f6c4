"""How a published value came to be what it is: its revisions, what moved each, who let it out, and which signature covers it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from expectations.contract import contract, feeds
from tasks.ask.official_table import Line, Unit
from tasks.ask.releases import shown_checksum, signed
from tasks.ask.scope import Scope
from tasks.indicators.moved import period_of, tables_of, touched_by
from tasks.words import vietnamese as vi
from warehouse.gate import gate
from warehouse.indicators import Indicator


@dataclass(frozen=True)
class Mover:
    """A delivery whose rows moved a value from one publication to the next."""

    delivery_id: int
    source: str
    file_name: str
    written: int | None
    """Rows it brought, of the unit and the fact."""
    ended: int | None
    """Rows of before that it ended: replaced, taken back or told otherwise."""
    removed_at: datetime | None = None
    """When its file was removed by rule."""

    @property
    def told(self) -> str:
        """The file and its rows, in words."""
        counts = ((self.written, "dòng vào"), (self.ended, "dòng thôi tính"))
        parts = [f"{vi.number(count)} {words}" for count, words in counts if count]
        if self.removed_at is not None:
            parts.append(f"tệp đã bỏ theo thời hạn lưu ngày {vi.day(self.removed_at)}")
        return f"{self.file_name} ({', '.join(parts)})" if parts else self.file_name


@dataclass(frozen=True)
class Approval:
    """What let a value out that was held: who accepted which finding, when and why."""

    title: str
    decided_by: str
    decided_at: datetime
    reason: str


@dataclass(frozen=True)
class Revision:
    """One published value, in force for a time."""

    revision: int
    numerator: int | None
    denominator: int | None
    value: Decimal | None
    obs_status: str
    obs_reason: str | None
    known_from: datetime
    known_to: datetime | None
    """Nothing while it is the published one."""
    publication_id: int
    published_at: datetime
    is_first: bool
    is_counted_otherwise: bool
    """Whether its indicator was defined otherwise than for the one before."""
    is_status_alone: bool
    """Whether it says the same counts as the one before, taken otherwise."""
    movers: tuple[Mover, ...] = ()
    """Who moved it most first."""
    approvals: tuple[Approval, ...] = ()
    signed_by: tuple[str, ...] = ()
    """Numbers of the signed editions it stands in."""

    @property
    def alone(self) -> Revision:
        """The same without the counts of the deliveries that moved it, which would tell the one before."""
        return replace(self, movers=tuple(replace(one, written=None, ended=None) for one in self.movers))

    @property
    def hidden(self) -> Revision:
        """The same without any count."""
        return replace(self.alone, numerator=None, denominator=None, value=None, obs_status="Q", obs_reason=None)

    @property
    def status(self) -> str:
        """How it is to be taken, in words."""
        return vi.status(self.obs_status, self.obs_reason)

    @property
    def cause(self) -> str:
        """What moved it, but for the deliveries, in words; empty where they say it all."""
        if self.is_first:
            return "lần công bố đầu"
        if self.is_counted_otherwise:
            return "cách tính được khai báo khác trước"
        if self.movers:
            return ""
        return "các nguồn đã đủ, hoặc còn thiếu; số đếm không đổi" if self.is_status_alone else "không do tệp nào của đơn vị trong kỳ"

    @property
    def approval(self) -> str:
        """Who let it out, in words."""
        told = (f"{one.decided_by} chấp nhận {vi.moment(one.decided_at)} ({one.title.lower()}): {one.reason}" for one in self.approvals)
        return "; ".join(told) or "tự công bố, không có điểm bất thường phải duyệt"


@dataclass(frozen=True)
class Signed:
    """A signed edition of the period, beside what is published now."""

    release_id: int
    publication_id: int
    signed_by: str
    signed_at: datetime
    checksum: str
    note: str | None
    printed: str
    """The value as it was signed; a dash where there was none."""
    is_as_signed: bool
    """Whether the value published now is the one that was signed."""

    @property
    def standing(self) -> str:
        """How what is published now stands to it, in words."""
        return "số đang công bố đúng như đã ký" if self.is_as_signed else "số đang công bố khác số đã ký"

    @property
    def hidden(self) -> Signed:
        """The same without the value."""
        return replace(self, printed=vi.HIDDEN)


def revisions(connection: Connection, indicator: Indicator, unit: Unit, period: str, units: Collection[int]) -> tuple[Revision, ...]:
    """The revisions of a value, the first first; `units`: keys of the unit and all below it."""
    rows = _published(connection, indicator.code, unit, period)
    movers = _movers(connection, indicator, period, units, rows[1:])
    accepted = _accepted(connection, [row.publication_id for row in rows])
    releases = signed(connection, period)
    found, before = [], None
    for row in rows:
        moved = movers.get(row.publication_id, ()) if before is not None else ()
        found.append(
            Revision(
                **{name: getattr(row, name) for name in _VALUE},
                is_first=before is None,
                is_counted_otherwise=before is not None and (row.is_declared_anew or row.indicator_key != before.indicator_key),
                is_status_alone=before is not None and (row.numerator, row.denominator) == (before.numerator, before.denominator),
                movers=moved,
                approvals=tuple(
                    Approval(gate().titled(one.check_code), one.decided_by, one.decided_at, one.reason)
                    for one in accepted
                    if one.publication_id == row.publication_id and _is_of(one, indicator, row, period, moved)
                ),
                signed_by=tuple(str(one.release_id) for one in releases if _held_then(row, one.as_of)),
            )
        )
        before = row
    return tuple(found)


def signatures(connection: Connection, line: Line, history: Sequence[Revision], scope: Scope) -> tuple[Signed, ...]:
    """The signed editions of the period, the last first, and whether the value is still as it was signed."""

    def told(row: Row[Any]) -> Signed:
        then = next((one for one in reversed(history) if _held_then(one, row.as_of)), None)
        now = history[-1] if history and history[-1].known_to is None else None
        printed = vi.NOTHING if then is None else vi.measure(then.value, line.decimals, line.unit_measure)
        return Signed(
            **{name: getattr(row, name) for name in ("release_id", "publication_id", "signed_by", "signed_at", "note")},
            checksum=shown_checksum(connection, row, scope),
            printed=printed,
            is_as_signed=then is not None and now is not None and _content(then) == _content(now),
        )

    return tuple(told(row) for row in signed(connection, line.period))


def _content(one: Revision) -> tuple[int | None, int | None, Decimal | None, str]:
    return one.numerator, one.denominator, one.value, one.obs_status


def _held_then(one: Any, at: datetime) -> bool:
    is_held: bool = one.known_from <= at and (one.known_to is None or at < one.known_to)
    return is_held


# Values -----------------------------------------------------------------------------------------------------------------

_VALUE = (
    "revision", "numerator", "denominator", "value", "obs_status", "obs_reason", "known_from", "known_to", "publication_id", "published_at",
)  # fmt: skip

# As readers see each, whatever its indicator was called and aimed at meanwhile; with the publication before the one that brought it.
_PUBLISHED = """
WITH shown AS (
    SELECT unit_key, revision, numerator, denominator, value, obs_status, obs_reason, min(known_from) AS known_from,
        CASE WHEN NOT bool_or(is_current) THEN max(known_to) END AS known_to
    FROM mart.indicator_vintage
    WHERE indicator_code = :indicator AND unit_code = :code AND unit_valid_from = :valid_from AND period = :period
    GROUP BY unit_key, revision, numerator, denominator, value, obs_status, obs_reason
)
SELECT s.*, f.indicator_key, f.publication_id, p.published_at, p.load_id, coalesce(before.load_id, 0) AS since, EXISTS (
        SELECT FROM warehouse.dim_indicator i WHERE i.indicator_key = f.indicator_key
            AND i.counted_since > before.published_at AND i.counted_since <= p.published_at) AS is_declared_anew
FROM shown s
JOIN warehouse.fact_indicator f ON (f.unit_key, f.period, f.revision) = (s.unit_key, :period, s.revision)
    AND f.indicator_key IN (SELECT indicator_key FROM warehouse.dim_indicator WHERE indicator_code = :indicator)
JOIN ops.publication p USING (publication_id)
LEFT JOIN LATERAL (
    SELECT load_id, published_at FROM ops.publication b WHERE b.publication_id < p.publication_id AND b.as_of <= p.as_of
    ORDER BY b.as_of DESC, b.publication_id DESC LIMIT 1
) before ON true
ORDER BY s.known_from, s.revision
"""


def _published(connection: Connection, code: str, unit: Unit, period: str) -> Sequence[Row[Any]]:
    """Every value that was published: nothing else here asks for what a small group hides."""
    asked = {"indicator": code, "code": unit.code, "valid_from": unit.valid_from, "period": period}
    return connection.execute(text(_PUBLISHED), asked).all()


# Causes -----------------------------------------------------------------------------------------------------------------

_LOADS = """
SELECT r.publication_id, l.load_id, d.delivery_id, d.source, d.file_name, d.file_removed_at
FROM json_to_recordset(CAST(:spans AS json)) r (publication_id int, since int, until int)
JOIN ops.load l ON l.load_id > r.since AND l.load_id <= r.until
JOIN ops.delivery d USING (delivery_id) WHERE d.feed = ANY(:feeds)
"""

_MOVED = """
SELECT load_id, period, sum(written)::bigint AS written, sum(ended)::bigint AS ended FROM (
    SELECT loaded_by AS load_id, {period} AS period, 1 AS written, 0 AS ended
    FROM warehouse.{table} f WHERE loaded_by = ANY(:loads) AND unit_key = ANY(:units)
    UNION ALL
    SELECT ended_by, {period}, 0, 1 FROM warehouse.{table} f WHERE ended_by = ANY(:loads) AND unit_key = ANY(:units)
) moved GROUP BY load_id, period
"""


def _movers(
    connection: Connection, indicator: Indicator, period: str, units: Collection[int], rows: Sequence[Row[Any]]
) -> dict[int, tuple[Mover, ...]]:
    """Publication → deliveries that wrote or ended rows of the unit, the fact and the period since the one before, as the gate tells it."""
    own, beside = tables_of(indicator) if indicator.counted_fact.table is not None else ("", ())
    tables = (own, *beside) if rows and own else ()
    if not tables:
        return {}
    named = [feed for feed in feeds() if contract(feed).table in tables]
    spans = [{"publication_id": row.publication_id, "since": row.since, "until": row.load_id} for row in rows]
    loads = connection.execute(text(_LOADS), {"spans": json.dumps(spans), "feeds": named}).all()
    counts: dict[int, list[int]] = {}
    for table in tables:
        asked = {"loads": sorted({load.load_id for load in loads}), "units": list(units)}
        for row in connection.execute(text(_MOVED.format(table=table, period=period_of(table))), asked):
            if table != own or row.period is None or period in touched_by(table, row.period):
                count = counts.setdefault(row.load_id, [0, 0])
                count[0] += row.written
                count[1] += row.ended
    found: dict[int, dict[int, list[Any]]] = {}
    for load in loads:
        if load.load_id in counts:
            of_publication = found.setdefault(load.publication_id, {})
            rows = of_publication.setdefault(load.delivery_id, [load, 0, 0])
            rows[1] += counts[load.load_id][0]
            rows[2] += counts[load.load_id][1]
    return {number: tuple(_movers_of(rows.values())) for number, rows in found.items()}


def _movers_of(found: Iterable[list[Any]]) -> Iterator[Mover]:
    for load, written, ended in sorted(found, key=lambda one: (-one[1] - one[2], one[0].delivery_id)):
        yield Mover(load.delivery_id, load.source, load.file_name, written, ended, load.file_removed_at)


# Who let it out ---------------------------------------------------------------------------------------------------------

_ACCEPTED = """
SELECT publication_id, check_code, indicator_code, unit_key, period, source, deliveries, decided_by, decided_at, reason
FROM ops.alarm WHERE decision = 'accepted' AND publication_id = ANY(:publications) ORDER BY decided_at, alarm_id
"""


def _accepted(connection: Connection, publications: Sequence[int]) -> Sequence[Row[Any]]:
    return connection.execute(text(_ACCEPTED), {"publications": list(publications)}).all()


def _is_of(alarm: Row[Any], indicator: Indicator, row: Row[Any], period: str, movers: Sequence[Mover]) -> bool:
    """Whether a finding is about the value, or about a source that moved it."""
    if alarm.source is None:
        return bool((alarm.indicator_code, alarm.unit_key, alarm.period) == (indicator.code, row.unit_key, period))
    return any(mover.delivery_id in alarm.deliveries or mover.source == alarm.source for mover in movers)
