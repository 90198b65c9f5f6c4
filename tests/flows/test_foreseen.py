"""What releasing rows will do is said before, of the file that lies there and the warehouse as it is, and comes true in the next night."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tasks.load.chosen import Chosen
from tasks.load.decisions import release
from tasks.load.foreseen import Foreseen, foreseen
from tests.flows.bills import Inbox, bill
from tests.nights import answers, bakhong, environment, url_of
from warehouse.database import connect
from warehouse.embedded import Server
from warehouse.seed import know_provinces
from warehouse.settings import Refusal

VIET_TRI = "227"
"""A unit of another province, which is not reported for."""
OTHERS = [bill(f"HD-{number}") for number in range(10, 60)]


@pytest.fixture
def inbox(engine: Engine, home: Path) -> Inbox:
    """Rows 2 and 3 break a rule of the file, row 4 one of the warehouse."""
    inbox = Inbox(engine, home)
    inbox.send(
        "evn_202403.csv",
        [bill("HD-2", TONG_TIEN="-8", SO_TIEN="-7", TIEN_GTGT="-1"), bill("HD-3", THANG="13"), bill("HD-4", MA_DVHC=VIET_TRI), *OTHERS],
        "2024-04-06",
    )
    inbox.night()
    assert len(inbox.bills()) == len(OTHERS)
    return inbox


def test_rows_that_still_break_a_rule_are_named_with_it_and_not_released(inbox: Inbox) -> None:
    before = answers(inbox.engine)
    found = foreseen(inbox.engine, inbox.settings, Chosen(1))
    assert (found.rows, found.loadable) == (3, ())
    assert found.still_broken == {"BIL-003": 1, "STR-010": 1, "STR-038": 1}
    assert found.told == (
        "0 trong 3 dòng sẽ được nạp; 3 dòng lại bị để riêng vì vẫn sai quy tắc BIL-003 (1 dòng), STR-010 (1 dòng), STR-038 (1 dòng)."
    )
    with inbox.engine.begin() as connection, pytest.raises(Refusal, match=r"^Chưa cho nạp lại dòng nào: 0 trong 3 dòng"):
        release(connection, Chosen(1), "Lan", foreseen=found)
    assert answers(inbox.engine) == before
    assert {status for _, _, status, _ in inbox.aside()} == {"open"}


def test_what_is_foreseen_comes_true_and_only_rows_that_go_in_are_released(inbox: Inbox) -> None:
    with inbox.engine.begin() as connection:
        know_provinces(connection, ["38", "25"])
    sources = inbox.settings.sources
    sources.write_text(f'provinces: ["38", "25"]\n{sources.read_text("utf-8")}', "utf-8")
    found = foreseen(inbox.engine, inbox.settings, Chosen(1))
    assert (found.loadable, found.still_broken) == ((4,), {"BIL-003": 1, "STR-010": 1})
    with inbox.engine.begin() as connection:
        assert release(connection, Chosen(1), "Lan", foreseen=found) == 1
    inbox.night()
    assert "HD-4" in inbox.bills()
    assert [(key, status) for key, _, status, _ in inbox.aside()] == [("HD-2", "open"), ("HD-3", "open")]
    assert inbox.conserves()


def test_of_two_rows_of_one_key_neither_goes_in_although_only_one_is_asked_about(engine: Engine, home: Path) -> None:
    inbox = Inbox(engine, home)
    inbox.send("evn_202403.csv", [bill("HD-1"), bill("HD-1", TONG_TIEN="108001", SO_TIEN="100001"), *OTHERS], "2024-04-06")
    inbox.night()
    rows = [row for (row,) in inbox.ask("SELECT row_number FROM ops.quarantine WHERE rule_code = 'BIL-001' ORDER BY 1")]
    assert rows
    for row in rows:
        assert foreseen(engine, inbox.settings, Chosen(1, rows=(row,))).still_broken == {"BIL-001": 1}


def test_a_file_that_would_be_refused_now_is_said_to_be(inbox: Inbox) -> None:
    sources = inbox.settings.sources
    sources.write_text(sources.read_text("utf-8") + "  headers: {Thành tiền: amount_vnd}\n", "utf-8")
    found = foreseen(inbox.engine, inbox.settings, Chosen(1))
    assert str(found.refused).startswith('Tệp evn_202403.csv thiếu cột "Thành tiền"')
    assert found.loadable == ()


def test_where_the_landed_file_is_closed_nothing_is_said(inbox: Inbox) -> None:
    [landed] = (inbox.home / "landing" / "evn").iterdir()
    landed.rename(inbox.home / "away")
    found = foreseen(inbox.engine, inbox.settings, Chosen(1))
    assert found == Foreseen(3, unknown=f"tệp đã nhận không đọc được từ đây ({os.strerror(2)})")
    with inbox.engine.begin() as connection:
        assert release(connection, Chosen(1), "Lan", foreseen=found) == 3


def test_a_steward_is_told_what_the_owner_is_and_without_the_lists_what_the_file_alone_says(inbox: Inbox, server: Server) -> None:
    with inbox.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE bakhong_steward LOGIN PASSWORD '{server.passwords['steward']}'")
    steward = connect(server.url("steward", str(inbox.engine.url.database)))
    found = foreseen(steward, inbox.settings, Chosen(1))
    assert found == foreseen(inbox.engine, inbox.settings, Chosen(1))
    assert (found.loadable, found.still_broken) == ((), {"BIL-003": 1, "STR-010": 1, "STR-038": 1})
    with inbox.engine.begin() as connection:
        connection.exec_driver_sql("REVOKE SELECT ON warehouse.bridge_unit_succession FROM bakhong_steward")
    found = foreseen(steward, inbox.settings, Chosen(1))
    assert (found.loadable, found.still_broken) == ((4,), {"BIL-003": 1, "STR-010": 1})
    assert found.told.endswith("Không xem trước được: tài khoản này không đọc được các bảng trong kho mà quy tắc cần.")
    steward.dispose()


def test_the_command_says_it_without_doing_it_and_refuses_what_would_be_in_vain(inbox: Inbox) -> None:
    env = environment(inbox.home, inbox.settings.sources, url_of(inbox.engine))
    shown = bakhong("quarantine", "release", "1", "--rule", "BIL-003", "--dry-run", env=env)
    assert (shown.returncode, shown.stderr) == (0, "")
    told = "0 trong 1 dòng sẽ được nạp; 1 dòng lại bị để riêng vì vẫn sai quy tắc BIL-003 (1 dòng)."
    assert " ".join(shown.stdout.split()) == told
    refused = bakhong("quarantine", "release", "1", "--rule", "BIL-003", env=env)
    assert refused.returncode == 2
    assert refused.stderr.startswith("Chưa cho nạp lại dòng nào: 0 trong 1 dòng")
    assert {status for _, _, status, _ in inbox.aside()} == {"open"}
