"""What decides what counts: the states of the night, the rules of now, and conditions that fail and cost no other indicator."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

import warehouse.indicators
from tasks.count import counts
from tasks.count.counting import counting
from tasks.one_stop_shop.form_06a import compute_form_06a
from tests.warehouse.facts import (
    NGOC_PHUNG,
    bills,
    close,
    computed,
    dossiers,
    holders,
    payments,
    person,
    publish,
    unit_counts,
    value,
)
from warehouse.indicators import Measure, facts, indicators, measures
from warehouse.indicators.facts import kept
from warehouse.scores import on_time as rules
from warehouse.scores.form_06a import form_06a, recount
from warehouse.tables import fact_bill, fact_dossier

Change = Callable[..., None]


def rate(engine: Engine, code: str, period: str = "2024") -> tuple[int | None, int | None] | None:
    found = value(engine, code, NGOC_PHUNG, period)
    return found and found[:2]


# Conditions that fail ---------------------------------------------------------------------------------------------------


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Change]:
    """Changes how an indicator is declared, as an edit of its YAML does; or adds a file."""
    shipped = warehouse.indicators._files()

    def clear() -> None:
        indicators.cache_clear()
        facts.cache_clear()

    def change(code: str = "", added: dict[str, Any] | None = None, **keys: Any) -> None:
        files = copy.deepcopy(shipped) + ([added] if added else [])
        for file in files:
            for entry in file.get("indicators", []):
                entry.update(keys if entry["code"] == code else {})
        monkeypatch.setattr(warehouse.indicators, "_files", lambda: files)
        clear()

    yield change
    monkeypatch.undo()
    clear()


def failed(engine: Engine) -> dict[str, str]:
    """Indicators that the next night would leave out."""
    with engine.connect() as connection:
        return computed(connection).uncounted


def test_every_declared_condition_holds_against_the_tables(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
    assert failed(engine) == {}


@pytest.mark.parametrize(
    ("code", "numerator", "why"),
    [
        ("CQ4", "chanel_code = '2'", 'column "chanel_code" does not exist'),
        ("CQ4", "channel_code = ", "syntax error"),
        ("CQ4", "1 / (service_level - 3) > 0", "division by zero"),
        ("K2b", "service_code::int = 1", "invalid input syntax for type integer"),
        ("K2a", "no_such_thing", 'column "no_such_thing" does not exist'),
        ("ND5", "certificate_status > 1", "operator does not exist"),
        ("ND5C", "certificates", "column f.certificates does not exist"),
    ],
)
def test_an_indicator_whose_condition_fails_is_left_out_and_all_others_are_published(
    engine: Engine, declare: Change, code: str, numerator: str, why: str
) -> None:
    with engine.begin() as c:
        dossiers(c, [{}, {"channel_key": 1}])
        bills(c, [{"row_key": n, "customer_hash": person(n)} for n in range(1, 6)])
        payments(c, [{"bill_key": 1}])
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        holders(c, [{"holder_hash": person(1)}])
    declare(code, numerator=numerator)
    found = failed(engine)
    assert why in found.pop(code)
    assert set(found) == ({"ND5"} if code == "ND5C" else set()), "where its counts stand in, it cannot be told either"
    publish(engine)
    expected = {"CQ4": (1, 2), "CQ6P": (2, 2), "K2a": (1, 5), "K2b": (1, 5), "K2c": (100_000, 500_000), "ND5": (1, 10)}
    left_out = {code, *found}
    assert {other: rate(engine, other) for other in expected} == {c: None if c in left_out else counts for c, counts in expected.items()}


def test_an_indicator_left_out_keeps_its_published_value_and_is_counted_again_once_it_is_mended(engine: Engine, declare: Change) -> None:
    with engine.begin() as c:
        dossiers(c, [{"fee_vnd": 10}])
    publish(engine)
    declare("K2f", numerator="1000000 / (fee_vnd - 8000) <> 0")
    publish(engine)
    assert rate(engine, "K2f") == (1, 1)
    with engine.begin() as c:
        impossible = dossiers(c, [{"fee_vnd": 8000}])
    publish(engine)
    assert (rate(engine, "K2f"), rate(engine, "CQ4")) == ((1, 1), (2, 2))
    with engine.begin() as c:
        close(c, fact_dossier, impossible, datetime(2025, 5, 1, tzinfo=UTC))
        dossiers(c, [{"fee_vnd": 9000, "received_at": "2024-05-01 08:00:00"}])
    publish(engine)
    assert rate(engine, "K2f") == (2, 2)


# Rules of now -------------------------------------------------------------------------------------------------------------


def test_a_fact_and_its_indicator_are_added_by_a_yaml_alone_where_their_table_is_there(engine: Engine, declare: Change) -> None:
    payment = {
        "about": "Giao dịch thanh toán",
        "table": "fact_payment",
        "days": {"paid": "business_date"},
        "columns": ["payment_method_key"],
    }
    large = {"code": "TT1", "name": "x", "definition": "x", "legal_source": "x", "fact": "paid", "numerator": "payment_method_key = 2"}
    declare(added={"official_table": "Mới", "pillar": "kinh_te_so", "order": 9, "facts": {"paid": payment}, "indicators": [large]})
    with engine.begin() as c:
        payments(c, [{}, {"payment_method_key": 1}])
    publish(engine)
    assert rate(engine, "TT1", "2024-03") == (1, 2)
    with engine.begin() as c:
        payments(c, [{}])
    publish(engine)
    assert rate(engine, "TT1") == (2, 3)


def test_a_measure_that_becomes_a_flow_is_counted_so_in_every_period(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as c:
        for month in ("2024-01", "2024-02"):
            unit_counts(c, NGOC_PHUNG, month, {"shops_qr": 2, "shops_total": 10})
    publish(engine)
    assert rate(engine, "K2g") == (2, 10)
    flow = {name: Measure(True, False) if name.startswith("shops") else measure for name, measure in measures().items()}
    monkeypatch.setattr(counts, "measures", lambda: flow)
    publish(engine)
    assert rate(engine, "K2g") == (4, 20)


def test_another_rule_of_in_time_is_applied_to_every_period(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    late = {"finished_at": "2024-03-25 09:00:00"}
    with engine.begin() as c:
        dossiers(c, [{}, late])
    publish(engine)
    assert rate(engine, "CQ5", "2024-03") == (1, 2)
    lenient = copy.deepcopy(rules._all())
    lenient["form_06a"]["in_time"] = "{ended_at} IS NOT NULL"
    monkeypatch.setattr(rules, "_all", lambda: lenient)
    caches = (rules.on_time, form_06a, recount)
    for cache in caches:
        cache.cache_clear()
    try:
        with engine.begin() as c:
            dossiers(c, [{**late, "received_at": "2024-04-01 08:00:00", "finished_at": "2024-05-25 09:00:00"}])
        publish(engine)
        assert [rate(engine, "CQ5", period) for period in ("2024-03", "2024-05", "2024")] == [(2, 2), (1, 1), (3, 3)]
    finally:
        monkeypatch.undo()
        for cache in caches:
            cache.cache_clear()


# Payments and providers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nights", [1, 2])
def test_a_bill_paid_before_its_month_is_paid_whether_its_files_come_in_one_night_or_two(engine: Engine, nights: int) -> None:
    with engine.begin() as c:
        bills(c, [{"row_key": 1, "billing_month": "2023-12-01"}])
    if nights == 2:
        publish(engine)
    with engine.begin() as c:
        bills(c, [{"row_key": 2, "billing_month": "2024-01-01"}])
        payments(c, [{"bill_key": 2, "business_date": "2023-12-31"}])
    publish(engine)
    assert (rate(engine, "K2b", "2023-12"), rate(engine, "K2b", "2024-01")) == ((0, 1), (1, 1))


def test_a_bill_of_another_customer_changes_the_quarter_even_where_its_month_counts_as_many(engine: Engine) -> None:
    february = {"row_key": 9, "billing_month": "2024-02-01"}
    with engine.begin() as c:
        bills(c, [{"row_key": n, "billing_month": "2024-01-01", "customer_hash": person(n)} for n in range(1, 6)])
        wrong = bills(c, [{**february, "customer_hash": person(1)}])
    publish(engine)
    assert (rate(engine, "K2a", "2024-Q1"), rate(engine, "K2a")) == ((0, 5), (0, 5))
    with engine.begin() as c:
        close(c, fact_bill, wrong, datetime(2025, 5, 1, tzinfo=UTC))
        bills(c, [{**february, "customer_hash": person(6)}])
    publish(engine)
    assert (rate(engine, "K2a", "2024-Q1"), rate(engine, "K2a")) == ((0, 6), (0, 6))


def test_the_subscribers_of_carriers_add_up_and_of_each_the_last_report_holds(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024-12", {"population_adult": 1000})
        for provider, month, subscribers in ((7, "2024-11", 200), (7, "2024-12", 300), (8, "2024-10", 500)):
            delivery = unit_counts(c, NGOC_PHUNG, month, {"smartphone_subscribers": subscribers})
            c.execute(text("UPDATE warehouse.fact_unit_count SET provider_key = :p WHERE delivery_id = :d"), {"p": provider, "d": delivery})
    publish(engine)
    assert rate(engine, "ND1") == (800, 1000)
    assert rate(engine, "ND1", "2024-12") == (300, 1000)


# A night for a day before ---------------------------------------------------------------------------------------------------

JANUARY, JUNE = datetime(2024, 1, 31, 16, 59, 59, tzinfo=UTC), datetime(2024, 6, 30, 16, 59, 59, tzinfo=UTC)


KEPT = ("SELECT * FROM warehouse.agg_count ORDER BY 1, 2, 3, 4, 5", "SELECT * FROM ops.mark ORDER BY 1")


def test_a_night_for_an_earlier_day_counts_what_was_known_then_and_leaves_what_is_kept_alone(engine: Engine) -> None:
    pending = {"received_at": "2024-01-10 08:00:00", "finished_at": None, "dossier_status_key": 4}
    solved = {"received_at": "2024-06-10 08:00:00", "finished_at": "2024-06-11 08:00:00"}
    with engine.begin() as c:
        first = dossiers(c, [pending], exported_at=JANUARY - timedelta(hours=1))
        dossiers(c, [solved], exported_at=JUNE - timedelta(hours=1))
        close(c, fact_dossier, first, JUNE - timedelta(hours=1))  # known in January, and no longer in June
    publish(engine, JUNE)
    with engine.begin() as c:
        dossiers(c, [pending], exported_at=JANUARY - timedelta(minutes=1))  # comes late and was known early
        kept = [c.execute(text(query)).all() for query in KEPT]
        night = counting(c, JANUARY)
        assert (night.is_vintage, night.today) == (True, date(2024, 1, 31))
        assert set(computed(c, JANUARY).periods) == {"2024-01", "2024-Q1", "2024"}
        here = "JOIN warehouse.dim_unit USING (unit_key) WHERE unit_code = '15655' AND period = '2024'"
        received = f"SELECT denominator FROM candidate JOIN warehouse.dim_indicator USING (indicator_key) {here} AND indicator_code = 'CQ4'"
        assert c.scalar(text(received)) == 2
        compute_form_06a(c, night)
        assert c.execute(text(f"SELECT c3, c7, c11 FROM form_candidate {here} AND reporting_calendar = 'lich'")).one() == (2, 0, 2)
        assert [c.execute(text(query)).all() for query in KEPT] == kept


def test_a_night_at_noon_after_one_for_the_end_of_the_day_is_no_earlier_day(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}])
    publish(engine, JUNE)
    with engine.connect() as c:
        noon = counting(c, JUNE.replace(hour=5))
        assert (noon.is_vintage, noon.as_of) == (False, JUNE)
        assert counting(c, JUNE - timedelta(days=1)).is_vintage
        assert counting(c, JUNE + timedelta(seconds=1)).as_of == JUNE + timedelta(seconds=1)


# Distinct things ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measures_of", [1, 2, 4])  # of the numerator and denominator of each, five fit into a number
def test_each_thing_is_counted_once_in_every_period_whatever_it_holds_there(engine: Engine, measures_of: int) -> None:
    (customers,) = [i for i in indicators() if i.count == "customers"]
    alike = [customers.model_copy(update={"code": f"X{number}"}) for number in range(measures_of)]
    (counted,) = [each for each in kept("bill", facts()["bill"], alike) if each.things is not None]
    chance = random.Random(measures_of)
    said = {  # unit, month, thing, what it holds → 1 came, -1 is gone, 0 stays
        (chance.randint(1, 2), chance.randint(1, 12), chance.randint(1, 30), chance.randrange(1, 4**measures_of)): chance.choice([-1, 0, 1])
        for _ in range(300)
    }
    rows = ", ".join(f"({sign}, {unit}, 2024, {month}, {thing}, {holds})" for (unit, month, thing, holds), sign in said.items())
    things = f"(SELECT * FROM (VALUES {rows}) told (sign, unit_key, year, month, thing, holds))"
    with engine.connect() as c:
        found = {
            (unit, part, day.month): tuple(counts)
            for unit, part, day, _, counts in c.execute(text(counted.query.replace("{things}", things)))
        }

    def held(unit: int, months: range, places: Iterable[int], side: int) -> int:
        here = ((thing, holds) for (of, month, thing, holds), sign in said.items() if of == unit and month in months and sign * side >= 0)
        return len({thing for thing, holds in here if any(holds >> place & 1 for place in places)})

    wholes, every = range(1, 2 * measures_of, 2), range(2 * measures_of)
    assert len(found) == 2 * (12 + 4 + 1)
    for (unit, part, first), numbers in found.items():
        of_period = [
            held(unit, range(first, first + part), places, 1) - held(unit, range(first, first + part), places, -1)
            for places in (wholes, *([place] for place in every))
        ]
        assert list(numbers) == of_period
