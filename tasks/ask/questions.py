"""What people ask of the warehouse: how the sources stand, what was set aside and why, which printed figures hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import starmap
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Connection, Row, text

from expectations.contract import every_rule, structure
from tasks.ask.nights import unreachable_since
from tasks.ask.scope import Scope
from tasks.count.held_back import FORM_06A
from tasks.deliveries.rhythm import RHYTHMS
from tasks.deliveries.run_lock import LOCK_HELD
from tasks.load.decisions import is_dismissed
from tasks.words import vietnamese as vi
from tasks.words.understood import did_you_mean
from tasks.words.vietnamese import VIETNAM, days_since
from warehouse.settings import Refusal

if TYPE_CHECKING:
    from tasks.deliveries.source import Source


@dataclass(frozen=True)
class KnownSource:
    """A source as the last night knew it, for those who have no sources.yaml at hand."""

    name: str
    feed: str
    layout: str
    provider: str
    expected: str
    title: str
    provider_name: str


def known_sources(connection: Connection) -> list[KnownSource]:
    """The sources of the last night, in the order of its sources.yaml."""
    rows = connection.execute(
        text(
            "SELECT s.source, s.feed, s.layout, s.provider, s.expected, coalesce(nullif(s.title, ''), s.source), "
            "  coalesce(p.provider_name, s.provider) "
            "FROM ops.source s LEFT JOIN warehouse.dim_provider p ON p.provider_code = s.provider ORDER BY s.rank, s.source"
        )
    )
    return list(starmap(KnownSource, rows))


Sender = TypeVar("Sender", "Source", KnownSource)


@dataclass(frozen=True)
class SourceState(Generic[Sender]):
    """One source: its last delivery, whether its silence is late, and whether it could be reached."""

    source: Sender
    last: Row[Any] | None
    taken_at: datetime | None
    """When the last delivery was made of which something was taken: what was refused ends no silence. Nothing where there is none."""
    due: date | None
    """Day by which it should have sent again; nothing where it sends once, or nothing of it was ever taken."""
    days_late: int
    unreachable: Row[Any] | None
    """Why the last night could take nothing of it, or not all, and since when: a row of tasks.ask.nights.unreachable_since."""

    @property
    def is_late(self) -> bool:
        """Whether something that can be taken should have come by now."""
        return self.taken_at is None or self.days_late > 0

    @property
    def standing(self) -> str:
        """How it stands, in one of the words of vietnamese.STANDING: in time is only what was reached, taken, and is not late."""
        if self.unreachable is not None:
            return "unreachable"
        if self.last is None:
            return "never"
        if self.last.status == "rejected":
            return "rejected"
        return "late" if self.is_late else "in_time"

    @property
    def told(self) -> str:
        """What it is called, and since when nothing of it was taken."""
        return f"{self.source.title}, " + (f"tệp cuối nhận được {vi.day(self.taken_at)}" if self.taken_at else "chưa nhận được tệp nào")


def source_states(connection: Connection, sources: Sequence[Sender], at: datetime) -> list[SourceState[Sender]]:
    """How every source stands at a time."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT ON (source) source, delivery_id, file_name, exported_at, status, verdict, rows_received, rows_loaded, "
            "rows_unchanged, rows_quarantined, message_vi, "
            "max(exported_at) FILTER (WHERE status IN ('loaded', 'superseded')) OVER (PARTITION BY source) AS taken_at "
            "FROM ops.delivery ORDER BY source, exported_at DESC, delivery_id DESC"
        )
    )
    last = {row.source: row for row in rows}
    unreachable = unreachable_since(connection)

    def state(source: Sender) -> SourceState[Sender]:
        found, due, days_late = last.get(source.name), None, 0
        taken_at = None if found is None else found.taken_at
        if taken_at is not None and source.expected in RHYTHMS:
            until = taken_at + RHYTHMS[source.expected].patience
            due, days_late = until.astimezone(VIETNAM).date(), max(1, days_since(until, at)) if at > until else 0
        return SourceState(source, found, taken_at, due, days_late, unreachable.get(source.name))

    return [state(source) for source in sources]


SILENCE = timedelta(hours=26)
"""How long after the start of a run the next one has to have begun: a day, and what a schedule may slip."""


