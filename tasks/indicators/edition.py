"""What becomes of a computed edition: it goes out, or is held for what is out of line in it until somebody decides.

Held means taken back: readers keep the edition published last, the next night computes it again, and only what was found stays, for a
decision. Accepted, a finding holds nothing any more; a value rejected is held back alone (tasks.indicators.audit), for as long as the
sources say the same of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, text

from tasks.count.revisions import Publication, Revised
from tasks.indicators.gate import Alarm
from tasks.indicators.moved import moved_by
from tasks.words.vietnamese import DECISION
from warehouse.gate import OF_VALUES, gate
from warehouse.settings import Refusal
from warehouse.tables import held_value

REJECTABLE = tuple(kind for kind in OF_VALUES if kind != "lost")
"""Checks whose values can be held back alone: of what is lost there is nothing to hold back."""


def undecided(connection: Connection, alarms: Sequence[Alarm]) -> list[Alarm]:
    """Of what was found tonight, what nobody has accepted."""
    accepted = set(connection.scalars(text("SELECT subject FROM ops.alarm WHERE ended_by IS NULL AND decision = 'accepted'")))
    return [alarm for alarm in alarms if alarm.subject not in accepted]


def said_otherwise(connection: Connection) -> list[str]:
    """Findings once rejected of which the sources say something else tonight: what was said of the old number holds no more."""
    return list(connection.scalars(text(_SAID_OTHERWISE)))


def would_change(connection: Connection, publication: Publication) -> list[dict[str, Any]]:
    """The values that a publication changed, each as it was and as it is, and what moved it: asked before it is taken back."""
    rows = connection.execute(text(_CHANGED), {"publication_id": publication.publication_id}).mappings().all()
    causes = moved_by(connection, publication.last_load_id, [(row["indicator_key"], row["unit_key"], row["period"]) for row in rows])
    return [{**row, "deliveries": causes.get((row["indicator_key"], row["unit_key"], row["period"]), ())} for row in rows]


def note(connection: Connection, run_id: int, alarms: Sequence[Alarm], said_otherwise: Sequence[str], publication: Publication) -> None:
    """Keeps what a run found: what stood before stays the same finding, what is no longer found ends. A vintage notes nothing."""
    if publication.is_vintage:
        return
    found = {alarm.subject: alarm for alarm in alarms}
    stamp = {"run_id": run_id, "found": list(found), "said_otherwise": list(said_otherwise)}
    connection.execute(text(_END), stamp)
    if found:
        connection.execute(text(_RAISE), [_row(run_id, alarm) for alarm in found.values()])
    connection.execute(text("UPDATE ops.held_edition SET ended_by = :run_id WHERE ended_by IS NULL"), {"run_id": run_id})
    connection.execute(delete(held_value))
    if publication.publication_id is not None:
        connection.execute(text(_WENT_OUT), {"publication_id": publication.publication_id})


def hold(connection: Connection, run_id: int, as_of: datetime, changes: Revised, values: Sequence[dict[str, Any]]) -> None:
    """Notes that the edition of a run is held, and what it would have changed."""
    counts = {"added": changes.added, "revised": changes.revised, "ended": changes.ended}
    connection.execute(text(_HOLD), {"run_id": run_id, "as_of": as_of, **counts})
    if values:
        connection.execute(insert(held_value), values)


def judge(connection: Connection, alarm_ids: Sequence[int], decision: str, reason: str, who: str) -> int:
    """Writes down what somebody decides on findings that stand and wait, and returns how many; Refusal where one of them does not.

    `decision`: accepted or rejected. Nothing is written where anything is refused, so that two who decide at once lose no word.
    """
    if not reason.strip():
        raise Refusal("Cần ghi lý do: lý do được in kèm bảng số liệu.")
    given = {"ids": list(dict.fromkeys(alarm_ids))}
    there = {row.alarm_id: row for row in connection.execute(text(_TO_JUDGE), given)}
    for alarm_id in given["ids"]:
        row = there.get(alarm_id)
        if row is None:
            raise Refusal(f"Không có điểm bất thường số {alarm_id} nào đang chờ: số liệu đã khác, hoặc đã công bố.")
        if row.decision is not None:
            raise Refusal(f"Điểm bất thường số {alarm_id} đã được {row.decided_by} {DECISION[row.decision]}: {row.reason}.")
        if decision == "rejected" and row.check_code not in {one.code for one in gate().checks if one.check in REJECTABLE}:
            raise Refusal(f"Điểm bất thường số {alarm_id} không phải một giá trị để giữ lại riêng: chấp nhận, hoặc chờ tệp đã sửa.")
    connection.execute(text(_JUDGE), given | {"decision": decision, "reason": reason.strip(), "who": who})
    return len(there)


def take_back(connection: Connection, alarm_ids: Sequence[int]) -> int:
    """Takes decisions back that have not yet taken effect, and returns how many findings wait again."""
    return connection.execute(text(_TAKE_BACK), {"ids": list(alarm_ids)}).rowcount


def _row(run_id: int, alarm: Alarm) -> dict[str, Any]:
    named = ("subject", "check_code", "message_vi", "indicator_code", "unit_key", "period", "source", "old_numerator", "old_denominator",
             "old_value", "numerator", "denominator", "value")  # fmt: skip
    return {name: getattr(alarm, name) for name in named} | {"run_id": run_id, "deliveries": list(alarm.deliveries)}


_CHANGED = """
SELECT f.indicator_key, f.unit_key, f.period, o.numerator AS old_numerator, o.denominator AS old_denominator, o.value AS old_value,
    o.obs_status AS old_obs_status, f.numerator, f.denominator, f.value, f.obs_status
