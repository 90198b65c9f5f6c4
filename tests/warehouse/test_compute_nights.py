"""Night after night: what is new is computed, what is not is left alone, and nobody can tell the difference."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, text

from tasks.count.counting import counting
from tasks.indicators.compute import compute
from tests.warehouse.facts import (
    EXPORTED,
    LUAN_KHE,
    NGOC_PHUNG,
    THANH_HOA,
    THUONG_XUAN,
    arrived,
    bills,
    close,
    dossiers,
    holders,
    move,
    payments,
    person,
    publish,
    signatures,
    surveys,
    unit_counts,
    unit_key,
    value,
)
from warehouse.bulk import BULK
from warehouse.tables import fact_bill, fact_dossier, fact_unit_count

LATER = datetime(2025, 2, 10, tzinfo=UTC)
IN_MAY = {"received_at": "2024-05-02 08:00:00", "due_at": None, "finished_at": "2024-05-03 08:00:00"}


def counts(engine: Engine, indicator: str, period: str, unit: str = NGOC_PHUNG) -> tuple[int | None, int | None] | None:
    found = value(engine, indicator, unit, period)
    return found and found[:2]


def sending(engine: Engine, unit: str) -> tuple[int, int]:
    """Of the communes on the list of those that run the model in 2024, how many send data."""
    query = (
        "SELECT units_counted, units_expected FROM mart.indicator WHERE indicator_code = 'ST1' AND period = '2024' AND unit_code = :unit"
    )
    with engine.connect() as c:
        row = c.execute(text(query), {"unit": unit}).one()
        return row.units_counted, row.units_expected


def computed(engine: Engine, as_of: datetime = datetime(2025, 6, 1, tzinfo=UTC)) -> set[tuple[str, str]]:
    """Indicators and periods that the next night would compute."""
    with engine.begin() as c:
        compute(c, counting(c, as_of))
        query = "SELECT DISTINCT indicator_code, period FROM candidate JOIN warehouse.dim_indicator USING (indicator_key)"
        return {(row.indicator_code, row.period) for row in c.execute(text(query))}


# What is new ----------------------------------------------------------------------------------------------------------


def test_a_late_dossier_changes_its_month_quarter_and_year_without_a_look_at_other_facts(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{"channel_key": 1}, {**IN_MAY, "channel_key": 1}])
        bills(c, [{"customer_hash": person(n), "row_key": -n} for n in range(1, 6)])
        payments(c, [{"bill_key": -1}])
        unit_counts(c, NGOC_PHUNG, "2024", {"shops_qr": 1, "shops_total": 2})
    publish(engine)
    with engine.begin() as c:
        c.execute(text("TRUNCATE warehouse.fact_bill, warehouse.fact_payment, warehouse.fact_unit_count"))
        c.execute(text("DELETE FROM warehouse.fact_dossier WHERE received_at < '2024-05-01'"))
        dossiers(c, [IN_MAY], exported_at=LATER)
    assert publish(engine).revised > 0
    assert [counts(engine, "CQ4", period) for period in ("2024-05", "2024-Q2", "2024")] == [(1, 2), (1, 2), (1, 3)]
    assert counts(engine, "CQ4", "2024-03") == (0, 1)
    assert [counts(engine, code, "2024") for code in ("K2a", "K2b", "K2c", "K2g")] == [(1, 5), (1, 5), (100_000, 500_000), (1, 2)]
    assert sending(engine, THUONG_XUAN) == (1, 16)


def test_a_payment_computes_indicators_of_bills_in_the_periods_of_its_bill_and_no_others(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}])
        bills(c, [{"row_key": -1}, {"row_key": -2, "billing_month": "2024-07-01"}])
    publish(engine)
    with engine.begin() as c:
        payments(c, [{"bill_key": -1, "business_date": "2024-08-02"}], exported_at=LATER)
    found = computed(engine)
    assert {code for code, _ in found} == {"K2a", "K2b", "K2c", "K2d", "K2e", "ST1"}
    assert {period for _, period in found} == {"2024-03", "2024-Q1", "2024"}


def test_a_unit_seen_for_the_first_time_gets_lines_of_every_indicator(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{}])
    publish(engine)
    with engine.begin() as c:
        other = {"unit_key": unit_key(c, "14761")}  # a ward of another district
        dossiers(c, [{**IN_MAY, **other, "received_at": "2024-03-02 08:00:00"}], exported_at=LATER)
    publish(engine)
    assert value(engine, "K2b", "14761", "2024") == (None, None, None, "L")
    assert counts(engine, "K2b", "2024") == (0, 1)
    assert sending(engine, THANH_HOA) == (1, 16), "the other one is not on the list"


def test_a_unit_of_which_nothing_is_left_no_longer_counts_as_sending(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{}])
        gone = dossiers(c, [{"unit_key": unit_key(c, LUAN_KHE)}])
    publish(engine)
    assert sending(engine, THUONG_XUAN) == (2, 16)
    with engine.begin() as c:
        close(c, fact_dossier, gone, LATER)
        arrived(c, "dossiers", LATER)
    publish(engine)
    assert sending(engine, THUONG_XUAN) == (1, 16)
    assert value(engine, "CQ4", LUAN_KHE, "2024") == (None, None, None, "L")


def test_a_correction_of_the_same_day_leaves_nothing_in_the_month_it_took_a_dossier_from(engine: Engine) -> None:
    with engine.begin() as c:
        first = dossiers(c, [{}])
        dossiers(c, [{"channel_key": 1}])
    publish(engine)
    with engine.begin() as c:
        close(c, fact_dossier, first, EXPORTED)  # another state takes its place: it never held
        dossiers(c, [IN_MAY])
    publish(engine)
    assert [counts(engine, "CQ4", period) for period in ("2024-03", "2024-05", "2024")] == [(0, 1), (1, 1), (1, 2)]


def test_units_that_change_inside_a_running_period_are_looked_at_without_any_new_row(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{"received_at": "2025-03-03 08:00:00"}])
    publish(engine, datetime(2025, 6, 20, tzinfo=UTC))
    before, after = datetime(2025, 6, 25, tzinfo=UTC), datetime(2025, 7, 5, tzinfo=UTC)
    assert computed(engine, before) == set()
    assert ("CQ4", "2025") in computed(engine, after)


# Surveys --------------------------------------------------------------------------------------------------------------


def test_a_survey_of_some_communes_says_nothing_of_those_above_them(engine: Engine) -> None:
    with engine.begin() as c:
        asked = [unit_key(c, unit) for unit in (NGOC_PHUNG, LUAN_KHE)]
        surveys(c, [{"unit_key": key, "respondents": 50, "positive_answers": 20} for key in asked])
    publish(engine)
    assert value(engine, "K1b", NGOC_PHUNG, "2024") == (20, 50, Decimal("40.0"), "A")
    for unit in (THUONG_XUAN, THANH_HOA):
        found = value(engine, "K1b", unit, "2024")
        assert found is None or found[2:] == (None, "M")


# Statistics -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loaded", "known"), [(1_001, 1_001), (1_000, -1)])
def test_the_planner_is_told_of_a_fact_only_after_much_was_loaded(engine: Engine, loaded: int, known: int) -> None:
    with engine.begin() as c:
        dossiers(c, [{}] * loaded)
    publish(engine)
    with engine.connect() as c:
        assert c.scalar(text("SELECT reltuples FROM pg_class WHERE oid = 'warehouse.fact_dossier'::regclass")) == known


def test_the_planner_is_told_of_what_was_published_before_anybody_reads_it(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}])
    publish(engine)
    with engine.connect() as c:
        for table in ("fact_indicator", "fact_form_06a"):
            known, there = c.execute(
                text(f"SELECT reltuples, (SELECT count(*) FROM warehouse.{table}) FROM pg_class WHERE oid = 'warehouse.{table}'::regclass")
            ).one()
            assert known == (there if there > BULK else -1)
        assert there <= BULK < c.scalar(text("SELECT count(*) FROM warehouse.fact_indicator"))


# Any night ------------------------------------------------------------------------------------------------------------


class Nights:
    """Random small nights around the day the districts went: rows come, change, end, are paid, are put elsewhere."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._now = datetime(2025, 5, 20, tzinfo=UTC)
        self._alive: list[tuple[str, Table, int]] = []
        self._bills: list[int] = []

    def next(self, engine: Engine) -> datetime:
        """Loads what arrives on some later day and returns its state of knowledge."""
        self._now += timedelta(days=self._random.randint(1, 25))
        happenings = [self._dossiers, self._bill, self._payment, self._offices, self._survey, self._holder, self._end, self._move]
        with engine.begin() as c:
            for happening in self._random.sample(happenings, self._random.randint(0, 3)):
                happening(c)
        return self._now

    def _unit(self, c: Connection) -> int:
        code, on = self._random.choice(
            [(NGOC_PHUNG, date(2025, 5, 1)), (LUAN_KHE, date(2025, 5, 1)), (THUONG_XUAN, date(2025, 5, 1)), ("15646", date(2025, 8, 1))]
        )
        return unit_key(c, code, on)

    def _month(self) -> str:
        return f"2025-{self._random.randint(2, 8):02}"

    def _dossiers(self, c: Connection) -> None:
        rows: list[dict[str, Any]] = []
        for _ in range(self._random.randint(1, 4)):
            received, ended = f"{self._month()}-03 08:00:00", f"{self._month()}-20 08:00:00"
            solved = {"dossier_status_key": 10, "finished_at": max(received, ended), "due_at": received}
            pending = {"dossier_status_key": 5, "finished_at": None}
            rows.append(
                {
                    "unit_key": self._unit(c), "received_at": received, "channel_key": self._random.randint(1, 2),
                    **self._random.choice([solved, pending]),
                }
            )  # fmt: skip
        self._alive.append(("dossiers", fact_dossier, dossiers(c, rows, exported_at=self._now)))

    def _bill(self, c: Connection) -> None:
        keys = [-self._random.getrandbits(40) - 1 for _ in range(3)]
        rows = [
            {
                "row_key": key, "unit_key": self._unit(c), "billing_month": f"{self._month()}-01", "issued_on": "2025-02-01",
                "service_key": self._random.randint(1, 3), "customer_hash": person(self._random.randint(1, 4)),
            }
            for key in keys
        ]  # fmt: skip
        self._bills += keys
        self._alive.append(("bills", fact_bill, bills(c, rows, exported_at=self._now)))

    def _payment(self, c: Connection) -> None:
        if self._bills:
            row = {"bill_key": self._random.choice(self._bills), "business_date": "2025-06-05", "payment_status_key": 1}
            payments(c, [{**row, "payment_method_key": self._random.randint(1, 2)}], exported_at=self._now)

    def _offices(self, c: Connection) -> None:
        period = self._random.choice([self._month(), "2025-Q2", "2025"])
        part, whole = sorted(self._random.sample(range(1, 40), 2))
        counted = {"documents_signed": part, "documents_outgoing": whole, "population_adult": 50, "eid_issued": part}
        reported = unit_counts(c, NGOC_PHUNG, period, counted, date(2025, 5, 1), exported_at=self._now)
        self._alive.append(("unit_counts", fact_unit_count, reported))
        signatures(c, [{"unit_key": self._unit(c), "month": self._month(), "certificates_in_force": part}], exported_at=self._now)

    def _survey(self, c: Connection) -> None:
        surveys(
            c,
            [{"unit_key": self._unit(c), "asked_on": f"{self._month()}-07", "respondents": 40, "positive_answers": 9}],
            exported_at=self._now,
        )

    def _holder(self, c: Connection) -> None:
        row = {"unit_key": self._unit(c), "holder_hash": person(self._random.getrandbits(30)), "issued_on": f"{self._month()}-09"}
        holders(c, [row], exported_at=self._now)

    def _end(self, c: Connection) -> None:
        if self._alive:
            feed, table, delivery_id = self._alive.pop(self._random.randrange(len(self._alive)))
            close(c, table, delivery_id, self._now)
            arrived(c, feed, self._now)

    def _move(self, c: Connection) -> None:
        """A new list of agencies gives dossiers another unit."""
        move(c, self._unit(c), "row_key % 2 = 0", self._now)


DIFFERENCES = """
SELECT i.indicator_code, u.unit_code, period, p.numerator, p.denominator, p.obs_status, c.numerator, c.denominator, c.obs_status
FROM (SELECT * FROM warehouse.fact_indicator WHERE known_to = 'infinity') p FULL JOIN candidate c USING (indicator_key, unit_key, period)
JOIN warehouse.dim_indicator i USING (indicator_key) JOIN warehouse.dim_unit u USING (unit_key)
WHERE (p.numerator, p.denominator, p.value, p.obs_status, p.obs_reason, p.units_counted, p.units_expected)
    IS DISTINCT FROM (c.numerator, c.denominator, c.value, c.obs_status, c.obs_reason, c.units_counted, c.units_expected)
"""


@pytest.mark.parametrize("seed", range(6))
def test_what_nights_leave_is_what_a_computation_from_scratch_finds(engine: Engine, seed: int) -> None:
    nights = Nights(seed)
    for _ in range(7):
        as_of = nights.next(engine)
        publish(engine, as_of)
        with engine.connect() as c:
            c.execute(text("DELETE FROM ops.mark"))
            compute(c, counting(c, as_of))
            assert c.execute(text(DIFFERENCES)).all() == []
            c.rollback()
