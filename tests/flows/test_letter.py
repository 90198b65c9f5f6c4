"""A letter to a supplier goes out with the cells at fault, comes back with the right values, and the next night reads the rows by them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Engine

from tasks.ask import questions, worklist
from tasks.deliveries.source import read_sources
from tasks.load.chosen import Chosen
from tasks.load.corrections import take_corrections
from tasks.load.decisions import dismiss
from tasks.report.letter import ELSEWHERE, HEADERS, LINES, write_letter
from tasks.words import vietnamese as vi
from tests.flows.bills import Inbox, bill
from tests.flows.test_cells_set_aside import WRONG
from tests.nights import bakhong, environment, url_of
from warehouse.settings import Refusal

NAME = "=1+1 evn_202403.csv"
OTHERS = [bill(f"HD-{number}") for number in range(10, 60)]
RIGHT = {3: "15655", 4: "05/04/2024", 5: "108000", 6: "15655", 7: "15655", 8: "108000"}
"""Row of WRONG → what its cell at fault ought to say; row 9 is at fault for a customer's number."""


@pytest.fixture
def inbox(engine: Engine, home: Path) -> Inbox:
    inbox = Inbox(engine, home)
    rows = [*WRONG[:3], bill("HD-4", TONG_TIEN="108001"), *WRONG[4:]]
    inbox.send(NAME, [*rows, *OTHERS], "2024-04-06")
    inbox.night()
    return inbox


def letter(inbox: Inbox, name: str = "thu.xlsx", **about: Any) -> Path:
    path = inbox.home / name
    with inbox.engine.connect() as connection:
        write_letter(connection, path, read_sources(inbox.settings.sources), **({"source": "evn"} | about))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    rows = openpyxl.load_workbook(path)[LINES].iter_rows(min_row=3, values_only=True)
    head = next(rows)
    return [dict(zip(head, row, strict=True)) for row in rows]


def fill(path: Path, values: dict[int, Any], **others: str) -> Path:
    """Writes values, by the number of the row in the file, into the letter's column for them; `others` into other columns of its first."""
    book = openpyxl.load_workbook(path)
    sheet = book[LINES]
    labels = [cell.value for cell in sheet[3]]
    for row in sheet.iter_rows(min_row=4):
        number = row[labels.index(HEADERS["row_number"])].value
        if number in values:
            row[labels.index(HEADERS["value"])].value = values[number]
    for name, value in others.items():
        sheet.cell(4, labels.index(HEADERS[name]) + 1).value = value
    book.save(path)
    return path


def take(inbox: Inbox, path: Path) -> int:
    with inbox.engine.begin() as connection:
        return take_corrections(connection, path, "Lan", read_sources(inbox.settings.sources), "công văn 12")


def test_the_letter_names_every_cell_and_what_to_do_and_asks_for_its_value_where_it_may(inbox: Inbox) -> None:
    found = {line[HEADERS["row_number"]]: line for line in lines(letter(inbox))}
    assert {row: line[HEADERS["sent"]] for row, line in found.items()} == {
        3: "99999", 4: "31/02/2024", 5: "108001", 6: vi.NOT_KEPT, 7: vi.NOT_KEPT, 8: vi.NOT_KEPT, 9: vi.NOT_KEPT,
    }  # fmt: skip
    assert {row: line[HEADERS["value"]] for row, line in found.items()} == dict.fromkeys(range(3, 9)) | {9: ELSEWHERE}
    assert found[3][HEADERS["column_name"]] == "MA_DVHC"
    assert found[3][HEADERS["natural_key"]] == "HD-2"
    assert "MA_DVHC" in found[3][HEADERS["message_vi"]]
    sheet = openpyxl.load_workbook(letter(inbox))[LINES]
    assert sheet.protection.sheet
    assert sheet["B4"].value == NAME
    assert sheet["B4"].data_type == "s"  # no formula
    assert [sheet[f"{column}4"].protection.locked for column in "HIJ"] == [True, False, True]
    assert sheet["I4"].number_format == "@"


