"""The whole country: what its provinces signed as they signed it, and above them the sum, of so many of the provinces."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tests.warehouse.facts import arrived, close, edition, loading, unit_counts
from tests.warehouse.test_gate import a_night
from warehouse.country import COUNTRY
from warehouse.seed import know_provinces
from warehouse.settings import Refusal
from warehouse.tables import fact_edition

THANH_HOA, CAO_BANG, PHU_THO = "38", "04", "25"
VINH_PHUC, HOA_BINH = "26", "17"
"""Went into Phú Thọ on 1 July 2025."""
HAC_THANH = "14758"
"""A ward of Thanh Hóa."""
FEBRUARY = datetime(2026, 2, 20, tzinfo=UTC)
MARCH = datetime(2026, 3, 20, tzinfo=UTC)


def shown(engine: Engine, indicator: str, unit: str, period: str) -> tuple[Any, ...] | None:
    """What the mart tells: numerator, denominator, value, status and reason, of how many units."""
    query = """
        SELECT numerator, denominator, value, obs_status, obs_reason, units_counted, units_expected FROM mart.indicator
        WHERE indicator_code = :indicator AND unit_code = :unit AND period = :period"""
    with engine.connect() as connection:
        row = connection.execute(text(query), {"indicator": indicator, "unit": unit, "period": period}).one_or_none()
        return None if row is None else tuple(row)


def test_the_country_is_the_sum_of_its_provinces_divided_once_and_says_of_how_many_it_is(country: Engine) -> None:
    with country.begin() as c:
        edition(c, "2026-01", {(THANH_HOA, "CQ4"): (1, 3, Decimal("33.3"), "A")})
        edition(c, "2026-01", {(CAO_BANG, "CQ4"): (700, 997, Decimal("70.2"), "A")})
    a_night(country, FEBRUARY)
    assert shown(country, "CQ4", COUNTRY, "2026-01") == (701, 1000, Decimal("70.1"), "P", None, 2, 3)
    with country.begin() as c:
        edition(c, "2026-01", {(PHU_THO, "CQ4"): (49, 50, Decimal("98.0"), "A")})
    a_night(country, FEBRUARY)
    assert shown(country, "CQ4", COUNTRY, "2026-01") == (750, 1050, Decimal("71.4"), "A", None, 3, 3)
    assert shown(country, "CQ4", THANH_HOA, "2026-01") == (1, 3, Decimal("33.3"), "A", None, None, None)


def test_what_a_province_signed_is_shown_as_it_was_signed(country: Engine) -> None:
    with country.begin() as c:
        signed = {
            (THANH_HOA, "CQ4"): (10, 20, Decimal("50.0"), "P", "lists_missing"),
            (HAC_THANH, "CQ4"): (None, None, None, "Q", "small_count"),
            (THANH_HOA, "CQ5"): (0, 0, None, "M", "no_cases"),
            (THANH_HOA, "K2a"): (None, None, None, "L"),
            (THANH_HOA, "ST2"): (7, None, 7, "A"),
        }
        edition(c, "2026-01", signed)
    a_night(country, FEBRUARY)
    assert shown(country, "CQ4", THANH_HOA, "2026-01") == (10, 20, Decimal("50.0"), "P", "lists_missing", None, None)
    assert shown(country, "CQ4", HAC_THANH, "2026-01") == (None, None, None, "Q", "small_count", None, None)
    assert shown(country, "CQ5", THANH_HOA, "2026-01") == (0, 0, None, "M", "no_cases", None, None)
    assert shown(country, "K2a", THANH_HOA, "2026-01") == (None, None, None, "L", None, None, None)
    assert shown(country, "ST2", THANH_HOA, "2026-01") == (7, None, 7, "A", None, None, None)
    assert shown(country, "ST2", COUNTRY, "2026-01") == (7, None, 7, "P", None, 1, 3)
    assert shown(country, "CQ4", COUNTRY, "2026-01") == (10, 20, Decimal("50.0"), "P", "lists_missing", 1, 3)
    assert shown(country, "K2a", COUNTRY, "2026-01") == (None, None, None, "L", None, 0, 3)


def test_what_a_province_withholds_nobody_sees_and_no_sum_holds(country: Engine) -> None:
    with country.begin() as c:
        edition(
            c, "2026-01", {(THANH_HOA, "CQ4"): (10, 20, Decimal("50.0"), "A"), (HAC_THANH, "CQ4"): (None, None, None, "Q", "small_count")}
        )
        edition(c, "2026-01", {(CAO_BANG, "CQ4"): (None, None, None, "Q", "gives_another_away")})
        edition(c, "2026-01", {(PHU_THO, "CQ4"): (30, 40, Decimal("75.0"), "A")})
    a_night(country, FEBRUARY)
    assert shown(country, "CQ4", COUNTRY, "2026-01") == (40, 60, Decimal("66.7"), "P", None, 2, 3)
    with country.connect() as c:
        query = "SELECT unit_code, conf_status, obs_status, obs_reason, numerator FROM mart.indicator_public"
        assert [tuple(row) for row in c.execute(text(f"{query} WHERE indicator_code = 'CQ4' ORDER BY 1"))] == [
            ("04", "D", "Q", "gives_another_away", None),
            (HAC_THANH, "A", "Q", "small_count", None),
            ("25", "F", "A", None, 30),
            ("38", "F", "A", None, 10),
            ("VN", "F", "P", None, 40),
        ]


def test_a_year_with_a_merger_counts_what_happened_before_and_of_how_things_stand_the_last(country: Engine) -> None:
    """Vĩnh Phúc and Hòa Bình were there until June 2025: their dossiers count, their people are Phú Thọ's at the end."""
    before = "@2025-06-30"
    with country.begin() as c:
        edition(c, "2025", {(THANH_HOA, "CQ4"): (1, 10, 10, "A"), (THANH_HOA, "ND2"): (100, 200, 50, "A")})
        edition(c, "2025", {(CAO_BANG, "CQ4"): (2, 10, 20, "A"), (CAO_BANG, "ND2"): (10, 20, 50, "A")})
        ended = {(f"{unit}{before}", "CQ4"): (4, 10, 40, "A") for unit in (PHU_THO, VINH_PHUC, HOA_BINH)}
        ended |= {(f"{unit}{before}", "ND2"): (1, 5, 20, "A") for unit in (PHU_THO, VINH_PHUC, HOA_BINH)}
        edition(c, "2025", ended | {(PHU_THO, "CQ4"): (8, 10, 80, "A"), (PHU_THO, "ND2"): (40, 80, 50, "A")})
    a_night(country, FEBRUARY)
    assert shown(country, "CQ4", COUNTRY, "2025") == (23, 60, Decimal("38.3"), "A", None, 3, 3)
    assert shown(country, "ND2", COUNTRY, "2025") == (150, 300, Decimal("50.0"), "A", None, 3, 3)