def last_run(connection: Connection) -> Row[Any] | None:
    """The latest run, whatever became of it: one that says `running` and no longer holds the lock was killed.

    `last_sign_at`: when it was last seen at work; `is_published`: whether what it computed went out.
    """
    return connection.execute(
        text(
            "SELECT r.run_id, r.flow, r.as_of, r.started_at, r.finished_at, r.host, r.process_id, r.deliveries, r.message, "
            f"CASE WHEN r.status = 'running' AND NOT {LOCK_HELD} THEN 'killed' ELSE r.status END AS status, "
            "p.published_at IS NOT NULL AS is_published, greatest(r.started_at, r.finished_at, p.published_at, "
            "  (SELECT max(loaded_at) FROM ops.delivery WHERE loaded_at >= r.started_at)) AS last_sign_at "
            "FROM ops.run r LEFT JOIN LATERAL (SELECT max(published_at) AS published_at FROM ops.publication WHERE run_id = r.run_id) p "
            "ON true ORDER BY r.run_id DESC LIMIT 1"
        )
    ).first()


def find_run(connection: Connection, run_id: int) -> Row[Any]:
    """One run by its number."""
    return connection.execute(text("SELECT * FROM ops.run WHERE run_id = :run_id"), {"run_id": run_id}).one()


def held_back(connection: Connection, scope: Scope) -> Sequence[Row[Any]]:
    """Values and forms that are held back now, with since which night, and the reason where it may be told: of a value it quotes counts."""
    is_withheld = f"h.indicator_code <> '{FORM_06A}' AND {scope.withholds('h.indicator_code')}"
    return connection.execute(
        text(
            "SELECT h.indicator_code, u.unit_code, u.unit_name, u.valid_from, u.valid_to, h.period, r.as_of AS since, "
            f"CASE WHEN {is_withheld} THEN '{vi.WITHHELD}' ELSE h.reason_vi END AS reason_vi "
            "FROM ops.held_back h JOIN warehouse.dim_unit u USING (unit_key) JOIN ops.run r ON r.run_id = h.held_by "
            "WHERE h.released_by IS NULL ORDER BY h.indicator_code, u.unit_code, u.valid_from, h.period"
        )
    ).all()


def deliveries(connection: Connection, since: datetime | None = None) -> Sequence[Row[Any]]:
    """Deliveries taken or refused since a time, or all of them, with what was seen of each file; in the order of their export."""
    return connection.execute(
        text(
            "SELECT d.*, v.observed AS account FROM ops.delivery d "
            "LEFT JOIN ops.verdict v ON v.delivery_id = d.delivery_id AND v.rule_code = :account "
            "WHERE CAST(:since AS timestamptz) IS NULL OR d.loaded_at >= :since ORDER BY d.exported_at, d.delivery_id"
        ),
        {"since": since, "account": next(rule.code for rule in structure() if rule.check == "account")},
    ).all()


def set_aside(connection: Connection) -> Sequence[Row[Any]]:
    """Quarantined rows by rule, file and column with the message to the supplier; a row that breaks two rules stands under both.

    Of a rejected delivery, of which only the first rows are kept: by rule and file, with what the rule found in all of them.
    """
    return connection.execute(
        text(
            "WITH counted AS ("
            "  SELECT rule_code, severity, delivery_id, column_name, message_vi, status, count(*) AS rows, min(row_number) AS first_row "
            "  FROM ops.quarantine WHERE status IN ('open', 'waiting', 'released') "
            "  GROUP BY rule_code, severity, delivery_id, column_name, message_vi, status "
            "  UNION ALL "
            "  SELECT v.rule_code, v.severity, delivery_id, string_agg(DISTINCT q.column_name, ', '), v.observed, q.status, "
            "    v.unexpected_count, min(q.row_number) "
            "  FROM ops.quarantine q JOIN ops.verdict v USING (delivery_id, rule_code) WHERE q.status = 'rejected' "
            f"    AND NOT {is_dismissed('v')} "
            "  GROUP BY v.rule_code, v.severity, delivery_id, v.observed, q.status, v.unexpected_count) "
            "SELECT c.*, d.feed, d.source, d.file_name FROM counted c JOIN ops.delivery d USING (delivery_id) "
            "ORDER BY c.rule_code, d.exported_at, c.delivery_id, c.column_name"
        )
    ).all()


