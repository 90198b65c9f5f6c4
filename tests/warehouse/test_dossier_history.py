"""What was known of dossiers on a day stays known of that day, whatever the source shows later."""

from __future__ import annotations

from datetime import date, datetime
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tasks.deliveries.ledger import Delivery
from tasks.one_stop_shop.form_06a import COLUMNS, compute_form_06a
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import as_known

Row = dict[str, Any]
REPORTED = datetime.fromisoformat("2024-04-05T00:00:00+07:00")


def dossier(number: int, status: str = "4", **others: Any) -> Row:
    row = {"dossier_code": f"H56.38.14-240301-{number:04}", "status_code": status, "channel_code": "2", "agency_code": "H56.38.14"}
    times = {"received_at": datetime(2024, 3, 1, 8), "due_at": datetime(2024, 3, 20, 17)}
    return {**row, **times, **others}


def at(month: int, day: int) -> datetime:
    return datetime(2024, month, day, 9)


@pytest.fixture
def shop(engine: Engine) -> Engine:
    """A warehouse that knows whose agency it is."""
    listed = {"agency_code": "H56.38.14", "agency_name": "UBND xã Ngọc Phụng", "unit_code": "15655", "valid_from": date(2000, 1, 1)}
    deliver(engine, land(engine, "agencies", "2024-01-01"), [listed])
    return engine


def form(engine: Engine, as_of: datetime, period: str = "2024-03") -> tuple[int, ...]:
    """Columns (3) to (13) of Ngọc Phụng's form of a period, as known at a time."""
    columns = ", ".join(f"coalesce(sum({column}), 0)::int" for column in COLUMNS)
    with engine.begin() as connection:
        compute_form_06a(connection, as_known(as_of))
        query = (
            f"SELECT {columns} FROM form_candidate JOIN warehouse.dim_unit USING (unit_key) "
            "WHERE unit_code = '15655' AND period = :period AND reporting_calendar = 'lich'"
        )
        return tuple(connection.execute(text(query), {"period": period}).one())


def history(engine: Engine) -> list[tuple[Any, ...]]:
    """States of every dossier, those that follow each other and say the same taken together."""
    query = """
        WITH step AS (
            SELECT f.*, s.dossier_status_code, (row_hash, known_from) IS DISTINCT FROM
                (lag(row_hash) OVER w, lag(known_to) OVER w) AS is_new
            FROM warehouse.fact_dossier f JOIN warehouse.dim_dossier_status s USING (dossier_status_key)
            WINDOW w AS (PARTITION BY row_key ORDER BY known_from)
        ), run AS (SELECT *, count(*) FILTER (WHERE is_new) OVER (PARTITION BY row_key ORDER BY known_from) AS number FROM step)
        SELECT dossier_code, dossier_status_code, due_at, deleted_at, min(known_from)::date::text, max(known_to)::date::text
        FROM run GROUP BY dossier_code, number, dossier_status_code, due_at, deleted_at ORDER BY 1, 5
    """
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def ingest(engine: Engine, waiting: list[tuple[Delivery, list[Row]]]) -> None:
    """Loads each delivery as it arrives, and again those that a late one sent back, oldest first, as every night does."""
    rows = {delivery.delivery_id: (delivery, content) for delivery, content in waiting}
    for delivery, content in waiting:
        deliver(engine, delivery, content)
        while True:
            query = "SELECT delivery_id FROM ops.delivery WHERE status = 'landed' AND loaded_at IS NOT NULL ORDER BY exported_at LIMIT 1"
            with engine.connect() as connection:
                back = connection.scalar(text(query))
            if back is None:
                break
            deliver(engine, *rows[back])


