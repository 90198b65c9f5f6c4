from datetime import date

import pytest
from sqlalchemy import Connection, Engine, select, text

from warehouse.names import normalise_unit_name
from warehouse.seed import extend_dates, know_publisher, publisher, seed
from warehouse.tables import UNKNOWN, dim_holiday, dim_unit, metadata


def _communes(connection: Connection, day: str) -> int:
    return connection.execute(
        text("SELECT count(*) FROM warehouse.dim_unit WHERE unit_level = 'commune' AND :day BETWEEN valid_from AND valid_to"), {"day": day}
    ).scalar_one()


@pytest.mark.parametrize(
    ("day", "communes"),
    [("2024-01-01", 559), ("2024-02-01", 558), ("2024-12-31", 558), ("2025-01-01", 547), ("2025-06-30", 547), ("2025-07-01", 166)],
)
def test_as_many_communes_are_in_force_as_on_that_day(engine: Engine, day: str, communes: int) -> None:
    with engine.connect() as connection:
        assert _communes(connection, day) == communes


def test_a_reused_code_names_the_unit_of_the_day(engine: Engine) -> None:
    name = text("SELECT unit_name FROM warehouse.dim_unit WHERE unit_code = '15646' AND :day BETWEEN valid_from AND valid_to")
    with engine.connect() as connection:
        assert connection.execute(name, {"day": "2024-06-01"}).scalars().all() == ["Thị trấn Thường Xuân"]
        assert connection.execute(name, {"day": "2025-07-02"}).scalars().all() == ["Xã Thường Xuân"]


def test_ngoc_phung_went_wholly_into_the_new_thuong_xuan(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                """
                SELECT new.unit_code, new.unit_name, effective_date, extent
                FROM warehouse.bridge_unit_succession
                JOIN warehouse.dim_unit AS old ON old.unit_key = old_unit_key
                JOIN warehouse.dim_unit AS new ON new.unit_key = new_unit_key
                WHERE old.unit_code = '15655'
                """
            )
        ).all()
    assert rows == [("15646", "Xã Thường Xuân", date(2025, 7, 1), "whole")]


def test_every_succession_of_the_reference_file_finds_both_its_units(engine: Engine) -> None:
    with engine.connect() as connection:
        counts = connection.execute(
            text(
                """
                SELECT effective_date::text, count(*), count(*) FILTER (WHERE extent = 'part')
                FROM warehouse.bridge_unit_succession GROUP BY 1 ORDER BY 1
                """
            )
        ).all()
    assert counts == [("2024-02-01", 3, 0), ("2025-01-01", 46, 4), ("2025-07-01", 558, 21)]


DECLARED = {"dim_date", "dim_holiday", "dim_indicator", "dim_target"}
"""Dimensions that are declared, never looked up from a source's code."""


@pytest.mark.parametrize(
    "table",
    [table for table in metadata.sorted_tables if table.name.startswith("dim_") and table.name not in DECLARED],
    ids=lambda table: table.name,
)
def test_every_dimension_that_facts_point_to_has_an_unknown_member(engine: Engine, table) -> None:  # type: ignore[no-untyped-def]
    (key,) = table.primary_key
    with engine.connect() as connection:
        assert connection.execute(select(key).where(key == UNKNOWN)).scalars().all() == [UNKNOWN]


def _fingerprint(connection: Connection) -> dict[str, object]:
    """Every row of the warehouse with its physical version: an update that changes nothing would show."""
    return {
        table.fullname: connection.execute(
            text(f"SELECT md5(string_agg(ctid::text || xmin || t::text, '|')) FROM {table.fullname} AS t")
        ).scalar()
        for table in metadata.sorted_tables
    }


def test_seeding_again_touches_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        before = _fingerprint(connection)
    with engine.begin() as connection:
        seed(connection)
    with engine.begin() as connection:
        assert _fingerprint(connection) == before


def test_a_row_that_differs_from_the_reference_is_put_right_and_keeps_its_key(engine: Engine) -> None:
    row = select(dim_unit).where(dim_unit.c.unit_code == "15655")
    with engine.begin() as connection:
        before = connection.execute(row).one()
        connection.execute(dim_unit.update().where(dim_unit.c.unit_code == "15655").values(unit_name="Xã Khác", parent_code="1"))
        seed(connection)
        assert connection.execute(row).one() == before


