"""`explain` lists the files whose rows were counted: those the conditions took, for the numerator and for the denominator."""

from datetime import UTC, date, datetime

from sqlalchemy import Connection, Engine, text

from tasks.ask.explain import explain
from tasks.ask.official_table import find_unit
from tasks.ask.scope import WHOLE
from tests.warehouse.facts import (
    NGOC_PHUNG,
    bills,
    dossiers,
    holders,
    payments,
    person,
    publish,
    signatures,
    surveys,
    unit_counts,
    unit_key,
)

AUGUST = datetime(2024, 8, 31, 16, tzinfo=UTC)


def files(engine: Engine, indicator: str, unit: str = NGOC_PHUNG, period: str = "2024") -> dict[str, tuple[int, int]]:
    """Kind of delivery → rows counted, and how many of them make the numerator; files of a kind are added up."""
    with engine.connect() as connection:
        told = explain(connection, indicator, find_unit(connection, unit, period), period, WHOLE)
    found: dict[str, tuple[int, int]] = {}
    for row in told.files:
        rows, numerator = found.get(row.source, (0, 0))
        found[row.source] = rows + row.rows, numerator + row.rows_in_numerator
    return found


def key_of(connection: Connection, bill_code: str) -> int:
    found = connection.scalar(text("SELECT row_key FROM warehouse.fact_bill WHERE bill_code = :code"), {"code": bill_code})
    assert found is not None
    return found


def test_of_dossiers_those_that_owe_a_fee_and_those_that_paid_it_online(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}, {"fee_vnd": 0}, {"fee_vnd": 8000}, {"fee_vnd": 8000, "online_payment_code": 1}])
    publish(engine)
    assert files(engine, "K2f") == {"dossiers": (2, 1)}
    assert files(engine, "CQ4") == {"dossiers": (4, 4)}


def test_of_ended_dossiers_those_that_ended_in_the_period_by_the_rule_of_the_form(engine: Engine) -> None:
    late = {"due_at": "2024-03-16 17:00:00", "finished_at": "2024-04-02 09:00:00"}
    pending = {"dossier_status_key": 4, "finished_at": None}
    with engine.begin() as c:
        dossiers(c, [{}, late, pending])
    publish(engine)
    assert files(engine, "CQ5", period="2024-03") == {"dossiers": (1, 1)}
    assert files(engine, "CQ5", period="2024-04") == {"dossiers": (1, 0)}
    assert files(engine, "CQ5") == {"dossiers": (2, 1)}


def test_of_bills_those_of_the_service_with_the_payments_that_settled_them_without_cash(engine: Engine) -> None:
    with engine.begin() as c:
        bills(c, [{"bill_code": "B-QR"}, {"bill_code": "B-CASH"}, {"bill_code": "B-OPEN"}, {"service_key": 2}])
        payments(c, [{"bill_key": key_of(c, "B-QR")}, {"bill_key": key_of(c, "B-CASH"), "payment_method_key": 1}, {}])
    publish(engine)
    assert files(engine, "K2b") == {"bills": (3, 1), "payments": (1, 1)}
    assert files(engine, "K2c") == {"bills": (3, 1), "payments": (1, 1)}