FROM warehouse.fact_indicator f
LEFT JOIN warehouse.fact_indicator o
    ON (o.indicator_key, o.unit_key, o.period, o.known_to) = (f.indicator_key, f.unit_key, f.period, f.known_from)
WHERE f.publication_id = :publication_id
  AND (o.numerator, o.denominator, o.value, o.obs_status) IS DISTINCT FROM (f.numerator, f.denominator, f.value, f.obs_status)
"""

_SAID_OTHERWISE = """
SELECT a.subject FROM ops.alarm a
JOIN warehouse.dim_indicator i ON i.indicator_code = a.indicator_code AND i.known_to = 'infinity'
JOIN candidate c ON (c.indicator_key, c.unit_key, c.period) = (i.indicator_key, a.unit_key, a.period)
WHERE a.ended_by IS NULL AND a.decision = 'rejected'
  AND (c.indicator_key, c.unit_key, c.period) NOT IN (SELECT indicator_key, unit_key, period FROM held_back)
"""

# What was rejected is no longer found, since it is held back: it stands until something else is said.
_END = """
UPDATE ops.alarm SET ended_by = :run_id
WHERE ended_by IS NULL AND subject <> ALL(:found) AND (decision IS DISTINCT FROM 'rejected' OR subject = ANY(:said_otherwise))
"""

_RAISE = """
INSERT INTO ops.alarm (subject, check_code, raised_by, indicator_code, unit_key, period, source, old_numerator, old_denominator, old_value,
    numerator, denominator, value, message_vi, deliveries)
VALUES (:subject, :check_code, :run_id, :indicator_code, :unit_key, :period, :source, :old_numerator, :old_denominator, :old_value,
    :numerator, :denominator, :value, :message_vi, :deliveries)
ON CONFLICT (subject) WHERE ended_by IS NULL DO UPDATE SET message_vi = excluded.message_vi, deliveries = excluded.deliveries
"""

_WENT_OUT = """
UPDATE ops.alarm SET publication_id = :publication_id WHERE ended_by IS NULL AND decision = 'accepted' AND publication_id IS NULL
"""

_HOLD = """
INSERT INTO ops.held_edition (run_id, as_of, values_added, values_revised, values_ended)
VALUES (:run_id, :as_of, :added, :revised, :ended)
"""

_TO_JUDGE = """
SELECT alarm_id, check_code, decision, decided_by, reason FROM ops.alarm WHERE ended_by IS NULL AND alarm_id = ANY(:ids) ORDER BY alarm_id
FOR UPDATE
"""
_JUDGE = """
UPDATE ops.alarm SET decision = :decision, reason = :reason, decided_by = :who, decided_at = now() WHERE alarm_id = ANY(:ids)
"""
_TAKE_BACK = """
UPDATE ops.alarm SET decision = NULL, reason = NULL, decided_by = NULL, decided_at = NULL
WHERE alarm_id = ANY(:ids) AND ended_by IS NULL AND decision IS NOT NULL AND publication_id IS NULL
"""
