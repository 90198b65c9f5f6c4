"""Bills of which more was paid than they ask, by the rule by which indicators count them (warehouse/indicators/bill.sql)."""

from __future__ import annotations

from sqlalchemy import text

from tasks.load.history import current_of, temporary
from tasks.load.work import Load
from tasks.words.vietnamese import number
from warehouse.indicators import facts

_BILLED = {
    "payments": "SELECT DISTINCT bill_key FROM warehouse.fact_payment "
    "WHERE delivery_id = :delivery_id AND known_to = 'infinity' AND bill_key IS NOT NULL",
    "bills": "SELECT row_key FROM pg_temp.told_again",
}
"""Feed → the bills of which a delivery says something new."""
_STATES = f"(SELECT f.*, 1 AS sign FROM {current_of('warehouse.fact_bill', 'pg_temp.billed')})"
_BESIDE = (
    "(SELECT p.*, 1 AS sign FROM pg_temp.billed AS k "
    "JOIN warehouse.fact_payment AS p ON p.bill_key = k.row_key AND p.known_to = 'infinity')"
)


def count_overpaid(work: Load) -> None:
    """Counts the bills that a delivery pays or alters and that are paid twice, or more than they ask."""
    for rule in work.rules("overpaid"):
        temporary(work.connection, "billed", "row_key bigint")
        values = {"delivery_id": work.delivery.delivery_id}
        work.connection.execute(text(f"INSERT INTO pg_temp.billed {_BILLED[work.contract.feed]} ORDER BY 1"), values)
        work.connection.execute(text("ANALYZE pg_temp.billed"))
        bills = facts()["bill"].select().replace("{states}", _STATES).replace("{beside}", _BESIDE)
        overpaid, too_much = work.connection.execute(
            text(f"SELECT count(*), sum(paid_vnd - amount_vnd) FROM ({bills}) AS bill WHERE paid_vnd > amount_vnd")
        ).one()
        work.count(rule, overpaid, f"{number(overpaid)} hóa đơn, thừa {number(too_much)} đồng" if overpaid else None)
