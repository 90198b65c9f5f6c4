"""What rows were set aside for is kept as it was sent, and nothing of a person: nights on real files."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine

from tests.flows.bills import Inbox, bill

CELLS = "SELECT row_number, rule_code, column_name, value, cell_hash IS NOT NULL FROM ops.quarantine ORDER BY row_number, rule_code"
WRONG = [
    bill("HD-1"),
    bill("HD-2", MA_DVHC="99999"),
    bill("HD-3", NGAY_PHANH=" 31/02/2024"),
    bill("HD-4", TONG_TIEN="-8", SO_TIEN="-7", TIEN_GTGT="-1"),
    bill("HD-5", MA_DVHC="Nguyễn Văn A"),
    bill("HD-6", MA_DVHC="038085001234"),
    bill("HD-7", TONG_TIEN=""),
    bill("HD-8", MA_KHANG="khách 0912345678"),
]
TOLD = [
    (3, "BIL-007", "MA_DVHC", "99999", True),
    (4, "STR-010", "NGAY_PHANH", "31/02/2024", True),
    (5, "BIL-003", "TONG_TIEN", "-8", True),
    (6, "STR-015", "MA_DVHC", None, True),
    (7, "STR-028", "MA_DVHC", None, True),
    (8, "STR-011", "TONG_TIEN", None, True),
    (9, "STR-029", "MA_KHANG", None, False),
]
"""Row, rule, column, cell where it may be told, and whether it may be corrected in a letter."""


@pytest.fixture
def inbox(engine: Engine, home: Path) -> Inbox:
    return Inbox(engine, home)


def test_cells_are_told_as_they_were_sent_where_they_are_of_no_person(inbox: Inbox) -> None:
    inbox.send("evn_202403.csv", [*WRONG, *(bill(f"HD-{number}") for number in range(10, 60))], "2024-04-06")
    inbox.night()
    assert inbox.ask("SELECT status FROM ops.delivery") == [("loaded",)]
    assert inbox.ask(CELLS) == TOLD
    assert inbox.conserves()


def test_of_a_refused_file_the_cells_of_its_first_faults_are_told_too(inbox: Inbox) -> None:
    inbox.send("evn_202403.csv", WRONG, "2024-04-06")
    inbox.night()
    assert inbox.ask("SELECT status FROM ops.delivery") == [("rejected",)]
    assert inbox.ask(CELLS) == TOLD


def test_the_same_cell_at_two_places_has_two_marks(inbox: Inbox) -> None:
    rows = [bill(f"HD-{number}", MA_DVHC="99999") for number in (1, 2)]
    inbox.send("evn_202403.csv", [*rows, *(bill(f"HD-{number}") for number in range(10, 60))], "2024-04-06")
    inbox.night()
    assert inbox.ask("SELECT count(DISTINCT cell_hash), count(*) FROM ops.quarantine") == [(2, 2)]


def test_a_cell_of_a_workbook_is_told_by_its_row(engine: Engine, home: Path) -> None:
    inbox = Inbox(engine, home, layout="utility_xlsx", provider="nuoc", url=f"{home}/inbox/*.xlsx")
    book = openpyxl.Workbook()
    rows = [["NM-1", "K1", "15655", "NUOC", "03/2024", 50_000], ["NM-2", "K2", "99999", "NUOC", "03/2024", 50_000]]
    for row in [["Bảng kê hóa đơn"], ["Mã hóa đơn", "Mã khách hàng", "Mã ĐVHC", "Dịch vụ", "Kỳ", "Số tiền", "Ngày phát hành"], *rows]:
        book.active.append(row)
    book.save(inbox.folder / "nuoc_202403.xlsx")
    inbox.night()
    assert inbox.ask("SELECT row_number, value FROM ops.quarantine") == [(4, "99999")]
