"""Workbooks and HTML spreadsheets: titles, totals, numbers and dates however the office typed them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from expectations.contract import contract
from tasks.read.file import Chunk, Rejected, read
from tasks.read.limits import Limits
from tasks.read.rows import NOTHING_SEEN, Account

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


def first_rows(found: list[Chunk]) -> list[tuple[Any, ...]]:
    return [row[1:] for row in counted(found)]


def faults(found: list[Chunk]) -> list[tuple[int, str, str]]:
    return [(row["row_number"], row["rule_code"], row["column_name"]) for chunk in found for row in chunk.faults.to_pylist()]


def account(found: list[Chunk]) -> Account:
    return sum((chunk.account for chunk in found), NOTHING_SEEN)


EXPECTED = [("15655", "2025-04", 26, 1442), ("15607", "2025-04", 1000, 558)]
UNDER_THE_FIRST_ROW = [(2, *EXPECTED[0]), (3, *EXPECTED[1])]


def test_title_rows_are_passed_over_and_the_totals_row_becomes_controls(tmp_path: Path) -> None:
    found = signatures(workbook(tmp_path / "b.xlsx", [*TITLES, HEADER, *ROWS, TOTALS]))
    assert counted(found) == [(4, *EXPECTED[0]), (5, *EXPECTED[1])]
    assert [(chunk.received, chunk.ignored, chunk.controls) for chunk in found] == [
        (3, 1, {"certificates_issued": 1026, "certificates_in_force": 2000})
    ]


def test_real_numbers_and_real_dates_read_as_the_typed_ones_do(tmp_path: Path) -> None:
    real = [
        [1, 15655, "Xã Ngọc Phụng", datetime(2025, 4, 1), 26, 1442.0, 1500],
        [2, 15607.0, "Xã Bát Mọt", date(2025, 4, 1), 1000, 558, 600],
    ]
    assert counted(signatures(workbook(tmp_path / "b.xlsx", [HEADER, *real]))) == UNDER_THE_FIRST_ROW


def test_the_totals_row_may_say_the_cumulative_count_as_well(tmp_path: Path) -> None:
    found = signatures(workbook(tmp_path / "b.xlsx", [HEADER, *ROWS, [*TOTALS[:6], "2.100"]]))
    assert found[-1].controls == {"certificates_issued": 1026, "certificates_in_force": 2000, "holders_cumulative": 2100}


def without(*places: int) -> list[list[Any]]:
    """Header and rows without some of their columns."""
    return [[cell for place, cell in enumerate(row) if place not in places] for row in (HEADER, *ROWS)]


def test_running_numbers_and_names_of_units_may_be_left_out(tmp_path: Path) -> None:
    assert counted(signatures(workbook(tmp_path / "b.xlsx", without(0, 2)))) == UNDER_THE_FIRST_ROW


@pytest.mark.parametrize(
    "title",
    [
        "Kỳ báo cáo: 04/2025",
        "KỲ BÁO CÁO: THÁNG 4/2025",
        "Tháng 04 năm 2025",
        "BÁO CÁO CHỨNG THƯ CHỮ KÝ SỐ THÁNG 04-2025",
    ],
)
def test_the_period_is_that_of_the_title_where_no_column_says_it(tmp_path: Path, title: str) -> None:
    signed = "Thanh Hóa, ngày 05 tháng 05 năm 2025"
    found = signatures(workbook(tmp_path / "b.xlsx", [[signed], [title], *without(3)]))
    assert first_rows(found) == EXPECTED


@pytest.mark.parametrize(
    "title",
    [
        "BÁO CÁO CHỨNG THƯ SỐ",
        "Thanh Hóa, ngày 05 tháng 05 năm 2025",
        "Thanh Hóa, ngày     tháng 05 năm 2025",
        "Thanh Hóa, ngày ... tháng 05 năm 2025",
        "Lũy kế từ tháng 01/2024 đến tháng 04/2025",
    ],
)
def test_a_file_in_which_neither_column_nor_title_says_the_period_is_refused(tmp_path: Path, title: str) -> None:
    assert 'STR-001: Tệp bao_cao.xlsx thiếu cột "Kỳ báo cáo".' in refusal(workbook(tmp_path / "b.xlsx", [[title], *without(3)]))


def test_a_row_that_leaves_its_period_empty_is_set_aside_whatever_the_title_says(tmp_path: Path) -> None:
    blank = [*ROWS[1][:3], "", *ROWS[1][4:]]
    found = signatures(workbook(tmp_path / "b.xlsx", [["Tháng 04/2025"], HEADER, ROWS[0], blank]))
    assert (first_rows(found), faults(found)) == ([EXPECTED[0]], [(4, "STR-011", "Kỳ báo cáo")])


def test_a_number_with_a_fraction_is_no_count_whether_typed_or_real(tmp_path: Path) -> None:
    typed = ["1", "15655", "", "04/2025", "26,5", "1", "1"]
    real = [1, "15655", "", "04/2025", 26.5, 1, 1]
    found = signatures(workbook(tmp_path / "b.xlsx", [HEADER, *ROWS, typed, real]))
    assert found[0].faults.select(["row_number", "rule_code", "column_name"]).to_pylist() == [
        {"row_number": number, "rule_code": "STR-010", "column_name": "Số chứng thư cấp mới"} for number in (4, 5)
    ]


def test_empty_rows_between_are_ignored_and_counted(tmp_path: Path) -> None:
    found = signatures(workbook(tmp_path / "b.xlsx", [HEADER, ROWS[0], [], ROWS[1]]))
    assert [(chunk.received, chunk.table.num_rows, chunk.ignored) for chunk in found] == [(3, 2, 1)]


def test_the_sheet_that_has_the_header_is_read(tmp_path: Path) -> None:
    assert counted(signatures(workbook(tmp_path / "b.xlsx", [HEADER, *ROWS], sheet_before=True))) == UNDER_THE_FIRST_ROW


def test_chunks_of_a_workbook_are_its_rows(tmp_path: Path) -> None:
    found = signatures(workbook(tmp_path / "b.xlsx", [HEADER, *ROWS, TOTALS]), chunk_rows=1)
    assert counted(found) == UNDER_THE_FIRST_ROW
    assert found[-1].controls == {"certificates_issued": 1026, "certificates_in_force": 2000}


def test_a_workbook_in_tcvn3_letters_is_read_as_it_was_meant(tmp_path: Path) -> None:
    from tasks.read.encodings import _TCVN3

    letters = {letter: chr(byte) for byte, letter in _TCVN3.items()}
    table = [["".join(letters.get(sign, sign) for sign in cell) for cell in row] for row in [HEADER, *ROWS, TOTALS]]
    found = signatures(workbook(tmp_path / "b.xlsx", table))
    assert counted(found) == UNDER_THE_FIRST_ROW
    assert found[0].table["unit_name"].to_pylist() == ["Xã Ngọc Phụng", "Xã Bát Mọt"]


def test_a_month_that_excel_made_a_date_is_still_the_month(tmp_path: Path) -> None:
    header = ["Mã ĐVHC", "Đơn vị", "Kỳ báo cáo", "Mã chỉ tiêu", "Tên chỉ tiêu", "Số liệu", "Ghi chú"]
    cells = [["15655", "", date(2024, 3, 1), "eid_issued", "", "4.795", ""], ["15655", "", "Quý I/2024", "eid_issued", "", 4795, ""]]
    found = read(workbook(tmp_path / "b.xlsx", [header, *cells]), contract("unit_counts"), "bieu_so_lieu_xlsx", KEY, "b.xlsx")
    assert [(row["period"], row["value"]) for chunk in found for row in chunk.table.to_pylist()] == [("2024-03", 4795), ("2024-Q1", 4795)]


def book(path: Path, *tables: list[list[Any]], change: Callable[[xlsxwriter.Workbook], None] = lambda made: None) -> Path:
    """A workbook of one sheet a table, changed before it is written."""
    with xlsxwriter.Workbook(path) as made:
        for table in tables:
            sheet = made.add_worksheet()
            for at, row in enumerate(table):
                sheet.write_row(at, 0, row)
        change(made)
    return path


def edited(path: Path, **parts: Callable[[str], str] | None) -> Path:
    """The workbook with some of its parts changed, or left out."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            change = next((change for part, change in parts.items() if f"/{part}.xml" in name), str)
            if change is not None:
                archive.writestr(name, change(data.decode()))
    return path


