"""Small counts of what is published: withheld from the public, with whatever would give them away, and shown to who works with them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from sqlalchemy import Connection, Engine, text

from tasks.ask.explain import explain
from tasks.ask.official_table import Line, find_unit, of_period, of_unit
from tasks.ask.scope import PUBLIC, WHOLE
from tests.warehouse.facts import LUAN_KHE, NGOC_PHUNG, THANH_HOA, THUONG_XUAN, bills, dossiers, surveys, unit_counts, unit_key
from tests.warehouse.test_gate import JULY, JUNE, a_night
from warehouse.confidentiality import Confidentiality, confidentiality
from warehouse.indicators import indicators

LUONG_SON = "15628"


def received(connection: Connection, unit: str, month: int, online: int, other: int) -> None:
    """Dossiers that a commune received in a month of 2024, online and at the counter."""
    row = {"unit_key": unit_key(connection, unit), "received_at": f"2024-{month:02}-15 08:00:00", "due_at": f"2024-{month:02}-20 17:00:00"}
    row["finished_at"] = f"2024-{month:02}-18 09:00:00"
    dossiers(connection, [{**row, "channel_key": 2}] * online + [{**row, "channel_key": 1}] * other)


def seen(engine: Engine, unit: str, period: str, indicator: str = "CQ4", *, public: bool = True) -> tuple[object, ...]:
    """What is shown of a rate: numerator, denominator, value, status and reason, conf_status."""
    view = "indicator_public" if public else "indicator"
    query = f"SELECT numerator, denominator, value, obs_status, obs_reason, conf_status FROM mart.{view} "
    query += "WHERE indicator_code = :indicator AND unit_code = :unit AND period = :period"
    with engine.connect() as c:
        return tuple(c.execute(text(query), {"indicator": indicator, "unit": unit, "period": period}).one())


def closed(engine: Engine, indicator: str = "CQ4") -> set[tuple[str, str, str]]:
    """Unit, period and conf_status of what is withheld."""
    with engine.connect() as c:
        query = "SELECT unit_code, period, conf_status FROM mart.indicator WHERE indicator_code = :code AND conf_status <> 'F'"
        return {tuple(row) for row in c.execute(text(query), {"code": indicator})}


@pytest.fixture
def a_quarter(engine: Engine) -> Engine:
    """January and February 2024 of three communes: in Ngọc Phụng two of 40 came online in January, else ten and more of each."""
    with engine.begin() as c:
        for unit, month in product((NGOC_PHUNG, LUAN_KHE, LUONG_SON), (1, 2)):
            online = 2 if (unit, month) == (NGOC_PHUNG, 1) else {NGOC_PHUNG: 20, LUAN_KHE: 10, LUONG_SON: 30}[unit]
            received(c, unit, month, online, 38)
    a_night(engine, JUNE)
    return engine


def test_a_count_of_few_is_withheld_and_its_sums_do_not_give_it_away(a_quarter: Engine) -> None:
    assert seen(a_quarter, NGOC_PHUNG, "2024-01") == (None, None, None, "Q", "small_count", "A")
    # 2 20      The smallest part of the district's sum is hidden beside it, and February of both: else the quarter would tell.
    # 10 10     The totals of the district and of the quarter stay.
    # 30 30
    assert closed(a_quarter) == {
        (NGOC_PHUNG, "2024-01", "A"),
        (LUAN_KHE, "2024-01", "D"),
        (NGOC_PHUNG, "2024-02", "D"),
        (LUAN_KHE, "2024-02", "D"),
    }
    assert seen(a_quarter, LUAN_KHE, "2024-01") == (None, None, None, "Q", "gives_another_away", "D")
    assert seen(a_quarter, THUONG_XUAN, "2024-01") == (42, 156, Decimal("26.9"), "P", None, "F")
    assert seen(a_quarter, NGOC_PHUNG, "2024-Q1")[:3] == (22, 98, Decimal("22.4"))


def test_who_works_with_the_figures_sees_them(a_quarter: Engine) -> None:
    assert seen(a_quarter, NGOC_PHUNG, "2024-01", public=False) == (2, 40, Decimal("5.0"), "A", None, "A")
    with a_quarter.connect() as c:
        unit = find_unit(c, NGOC_PHUNG, "2024-01")

        def printed(scope: object) -> tuple[str, str, str, str]:
            line = next(line for line in of_unit(c, unit, "2024-01", scope) if line.indicator_code == "CQ4")  # type: ignore[arg-type]
            return line.printed_numerator, line.printed_denominator, line.printed, line.status

        assert printed(WHOLE) == ("2", "40", "5,0%", "chính thức")
        assert printed(PUBLIC) == ("…", "…", "…", "ẩn: dưới ngưỡng")
        told = explain(c, "CQ4", unit, "2024-01", PUBLIC)
        assert [(file.rows, file.rows_in_numerator) for file in told.files] == [(None, None)]
        assert [(row.numerator, row.value) for row in told.revisions] == [(None, None)]
        assert [file.rows for file in explain(c, "CQ4", unit, "2024-01", WHOLE).files] == [40]


def test_a_hidden_value_is_neither_met_nor_missed(engine: Engine) -> None:
    with engine.begin() as c:
        received(c, NGOC_PHUNG, 1, 38, 2)
    a_night(engine, JUNE)
    with engine.connect() as c:
        query = "SELECT is_met, value_fraction FROM mart.indicator_public WHERE conf_status = 'A'"
        assert set(c.execute(text(query)).all()) == {(None, None)}


def test_who_is_not_among_the_many_is_as_few_as_who_is_among_the_few(engine: Engine) -> None:
    with engine.begin() as c:
        received(c, NGOC_PHUNG, 1, 38, 2)
        received(c, LUAN_KHE, 1, 40, 0)
    a_night(engine, JUNE)
    assert seen(engine, NGOC_PHUNG, "2024-01")[5] == "A"
    assert seen(engine, THUONG_XUAN, "2024-01")[5] == "A"
    assert seen(engine, LUAN_KHE, "2024-01")[5] == "F"  # none is nobody, and hides nobody: the two are hidden in every sum


def test_a_denominator_of_few_is_withheld_with_every_rate_over_it(engine: Engine) -> None:
    with engine.begin() as c:
        received(c, NGOC_PHUNG, 1, 3, 0)
        received(c, LUAN_KHE, 1, 20, 20)
        received(c, LUONG_SON, 1, 30, 30)
    a_night(engine, JUNE)
    shown = {code: {unit: seen(engine, unit, "2024-01", code)[5] for unit in (NGOC_PHUNG, LUAN_KHE)} for code in ("CQ4", "CQ6P", "CQ7")}
    assert all(by_unit[NGOC_PHUNG] == "A" for by_unit in shown.values())
    assert all(by_unit[LUAN_KHE] == "D" for by_unit in shown.values()), "their denominators are the same: one would tell the other"


def test_an_amount_is_withheld_where_the_bills_are_few(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{}] * 3)
        bills(c, [{"unit_key": unit_key(c, LUAN_KHE)}] * 30)
        bills(c, [{"unit_key": unit_key(c, LUONG_SON)}] * 40)
    a_night(engine, JUNE)
    assert [seen(engine, NGOC_PHUNG, "2024-03", code)[5] for code in ("K2b", "K2c")] == ["A", "A"]
    assert [seen(engine, LUAN_KHE, "2024-03", code)[5] for code in ("K2b", "K2c")] == ["D", "D"]
    assert seen(engine, NGOC_PHUNG, "2024-03", "K2c", public=False)[1] == 300_000


def test_shops_are_no_persons(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024-01", {"shops_qr": 3, "shops_total": 4, "officials_digital": 18, "officials_total": 20})
    a_night(engine, JUNE)
    assert seen(engine, NGOC_PHUNG, "2024-01", "K2g")[:3] == (3, 4, Decimal("75.0"))
    assert seen(engine, NGOC_PHUNG, "2024-01", "CQ1")[4] == "small_count"


def test_so_few_answers_that_nobody_is_shown_them_are_confidential_too(engine: Engine) -> None:
    with engine.begin() as c:
        surveys(c, [{"respondents": 3, "positive_answers": 2}])
    a_night(engine, JUNE)
    assert seen(engine, NGOC_PHUNG, "2024", "K1b", public=False) == (None, None, None, "Q", None, "A")


def test_what_no_night_has_looked_at_is_withheld(a_quarter: Engine) -> None:
    with a_quarter.begin() as c:
        c.execute(text("DELETE FROM ops.mark WHERE item = 'confidentiality 2024'"))
    assert seen(a_quarter, LUONG_SON, "2024-01") == (None, None, None, "Q", "not_judged", None)
    a_night(a_quarter, JULY)
    assert seen(a_quarter, LUONG_SON, "2024-01")[0] == 30


def test_other_rules_go_over_every_year_on_the_next_night(a_quarter: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    stricter = confidentiality().model_dump()
    stricter["thresholds"] = [{"below": 15, "source": "Quyết định của tỉnh"}]
    rules = Confidentiality(**stricter)
    monkeypatch.setattr("tasks.indicators.confidential.confidentiality", lambda: rules)
    a_night(a_quarter, JULY)
    with a_quarter.connect() as c:
        query = "SELECT conf_status FROM warehouse.indicator_confidentiality WHERE indicator_code = 'CQ4' AND period = '2024-02' "
        assert c.scalar(text(f"{query} AND unit_key = :key"), {"key": unit_key(c, LUAN_KHE)}) == "A"  # ten are fewer than fifteen


def test_a_correction_is_looked_at_in_the_night_that_brings_it(a_quarter: Engine) -> None:
    with a_quarter.begin() as c:
        received(c, NGOC_PHUNG, 1, 10, 0)
    a_night(a_quarter, JULY)
    assert closed(a_quarter) == set()
    assert seen(a_quarter, NGOC_PHUNG, "2024-01")[:2] == (12, 50)


def test_no_small_count_of_any_indicator_is_free(a_quarter: Engine) -> None:
    with a_quarter.connect() as c:
        lines = [line for period in ("2024-01", "2024-02", "2024-Q1", "2024") for line in of_period(c, period, WHOLE)]
    small = [line for line in lines if _is_small(line)]
    assert small
    assert {line.conf_status for line in small} == {"A"}
    assert {line.conf_status for line in lines} == {"F", "A", "D"}


def _is_small(line: Line) -> bool:
    if line.numerator is None or line.denominator is None or line.indicator_code in confidentiality().exempt:
        return False
    return any(0 < count < 5 for count in (line.numerator, line.denominator, line.denominator - line.numerator))


def test_every_indicator_is_said_to_count_persons_or_not() -> None:
    codes = {one.code for one in indicators()}
    assert set(confidentiality().exempt) <= codes
    assert set(confidentiality().belongs_to) | set(confidentiality().belongs_to.values()) <= codes
    assert all(confidentiality().protects(one.code) for one in indicators() if one.keeps_back_few or one.counts_persons)
    assert confidentiality().on(date(2026, 1, 1)).source.startswith("Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15")


def test_thresholds_leave_no_day_out() -> None:
    one = {"below": 5, "source": "x"}
    with pytest.raises(ValueError, match="one after the other"):
        Confidentiality(thresholds=[{**one, "valid_to": "2025-12-31"}, {**one, "valid_from": "2026-02-01"}], exempt={})  # type: ignore[arg-type]


def test_a_province_alone_in_a_sum_is_no_help(engine: Engine) -> None:
    with engine.begin() as c:
        received(c, NGOC_PHUNG, 1, 3, 40)
    a_night(engine, JUNE)
    assert {
        seen(engine, unit, period)[5] for unit in (NGOC_PHUNG, THUONG_XUAN, THANH_HOA) for period in ("2024-01", "2024-Q1", "2024")
    } == {"A"}
