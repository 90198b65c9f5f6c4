"""Workbooks and HTML spreadsheets: titles, totals, numbers and dates however the office typed them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from expectations.contract import contract
from tasks.read.file import Chunk, Rejected, read

KEY = b"a key of the test"
HEADER = [
    *("STT", "Mã ĐVHC", "Xã, phường, thị trấn", "Kỳ báo cáo"),
    *("Số chứng thư cấp mới", "Số chứng thư đang hiệu lực", "Số người được cấp (lũy kế)"),
]
TITLES: list[list[Any]] = [["BÁO CÁO CHỨNG THƯ SỐ"], ["Tháng 04/2025"]]
ROWS: list[list[Any]] = [
    ["1", "15655", "Xã Ngọc Phụng", "04/2025", "26", "1.442", "1.500"],
    ["2", "15607", "Xã Bát Mọt", "04/2025", "1.000", "558", "600"],
]
TOTALS: list[Any] = ["", "", "Tổng cộng", "", "1.026", "2.000", ""]


def workbook(path: Path, table: list[list[Any]], sheet_before: bool = False) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as book:
        if sheet_before:
            book.add_worksheet("Bìa").write(0, 0, "Trang bìa")
        sheet = book.add_worksheet()
        for at, row in enumerate(table):
            for column, cell in enumerate(row):
                sheet.write(at, column, cell)
    return path


def signatures(path: Path, **options: Any) -> list[Chunk]:
    return list(read(path, contract("signatures"), "telecom_xlsx", KEY, "bao_cao.xlsx", **options))


def counted(found: list[Chunk]) -> list[tuple[Any, ...]]:
    return [
        (row["row_number"], row["unit_code"], row["month"], row["certificates_issued"], row["certificates_in_force"])
        for chunk in found
        for row in chunk.table.to_pylist()
    ]


EXPECTED = [(1, "15655", "2025-04", 26, 1442), (2, "15607", "2025-04", 1000, 558)]


def test_title_rows_are_passed_over_and_the_totals_row_becomes_controls(tmp_path: Path) -> None:
    found = signatures(workbook(tmp_path / "b.xlsx", [*TITLES, HEADER, *ROWS, TOTALS]))
    assert counted(found) == EXPECTED
    assert [(chunk.received, chunk.ignored, chunk.controls) for chunk in found] == [
        (3, 1, {"certificates_issued": 1026, "certificates_in_force": 2000})
    ]


def test_real_numbers_and_real_dates_read_as_the_typed_ones_do(tmp_path: Path) -> None:
    real = [
        [1, 15655, "Xã Ngọc Phụng", datetime(2025, 4, 1), 26, 1442.0, 1500],
        [2, 15607.0, "Xã Bát Mọt", date(2025, 4, 1), 1000, 558, 600],
    ]
    assert counted(signatures(workbook(tmp_path / "b.xlsx", [HEADER, *real]))) == EXPECTED


def test_a_number_with_a_fraction_is_no_count_whether_typed_or_real(tmp_path: Path) -> None:
    typed = ["1", "15655", "", "04/2025", "26,5", "1", "1"]
    real = [1, "15655", "", "04/2025", 26.5, 1, 1]
    found = signatures(workbook(tmp_path / "b.xlsx", [HEADER, *ROWS, typed, real]))
    assert found[0].faults.select(["row_number", "rule_code", "column_name"]).to_pylist() == [
        {"row_number": number, "rule_code": "STR-010", "column_name": "Số chứng thư cấp mới"} for number in (3, 4)
    ]


def test_empty_rows_between_are_ignored_and_counted(tmp_path: Path) -> None:
    found = signatures(workbook(tmp_path / "b.xlsx", [HEADER, ROWS[0], [], ROWS[1]]))
    assert [(chunk.received, chunk.table.num_rows, chunk.ignored) for chunk in found] == [(3, 2, 1)]


def test_the_sheet_that_has_the_header_is_read(tmp_path: Path) -> None:
    assert counted(signatures(workbook(tmp_path / "b.xlsx", [HEADER, *ROWS], sheet_before=True))) == EXPECTED


def test_chunks_of_a_workbook_are_its_rows(tmp_path: Path) -> None:
    found = signatures(workbook(tmp_path / "b.xlsx", [HEADER, *ROWS, TOTALS]), chunk_rows=1)
    assert counted(found) == EXPECTED
    assert found[-1].controls == {"certificates_issued": 1026, "certificates_in_force": 2000}


def test_a_workbook_in_tcvn3_letters_is_read_as_it_was_meant(tmp_path: Path) -> None:
    from tasks.read.encodings import _TCVN3

    letters = {letter: chr(byte) for byte, letter in _TCVN3.items()}
    table = [["".join(letters.get(sign, sign) for sign in cell) for cell in row] for row in [HEADER, *ROWS, TOTALS]]
    found = signatures(workbook(tmp_path / "b.xlsx", table))
    assert counted(found) == EXPECTED
    assert found[0].table["unit_name"].to_pylist() == ["Xã Ngọc Phụng", "Xã Bát Mọt"]


def test_a_month_that_excel_made_a_date_is_still_the_month(tmp_path: Path) -> None:
    header = ["Mã ĐVHC", "Đơn vị", "Kỳ báo cáo", "Mã chỉ tiêu", "Tên chỉ tiêu", "Số liệu", "Ghi chú"]
    cells = [["15655", "", date(2024, 3, 1), "eid_issued", "", "4.795", ""], ["15655", "", "Quý I/2024", "eid_issued", "", 4795, ""]]
    found = read(workbook(tmp_path / "b.xlsx", [header, *cells]), contract("unit_counts"), "bieu_so_lieu_xlsx", KEY, "b.xlsx")
    assert [(row["period"], row["value"]) for chunk in found for row in chunk.table.to_pylist()] == [("2024-03", 4795), ("2024-Q1", 4795)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "STR-003"),
        ("STT,Mã ĐVHC\n1,15655\n".encode(), "STR-007"),
        (b"<html><table><tr><td>STT</td></tr></table></html>", "STR-007"),
        (b"PK\x03\x04 cut off", "STR-005"),
    ],
)
def test_what_is_no_workbook_is_said_so(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(content)
    with pytest.raises(Rejected) as refused:
        signatures(path)
    assert refused.value.rule_code == code
    assert "bao_cao.xlsx" in refused.value.message_vi


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ([["Không có tiêu đề"], ["1", "2"]], "STR-009"),
        ([*TITLES, HEADER], "STR-004"),
        ([HEADER, TOTALS], "STR-004"),
        ([HEADER[:-1], *ROWS], "STR-001"),
        ([[*HEADER, "Thêm"], *ROWS], "STR-002"),
        ([HEADER, *ROWS, ["", "", "Tổng cộng", "", "hai", "2.000", ""]], "STR-008"),
    ],
)
def test_each_broken_form_of_a_workbook_has_its_own_verdict(tmp_path: Path, table: list[list[Any]], code: str) -> None:
    with pytest.raises(Rejected) as refused:
        signatures(workbook(tmp_path / "b.xlsx", table))
    assert refused.value.rule_code == code


PAGE = """<html><head><meta charset="utf-8"></head><body><table>
<tr><td colspan="12">DANH SÁCH HỒ SƠ</td></tr><tr><td colspan="12">(Từ ngày 01/01/2024)</td></tr>
<tr><th>STT</th><th>Đơn vị tiếp nhận</th><th>Tên thủ tục hành chính</th><th>Mã hồ sơ</th><th>Trạng thái</th><th>Địa chỉ</th>
<th>Người nộp</th><th>Chủ hồ sơ</th><th>Ngày nộp hồ sơ</th><th>Ngày nhận</th><th>Ngày hẹn trả</th><th>Ngày kết thúc xử lý</th></tr>
<tr><td>2</td><td>UBND xã Ngọc Phụng</td><td>Chứng thực</td><td>H56.38.05-240315-0001</td><td>Đã trả kết quả</td><td>Bí Mật</td>
<td>Bí Mật</td><td>Bí Mật</td><td>15/03/2024 08:00:00</td><td>15/03/2024 09:30:00</td><td></td><td>&nbsp;</td></tr>
</table></body></html>"""


def test_an_xls_that_is_an_html_table_is_read_and_its_persons_are_not(tmp_path: Path) -> None:
    path = tmp_path / "b.xls"
    path.write_text(PAGE, "utf-8")
    found = list(read(path, contract("dossiers"), "td_html_xls", KEY, "b.xls"))
    [row] = found[0].table.to_pylist()
    assert (row["dossier_code"], row["status_code"], row["agency_name"]) == ("H56.38.05-240315-0001", "10", "UBND xã Ngọc Phụng")
    assert (row["received_at"], row["due_at"], row["finished_at"]) == (datetime(2024, 3, 15, 9, 30), None, None)
    assert "Bí Mật" not in str(row)


@pytest.mark.parametrize(("cut", "code"), [(200, "STR-005"), (20, "STR-007")])
def test_an_html_table_that_is_cut_off_is_refused(tmp_path: Path, cut: int, code: str) -> None:
    path = tmp_path / "b.xls"
    path.write_text(PAGE[:cut], "utf-8")
    with pytest.raises(Rejected) as refused:
        list(read(path, contract("dossiers"), "td_html_xls", KEY, "b.xls"))
    assert refused.value.rule_code == code