def with_cell(path: Path, cell: str, xml: str) -> Path:
    """A workbook whose cell is written like this."""
    return edited(book(path, [HEADER, *ROWS]), sheet1=lambda text: re.sub(rf'<c r="{cell}"[^>]*>.*?</c>', xml, text))


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(Rejected) as refused:
        signatures(path, **options)
    return str(refused.value)


def test_a_hidden_sheet_is_not_what_was_sent(tmp_path: Path) -> None:
    def hide(made: xlsxwriter.Workbook) -> None:
        made.worksheets()[0].very_hidden()
        made.worksheets()[1].activate()

    last_month = [HEADER, ["1", "15655", "Xã Ngọc Phụng", "03/2025", "1", "1", "1"]]
    found = signatures(book(tmp_path / "b.xlsx", last_month, [HEADER, *ROWS], change=hide))
    assert first_rows(found) == EXPECTED
    assert account(found) == Account(cells=14, sheets=2, hidden_sheets=1)


def test_a_table_that_only_a_hidden_sheet_has_is_refused_as_hidden(tmp_path: Path) -> None:
    def hide(made: xlsxwriter.Workbook) -> None:
        made.worksheets()[0].hide()
        made.worksheets()[1].activate()

    assert refusal(book(tmp_path / "b.xlsx", [HEADER, *ROWS], [["Bìa"]], change=hide)).startswith("STR-033")


