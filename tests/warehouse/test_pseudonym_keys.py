"""Rows hashed with several keys: what is counted of them says so, and what was hashed with a key that is out of use can be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from expectations.contract import contract, feeds
from tasks.count.counting import counting
from tasks.count.kept import verify
from tasks.indicators.audit import audit
from tasks.indicators.compute import compute
from tasks.indicators.publish import declare_indicators, revise_indicators
from tasks.indicators.restated import revise_restated
from tasks.load.forget import forget, require_forgettable
from tasks.read.pseudonym import pseudonym
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import (
    LUAN_KHE,
    NGOC_PHUNG,
    THUONG_XUAN,
    begin,
    bills,
    holders,
    payments,
    person,
    publish,
    shop,
    signatures,
    unit_counts,
    unit_key,
    value,
)
from warehouse.indicators import indicators
from warehouse.pseudonym_key import begin_key
from warehouse.settings import Refusal
from warehouse.tables import metadata

FIRST, SECOND = b"the first key of the tests", b"the second key of the tests"
LATER = datetime(2025, 7, 1, tzinfo=UTC)
PAPERS = [f"99900700{number:04}" for number in range(6)]
PLAIN = (None, None)


def take_into_use(engine: Engine, key: bytes, on: str = "2024-04-01") -> None:
    """Begins a key on a day."""
    with engine.begin() as connection:
        begin_key(connection, key)
        connection.execute(
            text("UPDATE ops.pseudonym_key SET used_from = CAST(:on AS timestamptz) WHERE used_from = now()"),
            {"on": f"{on} 12:00+07"},
        )


def bills_of(connection: Connection, month: str, first_person: int, key_number: int, unit: str = NGOC_PHUNG, **more: Any) -> None:
    """A bill for electricity of each of six customers."""
    usual = {"unit_key": unit_key(connection, unit), "billing_month": f"{month}-01", "issued_on": f"{month}-05", "key_number": key_number}
    bills(connection, [{**usual, "customer_hash": person(first_person + number)} for number in range(6)], **more)


def doubt(engine: Engine, indicator: str, unit: str, period: str) -> tuple[Any, ...]:
    """Reason and note of a published value."""
    query = "SELECT obs_reason, obs_note FROM mart.indicator WHERE indicator_code = :indicator AND unit_code = :unit AND period = :period"
    with engine.connect() as connection:
        return tuple(connection.execute(text(query), {"indicator": indicator, "unit": unit, "period": period}).one())


def counts(engine: Engine, indicator: str, unit: str, period: str) -> tuple[Any, ...]:
    """Denominator and status of a published value of customers."""
    found = value(engine, indicator, unit, period)
    assert found is not None
    return found[1], found[3]


def differences(engine: Engine) -> list[Any]:
    """What is kept counted of bills and is not what they say."""
    with engine.connect() as connection:
        return [found for found in verify(connection) if found.counted.startswith("bill") and (found.differences or found.is_due)]


NOTE = "có thể tính một người hai lần: khóa bút danh đổi ngày 01/04/2024"


def test_customers_of_a_quarter_with_two_keys_may_be_the_same_and_its_months_are_plain(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    with engine.begin() as connection:
        bills_of(connection, "2024-01", 0, 1)
        bills_of(connection, "2024-02", 0, 1, LUAN_KHE)
    publish(engine, LATER)
    take_into_use(engine, SECOND)
    with engine.begin() as connection:
        bills_of(connection, "2024-02", 100, 2)
        bills_of(connection, "2024-05", 100, 2)
    publish(engine, LATER)
    found = {period: counts(engine, "K2a", NGOC_PHUNG, period) for period in ("2024-01", "2024-02", "2024-Q1", "2024-Q2", "2024")}
    assert found == {"2024-01": (6, "A"), "2024-02": (6, "A"), "2024-Q1": (12, "B"), "2024-Q2": (6, "A"), "2024": (12, "B")}
    said = {period: doubt(engine, "K2a", NGOC_PHUNG, period) for period in found}
    mixed = ("mixed_keys", NOTE)
    assert said == {"2024-01": PLAIN, "2024-02": PLAIN, "2024-Q1": mixed, "2024-Q2": PLAIN, "2024": mixed}
    assert doubt(engine, "K2a", LUAN_KHE, "2024") == PLAIN  # of this commune all was hashed with the first
    assert doubt(engine, "K2a", THUONG_XUAN, "2024") == mixed  # which is made up of both
    assert differences(engine) == []


def test_a_key_that_hashed_nothing_mixes_with_nothing(engine: Engine) -> None:
    for key in (FIRST, SECOND, b"the third key of the tests"):
        take_into_use(engine, key, "2024-05-02" if key not in (FIRST, SECOND) else "2024-04-01")
    with engine.begin() as connection:
        bills_of(connection, "2024-01", 0, 1)
        bills_of(connection, "2024-02", 100, 3)
    publish(engine, LATER)
    assert doubt(engine, "K2a", NGOC_PHUNG, "2024-Q1") == ("mixed_keys", NOTE.replace("01/04/2024", "02/05/2024"))


def bill_rows(key: bytes) -> list[dict[str, Any]]:
    """Bills of January as they are read with a key."""
    return [
        {
            "bill_code": f"HD{paper}",
            "customer_hash": pseudonym(paper, key),
            "unit_code": NGOC_PHUNG,
            "service_code": "DIEN",
            "billing_month": date(2024, 1, 1),
            "amount_vnd": 100_000,
        }
        for paper in PAPERS
    ]


def holder_rows(key: bytes, papers: Sequence[str] = PAPERS) -> list[dict[str, Any]]:
    """A carrier's list as it is read with a key."""
    given = {"unit_code": NGOC_PHUNG, "issued_on": date(2023, 11, 1), "certificate_status": "HIEU_LUC"}
    return [{"holder_hash": pseudonym(paper, key), **given} for paper in papers]