def test_of_a_sample_nothing_is_added_up_and_of_a_list_every_province_tells(country: Engine) -> None:
    with country.begin() as c:
        edition(c, "2026-01", {(HAC_THANH, "K1b"): (8, 10, 80, "A"), (THANH_HOA, "ST1"): (60, 166, Decimal("36.1"), "A")})
    a_night(country, FEBRUARY)
    assert shown(country, "K1b", COUNTRY, "2026-01") == (None, None, None, "M", "not_applicable", None, None)
    assert shown(country, "ST1", COUNTRY, "2026-01") == (60, 166, Decimal("36.1"), "P", None, 1, 3)


def test_a_corrected_edition_revises_what_it_changes_and_nothing_else(country: Engine) -> None:
    with country.begin() as c:
        first = edition(c, "2026-01", {(THANH_HOA, "CQ4"): (50, 100, 50, "A"), (THANH_HOA, "CQ5"): (9, 10, 90, "A")})
        edition(c, "2026-01", {(CAO_BANG, "CQ4"): (10, 100, 10, "A")})
        edition(c, "2026-01", {(PHU_THO, "CQ4"): (10, 100, 10, "A")})
    a_night(country, FEBRUARY)
    assert a_night(country, FEBRUARY).publication_id is None
    with country.begin() as c:
        close(c, fact_edition, first, MARCH)
        edition(c, "2026-01", {(THANH_HOA, "CQ4"): (51, 100, 51, "A"), (THANH_HOA, "CQ5"): (9, 10, 90, "A")}, exported_at=MARCH)
    done = a_night(country, MARCH)
    assert (done.indicators.added, done.indicators.revised) == (0, 2)
    assert shown(country, "CQ4", COUNTRY, "2026-01") == (71, 300, Decimal("23.7"), "A", None, 3, 3)