@pytest.mark.parametrize("second", [[HEADER, ROWS[1]], [*TITLES, HEADER]])
def test_two_sheets_with_the_header_are_refused_by_their_places(tmp_path: Path, second: list[list[Any]]) -> None:
    said = refusal(book(tmp_path / "b.xlsx", [HEADER, ROWS[0]], [["Bìa"]], second))
    assert said.startswith("STR-032")
    assert "trang tính thứ 1 và thứ 3" in said


def test_a_layout_of_several_sheets_reads_them_one_after_the_other(tmp_path: Path) -> None:
    feed = contract("signatures")
    layout = feed.layouts["telecom_xlsx"].model_copy(update={"sheets": "all"})
    feed = feed.model_copy(update={"layouts": {"telecom_xlsx": layout}})
    moved = [[*row[1:], row[0]] for row in (HEADER, ROWS[1])]
    path = book(tmp_path / "b.xlsx", [*TITLES, HEADER, ROWS[0]], [["Bìa"]], moved)
    found = list(read(path, feed, "telecom_xlsx", KEY, "b.xlsx"))
    assert counted(found) == [(4, *EXPECTED[0]), (6, *EXPECTED[1])]
    assert account(found) == Account(cells=14, sheets=3, other_sheets=1)


@pytest.mark.parametrize("order", [1, -1])
def test_a_sheet_with_half_of_the_labels_is_another_sheet(tmp_path: Path, order: int) -> None:
    found = signatures(book(tmp_path / "b.xlsx", *[[HEADER, *ROWS], [HEADER[:5], ["1", "15655"]]][::order]))
    assert first_rows(found) == EXPECTED
    assert account(found).other_sheets == 1


def test_hidden_rows_are_not_read_and_hidden_columns_are(tmp_path: Path) -> None:
    def hide(made: xlsxwriter.Workbook) -> None:
        made.worksheets()[0].set_row(2, None, None, {"hidden": True})
        made.worksheets()[0].set_column("E:E", None, None, {"hidden": True})

    found = signatures(book(tmp_path / "b.xlsx", [HEADER, ROWS[0], ROWS[0], ROWS[1]], change=hide))
    assert counted(found) == [(2, *EXPECTED[0]), (4, *EXPECTED[1])]
    assert account(found) == Account(cells=14, sheets=1, hidden_rows=1, hidden_columns=1)


def test_a_merged_cell_holds_for_every_row_that_it_spans(tmp_path: Path) -> None:
    def merge(made: xlsxwriter.Workbook) -> None:
        made.worksheets()[0].merge_range("A1:G1", "BÁO CÁO")
        made.worksheets()[0].merge_range("D3:D4", "04/2025")
        made.worksheets()[0].merge_range("A5:D5", "Tổng cộng")

    table = [["BÁO CÁO"], HEADER, ROWS[0], [*ROWS[1][:3], "", *ROWS[1][4:]], ["", "", "", "", "1.026", "2.000", ""]]
    found = signatures(book(tmp_path / "b.xlsx", table, change=merge))
    assert first_rows(found) == EXPECTED
    assert found[0].controls == {"certificates_issued": 1026, "certificates_in_force": 2000}


