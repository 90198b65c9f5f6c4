"""What is kept counted is what the facts say, whatever came and went between the nights; and where it is not, `verify` says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, text

from tasks.count.counting import counting
from tasks.count.kept import declared, verify
from tasks.one_stop_shop.form_06a import compute_form_06a
from tasks.one_stop_shop.score_pipeline import count_pipeline
from tests.warehouse.facts import LUAN_KHE, NGOC_PHUNG, bills, close, computed, dossiers, move, payments, person, shop, unit_key
from warehouse.tables import fact_bill, fact_dossier, fact_payment

START = datetime(2024, 3, 1, tzinfo=UTC)
UNITS = (NGOC_PHUNG, LUAN_KHE)

small = st.integers(0, 3)
a_dossier = st.fixed_dictionaries(
    {
        "received_at": st.sampled_from(["2024-01-31 23:59:59", "2024-02-20 08:00:00", "2024-03-05 08:00:00"]),
        "finished_at": st.sampled_from([None, "2024-03-02 08:00:00", "2024-04-10 08:00:00"]),
        "due_at": st.sampled_from([None, "2024-03-01 17:00:00", "2024-05-20 17:00:00"]),
        "dossier_status_key": st.sampled_from([3, 4, 5, 7, 10]),
        "channel_key": st.integers(1, 3),
        "fee_vnd": st.sampled_from([None, 0, 8000]),
        "online_payment_code": st.sampled_from([None, 1]),
    }
)
a_bill = st.fixed_dictionaries(
    {
        "row_key": st.integers(1, 6),
        "billing_month": st.sampled_from(["2023-12-01", "2024-01-01", "2024-03-01"]),
        "customer_hash": small.map(person),
        "key_number": st.integers(1, 2),
        "service_key": st.integers(1, 2),
        "amount_vnd": st.integers(0, 9),
    }
)
a_payment = st.fixed_dictionaries(
    {
        "bill_key": st.integers(1, 6),
        "business_date": st.sampled_from(["2023-11-30", "2024-01-10", "2024-04-01"]),
        "payment_method_key": st.integers(1, 2),
        "payment_status_key": st.integers(1, 2),
        "amount_vnd": st.integers(0, 9),
    }
)
events = st.lists(
    st.one_of(
        st.tuples(st.just("dossier"), a_dossier),
        st.tuples(st.just("bill"), a_bill),
        st.tuples(st.just("payment"), a_payment),
        st.tuples(st.just("end"), st.integers(0, 20)),
        st.tuples(st.just("move"), small),
        st.tuples(st.just("night"), st.integers(0, 40)),
    ),
    min_size=1,
    max_size=14,
)


class Warehouse:
    """Loads and nights, one after the other, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._now = START
        self._units = [unit_key(connection, code, START.date()) for code in UNITS]
        self._loaded: list[tuple[Table, int]] = []

    def happen(self, what: str, how: Any) -> None:
        """One thing, by its name."""
        getattr(self, f"_{what}")(how)

    def verified(self) -> list[Any]:
        """What differs, and what was not counted by the rules of now."""
        return [found for found in verify(self._connection) if found.differences or found.is_due]

    def _dossier(self, row: dict[str, Any]) -> None:
        unit = self._units[len(self._loaded) % 2]
        self._loaded.append((fact_dossier, dossiers(self._connection, [{"unit_key": unit, **row}], exported_at=self._now)))

    def _bill(self, row: dict[str, Any]) -> None:
        """A bill of a number that is known is another state of it."""
        ended = "UPDATE warehouse.fact_bill SET known_to = :at, ended_by = :load WHERE row_key = :key AND ended_by IS NULL"
        load = (self._connection.scalar(text("SELECT max(load_id) FROM ops.load")) or 0) + 1
        self._connection.execute(text(ended), {"at": self._now, "key": row["row_key"], "load": load})
        unit = self._units[row["amount_vnd"] % 2]
        self._loaded.append((fact_bill, bills(self._connection, [{"unit_key": unit, **row}], exported_at=self._now)))

    def _payment(self, row: dict[str, Any]) -> None:
        self._loaded.append((fact_payment, payments(self._connection, [row], exported_at=self._now)))

    def _end(self, place: int) -> None:
        if self._loaded:
            table, delivery = self._loaded[place % len(self._loaded)]
            close(self._connection, table, delivery, self._now)

    def _move(self, place: int) -> None:
        move(self._connection, self._units[place % 2], f"row_key % 4 = {place}", self._now)

    def _night(self, days: int) -> None:
        self._now += timedelta(days)
        night = counting(self._connection, self._now)
        computed(self._connection, self._now)
        compute_form_06a(self._connection, night)
        count_pipeline(self._connection, night)