def clear(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE warehouse.fact_dossier"))
        for table in ("quarantine", "verdict"):
            connection.execute(text(f"DELETE FROM ops.{table}"))
        connection.execute(text("UPDATE ops.load SET delivery_id = NULL"))
        connection.execute(text("DELETE FROM ops.delivery WHERE feed = 'dossiers'"))


LATER = {
    "a status that changed": [dossier(1, "10", finished_at=at(3, 19))],
    "a due date that was reset": [dossier(1, due_at=at(12, 31))],
    "a due date that was withdrawn": [dossier(1, due_at=None)],
    "a row that was soft-deleted": [dossier(1, deleted_at=at(4, 9))],
    "a day received that was corrected": [dossier(1, received_at=datetime(2024, 4, 1, 8))],
    "dossiers of the period nobody had sent": [dossier(3), dossier(4, "10", finished_at=at(3, 2))],
}


@pytest.mark.parametrize("change", LATER)
def test_a_report_as_known_on_its_day_stays_the_same_after(shop: Engine, change: str) -> None:
    deliver(shop, land(shop, "dossiers", "2024-04-01"), [dossier(1), dossier(2, "10", finished_at=at(3, 20))])
    before = form(shop, REPORTED)
    assert before == (2, 2, 0, 0, 1, 0, 1, 0, 1, 0, 1)
    deliver(shop, land(shop, "dossiers", "2024-04-10"), LATER[change])
    assert form(shop, REPORTED) == before
    assert form(shop, datetime.fromisoformat("2024-04-11T00:00:00+07:00")) != before


def test_a_full_list_that_changes_everything_leaves_the_past_alone(shop: Engine) -> None:
    deliver(shop, land(shop, "dossiers", "2024-04-01"), [dossier(1), dossier(2), dossier(3)])
    before = form(shop, REPORTED)
    whole = [dossier(1, "10", finished_at=at(4, 20)), dossier(2, "7", finished_at=at(4, 2)), dossier(3, deleted_at=at(4, 30))]
    deliver(shop, land(shop, "dossiers", "2024-05-01"), whole)
    assert form(shop, REPORTED) == before == (3, 3, 0, 0, 0, 0, 0, 0, 3, 0, 3)
    assert form(shop, datetime.fromisoformat("2024-05-02T00:00:00+07:00"), "2024-04") == (2, 0, 0, 2, 2, 0, 1, 1, 0, 0, 0)


NIGHTS: dict[str, list[Row]] = {
    "2024-03-02": [dossier(1), dossier(2)],
    "2024-03-21": [dossier(1, due_at=at(3, 28)), dossier(3)],
    "2024-03-29": [dossier(1, "10", due_at=at(3, 28), finished_at=at(3, 27)), dossier(2, deleted_at=at(3, 29))],
}
FULL = ("2024-03-30", [NIGHTS["2024-03-29"][0], NIGHTS["2024-03-29"][1], dossier(3)])
TOLD = [
    ("H56.38.14-240301-0001", "4", datetime(2024, 3, 20, 17), None, "2024-03-02", "2024-03-21"),
    ("H56.38.14-240301-0001", "4", at(3, 28), None, "2024-03-21", "2024-03-29"),
    ("H56.38.14-240301-0001", "10", at(3, 28), None, "2024-03-29", "infinity"),
    ("H56.38.14-240301-0002", "4", datetime(2024, 3, 20, 17), None, "2024-03-02", "2024-03-29"),
    ("H56.38.14-240301-0002", "4", datetime(2024, 3, 20, 17), at(3, 29), "2024-03-29", "infinity"),
    ("H56.38.14-240301-0003", "4", datetime(2024, 3, 20, 17), None, "2024-03-21", "infinity"),
]


def test_nights_in_any_order_and_a_full_list_among_them_end_in_the_same_history(shop: Engine) -> None:
    told = [*NIGHTS.items(), FULL]
    for order in permutations(range(len(told))):
        clear(shop)
        landed = [(land(shop, "dossiers", day), rows) for day, rows in told]
        ingest(shop, [landed[place] for place in order])
        assert history(shop) == TOLD, order


def test_a_full_list_after_the_nights_tells_nothing_new(shop: Engine) -> None:
    for day, rows in NIGHTS.items():
        deliver(shop, land(shop, "dossiers", day), rows)
    outcome = deliver(shop, land(shop, "dossiers", FULL[0]), FULL[1])
    assert (outcome.loaded, outcome.unchanged) == (0, 3)
    assert history(shop) == TOLD


def test_a_dossier_that_a_later_file_leaves_out_stays_as_it_was(shop: Engine) -> None:
    deliver(shop, land(shop, "dossiers", "2024-03-02"), [dossier(1), dossier(2)])
    deliver(shop, land(shop, "dossiers", "2024-03-03"), [dossier(1, "10", finished_at=at(3, 3))])
    assert history(shop)[-1] == ("H56.38.14-240301-0002", "4", datetime(2024, 3, 20, 17), None, "2024-03-02", "infinity")


def moved(engine: Engine) -> list[tuple[Any, ...]]:
    query = "SELECT unit_code, dossier_code, known_from::date::text, due_before, due_after FROM mart.due_date_change ORDER BY 2, 3"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_each_move_of_a_due_date_is_reported_with_the_day_it_was_told(shop: Engine) -> None:
    first, second = datetime(2024, 3, 20, 17), at(3, 28)
    for day, due in (("2024-03-02", first), ("2024-03-21", second), ("2024-03-25", None), ("2024-03-29", first)):
        deliver(shop, land(shop, "dossiers", day), [dossier(1, due_at=due)])
    assert moved(shop) == [
        ("15655", "H56.38.14-240301-0001", "2024-03-21", first, second),
        ("15655", "H56.38.14-240301-0001", "2024-03-25", second, None),
    ]


def test_a_first_promise_and_a_change_of_anything_else_is_no_move_of_a_due_date(shop: Engine) -> None:
    deliver(shop, land(shop, "dossiers", "2024-03-02"), [dossier(1, due_at=None)])
    deliver(shop, land(shop, "dossiers", "2024-03-03"), [dossier(1)])
    deliver(shop, land(shop, "dossiers", "2024-03-21"), [dossier(1, "10", finished_at=at(3, 20))])
    assert moved(shop) == []