def test_merged_ranges_that_lie_over_each_other_are_damage(tmp_path: Path) -> None:
    over = '<mergeCells count="3">' + '<mergeCell ref="A1:G3"/>' * 3 + "</mergeCells></worksheet>"
    path = edited(book(tmp_path / "b.xlsx", [HEADER, *ROWS]), sheet1=lambda text: text.replace("</worksheet>", over))
    assert refusal(path).startswith("STR-031")


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="E3"><f>A1</f></c>',
        '<c r="E3"><f>A1</f><v></v></c>',
        '<c r="E3"><f t="shared" si="0"/><v/></c>',
        '<c r="E3" t="e"><f>A1</f><v>#DIV/0!</v></c>',
        '<c r="E3" t="e"><v>#N/A</v></c>',
        '<c r="E3"><v>NaN</v></c>',
        '<c r="E3"><v>1e999</v></c>',
    ],
)
def test_a_cell_without_its_value_is_named_as_such_and_not_as_empty(tmp_path: Path, cell: str) -> None:
    found = signatures(with_cell(tmp_path / "b.xlsx", "E3", cell))
    assert first_rows(found) == EXPECTED[:1]
    assert faults(found) == [(3, "STR-027", "Số chứng thư cấp mới")]


def test_a_text_that_was_calculated_to_nothing_is_empty(tmp_path: Path) -> None:
    found = signatures(with_cell(tmp_path / "b.xlsx", "E3", '<c r="E3" t="str"><f>""</f><v></v></c>'))
    assert first_rows(found) == [EXPECTED[0], ("15607", "2025-04", None, 558)]


def test_a_code_of_more_digits_than_a_number_keeps_is_set_aside(tmp_path: Path) -> None:
    found = signatures(with_cell(tmp_path / "b.xlsx", "B3", '<c r="B3"><v>4.68769E+17</v></c>'))
    assert faults(found) == [(3, "STR-026", "Mã ĐVHC")]


@pytest.mark.parametrize("serial", ["-5", "0", "45000.5", "99999999"])
def test_a_date_that_is_no_month_is_set_aside(tmp_path: Path, serial: str) -> None:
    dated = lambda text: re.sub(r"<cellXfs.*?</cellXfs>", '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>', text)  # noqa: E731
    path = edited(with_cell(tmp_path / "b.xlsx", "D3", f'<c r="D3" s="1"><v>{serial}</v></c>'), styles=dated)
    assert faults(signatures(path)) == [(3, "STR-010", "Kỳ báo cáo")]


FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'


def test_a_stray_cell_in_the_last_corner_is_refused_before_it_costs_anything(tmp_path: Path) -> None:
    path = edited(book(tmp_path / "b.xlsx", [HEADER, *ROWS]), sheet1=lambda text: text.replace("</sheetData>", FAR))
    said = refusal(path)
    assert said.startswith("STR-022")
    assert "dòng 1.048.576, cột thứ 16.384" in said


def test_formats_down_to_the_last_row_and_false_sizes_cost_nothing(tmp_path: Path) -> None:
    empty = FAR.replace("<v>1</v></c>", "</c>")
    false = lambda text: re.sub("<dimension[^>]*>", '<dimension ref="A1:XFD1048576"/>', text).replace("</sheetData>", empty)  # noqa: E731
    assert counted(signatures(edited(book(tmp_path / "b.xlsx", [HEADER, *ROWS]), sheet1=false))) == UNDER_THE_FIRST_ROW


@pytest.mark.parametrize(("limits", "what"), [(Limits(rows=2), "dòng 3"), (Limits(columns=6), "cột thứ 7"), (Limits(cells=20), "dòng 3")])
def test_a_sheet_beyond_the_limits_is_refused_with_its_size(tmp_path: Path, limits: Limits, what: str) -> None:
    said = refusal(book(tmp_path / "b.xlsx", [HEADER, *ROWS]), limits=limits)
    assert said.startswith("STR-022")
    assert what in said


def _bomb(path: Path) -> Path:
    return edited(book(path, [HEADER, *ROWS]), sheet1=lambda text: text.replace("</sheetData>", "<row/>" * 4_000_000 + "</sheetData>"))


def test_what_unpacks_to_much_is_refused_whatever_its_directory_says(tmp_path: Path) -> None:
    path = _bomb(tmp_path / "b.xlsx")
    assert "gấp hơn 300 lần" in refusal(path)
    assert "hơn 2 MB" in refusal(path, limits=Limits(unpacked_mb=2))
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    assert "gấp hơn 300 lần" in refusal(path)


