"""Carriers' counts of certificates beside the persons on their lists: what is replaced, what cannot be, and what is told of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine, text

from desk import terminal
from tasks.ask.explain import explain
from tasks.ask.official_table import find_unit, of_period, of_unit
from tasks.ask.scope import WHOLE
from tasks.report.workbook import write_workbook
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import NGOC_PHUNG, holders, person, publish, signatures, unit_counts, unit_key, value

Row = dict[str, Any]
LATER = datetime(2025, 6, 2, tzinfo=UTC)


def reported(in_force: int, unit: str = NGOC_PHUNG, month: str = "2024-12") -> Row:
    """A carrier's report of a unit and month."""
    return {"unit_code": unit, "month": month, "certificates_in_force": in_force}


def listed(number: int, **other: Any) -> Row:
    """A line of a carrier's list."""
    usual = {"unit_code": NGOC_PHUNG, "issued_on": date(2024, 3, 1), "certificate_status": "HIEU_LUC"}
    return {"holder_hash": f"{number:032x}", **usual, **other}


def found(engine: Engine, rule: str, delivery_id: int) -> tuple[bool, str | None] | None:
    """Whether a rule held in a delivery, and its words; nothing where it was not asked."""
    query = text("SELECT success, observed FROM ops.verdict WHERE rule_code = :rule AND delivery_id = :delivery_id")
    with engine.connect() as connection:
        row = connection.execute(query, {"rule": rule, "delivery_id": delivery_id}).one_or_none()
        return None if row is None else (row[0], row[1])


# The same unit and month again -----------------------------------------------------------------------------------------


def test_a_corrected_file_of_a_month_takes_away_the_unit_that_it_leaves_out(engine: Engine) -> None:
    with engine.begin() as c:
        for unit in (NGOC_PHUNG, "15607", "15610"):
            unit_counts(c, unit, "2024-12", {"population_adult": 10})
    deliver(engine, land(engine, "signatures", "2025-01-05", covers="2024-12"), [reported(3), reported(4, "15607")])
    publish(engine)
    corrected = land(engine, "signatures", "2025-01-09", covers="2024-12")
    deliver(engine, corrected, [reported(5), reported(6, "15610")])
    publish(engine, LATER)
    assert found(engine, "STR-018", corrected.delivery_id) == (False, "1 dòng của 1 đơn vị")
    assert value(engine, "ND5C", NGOC_PHUNG, "2024-12") == (5, 10, Decimal("50.0"), "A")
    assert value(engine, "ND5C", "15607", "2024-12") == (None, None, None, "L")
    assert value(engine, "ND5C", "15610", "2024-12") == (6, 10, Decimal("60.0"), "A")
    with engine.connect() as connection:
        query = "SELECT unit_code, revision FROM mart.indicator WHERE indicator_code = 'ND5C' AND period = '2024-12'"
        revisions = {row.unit_code: row.revision for row in connection.execute(text(query))}
    assert {unit: revisions[unit] for unit in (NGOC_PHUNG, "15607", "15610")} == {NGOC_PHUNG: 2, "15607": 2, "15610": 2}


def test_another_carriers_report_of_the_month_stays(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024-12", {"population_adult": 10})
    deliver(engine, land(engine, "signatures", "2025-01-04", source="viettel", provider="viettel", covers="2024-12"), [reported(2)])
    for day, in_force in (("2025-01-05", 3), ("2025-01-09", 4)):
        deliver(engine, land(engine, "signatures", day, covers="2024-12"), [reported(in_force)])
    publish(engine)
    assert value(engine, "ND5C", NGOC_PHUNG, "2024-12") == (6, 10, Decimal("60.0"), "A")


# Persons beside certificates -------------------------------------------------------------------------------------------


def test_more_persons_on_a_list_than_certificates_reported_is_a_warning_with_the_worst_unit(engine: Engine) -> None:
    deliver(engine, land(engine, "signatures", "2024-12-31"), [reported(30), reported(1, "15607")])
    as_many = land(engine, "signature_holders", "2025-01-05")
    deliver(engine, as_many, [*(listed(n) for n in range(49)), listed(100, unit_code="15607"), listed(101, unit_code="15607")])
    assert found(engine, "HOL-011", as_many.delivery_id) == (True, "0/2 đơn vị"), "19 more are fewer than 20"
    more = land(engine, "signature_holders", "2025-01-06")
    deliver(engine, more, [listed(49), listed(50, certificate_status="THU_HOI"), listed(51, issued_on=date(2025, 1, 2))])
    worst = "1/2 đơn vị; nhiều nhất ở Xã Ngọc Phụng (15655): 50 người, 30 chứng thư của tháng 12/2024"
    assert found(engine, "HOL-011", more.delivery_id) == (False, worst)


def test_a_report_that_comes_after_the_list_is_held_against_it(engine: Engine) -> None:
    deliver(engine, land(engine, "signature_holders", "2024-12-31"), [listed(n) for n in range(50)])
    report = land(engine, "signatures", "2025-01-05", covers="2024-12")
    deliver(engine, report, [reported(20)])
    assert found(engine, "SIG-010", report.delivery_id) == (
        False,
        "1/1 đơn vị; nhiều nhất ở Xã Ngọc Phụng (15655): 50 người, 20 chứng thư của tháng 12/2024",
    )


def test_without_a_report_there_is_nothing_to_hold_a_list_against(engine: Engine) -> None:
    of_another = land(engine, "signatures", "2024-12-31", source="viettel", provider="viettel")
    deliver(engine, of_another, [reported(1)])
    delivery = land(engine, "signature_holders", "2025-01-05")
    deliver(engine, delivery, [listed(n) for n in range(50)])
    assert found(engine, "HOL-011", delivery.delivery_id) == (True, "0/0 đơn vị")


def check(engine: Engine, period: str = "2024-12") -> dict[tuple[str, str], tuple[Any, ...]]:
    """Unit and carrier → what mart.signature_check says of a month."""
    query = """
        SELECT unit_code, provider_name, certificates_in_force, persons_listed, persons_of_unknown_age, certificates_of_all, persons_of_all,
            list_verdict
        FROM mart.signature_check WHERE period = :period
    """
    with engine.connect() as connection:
        return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(text(query), {"period": period})}