@given(events)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_kept_counts_are_what_the_facts_say_after_any_loads_and_nights(engine: Engine, happening: list[tuple[str, Any]]) -> None:
    with engine.connect() as connection:
        warehouse = Warehouse(connection)
        for what, how in (("night", 0), *happening, ("night", 1), *happening[::2]):
            warehouse.happen(what, how)
            if what == "night":
                assert warehouse.verified() == []
        assert warehouse.verified() == [], "what was loaded since is not missing"
        connection.rollback()


@pytest.fixture
def counted(engine: Engine) -> Engine:
    """A warehouse in which a dossier, a paid bill and a payment to a shop were counted."""
    with engine.begin() as connection:
        dossiers(connection, [{}])
        bills(connection, [{"row_key": 1, "customer_hash": person(1)}])
        payments(connection, [{"bill_key": 1}, {"merchant_key": shop(connection)}])
        warehouse = Warehouse(connection)
        warehouse.happen("night", 0)
    return engine


@pytest.mark.parametrize("name", [counted.name for counted in declared()])
def test_a_count_that_somebody_changed_or_took_away_is_named(counted: Engine, name: str) -> None:
    with counted.begin() as connection:
        connection.execute(text("UPDATE warehouse.agg_count SET counts[2] = counts[2] + 7 WHERE counted = :name"), {"name": name})
        found = {each.counted: each for each in verify(connection)}
        assert [each for each, of in found.items() if of.differences] == [name]
        first = found[name].differences[0]
        assert first.unit_code == ("15646" if "restated" in name else NGOC_PHUNG)  # the unit that it went into
        assert first.kept is not None
        assert first.found is not None
        assert first.kept[1] == first.found[1] + 7
        connection.execute(text("DELETE FROM warehouse.agg_count WHERE counted = :name"), {"name": name})
        assert {d.kept for each in verify(connection) for d in each.differences} == {None}


OF_CUSTOMERS = "WHERE counted = 'bill customers things'"


@pytest.mark.parametrize(
    "happens",
    [
        f"UPDATE warehouse.agg_thing SET things = things || CAST('{person(2)}' AS uuid) {OF_CUSTOMERS}",
        f"UPDATE warehouse.agg_thing SET things = ARRAY[CAST('{person(2)}' AS uuid)] {OF_CUSTOMERS}",
        f"UPDATE warehouse.agg_thing SET holds = 2 {OF_CUSTOMERS}",
        f"DELETE FROM warehouse.agg_thing {OF_CUSTOMERS}",
    ],
)
def test_customers_that_somebody_changed_or_took_away_are_named(counted: Engine, happens: str) -> None:
    with counted.begin() as connection:
        connection.execute(text(happens))
        assert [found.counted for found in verify(connection) if found.differences] == ["bill customers"]


def test_customers_that_somebody_added_are_gone_after_the_next_night(counted: Engine) -> None:
    with counted.begin() as connection:
        connection.execute(text(f"UPDATE warehouse.agg_thing SET things = things || CAST('{person(2)}' AS uuid)"))
        warehouse = Warehouse(connection)
        warehouse.happen("night", 1)
        assert warehouse.verified() == []


@pytest.mark.parametrize(
    "happens",
    [
        "UPDATE warehouse.agg_count SET counts[2] = counts[2] + 7 WHERE counted = 'bill'",
        "UPDATE warehouse.agg_count SET unit_key = unit_key + 1 WHERE counted = 'bill'",  # by their sums the same as before
        "DELETE FROM warehouse.agg_count WHERE counted = 'form_06a'",
        "INSERT INTO warehouse.agg_count SELECT counted, unit_key, part, day - 31, received, counts FROM warehouse.agg_count "
        "WHERE counted = 'bill'",
        "TRUNCATE warehouse.agg_count",
        "TRUNCATE warehouse.agg_thing",
    ],
)
def test_whatever_somebody_does_to_the_counts_they_are_whole_after_the_next_night(counted: Engine, happens: str) -> None:
    with counted.begin() as connection:
        connection.execute(text(happens))
        warehouse = Warehouse(connection)
        warehouse.happen("night", 1)
        assert warehouse.verified() == []
        assert connection.scalar(text("SELECT count(*) FROM warehouse.agg_count")) > 0


def test_a_night_does_not_take_its_own_counts_for_altered(counted: Engine) -> None:
    with counted.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.mark")) > 0
        assert connection.scalar(text("SELECT count(*) FROM ops.mark WHERE is_altered")) == 0


def test_verify_changes_nothing(counted: Engine) -> None:
    with counted.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        assert all(not found.differences for found in verify(connection))


def test_what_rules_of_before_counted_is_due_rather_than_wrong(counted: Engine) -> None:
    with counted.begin() as connection:
        connection.execute(text("UPDATE warehouse.dim_payment_method SET is_cashless = FALSE"))
        assert [(found.counted, found.is_due) for found in verify(connection) if found.is_due] == [
            ("bill", True),
            ("bill customers", True),
            ("bill customers restated", True),
            ("payment shops", True),
            ("payment shops restated", True),
        ]
