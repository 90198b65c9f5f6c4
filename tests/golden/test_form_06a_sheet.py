"""The sheet of form II.06a: the official layout, and the counts as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tasks.ask.official_table import Unit
from tasks.report.form_06a_sheet import Row, reported_days, reporting, section_name, total, write_form_06a

NGOC_PHUNG = Unit("15655", "Xã Ngọc Phụng", "commune", date(1, 1, 1), "Huyện Thường Xuân")
ROWS = [
    Row("district", "Đất đai", (3, 1, 1, 1, 2, 1, 1, 0, 1, 0, 1)),
    Row("commune", "Chứng thực", (9, 6, 2, 1, 6, 2, 3, 1, 3, 2, 1)),
    Row("commune", "=Hộ tịch", (1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0)),
]


def test_the_sheet_of_a_unit_that_ended_in_the_period_says_its_days(tmp_path: Path) -> None:
    write_form_06a(ROWS, replace(NGOC_PHUNG, valid_to=date(2025, 6, 30)), "2025", tmp_path / "06a.xlsx")
    sheet = load_workbook(tmp_path / "06a.xlsx").active
    assert sheet is not None
    assert sheet["D2"].value == "Kỳ báo cáo: Từ 01/01/2025 đến 30/06/2025"
    assert sheet["D3"].value == "(Từ ngày 01/01/2025 đến ngày 30/06/2025)"


def test_the_sheet_looks_like_the_official_form(tmp_path: Path) -> None:
    path = tmp_path / "06a.xlsx"
    write_form_06a(ROWS, NGOC_PHUNG, "2024-03", path)
    sheet = load_workbook(path).active
    assert sheet is not None
    assert str(sheet["A1"].value).split("\n")[0] == "Biểu số II.06a/VPCP/KSTT"
    assert sheet["D1"].value == "TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC TẠI CƠ QUAN, ĐƠN VỊ TRỰC TIẾP GIẢI QUYẾT TTHC"
    assert sheet["D3"].value == "(Từ ngày 01/03/2024 đến ngày 31/03/2024)"
    assert str(sheet["J1"].value).split("\n") == [
        "- Đơn vị báo cáo:", "UBND xã Ngọc Phụng", "- Đơn vị nhận báo cáo:", "UBND huyện Thường Xuân"
    ]  # fmt: skip
    assert sheet["D6"].value == "Trong đó"
    assert str(sheet["I6"].value).split("\n") == ["Đúng hạn", "(Bao gồm cả hồ sơ Trả lại / Xin rút)"]
    held = "(Bao gồm cả hồ sơ chờ bổ sung, chờ thực hiện nghĩa vụ tài chính, dừng xử lý)"
    assert str(sheet["L6"].value).split("\n") == ["Trong hạn", held]
    assert [sheet.cell(8, column).value for column in range(1, 14)] == [f"({number})" for number in range(1, 14)]
    assert [sheet.cell(row, 1).value for row in range(9, 15)] == ["I", 1, "II", 1, 2, None]
    assert [sheet.cell(12, column).value for column in range(2, 14)] == ["Chứng thực", 9, 6, 2, 1, 6, 2, 3, 1, 3, 2, 1]
    assert sheet["B13"].value == "=Hộ tịch" and sheet["B13"].data_type == "s"  # a text someone sent, never a formula
    assert [sheet.cell(14, column).value for column in range(2, 14)] == ["Tổng cộng", *total(ROWS)]
    assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize or 0), sheet.page_setup.fitToHeight) == ("landscape", 9, 0)
    assert sheet.print_title_rows == "$5:$8"
    assert not path.with_suffix(".draft").exists()


@pytest.mark.parametrize(
    ("unit", "receives"),
    [
        (Unit("15646", "Xã Thường Xuân", "commune", date(2025, 7, 1), "Tỉnh Thanh Hóa"), "UBND tỉnh Thanh Hóa"),
        (Unit("38", "Tỉnh Thanh Hóa", "province", date(1, 1, 1), None), "Văn phòng Chính phủ"),
    ],
)
def test_the_form_goes_to_the_unit_above_and_the_provinces_to_the_government_office(unit: Unit, receives: str) -> None:
    assert reporting(unit)[1] == receives


@pytest.mark.parametrize(
    ("period", "name"),
    [("2025-06", "Xã, phường, thị trấn"), ("2025", "Xã, phường, thị trấn"), ("2025-07", "Xã, phường"), ("2026", "Xã, phường")],
)
def test_from_july_2025_on_there_are_no_towns(period: str, name: str) -> None:
    assert section_name("commune", period) == name


def test_dossiers_of_no_unit_stand_in_a_section_of_their_own_so_that_the_form_reconciles(tmp_path: Path) -> None:
    path = tmp_path / "06a.xlsx"
    province = Unit("38", "Tỉnh Thanh Hóa", "province", date(1, 1, 1), None)
    rows = [
        Row("commune", "Chứng thực", (5, 3, 2, 0, 5, 5, 0, 0, 0, 0, 0)),
        Row("unknown", "Chứng thực", (2, 2, 0, 0, 1, 0, 1, 0, 1, 1, 0)),
    ]
    write_form_06a(rows, province, "2025-07", path)
    sheet: Any = load_workbook(path).active
    assert [[sheet.cell(row, column).value for column in (1, 2, 3)] for row in range(9, 14)] == [
        ["I", "Xã, phường", None],
        [1, "Chứng thực", 5],
        ["II", "Chưa xác định đơn vị", None],
        [1, "Chứng thực", 2],
        [None, "Tổng cộng", 7],
    ]


def test_a_form_by_the_calendar_of_the_decree_says_its_days() -> None:
    """Nghị định 09/2019/NĐ-CP, Điều 12: the first quarter of 2025 is from 15/12/2024 to 14/03/2025."""
    unit = Unit("38", "Tỉnh Thanh Hóa", "province", date.min, None)
    by_the_decree = [Row("province", "Hộ tịch", (0,) * 11, "nghi_dinh_09")]
    assert reported_days(by_the_decree, unit, "2025-Q1") == (date(2024, 12, 15), date(2025, 3, 14))
    assert reported_days([], unit, "2025-Q1") == (date(2025, 1, 1), date(2025, 3, 31))
