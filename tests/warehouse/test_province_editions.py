"""Which provinces' editions are in: by period and by name, what is in force of each, and which are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, text

from tasks.ask.official_table import UPPER, of_period
from tasks.ask.province_editions import gathered, lately, latest, parts_of
from tasks.ask.scope import PUBLIC
from tasks.report.drawings import charts_of
from tests.warehouse.facts import arrived, edition
from tests.warehouse.test_gate import a_night
from warehouse.tables import delivery

THANH_HOA, CAO_BANG, PHU_THO = "38", "04", "25"


def sent(connection: Connection, province: str, period: str, number: int, day: int, status: str = "loaded") -> None:
    """An edition of a province came, signed on a day of March 2026."""
    at = datetime(2026, 3, day, 2, tzinfo=UTC)
    row = {
        "source": f"tinh-{province}", "feed": "editions", "layout": "open_data", "provider": province,
        "file_name": f"{period}/{number}.zip",
        "sha256": f"{province}{period}{number}", "business_period": period, "exported_at": at, "received_at": at, "loaded_at": at,
        "status": status, "rows_received": 0, "rows_loaded": 0, "rows_unchanged": 0, "rows_quarantined": 0, "rows_ignored": 0,
    }  # fmt: skip
    connection.execute(insert(delivery).values(row))


def told(engine: Engine) -> list[tuple[Any, ...]]:
    query = (
        "SELECT period, province_name, edition_number, signed_at::date::text, source "
        "FROM mart.province_edition ORDER BY period_sort, province_code"
    )
    with engine.connect() as c:
        return [tuple(row) for row in c.execute(text(query))]


def test_of_each_period_that_any_province_sent_every_province_has_a_row(country: Engine) -> None:
    with country.begin() as c:
        sent(c, THANH_HOA, "2026-01", 1, 2)
        sent(c, THANH_HOA, "2026-02", 1, 5)
        sent(c, PHU_THO, "2026-02", 2, 6)
    assert told(country) == [
        ("2026-01", "Tỉnh Cao Bằng", None, None, None),
        ("2026-01", "Tỉnh Phú Thọ", None, None, None),
        ("2026-01", "Tỉnh Thanh Hóa", 1, "2026-03-02", "tinh-38"),
        ("2026-02", "Tỉnh Cao Bằng", None, None, None),
        ("2026-02", "Tỉnh Phú Thọ", 2, "2026-03-06", "tinh-25"),
        ("2026-02", "Tỉnh Thanh Hóa", 1, "2026-03-05", "tinh-38"),
    ]


def test_the_edition_signed_last_is_in_force_and_one_that_was_refused_is_not(country: Engine) -> None:
    with country.begin() as c:
        sent(c, THANH_HOA, "2026-01", 1, 2)
        sent(c, THANH_HOA, "2026-01", 10, 9)
        sent(c, THANH_HOA, "2026-01", 2, 7)
        sent(c, THANH_HOA, "2026-01", 11, 12, "rejected")
        sent(c, CAO_BANG, "2026-01", 1, 12, "rejected")
        sent(c, CAO_BANG, "2025", 1, 12, "landed")
    assert [row[1:3] for row in told(country)] == [("Tỉnh Cao Bằng", None), ("Tỉnh Phú Thọ", None), ("Tỉnh Thanh Hóa", 10)]


def test_what_is_missing_is_told_by_name(country: Engine) -> None:
    with country.begin() as c:
        sent(c, CAO_BANG, "2026-01", 1, 2)
        sent(c, PHU_THO, "2025", 1, 2)
        for province in (THANH_HOA, CAO_BANG, PHU_THO):
            sent(c, province, "2025-12", 1, 2)
    with country.connect() as c:
        found = gathered(c)
        assert [one.period for one in latest(found)] == ["2026-01", "2025"]
        shown = lately(c, found, date(2026, 3, 15))
    assert {period: one.told(1) for period, one in found.items()} == {
        "2025-12": "3/3 tỉnh",
        "2025": "1/3 tỉnh, còn thiếu: Tỉnh Cao Bằng và 1 tỉnh khác",
        "2026-01": "1/3 tỉnh, còn thiếu: Tỉnh Phú Thọ và 1 tỉnh khác",
    }
    assert found["2026-01"].told() == "1/3 tỉnh, còn thiếu: Tỉnh Phú Thọ, Tỉnh Thanh Hóa"
    assert {kind: [one.period for one in periods] for kind, periods in shown.items()} == {
        "month": [*(f"2025-{month:02}" for month in range(3, 13)), "2026-01", "2026-02"],
        "quarter": ["2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4"],
        "year": ["2023", "2024", "2025"],
    }
    assert [one.count for one in shown["month"][-3:]] == ["3/3", "1/3", "0/3"]


def test_a_period_that_is_not_over_is_looked_at_once_a_province_sent_it(country: Engine) -> None:
    with country.begin() as c:
        sent(c, THANH_HOA, "2026", 1, 2)
    with country.connect() as c:
        shown = lately(c, gathered(c), date(2026, 3, 15))
    assert [one.period for one in shown["year"]] == ["2024", "2025", "2026"]


def signed_by_three(engine: Engine) -> None:
    """Three provinces signed CQ4 of a month; one of them withholds it."""
    with engine.begin() as c:
        edition(c, "2026-01", {(THANH_HOA, "CQ4"): (30, 40, 75, "A"), (PHU_THO, "CQ4"): (10, 40, 25, "A")})
        edition(c, "2026-01", {(CAO_BANG, "CQ4"): (None, None, None, "Q", "gives_another_away")})
        for province in (THANH_HOA, CAO_BANG, PHU_THO):
            sent(c, province, "2026-01", 1, 2)
    a_night(engine, datetime(2026, 3, 20, tzinfo=UTC))


def test_provinces_are_ranked_and_mapped_beside_each_other_against_the_target_of_all(country: Engine) -> None:
    signed_by_three(country)
    with country.connect() as c:
        ranked, mapped = charts_of(of_period(c, "2026-01", PUBLIC, levels=UPPER, indicator="CQ4"))
    assert {mark.label: mark.value for mark in ranked.marks} == {"Tỉnh Cao Bằng": None, "Tỉnh Phú Thọ": 25, "Tỉnh Thanh Hóa": 75}
    assert ranked.target is None  # Thanh Hóa has one of its own
    assert [mark.label for mark in mapped.marks] == ["Cao Bằng", "Phú Thọ", "Thanh Hóa"]
    assert mapped.words.startswith("3 tỉnh theo thứ tự mã")


def test_a_number_of_the_country_says_of_each_province_whether_it_is_in_it(country: Engine) -> None:
    signed_by_three(country)
    with country.connect() as c:
        line = of_period(c, "2026-01", PUBLIC, levels=("country",), indicator="CQ4")[0]
        found = parts_of(c, line, gathered(c)["2026-01"], PUBLIC)
        assert parts_of(c, replace(line, unit_level="province"), gathered(c)["2026-01"], PUBLIC) == []
    assert [(part.edition.province_code, part.is_in) for part in found] == [(CAO_BANG, False), (PHU_THO, True), (THANH_HOA, True)]
    assert found[0].why == "ẩn để không suy ra được số khác"


def test_an_installation_of_a_province_has_none(engine: Engine) -> None:
    with engine.begin() as c:
        arrived(c, "dossiers")
    assert told(engine) == []


def test_readers_see_it(country: Engine) -> None:
    with country.begin() as c:
        sent(c, THANH_HOA, "2026-01", 1, 2)
        c.execute(text("SET LOCAL ROLE bakhong_reader"))
        assert c.scalar(text("SELECT count(*) FROM mart.province_edition")) == 3
