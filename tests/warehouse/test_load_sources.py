"""A row holds as long as one delivery in force says it, whoever says it and in whatever order deliveries arrive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from tasks.deliveries.ledger import Delivery
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.test_load_history import clear

DAYS = ("2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04", "2024-03-05")
SOURCES = ("a", "b")


@dataclass(frozen=True)
class Word:
    """One delivery: who made it on which day, what its name speaks of, and what it says."""

    source: str
    place: int
    scope: str
    said: dict[str, int]

    def row(self, feed: str, key: str, value: int) -> dict[str, Any]:
        if feed == "payments":
            paid = {"method_code": "QR", "status_code": "settled", "paid_at": datetime(2024, 3, 1, 8)}
            return {"transaction_code": f"T-{key}", "amount_vnd": value, **paid}
        return {"unit_code": "15655" if key.startswith("x") else "15661", "period": "2024-03", "measure": f"m_{key}_all", "value": value}

    def scopes(self, feed: str) -> set[str]:
        """What it speaks for: the period of its name, or the units of its rows."""
        return {self.scope} if feed == "payments" else {key[0] for key in self.said}


def in_force(feed: str, words: list[Word], key: str, at: int) -> int | None:
    """What holds of a key at a day, counted by hand: the latest word of all that their own source has not spoken again for."""
    known = [word for word in words if word.place <= at]

    def is_replaced(word: Word) -> bool:
        stretch = word.scopes(feed) if feed == "payments" else {key[0]}
        return any(other.source == word.source and other.place > word.place and other.scopes(feed) & stretch for other in known)

    standing = [word for word in known if key in word.said and not is_replaced(word)]
    latest = max(standing, key=lambda word: word.place, default=None)
    return None if latest is None else latest.said[key]


def told(engine: Engine, feed: str, key: str, at: int) -> int | None:
    """What the warehouse says of a key as known at the end of a day."""
    table, code, value = (
        ("fact_payment", "transaction_code", "amount_vnd") if feed == "payments" else ("fact_unit_count", "measure", "value")
    )
    natural = f"T-{key}" if feed == "payments" else f"m_{key}_all"
    query = f"SELECT {value} FROM warehouse.{table} WHERE {code} = :natural AND known_from <= :at AND known_to > :at"
    with engine.connect() as connection:
        found = connection.execute(text(query), {"natural": natural, "at": f"{DAYS[at]} 23:59:59.5+07"}).scalars().all()
    assert len(found) <= 1
    return found[0] if found else None


def arrive(engine: Engine, feed: str, words: list[Word], order: list[int]) -> None:
    """Loads words as they arrive, and again those that a late one sent back, as every night does."""
    landed: dict[int, tuple[Delivery, list[dict[str, Any]]]] = {}
    made = []
    for word in words:
        delivery = land(engine, feed, DAYS[word.place], source=word.source, provider="ecpay", covers=word.scope)
        made.append(delivery.delivery_id)
        landed[delivery.delivery_id] = (delivery, [word.row(feed, key, value) for key, value in word.said.items()])
    for place in order:
        deliver(engine, *landed[made[place]])
        while True:
            with engine.connect() as connection:
                query = (
                    "SELECT delivery_id FROM ops.delivery WHERE status = 'landed' AND loaded_at IS NOT NULL ORDER BY exported_at LIMIT 1"
                )
                back = connection.scalar(text(query))
            if back is None:
                break
            delivery, rows = landed[back]
            deliver(engine, replace(delivery, is_loaded=True), rows)


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[list[Word], list[int]]:
    places = draw(st.lists(st.integers(0, len(DAYS) - 1), min_size=2, max_size=5, unique=True))
    words = [
        Word(
            draw(st.sampled_from(SOURCES)),
            place,
            draw(st.sampled_from(["2024-03-01", "2024-03-02"])),
            draw(st.dictionaries(st.sampled_from(["x1", "x2", "y1"]), st.integers(1, 2), min_size=1)),
        )
        for place in places
    ]
    return words, draw(st.permutations(range(len(words))))


@pytest.mark.parametrize("feed", ["unit_counts", "payments"])
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(exchange=exchanges())
def test_what_holds_is_the_latest_word_in_force_at_any_time_and_in_any_order_of_arrival(
    engine: Engine, feed: str, exchange: tuple[list[Word], list[int]]
) -> None:
    words, order = exchange
    clear(engine)
    arrive(engine, feed, words, order)
    for at in range(len(DAYS)):
        for key in ("x1", "x2", "y1"):
            assert told(engine, feed, key, at) == in_force(feed, words, key, at), (key, DAYS[at])


def test_a_row_that_another_source_still_says_stays_and_is_from_then_on_that_sources_word(engine: Engine) -> None:
    words = [Word("a", 0, "2024-03-01", {"x1": 1, "x2": 5}), Word("b", 1, "2024-03-01", {"x1": 1}), Word("a", 3, "2024-03-01", {"x2": 5})]
    arrive(engine, "unit_counts", words, [0, 1, 2])
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT value, source FROM warehouse.fact_unit_count JOIN ops.delivery USING (delivery_id) "
                "WHERE measure = 'm_x1_all' AND known_to = 'infinity'"
            )
        ).all()
        left_out = connection.scalar(text("SELECT observed FROM ops.verdict WHERE rule_code = 'STR-018' AND NOT success"))
    assert [tuple(row) for row in found] == [(1, "b")]
    assert left_out == "1 dòng của 1 đơn vị"


def test_two_sources_that_contradict_each_other_on_one_day_are_both_named(engine: Engine) -> None:
    arrive(engine, "unit_counts", [Word("a", 0, "2024-03-01", {"x1": 1})], [0])
    second = replace(land(engine, "unit_counts", DAYS[0], source="b"), exported_at=land(engine, "unit_counts", DAYS[0]).exported_at)
    outcome = deliver(engine, second, [Word("b", 0, "2024-03-01", {}).row("unit_counts", "x1", 2)])
    with engine.connect() as connection:
        told_of = connection.execute(text("SELECT success, observed FROM ops.verdict WHERE rule_code = 'STR-019'")).one()
    assert outcome.verdict == "accept_with_flags"
    assert tuple(told_of) == (False, "1 dòng, nguồn a, b")


def test_every_state_ends_once_and_no_load_changes_what_another_wrote(engine: Engine) -> None:
    """Each state is written down after every load: what was written stays but for its end, which only ever comes nearer."""
    words = [Word("a", place, "2024-03-01", {"x1": place % 2 + 1, "y1": 1}) for place in (4, 0, 2, 1, 3)]
    columns = "row_key, row_hash, known_from, loaded_by, delivery_id, row_number, unit_key, value"
    before: dict[Any, tuple[Any, Any]] = {}
    for count in range(1, len(words) + 1):
        clear(engine)
        with engine.begin() as connection:
            connection.execute(text("ALTER SEQUENCE ops.load_load_id_seq RESTART"))
            connection.execute(text("ALTER SEQUENCE ops.delivery_delivery_id_seq RESTART"))
        arrive(engine, "unit_counts", words[:count], list(range(count)))
        with engine.connect() as connection:
            rows = connection.execute(text(f"SELECT ({columns})::text, known_to::text, ended_by FROM warehouse.fact_unit_count")).all()
        now = {row[0]: (row[1], row[2]) for row in rows}
        for state, (known_to, ended_by) in before.items():
            assert state in now
            assert ended_by is None or now[state][1] == ended_by
            assert known_to == "infinity" or now[state][0] <= known_to
        assert all((known_to == "infinity") == (ended_by is None) for known_to, ended_by in now.values())
        before = now


def test_a_file_of_one_unit_speaks_for_that_unit_alone_and_rows_of_others_are_told(engine: Engine) -> None:
    def counted(unit: str, value: int) -> dict[str, Any]:
        return {"unit_code": unit, "period": "2024-03", "measure": "households", "value": value}

    deliver(engine, land(engine, "unit_counts", DAYS[0], covers="2024-03"), [counted("15655", 1), counted("15661", 2)])
    of_one = replace(land(engine, "unit_counts", DAYS[1], covers="2024-03"), named_unit="15655", is_declared=True)
    deliver(engine, of_one, [counted("15655", 3), {**counted("15661", 4), "measure": "shops_total"}])
    with engine.connect() as connection:
        held = connection.execute(text("SELECT measure, value FROM warehouse.fact_unit_count WHERE known_to = 'infinity' ORDER BY value"))
        assert [tuple(row) for row in held] == [("households", 2), ("households", 3), ("shops_total", 4)]
        outside = text("SELECT observed FROM ops.verdict WHERE rule_code = 'STR-017' AND NOT success")
        assert connection.scalars(outside).all() == ["1 dòng không phải của 15655"]


def test_a_shop_on_two_lists_stays_while_either_says_so(engine: Engine) -> None:
    def shop(code: str) -> dict[str, Any]:
        named = {"merchant_name": "Sạp", "merchant_kind": "cho", "unit_code": "15655", "valid_from": date(2024, 1, 1)}
        return {"provider_code": "vnpay", "merchant_code": code, **named}

    deliver(engine, land(engine, "merchants", DAYS[0], source="a"), [shop("T1"), shop("T2")])
    deliver(engine, land(engine, "merchants", DAYS[1], source="b"), [shop("T1")])
    deliver(engine, land(engine, "merchants", DAYS[2], source="a"), [shop("T2")])
    valid = text("SELECT DISTINCT merchant_code FROM warehouse.dim_merchant WHERE valid_to >= valid_from AND merchant_key <> 0 ORDER BY 1")
    with engine.connect() as connection:
        assert connection.scalars(valid).all() == ["T1", "T2"]
    deliver(engine, land(engine, "merchants", DAYS[3], source="b"), [shop("T2")])
    with engine.connect() as connection:
        assert connection.scalars(valid).all() == ["T2"]
