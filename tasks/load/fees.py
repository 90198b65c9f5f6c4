"""Whether the fees that a delivery of payments tells of agree with the dossiers they were paid for, as the warehouse knows both."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from sqlalchemy import Connection, text

from expectations.contract import Rule
from tasks.deliveries.coverage import Stretch
from tasks.load.work import Load
from tasks.words.vietnamese import DIFFERING_FEES, FEES, measure, number

FEW = 2000
"""Up to so many dossiers are looked up one by one, whatever the planner was told; beyond, all that are stored are gone through once."""

_JOINS = "SET LOCAL enable_hashjoin TO {0}; SET LOCAL enable_mergejoin TO {0}"
_KEYS = "SELECT DISTINCT dossier_key FROM mart.fee_payment WHERE paid_on BETWEEN :first AND :last"

# Dossiers that cannot be known yet: paid for after the last day of which dossiers came, or in a month of which none did.
_CLASSES = """
SELECT CASE WHEN is_awaited THEN 'awaited' ELSE class END, count(*)
FROM (
    SELECT class, class = 'no_dossier' AND (paid_on > (
        SELECT ((max(exported_at) + interval '1 s') AT TIME ZONE 'Asia/Ho_Chi_Minh')::date - 1 FROM ops.delivery
        WHERE feed = 'dossiers' AND loaded_at IS NOT NULL AND status <> 'rejected'
    ) OR NOT EXISTS (
        SELECT FROM warehouse.fact_dossier AS other WHERE other.known_to = 'infinity' AND other.received_at >= date_trunc('month', paid_on)
            AND other.received_at < date_trunc('month', paid_on) + interval '1 month'
    )) AS is_awaited
    FROM mart.fee_dossier WHERE is_paid AND dossier_key {named}
  UNION ALL
    SELECT class, FALSE FROM mart.fee_dossier WHERE NOT is_paid AND received_at >= :first AND received_at < CAST(:last AS date) + 1
) AS found
GROUP BY 1
"""


def reconcile_fees(work: Load, rule: Rule, days: Stretch | None) -> None:
    """Counts the dossiers paid for on the days of a delivery, and those received then and marked as paid, by how both sides agree.

    What cannot be compared yet is told, and held against nobody.
    """
    if days is None or "dossier_code" not in work.contract.layouts[work.delivery.layout].columns:
        return
    found = _counted(work.connection, days)
    matched, compared = found["matched"], sum(found[name] for name in ("matched", *DIFFERING_FEES))
    is_little = compared >= rule.args["at_least"] and matched < rule.args["min_matched"] * compared
    work.count(rule, compared - matched if is_little else 0, _told(found, matched, compared))


def _counted(connection: Connection, days: Stretch) -> Counter[str]:
    """Dossiers by class."""
    between = {"first": days.first, "last": days.last}
    keys = connection.scalars(text(_KEYS), between).all()
    if len(keys) > FEW:
        return Counter(dict(connection.execute(text(_CLASSES.format(named=f"IN ({_KEYS})")), between).tuples().all()))
    connection.execute(text(_JOINS.format("off")))
    found = connection.execute(text(_CLASSES.format(named="= ANY(:keys)")), {**between, "keys": keys}).tuples().all()
    connection.execute(text(_JOINS.format("DEFAULT")))
    return Counter(dict(found))


def _told(found: Counter[str], matched: int, compared: int) -> str:
    share = measure(Decimal(100 * matched) / compared, 1, "PERCENT") if compared else None
    told = [f"{FEES['matched']} {number(matched)}/{number(compared)} hồ sơ ({share})" if compared else "chưa có gì để đối soát"]
    told += [f"{FEES[name]} {number(found[name])}" for name in (*DIFFERING_FEES, "not_checkable") if found[name]]
    told += [f"{number(found['awaited'])} hồ sơ đã nộp mà dữ liệu hồ sơ của những ngày đó chưa đến"] if found["awaited"] else []
    return "; ".join(told)
