"""Names as people write them, made comparable."""

from __future__ import annotations

import unicodedata

import pytest

from warehouse.names import normalise_name


@pytest.mark.parametrize(
    "written",
    [
        "UBND thị trấn Thường Xuân",
        "ubnd  THỊ TRẤN Thường Xuân ",
        "UBND TT. Thường Xuân",
        "UBND TT.Thường Xuân",
        "Ủy ban nhân dân thị trấn Thường Xuân",
        "Uỷ ban nhân dân thị trấn Thường Xuân",
        unicodedata.normalize("NFD", "Ủy ban nhân dân thị trấn Thường Xuân"),
    ],
)
def test_ways_of_writing_an_agency_are_one_name(written: str) -> None:
    assert normalise_name(written) == "ubnd thị trấn thường xuân"


def test_the_tone_may_stand_on_either_vowel() -> None:
    assert normalise_name("Sở Y tế Thanh Hoá") == normalise_name("Sở Y tế Thanh Hóa")


@pytest.mark.parametrize("other", ["UBND xã Thường Xuân", "UBND huyện Thường Xuân", "UBND thị trấn Thường Xuân B", "thị trấn Thường Xuân"])
def test_another_kind_or_another_word_is_another_agency(other: str) -> None:
    assert normalise_name(other) != normalise_name("UBND thị trấn Thường Xuân")
