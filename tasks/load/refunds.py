"""Refunds that come as transactions of their own are taken off the payment of the same order, whichever of the two comes first."""

from __future__ import annotations

from sqlalchemy import text

from tasks.load.history import renew
from tasks.load.work import Load
from warehouse.tables import fact_payment


def give_back(work: Load) -> None:
    """Says of the payments whose orders were told of how much of them was given back, as it is known now.

    A refund is of the last payment of its order that was settled until then: shops use the number of an order again on another day.
    """
    connection, values = work.connection, {"load_id": work.load_id}
    connection.execute(text(_REFUNDS), values)
    connection.execute(text(_GIVEN_BACK))
    renew(connection, fact_payment, work.load_id, work.delivery.exported_at, "pg_temp.given_back", ("refunded_vnd",))
    for rule in work.rules("payment_known"):
        work.count(rule, connection.scalar(text(_OF_NOTHING_KNOWN), values) or 0)
    connection.execute(text("DROP TABLE pg_temp.given_back, pg_temp.refund"))


# Made of all refunds of the order each time, so that a load that is repeated or withdrawn leaves what holds.
_REFUNDS = """
CREATE TEMP TABLE refund ON COMMIT DROP AS
WITH told AS (
    SELECT order_key FROM warehouse.fact_payment WHERE loaded_by = :load_id AND order_key IS NOT NULL
    UNION
    SELECT order_key FROM warehouse.fact_payment WHERE ended_by = :load_id AND order_key IS NOT NULL
), current AS (
    SELECT p.row_key, p.known_from, p.business_date, p.loaded_by, p.order_key, p.paid_at, p.amount_vnd, p.refunded_vnd, p.is_refund,
        s.payment_status_code AS status
    FROM told
    JOIN warehouse.fact_payment p ON p.order_key = told.order_key AND p.known_to = 'infinity'
    JOIN warehouse.dim_payment_status s USING (payment_status_key)
)
SELECT p.row_key, p.known_from, p.amount_vnd, p.refunded_vnd, NULL::bigint AS given_back_vnd, NULL::integer AS loaded_by
FROM current p WHERE NOT p.is_refund AND p.status = 'settled'
UNION ALL
SELECT p.row_key, p.known_from, p.amount_vnd, p.refunded_vnd, r.amount_vnd, r.loaded_by
FROM current r
LEFT JOIN LATERAL (
    SELECT * FROM current WHERE order_key = r.order_key AND NOT is_refund AND status = 'settled' AND paid_at <= r.paid_at
    ORDER BY paid_at DESC, row_key LIMIT 1
) p ON true
WHERE r.is_refund AND r.status = 'refunded'
"""

_GIVEN_BACK = """
CREATE TEMP TABLE given_back ON COMMIT DROP AS
SELECT row_key, known_from, least(amount_vnd, coalesce(sum(given_back_vnd), 0))::bigint AS refunded_vnd FROM pg_temp.refund
WHERE row_key IS NOT NULL
GROUP BY row_key, known_from, amount_vnd, pg_temp.refund.refunded_vnd
HAVING pg_temp.refund.refunded_vnd <> least(amount_vnd, coalesce(sum(given_back_vnd), 0))
"""

_OF_NOTHING_KNOWN = "SELECT count(*) FROM pg_temp.refund WHERE row_key IS NULL AND loaded_by = :load_id"
