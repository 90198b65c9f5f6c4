"""What a steward decides on rows that were set aside, to be loaded again or left out for good, and on deliveries that are only unusual."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from expectations.contract import contract
from warehouse.settings import Refusal

OF_WHAT_IS_USUAL = ("volume", "ratio")
"""Checks that compare a delivery with what is usual, which may change: who knows better may let it pass."""


def decide(connection: Connection, delivery_id: int, rows: Sequence[int], rule_code: str | None, status: str, who: str) -> int:
    """Writes a steward's decision on quarantined rows that still wait for one, and returns how many it touched.

    Refusal where the delivery was rejected: there is nothing that its rows could be added to. Only one that was refused as unusual,
    by a rule named, may be let pass as a whole.
    """
    if connection.scalar(text("SELECT status FROM ops.delivery WHERE delivery_id = :number"), {"number": delivery_id}) == "rejected":
        unusual = _unusual(connection, delivery_id)
        if status == "released" and rule_code in unusual and not rows:
            return _let_pass(connection, delivery_id, rule_code, who)
        advice = f"; nếu số đúng: bakhong quarantine release {delivery_id} --rule {unusual[0]}" if unusual else ""
        raise Refusal(f"Lần gửi số {delivery_id} bị từ chối cả tệp, không nạp hay bỏ riêng dòng nào được: chờ tệp đã sửa gửi lại{advice}.")
    return connection.execute(
        text(
            "UPDATE ops.quarantine SET status = :status, decided_by = :who, decided_at = now() "
            "WHERE delivery_id = :delivery_id AND status IN ('open', 'waiting', 'released', 'dismissed') AND status <> :status "
            "  AND (cardinality(CAST(:rows AS int[])) = 0 OR row_number = ANY(:rows)) "
            "  AND (CAST(:rule_code AS text) IS NULL OR rule_code = :rule_code)"
        ),
        {"delivery_id": delivery_id, "rows": list(rows), "rule_code": rule_code, "status": status, "who": who},
    ).rowcount


def _unusual(connection: Connection, delivery_id: int) -> list[str]:
    """Rules of what is usual for which a delivery was refused."""
    broken = connection.execute(
        text(
            "SELECT d.feed, v.rule_code FROM ops.verdict v JOIN ops.delivery d USING (delivery_id) "
            "WHERE delivery_id = :delivery_id AND NOT v.success AND v.scope = 'delivery' AND v.severity = 'critical' ORDER BY v.rule_code"
        ),
        {"delivery_id": delivery_id},
    )
    return [one.rule_code for one in broken if contract(one.feed).rule(one.rule_code).check in OF_WHAT_IS_USUAL]


def _let_pass(connection: Connection, delivery_id: int, rule_code: str, who: str) -> int:
    """Lets a delivery break a rule from the next night on, and returns how many rows it has."""
    connection.execute(
        text(
            "INSERT INTO ops.allowance VALUES (:delivery_id, :rule_code, :who, now()) "
            "ON CONFLICT (delivery_id, rule_code) DO UPDATE SET decided_by = excluded.decided_by, decided_at = excluded.decided_at"
        ),
        {"delivery_id": delivery_id, "rule_code": rule_code, "who": who},
    )
    received = connection.scalar(text("SELECT rows_received FROM ops.delivery WHERE delivery_id = :number"), {"number": delivery_id})
    return int(received or 0)
