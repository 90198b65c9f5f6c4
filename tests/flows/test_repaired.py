"""When a rule, a list or a layout is repaired, what was set aside or refused for it goes in by itself, last month's too: real nights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, event

import expectations.contract
from expectations.contract import contract
from tasks.load.chosen import Chosen
from tasks.load.decisions import dismiss
from tasks.load.dependents import releasable
from tests.flows.bills import Inbox, bill
from tests.flows.test_foreseen import VIET_TRI

OTHERS = [bill(f"HD-{number}") for number in range(10, 60)]


@pytest.fixture
def inbox(engine: Engine, home: Path) -> Inbox:
    return Inbox(engine, home)


def declare(inbox: Inbox, **changes: Any) -> None:
    """Changes sources.yaml: its source, or what stands beside it."""
    path = inbox.settings.sources
    said = yaml.safe_load(path.read_text("utf-8"))
    beside = {name: value for name, value in changes.items() if name == "provinces"}
    said["sources"][0] |= {name: value for name, value in changes.items() if name not in beside}
    path.write_text(yaml.safe_dump(said | beside, allow_unicode=True), "utf-8")


@pytest.fixture
def with_rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Any], None]], None]]:
    """Reads bills.yaml as if a steward had changed it."""
    read = expectations.contract._read

    def change(how: Callable[[Any], None]) -> None:
        said = copy.deepcopy(read("bills.yaml"))
        how({rule["code"]: rule for rule in said["rules"]})
        monkeypatch.setattr(expectations.contract, "_read", lambda name: said if name == "bills.yaml" else read(name))
        contract.cache_clear()

    yield change
    monkeypatch.undo()
    contract.cache_clear()


def test_rows_of_a_unit_that_nobody_knew_go_in_once_it_is_known_and_the_others_stay_as_they_were(inbox: Inbox) -> None:
    wrong = [bill("HD-A", MA_DVHC=VIET_TRI), bill("HD-B", MA_DVHC=VIET_TRI), bill("HD-C", MA_DVHC="99999"), bill("HD-D", TONG_TIEN="-8")]
    inbox.send("evn_202403.csv", [*wrong, *OTHERS], "2024-04-06")
    inbox.send(
        "evn_202404.csv", [bill("HD-E", MA_DVHC=VIET_TRI), *({**row, "ID_HDON": f"x{row['ID_HDON']}"} for row in OTHERS)], "2024-05-06"
    )
    inbox.night()
    with inbox.engine.begin() as connection:
        dismiss(connection, Chosen(1, rows=(3,)), "Lan", "hóa đơn thử")
    assert inbox.night().outcomes == []
    before = inbox.aside()
    declare(inbox, provinces=["38", "25"])
    inbox.night()  # whose beginning brings the units
    assert {"HD-A", "HD-E"} <= set(inbox.bills())
    assert not {"HD-B", "HD-C", "HD-D"} & set(inbox.bills())
    gone = {("HD-A", "STR-038", "open", None), ("HD-E", "STR-038", "open", None)}
    assert inbox.aside() == [one for one in before if one not in gone]
    assert ("HD-B", "STR-038", "dismissed", None) in inbox.aside()
    assert inbox.conserves()
    assert inbox.night().outcomes == []


def test_a_file_that_was_refused_for_a_label_is_taken_once_the_layout_knows_it(inbox: Inbox) -> None:
    inbox.send("evn_202403.csv", [{("Thành tiền" if k == "TONG_TIEN" else k): v for k, v in bill("HD-A").items()}], "2024-04-06")
    inbox.night()
    assert inbox.ask("SELECT status FROM ops.delivery") == [("rejected",)]
    assert inbox.night().outcomes == []
    declare(inbox, headers={"Thành tiền": "amount_vnd"})
    [taken] = inbox.night().outcomes
    assert (taken.status, inbox.bills()) == ("loaded", ["HD-A"])
    assert inbox.night().outcomes == []


def test_rows_go_in_once_the_rule_that_set_them_aside_lets_them(inbox: Inbox, with_rules: Callable[[Callable[[Any], None]], None]) -> None:
    wrong = [bill("HD-A", TONG_TIEN="-8", SO_TIEN="-7", TIEN_GTGT="-1"), bill("HD-B", TONG_TIEN="-80", SO_TIEN="-70", TIEN_GTGT="-10")]
    inbox.send("evn_202403.csv", [*wrong, *OTHERS], "2024-04-06")
    inbox.night()
    with_rules(lambda rules: rules["BIL-003"].update(message_vi="Chỉ là lời."))
    assert inbox.night().outcomes == []  # words decide nothing
    with_rules(lambda rules: rules["BIL-004"]["args"].update(value_set=["DIEN"]))
    assert inbox.night().outcomes == []  # another rule
    with_rules(lambda rules: rules["BIL-003"]["args"].update(min_value=-10))
    [again] = inbox.night().outcomes
    assert (again.loaded, again.quarantined) == (51, 1)
    assert inbox.aside() == [("HD-B", "BIL-003", "open", None)]
    assert inbox.conserves()
    assert inbox.night().outcomes == []


def test_a_rule_that_is_gone_sets_nothing_aside_any_more(inbox: Inbox, with_rules: Callable[[Callable[[Any], None]], None]) -> None:
    inbox.send("evn_202403.csv", [bill("HD-A", TONG_TIEN="-8", SO_TIEN="-7", TIEN_GTGT="-1"), *OTHERS], "2024-04-06")
    inbox.night()
    with_rules(lambda rules: rules["BIL-003"].update(code="BIL-903", severity="warning"))
    inbox.night()
    assert "HD-A" in inbox.bills()
    assert inbox.aside() == []


def test_a_loaded_file_that_would_be_refused_now_stays_and_that_is_said_once(inbox: Inbox) -> None:
    inbox.send("evn_202403.csv", [bill("HD-A", TONG_TIEN="-8", SO_TIEN="-7", TIEN_GTGT="-1"), *OTHERS], "2024-04-06")
    inbox.night()
    loaded, aside = inbox.bills(), inbox.aside()
    declare(inbox, headers={"Thành tiền": "amount_vnd"})
    [problem] = inbox.night().problems
    assert "nay đọc lại thì bị từ chối nên giữ nguyên" in problem
    assert (inbox.bills(), inbox.aside()) == (loaded, aside)
    assert inbox.night().problems == []


def test_a_night_in_which_nothing_was_repaired_asks_little(inbox: Inbox) -> None:
    for month in range(1, 10):
        rows = [bill(f"{month}-A", MA_DVHC="99999"), *({**row, "ID_HDON": f"{month}-{row['ID_HDON']}"} for row in OTHERS)]
        inbox.send(f"evn_20240{month}.csv", rows, f"2024-{month + 1:02}-06")
    inbox.night()
    asked: list[str] = []
    event.listen(inbox.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert releasable(inbox.engine) == []
    assert len(asked) <= 7, asked  # whatever stands: what was released, corrected, stands; two lists; who waits