def by_key(engine: Engine, table: str) -> dict[int, int]:
    """Key → states in force."""
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT key_number, count(*) FROM warehouse.{table} WHERE known_to = 'infinity' GROUP BY 1"))
        return dict(rows.tuples().all())


def test_bills_sent_or_read_again_are_hashed_with_the_key_in_use_and_their_quarter_is_plain_again(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    delivery = land(engine, "bills", "2024-02-05")
    deliver(engine, delivery, bill_rows(FIRST))
    take_into_use(engine, SECOND)
    with engine.begin() as connection:
        bills_of(connection, "2024-02", 100, 2)
    publish(engine, LATER)
    assert counts(engine, "K2a", NGOC_PHUNG, "2024-Q1") == (12, "B")
    read_again = deliver(engine, replace(delivery, is_loaded=True), bill_rows(SECOND))
    assert (read_again.received, read_again.loaded, read_again.unchanged) == (6, 6, 0)
    assert by_key(engine, "fact_bill") == {2: 12}
    publish(engine, LATER)
    assert counts(engine, "K2a", NGOC_PHUNG, "2024-Q1") == (12, "A")  # customers of January and, with other papers, of February
    assert doubt(engine, "K2a", NGOC_PHUNG, "2024-Q1") == PLAIN
    assert differences(engine) == []
    sent_again = deliver(engine, land(engine, "bills", "2024-06-05"), bill_rows(SECOND))
    assert (sent_again.loaded, sent_again.unchanged) == (0, 6)
    assert by_key(engine, "fact_bill") == {2: 12}


def test_a_list_read_again_leaves_nobody_under_the_old_key(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    delivery = land(engine, "signature_holders", "2024-01-31")
    deliver(engine, delivery, holder_rows(FIRST))
    take_into_use(engine, SECOND)
    deliver(engine, replace(delivery, is_loaded=True), holder_rows(SECOND))
    assert by_key(engine, "fact_signature_holder") == {2: 6}
    with engine.begin() as connection:
        for month in ("2023-12", "2024-06"):
            unit_counts(connection, NGOC_PHUNG, month, {"population_adult": 100})
    publish(engine, LATER)
    for month in ("2023-12", "2024-06"):  # the list speaks for the time before it too, as it did
        assert value(engine, "ND5", NGOC_PHUNG, month)[0] == 6  # type: ignore[index]
        assert doubt(engine, "ND5", NGOC_PHUNG, month) == PLAIN


@pytest.fixture
def listed_twice(engine: Engine) -> Engine:
    """A carrier's list under the first key, and the same again under the second, with one more who got a certificate since."""
    take_into_use(engine, FIRST)
    deliver(engine, land(engine, "signature_holders", "2024-01-31"), holder_rows(FIRST))
    with engine.begin() as connection:
        for month in ("2023-12", "2024-02", "2024-04", "2024-06"):
            unit_counts(connection, NGOC_PHUNG, month, {"population_adult": 100})
    publish(engine, LATER)
    take_into_use(engine, SECOND)
    new = {
        "holder_hash": pseudonym("999007009999", SECOND),
        "unit_code": NGOC_PHUNG,
        "issued_on": date(2024, 4, 20),
        "certificate_status": "HIEU_LUC",
    }
    deliver(engine, land(engine, "signature_holders", "2024-05-31"), [*holder_rows(SECOND), new])
    publish(engine, LATER)
    return engine


def signed(engine: Engine) -> dict[str, tuple[Any, ...]]:
    """Month → persons and status of ND5 in Ngọc Phụng."""
    return {
        month: (found[0], found[3])
        for month in ("2023-12", "2024-02", "2024-04", "2024-06")
        if (found := value(engine, "ND5", NGOC_PHUNG, month)) is not None
    }


def test_a_list_under_another_key_says_nothing_new_of_the_time_before_and_doubles_what_comes_after(listed_twice: Engine) -> None:
    # Whoever got a certificate after the change cannot have stood in a list before it: counted from the day of issue.
    assert signed(listed_twice) == {"2023-12": (6, "A"), "2024-02": (6, "A"), "2024-04": (7, "B"), "2024-06": (13, "B")}
    assert doubt(listed_twice, "ND5", NGOC_PHUNG, "2024-06") == ("mixed_keys", NOTE)


def test_forgetting_a_key_leaves_its_counts_and_nobody_to_be_found(listed_twice: Engine) -> None:
    with listed_twice.begin() as connection:
        bills_of(connection, "2024-01", 0, 1)
    publish(listed_twice, LATER)
    with listed_twice.begin() as connection:
        for table, column in (("fact_bill", "customer_hash"), ("fact_signature_holder", "holder_hash")):
            assert connection.scalar(text(f"SELECT count(DISTINCT {column}) FROM warehouse.{table} WHERE key_number = 1")) == 6
        before = set(connection.scalars(text(HASHES)))
    billed = counts(listed_twice, "K2a", NGOC_PHUNG, "2024-01")
    assert forget(listed_twice, 1) == 12
    with listed_twice.connect() as connection:
        assert set(connection.scalars(text(HASHES))).isdisjoint(before)
        things = connection.scalars(
            text("SELECT thing::text FROM warehouse.agg_thing CROSS JOIN unnest(things) thing WHERE key_number = 1")
        )
        assert set(things) == set(connection.scalars(text("SELECT customer_hash::text FROM warehouse.fact_bill WHERE key_number = 1")))
    assert differences(listed_twice) == []
    publish(listed_twice, LATER)
    assert counts(listed_twice, "K2a", NGOC_PHUNG, "2024-01") == billed == (6, "A")
    # Each of the six stands in one list at any time; the time before the change is as it was.
    assert signed(listed_twice) == {"2023-12": (6, "A"), "2024-02": (6, "A"), "2024-04": (7, "B"), "2024-06": (7, "A")}
    assert doubt(listed_twice, "ND5", NGOC_PHUNG, "2024-06") == PLAIN
    assert forget(listed_twice, 1) == 0
    assert differences(listed_twice) == []


def test_marks_of_cells_made_under_a_forgotten_key_are_gone_and_later_ones_stay(listed_twice: Engine) -> None:
    with listed_twice.begin() as connection:
        bills_of(connection, "2024-01", 0, 1)
        connection.execute(
            text(
                "INSERT INTO ops.quarantine (delivery_id, row_number, rule_code, column_name, severity, message_vi, status, cell_hash, "
                "  checked_at) "
                "SELECT 1, key_number, 'BIL-007', 'MA_DVHC', 'critical', 'Sai', 'open', 'mark', "
                "  CASE key_number WHEN 1 THEN '2024-03-01' ELSE '2024-05-01' END::timestamptz FROM ops.pseudonym_key"
            )
        )
    forget(listed_twice, 1)
    with listed_twice.connect() as connection:
        marks = connection.execute(text("SELECT row_number, cell_hash FROM ops.quarantine ORDER BY 1")).all()
    assert [tuple(mark) for mark in marks] == [(1, None), (2, "mark")]


HASHES = """
SELECT customer_hash::text FROM warehouse.fact_bill WHERE key_number = 1
UNION ALL SELECT row_hash::text FROM warehouse.fact_bill WHERE key_number = 1
UNION ALL SELECT unnest(ARRAY[holder_hash::text, row_key::text]) FROM warehouse.fact_signature_holder WHERE key_number = 1
UNION ALL SELECT unnest(things)::text FROM warehouse.agg_thing WHERE key_number = 1
"""


@pytest.mark.parametrize(
    ("number", "words"),
    [(2, "Khóa số 2 đang dùng"), (3, "Kho không có khóa số 3; có các khóa số 1, 2"), (1, "vnpt: 6 người")],
    ids=["in use", "unknown", "a carrier has not sent again"],
)
def test_a_key_that_is_needed_is_not_forgotten(engine: Engine, number: int, words: str) -> None:
    take_into_use(engine, FIRST)
    deliver(engine, land(engine, "signature_holders", "2024-01-31"), holder_rows(FIRST))
    take_into_use(engine, SECOND)
    with pytest.raises(Refusal, match=words):
        require_forgettable(engine, number)
    with pytest.raises(Refusal, match=words):
        forget(engine, number)


def restate(engine: Engine) -> None:
    """Publishes, for the units of today too, after the reform."""
    with engine.begin() as connection:
        counted = counting(connection, datetime(2026, 1, 10, tzinfo=UTC))
        publication = begin(connection, counted.as_of)
        declare_indicators(connection, publication)
        uncounted = compute(connection, counted).uncounted
        audit(connection, publication)
        revise_indicators(connection, publication)
        revise_restated(connection, counted, publication, uncounted)


def test_customers_of_two_predecessors_under_two_keys_may_be_the_same_in_the_unit_of_today(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    take_into_use(engine, SECOND)
    with engine.begin() as connection:
        bills_of(connection, "2024-01", 0, 1, "15646")
        bills_of(connection, "2024-01", 100, 2, NGOC_PHUNG)
    restate(engine)
    assert doubt(engine, "K2a", NGOC_PHUNG, "2024-01") == PLAIN
    with engine.connect() as connection:
        found = "indicator_code = 'K2a' AND unit_code = '15646' AND period = '2024-01'"
        denominator, note = connection.execute(text(f"SELECT denominator, obs_note FROM mart.indicator_restated WHERE {found}")).one()
    assert denominator == 12
    assert NOTE in note


def test_two_sources_of_a_day_are_not_said_to_contradict_each_other_where_only_the_key_differs(engine: Engine) -> None:
    with engine.begin() as connection:
        begin_key(connection, FIRST)
    rows = [{"dossier_code": "H56.38-240101-0001", "received_at": datetime(2024, 1, 2, 8), "status_code": "10"}]
    deliver(engine, land(engine, "dossiers", "2024-01-31", source="a"), [{**rows[0], "applicant_hash": pseudonym(PAPERS[0], FIRST)}])
    with engine.begin() as connection:
        begin_key(connection, SECOND)
    deliver(engine, land(engine, "dossiers", "2024-01-31", source="b"), [{**rows[0], "applicant_hash": pseudonym(PAPERS[0], SECOND)}])
    with engine.connect() as connection:
        assert "STR-019" not in connection.scalars(text("SELECT rule_code FROM ops.verdict WHERE NOT success")).all()


def test_every_table_that_speaks_of_persons_says_with_which_key() -> None:
    of_persons = {str(contract(feed).table) for feed in feeds() if any(column.type == "hash" for column in contract(feed).columns.values())}
    said = {table.name for table in metadata.tables.values() if table.name.startswith("fact_") and "key_number" in table.c}
    assert of_persons == said


def test_what_speaks_of_persons_is_never_withdrawn_by_what_a_later_delivery_leaves_out() -> None:
    """Else the word of another source would take its place, found by a hash of the row, which is another once a key is forgotten."""
    assert {contract(feed).replaces for feed in feeds() if any(c.type == "hash" for c in contract(feed).columns.values())} == {"nothing"}


def test_holders_of_every_carrier_count_once_under_one_key(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    with engine.begin() as connection:
        holders(connection, [{"holder_hash": person(number), "provider_key": provider} for number in range(6) for provider in (7, 8)])
        unit_counts(connection, NGOC_PHUNG, "2024-06", {"population_adult": 100})
    publish(engine, LATER)
    assert value(engine, "ND5", NGOC_PHUNG, "2024-06")[:2] == (6, 100)  # type: ignore[index]
    assert doubt(engine, "ND5", NGOC_PHUNG, "2024-06") == PLAIN


# Where something is lacking as well, and what knows no keys -------------------------------------------------------------


STANDS_IN = "số chứng thư của nhà mạng, không phải số người"
WITHOUT_VIETTEL = "chưa có danh sách người của Viettel"


@pytest.fixture
def lists_and_counts(engine: Engine) -> Engine:
    """A carrier's list under two keys in one commune, where another one only counts certificates, as both do in a second commune."""
    take_into_use(engine, FIRST)
    take_into_use(engine, SECOND)
    with engine.begin() as connection:
        there = unit_key(connection, LUAN_KHE)
        for unit in (NGOC_PHUNG, LUAN_KHE):
            unit_counts(connection, unit, "2024-12", {"population_adult": 100})
        holders(connection, [{"holder_hash": person(number)} for number in range(6)])
        # A certificate issued after the change: nobody could have listed it before.
        given = {"key_number": 2, "issued_on": "2024-05-01"}
        holders(connection, [{**given, "holder_hash": person(100 + number)} for number in range(2)])
        signatures(connection, [{"certificates_in_force": 9}, {"provider_key": 8, "certificates_in_force": 3}])
        signatures(connection, [{"certificates_in_force": 20, "unit_key": there}])
    publish(engine, LATER)
    return engine


def test_what_lacks_a_list_and_mixes_keys_is_provisional_for_the_list_and_its_note_says_both(lists_and_counts: Engine) -> None:
    assert value(lists_and_counts, "ND5", NGOC_PHUNG, "2024-12")[::3] == (8, "P")  # type: ignore[index]
    assert doubt(lists_and_counts, "ND5", NGOC_PHUNG, "2024-12") == ("lists_missing", f"{WITHOUT_VIETTEL}; {NOTE}")


def test_certificates_alone_mix_no_keys_and_what_stands_above_says_all_of_it(lists_and_counts: Engine) -> None:
    assert value(lists_and_counts, "ND5", LUAN_KHE, "2024-12")[::3] == (20, "P")  # type: ignore[index]
    assert doubt(lists_and_counts, "ND5", LUAN_KHE, "2024-12") == ("stands_in", STANDS_IN)
    assert value(lists_and_counts, "ND5", THUONG_XUAN, "2024-12")[::3] == (28, "P")  # type: ignore[index]
    above = f"ở đơn vị thiếu danh sách người là {STANDS_IN}; {WITHOUT_VIETTEL}; {NOTE}"
    assert doubt(lists_and_counts, "ND5", THUONG_XUAN, "2024-12") == ("stands_in", above)
    with lists_and_counts.connect() as connection:
        query = "SELECT DISTINCT unit_level, key_numbers FROM warehouse.fact_indicator JOIN warehouse.dim_unit USING (unit_key) {}"
        mixed = query.format("WHERE key_numbers IS NOT NULL AND period = '2024-12'")
        assert {(row[0], *row[1]) for row in connection.execute(text(mixed))} == {
            (level, 1, 2) for level in ("commune", "district", "province")
        }


def test_a_commune_where_all_are_out_has_none_whatever_keys_others_stand_under(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    take_into_use(engine, SECOND)
    with engine.begin() as connection:
        for unit in (NGOC_PHUNG, LUAN_KHE):
            unit_counts(connection, unit, "2024-12", {"population_adult": 100})
        out = {"certificate_status": "THU_HOI", "unit_key": unit_key(connection, LUAN_KHE)}
        holders(connection, [{"holder_hash": person(1)}, {"holder_hash": person(2), **out}])
        holders(connection, [{"holder_hash": person(3), "key_number": 2, "issued_on": "2024-05-01"}])
    publish(engine, LATER)
    assert value(engine, "ND5", LUAN_KHE, "2024-12")[::3] == (0, "A")  # type: ignore[index]
    assert doubt(engine, "ND5", LUAN_KHE, "2024-12") == PLAIN
    assert value(engine, "ND5", NGOC_PHUNG, "2024-12")[::3] == (2, "B")  # type: ignore[index]


def test_the_unit_of_today_says_both_of_the_units_that_went_into_it(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    take_into_use(engine, SECOND)
    with engine.begin() as connection:
        for unit in ("15646", NGOC_PHUNG):
            unit_counts(connection, unit, "2024-12", {"population_adult": 100})
        holders(connection, [{"holder_hash": person(number)} for number in range(6)])
        holders(connection, [{"holder_hash": person(100), "key_number": 2, "issued_on": "2024-05-01"}])
        signatures(
            connection, [{"certificates_in_force": 20, "unit_key": unit_key(connection, unit)} for unit in ("15646", "15649", "15652")]
        )
        for unit in ("15649", "15652"):
            unit_counts(connection, unit, "2024-12", {"population_adult": 100})
    restate(engine)
    of_today = "indicator_code = 'ND5' AND unit_code = '15646' AND period = '2024-12'"
    with engine.connect() as connection:
        query = f"SELECT numerator, obs_status, obs_reason, obs_note FROM mart.indicator_restated WHERE {of_today}"
        found = connection.execute(text(query)).one()
    assert tuple(found) == (67, "P", "stands_in", f"ở đơn vị thiếu danh sách người là {STANDS_IN}; {NOTE}")  # 6 + 1 persons, 3 × 20


def beside(engine: Engine, period: str) -> tuple[Any, ...]:
    """What mart.signature_check says of VNPT in Ngọc Phụng."""
    query = """
        SELECT certificates_in_force, persons_listed, persons_of_all, list_verdict, mixes_keys FROM mart.signature_check
        WHERE period = :period AND unit_code = '15655' AND provider_name = 'VNPT'
    """
    with engine.connect() as connection:
        return tuple(connection.execute(text(query), {"period": period}).one())


def test_who_is_listed_again_under_another_key_is_not_one_too_many_for_the_certificates(listed_twice: Engine) -> None:
    """6 persons, 7 since 20 April; from the list of 31 May on each of the six stands there twice."""
    for month in ("2024-02", "2024-06"):
        deliver(listed_twice, land(listed_twice, "signatures", "2024-07-05", covers=month), [reported(month, 7)])
    assert beside(listed_twice, "2024-02") == (7, 6, 6, "holds", False)
    assert beside(listed_twice, "2024-06") == (7, 13, 13, "holds", True)
    forget(listed_twice, 1)
    assert beside(listed_twice, "2024-02") == (7, 6, 6, "holds", False)
    assert beside(listed_twice, "2024-06") == (7, 7, 7, "holds", False)


def test_a_list_is_held_against_the_reports_under_one_key(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    papers = [f"99900800{number:04}" for number in range(40)]
    deliver(engine, land(engine, "signatures", "2024-06-05", covers="2024-05"), [reported("2024-05", 40)])
    deliver(engine, land(engine, "signature_holders", "2024-06-01"), holder_rows(FIRST, papers))
    take_into_use(engine, SECOND)
    deliver(engine, land(engine, "signature_holders", "2024-06-10"), holder_rows(SECOND, papers))
    fewer = land(engine, "signatures", "2024-07-05", covers="2024-06")
    deliver(engine, fewer, [reported("2024-06", 20)])
    query = "SELECT rule_code, success, observed FROM ops.verdict WHERE rule_code IN ('HOL-011', 'SIG-010') ORDER BY delivery_id"
    worst = "1/1 đơn vị; nhiều nhất ở Xã Ngọc Phụng (15655): 40 người, 20 chứng thư của tháng 06/2024"
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query)) if row.observed != "0/0 đơn vị"]
    assert found == [("HOL-011", True, "0/1 đơn vị"), ("HOL-011", True, "0/1 đơn vị"), ("SIG-010", False, worst)]


def reported(month: str, certificates: int) -> dict[str, Any]:
    """A carrier's report of Ngọc Phụng."""
    return {"unit_code": NGOC_PHUNG, "month": month, "certificates_in_force": certificates}


def test_shops_are_no_persons_and_mix_no_keys(engine: Engine) -> None:
    take_into_use(engine, FIRST)
    with engine.begin() as connection:
        listed = shop(connection)
        payments(connection, [{"merchant_key": listed, "business_date": "2024-03-10"}])
    publish(engine, LATER)
    take_into_use(engine, SECOND)
    with engine.begin() as connection:
        payments(connection, [{"merchant_key": listed, "business_date": "2024-05-10"}])
    publish(engine, LATER)
    assert [value(engine, "K2h", NGOC_PHUNG, period)[0] for period in ("2024-03", "2024-05", "2024")] == [1, 1, 1]  # type: ignore[index]
    assert doubt(engine, "K2h", NGOC_PHUNG, "2024") == PLAIN
    assert "K2h" not in {i.code for i in indicators() if i.counts_persons}
