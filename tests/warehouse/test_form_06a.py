"""Form II.06a from the facts: its columns, its control totals, its chain from period to period, and its past."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, text

from tasks.count.counting import counting
from tasks.count.revisions import NOTHING, Revised
from tasks.one_stop_shop import form_06a as module
from tasks.one_stop_shop.form_06a import COLUMNS, DoesNotAddUp, compute_form_06a, revise_form_06a
from tests.warehouse.facts import as_known, begin, loading
from warehouse.scores import form_06a as counted_form
from warehouse.tables import dim_procedure, fact_dossier

NGOC_PHUNG, THUONG_XUAN, THANH_HOA = "15655", "396", "38"
LATER = datetime.fromisoformat("2024-12-31T23:59:59+07:00")


@pytest.fixture
def connection(engine: Engine) -> Any:
    with engine.begin() as opened:
        opened.execute(
            insert(dim_procedure),
            [
                {"procedure_code": code, "valid_from": "0001-01-01", "valid_to": "9999-12-31", "procedure_name": code,
                 "sector_code": sector, "sector_name": name, "is_inferred": False}
                for code, sector, name in (("1.000001", "HT", "Hộ tịch"), ("2.000815", "CT", "Chứng thực"))
            ],
        )  # fmt: skip
        yield opened


def _unit(connection: Connection, code: str) -> int:
    key = connection.scalar(
        text("SELECT unit_key FROM warehouse.dim_unit WHERE unit_code = :code AND '2024-06-01' BETWEEN valid_from AND valid_to"),
        {"code": code},
    )
    assert key is not None
    return key


def dossier(connection: Connection, number: int, received: str | None, status: int, **given: Any) -> None:
    """A state of a dossier, known from 2024-01-01 unless said otherwise."""
    row = {
        "dossier_code": f"H56.38-240101-{number:04}", "row_key": number, "row_hash": 0, "delivery_id": 1, "row_number": number,
        "agency_key": 0, "key_number": 1,
        "procedure_key": connection.scalar(text("SELECT procedure_key FROM warehouse.dim_procedure WHERE sector_code = 'HT'")),
        "unit_key": _unit(connection, NGOC_PHUNG), "channel_key": 2, "dossier_status_key": status, "received_at": received,
        "known_from": "2024-01-01T00:00:00+07:00", "loaded_by": loading(connection), **given,
    }  # fmt: skip
    connection.execute(insert(fact_dossier), {"received_unit_key": row["unit_key"], **row})


def form(connection: Connection, unit: str, period: str, as_of: datetime = LATER, calendar: str = "lich") -> list[tuple[Any, ...]]:
    compute_form_06a(connection, as_known(as_of))
    columns = ", ".join(COLUMNS)
    rows = connection.execute(
        text(
            f"SELECT section, sector_code, {columns} FROM form_candidate JOIN warehouse.dim_unit USING (unit_key) "
            "WHERE unit_code = :unit AND period = :period AND reporting_calendar = :calendar ORDER BY section, sector_code"
        ),
        {"unit": unit, "period": period, "calendar": calendar},
    )
    return [tuple(row) for row in rows]


def test_each_dossier_stands_in_the_columns_the_form_means(connection: Connection) -> None:
    due = "2024-03-20 17:00"
    dossier(connection, 1, "2024-03-01", 9, finished_at="2024-03-19 08:00", due_at=due)  # early
    dossier(connection, 2, "2024-03-01", 10, finished_at="2024-03-20 23:00", due_at=due, channel_key=1)  # same day: in time, by date
    dossier(connection, 3, "2024-03-01", 9, finished_at="2024-03-21 08:00", due_at=due, channel_key=3)  # late
    dossier(connection, 4, "2024-03-01", 9, finished_at="2024-03-30 08:00")  # no due date: in time
    dossier(connection, 5, "2024-03-01", 7, finished_at="2024-03-30 08:00", due_at=due)  # withdrawn: in time
    dossier(connection, 6, "2024-03-01", 4, due_at=due)  # pending, overdue
    dossier(connection, 7, "2024-03-01", 4, due_at="2024-04-20 17:00")  # pending, in time
    dossier(connection, 8, "2024-03-01", 5, due_at=due)  # supplement asked for: in time
    dossier(connection, 9, "2024-02-01", 9, finished_at="2024-03-02 08:00", due_at=due)  # carried over
    dossier(connection, 10, "2024-03-01", 3)  # not received
    dossier(connection, 11, "2024-03-01", 4, deleted_at="2024-03-02")  # deleted at the source
    assert form(connection, NGOC_PHUNG, "2024-03") == [("commune", "HT", 9, 6, 2, 1, 6, 2, 3, 1, 3, 2, 1)]


def test_what_is_pending_is_what_the_next_period_takes_over(connection: Connection) -> None:
    dossier(connection, 1, "2024-01-10", 9, finished_at="2024-05-02 08:00", due_at="2024-02-10")
    dossier(connection, 2, "2024-03-31 16:00", 9, finished_at="2024-04-01 08:00", due_at="2024-04-02")
    assert [form(connection, NGOC_PHUNG, f"2024-{month:02}")[0][10] for month in range(1, 5)] == [1, 1, 2, 1]
    assert [form(connection, NGOC_PHUNG, f"2024-{month:02}")[0][5] for month in range(2, 6)] == [1, 1, 2, 1]
    assert form(connection, NGOC_PHUNG, "2024-Q2") == [("commune", "HT", 2, 0, 0, 2, 2, 1, 0, 1, 0, 0, 0)]
    assert form(connection, NGOC_PHUNG, "2024") == [("commune", "HT", 2, 2, 0, 0, 2, 1, 0, 1, 0, 0, 0)]
    assert form(connection, NGOC_PHUNG, "2024-06") == []


def test_units_above_show_their_sections_and_nothing_vanishes(connection: Connection) -> None:
    other = connection.scalar(text("SELECT procedure_key FROM warehouse.dim_procedure WHERE sector_code = 'CT'"))
    dossier(connection, 1, "2024-03-01", 4)
    dossier(connection, 2, "2024-03-01", 4, unit_key=_unit(connection, THUONG_XUAN), procedure_key=other)
    dossier(connection, 3, "2024-03-01", 4, unit_key=0, procedure_key=0)
    in_all = [("commune", "HT", 1), ("district", "CT", 1), ("unknown", "0", 1)]
    assert [row[:3] for row in form(connection, THANH_HOA, "2024-03")] == in_all
    assert [row[0] for row in form(connection, "0", "2024-03")] == ["unknown"]


def test_a_past_report_is_the_same_for_ever_as_known_on_its_day(connection: Connection) -> None:
    told, corrected = datetime.fromisoformat("2024-04-01T00:00:00+07:00"), "2024-05-01T00:00:00+07:00"
    dossier(connection, 1, "2024-03-01", 4, due_at="2024-03-10", known_to=corrected)
    before = form(connection, NGOC_PHUNG, "2024-03", told)
    dossier(connection, 1, "2024-03-01", 9, due_at="2024-04-10", finished_at="2024-03-05", known_from=corrected)
    assert form(connection, NGOC_PHUNG, "2024-03", told) == before == [("commune", "HT", 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1)]
    assert form(connection, NGOC_PHUNG, "2024-03") == [("commune", "HT", 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0)]


def test_a_changed_line_is_a_revision_and_a_line_that_is_gone_is_closed(connection: Connection) -> None:
    night = datetime.fromisoformat("2024-04-01T00:00:00+07:00")
    dossier(connection, 1, "2024-03-01", 4)

    def published(as_of: datetime) -> Revised:
        compute_form_06a(connection, counting(connection, as_of))
        return revise_form_06a(connection, begin(connection, as_of))[0]

    # commune, district, province × month, quarter, year of the calendar; and of the decree, whose April has begun as well
    assert published(night) == Revised(added=24, revised=0, ended=0)
    assert published(night) == NOTHING
    gone = "UPDATE warehouse.fact_dossier SET known_to = '2024-05-01T00:00:00+07:00', ended_by = :load"
    connection.execute(text(gone), {"load": loading(connection)})
    assert published(LATER) == Revised(added=0, revised=0, ended=24)
    assert (
        connection.scalar(text("SELECT count(*) FROM warehouse.fact_form_06a WHERE known_from <= '2024-06-01' AND known_to > '2024-06-01'"))
        == 24
    )


@pytest.fixture
def four_that_ended_late(connection: Connection) -> Connection:
    """And one that ended early, one on the day due, one pending and overdue, and two that went over: every count of the form is there."""
    due = "2024-01-20 17:00"
    for number in range(1, 5):
        dossier(connection, number, "2024-01-10", 9, finished_at="2024-02-05 08:00", due_at=due)
    dossier(connection, 5, "2024-01-10", 9, finished_at="2024-01-12 08:00", due_at=due, channel_key=1)
    dossier(connection, 6, "2024-01-10", 9, finished_at="2024-01-20 08:00", due_at=due)
    dossier(connection, 7, "2024-01-10", 4, due_at=due)
    # Xã Thiệu Phú went into thị trấn Thiệu Hóa on 1 February 2024 (Nghị quyết 939/NQ-UBTVQH15).
    thieu_phu = connection.scalar(text("SELECT unit_key FROM warehouse.dim_unit WHERE unit_code = '15790' AND valid_to = '2024-01-31'"))
    for number, channel in ((8, 1), (9, 2)):
        dossier(connection, number, "2024-01-10", 4, due_at=due, unit_key=thieu_phu, channel_key=channel)
    return connection


def test_without_a_fault_every_control_holds(four_that_ended_late: Connection) -> None:
    assert form(four_that_ended_late, NGOC_PHUNG, "2024") == [("commune", "HT", 7, 6, 1, 0, 6, 1, 1, 4, 1, 0, 1)]


@pytest.mark.parametrize("measure", counted_form.form_06a().measures)
def test_a_count_of_events_that_is_wrong_is_found_by_looking_at_the_dossiers(
    four_that_ended_late: Connection, monkeypatch: pytest.MonkeyPatch, measure: str
) -> None:
    monkeypatch.setitem(counted_form._MEASURES, measure, ("sign", "FALSE"))
    monkeypatch.setattr(module, "form_06a", counted_form.form_06a.__wrapped__)
    with pytest.raises(DoesNotAddUp, match="xem từng hồ sơ theo tháng"):
        compute_form_06a(four_that_ended_late, as_known(LATER))


@pytest.mark.parametrize("column", ["c4", "c5", "c8", "c9", "c10", "c11", "c13"])
def test_a_column_that_is_put_together_wrongly_is_found_by_adding_up_straight(
    four_that_ended_late: Connection, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    right = module._query
    wrong = {"periods": right("periods").replace(f"sum({column})", "sum(0)")}
    monkeypatch.setattr(module, "_query", lambda name: wrong.get(name) or right(name))
    with pytest.raises(DoesNotAddUp, match="cộng thẳng theo ngày của kỳ"):
        compute_form_06a(four_that_ended_late, as_known(LATER))