def test_certificates_stand_beside_persons_by_unit_month_and_carrier(engine: Engine) -> None:
    with engine.begin() as c:
        there = unit_key(c, "15607")
        for unit in (NGOC_PHUNG, "15607"):
            unit_counts(c, unit, "2024-12", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 5}, {"provider_key": 8, "certificates_in_force": 1}])
        signatures(c, [{"certificates_in_force": 4, "unit_key": there, "month": "2024-12"}])
        minor = {"holder_hash": person(4), "adult_from": "2025-06-01"}
        holders(c, [*({"holder_hash": person(n), "adult_from": "2024-03-01"} for n in (1, 2)), {"holder_hash": person(3)}, minor])
        holders(c, [{"holder_hash": person(5), "expires_on": "2024-12-30"}])
        holders(c, [{"provider_key": 8, "holder_hash": person(n), "issued_on": "2024-06-01"} for n in (3, 6)])
        holders(c, [{"provider_key": 8, "holder_hash": person(1), "issued_on": "2024-07-01", "unit_key": there}])
    publish(engine)
    assert check(engine) == {
        (NGOC_PHUNG, "VNPT"): (5, 4, 1, 6, 3, "holds"),
        (NGOC_PHUNG, "Viettel"): (1, 2, 2, 6, 3, "impossible"),
        ("15607", "VNPT"): (4, None, None, 4, 1, "no_list"),
        ("15607", "Viettel"): (None, 1, 1, 4, 1, "no_count"),
    }
    assert value(engine, "ND5", NGOC_PHUNG, "2024-12") == (3, 10, Decimal("30.0"), "A")
    assert value(engine, "ND5", "15607", "2024-12") == (1, 10, Decimal("10.0"), "P")


def test_persons_listed_before_the_reform_stand_beside_the_counts_of_the_unit_they_went_into(engine: Engine) -> None:
    with engine.begin() as c:
        new = unit_key(c, "15646", date(2025, 7, 1))
        signatures(c, [{"month": "2025-06", "certificates_in_force": 2}, {"month": "2025-08", "unit_key": new, "certificates_in_force": 9}])
        holders(c, [{"holder_hash": person(n)} for n in (1, 2)])
    assert check(engine, "2025-06") == {(NGOC_PHUNG, "VNPT"): (2, 2, 2, 2, 2, "holds")}
    assert check(engine, "2025-08") == {("15646", "VNPT"): (9, 2, 2, 9, 2, "holds")}


# What readers see ------------------------------------------------------------------------------------------------------


def test_terminal_explanation_and_workbook_say_what_is_no_number_of_persons(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine.begin() as c:
        for unit in (NGOC_PHUNG, "15607"):
            unit_counts(c, unit, "2024", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 6}, {"certificates_in_force": 6, "unit_key": unit_key(c, "15607")}])
        signatures(c, [{"certificates_in_force": 2, "provider_key": 8, "unit_key": unit_key(c, "15607")}])
        holders(c, [{"holder_hash": person(1), "unit_key": unit_key(c, "15607")}])
    publish(engine)
    notes = {NGOC_PHUNG: "số chứng thư của nhà mạng, không phải số người", "15607": "chưa có danh sách người của Viettel"}
    with engine.connect() as connection:
        for unit, note in notes.items():
            found = find_unit(connection, unit, "2024")
            terminal.official_tables(found, "2024", of_unit(connection, found, "2024", WHOLE))
            assert f"ND5: {note}." in _said(capsys)
            terminal.explanation(explain(connection, "ND5", found, "2024", WHOLE))
            assert f"Lưu ý: {note}" in _said(capsys)
        write_workbook(of_period(connection, "2024", WHOLE), "2024", LATER, tmp_path / "b.xlsx")
    sheets = openpyxl.load_workbook(tmp_path / "b.xlsx")
    rows = [row for sheet in sheets for row in sheet.values if row[-1] in notes.values()]
    assert {(row[3], row[11], row[-1]) for row in rows} == {
        (NGOC_PHUNG, "tạm tính, số thay thế", notes[NGOC_PHUNG]),
        ("15607", "tạm tính, thiếu danh sách", notes["15607"]),
    }


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())
