"""The workbook as an office opens it: numbers are numbers, texts are texts, every sheet prints."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tasks.ask.official_table import Line
from tasks.report.workbook import Signature, write_workbook
from tasks.words.vietnamese import SAMPLE
from tests.conftest import SampleNight
from tests.unit.lines import LINE


def opened(tmp_path: Path, *lines: Line) -> openpyxl.Workbook:
    path = tmp_path / "book.xlsx"
    write_workbook(list(lines), "2024", datetime(2025, 5, 5, tzinfo=UTC), path)
    return openpyxl.load_workbook(path)


def data(book: openpyxl.Workbook, row: int = 5) -> list[Any]:
    return [cell.value for cell in book["Số liệu"][row]]


def test_it_has_a_cover_a_sheet_for_each_table_charts_data_and_notes(tmp_path: Path) -> None:
    book = opened(tmp_path, LINE, replace(LINE, indicator_code="CQ1", official_table="Chỉ tiêu chính quyền số"))
    assert book.sheetnames == ["Bìa", "Biểu 1", "Biểu 2", "Biểu đồ", "Số liệu", "Ghi chú"]
    assert [cell.value for cell in book["Biểu 1"][6]] == ["01234", "Xã Thử", "cấp xã", 92.1]
    assert [book["Biểu 1"][place].value for place in ("D4", "D5")] == ["Định danh điện tử\nMục tiêu: 80%", "ND3"]
    assert data(book) == [
        "Biểu 1", "ND3", "Định danh điện tử", "01234", "Xã Thử", "cấp xã", 4795, 5205, 92.1, 80, "đạt", "chính thức", "", "–", "–", "–", "",
    ]  # fmt: skip
    assert book["Ghi chú"]["C4"].value == "Người được cấp / dân số"


def test_a_missing_value_is_a_dash_never_a_zero(tmp_path: Path) -> None:
    missing = replace(LINE, numerator=None, denominator=None, value=None, is_met=None, obs_status="L")
    book = opened(tmp_path, missing)
    assert data(book)[6:12] == ["–", "–", "–", 80, "", "chưa thu thập"]
    assert book["Biểu 1"]["D6"].value == "–"


def test_a_dash_for_a_target_gives_its_reason(tmp_path: Path) -> None:
    reasons = {
        "ND3": (replace(LINE, target=None, is_met=None), "chưa có mục tiêu cho kỳ này"),
        "CQ4": (replace(LINE, target=None, is_met=None, full_marks=Decimal(80)), "chỉ có mức điểm tối đa (766)"),
        "CQ6P": (replace(LINE, target=None, is_met=None), "cao hơn không hẳn là tốt hơn"),
        "ST3": (replace(LINE, target=None, is_met=None, unit_measure="lượt người"), "là số đếm"),
    }
    book = opened(tmp_path, *(replace(line, indicator_code=code) for code, (line, _) in reasons.items()))
    assert {row[1]: (row[9], row[10]) for row in book["Số liệu"].iter_rows(min_row=5, values_only=True)} == {
        code: ("–", why) for code, (_, why) in reasons.items()
    }
    told = next(str(row[0]) for row in book["Biểu 1"].iter_rows(values_only=True) if str(row[0]).startswith("Mục tiêu “–”"))
    assert all(f"{code} {why}" in told for code, (_, why) in reasons.items())


def test_a_value_that_is_held_back_says_so(tmp_path: Path) -> None:
    held = replace(LINE, numerator=None, denominator=None, value=None, is_met=None, obs_status="L", obs_reason="held_back")
    assert data(opened(tmp_path, held))[6:12] == ["–", "–", "–", 80, "", "giữ lại để kiểm tra"]


def test_a_part_says_of_how_many_it_is_up_to_when_and_until_when_the_rest_is_due(tmp_path: Path) -> None:
    part = replace(
        LINE,
        unit_level="province",
        obs_status="P",
        units_counted=16,
        units_expected=558,
        data_until=date(2024, 9, 30),
        next_due=date(2025, 1, 15),
        full_marks=Decimal(90),
    )
    book = opened(tmp_path, part)
    assert data(book)[10:] == ["đạt (tạm tính)", "tạm tính", "16/558 xã", datetime(2024, 9, 30), datetime(2025, 1, 15), 90, ""]
    assert "dd/mm/yyyy" in book["Số liệu"]["N5"].number_format
    assert book["Biểu 1"]["D6"].font.italic, "it may still change"


def test_what_is_met_is_told_apart_by_the_counts_and_not_by_what_is_printed(tmp_path: Path) -> None:
    """79,96 % is printed 80,0 %, and has not reached 80 %."""
    almost = replace(LINE, numerator=7996, denominator=10000, value=Decimal("80.0"), is_met=False)
    book = opened(tmp_path, almost)
    assert data(book)[10] == "chưa đạt"
    assert book["Biểu 1"]["D6"].font.bold
    begins = {rule.text: bool(rule.dxf.font.b) for found in book["Số liệu"].conditional_formatting for rule in found.rules if rule.text}
    assert begins == {"đạt": False, "chưa đạt": True}


def test_a_unit_that_was_there_for_a_part_of_the_period_says_its_days(tmp_path: Path) -> None:
    half = replace(LINE, last_day=date(2024, 6, 30))
    book = opened(tmp_path, half)
    assert data(book)[4] == book["Biểu 1"]["B6"].value == "Xã Thử, từ 01/01/2024 đến 30/06/2024"


def test_data_and_tables_are_filtered_by_their_heads_and_nothing_is_merged_in_between(tmp_path: Path) -> None:
    book = opened(tmp_path, LINE, replace(LINE, unit_code="01235"))
    assert book["Số liệu"].auto_filter.ref == "A4:Q6"
    assert book["Biểu 1"].auto_filter.ref == "A5:D7"
    assert not book["Số liệu"].merged_cells


def test_of_the_data_that_of_the_highest_unit_is_printed_and_the_rest_is_there(tmp_path: Path) -> None:
    below = [replace(LINE, unit_code=f"0123{number}") for number in range(5)]
    book = opened(tmp_path, *below, replace(LINE, unit_code="396", unit_level="district", unit_name="Huyện Thử"))
    sheet = book["Số liệu"]
    assert [row[3] for row in sheet.iter_rows(min_row=5, values_only=True)][:2] == ["396", "01230"]
    assert sheet.max_row == 4 + 6
    assert sheet.print_area == "'Số liệu'!$A$1:$Q$5"
    assert "Huyện Thử" in str(sheet["A2"].value)


def test_a_unit_is_drawn_against_its_targets_and_those_below_beside_each_other(tmp_path: Path) -> None:
    missing = replace(LINE, unit_code="01236", value=None, numerator=None, denominator=None, obs_status="L", is_met=None)
    district = replace(LINE, unit_code="396", unit_level="district", unit_name="Huyện Thử")
    book = opened(tmp_path, district, LINE, replace(LINE, unit_code="01235"), missing)
    assert [cell.value for cell in book["Biểu đồ"][5]] == ["ND3", "Định danh điện tử", 92.1, 80]
    assert len(book["Biểu đồ"]._charts) == 1
    rows = [[cell.value for cell in row] for row in book["So sánh"].iter_rows(min_row=5)]
    assert [row[2] for row in rows] == [92.1, 92.1, None], "no bar of nought where there is no value"
    assert len(book["So sánh"]._charts) == 1


def test_a_single_unit_is_compared_with_nobody(tmp_path: Path) -> None:
    assert "So sánh" not in opened(tmp_path, LINE).sheetnames


def test_the_cover_names_publisher_edition_date_and_every_sheet(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    at = datetime(2025, 5, 5, 2, tzinfo=UTC)
    signature = Signature(7, "Lê Thị Lan", datetime(2025, 5, 6, 2, tzinfo=UTC), "ab12", None)
    write_workbook([LINE], "2024", at, path, signature=signature, publisher="UBND tỉnh Thử")
    book = openpyxl.load_workbook(path)
    said = " ".join(str(cell) for row in book["Bìa"].iter_rows(values_only=True) for cell in row if cell)
    for words in (
        "Đơn vị công bố: UBND tỉnh Thử",
        "Công bố số 7, Lê Thị Lan ký lúc 09:00 06/05/2025",
        "Số liệu đến 09:00 05/05/2025",
        "ab12",
    ):
        assert words in said
    linked = {cell.value for row in book["Bìa"].iter_rows() for cell in row if cell.hyperlink}
    assert linked == set(book.sheetnames) - {"Bìa"}
    assert "chưa ký" in str(opened(tmp_path, LINE)["Bìa"]["A3"].value)


@pytest.mark.parametrize("text", ["=1+1", "+84", "-5", "@SUM(A1)", "http://example.org", "007"])
def test_a_text_stays_a_text_whatever_it_begins_with(tmp_path: Path, text: str) -> None:
    book = opened(tmp_path, replace(LINE, unit_name=text, indicator_name=text, definition=text, unit_code=text))
    sheets = {"Biểu 1": ("A6", "B6"), "Số liệu": ("C5", "D5", "E5"), "Biểu đồ": ("B5",), "Ghi chú": ("B4", "C4")}
    for cell in (book[name][place] for name, places in sheets.items() for place in places):
        assert cell.value == text
        assert cell.data_type == "s"
        assert cell.hyperlink is None


def test_every_sheet_prints_on_a4_across_and_keeps_its_head_in_sight(tmp_path: Path) -> None:
    book = opened(tmp_path, LINE)
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        # As many pages down as it takes, one across; charts are seen whole.
        assert sheet.page_setup.fitToHeight == (None if sheet.title in ("Biểu đồ", "So sánh") else 0)
    assert book["Biểu 1"].freeze_panes == "C6"
    assert book["Biểu 1"].print_title_rows == "$4:$5"


def test_the_same_values_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_workbook([LINE], "2024", datetime(2025, 5, 5, tzinfo=UTC), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_nights_workbook_says_on_cover_tables_and_every_printed_page_that_it_is_made_of_samples(sample_night: SampleNight) -> None:
    book = openpyxl.load_workbook(sample_night.home / "site" / "ba-khong-2024.xlsx")
    assert all(SAMPLE in str(sheet.oddHeader.center.text) for sheet in book)
    said = [sheet.title for sheet in book if SAMPLE in [sheet["A3"].value, sheet["A4"].value, sheet["A5"].value]]
    assert said == [name for name in book.sheetnames if name != "Ghi chú"]  # which are definitions, and no figures


def test_a_workbook_of_real_figures_says_nothing_of_samples(tmp_path: Path) -> None:
    for sheet in opened(tmp_path, LINE):
        assert sheet.oddHeader.center.text is None
        assert SAMPLE not in [cell for row in sheet.iter_rows(values_only=True) for cell in row]


def test_the_nights_workbook_holds_every_commune_of_the_district(sample_night: SampleNight) -> None:
    book = openpyxl.load_workbook(sample_night.home / "site" / "ba-khong-2024.xlsx")
    rows = [row for row in book["Số liệu"].iter_rows(values_only=True) if row[3] == "15655"]
    here = (2660, 3798, 70, "–", "chưa có mục tiêu cho kỳ này", "chính thức")
    assert ("15655", "Xã Ngọc Phụng", "cấp xã", *here) in [row[3:12] for row in rows]
    codes = {row[0] for row in book["Biểu 1"].iter_rows(values_only=True) if isinstance(row[0], str) and row[0].isdigit()}
    assert len(codes) == 16 + 2
    assert book.properties.created.date() == date(2026, 9, 30)


def test_the_nights_workbook_holds_units_of_today_for_the_year_before_they_began(sample_night: SampleNight) -> None:
    """By hand from people-counts/dan_cu_mau_20241231.csv: 1.169 + 1.704 + 2.328 + 4.795 of 1.328 + 1.807 + 2.592 + 5.205 adults."""
    book = openpyxl.load_workbook(sample_night.home / "site" / "ba-khong-2024.xlsx")
    rows = list(book["Đơn vị hiện nay"].iter_rows(values_only=True))
    of_today = {row[2]: row[3:] for row in rows if row[0] == "ND3"}
    assert of_today["15646"][:5] == ("Xã Thường Xuân", 9996, 10932, 91.4, "chính thức")
    assert of_today["15634"][1:5] == ("–", "–", "–", "không tính lại được")
    assert of_today["15634"][6] == "Xã Luận Khê (15637) chỉ nhập vào một phần"


def test_the_nights_workbook_holds_form_06a_and_the_scores_of_766_of_the_province(sample_night: SampleNight) -> None:
    book = openpyxl.load_workbook(sample_night.home / "site" / "ba-khong-2024.xlsx")
    form = [[cell.value for cell in row] for row in book["Biểu 06a"]]
    received, online, other, before = next(row for row in form if row[1] == "Tổng cộng")[2:6]
    assert received == online + other + before > 1442
    scores = [[cell.value for cell in row] for row in book["Chỉ số 766"]]
    commune = next(row for row in scores if row[1] == "15655")
    assert commune[5] == 12  # more than half of its dossiers came online: full points of the group
    assert commune[3] == "–"  # what the province publishes is not counted from dossiers


def test_the_nights_workbook_shows_no_count_of_few_and_says_how_many_it_hides(sample_night: SampleNight) -> None:
    book = openpyxl.load_workbook(sample_night.home / "site" / "ba-khong-2024.xlsx")
    for sheet in ("Biểu 1", "Biểu 2", "Biểu 06a"):
        rows = list(book[sheet].iter_rows(values_only=True))
        words = [str(row[0]) for row in rows if "không công khai:" in str(row[0])]
        assert len(words) == 1
        assert words[0].split()[0] == str(sum(row.count("…") for row in rows))
    cells = [cell for row in book["Biểu 06a"].iter_rows(min_row=9, min_col=3, values_only=True) for cell in row if isinstance(cell, int)]
    assert cells
    assert not [cell for cell in cells if 0 < cell < 5]
