"""Units of today for the time before they were whole: their values are those of the units that went into them, put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from desk import terminal
from tasks.ask.explain import explain
from tasks.ask.official_table import find_unit, of_unit
from tasks.ask.restated import find_unit_of_today, restated_of_unit
from tasks.ask.scope import WHOLE
from tasks.count.counting import counting
from tasks.count.kept import verify
from tasks.count.revisions import Revised
from tasks.indicators.audit import audit
from tasks.indicators.compute import compute
from tasks.indicators.publish import declare_indicators, revise_indicators
from tasks.indicators.restated import revise_restated
from tests.warehouse.facts import (
    NGOC_PHUNG,
    THUONG_XUAN,
    begin,
    bills,
    close,
    dossiers,
    holders,
    payments,
    person,
    signatures,
    surveys,
    unit_counts,
    unit_key,
    value,
)
from warehouse.seed import seed
from warehouse.settings import Refusal
from warehouse.tables import fact_bill

TOWN, XUAN_DUONG, THO_THANH = "15646", "15649", "15652"
OLD = (TOWN, XUAN_DUONG, THO_THANH, NGOC_PHUNG)
"""The four that went whole into the commune Thường Xuân, which bears the town's code, on 2025-07-01 (1686/NQ-UBTVQH15)."""
AFTER = datetime(2026, 1, 10, tzinfo=UTC)
IN_2025 = date(2025, 8, 1)


def night(engine: Engine, as_of: datetime = AFTER) -> Revised:
    """Publishes what is known on a day, and what of it is restated; what of the latter is news."""
    with engine.begin() as connection:
        counted = counting(connection, as_of)
        publication = begin(connection, counted.as_of)
        declare_indicators(connection, publication)
        uncounted = compute(connection, counted).uncounted
        audit(connection, publication)
        revise_indicators(connection, publication)
        return revise_restated(connection, counted, publication, uncounted)


def restated(engine: Engine, indicator: str, period: str = "2024", unit: str = "15646") -> tuple[Any, ...] | None:
    """Numerator, denominator, value, status and reason of the unit of today."""
    query = """
        SELECT numerator, denominator, value::text, obs_status, obs_reason FROM mart.indicator_restated
        WHERE indicator_code = :indicator AND unit_code = :unit AND period = :period
    """
    with engine.connect() as connection:
        row = connection.execute(text(query), {"indicator": indicator, "unit": unit, "period": period}).one_or_none()
        return None if row is None else tuple(row)


def note(engine: Engine, indicator: str, period: str = "2024", unit: str = "15646") -> tuple[Any, ...]:
    query = (
        "SELECT predecessors_counted, predecessors_all, obs_note FROM mart.indicator_restated "
        "WHERE indicator_code = :indicator AND unit_code = :unit AND period = :period"
    )
    with engine.connect() as connection:
        return tuple(connection.execute(text(query), {"indicator": indicator, "unit": unit, "period": period}).one())


def adults(connection: Connection, counted: dict[str, int], period: str = "2024", eid: int = 50, on: date = date(2024, 12, 31)) -> None:
    """Counts of adults, and of the e-identities issued to them, of some communes."""
    for unit, adult in counted.items():
        unit_counts(connection, unit, period, {"population_adult": adult, "eid_issued": min(eid, adult)}, on=on)


def electricity(connection: Connection, unit: str, customers: Sequence[int], month: str, paid: Sequence[int] = (), **more: Any) -> int:
    """A bill of each of some customers in a commune, of which some are paid by QR code."""
    on = date.fromisoformat(f"{month}-01")
    keys = {customer: int(month.replace("-", "")) * 10_000 + int(unit) * 100_000_000_000 + customer for customer in customers}
    if paid:
        payments(connection, [{"bill_key": keys[customer], "business_date": f"{month}-10"} for customer in paid])
    usual = {"unit_key": unit_key(connection, unit, on), "billing_month": f"{month}-01", "issued_on": f"{month}-05"}
    rows = [{**usual, "customer_hash": person(customer), "row_key": key} for customer, key in keys.items()]
    return bills(connection, rows, **more)


# What is put together -------------------------------------------------------------------------------------------------


def test_counts_are_added_and_the_rate_is_divided_and_rounded_once(engine: Engine) -> None:
    """12.295/14.205 = 86,554… %: 86,6; the mean of the four rates would be 84,8."""
    with engine.begin() as c:
        for unit, issued, adult in zip(OLD, (3600, 1900, 2000, 4795), (4100, 2400, 2500, 5205), strict=True):
            unit_counts(c, unit, "2024", {"eid_issued": issued, "population_adult": adult})
    night(engine)
    assert restated(engine, "ND3") == (12295, 14205, "86.6", "A", None)
    assert note(engine, "ND3") == (4, 4, None)