def test_what_no_edition_tells_any_more_is_missing(country: Engine) -> None:
    with country.begin() as c:
        first = edition(c, "2026-01", {(THANH_HOA, "CQ4"): (50, 100, 50, "A"), (HAC_THANH, "CQ4"): (1, 10, 10, "A")})
    a_night(country, FEBRUARY)
    with country.begin() as c:
        close(c, fact_edition, first, MARCH)
        edition(c, "2026-01", {(THANH_HOA, "CQ4"): (50, 100, 50, "A")}, exported_at=MARCH)
    a_night(country, MARCH)
    assert shown(country, "CQ4", HAC_THANH, "2026-01") == (None, None, None, "L", None, None, None)
    assert shown(country, "CQ4", THANH_HOA, "2026-01") == (50, 100, Decimal(50), "A", None, None, None)


def test_an_edition_of_before_the_reform_may_have_three_times_the_rows(country: Engine) -> None:
    def received(c: Connection, delivery_id: int, rows: int) -> None:
        told = "UPDATE ops.delivery SET rows_received = :rows, rows_loaded = :rows, business_period = '2026-01' WHERE delivery_id = :number"
        c.execute(text(told), {"rows": rows, "number": delivery_id})

    with country.begin() as c:
        for month in ("2026-01", "2026-02", "2026-03"):
            received(c, edition(c, month, {(THANH_HOA, "CQ4"): (50, 100, 50, "A")}), 3_000)
    a_night(country, MARCH)
    with country.begin() as c:
        received(c, edition(c, "2025-05", {(THANH_HOA, "CQ4"): (50, 100, 50, "A")}, exported_at=MARCH), 12_000)
    assert not a_night(country, MARCH).is_held


def test_a_break_in_one_province_is_one_in_the_sum(country: Engine) -> None:
    with country.begin() as c:
        for unit, status in ((THANH_HOA, "B"), (CAO_BANG, "A"), (PHU_THO, "A")):
            edition(c, "2026-01", {(unit, "CQ4"): (10, 100, 10, status)})
    a_night(country, FEBRUARY)
    assert shown(country, "CQ4", COUNTRY, "2026-01") == (30, 300, Decimal("10.0"), "B", None, 3, 3)


def test_what_a_vintage_shows_is_what_was_signed_by_then(country: Engine) -> None:
    with country.begin() as c:
        edition(c, "2026-01", {(THANH_HOA, "CQ4"): (50, 100, 50, "A")}, exported_at=datetime(2026, 2, 10, tzinfo=UTC))
        edition(c, "2026-01", {(CAO_BANG, "CQ4"): (10, 100, 10, "A")}, exported_at=MARCH)
    a_night(country, datetime(2026, 3, 25, tzinfo=UTC))
    a_night(country, FEBRUARY)
    query = "SELECT numerator, denominator, units_counted FROM mart.indicator_vintage "
    query += "WHERE unit_code = 'VN' AND indicator_code = 'CQ4' ORDER BY known_from"
    with country.connect() as c:
        assert [tuple(row) for row in c.execute(text(query))] == [(50, 100, 1), (60, 200, 2)]


def test_a_warehouse_that_holds_data_never_becomes_a_country_nor_a_country_a_province(engine: Engine, country: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, "15655", "2024", {"officials_total": 1}, on=date(2024, 12, 31))
    with engine.begin() as c, pytest.raises(Refusal, match="dùng một kho khác"):
        know_provinces(c, [COUNTRY, THANH_HOA])
    with country.begin() as c:
        loading(c, arrived(c, "editions"))
    with country.begin() as c, pytest.raises(Refusal, match="dùng một kho khác"):
        know_provinces(c, [THANH_HOA])


def test_the_units_of_a_country_hang_under_it(country: Engine) -> None:
    query = "SELECT unit_code FROM warehouse.dim_unit WHERE parent_code = 'VN' ORDER BY 1"
    with country.connect() as c:
        assert list(c.scalars(text(query))) == [CAO_BANG, HOA_BINH, PHU_THO, PHU_THO, VINH_PHUC, THANH_HOA]
