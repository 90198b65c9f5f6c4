"""Any province, or several: which units the warehouse holds, how they are found, and what a province laid down for its own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tasks.ask.explain import explain
from tasks.ask.official_table import find_unit
from tasks.ask.scope import WHOLE
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import NGOC_PHUNG, dossiers, publish, unit_key
from warehouse.seed import know_provinces, seed

THU_CUC, AUTUMN = "08545", date(2025, 10, 1)
"""A commune of Phú Thọ, before and after the reform."""


def know(engine: Engine, *codes: str) -> None:
    with engine.begin() as connection:
        know_provinces(connection, codes)


def ask(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


UNITS = "SELECT province_code, count(*) FROM warehouse.dim_unit GROUP BY 1 ORDER BY 1"


def test_a_province_that_is_reported_for_from_now_on_brings_its_units_and_moves_no_other(engine: Engine) -> None:
    keys = "SELECT unit_key, unit_code, valid_from FROM warehouse.dim_unit WHERE province_code = '38' ORDER BY 1"
    before = ask(engine, keys)
    know(engine, "38", "25")
    assert ask(engine, UNITS) == [("0", 1), ("25", 663), ("38", 788)]
    assert ask(engine, keys) == before
    know(engine, "25")
    with engine.begin() as connection:
        seed(connection)
    assert ask(engine, UNITS) == [("0", 1), ("25", 663), ("38", 788)]


def test_a_special_zone_takes_over_a_district_and_a_city_the_province_it_was(engine: Engine) -> None:
    """Lý Sơn (Quảng Ngãi) had no communes; Đồng Nai became a city on 30/4/2026 (30/2026/QH16), with ten xã that became phường."""
    know(engine, "51", "75")
    taken_over = (
        "SELECT o.unit_code, o.unit_level, n.unit_code, n.unit_name FROM warehouse.bridge_unit_succession "
        "JOIN warehouse.dim_unit o ON o.unit_key = old_unit_key JOIN warehouse.dim_unit n ON n.unit_key = new_unit_key WHERE "
    )
    assert ask(engine, taken_over + "o.unit_level = 'district'") == [("536", "district", "21548", "Đặc khu Lý Sơn")]
    assert ask(engine, f"SELECT count(*) FROM ({taken_over} effective_date = '2026-04-30') s") == [(11,)]
    with engine.connect() as connection:
        assert find_unit(connection, "lý sơn", "2026").code == "21548"


@pytest.mark.parametrize(
    ("wanted", "period", "found"),
    [
        ("Xã Phó Bảng", "2026", "00745 Xã Phố Bảng"),
        ("phố bảng", "2024", "00712 Thị trấn Phó Bảng"),
        ("Sà Phìn", "2024", "00736 Xã Xà Phìn"),
    ],
)
def test_another_spelling_in_use_finds_the_unit(engine: Engine, wanted: str, period: str, found: str) -> None:
    """Tuyên Quang, with the old Hà Giang; spellings as in the conversion table of the statistics office."""
    know(engine, "08")
    with engine.connect() as connection:
        unit = find_unit(connection, wanted, period)
    assert f"{unit.code} {unit.name}" == found


def agency(code: str, unit: str) -> dict[str, Any]:
    return {"agency_code": code, "agency_name": f"Cơ quan {code}", "unit_code": unit, "valid_from": date(2024, 1, 1)}


def test_an_agency_of_another_province_is_set_aside_as_such(engine: Engine) -> None:
    done = deliver(
        engine, land(engine, "agencies", "2024-01-02"), [agency("H56.1", NGOC_PHUNG), agency("H44.1", THU_CUC), agency("H1", "99")]
    )
    assert (done.loaded, done.quarantined) == (1, 2)
    told = "SELECT row_number, rule_code, column_name FROM ops.quarantine ORDER BY 1"
    assert ask(engine, told) == [(2, "STR-038", "MaDVHC"), (3, "AGE-003", "MaDVHC")]


def dossier(code: str, agency_code: str, received_at: datetime, **others: Any) -> dict[str, Any]:
    whole = {"dossier_code": code, "procedure_code": "2.000815", "agency_code": agency_code, "status_code": "4", "channel_code": "2"}
    return {**whole, "received_at": received_at, "fee_vnd": 8000, **others}


def test_fees_that_thanh_hoa_waived_and_identifiers_of_others_are_told_of_its_dossiers(engine: Engine) -> None:
    """NQ 12/2025/NQ-HĐND: free online since 24/6/2025, in Thanh Hóa. Identifiers: QĐ 20/2020/QĐ-TTg."""
    know(engine, "38", "25")
    deliver(engine, land(engine, "agencies", "2024-01-02"), [agency("H56.1", NGOC_PHUNG), agency("H44.1", "227")])
    eve, day = datetime(2025, 6, 23, 23, 59, 59), datetime(2025, 6, 24)
    rows = [
        dossier("H56.1-250623-0001", "H56.1", eve),
        dossier("H56.1-250624-0001", "H56.1", day),
        dossier("H56.1-250624-0002", "H56.1", day, channel_code="1"),
        dossier("H56.1-250624-0003", "H56.1", day, fee_vnd=0),
        dossier("000.17.22.H56-250624-0001", "H56.1", day, fee_vnd=None),
        dossier("H44.1-250624-0001", "H44.1", day),
        dossier("H41.1-250624-0001", "H44.1", day),
        dossier("000.00.01.G15-250624-0001", "H44.1", day),
        dossier("HS-1", "H44.1", day),
    ]
    deliver(engine, land(engine, "dossiers", "2025-06-30"), rows)
    told = "SELECT rule_code, unexpected_count FROM ops.verdict WHERE rule_code IN ('DOS-022', 'DOS-023') ORDER BY 1"
    assert ask(engine, told) == [("DOS-022", 2), ("DOS-023", 1)]


def test_a_break_and_a_target_of_one_province_hold_for_its_units_only(engine: Engine) -> None:
    """45 % of K2f in 2025: digital transformation plan of Thanh Hóa for 2025; its fees were waived on 24/6/2025."""
    know(engine, "38", "25")
    with engine.begin() as connection:
        paid = {"fee_vnd": 1000, "online_payment_code": 1, "received_at": "2025-06-10 08:00:00"}
        dossiers(connection, [{**paid, "unit_key": unit_key(connection, code, date(2025, 6, 1))} for code in (NGOC_PHUNG, THU_CUC)])
    publish(engine, datetime(2026, 1, 5, tzinfo=UTC))
    shown = "SELECT unit_code, obs_status, target FROM mart.indicator WHERE indicator_code = 'K2f' AND period = '2025-06' AND value = 100"
    communes = "AND unit_level = 'commune' ORDER BY 1"
    assert ask(engine, f"{shown} {communes}") == [(THU_CUC, "A", None), (NGOC_PHUNG, "B", 45)]


def test_a_province_that_becomes_a_city_within_a_month_has_all_of_it_under_its_new_name(engine: Engine) -> None:
    """Đồng Nai, a city from 30/4/2026; Lộc Ninh (25270) a phường from that day, Tân An (26179) a xã before and after."""
    know(engine, "75")
    with engine.begin() as connection:
        received = [("25270", date(2026, 4, 10)), ("25270", date(2026, 4, 30)), ("25270", date(2026, 5, 5)), ("26179", date(2026, 4, 10))]
        dossiers(connection, [{"unit_key": unit_key(connection, code, day), "received_at": f"{day} 08:00:00"} for code, day in received])
    publish(engine, datetime(2026, 7, 5, tzinfo=UTC))
    shown = (
        "SELECT period, unit_name, denominator FROM mart.indicator "
        "WHERE indicator_code = 'CQ4' AND unit_code = '75' AND denominator > 0 AND period IN ('2026-04', '2026-05', '2026-Q2') ORDER BY 1"
    )
    city = "Thành phố Đồng Nai"
    assert ask(engine, shown) == [("2026-04", city, 3), ("2026-05", city, 1), ("2026-Q2", city, 4)]
    with engine.connect() as connection:
        unit = find_unit(connection, "Thành phố Đồng Nai", "2026-04")
        assert [row.rows for row in explain(connection, "CQ4", unit, "2026-04", WHOLE).files] == [3]