def test_a_customer_of_two_predecessors_is_one_customer_of_the_unit_of_today(engine: Engine) -> None:
    with engine.begin() as c:
        electricity(c, NGOC_PHUNG, [1, 2, 3], "2024-03", paid=[1])
        electricity(c, TOWN, [3, 4], "2024-03", paid=[3])
        for unit in (XUAN_DUONG, THO_THANH):
            electricity(c, unit, [int(unit)], "2024-03")
    night(engine)
    assert restated(engine, "K2a") == (2, 6, "33.3", "A", None)
    assert restated(engine, "K2b") == (2, 7, "28.6", "A", None)


def test_customers_counted_night_by_night_are_those_counted_from_scratch(engine: Engine) -> None:
    with engine.begin() as c:
        wrong = electricity(c, NGOC_PHUNG, [1, 2], "2024-03")
        electricity(c, TOWN, [2, 3], "2024-03")
        for unit in (XUAN_DUONG, THO_THANH):
            electricity(c, unit, [int(unit)], "2024-03")
    night(engine)
    with engine.begin() as c:
        close(c, fact_bill, wrong, AFTER)
        electricity(c, NGOC_PHUNG, [2, 3, 4], "2024-03", exported_at=AFTER)
    night(engine)
    assert restated(engine, "K2a") == (0, 5, "0.0", "A", None)  # 2, 3, 4 and two others
    with engine.connect() as c:
        assert all(not found.differences for found in verify(c))


def test_a_customer_of_both_halves_of_2025_is_one_in_the_year_of_the_unit_of_today(engine: Engine) -> None:
    with engine.begin() as c:
        for unit in OLD:
            electricity(c, unit, [int(unit)], "2025-05")
        electricity(c, "15646", [int(NGOC_PHUNG), 7], "2025-09", paid=[7])
    night(engine)
    assert restated(engine, "K2a", "2025") == (1, 5, "20.0", "A", None)
    assert value(engine, "K2a", NGOC_PHUNG, "2025") is not None


def test_a_holder_of_certificates_in_two_predecessors_is_one_holder(engine: Engine) -> None:
    with engine.begin() as c:
        adults(c, dict.fromkeys(OLD, 100), "2024-12")
        holders(c, [{"holder_hash": person(n)} for n in (1, 2)])
        holders(c, [{"holder_hash": person(n), "unit_key": unit_key(c, TOWN), "provider_key": 8} for n in (2, 3)])
        for unit in (XUAN_DUONG, THO_THANH):
            holders(c, [{"holder_hash": person(int(unit)), "unit_key": unit_key(c, unit)}])
    night(engine)
    assert restated(engine, "ND5", "2024-12") == (5, 400, "1.3", "A", None)  # 1,25 half up


def test_certificates_that_stand_in_for_persons_do_so_in_the_unit_of_today(engine: Engine) -> None:
    with engine.begin() as c:
        adults(c, dict.fromkeys(OLD, 100), "2024-12")
        signatures(c, [{"certificates_in_force": 10, "unit_key": unit_key(c, unit)} for unit in OLD])
        holders(c, [{"holder_hash": person(1)}])
    night(engine)
    assert restated(engine, "ND5", "2024-12") == (31, 400, "7.8", "P", "stands_in")  # 1 person and 3 × 10 certificates; 7,75 half up
    said = "ở đơn vị thiếu danh sách người là số chứng thư của nhà mạng, không phải số người"
    assert note(engine, "ND5", "2024-12") == (4, 4, said)


def test_what_happened_in_2025_is_that_of_both_halves_and_how_things_stand_that_of_its_end(engine: Engine) -> None:
    with engine.begin() as c:
        for unit in OLD:
            dossiers(c, [{"unit_key": unit_key(c, unit), "received_at": "2025-05-05 08:00:00"}])
        new = unit_key(c, "15646", IN_2025)
        dossiers(c, [{"unit_key": new, "received_at": f"2025-08-0{day} 08:00:00", "channel_key": 1} for day in (4, 5, 6)])
        adults(c, dict.fromkeys(OLD, 100), "2025-Q2", on=date(2025, 6, 1))
        adults(c, {"15646": 404}, "2025-Q4", eid=303, on=IN_2025)
    night(engine)
    assert restated(engine, "CQ4", "2025") == (4, 7, "57.1", "A", None)
    assert restated(engine, "ND3", "2025") == (303, 404, "75.0", "A", None)
    assert restated(engine, "ND3", "2025-Q2") == (200, 400, "50.0", "A", None)
    with engine.connect() as c:
        own = c.execute(
            text(
                "SELECT numerator, denominator, first_day, last_day FROM mart.indicator WHERE indicator_code = 'CQ4' "
                "AND unit_code = '15646' AND unit_valid_from = '2025-07-01' AND period = '2025'"
            )
        ).one()
        series = c.scalars(
            text("SELECT period FROM mart.indicator_restated WHERE unit_code = '15646' AND indicator_code = 'CQ4' ORDER BY 1")
        ).all()
    assert tuple(own) == (0, 3, date(2025, 7, 1), date(2025, 12, 31))
    assert series == ["2025", "2025-05", "2025-08", "2025-Q2", "2025-Q3", "2025-Q4"]