def corrected(connection: Connection, delivery_ids: Collection[int]) -> Sequence[Row[Any]]:
    """Deliveries of which cells are read as a letter put them right: how many, by which letter, and who took it in."""
    return connection.execute(
        text(
            "SELECT d.source, d.file_name, c.file_name AS letter, count(*) AS cells, max(c.made_by) AS made_by, max(c.made_at) AS made_at "
            "FROM (SELECT DISTINCT ON (delivery_id, row_number, column_name) * FROM ops.correction WHERE read_at IS NOT NULL "
            "  AND delivery_id = ANY(:ids) ORDER BY delivery_id, row_number, column_name, correction_id DESC) c "
            "JOIN ops.delivery d USING (delivery_id) GROUP BY d.delivery_id, c.file_name ORDER BY d.exported_at, d.delivery_id, c.file_name"
        ),
        {"ids": list(delivery_ids)},
    ).all()


def waiting(connection: Connection) -> Sequence[Row[Any]]:
    """Payments that wait for their bill, by source, and since which export the oldest does; who waits longest first."""
    return connection.execute(
        text(
            "SELECT d.source, count(DISTINCT (q.delivery_id, q.row_number)) AS rows, min(d.exported_at) AS since "
            "FROM ops.quarantine q JOIN ops.delivery d USING (delivery_id) "
            "WHERE q.status = 'waiting' GROUP BY d.source ORDER BY since, d.source"
        )
    ).all()


QUARANTINE_COLUMNS = (
    "delivery_id", "source", "file_name", "row_number", "natural_key", "rule_code", "severity", "column_name", "value", "status",
    "message_vi",
)  # fmt: skip
"""What is told of a quarantined row."""


def quarantined(
    connection: Connection, delivery_id: int | None = None, rule_code: str | None = None, status: str | None = None
) -> Sequence[Row[Any]]:
    """Quarantined rows one by one, of one delivery, rule or status where these are given."""
    return connection.execute(
        text(
            "SELECT q.delivery_id, d.source, d.file_name, q.row_number, q.natural_key, q.rule_code, q.severity, "
            "q.column_name, q.value, q.status, q.message_vi "
            "FROM ops.quarantine q JOIN ops.delivery d USING (delivery_id) "
            "WHERE (CAST(:delivery_id AS int) IS NULL OR q.delivery_id = :delivery_id) "
            "  AND (CAST(:rule_code AS text) IS NULL OR q.rule_code = :rule_code) "
            "  AND (CAST(:status AS text) IS NULL OR q.status = :status) "
            "ORDER BY d.exported_at, q.delivery_id, q.row_number, q.rule_code, q.column_name"
        ),
        {"delivery_id": delivery_id, "rule_code": rule_code, "status": status},
    ).all()


def meant_rule(code: str | None) -> str | None:
    """The code of the rule someone means; Refusal where no feed has such a rule."""
    if code is None:
        return None
    known = {rule.code for rule, _ in every_rule()}
    if code.upper() not in known:
        raise Refusal(f"Không có quy tắc {code!r}.{did_you_mean(code, sorted(known))}")
    return code.upper()


def broken_rules(connection: Connection, since: datetime | None = None) -> Sequence[Row[Any]]:
    """Rules that did not hold, in deliveries that were taken nevertheless and in those refused."""
    return connection.execute(
        text(
            "SELECT v.rule_code, v.severity, v.scope, v.observed, v.unexpected_count, d.source, d.file_name, d.delivery_id, d.status "
            "FROM ops.verdict v JOIN ops.delivery d USING (delivery_id) "
            "WHERE NOT v.success AND (CAST(:since AS timestamptz) IS NULL OR d.loaded_at >= :since) "
            "ORDER BY v.rule_code, d.exported_at, d.delivery_id"
        ),
        {"since": since},
    ).all()


def verdicts(connection: Connection, delivery_id: int) -> Sequence[Row[Any]]:
    """What every rule found in one delivery, what did not hold first."""
    return connection.execute(
        text(
            "SELECT * FROM ops.verdict WHERE delivery_id = :delivery_id "
            "ORDER BY success, array_position(ARRAY['critical', 'warning', 'info'], severity), rule_code"
        ),
        {"delivery_id": delivery_id},
    ).all()


def published_check(connection: Connection, scope: Scope) -> Sequence[Row[Any]]:
    """Printed figures beside what the warehouse computes, those first that cannot be or differ."""
    return connection.execute(
        text(
            f"SELECT * FROM {scope.view('published_check')} c "
            "ORDER BY array_position(ARRAY['impossible', 'differs', 'holds', 'not_computable'], c.verdict), c.source_document, "
            "  c.unit_code, c.unit_valid_from, c.indicator_code, c.period"
        )
    ).all()
