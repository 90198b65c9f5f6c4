"""What a steward decides on what was set aside: to be read again, left out for good, or let pass; and who sees to it.

Every decision is written down beside those before it (ops.quarantine_note). It names what it was made upon, and fails loudly where that
has changed meanwhile, so that of two stewards who decide at once neither overrules the other unawares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, text

from expectations.contract import NAMES_A_PERSON, contract
from tasks.load.chosen import MATCHES, Chosen
from tasks.words.vietnamese import QUARANTINE_STATUS, moment, number
from warehouse.settings import Refusal
from warehouse.tables import quarantine_note

if TYPE_CHECKING:
    from tasks.load.foreseen import Foreseen  # which loads pandas

OF_WHAT_IS_USUAL = ("volume", "ratio")
"""Checks that compare a delivery with what is usual, which may change: who knows better may let it pass."""
_DISMISSED = "n.kind = 'dismissed' AND n.rule_code IS NULL"
"""SQL of the note n by which a refused delivery is dismissed as a whole."""


def is_dismissed(delivery: str) -> str:
    """SQL of whether a refused delivery, of which `delivery` has the number, was dismissed as a whole."""
    return f"EXISTS (SELECT FROM ops.quarantine_note AS n WHERE n.delivery_id = {delivery}.delivery_id AND {_DISMISSED})"


def is_refused(delivery: str) -> str:
    """SQL of whether `delivery`, of ops.delivery, was refused, and neither sent again nor dismissed since."""
    return f"({delivery}.status = 'rejected' AND {delivery}.corrected_by IS NULL AND NOT {is_dismissed(delivery)})"


def release(connection: Connection, chosen: Chosen, who: str, reason: str | None = None, foreseen: Foreseen | None = None) -> int:
    """Has rows read again by the next night, and returns how many faults that touched; of what is foreseen, only rows that would go in.

    Refusal where none would, since they would be set aside again. A delivery refused by that rule as unusual is let pass as a whole.
    """
    if _rejected(connection, chosen.delivery_id) is not None:
        rules = unusual(connection, chosen.delivery_id)
        if chosen.rule_code in rules and not chosen.rows:
            return let_pass(connection, chosen.delivery_id, chosen.rule_code, who, reason)
        advice = f"; nếu số đúng: bakhong quarantine release {chosen.delivery_id} --rule {rules[0]}" if rules else ""
        raise Refusal(f"Lần gửi số {chosen.delivery_id} bị từ chối cả tệp, không nạp riêng dòng nào được: chờ tệp đã sửa gửi lại{advice}.")
    if foreseen is None or not foreseen.says_something:
        return _decide(connection, chosen, "released", who, reason)
    if not foreseen.loadable:
        raise Refusal(f"Chưa cho nạp lại dòng nào: {foreseen.told}")
    return _decide(connection, chosen, "released", who, reason, foreseen.loadable)


def dismiss(connection: Connection, chosen: Chosen, who: str, reason: str) -> int:
    """Leaves rows out for good, or a refused delivery as a whole, and returns how many faults or rows that touched."""
    if not reason.strip():
        raise Refusal("Bỏ hẳn thì phải ghi lý do.")
    refused = _rejected(connection, chosen.delivery_id)
    if refused is None:
        return _decide(connection, chosen, "dismissed", who, reason)
    if chosen.rows:
        raise Refusal(f"Lần gửi số {chosen.delivery_id} bị từ chối cả tệp, không bỏ riêng dòng nào được: bỏ cả lần gửi, không kèm số dòng.")
    if refused.dismissed_by is not None:
        raise Refusal(f"Lần gửi số {chosen.delivery_id} đã được {refused.dismissed_by} bỏ hẳn lúc {moment(refused.dismissed_at)}.")
    if refused.corrected_by is not None:
        raise Refusal(f"Lần gửi số {chosen.delivery_id} đã có lần gửi số {refused.corrected_by} thay.")
    note(connection, Chosen(chosen.delivery_id), "dismissed", who, reason, rows=refused.rows_received)
    return int(refused.rows_received or 0)


def let_pass(connection: Connection, delivery_id: int, rule_code: str, who: str, reason: str | None = None) -> int:
    """Lets a delivery that was refused as unusual break that rule from the next night on, and returns how many rows it has."""
    refused = _rejected(connection, delivery_id)
    if refused is None or rule_code not in unusual(connection, delivery_id):
        raise Refusal(f"Lần gửi số {delivery_id} không bị từ chối vì khác mức thường theo quy tắc {rule_code}.")
    allowed = connection.execute(
        text(
            "SELECT a.decided_by, a.decided_at FROM ops.allowance a JOIN ops.delivery d USING (delivery_id) "
            "WHERE a.delivery_id = :delivery_id AND a.rule_code = :rule_code AND a.decided_at > d.loaded_at"
        ),
        {"delivery_id": delivery_id, "rule_code": rule_code},
    ).first()
    if allowed is not None:
        raise Refusal(f"Lần gửi số {delivery_id} đã được {allowed.decided_by} cho qua lúc {moment(allowed.decided_at)}.")
    connection.execute(
        text(
            "INSERT INTO ops.allowance VALUES (:delivery_id, :rule_code, :who, now()) "
            "ON CONFLICT (delivery_id, rule_code) DO UPDATE SET decided_by = excluded.decided_by, decided_at = excluded.decided_at"
        ),
        {"delivery_id": delivery_id, "rule_code": rule_code, "who": who},
    )
    note(connection, Chosen(delivery_id, rule_code), "let_pass", who, reason, rows=refused.rows_received)
    return int(refused.rows_received or 0)


def assign(connection: Connection, chosen: Chosen, to: str, who: str) -> None:
    """Says who sees to it; nobody where the name is empty."""
    _require_set_aside(connection, chosen)
    note(connection, chosen, "assigned", who, assignee=to.strip() or None)


def comment(connection: Connection, chosen: Chosen, words: str, who: str) -> None:
    """Adds a comment."""
    if not words.strip():
        raise Refusal("Ghi chú còn trống.")
    _require_set_aside(connection, chosen)
    note(connection, chosen, "comment", who, words)


def unusual(connection: Connection, delivery_id: int) -> list[str]:
    """Rules of what is usual for which a delivery was refused."""
    broken = connection.execute(
        text(
            "SELECT d.feed, v.rule_code FROM ops.verdict v JOIN ops.delivery d USING (delivery_id) "
            "WHERE delivery_id = :delivery_id AND NOT v.success AND v.scope = 'delivery' AND v.severity = 'critical' ORDER BY v.rule_code"
        ),
        {"delivery_id": delivery_id},
    )
    return [one.rule_code for one in broken if contract(one.feed).rule(one.rule_code).check in OF_WHAT_IS_USUAL]


def _decide(connection: Connection, chosen: Chosen, status: str, who: str, reason: str | None, only: Sequence[int] | None = None) -> int:
    """Writes a decision on the faults chosen, or on those of them whose rows are named, once they are found as they were seen."""
    found = connection.execute(
        text(
            f"WITH held AS (SELECT row_number FROM ops.quarantine WHERE {MATCHES} FOR UPDATE) "
            "SELECT count(*) AS faults, count(DISTINCT row_number) AS rows FROM held"
        ),
        chosen.values,
    ).one()
    if not found.faults or (chosen.rows and found.rows != len(set(chosen.rows))) or chosen.seen not in (None, found.faults):
        raise _overtaken(connection, chosen)
    decided = chosen if only is None else replace(chosen, rows=tuple(only))
    touched = connection.execute(
        text(f"UPDATE ops.quarantine SET status = :status, decided_by = :who, decided_at = now() WHERE {MATCHES}"),
        decided.values | {"status": status, "who": who},
    ).rowcount
    note(connection, decided, status, who, reason, rows=touched)
    return touched


def _overtaken(connection: Connection, chosen: Chosen) -> Refusal:
    """What is said where the faults chosen are not as they were seen: who decided on them last, or what came in their place."""
    last = connection.execute(
        text(
            f"SELECT status, decided_by, decided_at, corrected_by FROM ops.quarantine WHERE {MATCHES} "
            "ORDER BY corrected_by IS NULL, decided_at DESC NULLS LAST LIMIT 1"
        ),
        chosen.values | {"statuses": ["released", "dismissed", "corrected"]},
    ).first()
    which = f"Lần gửi số {chosen.delivery_id}"
    if last is not None and last.corrected_by is not None:
        return Refusal(f"{which}: các dòng này đã có lần gửi số {last.corrected_by} thay. Chưa ghi gì.")
    if last is not None and last.decided_by is not None:
        done = QUARANTINE_STATUS[last.status]
        return Refusal(
            f"{which}: {last.decided_by} đã quyết định lúc {moment(last.decided_at)} ({done}). Chưa ghi gì: xem lại rồi quyết định."
        )
    if chosen.seen is None:
        return Refusal(f"{which} không có dòng nào như vậy đang được để riêng.")
    return Refusal(f"{which}: không còn đúng {number(chosen.seen)} lỗi như khi xem. Chưa ghi gì: xem lại rồi quyết định.")


def decide_alone(connection: Connection, delivery_id: int) -> None:
    """Waits until nobody else decides on a delivery or loads it, and keeps them waiting until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('quarantine'), :number)"), {"number": delivery_id})