def test_successions_are_followed_step_by_step(engine: Engine) -> None:
    """15280, 15292 and the 15274 of before 2025-01-01 are all in the 15274 of today, two steps of 15274 itself."""
    with engine.begin() as c:
        adults(c, {"15274": 100, "15280": 200, "15292": 300})
    night(engine)
    assert restated(engine, "ND3", unit="15274") == (150, 600, "25.0", "A", None)


# What cannot be, or not whole ------------------------------------------------------------------------------------------


def test_where_a_predecessor_was_divided_there_is_no_value_but_its_name(engine: Engine) -> None:
    """Luận Khê went in part to Luận Thành and in part to Tân Thành."""
    with engine.begin() as c:
        adults(c, {"15631": 100, "15634": 100, "15637": 100, "15661": 100})
    night(engine)
    for unit, counted in (("15634", 2), ("15661", 1)):
        assert restated(engine, "ND3", unit=unit) == (None, None, None, "L", "part_of_predecessor")
        assert note(engine, "ND3", unit=unit) == (counted, counted + 1, "Xã Luận Khê (15637) chỉ nhập vào một phần")


def test_without_the_count_of_a_predecessor_the_rest_is_provisional_and_says_on_how_many_it_stands(engine: Engine) -> None:
    with engine.begin() as c:
        adults(c, dict.fromkeys(OLD[:3], 100))
    night(engine)
    assert restated(engine, "ND3") == (150, 300, "50.0", "P", "predecessor_missing")
    assert note(engine, "ND3") == (3, 4, "chưa có số của Xã Ngọc Phụng (15655)")
    assert restated(engine, "ND2") == (None, None, None, "L", None)


def test_a_survey_of_one_predecessor_does_not_stand_for_the_unit_of_today(engine: Engine) -> None:
    with engine.begin() as c:
        surveys(c, [{"respondents": 50, "positive_answers": 45}])
    night(engine)
    assert restated(engine, "K1b") == (None, None, None, "L", "predecessor_missing")


def test_a_suppressed_predecessor_is_not_given_away_by_the_sum(engine: Engine) -> None:
    """Below 5 persons the value is kept back; a sum of two such values is shown from 5 on, as no one can be told from it."""
    with engine.begin() as c:
        adults(c, {TOWN: 100, XUAN_DUONG: 100, THO_THANH: 100, NGOC_PHUNG: 4})
        adults(c, {TOWN: 100, XUAN_DUONG: 100, THO_THANH: 3, NGOC_PHUNG: 4}, "2023")
        adults(c, dict.fromkeys(OLD, 1), "2022")
    night(engine)
    assert restated(engine, "ND3") == (150, 300, "50.0", "P", "predecessor_missing")
    assert restated(engine, "ND3", "2023") == (107, 207, "51.7", "A", None)
    assert restated(engine, "ND3", "2022") == (None, None, None, "Q", None)


def test_customers_of_a_predecessor_too_small_to_be_shown_are_not_told_from_the_rest(engine: Engine) -> None:
    with engine.begin() as c:
        for unit in OLD[:3]:
            electricity(c, unit, range(int(unit), int(unit) + 5), "2024-03")
        electricity(c, NGOC_PHUNG, [1, 2], "2024-03")
    night(engine)
    assert restated(engine, "K2a") == (None, None, None, "L", "predecessor_missing")
    assert note(engine, "K2a") == (3, 4, "chưa có số của Xã Ngọc Phụng (15655)")


def test_what_is_held_back_of_a_predecessor_is_missing_in_the_unit_of_today(engine: Engine) -> None:
    with engine.begin() as c:
        adults(c, dict.fromkeys(OLD[:3], 100))
        unit_counts(c, NGOC_PHUNG, "2024", {"eid_issued": 101, "population_adult": 100})
    night(engine)
    assert restated(engine, "ND3") == (150, 300, "50.0", "P", "predecessor_missing")