def test_what_comes_back_is_read_by_the_next_night_and_the_landed_file_stays(inbox: Inbox) -> None:
    [landed] = (inbox.home / "landing" / "evn").iterdir()
    assert take(inbox, fill(letter(inbox), RIGHT)) == 6
    with inbox.engine.connect() as connection:
        assert {item.rule_code: item.corrections for item in worklist.items(connection)} == {
            "BIL-002": 1, "BIL-007": 1, "STR-010": 1, "STR-011": 1, "STR-015": 1, "STR-028": 1, "STR-029": 0,
        }  # fmt: skip
    [again] = inbox.night().outcomes
    assert (again.received, again.loaded, again.quarantined) == (58, 57, 1)
    assert inbox.bills() == sorted(f"HD-{number}" for number in (*range(1, 8), *range(10, 60)))
    assert inbox.ask("SELECT row_number, rule_code FROM ops.quarantine") == [(9, "STR-029")]
    assert inbox.ask("SELECT severity, observed, success FROM ops.verdict WHERE rule_code = 'STR-040'") == [("warning", "6 ô", False)]
    assert inbox.ask("SELECT bool_and(read_at IS NOT NULL), count(*) FROM ops.correction") == [(True, 6)]
    assert hashlib.sha256(landed.read_bytes()).hexdigest() == landed.name
    assert inbox.conserves()
    assert inbox.night().outcomes == []
    with inbox.engine.connect() as connection:
        [read] = questions.corrected(connection, [1])
        assert (read.file_name, read.cells, read.letter, read.made_by) == (NAME, 6, "thu.xlsx", "Lan")
        told = worklist.history(connection, 1, "BIL-007")
    assert [(one.made_by, one.kind, one.words, one.row_numbers) for one in told] == [("Lan", "correction", "thu.xlsx: công văn 12", [3])]


def test_a_delivery_read_again_for_another_reason_keeps_what_was_corrected(inbox: Inbox) -> None:
    take(inbox, fill(letter(inbox), {3: "15655"}))
    inbox.night()
    take(inbox, fill(letter(inbox, "2.xlsx"), {4: "05/04/2024"}))
    inbox.night()
    assert {"HD-2", "HD-3"} <= set(inbox.bills())


def test_a_value_as_wrong_as_before_is_set_aside_again_and_may_be_corrected_once_more(inbox: Inbox) -> None:
    take(inbox, fill(letter(inbox), {3: "99998"}))
    inbox.night()
    assert inbox.ask("SELECT value, status FROM ops.quarantine WHERE row_number = 3") == [("99998", "open")]
    old = fill(inbox.home / "thu.xlsx", {3: "15655"})
    with pytest.raises(Refusal, match="không còn như khi lập thư: lập thư mới"):
        take(inbox, old)
    take(inbox, fill(letter(inbox, "2.xlsx"), {3: "15655"}))
    inbox.night()
    assert "HD-2" in inbox.bills()


def loaded(inbox: Inbox) -> None:
    take(inbox, fill(letter(inbox, "first.xlsx"), {3: "15655"}))
    inbox.night()


def sent_again(inbox: Inbox) -> None:
    inbox.send(NAME, OTHERS, "2024-04-08")
    inbox.night()


def dismissed(inbox: Inbox) -> None:
    with inbox.engine.begin() as connection:
        dismiss(connection, Chosen(1, rows=(3,)), "Minh", "hóa đơn thử")


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (loaded, r"dòng 4: dòng 3 của =1\+1 evn_202403.csv không còn được để riêng vì BIL-007: đã nạp, hoặc đã gửi lại"),
        (sent_again, r"dòng 4: dòng 3 của =1\+1 evn_202403.csv đã có lần gửi số 2 thay"),
        (dismissed, r"dòng 4: dòng 3 của =1\+1 evn_202403.csv: Minh đã quyết định \(đã bỏ\)"),
    ],
)
def test_what_a_line_expects_and_is_gone_is_named_and_nothing_of_the_letter_is_taken(
    inbox: Inbox, meanwhile: Callable[[Inbox], None], why: str
) -> None:
    path = fill(letter(inbox), RIGHT)
    meanwhile(inbox)
    before = inbox.ask("SELECT * FROM ops.correction")
    with pytest.raises(Refusal, match=rf"^thu.xlsx, {why}\. Chưa ghi gì của thư này\.$"):
        take(inbox, path)
    assert inbox.ask("SELECT * FROM ops.correction") == before