def test_unit_keys_follow_the_order_of_the_reference_file(engine: Engine) -> None:
    with engine.connect() as connection:
        first = connection.execute(select(dim_unit.c.unit_key, dim_unit.c.unit_code).order_by(dim_unit.c.unit_key).limit(3)).all()
        keys = connection.execute(text("SELECT min(unit_key), max(unit_key), count(*) FROM warehouse.dim_unit")).one()
    assert first == [(0, "0"), (1, "38"), (2, "380")]
    assert keys == (0, 788, 789)


def test_the_calendar_begins_in_2000_and_reaches_the_end_of_the_tenth_year_after_the_day_asked_for(engine: Engine) -> None:
    span = text("SELECT min(date_key), max(date_key), count(*) FROM warehouse.dim_date")
    with engine.begin() as connection:
        extend_dates(connection, date(2031, 5, 4))
        first, last, days = connection.execute(span).one()
        extend_dates(connection, date(2024, 1, 1))
        assert connection.execute(span).one() == (first, last, days)
        quarter = connection.execute(
            text("SELECT quarter, month, year, day_of_week, is_working_day FROM warehouse.dim_date WHERE date_key = '2024-03-31'")
        ).one()
    assert (first, last, days) == (date(2000, 1, 1), date(2041, 12, 31), (date(2041, 12, 31) - date(2000, 1, 1)).days + 1)
    assert quarter == ("2024-Q1", "2024-03", "2024", 7, False)


@pytest.mark.parametrize(
    ("day", "is_working_day"),
    [
        ("2024-04-29", False), ("2024-05-04", True), ("2025-01-27", False), ("2025-02-03", True), ("2025-04-07", False),
        ("2025-04-26", True), ("2025-04-27", False), ("2025-05-02", False), ("2025-09-01", False), ("2025-09-03", True),
        ("2026-01-02", False), ("2026-01-10", True), ("2026-08-22", True), ("2026-08-31", False),
    ],
)  # fmt: skip
def test_holidays_and_saturdays_worked_in_exchange_are_as_ordered(engine: Engine, day: str, is_working_day: bool) -> None:
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT is_working_day FROM warehouse.dim_date WHERE date_key = :day"), {"day": day})
    assert found is is_working_day


def test_a_holiday_that_is_ordered_no_more_is_a_day_like_others(engine: Engine) -> None:
    told = text("SELECT is_working_day FROM warehouse.dim_date WHERE date_key = '2025-06-10'")
    holiday = {"date_key": "2025-06-10", "is_working_day": False, "holiday_name": "Nghỉ", "legal_source": "x", "evidence": "law"}
    with engine.begin() as connection:
        connection.execute(dim_holiday.insert(), holiday)
        connection.execute(text("UPDATE warehouse.dim_date SET is_working_day = false WHERE date_key = '2025-06-10'"))
        seed(connection)
        assert connection.scalar(told) is True


@pytest.mark.parametrize(
    ("written", "also_written"),
    [
        ("Xã Thiệu Hoá", "Thị trấn Thiệu Hóa"),
        ("Sơn Thuỷ", "XÃ SƠN THỦY"),
        ("Hoá Quỳ", "Hóa Quỳ"),
        ("  xuân   hoà ", "Phường Xuân Hòa"),
        ("Xa\u0303 Ngo\u0323c Phu\u0323ng", "Xã Ngọc Phụng"),
        ("TT. Thường Xuân", "Thường Xuân"),
    ],
)
def test_ways_of_writing_a_unit_are_one_name(written: str, also_written: str) -> None:
    assert normalise_unit_name(written) == normalise_unit_name(also_written)


@pytest.mark.parametrize(
    ("one", "other"), [("Xã Vân Am", "Xã Vân Âm"), ("Vân Sơn", "Văn Sơn"), ("Quý Lộc", "Quỳ Lộc"), ("Hoàng Hoa", "Hoàng Hóa")]
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert normalise_unit_name(one) != normalise_unit_name(other)


def test_who_publishes_is_as_declared_else_the_provinces_that_are_reported_for(engine: Engine) -> None:
    with engine.begin() as connection:
        assert publisher(connection) == "Tỉnh Thanh Hóa"
        know_publisher(connection, "Ủy ban nhân dân tỉnh Thanh Hóa")
        assert publisher(connection) == "Ủy ban nhân dân tỉnh Thanh Hóa"
        know_publisher(connection, "")
        assert publisher(connection) == "Tỉnh Thanh Hóa"