# Which units -------------------------------------------------------------------------------------------------------------


def _unit(connection: Connection, code: str, level: str, first: str, last: str) -> None:
    connection.execute(
        text(
            "INSERT INTO warehouse.dim_unit "
            "(unit_code, valid_from, valid_to, unit_name, unit_kind, unit_level, name_key, province_code, other_names) "
            "VALUES (:code, :first, :last, 'Tỉnh ' || :code, 'tỉnh', :level, :code, '38', '{}')"
        ),
        {"code": code, "level": level, "first": first, "last": last},
    )


def _went(connection: Connection, old: str, new: str, on: str, extent: str = "whole") -> None:
    connection.execute(
        text(
            "INSERT INTO warehouse.bridge_unit_succession SELECT o.unit_key, n.unit_key, CAST(:on AS date), :extent "
            "FROM warehouse.dim_unit o, warehouse.dim_unit n WHERE o.unit_code = :old AND o.valid_to = CAST(:on AS date) - 1 "
            "AND n.unit_code = :new AND n.valid_from = CAST(:on AS date)"
        ),
        {"old": old, "new": new, "on": on, "extent": extent},
    )


def test_a_merged_province_is_restated_like_a_commune(engine: Engine) -> None:
    """Three provinces into one that keeps the code of one of them, as Phú Thọ (25, 26, 17); codes and names are made up."""
    with engine.begin() as c:
        for code in ("P1", "P2", "P3"):
            _unit(c, code, "province", "0001-01-01", "2025-06-30")
        _unit(c, "P1", "province", "2025-07-01", "9999-12-31")
        for code in ("P1", "P2", "P3"):
            _went(c, code, "P1", "2025-07-01")
        seed(c)
        adults(c, {"P1": 100, "P2": 200, "P3": 300})
    night(engine)
    assert restated(engine, "ND3", unit="P1") == (150, 600, "25.0", "P", None)  # of made-up provinces there are no communes to rest on


def test_a_unit_whose_parts_came_together_again_is_whole(engine: Engine) -> None:
    with engine.begin() as c:
        _unit(c, "Q1", "commune", "0001-01-01", "2024-12-31")
        for code in ("Q2", "Q3"):
            _unit(c, code, "commune", "2025-01-01", "2025-06-30")
            _went(c, "Q1", code, "2025-01-01", "part")
        _unit(c, "Q4", "commune", "2025-07-01", "9999-12-31")
        for code in ("Q2", "Q3"):
            _went(c, code, "Q4", "2025-07-01")
        seed(c)
        adults(c, {"Q1": 100})
    night(engine)
    assert restated(engine, "ND3", unit="Q4") == (50, 100, "50.0", "A", None)


def test_units_of_the_day_are_restated_from_that_day_on_without_a_new_row(engine: Engine) -> None:
    with engine.begin() as c:
        adults(c, dict.fromkeys(OLD, 100))
    night(engine, datetime(2025, 6, 20, tzinfo=UTC))
    assert restated(engine, "ND3") == (50, 100, "50.0", "A", None)  # the town, which is there: its own
    assert night(engine, datetime(2025, 7, 2, tzinfo=UTC)).added > 0
    assert restated(engine, "ND3") == (200, 400, "50.0", "A", None)
    assert night(engine, datetime(2025, 7, 3, tzinfo=UTC)) == Revised()


def test_a_night_of_an_earlier_day_leaves_what_is_in_force(engine: Engine) -> None:
    with engine.begin() as c:
        adults(c, dict.fromkeys(OLD, 100))
    night(engine)
    before = restated(engine, "ND3")
    night(engine, datetime(2025, 10, 1, tzinfo=UTC))
    assert restated(engine, "ND3") == before == (200, 400, "50.0", "A", None)
    assert night(engine, datetime(2026, 1, 11, tzinfo=UTC)) == Revised()


def test_a_restated_value_is_revised_with_those_it_is_made_of(engine: Engine) -> None:
    with engine.begin() as c:
        adults(c, dict.fromkeys(OLD[:3], 100))
    night(engine)
    with engine.begin() as c:
        adults(c, {NGOC_PHUNG: 200})
    assert night(engine).revised >= 1
    assert restated(engine, "ND3") == (200, 500, "40.0", "A", None)


# How a unit is asked for ---------------------------------------------------------------------------------------------------


