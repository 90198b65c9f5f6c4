"""Decision 766 from our own dossiers: which dossiers and procedures each component counts, and how they add up."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, insert, text, update

from tasks.one_stop_shop.scores import pipeline_scores
from tests.warehouse.facts import as_known
from warehouse.scores.on_time import OnTime, on_time
from warehouse.tables import dim_procedure, fact_dossier

LATER = datetime.fromisoformat("2024-12-31T23:59:59+07:00")
UNIT = "SELECT unit_key FROM warehouse.dim_unit WHERE unit_code = :code AND '2024-06-01' BETWEEN valid_from AND valid_to"
MONTH_END = "timestamp '2024-03-31'"
COMMUNE, DISTRICT, PROVINCE = "15655", "396", "38"


@pytest.fixture
def connection(engine: Engine) -> Any:
    with engine.begin() as opened:
        always = {"valid_from": "0001-01-01", "valid_to": "9999-12-31", "sector_code": "HT", "sector_name": "HT", "is_inferred": False}
        procedures = [
            ("1.000001", 4, True, "xa"), ("1.000002", 3, True, "xa"), ("1.000003", 2, False, "xa"), ("1.000004", 4, True, "tinh"),
        ]  # fmt: skip
        opened.execute(
            insert(dim_procedure),
            [
                {
                    "procedure_code": code,
                    "procedure_name": code,
                    "service_level": level,
                    "has_fee": fee,
                    "authority_level": authority,
                    **always,
                }
                for code, level, fee, authority in procedures
            ],
        )
        yield opened


def _key(connection: Connection, query: str, code: str) -> int:
    key = connection.scalar(text(query), {"code": code})
    assert key is not None
    return int(key)


def dossier(
    connection: Connection,
    number: int,
    received: str = "2024-03-01",
    status: int = 9,
    unit: str = COMMUNE,
    procedure: str = "1.000001",
    **given: Any,
) -> None:
    row = {
        "dossier_code": f"H56.38-240301-{number:04}", "row_key": number, "row_hash": 0, "delivery_id": 1, "row_number": number,
        "agency_key": 0, "key_number": 1,
        "procedure_key": _key(connection, "SELECT procedure_key FROM warehouse.dim_procedure WHERE procedure_code = :code", procedure),
        "unit_key": _key(connection, UNIT, unit),
        "channel_key": 2, "dossier_status_key": status, "received_at": received, "known_from": "2024-01-01T00:00:00+07:00",
        "loaded_by": 1, **given,
    }  # fmt: skip
    connection.execute(insert(fact_dossier), {"received_unit_key": row["unit_key"], **row})


def scored(connection: Connection, unit: str, period: str) -> pd.DataFrame:
    scores = pipeline_scores(connection, as_known(LATER))
    units = pd.DataFrame(connection.execute(text("SELECT unit_key, unit_code FROM warehouse.dim_unit")).all())
    scores = scores.merge(units, on="unit_key")
    return scores[(scores["unit_code"] == unit) & (scores["period"] == period)].set_index(["group_code", "component_code"]).sort_index()


def counts(frame: pd.DataFrame, group: str, component: str) -> tuple[int, int]:
    line = frame.loc[(group, component)]
    return int(line["numerator"]), int(line["denominator"])


def test_shares_of_dossiers_count_what_the_decision_says(connection: Connection) -> None:
    dossier(
        connection,
        1,
        reuse_code=1,
        has_electronic_result=True,
        is_digitised=True,
        is_vneid_verified=True,
        fee_vnd=8000,
        online_payment_code=1,
    )
    dossier(connection, 2, reuse_code=2, has_electronic_result=False, is_digitised=True, fee_vnd=8000, online_payment_code=3)
    dossier(connection, 3, reuse_code=0, channel_key=1, fee_vnd=0, online_payment_code=2)
    dossier(connection, 4, status=3, reuse_code=1)  # not received
    dossier(connection, 5, deleted_at="2024-03-02", reuse_code=1)
    found = scored(connection, COMMUNE, "2024-03")
    assert counts(found, "MDSH", "REUSED_DIGITIZED_DATA") == (2, 3)
    assert counts(found, "MDSH", "ORIGINAL_RESULT_AVAILABLE") == (1, 3)
    assert counts(found, "MDSH", "SO_HOA_GIAY_TO_GIAI_QUYET") == (1, 3)
    assert counts(found, "MDSH", "CITIZEN_DATA_CONNECTED_DOSSIER") == (1, 3)
    assert counts(found, "CLGQ", "ONLINE_DOSSIERS") == (2, 3)
    assert counts(found, "TTTT", "PAID_DOSSIERS") == (1, 2)
    assert float(found.loc[("MDSH", "REUSED_DIGITIZED_DATA"), "score"]) == 1.67  # 66,67 % of 80 %
    assert "DOSSIER_SYNC" not in found.index.get_level_values("component_code")


def test_shares_of_procedures_count_each_once_and_against_the_level_of_the_unit(connection: Connection) -> None:
    dossier(connection, 1, procedure="1.000001", fee_vnd=8000, online_payment_code=1)
    dossier(connection, 2, procedure="1.000001", fee_vnd=8000, online_payment_code=1)
    dossier(connection, 3, procedure="1.000002", fee_vnd=8000, channel_key=1)
    dossier(connection, 4, procedure="1.000001", unit="15658", fee_vnd=8000, online_payment_code=1)
    dossier(connection, 5, procedure="1.000004", unit=PROVINCE, fee_vnd=8000)
    commune, province = scored(connection, COMMUNE, "2024-03"), scored(connection, PROVINCE, "2024-03")
    assert counts(commune, "TTTT", "PROCEDURES_PAID_ONLINE") == (1, 2)
    assert counts(commune, "TTTT", "FEE_PROCEDURES_WITH_DOSSIERS") == (2, 2)
    assert counts(commune, "CLGQ", "ONLINE_SERVICES") == (2, 3)
    assert counts(commune, "CLGQ", "SERVICES_WITH_ONLINE_DOSSIERS") == (1, 2)
    assert counts(province, "TTTT", "PROCEDURES_PAID_ONLINE") == (1, 3)
    assert counts(province, "TTTT", "FEE_PROCEDURES_WITH_DOSSIERS") == (3, 3)


def test_longer_periods_and_units_above_add_counts_never_scores(connection: Connection) -> None:
    dossier(connection, 1, "2024-03-01", reuse_code=1)
    dossier(connection, 2, "2024-02-01", reuse_code=0)
    dossier(connection, 3, "2024-07-01", unit="15658", reuse_code=0)
    component = ("MDSH", "REUSED_DIGITIZED_DATA")
    assert [counts(scored(connection, COMMUNE, period), *component) for period in ("2024-03", "2024-Q1", "2024")] == [
        (1, 1),
        (1, 2),
        (1, 2),
    ]
    assert [counts(scored(connection, unit, "2024"), *component) for unit in (DISTRICT, PROVINCE)] == [(1, 3), (1, 3)]


@pytest.mark.parametrize(
    ("given", "in_time"),
    [
        ({"finished_at": "2024-03-10 16:59", "due_at": "2024-03-10 17:00"}, True),
        ({"finished_at": "2024-03-10 17:01", "due_at": "2024-03-10 17:00"}, False),  # to the second, not by the day
        ({"finished_at": "2024-03-09", "returned_at": "2024-03-12", "due_at": "2024-03-10"}, True),  # handled goes before handed over
        ({"returned_at": "2024-03-12", "due_at": "2024-03-10"}, False),
        ({"refused_at": "2024-03-09", "due_at": "2024-03-10"}, True),
        ({"supplement_count": 1, "supplement_requested_at": "2024-03-09", "finished_at": "2024-03-20", "due_at": "2024-03-10"}, True),
        ({"supplement_count": 2, "supplement_requested_at": "2024-03-09", "finished_at": "2024-03-09", "due_at": "2024-03-10"}, False),
        ({"finished_at": "2024-03-30"}, True),  # neither due date nor statutory limit known
        ({"status": 4, "due_at": "2024-03-31 23:59:59"}, True),  # unfinished: judged at the end of the period
        ({"status": 4, "due_at": "2024-03-31 23:00"}, False),
        ({"status": 7, "updated_at": "2024-03-09", "due_at": "2024-03-10"}, True),  # withdrawn: ended when it became so
        ({"status": 7, "updated_at": "2024-03-11", "due_at": "2024-03-10"}, False),
        ({"status": 8, "updated_at": "2024-03-09", "due_at": "2024-03-10"}, True),  # stopped: likewise
        ({"status": 5, "supplement_count": 0, "updated_at": "2024-03-09", "due_at": "2024-03-10"}, False),  # waiting: not ended
        ({"status": 6, "updated_at": "2024-03-09", "due_at": "2024-03-10"}, False),
    ],
)
def test_point_2_1_decides_what_is_in_time(connection: Connection, given: dict[str, Any], in_time: bool) -> None:
    dossier(connection, 1, **given)
    assert counts(scored(connection, COMMUNE, "2024-03"), "TDGQ", "ON_TIME") == (int(in_time), 1)


def test_an_unfinished_dossier_may_be_in_time_for_the_month_and_late_for_the_quarter(connection: Connection) -> None:
    dossier(connection, 1, "2024-02-20", status=4, due_at="2024-03-10")
    assert [counts(scored(connection, COMMUNE, period), "TDGQ", "ON_TIME")[0] for period in ("2024-02", "2024-Q1", "2024")] == [1, 0, 0]


@pytest.mark.parametrize(("finished", "in_time"), [("2024-03-06", True), ("2024-03-07", False)])
def test_without_a_due_date_the_statutory_limit_holds_in_working_days(connection: Connection, finished: str, in_time: bool) -> None:
    dossier(connection, 1, "2024-03-01 08:00", finished_at=finished)  # a Friday
    connection.execute(update(dim_procedure).where(dim_procedure.c.procedure_code == "1.000001").values(statutory_working_days=3))
    assert counts(scored(connection, COMMUNE, "2024-03"), "TDGQ", "ON_TIME") == (int(in_time), 1)


def test_a_rule_that_changes_holds_for_dossiers_received_from_that_day_on(connection: Connection) -> None:
    (before,) = on_time("decision_766").versions
    stopped = before.set_aside["stopped"].model_copy(update={"counts": "pending"})
    after = before.model_copy(update={"valid_from": date(2024, 3, 2), "set_aside": {**before.set_aside, "stopped": stopped}})
    rule = OnTime(versions=(before, after))
    for number, received in enumerate(("2024-03-01", "2024-03-02"), 1):
        dossier(connection, number, received, status=8, updated_at="2024-03-09", due_at="2024-03-10")
    found = connection.scalars(
        text(
            f"SELECT {rule.in_time_at(MONTH_END)} FROM warehouse.fact_dossier d JOIN warehouse.dim_dossier_status s "
            "USING (dossier_status_key) JOIN warehouse.dim_procedure p USING (procedure_key) ORDER BY d.received_at"
        )
    )
    assert found.all() == [True, False]


def test_the_three_rules_of_in_time_disagree_on_one_dossier(connection: Connection) -> None:
    dossier(connection, 1, finished_at="2024-03-10 18:00", returned_at="2024-03-11 08:00", due_at="2024-03-10 17:00")
    verdicts = {
        name: connection.scalar(
            text(
                f"SELECT {on_time(name).in_time_at(MONTH_END)} FROM warehouse.fact_dossier d "
                "JOIN warehouse.dim_dossier_status s USING (dossier_status_key) JOIN warehouse.dim_procedure p USING (procedure_key)"
            )
        )
        for name in ("form_06a", "decision_766", "vendor")
    }
    assert verdicts == {"form_06a": True, "decision_766": False, "vendor": False}
