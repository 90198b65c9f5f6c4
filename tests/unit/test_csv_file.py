"""CSV as Excel with Vietnamese settings takes it, without a cell that acts."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tasks.report.csv_file import write_csv
from tasks.report.values_csv import values_csv
from tests.unit.lines import LINE


def read(sent: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sent.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_numbers_have_a_decimal_comma_and_no_thousands_days_are_iso_and_what_is_missing_is_empty() -> None:
    told = io.StringIO(newline="")
    write_csv(told, ("a", "b"), [(1234567, Decimal("-12.50")), (date(2024, 3, 1), None), (True, False), ("a;b", 'c"d\ne')])
    assert told.getvalue() == 'a;b\r\n1234567;-12,50\r\n2024-03-01;\r\ncó;không\r\n"a;b";"c""d\ne"\r\n'


@pytest.mark.parametrize("text", ["=1+1", "+84", "-x", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_text_that_begins_as_a_formula_is_none(text: str) -> None:
    (line,) = read(values_csv([replace(LINE, unit_name=text)]))
    assert line["Đơn vị"] == f"'{text}"


def test_a_value_is_a_line_with_all_that_is_known_of_it() -> None:
    sent = values_csv([LINE, replace(LINE, numerator=None, denominator=None, value=None, is_met=None, obs_status="L")])
    assert sent.startswith(b"\xef\xbb\xbf"), "without its mark Excel takes it for another alphabet"
    first, second = read(sent)
    assert [first[name] for name in ("Tử số", "Mẫu số", "Kết quả", "Đơn vị tính", "Mục tiêu")] == ["4795", "5205", "92,1", "%", "80"]
    assert (first["Mã ĐVHC"], first["Cấp"], first["Đạt mục tiêu"], first["Tình trạng số liệu"]) == ("01234", "cấp xã", "có", "chính thức")
    assert (second["Tử số"], second["Kết quả"], second["Đạt mục tiêu"], second["Mã tình trạng (SDMX)"]) == ("", "", "", "L")