def test_shared_texts_count_for_every_cell_that_holds_them(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", [HEADER, *([["x" * 30_000] * 7] * 20)])
    assert refusal(path, limits=Limits(unpacked_mb=4)).startswith("STR-022")


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def stream(name: str) -> bytes:
    return (name.encode("utf-16-le") + b"\0\0").ljust(128, b"\0")


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (OLD + stream("Root Entry") + stream("EncryptedPackage"), "STR-030", "mật khẩu"),
        (OLD + stream("Root Entry") + stream("WordDocument"), "STR-007", "một tệp Word"),
        (OLD + stream("Root Entry") + stream("Workbook"), "STR-031", "bị hỏng"),
        (OLD, "STR-005", "bị cắt giữa chừng"),
        (archive("[Content_Types].xml", "word/document.xml"), "STR-007", "một tệp Word"),
        (archive("so.csv"), "STR-007", "một tệp nén .zip"),
        (archive("xl/workbook.xml"), "STR-031", "bị hỏng"),
        (archive(), "STR-003", "rỗng"),
        (b"%PDF-1.7", "STR-007", "một tệp PDF"),
    ],
)
def test_a_refused_package_is_called_what_it_is(tmp_path: Path, content: bytes, code: str, words: str) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(content)
    said = refusal(path)
    assert said.startswith(code)
    assert words in said


