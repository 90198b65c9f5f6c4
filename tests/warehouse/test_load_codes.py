"""Where a delivery tells codes that nobody told before, nothing is looked for; where it may not, all is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from tasks.load import deliver as module
from tests.warehouse.deliveries import deliver, land

Row = dict[str, Any]


def bill(code: str, amount: int = 1000) -> Row:
    return {
        "bill_code": code, "unit_code": "15655", "service_code": "DIEN", "billing_month": date(2024, 2, 1), "issued_on": date(2024, 2, 28),
        "amount_vnd": amount,
    }  # fmt: skip


def payment(code: str, day: str) -> Row:
    return {
        "transaction_code": code, "bill_code": None, "method_code": "QR", "status_code": "thanh_cong", "amount_vnd": 1000,
        "currency_code": "VND", "paid_at": datetime.fromisoformat(f"{day}T10:00:00"), "service_code": "DIEN",
    }  # fmt: skip


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many keys were looked for, time by time."""
    found: list[int] = []
    look = module.states_of

    def states_of(connection: Any, table: Any, natural: Any, keys: Any) -> pa.Table:
        found.append(len(keys))
        return look(connection, table, natural, keys)

    monkeypatch.setattr(module, "states_of", states_of)
    return found


def test_who_numbers_in_sequence_is_never_looked_for(engine: Engine, looked_for: list[int]) -> None:
    for day, codes in (("2024-03-01", ["B1", "B2"]), ("2024-03-02", ["B3", "B4"]), ("2024-03-03", ["B5"])):
        assert deliver(engine, land(engine, "bills", day), [bill(code) for code in codes]).loaded == len(codes)
    assert looked_for == []


def test_a_code_between_those_told_before_is_looked_for(engine: Engine, looked_for: list[int]) -> None:
    deliver(engine, land(engine, "bills", "2024-03-01"), [bill("B1"), bill("B5")])
    outcome = deliver(engine, land(engine, "bills", "2024-03-02"), [bill("B5", 2000), bill("B7")])
    assert looked_for == [2]
    assert outcome.loaded == 2
    with engine.connect() as connection:
        current = connection.execute(
            text("SELECT bill_code, amount_vnd FROM warehouse.fact_bill WHERE known_to = 'infinity' ORDER BY 1")
        ).all()
    assert [tuple(row) for row in current] == [("B1", 1000), ("B5", 2000), ("B7", 1000)]


def test_codes_of_another_provider_are_others(engine: Engine, looked_for: list[int]) -> None:
    deliver(engine, land(engine, "bills", "2024-03-01"), [bill("B1"), bill("B5")])
    deliver(engine, land(engine, "bills", "2024-03-02", source="water", provider="nuoc_th"), [bill("B2")])
    assert looked_for == []


def test_a_delivery_read_again_looks_for_its_own(engine: Engine, looked_for: list[int]) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    deliver(engine, delivery, [bill("B1"), bill("B2")])
    again = deliver(engine, delivery, [bill("B1"), bill("B2")])
    assert looked_for == [2]
    assert again.loaded == 2
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM warehouse.fact_bill")) == 2


def test_a_payment_corrected_into_a_month_that_is_new_leaves_the_old_one(engine: Engine) -> None:
    deliver(engine, land(engine, "payments", "2024-03-31"), [payment("T1", "2024-03-31"), payment("T2", "2024-03-30")])
    deliver(engine, land(engine, "payments", "2024-04-30"), [payment("T1", "2024-04-01"), payment("T3", "2024-04-02")])
    query = "SELECT transaction_code, business_date::text FROM warehouse.fact_payment WHERE known_to = 'infinity' ORDER BY 1"
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = :name"
    with engine.connect() as connection:
        current = [tuple(row) for row in connection.execute(text(query))]
        of_months = [connection.scalar(text(indexes), {"name": f"fact_payment_{month}"}) for month in ("202403", "202404")]
        of_table = connection.scalar(text(indexes), {"name": "fact_payment"})
        states = connection.scalar(text("SELECT count(*) FROM warehouse.fact_payment WHERE known_to > known_from"))
    assert current == [("T1", "2024-04-01"), ("T2", "2024-03-30"), ("T3", "2024-04-02")]
    assert states == 4
    assert of_months == [of_table, of_table]