def test_of_two_versions_of_a_code_the_last_of_the_period_is_meant_and_a_day_finds_the_other(engine: Engine) -> None:
    with engine.connect() as c:
        found = find_unit(c, "15661", "2025")
        assert (found.name, found.valid_from) == ("Xã Tân Thành", date(2025, 7, 1))
        other = "Xã Tân Thành (15661, Huyện Thường Xuân) đến 30/06/2025"
        assert found.others == f"Trong kỳ, mã 15661 còn là của {other}, hỏi bằng 15661@2025-06-30."
        for wanted in ("15661@2025-06-30", "Xã Tân Thành@2025-06-30", "tan thanh @ 2025-01-01"):
            assert find_unit(c, wanted, "2025").valid_to == date(2025, 6, 30), wanted
        assert find_unit(c, "15661", "2025-Q1").others == ""
        with pytest.raises(Refusal, match="sau @ là một ngày"):
            find_unit(c, "15661@hom nay", "2025")


def test_a_code_means_the_version_of_which_something_is_published(engine: Engine) -> None:
    with engine.begin() as c:
        adults(c, {TOWN: 100}, "2025-Q1", on=date(2025, 3, 1))
    night(engine)
    with engine.connect() as c:
        assert find_unit(c, "15646", "2025").name == "Thị trấn Thường Xuân"
        assert find_unit(c, "15646@2025-12-31", "2025").name == "Xã Thường Xuân"


def test_a_unit_that_began_later_is_named_with_the_way_to_ask_for_it(engine: Engine) -> None:
    with engine.connect() as c:
        with pytest.raises(Refusal, match=r"Xã Thường Xuân .* từ 01/07/2025 chưa có trong kỳ; .* bakhong indicators 15646 2024 --as-now"):
            find_unit(c, "Xã Thường Xuân", "2024")
        assert find_unit_of_today(c, "Xã Thường Xuân").valid_from == date(2025, 7, 1)
        assert restated_of_unit(c, find_unit_of_today(c, "15646"), "2024", WHOLE) == []


def test_the_terminal_gives_half_a_year_its_days_and_no_other_name(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with engine.begin() as c:
        adults(c, {NGOC_PHUNG: 100}, "2025-Q1", on=date(2025, 3, 1))
        adults(c, {"15646": 400}, "2025-Q4", on=IN_2025)
    night(engine)
    for unit, dates in ((NGOC_PHUNG, "Từ 01/01/2025 đến 30/06/2025"), ("15646", "Từ 01/07/2025 đến 31/12/2025")):
        with engine.connect() as c:
            found = find_unit(c, unit, "2025")
            terminal.official_tables(found, "2025", of_unit(c, found, "2025", WHOLE))
            terminal.explanation(explain(c, "ND3", found, "2025", WHOLE))
        said = capsys.readouterr().out
        assert said.count(dates) == 2
        assert "Năm 2025" not in said


def test_the_terminal_tells_out_of_which_units_one_of_today_came(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with engine.begin() as c:
        adults(c, dict.fromkeys(OLD[:3], 100))
    night(engine)
    with engine.connect() as c:
        found = find_unit_of_today(c, "Xã Thường Xuân")
        terminal.restated_tables(found, "2024", restated_of_unit(c, found, "2024", WHOLE))
    said = " ".join(capsys.readouterr().out.split())
    assert "Xã Thường Xuân (15646, Tỉnh Thanh Hóa) · Năm 2024 · theo đơn vị hiện nay" in said
    assert "Đơn vị có từ 01/07/2025; tính lại từ: Thị trấn Thường Xuân (15646); Xã Xuân Dương (15649); " in said
    assert "tạm tính (3/4 đơn vị)" in said
    assert "chưa có số của Xã Ngọc Phụng (15655)" in said


# After the last day --------------------------------------------------------------------------------------------------------


def test_a_district_and_its_communes_have_no_values_after_their_last_day_but_the_province_has(engine: Engine) -> None:
    """A dossier of June that ends in August and was not handed over in any delivery."""
    with engine.begin() as c:
        dossiers(
            c,
            [{"received_at": "2025-06-20 08:00:00", "due_at": "2025-08-20 17:00:00", "finished_at": "2025-08-18 09:00:00"}],
        )
    night(engine)
    for unit in (THUONG_XUAN, NGOC_PHUNG):
        assert value(engine, "CQ5", unit, "2025-08") is None
        assert value(engine, "CQ5", unit, "2025-Q3") is None
    found = value(engine, "CQ5", "38", "2025-08")
    assert found is not None
    assert found[:2] == (1, 1)
    with engine.connect() as c:
        last = c.scalars(text("SELECT DISTINCT last_day FROM mart.indicator WHERE unit_code = '396' AND period = '2025'")).all()
    assert last == [date(2025, 6, 30)]