@pytest.mark.parametrize(
    ("values", "others", "why"),
    [
        ({9: "PA07MAU000001"}, {}, "cột “MA_KHANG” có dữ liệu cá nhân hoặc không có ô nào để sửa: sửa ở nguồn rồi gửi lại tệp"),
        ({3: "038085001234"}, {}, "cột “MA_DVHC”: giá trị mới có thể là dữ liệu cá nhân"),
        ({3: "Nguyễn Văn A"}, {}, "cột “MA_DVHC”: giá trị mới có thể là dữ liệu cá nhân"),
        ({3: "15655"}, {"cell_hash": "0123456789abcdef"}, "ô ở dòng 3 .* không còn như khi lập thư"),
        ({3: "15655"}, {"delivery_id": "77"}, "không có lần gửi số 77"),
        ({3: "15655"}, {"row_number": "ba"}, "phải giữ như trong thư"),
        ({3: "15655"}, {"column_name": "TEN_KHANG"}, "không còn được để riêng vì BIL-007"),
        ({}, {}, "không có ô nào được điền"),
    ],
    ids=["personal column", "a number", "a name", "another mark", "no delivery", "no number", "another column", "empty"],
)
def test_what_cannot_be_taken_is_said_in_one_line_and_kept_nowhere(
    inbox: Inbox, values: dict[int, str], others: dict[str, str], why: str
) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        take(inbox, fill(letter(inbox), values, **others))
    assert not any(value in str(refused.value) for value in values.values() if value != "15655")
    assert inbox.ask("SELECT count(*) FROM ops.correction") == [(0,)]
    assert inbox.ask("SELECT count(*) FROM ops.quarantine_note") == [(0,)]


def test_two_lines_about_one_cell_that_differ_are_refused(engine: Engine, home: Path) -> None:
    inbox = Inbox(engine, home)
    inbox.send("evn_202403.csv", [bill("HD-1", TONG_TIEN="-8"), *OTHERS], "2024-04-06")
    inbox.night()
    path = letter(inbox)
    assert [line[HEADERS["rule_code"]] for line in lines(path)] == ["BIL-002", "BIL-003"]
    book = openpyxl.load_workbook(path)
    book[LINES]["I4"].value, book[LINES]["I5"].value = "108000", "108001"
    book.save(path)
    with pytest.raises(Refusal, match=r"dòng 5: ghi khác dòng 4 của thư về cùng một ô"):
        take(inbox, path)
    fill(path, {2: "108000"})
    assert take(inbox, path) == 1


def test_rows_that_are_filtered_away_are_not_passed_over(inbox: Inbox) -> None:
    path = fill(letter(inbox), RIGHT)
    book = openpyxl.load_workbook(path)
    book[LINES].row_dimensions[5].hidden = True
    book.save(path)
    with pytest.raises(Refusal, match="1 dòng đang bị ẩn hoặc lọc"):
        take(inbox, path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no workbook", b"Ho ten,SDT\nA,0912345678\n"])
def test_what_is_no_letter_is_refused_in_one_line(inbox: Inbox, content: bytes) -> None:
    path = inbox.home / "thu.xlsx"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=r"^[^\n]+Chưa ghi gì\.$"):
        take(inbox, path)


def test_the_commands_write_the_letter_and_take_it_back(inbox: Inbox) -> None:
    env = environment(inbox.home, inbox.settings.sources, url_of(inbox.engine))
    path = inbox.home / "thu.xlsx"
    done = bakhong("quarantine", "letter", "evn", "--to", str(path), "--deadline", "2024-04-20", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 ô cần sửa." in done.stdout
    front = [cell for row in openpyxl.load_workbook(path)["Thư"].values for cell in row if cell]
    assert "Đề nghị kiểm tra, sửa và gửi lại trước ngày 20/04/2024." in front
    assert any(cell.startswith("Kính gửi: Công ty Điện lực (số liệu: ") for cell in front if isinstance(cell, str))
    done = bakhong("quarantine", "correct", str(fill(path, RIGHT)), "--reason", "công văn 12", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Đã nhận 6 ô. Lượt đêm sau sẽ áp dụng; ngay bây giờ: bakhong nightly --no-pull." in done.stdout
    inbox.night()
    assert len(inbox.bills()) == 57
    nothing = bakhong("quarantine", "letter", "--delivery", "7", "--to", str(path), env=env)
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert nothing.stderr.strip() == "Không có tệp nào như vậy bị từ chối hay có dòng để riêng: không có gì để viết thư."
