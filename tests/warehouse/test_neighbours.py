"""A unit beside its neighbours and above those below it, in the versions there were in the period."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, Engine, text

from tasks.ask.around import around
from tasks.ask.comparison import side
from tasks.ask.official_table import find_unit, neighbours, of_period, of_unit, units_between, with_those_below
from tasks.ask.ranks import key, ranks
from tasks.ask.scope import WHOLE, scope_of
from tests.warehouse.facts import NGOC_PHUNG, THANH_HOA, THUONG_XUAN, publish, unit_counts
from warehouse.periods import days
from warehouse.settings import Refusal

BAT_MOT, YEN_NHAN, LUONG_SON, NGA_SON = "15607", "15610", "15628", "16093"
"""Communes of Thường Xuân, and one of another district."""
SIGNED = {BAT_MOT: 90, YEN_NHAN: 70, NGOC_PHUNG: 90, NGA_SON: 99}
"""Documents signed of a hundred that went out."""


def told(connection: Connection, signed: dict[str, int], period: str, on: date = date(2024, 12, 31)) -> None:
    for code, count in signed.items():
        unit_counts(connection, code, period, {"documents_signed": count, "documents_outgoing": 100}, on)


def places(engine: Engine, code: str, period: str) -> list[str]:
    """The places of the versions of a unit with CQ3."""
    with engine.connect() as connection:
        units = [unit for unit in units_between(connection, *days(period)) if unit.code == code]
        found = []
        for unit in units:
            own = [line for line in of_unit(connection, unit, period, WHOLE) if line.indicator_code == "CQ3" and line.value is not None]
            ranked = ranks(neighbours(connection, own, WHOLE))
            found += [ranked[key(line)].printed for line in own if key(line) in ranked]
        return found


def test_a_commune_stands_among_those_of_its_district_and_ties_share_a_place(engine: Engine) -> None:
    with engine.begin() as connection:
        told(connection, SIGNED, "2024")
    publish(engine)
    assert [places(engine, code, "2024") for code in (NGOC_PHUNG, BAT_MOT, YEN_NHAN)] == [["1/3"], ["1/3"], ["3/3"]]
    assert places(engine, LUONG_SON, "2024") == [], "it sent nothing: it has no place, and is not last"
    assert places(engine, NGA_SON, "2024") == [], "alone in its district"
    assert places(engine, THUONG_XUAN, "2024") == ["2/2"], "250 of 300, beside a district of 99 of 100"
    assert places(engine, THANH_HOA, "2024") == []


def test_after_the_reform_a_commune_stands_among_those_of_the_province(engine: Engine) -> None:
    with engine.begin() as connection:
        told(connection, {BAT_MOT: 80, NGOC_PHUNG: 90}, "2025-06", date(2025, 6, 30))
        told(connection, {BAT_MOT: 80, "15646": 85, "16138": 95}, "2025-07", date(2025, 7, 1))
    publish(engine, datetime(2025, 8, 5, tzinfo=UTC))
    assert places(engine, BAT_MOT, "2025-06") == ["2/2"]
    assert places(engine, BAT_MOT, "2025-07") == ["3/3"]


def test_whoever_is_confined_to_a_unit_takes_along_what_is_below_it_and_no_more(engine: Engine) -> None:
    with engine.begin() as connection:
        told(connection, SIGNED, "2024")
    publish(engine)
    with engine.connect() as connection:
        below = with_those_below(connection, THUONG_XUAN, "2024")
        count = connection.scalar(
            text("SELECT count(DISTINCT unit_code) FROM warehouse.dim_unit WHERE parent_code = '396' AND valid_from < '2025-01-01'")
        )
        assert len(below) == 1 + count
        assert with_those_below(connection, NGOC_PHUNG, "2024") == [NGOC_PHUNG]
        assert set(below) < set(with_those_below(connection, THANH_HOA, "2024"))
        assert with_those_below(connection, THUONG_XUAN, "2026") == [THUONG_XUAN], "there is no district any more"
        scope = scope_of(connection, NGOC_PHUNG)
        seen = {line.unit_code for line in of_period(connection, "2024", scope.narrowed(below))}
        assert seen == {NGOC_PHUNG}
        beside = of_unit(connection, find_unit(connection, NGOC_PHUNG, "2024"), "2024", scope)
        assert {line.unit_code for line in neighbours(connection, beside, scope)} > {NGOC_PHUNG, BAT_MOT}
        with pytest.raises(Refusal, match="nằm ngoài phạm vi"):
            side(connection, scope, "Bát Mọt", "2024")


def test_both_sides_are_meant_as_one_writes_them_and_a_slip_of_the_pen_is_asked_about(engine: Engine) -> None:
    with engine.begin() as connection:
        told(connection, SIGNED, "2024-03")
    publish(engine)
    with engine.connect() as connection:
        found = side(connection, WHOLE, "bat mot", "tháng 3/2024")
        assert (found.unit.code, found.period, found.name) == (BAT_MOT, "2024-03", "Xã Bát Mọt, tháng 03/2024")
        with pytest.raises(Refusal, match=r"Có phải: Xã Bát Mọt \(15607, Huyện Thường Xuân\)"):
            side(connection, WHOLE, "Bát Mọc", "2024-03")
        with pytest.raises(Refusal, match="không hợp lệ"):
            side(connection, WHOLE, "Bát Mọt", "đầu năm")
        with pytest.raises(Refusal, match="Chưa công bố chỉ tiêu nào"):
            side(connection, WHOLE, "Bát Mọt", "2019")


def test_what_else_is_published_of_a_unit_is_known(engine: Engine) -> None:
    with engine.begin() as connection:
        told(connection, SIGNED, "2024-03")
        told(connection, SIGNED, "2024-02")
    publish(engine)
    with engine.connect() as connection:
        year, march = around(connection, NGOC_PHUNG, "2024"), around(connection, NGOC_PHUNG, "2024-03")
    assert {"2024-Q1", "2024-02", "2024-03"} <= set(year.within)
    assert (year.earlier, march.within) == ({}, [])
    assert march.earlier == {"2024-02": "kỳ trước"}
    assert (march.has_form, march.has_scores) == (False, False)
