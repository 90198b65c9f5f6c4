"""What stands under a table is no row of it; what is only a bad row is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from expectations.contract import Contract, contract
from tasks.read.file import Chunk, read
from tasks.read.rows import NOTHING_SEEN, Account

HEADER = ["Mã ĐVHC", "Đơn vị", "Kỳ báo cáo", "Mã chỉ tiêu", "Tên chỉ tiêu", "Số liệu", "Ghi chú"]
ROWS = [[code, "Xã", "2024", "households", "Số hộ", "1.442", ""] for code in ("15655", "15607")]
NOTES: list[list[str]] = [
    [],
    ["Ghi chú: số liệu tính đến ngày 31/12/2024."],
    ["", "", "", "", "Thanh Hóa, ngày 05 tháng 01 năm 2025"],
    ["Người lập biểu", "", "", "", "", "Chủ tịch"],
    ["(Ký, ghi rõ họ tên)", "", "", "", "", "(Ký tên, đóng dấu)"],
    ["Người Mẫu Kín", "", "", "", "", "Người Mẫu Khác"],
]


def counts(path: Path, *sheets: list[list[str]], terms: Contract | None = None, **options: Any) -> list[Chunk]:
    with xlsxwriter.Workbook(path) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return list(read(path, terms or contract("unit_counts"), "bieu_so_lieu_xlsx", b"a key of the test", "bieu.xlsx", **options))


def account(found: list[Chunk]) -> Account:
    return sum((chunk.account for chunk in found), NOTHING_SEEN)


def faults(found: list[Chunk]) -> set[int]:
    return {row["row_number"] for chunk in found for row in chunk.faults.to_pylist()}


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 5, 1000])
def test_notes_and_signatures_are_ignored_and_counted(tmp_path: Path, chunk_rows: int) -> None:
    found = counts(tmp_path / "b.xlsx", [HEADER, *ROWS, *NOTES], chunk_rows=chunk_rows)
    assert [number for chunk in found for number in chunk.table["row_number"].to_pylist()] == [2, 3]
    assert (faults(found), sum(chunk.received for chunk in found), sum(chunk.ignored for chunk in found)) == (set(), 8, 6)
    assert (account(found).below, account(found).cells) == (5, 2 * 6)  # the notes' own column is not read


def test_a_line_between_rows_of_data_is_a_row(tmp_path: Path) -> None:
    found = counts(tmp_path / "b.xlsx", [HEADER, ROWS[0], NOTES[1], ROWS[1]])
    assert faults(found) == {3}


@pytest.mark.parametrize(
    "last",
    [
        ["1565S", "Xã", "2024", "households", "", "5", ""],
        ["", "", "2024", "", "", "", ""],
        ["15655", "", "", "", "", "", ""],
        ["#REF!", "", "", "", "", "7", ""],
    ],
)
def test_a_last_row_in_which_anything_is_of_its_kind_is_a_bad_row(tmp_path: Path, last: list[str]) -> None:
    found = counts(tmp_path / "b.xlsx", [HEADER, *ROWS, last, *NOTES])
    assert faults(found) == {4}
    assert account(found).below == 5


def test_a_table_of_nothing_but_notes_is_no_table(tmp_path: Path) -> None:
    found = counts(tmp_path / "b.xlsx", [HEADER, *NOTES])
    assert faults(found) == {3, 4, 5, 6, 7}


def test_each_of_several_sheets_has_its_notes(tmp_path: Path) -> None:
    terms = contract("unit_counts")
    layout = terms.layouts["bieu_so_lieu_xlsx"].model_copy(update={"sheets": "all"})
    terms = terms.model_copy(update={"layouts": {"bieu_so_lieu_xlsx": layout}})
    found = counts(tmp_path / "b.xlsx", [HEADER, ROWS[0], *NOTES], [HEADER, ROWS[1], *NOTES], terms=terms)
    assert (faults(found), account(found).below, account(found).sheets) == (set(), 10, 2)
    assert [code for chunk in found for code in chunk.table["unit_code"].to_pylist()] == ["15655", "15607"]
