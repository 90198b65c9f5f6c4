"""What a steward decides on rows that were set aside: to be loaded again, or left out for good."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from warehouse.settings import Refusal


def decide(connection: Connection, delivery_id: int, rows: Sequence[int], rule_code: str | None, status: str, who: str) -> int:
    """Writes a steward's decision on quarantined rows that still wait for one, and returns how many it touched.

    Refusal where the delivery was rejected: there is nothing that its rows could be added to.
    """
    if connection.scalar(text("SELECT status FROM ops.delivery WHERE delivery_id = :number"), {"number": delivery_id}) == "rejected":
        raise Refusal(f"Lần gửi số {delivery_id} bị từ chối cả tệp, không nạp hay bỏ riêng dòng nào được: chờ tệp đã sửa gửi lại.")
    return connection.execute(
        text(
            "UPDATE ops.quarantine SET status = :status, decided_by = :who, decided_at = now() "
            "WHERE delivery_id = :delivery_id AND status IN ('open', 'waiting', 'released', 'dismissed') AND status <> :status "
            "  AND (cardinality(CAST(:rows AS int[])) = 0 OR row_number = ANY(:rows)) "
            "  AND (CAST(:rule_code AS text) IS NULL OR rule_code = :rule_code)"
        ),
        {"delivery_id": delivery_id, "rows": list(rows), "rule_code": rule_code, "status": status, "who": who},
    ).rowcount
