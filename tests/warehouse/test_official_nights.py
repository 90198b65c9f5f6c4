"""Form 06a and the score of decision 766, night after night: what a night adds up equals what is counted from scratch."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, text

from tasks.count.counting import counting
from tasks.one_stop_shop.form_06a import COLUMNS, compute_form_06a
from tasks.one_stop_shop.scores import Scores, compute_scores, pipeline_scores
from tests.warehouse import facts
from warehouse.tables import dim_procedure, fact_dossier

START = datetime(2024, 2, 26, 16, 59, 59, tzinfo=UTC)
REFORM = datetime(2025, 6, 27, 16, 59, 59, tzinfo=UTC)
PLACES = ("15655", "15637", "396", "38")
LATER = ("15646", "15661", "38")
"""Units that take over from them on 1 July 2025."""
LINE = ", ".join(("unit_key", "period", "reporting_calendar", "section", "sector_code", *COLUMNS))

State = dict[str, Any]


@pytest.fixture
def procedures(engine: Engine) -> list[int]:
    with engine.begin() as connection:
        rows = [
            {"procedure_code": f"1.00000{n}", "procedure_name": "Thủ tục", "sector_code": f"L{n % 2}", "sector_name": "Lĩnh vực",
             "service_level": 3 + n % 2, "has_fee": n % 2 == 0, "authority_level": "xa", "is_inferred": False,
             "valid_from": "0001-01-01", "valid_to": "9999-12-31"}
            for n in range(3)
        ]  # fmt: skip
        return list(connection.scalars(insert(dim_procedure).returning(dim_procedure.c.procedure_key), rows))


def compute(engine: Engine, as_of: datetime) -> Scores:
    with engine.begin() as connection:
        return compute_scores(connection, counting(connection, as_of), facts.begin(connection, as_of))


def deliver(engine: Engine, states: dict[int, State], exported: datetime) -> None:
    """One delivery of dossiers: the states of before end, these begin."""
    with engine.begin() as connection:
        load = facts.loading(connection)
        connection.execute(
            text("UPDATE warehouse.fact_dossier SET known_to = :at, ended_by = :load WHERE known_to = 'infinity' AND row_key = ANY(:keys)"),
            {"at": exported, "keys": list(states), "load": load},
        )
        delivery = facts.arrived(connection, "dossiers", exported)
        usual = {"agency_key": 0, "key_number": 1, "row_hash": 0, "known_from": exported, "delivery_id": delivery, "loaded_by": load}
        for key, state in states.items():
            row = {"row_key": key, "row_number": key, "dossier_code": f"D{key}", "received_unit_key": state["unit_key"], **state}
            connection.execute(insert(fact_dossier), {**usual, **row})


def a_state(chance: random.Random, units: list[int], procedures: list[int], today: datetime, before: State | None) -> State:
    """A new dossier, or what became of one."""
    if before is None:
        received = today.replace(tzinfo=None) - timedelta(days=chance.randint(-1, 40))
        before = {"received_at": received, "unit_key": chance.choice(units), "procedure_key": chance.choice(procedures)}
    received = before["received_at"]
    ended = received + timedelta(days=chance.randint(0, 45)) if chance.random() < 0.5 else None
    return {
        "received_at": received,
        "unit_key": before["unit_key"] if chance.random() < 0.95 else chance.choice(units),
        "procedure_key": before["procedure_key"],
        "channel_key": chance.randint(1, 3),
        "dossier_status_key": chance.choice((7, 9, 10)) if ended else chance.choice((2, 3, 4, 5, 6, 8)),
        "finished_at": ended,
        "due_at": received + timedelta(days=chance.randint(0, 40)) if chance.random() < 0.8 else None,
        "supplement_count": chance.choice((None, 1, 2)),
        "supplement_requested_at": received + timedelta(days=1) if chance.random() < 0.2 else None,
        "fee_vnd": chance.choice((0, 8000)),
        "online_payment_code": chance.choice((None, 1)),
        "is_digitised": chance.random() < 0.5,
        "has_electronic_result": chance.random() < 0.5,
        "reuse_code": chance.randint(0, 2),
        "is_vneid_verified": chance.random() < 0.5,
        "deleted_at": received + timedelta(days=2) if chance.random() < 0.05 else None,
    }


def published(connection: Connection) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    form = f"SELECT {LINE} FROM warehouse.fact_form_06a WHERE known_to = 'infinity'"
    score = (
        "SELECT unit_key, period, group_code, component_code, numerator, denominator, score::float, obs_status "
        "FROM warehouse.fact_score_766 WHERE known_to = 'infinity' AND counted_by = 'pipeline'"
    )
    return {tuple(row) for row in connection.execute(text(form))}, {tuple(row) for row in connection.execute(text(score))}


def from_scratch(connection: Connection, as_of: datetime) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    compute_form_06a(connection, facts.as_known(as_of))
    lines = {tuple(row) for row in connection.execute(text(f"SELECT {LINE} FROM form_candidate"))}
    scores = pipeline_scores(connection, facts.as_known(as_of)).astype(object)
    names = ["unit_key", "period", "group_code", "component_code", "numerator", "denominator", "score", "obs_status"]
    scores = scores[names].where(scores[names].notna(), None)
    return lines, {tuple(row) for row in scores.itertuples(index=False)}


@pytest.mark.parametrize(("seed", "start"), [(seed, start) for start in (START, REFORM) for seed in range(3)])
def test_nights_added_up_equal_a_count_from_scratch(engine: Engine, procedures: list[int], seed: int, start: datetime) -> None:
    chance = random.Random(seed)
    with engine.connect() as connection:
        units = [facts.unit_key(connection, code) for code in PLACES] + [0]
        later = [facts.unit_key(connection, code, date(2025, 7, 1)) for code in LATER]
    states: dict[int, State] = {}
    exported = start
    for _ in range(9):
        exported += timedelta(days=chance.choice((1, 1, 2, 9)))
        if chance.random() < 0.8:
            again = chance.sample(sorted(states), min(len(states), chance.randint(0, 4)))
            new = range(len(states) + 1, len(states) + 1 + chance.randint(0, 8))
            arriving = {key: a_state(chance, units, procedures, exported, states.get(key)) for key in (*again, *new)}
            if exported.date() > date(2025, 6, 30):  # told by the agencies of after the reform, those of before that still tell it apart
                for state in arriving.values():
                    if chance.random() < 0.6:
                        is_of_before = state["received_at"].date() <= date(2025, 6, 30) and state["unit_key"] in units
                        state["received_unit_key"] = state["unit_key"] if is_of_before else 0
                        state["unit_key"] = chance.choice(later)
            deliver(engine, arriving, exported)
            states |= arriving
        compute(engine, exported)
        with engine.connect() as connection:
            kept, counted = published(connection), from_scratch(connection, exported)
            assert [set(one) ^ set(other) for one, other in zip(kept, counted, strict=True)] == [set(), set()]
            assert not connection.scalar(text("SELECT EXISTS (SELECT FROM ops.held_back WHERE released_by IS NULL)"))


def test_a_delivery_that_comes_late_is_counted_all_the_same(engine: Engine, procedures: list[int]) -> None:
    with engine.connect() as connection:
        unit = facts.unit_key(connection, PLACES[0])
    state = {"received_at": "2024-02-20", "unit_key": unit, "procedure_key": procedures[0], "channel_key": 2, "dossier_status_key": 4}
    deliver(engine, {1: state}, START)
    compute(engine, START + timedelta(days=3))
    deliver(engine, {2: state}, START - timedelta(days=1))
    compute(engine, START + timedelta(days=3))
    with engine.connect() as connection:
        assert published(connection) == from_scratch(connection, START + timedelta(days=3))
        assert {line[5] for line in published(connection)[0]} == {2}


def test_a_day_that_only_passes_makes_overdue_what_fell_due(engine: Engine, procedures: list[int]) -> None:
    with engine.connect() as connection:
        unit = facts.unit_key(connection, PLACES[0])
    state = {"unit_key": unit, "procedure_key": procedures[0], "channel_key": 2, "dossier_status_key": 4}
    deliver(engine, {1: {**state, "received_at": "2024-02-20", "due_at": "2024-02-27 17:00"}}, START)
    told = {}
    here = "known_to = 'infinity' AND unit_key = :unit AND period = '2024-02'"
    for day in (0, 1, 2):
        compute(engine, START + timedelta(days=day))
        with engine.connect() as connection:
            overdue = connection.scalar(text(f"SELECT c13 FROM warehouse.fact_form_06a WHERE {here}"), {"unit": unit})
            score = f"SELECT numerator FROM warehouse.fact_score_766 WHERE {here} AND component_code = 'ON_TIME'"
            in_time = connection.scalar(text(score), {"unit": unit})
        told[day] = overdue, in_time
    assert told == {0: (0, 1), 1: (0, 0), 2: (1, 0)}
