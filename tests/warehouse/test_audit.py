"""A number that cannot be right is held back alone: told with its reason, missing above, and published once it is right."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tasks.ask import questions
from tasks.ask.scope import WHOLE
from tasks.indicators import compute
from tests.warehouse.facts import (
    LUAN_KHE,
    NGOC_PHUNG,
    THANH_HOA,
    THUONG_XUAN,
    close,
    dossiers,
    publish,
    surveys,
    unit_counts,
    unit_key,
    value,
)
from warehouse.tables import fact_unit_count

RIGHT, WRONG = {"eid_issued": 100, "population_adult": 200}, {"eid_issued": 1000, "population_adult": 200}
SHOPS = {"shops_qr": 3, "shops_total": 12}
HELD = (None, None, None, "L")
JUNE, JULY = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)


def reason(engine: Engine, indicator: str, unit: str) -> str | None:
    query = "SELECT obs_reason FROM mart.indicator WHERE indicator_code = :indicator AND unit_code = :unit AND period = '2024'"
    with engine.connect() as connection:
        return connection.scalar(text(query), {"indicator": indicator, "unit": unit})


def test_one_impossible_count_is_held_back_with_its_reason_and_all_others_are_published(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", WRONG | SHOPS)
        unit_counts(c, LUAN_KHE, "2024", RIGHT)
    (held,) = publish(engine).held_back
    assert (held.indicator_code, held.unit_code, held.period) == ("ND3", NGOC_PHUNG, "2024")
    assert held.reason_vi == "tử số lớn hơn mẫu số (1.000/200)"
    assert value(engine, "ND3", NGOC_PHUNG, "2024") == HELD
    assert reason(engine, "ND3", NGOC_PHUNG) == "held_back"
    assert value(engine, "ND3", LUAN_KHE, "2024")[:2] == (100, 200)  # type: ignore[index]
    assert value(engine, "K2g", NGOC_PHUNG, "2024")[:2] == (3, 12)  # type: ignore[index]


def test_units_above_are_incomplete_without_it_not_wrong(engine: Engine) -> None:
    with engine.begin() as c:
        communes = (
            "SELECT unit_code FROM warehouse.dim_unit WHERE parent_code = '396' AND DATE '2024-12-31' BETWEEN valid_from AND valid_to"
        )
        for code in c.scalars(text(communes)).all():
            unit_counts(c, code, "2024", WRONG if code == NGOC_PHUNG else RIGHT)
    publish(engine)
    assert value(engine, "ND3", THUONG_XUAN, "2024")[0::3] == (1500, "P")  # type: ignore[index]  # fifteen of sixteen
    with engine.begin() as c:
        wrong = c.scalar(text("SELECT delivery_id FROM warehouse.fact_unit_count WHERE value = 1000"))
        assert wrong is not None
        close(c, fact_unit_count, wrong, JULY)
        unit_counts(c, NGOC_PHUNG, "2024", RIGHT, exported_at=JULY)
    assert publish(engine, JULY).held_back == []
    assert value(engine, "ND3", THUONG_XUAN, "2024")[0::3] == (1600, "A")  # type: ignore[index]
    assert value(engine, "ND3", NGOC_PHUNG, "2024", JUNE) == HELD, "as known then"
    with engine.connect() as c:
        assert questions.held_back(c, WHOLE) == []
        assert c.scalar(text("SELECT count(*) FROM ops.held_back WHERE released_by > held_by")) == 1


def test_it_is_held_back_until_it_is_right_though_nothing_is_published_meanwhile(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", WRONG)
    publish(engine, JUNE)
    assert publish(engine, JULY).is_nothing
    with engine.connect() as c:
        assert [(row.indicator_code, row.unit_code) for row in questions.held_back(c, WHOLE)] == [("ND3", NGOC_PHUNG)]


def test_an_impossible_figure_of_a_whole_district_is_not_made_up_for_by_its_communes(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, THUONG_XUAN, "2024", WRONG)
        unit_counts(c, NGOC_PHUNG, "2024", RIGHT)
    publish(engine)
    assert value(engine, "ND3", THUONG_XUAN, "2024") == HELD
    assert value(engine, "ND3", NGOC_PHUNG, "2024")[0] == 100  # type: ignore[index]
    province = value(engine, "ND3", THANH_HOA, "2024")
    assert province is None or province[3] in ("L", "P")


def test_of_a_survey_the_unit_that_was_asked_is_held_back_alone(engine: Engine) -> None:
    with engine.begin() as c:
        surveys(
            c, [{"positive_answers": 60, "respondents": 50}, {"unit_key": unit_key(c, LUAN_KHE), "positive_answers": 8, "respondents": 10}]
        )
    publish(engine)
    assert value(engine, "K1b", NGOC_PHUNG, "2024") == HELD
    assert value(engine, "K1b", LUAN_KHE, "2024")[0::3] == (8, "A")  # type: ignore[index]


def test_one_that_may_exceed_is_let_through(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"smartphone_subscribers": 300, "population_adult": 200})
    assert publish(engine).held_back == []
    assert value(engine, "ND1", NGOC_PHUNG, "2024")[:2] == (300, 200)  # type: ignore[index]


def test_a_sum_that_is_not_that_of_what_stands_below_it_is_held_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as c:
        dossiers(c, [{"channel_key": 1}, {}])
        district = unit_key(c, THUONG_XUAN, date(2024, 12, 31))
    candidates = compute.leave_candidates

    def miscounted(connection: Connection, *how: Any) -> None:
        candidates(connection, *how)
        connection.execute(text("UPDATE candidate SET numerator = numerator - 1 WHERE unit_key = :district"), {"district": district})

    monkeypatch.setattr(compute, "leave_candidates", miscounted)
    assert {line.unit_code for line in publish(engine).held_back} == {THUONG_XUAN}
    assert value(engine, "CQ7", THUONG_XUAN, "2024") == HELD
    assert value(engine, "CQ7", NGOC_PHUNG, "2024")[:2] == (2, 2)  # type: ignore[index]
