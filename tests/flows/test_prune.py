"""What was kept for long enough goes, what something rests on stays, and every number is answered as before."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from flows import ingest as module
from tasks.ask import worklist
from tasks.ask.explain import explain
from tasks.ask.official_table import find_unit
from tasks.ask.scope import WHOLE
from tasks.deliveries import landed
from tasks.deliveries.ledger import delivered
from tasks.keep.prune import Pruned, prune
from tasks.load.chosen import Chosen
from tasks.load.decisions import dismiss
from tasks.load.foreseen import foreseen
from tasks.report.signing import sign
from tasks.words.vietnamese import VIETNAM
from tests.flows.bills import Inbox, bill
from tests.nights import answers
from warehouse.settings import Refusal

MARCH = [bill(f"HD-{number}") for number in range(10, 60)]
DEARER = [bill(f"HD-{number}", TONG_TIEN="216000", SO_TIEN="200000", TIEN_GTGT="16000") for number in range(10, 60)]
PLACE = "evn_202403.csv"


@pytest.fixture
def inbox(engine: Engine, home: Path) -> Inbox:
    """March came, with a row that breaks a rule, and came again with other amounts."""
    inbox = Inbox(engine, home)
    inbox.send(PLACE, [bill("HD-1", TONG_TIEN="-8", SO_TIEN="-7", TIEN_GTGT="-1"), *MARCH], "2024-04-06")
    inbox.night()
    inbox.send(PLACE, DEARER, "2024-04-08")
    inbox.night()
    return inbox


def later(inbox: Inbox, *, tries: bool = False, **ago: int) -> dict[str, Pruned]:
    """What goes so much later."""
    now = datetime.now(VIETNAM) + timedelta(**ago)
    lines = prune(inbox.engine, inbox.settings, now, "Lan", lambda *_: None, tries=tries)
    return {line.rule: line for line in lines}


def files(home: Path) -> dict[str, int]:
    return {str(path.relative_to(home)): path.stat().st_size for path in home.rglob("*") if path.is_file() and "postgres" not in path.parts}


def ops(inbox: Inbox) -> list[Any]:
    """All that a pruning could change in the warehouse."""
    tables = ("delivery", "quarantine", "quarantine_place", "verdict", "pruning", "run")
    return [inbox.ask(f"SELECT t::text FROM ops.{table} AS t ORDER BY 1") for table in tables]


def states(inbox: Inbox) -> list[Any]:
    return inbox.ask(
        "SELECT (row_key, row_hash, known_from, known_to, unit_key, amount_vnd)::text AS state FROM warehouse.fact_bill ORDER BY 1"
    )


def told(line: Pruned) -> tuple[int, int, int]:
    return line.files, line.rows, line.bytes


def test_what_is_only_looked_at_stays_and_is_just_what_then_goes(inbox: Inbox) -> None:
    for ago in (31, 800, 3 * 366, 6 * 366):
        before = files(inbox.home), ops(inbox)
        said = later(inbox, tries=True, days=ago)
        assert (files(inbox.home), ops(inbox)) == before
        size = sum(files(inbox.home).values())
        done = later(inbox, days=ago)
        assert {rule: told(line) for rule, line in said.items()} == {rule: told(line) for rule, line in done.items()}
        of_files = sum(line.bytes for rule, line in done.items() if rule != "quarantine")
        assert sum(files(inbox.home).values()) == size - of_files
        assert all(line.is_nothing for line in later(inbox, days=ago).values()), "again is harmless"
    assert [rule for (rule,) in inbox.ask("SELECT rule FROM ops.pruning ORDER BY pruning_id")]


def test_old_files_are_compressed_and_what_comes_late_has_them_read_again_with_equal_values(inbox: Inbox, home: Path) -> None:
    before = states(inbox)
    assert later(inbox, days=29)["landing_plain"].files == 0
    done = later(inbox, days=31)["landing_plain"]
    assert (done.files, done.bytes > 0) == (2, True)
    assert {path.suffix for path in (home / "landing" / "evn").iterdir()} == {".zst"}
    assert inbox.ask("SELECT rule, pruned_by, files, bytes FROM ops.pruning") == [("landing_plain", "Lan", 2, done.bytes)]
    assert inbox.night().outcomes == [], "a file that lies compressed is there"
    again = [module.ingest_delivery(inbox.engine, one, inbox.settings) for one in delivered(inbox.engine, home, [1, 2])]
    assert [(one.received, one.loaded + one.unchanged) for one in again] == [(51, 50), (50, 50)]
    assert states(inbox) == before
    assert inbox.conserves()
    assert {path.suffix for path in (home / "landing" / "evn").iterdir()} == {".zst"}, "nothing plain is left behind"


def test_after_the_years_the_hash_and_the_counts_of_a_file_remain_that_nothing_rests_on(inbox: Inbox, home: Path) -> None:
    hashes = inbox.ask("SELECT delivery_id, sha256, rows_received, rows_quarantined FROM ops.delivery ORDER BY 1")
    before, values = states(inbox), answers(inbox.engine)
    line = later(inbox, days=5 * 366)["landing_personal"]
    assert (line.files, line.rows, line.stays) == (1, 1, {"có dòng còn hiệu lực": 1})
    assert inbox.ask("SELECT delivery_id, sha256, rows_received, rows_quarantined FROM ops.delivery ORDER BY 1") == hashes
    assert inbox.ask("SELECT delivery_id, file_removed_at IS NOT NULL FROM ops.delivery ORDER BY 1") == [(1, True), (2, False)]
    assert inbox.ask("SELECT count(*) FROM ops.quarantine") == [(0,)]
    assert inbox.ask("SELECT rule_code, unexpected_count FROM ops.verdict WHERE delivery_id = 1 AND NOT success") == [("BIL-003", 1)]
    assert [path.name for path in (home / "landing" / "evn").iterdir()] == [f"{hashes[1][1]}.zst"]
    assert states(inbox) == before
    assert answers(inbox.engine) | {"quarantine": []} == values | {"quarantine": []}
    assert inbox.night().outcomes == [], "it is not fetched again while its source still has it"
    assert [path.name for path in (home / "landing" / "evn").iterdir()] == [f"{hashes[1][1]}.zst"]


def test_whoever_asks_for_a_removed_file_is_told_that_it_went_by_rule(inbox: Inbox, home: Path) -> None:
    inbox.send(PLACE, MARCH, "2024-04-09")
    inbox.night()
    later(inbox, days=5 * 366)
    [first] = delivered(inbox.engine, home, [1])
    assert first.removed_at is not None
    went = f"{datetime.now(VIETNAM) + timedelta(days=5 * 366):%d/%m/%Y}"
    with pytest.raises(module.IngestFailed, match=f"^tệp đã nhận được bỏ theo thời hạn lưu ngày {went}, kho còn giữ mã băm và số dòng"):
        module.ingest_delivery(inbox.engine, first, inbox.settings)
    assert foreseen(inbox.engine, inbox.settings, Chosen(1)).rows == 0
    with inbox.engine.connect() as connection:
        explained = explain(connection, "K2c", find_unit(connection, "15655", "2024-03"), "2024-03", WHOLE)
    assert [mover.told for revision in explained.revisions for mover in revision.movers] == [
        f"evn_202403.csv (50 dòng vào, 50 dòng thôi tính, tệp đã bỏ theo thời hạn lưu ngày {went})",
        "evn_202403.csv (50 dòng vào, 50 dòng thôi tính)",
    ]
    assert inbox.night().problems == []


def test_a_late_file_does_not_send_a_removed_one_back(inbox: Inbox) -> None:
    later(inbox, days=5 * 366)
    inbox.send("evn_202402.csv", [bill("HD-10", TONG_TIEN="324000", SO_TIEN="300000", TIEN_GTGT="24000")], "2024-04-05")
    done = inbox.night()
    assert done.problems == []
    assert inbox.ask("SELECT count(*) FROM ops.delivery WHERE status = 'landed'") == [(0,)]
    assert inbox.ask("SELECT amount_vnd FROM warehouse.fact_bill WHERE bill_code = 'HD-10' AND known_to = 'infinity'") == [(216000,)]


def test_what_a_signed_edition_rests_on_stays_though_it_is_no_longer_in_force(engine: Engine, home: Path) -> None:
    inbox = Inbox(engine, home)
    inbox.send(PLACE, MARCH, "2024-04-06")
    inbox.night()
    with engine.begin() as connection:
        sign(connection, "2024-03", "Chị Lan")
    inbox.send(PLACE, DEARER, "2024-04-08")
    inbox.night()
    inbox.send(PLACE, [bill("HD-9"), *MARCH], "2024-04-09")
    inbox.night()
    line = later(inbox, days=5 * 366)["landing_personal"]
    assert line.stays == {"bản đã ký dựa vào": 1, "có dòng còn hiệu lực": 1}
    assert inbox.ask("SELECT delivery_id FROM ops.delivery WHERE file_removed_at IS NULL ORDER BY 1") == [(1,), (3,)]


def test_what_waits_for_a_decision_stays_and_what_was_decided_says_less_and_less(engine: Engine, home: Path) -> None:
    inbox = Inbox(engine, home)
    inbox.send(PLACE, [bill("HD-1", MA_DVHC="99999"), bill("HD-2", MA_DVHC="99998"), *MARCH], "2024-04-06")
    inbox.night()
    with engine.begin() as connection:
        dismiss(connection, Chosen(1, rows=(2,)), "Lan", "không có thật")
    cells = "SELECT row_number, natural_key, value, status FROM ops.quarantine ORDER BY 1"
    assert inbox.ask(cells) == [(2, "HD-1", "99999", "dismissed"), (3, "HD-2", "99998", "open")]
    assert later(inbox, days=729)["quarantine"].rows == 0
    line = later(inbox, days=731)["quarantine"]
    assert (line.rows, line.stays) == (1, {"chưa ai quyết định": 1})
    assert inbox.ask(cells) == [(2, None, None, "dismissed"), (3, "HD-2", "99998", "open")]
    assert inbox.conserves()
    with engine.connect() as connection:
        [item] = worklist.items(connection)
        assert item.rows == 1
        assert [row.words for row in worklist.history(connection, 1, item.rule_code) if row.kind == "dismissed"] == ["không có thật"]
    assert later(inbox, days=6 * 366)["landing_personal"].files == 0
    [one] = delivered(engine, home, [1])
    module.ingest_delivery(engine, one, inbox.settings)
    assert inbox.bills() == sorted(f"HD-{number}" for number in range(10, 60)), "what was dismissed stays left out"


def test_nothing_goes_while_a_night_is_at_work_and_what_was_cut_short_is_done_again(inbox: Inbox, home: Path) -> None:
    from tasks.deliveries.run_lock import alone

    with alone(inbox.engine), pytest.raises(Refusal, match="Kho này đang bận"):
        later(inbox, days=31)
    [first] = delivered(inbox.engine, home, [1])
    later(inbox, days=5 * 366)
    first.path.write_bytes(b"what a killed pruning had marked and not removed yet")
    left = first.path.with_name(".pack-0123456789ab-1")
    left.write_bytes(b"half of a file")
    os.utime(left, (0, 0))
    later(inbox, days=5 * 366)
    assert not landed.is_there(first.path)
    assert not left.exists()


def test_pages_and_traces_of_long_ago_go(inbox: Inbox, home: Path) -> None:
    (home / "faults").mkdir()
    (home / "faults" / "1-abcdef.txt").write_text("x" * 10)
    for number in range(16):
        night = home / "data_docs" / f"2024-01-{number + 1:02}-020000"
        night.mkdir(parents=True)
        (night / "night.json").write_text(f'{{"at": "2024-01-{number + 1:02}T02:00:00+07:00", "lines": []}}')
        (home / "report" / "editions" / f"{number:06}").mkdir(parents=True)
        (home / "report" / "editions" / f"{number:06}" / "index.html").write_text("y" * 10)
    done = later(inbox, days=366)
    assert (done["faults"].files, done["faults"].bytes) == (1, 10)
    assert (done["data_docs"].files, done["editions"].files, done["editions"].bytes) == (2, 13, 130)
    assert sorted(path.name for path in (home / "report" / "editions").iterdir()) == ["000013", "000014", "000015"]
    with inbox.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.pruning WHERE rule IN ('faults', 'data_docs', 'editions')")) == 3
