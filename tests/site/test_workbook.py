"""The workbook as an office opens it: numbers are numbers, texts are texts, every sheet prints."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from tasks.ask.official_table import Line
from tasks.report.workbook import write_workbook
from tasks.words.vietnamese import SAMPLE
from tests.conftest import SampleNight
from tests.unit.lines import LINE


def opened(tmp_path: Path, *lines: Line) -> openpyxl.Workbook:
    path = tmp_path / "book.xlsx"
    write_workbook(list(lines), "2024", datetime(2025, 5, 5, tzinfo=UTC), path)
    return openpyxl.load_workbook(path)


def test_it_has_a_cover_a_sheet_for_each_table_and_notes(tmp_path: Path) -> None:
    book = opened(tmp_path, LINE, replace(LINE, indicator_code="CQ1", official_table="Chỉ tiêu chính quyền số"))
    assert book.sheetnames == ["Bìa", "Biểu 1", "Biểu 2", "Ghi chú"]
    assert [cell.value for cell in book["Biểu 1"][6]] == [
        "01234",
        "Xã Thử",
        4795,
        5205,
        92.1,
        80,
        "đạt",
        "chính thức",
        "",
        "–",
        "–",
        "–",
        "",
    ]
    assert book["Ghi chú"]["C4"].value == "Người được cấp / dân số"


def test_a_missing_value_is_a_dash_never_a_zero(tmp_path: Path) -> None:
    missing = replace(LINE, numerator=None, denominator=None, value=None, target=None, is_met=None, obs_status="L")
    assert [cell.value for cell in opened(tmp_path, missing)["Biểu 1"][6]][2:8] == ["–", "–", "–", "–", None, "chưa thu thập"]


def test_a_value_that_is_held_back_says_so(tmp_path: Path) -> None:
    held = replace(LINE, numerator=None, denominator=None, value=None, is_met=None, obs_status="L", obs_reason="held_back")
    assert [cell.value for cell in opened(tmp_path, held)["Biểu 1"][6]][2:8] == ["–", "–", "–", 80, None, "giữ lại để kiểm tra"]


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
    shown = [cell.value for cell in opened(tmp_path, part)["Biểu 1"][6]]
    assert shown[6:] == ["đạt (tạm tính)", "tạm tính", "16/558 xã", "30/09/2024", "15/01/2025", 90, ""]


def test_a_unit_that_was_there_for_a_part_of_the_period_says_its_days(tmp_path: Path) -> None:
    half = replace(LINE, last_day=date(2024, 6, 30))
    assert opened(tmp_path, half)["Biểu 1"]["B6"].value == "Xã Thử, từ 01/01/2024 đến 30/06/2024"


@pytest.mark.parametrize("text", ["=1+1", "+84", "-5", "@SUM(A1)", "http://example.org", "007"])
def test_a_text_stays_a_text_whatever_it_begins_with(tmp_path: Path, text: str) -> None:
    book = opened(tmp_path, replace(LINE, unit_name=text, indicator_name=text, definition=text, unit_code=text))
    for cell in (book["Biểu 1"]["A6"], book["Biểu 1"]["B6"], book["Ghi chú"]["B4"], book["Ghi chú"]["C4"]):
        assert cell.value == text
        assert cell.data_type == "s"
        assert cell.hyperlink is None


def test_every_sheet_prints_on_a4_across_and_keeps_its_head_in_sight(tmp_path: Path) -> None:
    book = opened(tmp_path, LINE)
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0  # as many pages down as it takes, one across
    assert book["Biểu 1"].freeze_panes == "C5"
    assert book["Biểu 1"].print_title_rows == "$4:$4"


def test_the_same_values_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_workbook([LINE], "2024", datetime(2025, 5, 5, tzinfo=UTC), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_nights_workbook_says_on_cover_tables_and_every_printed_page_that_it_is_made_of_samples(sample_night: SampleNight) -> None:
    book = openpyxl.load_workbook(sample_night.home / "site" / "ba-khong-2024.xlsx")
    assert all(SAMPLE in str(sheet.oddHeader.center.text) for sheet in book)
    said = [sheet.title for sheet in book if SAMPLE in [sheet["A3"].value, sheet["A4"].value]]
    assert said == [name for name in book.sheetnames if name != "Ghi chú"]  # which are definitions, and no figures


def test_a_workbook_of_real_figures_says_nothing_of_samples(tmp_path: Path) -> None:
    for sheet in opened(tmp_path, LINE):
        assert sheet.oddHeader.center.text is None
        assert SAMPLE not in [cell for row in sheet.iter_rows(values_only=True) for cell in row]


def test_the_nights_workbook_holds_every_commune_of_the_district(sample_night: SampleNight) -> None:
    book = openpyxl.load_workbook(sample_night.home / "site" / "ba-khong-2024.xlsx")
    rows = [row for sheet in book for row in sheet.iter_rows(values_only=True) if row[0] == "15655"]
    assert ("15655", "Xã Ngọc Phụng", 2660, 3798, 70, "–", None, "chính thức") in [row[:8] for row in rows]
    codes = {row[0] for row in book["Biểu 1"].iter_rows(values_only=True) if isinstance(row[0], str) and row[0].isdigit()}
    assert len(codes) == 16 + 2
    assert book.properties.created.date() == date(2026, 9, 30)


def test_the_nights_workbook_holds_units_of_today_for_the_year_before_they_began(sample_night: SampleNight) -> None:
    """By hand from people-counts/dan_cu_mau_20241231.csv: 1.169 + 1.704 + 2.328 + 4.795 of 1.328 + 1.807 + 2.592 + 5.205 adults."""
    book = openpyxl.load_workbook(sample_night.home / "site" / "ba-khong-2024.xlsx")
    rows = list(book["Đơn vị hiện nay"].iter_rows(values_only=True))
    place = next(number for number, row in enumerate(rows) if str(row[0]).startswith("ND3."))
    of_today = {row[0]: row[1:] for row in rows[place + 1 : place + 11]}
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
        words = [str(row[0]) for row in rows if "không công khai" in str(row[0])]
        assert len(words) == 1
        hidden = sum(row.count("…") for row in rows)
        assert words[0].split()[0] == str(hidden if sheet == "Biểu 06a" else sum("…" in row for row in rows))
    cells = [cell for row in book["Biểu 06a"].iter_rows(min_row=9, min_col=3, values_only=True) for cell in row if isinstance(cell, int)]
    assert cells
    assert not [cell for cell in cells if 0 < cell < 5]
