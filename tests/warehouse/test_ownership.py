"""A dossier is received by one unit and handled by the one of the time; what belongs to none is counted, never lost."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tasks.count.counting import counting
from tasks.deliveries.ledger import Outcome
from tasks.one_stop_shop.form_06a import compute_form_06a, revise_form_06a
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import as_known, begin

NIGHT = datetime.fromisoformat("2025-08-31T23:59:59+07:00")
REFORM = date(2025, 7, 1)
LAST_DAY = date(2025, 6, 30)
Row = dict[str, Any]

# Xã Ngọc Phụng (15655) became part of the new xã Thường Xuân, which took over the code of thị trấn Thường Xuân (15646).
AGENCIES = [
    ("H56.38.14", "UBND xã Ngọc Phụng", "15655", date(2000, 1, 1), LAST_DAY),
    ("H56.38.14", "UBND xã Thường Xuân", "15646", REFORM, None),
    ("H56.38.11", "UBND thị trấn Thường Xuân", "15646", date(2000, 1, 1), None),
]


def agencies(engine: Engine, day: str = "2024-01-01") -> Outcome:
    rows = [dict(zip(("agency_code", "agency_name", "unit_code", "valid_from", "valid_to"), row, strict=True)) for row in AGENCIES]
    return deliver(engine, land(engine, "agencies", day), rows)


def procedures(engine: Engine) -> Outcome:
    listed = {"procedure_code": "2.000815", "procedure_name": "Chứng thực", "sector_code": "CT", "sector_name": "Chứng thực"}
    return deliver(engine, land(engine, "procedures", "2024-01-01"), [{**listed, "valid_from": date(2020, 1, 1)}])


def dossier(number: int, received: str, agency: str | None = "H56.38.14", **others: Any) -> Row:
    code = f"H56.38.14-{received[2:10].replace('-', '')}-{number:04}"
    row = {"dossier_code": code, "agency_code": agency, "procedure_code": "2.000815", "status_code": "4", "channel_code": "2"}
    return {**row, "received_at": datetime.fromisoformat(received), **others}


def owners(engine: Engine, role: str = "received_unit") -> dict[int, tuple[str, str]]:
    """Number of a dossier → code and name of the unit that received it, or that handles it (unit)."""
    query = (
        f"SELECT dossier_code, unit_code, unit_name FROM warehouse.fact_dossier f JOIN warehouse.dim_unit u ON u.unit_key = f.{role}_key "
        "WHERE known_to = 'infinity'"
    )
    with engine.connect() as connection:
        return {int(code[-4:]): (unit, name) for code, unit, name in connection.execute(text(query))}


def form(engine: Engine, as_of: datetime = NIGHT) -> list[tuple[Any, ...]]:
    """The forms of 2025 as published that night: unit, section, sector, received."""
    with engine.begin() as connection:
        night = counting(connection, as_of)
        compute_form_06a(connection, night)
        revise_form_06a(connection, begin(connection, night.as_of))
    query = (
        "SELECT unit_code, section, field_code, c4 + c5 FROM mart.form_06a WHERE period = '2025' "
        "ORDER BY unit_code, unit_valid_from, section, field_code"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_day_received_decides_on_which_side_of_the_reform_a_dossier_lies(engine: Engine) -> None:
    agencies(engine)
    deliver(engine, land(engine, "dossiers", "2025-07-02"), [dossier(1, "2025-06-30 23:59:59"), dossier(2, "2025-07-01 00:00:00")])
    assert owners(engine) == {1: ("15655", "Xã Ngọc Phụng"), 2: ("15646", "Xã Thường Xuân")}


def test_a_dossier_stays_received_by_its_unit_and_is_handled_by_the_one_of_the_day_it_ended(engine: Engine) -> None:
    agencies(engine)
    deliver(engine, land(engine, "dossiers", "2025-06-30"), [dossier(1, "2025-06-30 08:00:00")])
    assert owners(engine, "unit") == {1: ("15655", "Xã Ngọc Phụng")}
    ended = dossier(1, "2025-06-30 08:00:00", status_code="10", finished_at=datetime(2025, 7, 20, 9))
    deliver(engine, land(engine, "dossiers", "2025-07-20"), [ended])
    assert owners(engine) == {1: ("15655", "Xã Ngọc Phụng")}
    assert owners(engine, "unit") == {1: ("15646", "Xã Thường Xuân")}


def test_a_code_that_another_unit_took_over_is_the_unit_of_the_day(engine: Engine) -> None:
    agencies(engine)
    rows = [dossier(1, "2025-06-30 08:00:00", "H56.38.11"), dossier(2, "2025-07-01 08:00:00", "H56.38.11")]
    deliver(engine, land(engine, "dossiers", "2025-07-02"), rows)
    assert owners(engine) == {1: ("15646", "Thị trấn Thường Xuân"), 2: ("15646", "Xã Thường Xuân")}


def test_without_the_day_received_the_day_handed_in_decides(engine: Engine) -> None:
    agencies(engine)
    waiting = dossier(1, "2025-07-01 08:00:00", status_code="1", submitted_at=datetime(2025, 6, 30, 8), received_at=None)
    deliver(engine, land(engine, "dossiers", "2025-07-02"), [waiting])
    assert owners(engine) == {1: ("15655", "Xã Ngọc Phụng")}


@pytest.mark.parametrize("agency", ["H56.99.99", None])
def test_a_dossier_of_no_known_agency_belongs_to_the_unknown_unit_and_is_counted(engine: Engine, agency: str | None) -> None:
    agencies(engine)
    outcome = deliver(
        engine, land(engine, "dossiers", "2025-07-02"), [dossier(1, "2025-07-01 08:00:00", agency), dossier(2, "2025-07-01 08:00:00")]
    )
    assert (outcome.loaded, outcome.quarantined, outcome.verdict) == (2, 0, "accept_with_flags")
    assert owners(engine)[1][0] == "0"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT unexpected_count FROM ops.verdict WHERE rule_code = 'DOS-017'")) == 1


def test_an_agency_before_its_first_day_is_unknown_rather_than_what_it_became(engine: Engine) -> None:
    agencies(engine)
    deliver(engine, land(engine, "dossiers", "2025-07-02"), [dossier(1, "1999-12-31 08:00:00")])
    assert owners(engine)[1][0] == "0"


def test_what_nobody_owns_stands_in_the_form_and_the_forms_add_up_to_the_facts(engine: Engine) -> None:
    agencies(engine)
    procedures(engine)
    rows = [
        dossier(1, "2025-03-01 08:00:00"),
        dossier(2, "2025-07-01 08:00:00"),
        dossier(3, "2025-07-01 08:00:00", "H56.99.99"),
        dossier(4, "2025-07-01 08:00:00", procedure_code="9.999999"),
        dossier(5, "2025-07-01 08:00:00", None, procedure_code=None),
    ]
    deliver(engine, land(engine, "dossiers", "2025-07-02"), rows)
    published = form(engine)
    assert [line for line in published if line[0] in ("0", "15646", "15655")] == [
        ("0", "unknown", "0", 1),
        ("0", "unknown", "CT", 1),
        ("15646", "commune", "0", 1),
        ("15646", "commune", "CT", 1),
        ("15655", "commune", "CT", 1),
    ]
    # The province's form holds every dossier once, what could be given to no unit in a section of its own.
    assert sum(line[3] for line in published if line[0] == "38") == len(rows)


def test_a_list_that_comes_late_moves_dossiers_to_their_unit_and_not_in_what_was_known_before(engine: Engine) -> None:
    procedures(engine)
    deliver(engine, land(engine, "dossiers", "2025-03-02"), [dossier(1, "2025-03-01 08:00:00")])
    agencies(engine, "2025-08-01")
    assert [line for line in form(engine) if line[0] in ("0", "15655")] == [("15655", "commune", "CT", 1)]
    with engine.begin() as connection:
        compute_form_06a(connection, as_known(datetime.fromisoformat("2025-07-31T23:59:59+07:00")))
        before = "SELECT DISTINCT section FROM form_candidate WHERE period = '2025'"
        assert connection.scalars(text(before)).all() == ["unknown"]
