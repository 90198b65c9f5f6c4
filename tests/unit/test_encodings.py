"""TCVN3, VNI and Windows-1258 are recognised and converted, and nothing is guessed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.read.encodings import from_tcvn3, from_vni, is_windows_1258, recognise

SENTENCE = "Xã Ngọc Phụng, huyện Thường Xuân, tỉnh Thanh Hóa"
# The same words as glibc's `iconv -t TCVN5712-1` and a VNI-Windows keyboard write them, read as Latin-1.
IN_TCVN3 = "X· Ngäc Phông, huyÖn Th\u00adêng Xu©n, tØnh Thanh Hãa"
IN_VNI = "Xaõ Ngoïc Phuïng, huyeän Thöôøng Xuaân, tænh Thanh Hoùa"

# Windows-1258 has few letters with a tone; the others are the letter, then the tone (CC grave, D2 hook, DE tilde, EC acute, F2 dot).
IN_1258 = b"Xa\xde Ngo\xf2c Phu\xf2ng, huy\xea\xf2n Th\xfd\xf5\xccng Xu\xe2n, ti\xd2nh Thanh H\xf3a"


def test_tcvn3_letters_are_those_of_the_published_table() -> None:
    assert from_tcvn3(bytes([0xB8, 0xB5, 0xB6, 0xB7, 0xB9, 0xD0, 0xCE]).decode("latin-1")) == "áàảãạéẻ"


def test_vni_letters_are_those_of_the_published_table() -> None:
    assert from_vni("aù aø aï") == "á à ạ"


def test_a_sentence_in_either_encoding_is_read_as_it_was_meant() -> None:
    assert from_tcvn3(IN_TCVN3) == SENTENCE
    assert from_vni(IN_VNI) == SENTENCE


def test_a_word_in_a_capital_font_of_tcvn3_becomes_capitals() -> None:
    assert from_tcvn3("THANH HãA") == "THANH HÓA"


def test_vni_capitals_stay_capitals() -> None:
    assert from_vni("ÑÔN VÒ, NGHÓA, HOÙA") == "ĐƠN VỊ, NGHĨA, HÓA"


@pytest.mark.parametrize(("text", "encoding"), [(SENTENCE, "unicode"), (IN_TCVN3, "tcvn3"), (IN_VNI, "vni"), ("Cong ty A, 123", "unicode")])
def test_each_encoding_is_recognised(text: str, encoding: str) -> None:
    assert recognise(text) == encoding


@pytest.mark.parametrize("text", ["Müller Straße Größe", "þðæ ßÿ", "Привет мир"])
def test_what_is_none_of_them_is_not_guessed(text: str) -> None:
    assert recognise(text) is None


def test_windows_1258_is_recognised_and_says_the_same() -> None:
    assert is_windows_1258(IN_1258)
    assert unicodedata.normalize("NFC", IN_1258.decode("cp1258")) == SENTENCE
    assert recognise(IN_1258.decode("latin-1")) not in ("tcvn3", "vni")


@pytest.mark.parametrize(
    "data",
    [
        IN_TCVN3.encode("latin-1"),
        IN_VNI.encode("latin-1"),
        SENTENCE.encode("cp1258", "ignore"),
        SENTENCE.encode("cp1258", "replace"),
        "Müller Straße Größe São Tomé".encode("latin-1"),
        "Привет мир".encode("cp1251"),
        b"\x81\x8d" + IN_1258,
        b"Cong ty A, 123",
    ],
    ids=["TCVN3", "VNI", "letters dropped", "letters as ?", "Western", "Cyrillic", "not of that page", "ASCII"],
)
def test_what_is_not_windows_1258_or_lost_letters_is_not_taken_for_it(data: bytes) -> None:
    assert not is_windows_1258(data)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_ascii_is_never_changed(text: str) -> None:
    assert recognise(text) == "unicode"
    assert from_tcvn3(text) == text
    assert from_vni(text) == text
