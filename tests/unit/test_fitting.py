"""A cell that cannot be of its column is set aside by the rule that says why; what no one sees in it changes nothing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from expectations.contract import Column
from tasks.read.cells import clean, tidy
from tasks.read.fitting import fit
from tasks.read.rows import LOST_DIGITS, NO_VALUE, WITHOUT_VALUE

CODE = r"^[A-Za-z0-9._/-]{2,40}$"
PAPER = r"^(?:\d{9}|\d{12})$"


def column(kind: str = "text", **changes: Any) -> Column:
    return Column.model_validate({"type": kind, "description": "a column", **changes})


def broken(value: str, of: Column) -> str | None:
    """The rule that a cell breaks, among others that break none."""
    good = "038085001234" if of.type == "hash" else "AB-1"
    fitting, faults = fit(clean(pa.array([good, value]), [""]), of)
    assert [fitting[0].as_py(), len(faults) <= 1] == [good, True]
    assert (fitting[1].as_py() is None) == bool(faults)
    return faults[0][0] if faults else None


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("HD0001", None),
        ("123456789012", None),  # a provider may number its bills so
        ("4.68769E+17", "STR-026"),
        ("4,68769e+17", "STR-026"),
        ("46876900000000000000", "STR-026"),
        ("46876912345678901234", None),
        ("2E05", None),
        ("#REF!", "STR-027"),
        ("#n/a", "STR-027"),
        (WITHOUT_VALUE, "STR-027"),
        (LOST_DIGITS, "STR-026"),
        (NO_VALUE, "STR-010"),
        ("HD\x00001", "STR-034"),
        ("HD\ufffd001", "STR-034"),
        ("HĐ0001", "STR-015"),
        ("'; DROP TABLE ops.delivery; --", "STR-015"),
        ("x" * 41, "STR-015"),
        ("x" * 10_000, "STR-035"),
    ],
)
def test_a_code_is_of_its_plausible_shape(value: str, rule: str | None) -> None:
    assert broken(value, column(pattern=CODE, numeric=True)) == rule


@pytest.mark.parametrize("value", ["038085001234", "Chợ của 038085001234", "ĐT: 0912345678", "+84912345678", "nguoi.mau@example.vn"])
def test_no_other_text_names_a_person_by_number_or_address(value: str) -> None:
    assert broken(value, column()) == "STR-028"
    assert broken(value, column(pattern=r"^.{2,60}$")) == "STR-028"


@pytest.mark.parametrize("value", ["Báo Thanh Hóa 30/04/2025", "QĐ 3097/QĐ-UBND", "UBND xã 12345678", "H56.38.14-240315-0001"])
def test_dates_and_numbers_of_documents_name_nobody(value: str) -> None:
    assert broken(value, column()) is None


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("038 085.001234", None),
        ("171234567", None),
        ("38085001234", "STR-029"),  # its zero is gone
        ("7.9E+10", "STR-026"),
        ("không có", "STR-029"),
    ],
)
def test_a_hash_is_made_of_papers_of_a_known_shape_only(value: str, rule: str | None) -> None:
    assert broken(value, column("hash", pattern=PAPER)) == rule


def test_a_single_long_number_that_ends_in_zeros_is_no_sign_of_a_spreadsheet() -> None:
    _, faults = fit(pa.array(["1234567890123400", "1234567890123456"]), column(pattern=CODE, numeric=True))
    assert faults == []
    _, faults = fit(pa.array(["1234567890123450", "2234567890123450", "3234567890123450", "AB"]), column(pattern=CODE, numeric=True))
    assert [(code, mask.to_pylist()) for code, mask in faults] == [("STR-026", [True, True, True, False])]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HD\u200b0001\u200e", "HD0001"),
        ("\ufeffXã\u00a0 Ngọc\u2028Phụng ", "Xã Ngọc Phụng"),
        ("Ðã trả kết quả", "Đã trả kết quả"),
        ("XÃ£ Ngá»\x8dc Phá»¥ng", "Xã Ngọc Phụng"),
        ("Ã la carte của Ã", "Ã la carte của Ã"),
        ("Hòa", "Hòa"),
    ],
)
def test_what_no_one_sees_and_what_was_encoded_twice_is_made_good(written: str, meant: str) -> None:
    assert tidy(written) == meant
    assert clean(pa.array([written, "x"]), [""])[0].as_py() == meant


def test_a_text_guarded_against_spreadsheets_is_the_text() -> None:
    assert clean(pa.array(['="00123"', "=1+1", "a"]), [""]).to_pylist() == ["00123", "=1+1", "a"]