def _rejected(connection: Connection, delivery_id: int) -> Any:
    """A refused delivery, with who dismissed it; nothing where it was not refused. Nobody else decides on it meanwhile."""
    decide_alone(connection, delivery_id)
    return connection.execute(
        text(
            "SELECT d.rows_received, d.corrected_by, n.made_by AS dismissed_by, n.made_at AS dismissed_at FROM ops.delivery d "
            f"LEFT JOIN ops.quarantine_note n ON n.delivery_id = d.delivery_id AND {_DISMISSED} "
            "WHERE d.delivery_id = :number AND d.status = 'rejected' ORDER BY n.note_id LIMIT 1"
        ),
        {"number": delivery_id},
    ).first()


def _require_set_aside(connection: Connection, chosen: Chosen) -> None:
    any_status = {"statuses": list(QUARANTINE_STATUS)}
    is_there = connection.scalar(text(f"SELECT EXISTS (SELECT FROM ops.quarantine WHERE {MATCHES})"), chosen.values | any_status)
    if not is_there and _rejected(connection, chosen.delivery_id) is None:
        raise Refusal(f"Lần gửi số {chosen.delivery_id} không có dòng nào như vậy đang được để riêng.")


def note(
    connection: Connection,
    chosen: Chosen,
    kind: str,
    who: str,
    words: str | None = None,
    *,
    assignee: str | None = None,
    rows: int | None = None,
) -> None:
    """Adds to what was said before; Refusal where it names a person, which nothing here may."""
    if words and re.search(NAMES_A_PERSON, words):
        raise Refusal("Lý do, ghi chú không được có số giấy tờ, số điện thoại hay thư điện tử của cá nhân. Chưa ghi gì.")
    about = {"delivery_id": chosen.delivery_id, "rule_code": chosen.rule_code, "column_name": chosen.column}
    said = {"kind": kind, "words": (words or "").strip() or None, "assignee": assignee, "rows": rows, "made_by": who}
    connection.execute(insert(quarantine_note).values(about | said | {"row_numbers": list(chosen.rows) or None}))
