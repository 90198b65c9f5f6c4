"""A number: what rows set aside of its own unit could change, what moved it and who let it out, whether it is still as signed."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tasks.ask.explain import Explanation, explain
from tasks.ask.official_table import find_unit, of_period
from tasks.ask.overview import Overview
from tasks.ask.scope import PUBLIC, WHOLE, Scope
from tasks.indicators.edition import judge
from tasks.report.pages.number import number
from tasks.report.rendering import render
from tasks.report.signing import sign
from tasks.report.site import StaticFrame
from tests.flows.bills import Inbox, bill
from tests.warehouse.deliveries import deliver, land
from tests.warehouse.facts import AS_OF, LUAN_KHE, NGOC_PHUNG, close, publish, unit_counts
from tests.warehouse.test_gate import JULY, JUNE, SEPTEMBER, a_night, corrected, half_of_2024, is_held, shops, standing
from tests.warehouse.test_load_rows import agency, dossier, payment
from tests.warehouse.test_load_rows import bill as a_bill
from warehouse.seed import know_publisher
from warehouse.tables import fact_unit_count

HERE = [bill(f"HD-{number}") for number in range(57)]
THERE = [bill(f"LK-{number}", MA_DVHC=LUAN_KHE) for number in range(10)]
WRONG = {"TONG_TIEN": "-8", "SO_TIEN": "-7", "TIEN_GTGT": "-1"}
ASIDE = [
    bill("HD-A", **WRONG),
    bill("HD-C", NGAY_PHANH="31/02/2024"),
    bill("HD-E", THANG="13"),
    bill("LK-B", MA_DVHC=LUAN_KHE, **WRONG),
    bill("HD-D", MA_DVHC="99999"),
]
"""Of Ngọc Phụng one by a rule, one by a cell and one whose month cannot be read; one of Luận Khê; one of nobody knows where."""


def told(engine: Engine, code: str, unit: str = NGOC_PHUNG, period: str = "2024-03", scope: Scope = WHOLE) -> Explanation:
    with engine.connect() as connection:
        return explain(connection, code, find_unit(connection, unit, period), period, scope)


@pytest.fixture
def inbox(engine: Engine, home: Path) -> Inbox:
    """A month of bills of two communes, after a night."""
    found = Inbox(engine, home)
    found.send("evn_202403.csv", [*HERE, *THERE, *ASIDE], "2024-04-06")
    found.night()
    assert found.ask("SELECT status, rows_quarantined FROM ops.delivery") == [("loaded", 5)]
    return found


def test_rows_of_the_unit_are_told_apart_from_those_of_another_and_of_nobody_knows_whom(inbox: Inbox) -> None:
    here = told(inbox.engine, "K2b").set_aside
    assert (here.rows, here.undated, here.unplaced) == (3, 1, 1)
    assert here.bounds is not None
    # None of 57 is paid: 0/60 or 3/60.
    assert here.bounds.told == "Thấp nhất 0 / (57 + 3) = 0,0%; cao nhất (0 + 3) / (57 + 3) = 5,0%."
    there = told(inbox.engine, "K2b", LUAN_KHE).set_aside
    assert (there.rows, there.unplaced) == (1, 1)
    assert there.bounds is not None
    assert (there.bounds.highest.numerator, there.bounds.highest.denominator) == (1, 11)


def test_above_the_communes_their_rows_come_together(inbox: Inbox) -> None:
    above = told(inbox.engine, "K2b", "396").set_aside
    assert (above.rows, above.unplaced, above.cases.new) == (4, 1, 4)


def test_of_another_month_or_service_none_is_told(inbox: Inbox) -> None:
    inbox.send("evn_202402.csv", [bill(f"F-{number}", THANG="02", NGAY_PHANH="05/03/2024") for number in range(5)], "2024-03-06")
    inbox.night()
    before = told(inbox.engine, "K2b", period="2024-02").set_aside
    assert (before.rows, before.unplaced) == (0, 0)
    assert before.told == ("Không có dòng để riêng nào của đơn vị trong kỳ.",)


def test_of_an_amount_it_is_said_that_there_is_no_end(inbox: Inbox) -> None:
    found = told(inbox.engine, "K2c").set_aside
    assert (found.rows, found.bounds) == (3, None)
    assert "có thể là bất kỳ" in " ".join(found.told)


def test_a_row_that_was_put_right_moved_the_number_and_is_no_longer_told(inbox: Inbox) -> None:
    inbox.send("evn_202403_lan2.csv", [*HERE, *THERE, bill("HD-A"), *ASIDE[1:]], "2024-04-09")
    inbox.night()
    found = told(inbox.engine, "K2b")
    assert found.set_aside.cases.new == 2
    first, second = found.revisions
    assert (first.denominator, first.cause, first.movers) == (57, "lần công bố đầu", ())
    assert (second.denominator, second.cause) == (58, "")
    assert [(mover.file_name, mover.written, mover.ended) for mover in second.movers] == [("evn_202403_lan2.csv", 1, 0)]
    assert second.approval == "tự công bố, không có điểm bất thường phải duyệt"
    assert len(told(inbox.engine, "K2b", LUAN_KHE).revisions) == 1, "nothing of Luận Khê has changed"


def test_what_speaks_of_a_case_that_counts_already_adds_no_case(inbox: Inbox) -> None:
    inbox.send("evn_202403_lan2.csv", [*HERE[1:], *THERE, bill("HD-0", **WRONG), *ASIDE], "2024-04-09")
    inbox.night()
    cases = told(inbox.engine, "K2b").set_aside.cases
    (is_counted,) = inbox.ask("SELECT count(*) FROM warehouse.fact_bill WHERE bill_code = 'HD-0' AND known_to = 'infinity'")[0]
    assert (cases.in_denominator, cases.new) == ((1, 3) if is_counted else (0, 4))


def test_what_is_not_believed_of_a_row_is_not_kept_of_it_and_nothing_is_kept_of_others(inbox: Inbox) -> None:
    places = "SELECT q.natural_key, p.unit_key IS NOT NULL, p.first_day, p.about FROM ops.quarantine q LEFT JOIN ops.quarantine_place p "
    march = date(2024, 3, 1)
    assert inbox.ask(f"{places} USING (delivery_id, row_number) ORDER BY 1") == [
        ("HD-A", True, march, "DIEN"),
        ("HD-C", True, march, "DIEN"),
        ("HD-D", False, march, "DIEN"),
        ("HD-E", True, None, "DIEN"),
        ("LK-B", True, march, "DIEN"),
    ]
    assert inbox.ask("SELECT count(*) FROM ops.quarantine_place") == [(5,)]


def test_who_only_looks_is_told_no_counts_of_what_a_number_was(inbox: Inbox) -> None:
    inbox.send("evn_202403_lan2.csv", [*HERE, *THERE, bill("HD-A"), *ASIDE[1:]], "2024-04-09")
    inbox.night()
    found = told(inbox.engine, "K2b", scope=PUBLIC)
    first = found.revisions[0]
    assert (first.numerator, first.denominator, first.value, first.obs_status) == (None, None, None, "Q")
    assert [(mover.written, mover.ended) for mover in found.revisions[1].movers] == [(None, None)]
    assert {row.rows for row in found.files} == {None}
    assert (found.set_aside.cases.in_denominator, found.set_aside.cases.new) == (0, 0)


def test_a_payment_set_aside_tells_of_its_bill_and_one_whose_bill_has_not_come_of_nobody_knows_whose(engine: Engine) -> None:
    deliver(engine, land(engine, "bills", "2024-02-28"), [a_bill("HD-1"), a_bill("HD-2")])
    fault = {"row_number": 7, "rule_code": "PAY-001", "column_name": "MA_GIAO_DICH"}
    typed = {"row_number": 7, **payment("T-7", bill_code="HD-1")}
    sent = land(engine, "payments", "2024-03-31", covers="2024-03")
    deliver(engine, sent, [payment("T-1", bill_code="HD-9")], faults=[fault], set_aside=[typed])
    publish(engine)
    found = told(engine, "K2b", period="2024-02").set_aside
    assert (found.rows, found.unplaced, found.cases.in_denominator, found.cases.new) == (1, 1, 1, 0)
    assert found.bounds is not None
    # The bill is there already: paid without cash, it makes 1 of 2.
    assert found.bounds.told == "Thấp nhất 0 / 2 = 0,0%; cao nhất (0 + 1) / 2 = 50,0%."


def test_a_dossier_counts_where_and_when_it_was_received_and_where_and_when_it_ended(engine: Engine) -> None:
    deliver(engine, land(engine, "agencies", "2024-01-01"), [agency("H56.38.05", NGOC_PHUNG)])
    ended = {"finished_at": datetime(2024, 4, 2, 9), "due_at": datetime(2024, 4, 5, 9)}
    aside = {"row_number": 7, **dossier("H56.38.05-240301-0007", status_code="77", **ended)}
    fault = {"row_number": 7, "rule_code": "DOS-002", "column_name": "TrangThaiHoSo"}
    rows = [dossier(f"H56.38.05-240301-000{n}", **ended) for n in (1, 2)]
    deliver(engine, land(engine, "dossiers", "2024-04-30"), rows, faults=[fault], set_aside=[aside])
    publish(engine)
    asked = [("CQ4", "2024-03"), ("CQ4", "2024-04"), ("CQ5", "2024-03"), ("CQ5", "2024-04")]
    found = {(code, period): told(engine, code, period=period).set_aside.rows for code, period in asked}
    assert found == {("CQ4", "2024-03"): 1, ("CQ4", "2024-04"): 0, ("CQ5", "2024-03"): 0, ("CQ5", "2024-04"): 1}


def test_a_revision_says_which_delivery_moved_it_and_who_let_it_out(engine: Engine) -> None:
    with engine.begin() as c:
        half_of_2024(c)
    a_night(engine, JUNE)
    with engine.begin() as c:
        brought = corrected(c, 3, 900)
    a_night(engine, JULY)
    assert is_held(engine)
    waits = told(engine, "K2g")
    assert waits.awaiting is not None
    assert waits.awaiting.numerator == 900
    assert [(row.decision, row.is_standing, brought in row.deliveries) for row in waits.alarms] == [(None, True, True)]
    with engine.connect() as c:
        page = number(Overview(c), "2024-03", "K2g", NGOC_PHUNG)
        assert page is not None
        told_there = render(page, StaticFrame(Path(), page.place))
    assert ">unit_counts_" in told_there.partition("Tệp làm thay đổi: ")[2][:60]
    with engine.begin() as c:
        judge(c, [row.alarm_id for row in standing(engine)], "accepted", "đã kiểm tra tại chợ", "Lan")
    a_night(engine, SEPTEMBER)
    found = told(engine, "K2g")
    first, second = found.revisions
    assert (first.numerator, second.numerator) == (410, 900)
    assert brought in [mover.delivery_id for mover in second.movers]
    assert [one.decided_by for one in second.approvals] == ["Lan"]
    assert second.approval.startswith("Lan chấp nhận ")
    assert second.approval.endswith(": đã kiểm tra tại chợ")
    assert found.awaiting is None
    other = told(engine, "K2g", period="2024-04")
    assert [one.approvals for one in other.revisions] == [()]


def test_the_signed_edition_says_whether_the_number_is_still_as_it_was_signed(engine: Engine) -> None:
    with engine.begin() as c:
        was = shops(c, 1, 400)
    a_night(engine, JUNE)
    with engine.begin() as c:
        signature = sign(c, "2024-01", "Lan", "đã đối chiếu")
    found = told(engine, "K2g", period="2024-01")
    (edition,) = found.signed
    assert (edition.release_id, edition.signed_by, edition.checksum) == (signature.release_id, "Lan", signature.checksum)
    assert (edition.printed, edition.is_as_signed) == ("40,0%", True)
    assert found.revisions[0].signed_by == (str(signature.release_id),)
    assert f"Bản ký số {signature.release_id}" in found.citation
    assert signature.checksum in found.citation
    with engine.begin() as c:
        close(c, fact_unit_count, was, JULY)
        shops(c, 1, 420, exported_at=JULY)
    a_night(engine, JULY)
    found = told(engine, "K2g", period="2024-01")
    assert (found.signed[0].printed, found.signed[0].is_as_signed, found.line.printed) == ("40,0%", False, "42,0%")
    assert [one.signed_by for one in found.revisions] == [(str(signature.release_id),), ()]
    assert signature.checksum not in found.citation
    assert f"Khác bản ký số {signature.release_id}" in found.citation


def test_the_citation_names_whom_the_installation_declares_as_publisher(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"officials_digital": 1, "officials_total": 2})
        know_publisher(c, "Sở Khoa học và Công nghệ tỉnh Thanh Hóa")
    publish(engine)
    with engine.connect() as c:
        told = explain(c, "CQ1", find_unit(c, NGOC_PHUNG, "2024"), "2024", WHOLE).citation
    assert told.startswith("Sở Khoa học và Công nghệ tỉnh Thanh Hóa, Ba Không. CQ1 ")


def test_the_citation_names_publisher_indicator_unit_period_value_and_edition(engine: Engine) -> None:
    with engine.begin() as c:
        shops(c, 1, 400)
    a_night(engine, JUNE)
    with engine.connect() as c:
        edition, day = c.execute(
            text("SELECT publication_id, to_char(published_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'DD/MM/YYYY') FROM ops.publication")
        ).one()
    found = told(engine, "K2g", period="2024-01")
    assert found.citation == (
        f"Tỉnh Thanh Hóa, Ba Không. K2g {found.line.indicator_name}. Xã Ngọc Phụng (15655, Huyện Thường Xuân), tháng 01/2024. "
        f"40,0% (400/1.000), chính thức. Công bố số {edition}, {day}."
    )
    assert found.through_the_year[0].period == "2024-01"


def test_each_version_of_a_unit_has_a_page_that_its_own_value_leads_to(engine: Engine) -> None:
    with engine.begin() as c:
        for month, day, qr in (("2025-05", date(2025, 5, 31), 300), ("2025-11", date(2025, 11, 30), 450)):
            unit_counts(c, "15661", month, {"shops_qr": qr, "shops_total": 1000}, on=day)
    publish(engine, AS_OF.replace(year=2026))
    with engine.connect() as c:
        overview = Overview(c)
        versions = [one for one in of_period(c, "2025", WHOLE, indicator="K2g") if one.unit_code == "15661"]
        assert len(versions) == 2
        for line in versions:
            page = number(overview, *line.place.split("/")[1:])
            assert page is not None
            assert page.place == line.place
            assert page.content["line"] == line
        assert versions[0].place.endswith("/15661@2025-06-30")
        assert number(Overview(c, Scope(frozenset({NGOC_PHUNG}))), "2025", "K2g", "15661") is None
        assert number(overview, "2025", "K2g", "khong-co") is None
        assert number(overview, "năm nay", "K2g", "15661") is None
