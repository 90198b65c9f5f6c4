"""What is known of a thing, and since when, does not depend on the order in which deliveries arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, text

from tasks.deliveries.ledger import Delivery
from tasks.load.history import current_of
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import dossiers
from warehouse.tables import (
    code_range,
    confirmation,
    coverage,
    fact_bill,
    fact_payment,
    fact_unit_count,
    metadata,
    quarantine,
    ratio,
    verdict,
)
from warehouse.tables import delivery as deliveries
from warehouse.tables import load as loads

DAYS = ("2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04")
Row = dict[str, Any]


def bill(code: str, amount: int) -> Row:
    return {
        "bill_code": code,
        "unit_code": "15655",
        "service_code": "DIEN",
        "billing_month": date(2024, 2, 1),
        "issued_on": date(2024, 2, 28),
        "amount_vnd": amount,
    }


def count(measure: str, value: int) -> Row:
    return {"unit_code": "15655", "period": "2024-03", "measure": measure, "value": value}


def clear(engine: Engine) -> None:
    """Leaves nothing of what was delivered: row by row, which for a few rows is many times quicker than TRUNCATE."""
    emptied = {fact_bill, fact_payment, fact_unit_count, quarantine, ratio, verdict, confirmation, coverage, code_range, loads, deliveries}
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table in emptied:
                connection.execute(delete(table))


def history(engine: Engine, table: str, code: str, value: str) -> list[tuple[str, int, datetime, str]]:
    """States, those that follow each other and say the same taken together."""
    query = f"SELECT {code}, {value}, known_from, known_to::text AS known_to FROM warehouse.{table} "
    query += f"WHERE known_to > known_from ORDER BY {code}, known_from"
    whole: list[tuple[str, int, datetime, str]] = []
    with engine.connect() as connection:
        for row in connection.execute(text(query.replace("known_from,", "known_from::text AS known_from,"))):
            if whole and whole[-1][:2] == (row[0], row[1]) and whole[-1][3] == row[2]:
                whole[-1] = (*whole[-1][:3], row[3])
            else:
                whole.append(tuple(row))
    return whole


def ingest(engine: Engine, waiting: list[tuple[Delivery, list[Row]]]) -> None:
    """Loads each delivery as it arrives, and again those that a late one sent back, oldest first, as every night does."""
    rows = {delivery.delivery_id: (delivery, content) for delivery, content in waiting}
    for delivery, content in waiting:
        deliver(engine, delivery, content)
        while True:
            with engine.connect() as connection:
                back = connection.scalars(
                    text(
                        "SELECT delivery_id FROM ops.delivery WHERE status = 'landed' AND loaded_at IS NOT NULL "
                        "ORDER BY exported_at LIMIT 1"
                    )
                ).first()
            if back is None:
                break
            again, said = rows[back]
            deliver(engine, replace(again, is_loaded=True), said)


contents = st.lists(st.dictionaries(st.sampled_from(["A", "B"]), st.integers(1, 2)), min_size=2, max_size=4)


@pytest.mark.parametrize(
    ("feed", "table", "code", "value", "make"),
    [("bills", "fact_bill", "bill_code", "amount_vnd", bill), ("unit_counts", "fact_unit_count", "measure", "value", count)],
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=contents, data=st.data())
def test_any_order_of_deliveries_ends_in_the_same_history(
    engine: Engine, feed: str, table: str, code: str, value: str, make: Any, contents: list[dict[str, int]], data: st.DataObject
) -> None:
    # A file without rows never gets this far, and without a row a count would have no period.
    told = [[make(key, number) for key, number in content.items()] or [make("C", 1)] for content in contents]
    order = data.draw(st.permutations(range(len(told))))
    histories = []
    for arrival in (range(len(told)), order):
        clear(engine)
        landed = [(land(engine, feed, DAYS[place]), rows) for place, rows in enumerate(told)]
        ingest(engine, [landed[place] for place in arrival])
        histories.append(history(engine, table, code, value))
    assert histories[0] == histories[1]


def test_a_changed_bill_closes_the_state_before_and_an_equal_one_changes_nothing(engine: Engine) -> None:
    first = deliver(engine, land(engine, "bills", "2024-03-01"), [bill("A", 1), bill("B", 1)])
    second = deliver(engine, land(engine, "bills", "2024-03-02"), [bill("A", 2), bill("B", 1)])
    assert (first.loaded, first.unchanged) == (2, 0)
    assert (second.loaded, second.unchanged) == (1, 1)
    assert history(engine, "fact_bill", "bill_code", "amount_vnd") == [
        ("A", 1, "2024-03-01 23:59:59+07", "2024-03-02 23:59:59+07"),
        ("A", 2, "2024-03-02 23:59:59+07", "infinity"),
        ("B", 1, "2024-03-01 23:59:59+07", "infinity"),
    ]


def test_a_correction_supersedes_and_closes_what_it_leaves_out(engine: Engine) -> None:
    wrong = deliver(engine, land(engine, "unit_counts", "2024-04-01"), [count("households", 10), count("shops_total", 5)])
    right = deliver(engine, land(engine, "unit_counts", "2024-04-02"), [count("households", 12)])
    assert history(engine, "fact_unit_count", "measure", "value") == [
        ("households", 10, "2024-04-01 23:59:59+07", "2024-04-02 23:59:59+07"),
        ("households", 12, "2024-04-02 23:59:59+07", "infinity"),
        ("shops_total", 5, "2024-04-01 23:59:59+07", "2024-04-02 23:59:59+07"),
    ]
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT delivery_id, status, supersedes, business_period FROM ops.delivery ORDER BY delivery_id")
        ).all()
    assert [tuple(row) for row in rows] == [
        (wrong.delivery_id, "superseded", None, "2024-03"),
        (right.delivery_id, "loaded", wrong.delivery_id, "2024-03"),
    ]


def test_an_older_export_that_arrives_late_does_not_win(engine: Engine) -> None:
    deliver(engine, land(engine, "unit_counts", "2024-04-02"), [count("households", 12)])
    late = deliver(engine, land(engine, "unit_counts", "2024-04-01"), [count("households", 10), count("shops_total", 5)])
    assert late.status == "superseded"
    with engine.connect() as connection:
        current = connection.execute(text("SELECT measure, value FROM warehouse.fact_unit_count WHERE known_to = 'infinity'")).all()
    assert [tuple(row) for row in current] == [("households", 12)]


@pytest.mark.parametrize("between", [[count("households", 11)], [count("shops_total", 5)]], ids=["says otherwise", "leaves it out"])
def test_a_late_correction_holds_only_until_the_next_one_which_said_the_same_as_the_first(engine: Engine, between: list[Row]) -> None:
    for day in ("2024-04-01", "2024-04-03"):
        deliver(engine, land(engine, "unit_counts", day), [count("households", 10)])
    deliver(engine, land(engine, "unit_counts", "2024-04-02"), between)
    states = history(engine, "fact_unit_count", "measure", "value")
    assert [state for state in states if state[:2] == ("households", 10)] == [
        ("households", 10, "2024-04-01 23:59:59+07", "2024-04-02 23:59:59+07"),
        ("households", 10, "2024-04-03 23:59:59+07", "infinity"),
    ]
    assert [state[3] for state in states if state[:2] != ("households", 10)] == ["2024-04-03 23:59:59+07"]


def test_another_period_of_the_same_source_is_left_alone(engine: Engine) -> None:
    deliver(engine, land(engine, "unit_counts", "2024-04-01"), [count("households", 10)])
    deliver(engine, land(engine, "unit_counts", "2024-05-01"), [{**count("households", 11), "period": "2024-04"}])
    with engine.connect() as connection:
        current = connection.scalar(text("SELECT count(*) FROM warehouse.fact_unit_count WHERE known_to = 'infinity'"))
    assert current == 2


def test_the_same_delivery_loaded_again_changes_nothing_and_counts_the_same(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    rows = [bill("A", 1), bill("B", 1)]
    first = deliver(engine, delivery, rows)
    before = history(engine, "fact_bill", "bill_code", "amount_vnd")
    assert deliver(engine, delivery, rows) == first
    assert history(engine, "fact_bill", "bill_code", "amount_vnd") == before


def test_a_bill_of_another_provider_with_the_same_number_is_another_bill(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-03-01"), [bill("A", 1)])
    deliver(engine, land(engine, "bills", "2024-03-02", source="water", provider="nuoc"), [bill("A", 1)])
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM warehouse.fact_bill WHERE known_to = 'infinity'")) == 2


@pytest.mark.parametrize("is_known_to_the_planner", [False, True])
@pytest.mark.parametrize("keys", [1, 5_000])
def test_states_are_looked_up_by_key_whatever_the_planner_was_told(engine: Engine, is_known_to_the_planner: bool, keys: int) -> None:
    with engine.begin() as connection:
        dossiers(connection, [{"row_key": key} for key in range(5_000)])
        connection.execute(text(f"CREATE TEMPORARY TABLE asked ON COMMIT DROP AS SELECT generate_series(1, {keys})::bigint AS row_key"))
        if is_known_to_the_planner:
            connection.execute(text("ANALYZE warehouse.fact_dossier; ANALYZE asked"))
        query = f"SELECT f.unit_key FROM {current_of('warehouse.fact_dossier', 'asked')}"
        plan = "\n".join(connection.scalars(text(f"EXPLAIN {query}")))
        assert "ux_fact_dossier_current" in plan
        assert "Seq Scan on fact_dossier" not in plan
        assert len(connection.execute(text(query)).all()) == min(keys, 4_999)