def test_only_an_archive_without_its_end_was_cut_off(tmp_path: Path) -> None:
    whole = book(tmp_path / "b.xlsx", [HEADER, *ROWS]).read_bytes()
    path = tmp_path / "c.xlsx"
    path.write_bytes(whole[: len(whole) * 9 // 10])
    assert refusal(path).startswith("STR-005")
    at = whole.index(b"sheet1.xml") + 40
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    assert refusal(path).startswith("STR-031")


@pytest.mark.parametrize(
    "parts",
    [
        {"sheet1": None},
        {"sheet1": lambda text: text[:-60]},
        {"sheet1": lambda text: text.replace("<worksheet", '<!DOCTYPE x [<!ENTITY e "">]><worksheet', 1).replace("<v>7<", "<v>&e;<")},
        {"sharedStrings": lambda text: re.sub("<si>.*</si>", "", text)},
    ],
    ids=["a missing part", "broken XML", "an entity", "a shared text that is not there"],
)  # fmt: skip
def test_a_damaged_workbook_is_said_to_be_damaged(tmp_path: Path, parts: dict[str, Any]) -> None:
    assert refusal(edited(book(tmp_path / "b.xlsx", [HEADER, *ROWS]), **parts)).startswith("STR-031")


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


HEAD = PAGE[: PAGE.index("<tr><td>2</td>")]
NAMES = ["1", "UBND xã Ngọc Phụng", "Chứng thực", "H56.38.05-240315-0001", "Đã trả kết quả", "", "", ""]
TIMES = ["15/03/2024 08:00:00", "15/03/2024 09:30:00", "", ""]


def html_row(number: int, start: str = "", skip: int = 0, attributes: str = "") -> str:
    texts = [*NAMES[:3], f"H56.38.05-240315-{number:04}", *NAMES[4:], *TIMES][skip:]
    return f"<tr {attributes}>{start}{''.join(f'<td>{text}</td>' for text in texts)}</tr>"


def dossiers(path: Path, body: str, **options: Any) -> list[Chunk]:
    path.write_text(body, "utf-8")
    return list(read(path, contract("dossiers"), "td_html_xls", KEY, "b.xls", **options))


def agencies(found: list[Chunk]) -> list[tuple[int, str, str]]:
    return [(row["row_number"], row["dossier_code"][-4:], row["agency_name"]) for chunk in found for row in chunk.table.to_pylist()]


def test_a_cell_of_a_page_holds_for_every_row_that_it_spans(tmp_path: Path) -> None:
    spanning = '<td>1</td><td rowspan="2">UBND xã A</td>'
    body = html_row(1, spanning, 2) + html_row(2, "<td>2</td>", 2) + html_row(3) + "</table></body></html>"
    assert agencies(dossiers(tmp_path / "b.xls", HEAD + body)) == [
        (4, "0001", "UBND xã A"),
        (5, "0002", "UBND xã A"),
        (6, "0003", NAMES[1]),
    ]


@pytest.mark.parametrize("span", ["²", "-3", "", "0", "1000000000", "9" * 5000, "abc"])
@pytest.mark.parametrize("name", ["colspan", "rowspan"])
def test_a_title_may_span_whatever_it_likes(tmp_path: Path, name: str, span: str) -> None:
    found = dossiers(tmp_path / "b.xls", HEAD.replace('colspan="12"', f'{name}="{span}"', 1) + html_row(1) + "</table></body></html>")
    assert [row[1:] for row in agencies(found)] == ([("0001", NAMES[1])] if found else [])


@pytest.mark.parametrize(
    ("cell", "seen"),
    [
        ("UBND<br>xã&nbsp; A", "UBND xã A"),
        ("<p>UBND</p><p>xã A</p>", "UBND xã A"),
        ("UB<b>ND</b> xã A<script>alert('<td>')</script><span style='display: none'>99</span>", "UBND xã A"),
        ("<table><tr><td>UBND</td></tr><tr><td>xã A</td></tr></table>", "UBND xã A"),
        ("UBND <!-- x --> xã A", "UBND xã A"),
    ],
)
def test_a_cell_of_a_page_is_read_as_it_is_seen(tmp_path: Path, cell: str, seen: str) -> None:
    body = html_row(1, f"<td>1</td><td>{cell}</td>", 2) + html_row(2) + "</table></body></html>"
    assert agencies(dossiers(tmp_path / "b.xls", HEAD + body)) == [(4, "0001", seen), (5, "0002", NAMES[1])]


def test_hidden_rows_and_tables_of_a_page_are_not_what_was_sent(tmp_path: Path) -> None:
    table = HEAD[HEAD.index("<table") :] + html_row(9) + "</table>"
    hidden = html_row(1, attributes="hidden") + f"<tbody style='display:none'>{html_row(2)}</tbody>" + html_row(3)
    found = dossiers(tmp_path / "b.xls", HEAD + hidden + "</table>" + table.replace("<table", "<table style='display:none'") + "</html>")
    assert agencies(found) == [(6, "0003", NAMES[1])]
    assert account(found) == Account(cells=account(found).cells, sheets=2, hidden_sheets=1, hidden_rows=2)


def test_a_page_that_was_encoded_twice_is_read_as_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "b.xls"
    path.write_text(PAGE.encode().decode("latin-1"), "utf-8")
    [row] = next(read(path, contract("dossiers"), "td_html_xls", KEY, "b.xls")).table.to_pylist()
    assert (row["status_code"], row["agency_name"], row["procedure_name"]) == ("10", "UBND xã Ngọc Phụng", "Chứng thực")


def test_two_tables_of_a_page_with_the_header_are_refused_by_their_places(tmp_path: Path) -> None:
    table = HEAD[HEAD.index("<table") :] + html_row(1) + "</table>"
    with pytest.raises(Rejected, match=r"STR-032.*bảng thứ 2 và thứ 3"):
        dossiers(tmp_path / "b.xls", f"<html><body><table><tr><td>Bộ lọc</td></tr></table>{table}{table}</body></html>")


def test_a_table_inside_a_table_that_lays_out_the_page_is_found(tmp_path: Path) -> None:
    table = HEAD[HEAD.index("<table") :] + "".join(map(html_row, range(30))) + "</table>"
    found = dossiers(tmp_path / "b.xls", f"<html><body><table><tr><td>Đơn vị</td></tr><tr><td>{table}</td></tr></table></body></html>")
    assert len(agencies(found)) == 30


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (html_row(1), "STR-005"),
        (html_row(1) + "<div>" * 5000 + "</table></html>", "STR-022"),
        (html_row(1) + f"<tr><td {' '.join(f'a{n}=1' for n in range(20_000))}>1</td></tr></table></html>", "STR-022"),
        ("<tr>" + "<td>1</td>" * 1001 + "</tr></table></html>", "STR-022"),
        (html_row(1) + "</table>\udcff</html>", "STR-006"),
    ],
    ids=["cut off", "nested", "attributes", "cells", "no UTF-8"],
)
def test_a_page_that_cannot_be_read_whole_is_refused(tmp_path: Path, body: str, code: str) -> None:
    path = tmp_path / "b.xls"
    path.write_bytes((HEAD + body).encode("utf-8", "surrogateescape"))
    with pytest.raises(Rejected, match=code):
        list(read(path, contract("dossiers"), "td_html_xls", KEY, "b.xls"))


def test_a_row_with_more_cells_than_the_header_is_set_aside(tmp_path: Path) -> None:
    found = dossiers(
        tmp_path / "b.xls",
        HEAD + html_row(1) + html_row(2).replace("<td></td></tr>", "<td></td><td>thừa</td></tr>") + html_row(3) + "</table></html>",
    )
    assert [row[1] for row in agencies(found)] == ["0001", "0003"]
    assert faults(found) == [(5, "STR-012", "")]