def test_of_counts_of_offices_both_measures_as_they_were_taken(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024-02", {"shops_qr": 3, "shops_total": 12})
        unit_counts(c, NGOC_PHUNG, "2024-11", {"shops_qr": 5, "shops_total": 12, "eid_issued": 7})
        unit_counts(c, NGOC_PHUNG, "2024-Q1", {"feedback_on_time": 5, "feedback_received": 5})
        unit_counts(c, NGOC_PHUNG, "2024-03", {"feedback_on_time": 1, "feedback_received": 1})
        unit_counts(c, NGOC_PHUNG, "2024-05", {"feedback_on_time": 2, "feedback_received": 4})
    publish(engine)
    assert files(engine, "K2g") == {"unit_counts": (2, 1)}, "of a stock the last"
    assert files(engine, "K3b") == {"unit_counts": (4, 2)}, "of a flow all, but for the month inside a quarter that was reported itself"


def test_of_holders_each_person_once(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        holders(c, [{"holder_hash": person(1)}, {"holder_hash": person(2)}], exported_at=AUGUST)
        holders(c, [{"holder_hash": person(1), "provider_key": 8, "issued_on": "2024-05-01"}], exported_at=AUGUST)
        holders(c, [{"holder_hash": person(3), "certificate_status": "THU_HOI"}], exported_at=AUGUST)
    publish(engine)
    assert files(engine, "ND5") == {"signature_holders": (2, 2), "unit_counts": (1, 0)}


def test_of_a_person_with_a_later_certificate_elsewhere_nothing_stands_here(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        holders(c, [{"holder_hash": person(1)}, {"holder_hash": person(2)}])
        holders(c, [{"holder_hash": person(1), "provider_key": 8, "issued_on": "2024-06-01", "unit_key": unit_key(c, "15607")}])
    publish(engine)
    assert files(engine, "ND5") == {"signature_holders": (1, 1), "unit_counts": (1, 0)}


def test_how_many_persons_of_unknown_age_are_counted_is_told(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        holders(c, [{"holder_hash": person(1), "adult_from": "2024-03-01"}, {"holder_hash": person(2)}, {"holder_hash": person(3)}])
        holders(c, [{"holder_hash": person(4), "adult_from": "2025-06-01"}])
    publish(engine)
    with engine.connect() as connection:
        told = explain(connection, "ND5", find_unit(connection, NGOC_PHUNG, "2024"), "2024", WHOLE)
    assert (told.line.numerator, told.of_unknown_age) == (3, 2)


def test_of_holders_those_of_the_units_that_went_into_it(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, "15646", "2025-08", {"population_adult": 10}, on=date(2025, 7, 1))
        holders(c, [{"holder_hash": person(1)}, {"holder_hash": person(2)}])
    publish(engine, datetime(2025, 9, 5, tzinfo=UTC))
    assert files(engine, "ND5", "15646", "2025-08") == {"signature_holders": (2, 2), "unit_counts": (1, 0)}


def test_where_certificates_stand_in_for_some_communes_their_files_stand_beside_those_of_the_persons(engine: Engine) -> None:
    with engine.begin() as c:
        there = unit_key(c, "15607")
        for unit in (NGOC_PHUNG, "15607"):
            unit_counts(c, unit, "2024", {"population_adult": 10})
        holders(c, [{"holder_hash": person(1)}, {"holder_hash": person(2)}])
        signatures(c, [{"certificates_in_force": 4}, {"certificates_in_force": 3, "unit_key": there}])
    publish(engine)
    assert files(engine, "ND5", "15607") == {"signatures": (1, 1), "unit_counts": (1, 0)}
    assert files(engine, "ND5", "396") == {"signature_holders": (2, 2), "unit_counts": (2, 0), "signatures": (1, 1)}


def test_where_all_on_the_lists_are_out_no_certificates_are_told(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        holders(c, [{"holder_hash": person(1), "certificate_status": "THU_HOI"}])
        signatures(c, [{"certificates_in_force": 4}])
    publish(engine)
    assert files(engine, "ND5") == {"unit_counts": (1, 0)}


def test_of_carriers_the_last_month_of_each_and_of_surveys_the_last_time(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        months = [{"month": "2024-11", "certificates_in_force": 4}, {"month": "2024-12", "certificates_in_force": 5}]
        signatures(c, [*months, {"provider_key": 8, "month": "2024-10", "certificates_in_force": 1}])
        surveys(c, [{"positive_answers": 5, "respondents": 9}, {"asked_on": "2024-02-01", "positive_answers": 1, "respondents": 9}])
    publish(engine)
    assert files(engine, "ND5C") == {"signatures": (2, 2), "unit_counts": (1, 0)}
    assert files(engine, "K1b") == {"surveys": (1, 1)}


def test_why_no_number_is_shown_is_told(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"shops_qr": 13, "shops_total": 12})
    publish(engine)
    with engine.connect() as connection:
        assert (
            explain(connection, "K2g", find_unit(connection, NGOC_PHUNG, "2024"), "2024", WHOLE).held_back == "tử số lớn hơn mẫu số (13/12)"
        )


def test_the_revision_in_force_has_no_end_and_the_one_before_ends_with_it(engine: Engine) -> None:
    for shops in (3, 4):
        with engine.begin() as c:
            unit_counts(c, NGOC_PHUNG, "2024", {"shops_qr": shops, "shops_total": 12})
        publish(engine)
    with engine.connect() as connection:
        first, second = explain(connection, "K2g", find_unit(connection, NGOC_PHUNG, "2024"), "2024", WHOLE).revisions
    assert (first.numerator, second.numerator, second.known_to) == (3, 4, None)
    assert first.known_to == second.known_from
