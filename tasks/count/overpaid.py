"""Bills of which more was paid than they ask: told to the deliveries that made it so, when bills are counted with their payments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter

from sqlalchemy import Connection, text

from expectations.contract import Rule, contract
from tasks.count.kept import Change
from tasks.words.vietnamese import number


def tell_overpaid(connection: Connection, changes: Iterable[Change]) -> None:
    """Writes the verdict of the rules `overpaid` into the deliveries of which something was counted, and is paid twice or over.

    `changes`: what bringing the counts of bills up to date did, with the rows that say of each bill what it asks and what is paid.
    """
    changed = [change for change in changes if change.rows]
    if not changed:
        return
    change = min(changed, key=attrgetter("since"))
    connection.execute(text(_OVERPAID.format(rows=change.rows)))
    for feed, found in _FOUND.items():
        for rule in contract(feed).rules:
            if rule.check == "overpaid":
                _tell(connection, rule, found, change.since)
    connection.execute(text("DROP TABLE pg_temp.overpaid"))


def _tell(connection: Connection, rule: Rule, found: str, since: int) -> None:
    told = [
        {
            "delivery_id": delivery_id,
            "rule_code": rule.code,
            "severity": rule.severity,
            "observed": f"{number(bills)} hóa đơn, thừa {number(too_much)} đồng",
            "bills": bills,
            "checked_at": datetime.now(UTC),
        }
        for delivery_id, bills, too_much in connection.execute(text(_BY_DELIVERY.format(found=found)), {"since": since})
    ]
    if told:
        connection.execute(text(_VERDICT), told)
        connection.execute(text(_FLAGGED), told)


_OVERPAID = """
CREATE TEMPORARY TABLE overpaid ON COMMIT DROP AS
SELECT row_key, paid_vnd - amount_vnd AS too_much_vnd FROM {rows} WHERE sign = 1 AND paid_vnd > amount_vnd ORDER BY 1;
ANALYZE pg_temp.overpaid
"""

# Feed → the bills of which its deliveries said something new. A bill tells only where it was paid before: else its payments do.
_FOUND = {
    "payments": """
        SELECT p.delivery_id, o.row_key, too_much_vnd
        FROM overpaid o JOIN warehouse.fact_payment p ON p.bill_key = o.row_key AND p.known_to = 'infinity'
        WHERE p.loaded_by > :since""",
    "bills": """
        SELECT b.delivery_id, o.row_key, too_much_vnd
        FROM overpaid o JOIN warehouse.fact_bill b ON b.row_key = o.row_key AND b.known_to = 'infinity'
        WHERE b.loaded_by > :since AND EXISTS (
            SELECT FROM warehouse.fact_payment p
            WHERE p.bill_key = o.row_key AND p.known_to = 'infinity' AND p.loaded_by <= b.loaded_by
        )""",
}
_BY_DELIVERY = "SELECT delivery_id, count(*), sum(too_much_vnd) FROM (SELECT DISTINCT * FROM ({found}) found) once GROUP BY delivery_id"

_VERDICT = """
INSERT INTO ops.verdict (delivery_id, rule_code, severity, scope, success, observed, unexpected_count, checked_at)
VALUES (:delivery_id, :rule_code, :severity, 'delivery', FALSE, :observed, :bills, :checked_at)
ON CONFLICT (delivery_id, rule_code) DO UPDATE
SET success = FALSE, observed = excluded.observed, unexpected_count = excluded.unexpected_count, checked_at = excluded.checked_at
"""
_FLAGGED = "UPDATE ops.delivery SET verdict = 'accept_with_flags' WHERE delivery_id = :delivery_id AND verdict = 'accept'"
