"""What was set aside or refused needs nobody's attention once a later file puts it right, and stays where none does: real nights."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tasks.ask import to_do, worklist
from tests.flows.bills import Inbox, Row, bill


@pytest.fixture
def inbox(engine: Engine, home: Path) -> Inbox:
    return Inbox(engine, home)


def refused(inbox: Inbox) -> list[str]:
    """Files that stand refused, as people are told."""
    with inbox.engine.connect() as connection:
        told = [row.file_name for row in to_do.refused(connection)]
        assert sorted({item.file_name for item in worklist.items(connection) if item.is_delivery}) == sorted(told)
    return told


def standing(inbox: Inbox) -> list[tuple[str, int]]:
    with inbox.engine.connect() as connection:
        return [(item.file_name, item.rows) for item in worklist.items(connection)]


WITHOUT_A_COLUMN = [{name: cell for name, cell in bill("HD-1").items() if name != "TONG_TIEN"}]


def test_a_corrected_file_of_the_same_name_ends_what_was_refused_and_set_aside(inbox: Inbox) -> None:
    inbox.send("evn_202403.csv", [bill("HD-1"), bill("HD-2", TONG_TIEN="-8")], "2024-04-06")
    inbox.send("evn_202404.csv", WITHOUT_A_COLUMN, "2024-05-06")
    inbox.night()
    assert refused(inbox) == ["evn_202404.csv"]
    assert inbox.aside() == [("HD-2", rule, "open", None) for rule in ("BIL-002", "BIL-003")]
    inbox.send("evn_202403.csv", [bill("HD-1"), bill("HD-3")], "2024-05-07")  # it says HD-2 no more
    inbox.send("evn_202404.csv", [bill("HD-4")], "2024-05-07")
    inbox.night()
    assert refused(inbox) == []
    assert standing(inbox) == []
    assert inbox.aside() == [("HD-2", rule, "corrected", "evn_202403.csv") for rule in ("BIL-002", "BIL-003")]
    assert inbox.ask(
        "SELECT o.status, n.exported_at > o.exported_at FROM ops.delivery o JOIN ops.delivery n ON n.delivery_id = o.corrected_by"
    ) == [("rejected", True)]
    assert inbox.conserves()


def test_a_row_is_put_right_by_any_later_file_that_says_it_again_and_only_that_row(inbox: Inbox) -> None:
    inbox.send("evn_202403.csv", [bill("HD-1"), bill("HD-2", TONG_TIEN="-8"), bill("HD-3", MA_DVHC="99999")], "2024-04-06")
    inbox.night()
    inbox.send("evn_202404.csv", [bill("HD-2"), bill("HD-4")], "2024-05-06")
    inbox.night()
    assert [one for one in inbox.aside() if one[2] == "open"] == [("HD-3", "BIL-007", "open", None)]
    assert ("HD-2", "BIL-003", "corrected", "evn_202404.csv") in inbox.aside()
    assert inbox.bills() == ["HD-1", "HD-2", "HD-4"]
    assert inbox.conserves()


def test_a_row_said_again_just_as_wrong_is_put_right_by_nothing(inbox: Inbox) -> None:
    inbox.send("evn_202403.csv", [bill("HD-1"), bill("HD-2", TONG_TIEN="-8")], "2024-04-06")
    inbox.night()
    inbox.send("evn_202404.csv", [bill("HD-4"), bill("HD-2", TONG_TIEN="-8")], "2024-05-06")
    inbox.night()
    assert {one[2] for one in inbox.aside()} == {"open"}
    assert sorted(standing(inbox)) == [("evn_202403.csv", 1)] * 2 + [("evn_202404.csv", 1)] * 2


@pytest.mark.parametrize(
    "rows",
    [WITHOUT_A_COLUMN, [bill("HD-1", MA_DVHC="99999")]],
    ids=["that is refused itself", "of which nothing is accepted"],
)
def test_a_later_file_puts_nothing_right(inbox: Inbox, rows: list[Row]) -> None:
    inbox.send("evn_202403.csv", WITHOUT_A_COLUMN, "2024-04-06")
    inbox.night()
    inbox.send("evn_202403.csv", rows, "2024-05-06")
    inbox.night()
    assert "evn_202403.csv" in refused(inbox)
    assert inbox.ask("SELECT count(*) FROM ops.delivery WHERE corrected_by IS NOT NULL") == [(0,)]


def test_the_name_of_a_refused_file_with_something_added_is_its_correction_and_that_of_another_part_is_not(inbox: Inbox) -> None:
    for name in ("evn_202403_huyen_1.csv", "evn_202404.csv"):
        inbox.send(name, WITHOUT_A_COLUMN, "2024-05-06")
    inbox.night()
    inbox.send("evn_202403_huyen_10.csv", [bill("HD-1")], "2024-05-07")
    inbox.send("evn_202404_dinh_chinh.csv", [bill("HD-2")], "2024-05-07")
    inbox.night()
    assert refused(inbox) == ["evn_202403_huyen_1.csv"]


def test_files_of_another_period_put_nothing_right(inbox: Inbox) -> None:
    inbox.send("evn_202403.csv", WITHOUT_A_COLUMN, "2024-04-06")
    inbox.night()
    inbox.send("evn_202404.csv", [bill("HD-4")], "2024-05-06")
    inbox.night()
    assert refused(inbox) == ["evn_202403.csv"]


def test_where_the_pattern_says_the_period_another_name_of_the_same_period_is_a_correction(engine: Engine, home: Path) -> None:
    inbox = Inbox(engine, home, url=f"{home}/inbox/evn_{{period:%Y%m}}_*.csv")
    inbox.send("evn_202403_dau.csv", WITHOUT_A_COLUMN, "2024-04-06")
    inbox.send("evn_202404_dau.csv", WITHOUT_A_COLUMN, "2024-04-06")
    inbox.night()
    inbox.send("evn_202403_sua.csv", [bill("HD-1")], "2024-04-08")
    inbox.night()
    assert refused(inbox) == ["evn_202404_dau.csv"]
