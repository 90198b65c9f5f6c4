"""TCVN3 (ABC) and VNI, the two font encodings of old Vietnamese office files, and Windows-1258: recognise, convert, never guess.

The first two write Vietnamese with Latin-1 bytes, so a file in them is either no UTF-8 at all, or UTF-8 that shows
`M· §VHC` where `Mã ĐVHC` was meant. The third is how programs of Windows set to Vietnamese save a file that is no Unicode.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

Encoding = Literal["unicode", "tcvn3", "vni"]

_TCVN3_BYTES = {
    "a8": "ă", "a9": "â", "aa": "ê", "ab": "ô", "ac": "ơ", "ad": "ư", "ae": "đ",
    "a1": "Ă", "a2": "Â", "a3": "Ê", "a4": "Ô", "a5": "Ơ", "a6": "Ư", "a7": "Đ",
    "b5": "à", "b6": "ả", "b7": "ã", "b8": "á", "b9": "ạ",
    "bb": "ằ", "bc": "ẳ", "bd": "ẵ", "be": "ắ", "c6": "ặ",
    "c7": "ầ", "c8": "ẩ", "c9": "ẫ", "ca": "ấ", "cb": "ậ",
    "cc": "è", "ce": "ẻ", "cf": "ẽ", "d0": "é", "d1": "ẹ",
    "d2": "ề", "d3": "ể", "d4": "ễ", "d5": "ế", "d6": "ệ",
    "d7": "ì", "d8": "ỉ", "dc": "ĩ", "dd": "í", "de": "ị",
    "df": "ò", "e1": "ỏ", "e2": "õ", "e3": "ó", "e4": "ọ",
    "e5": "ồ", "e6": "ổ", "e7": "ỗ", "e8": "ố", "e9": "ộ",
    "ea": "ờ", "eb": "ở", "ec": "ỡ", "ed": "ớ", "ee": "ợ",
    "ef": "ù", "f1": "ủ", "f2": "ũ", "f3": "ú", "f4": "ụ",
    "f5": "ừ", "f6": "ử", "f7": "ữ", "f8": "ứ", "f9": "ự",
    "fa": "ỳ", "fb": "ỷ", "fc": "ỹ", "fd": "ý", "fe": "ỵ",
}  # fmt: skip
_TCVN3 = {int(byte, 16): letter for byte, letter in _TCVN3_BYTES.items()}

_GRAVE, _ACUTE, _HOOK, _TILDE, _DOT, _CIRCUMFLEX, _BREVE = "\u0300", "\u0301", "\u0309", "\u0303", "\u0323", "\u0302", "\u0306"
_VNI_MARKS = {
    "ø": _GRAVE, "ù": _ACUTE, "û": _HOOK, "õ": _TILDE, "ï": _DOT,
    "â": _CIRCUMFLEX, "à": _CIRCUMFLEX + _GRAVE, "á": _CIRCUMFLEX + _ACUTE, "å": _CIRCUMFLEX + _HOOK,
    "ã": _CIRCUMFLEX + _TILDE, "ä": _CIRCUMFLEX + _DOT,
    "ê": _BREVE, "è": _BREVE + _GRAVE, "é": _BREVE + _ACUTE, "ú": _BREVE + _HOOK, "ü": _BREVE + _TILDE, "ë": _BREVE + _DOT,
}  # fmt: skip
_VNI_LETTERS = {"ñ": "đ", "ô": "ơ", "ö": "ư", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_VNI_MARKS |= {letter.upper(): marks for letter, marks in _VNI_MARKS.items()}
_VNI_LETTERS |= {letter.upper(): meant.upper() for letter, meant in _VNI_LETTERS.items()}
_VNI = re.compile(f"([AEOUYaeouyôöÔÖ])([{''.join(_VNI_MARKS)}])|([{''.join(_VNI_LETTERS)}])")

_WORD = re.compile(r"[^\W\d_]+")
_SYLLABLE = re.compile(
    "(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdđghklmnpqrstvx])?"
    "(?:iêu|yêu|uôi|ươi|ươu|oai|oay|oeo|uây|uya|uyê|uyu|ai|ao|au|ay|âu|ây|eo|êu|ia|iê|iu|oa|oă|oe|oi|oo|ôi|ơi|ua|uâ|uê|ui|uy|uô|uơ"
    "|ưa|ưi|ươ|ưu|yê|[aăâeêioôơuưy])"
    "(?:ch|ng|nh|[cmnpt])?"
)
_TONES = re.compile(f"[{_GRAVE}{_ACUTE}{_HOOK}{_TILDE}{_DOT}]")


def from_tcvn3(text: str) -> str:
    """TCVN3 text, its bytes read as Latin-1, in Unicode. A word whose other letters are capitals becomes capitals:
    the capital fonts (`.VnTimeH`) write the same byte for both cases."""
    return _WORD.sub(lambda word: _whole_capitals(word.group()), text.translate(_TCVN3))


def _whole_capitals(word: str) -> str:
    plain = [letter for letter in word if letter.isascii()]
    return word.upper() if len(plain) > 1 and all(letter.isupper() for letter in plain) else word


def from_vni(text: str) -> str:
    """VNI text, its bytes read as Latin-1, in Unicode."""

    def letter(match: re.Match[str]) -> str:
        base, mark, single = match.groups()
        return _VNI_LETTERS[single] if single else unicodedata.normalize("NFC", _VNI_LETTERS.get(base, base) + _VNI_MARKS[mark])

    return _VNI.sub(letter, text)


def to_unicode(text: str, encoding: Encoding) -> str:
    """The text in Unicode, whichever of the three it was written in."""
    return _CONVERT[encoding](text) if encoding in _CONVERT else text


_CONVERT: dict[str, Callable[[str], str]] = {"tcvn3": from_tcvn3, "vni": from_vni}


def recognise(text: str) -> Encoding | None:
    """What the text was written in, judged by how many of its words with marks are Vietnamese syllables; nothing where that is unclear.

    Text without any marked word is Unicode.
    """
    as_it_is = _vietnamese_share(text)
    if as_it_is is None or as_it_is > 0.5:
        return "unicode"
    shares = {name: _vietnamese_share(convert(text)) or 0.0 for name, convert in _CONVERT.items()}
    first, second = sorted(shares.values(), reverse=True)
    if first < 0.8 or first - second < 0.3:
        return None
    return "tcvn3" if shares["tcvn3"] == first else "vni"


def is_windows_1258(sample: bytes) -> bool:
    """Whether bytes that are no UTF-8 are Vietnamese in Windows-1258: in it, nearly all words with marks are Vietnamese syllables.

    Without a tone of its own after some letter it is not believed: most programs of Windows drop the letters that need one.
    """
    text = sample.decode("cp1258", errors="replace")
    if "\ufffd" in text or not _TONES.search(text):
        return False
    return (_vietnamese_share(unicodedata.normalize("NFC", text)) or 0.0) >= 0.8


def _vietnamese_share(text: str) -> float | None:
    """Share of the words with non-ASCII letters that are Vietnamese syllables; nothing without such words."""
    # Stray TCVN3 signs (`¸`, `§`) are no letters to Unicode: they count as words that are not Vietnamese.
    words = {word for word in re.findall(r"[^\x00-\x40\x5b-\x60\x7b-\x7f\u00a0\u2000-\u206f]+", text) if not word.isascii()}
    return sum(map(_is_syllable, words)) / len(words) if words else None


def _is_syllable(word: str) -> bool:
    decomposed = unicodedata.normalize("NFD", word.lower())
    toneless, tones = _TONES.subn("", decomposed)
    return tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", toneless)) is not None


_TWICE = re.compile("[\u00c2-\u00c6\u00e1-\u00e2][\u0080-\u00bf\u0152-\u2122]")
"""What the first two bytes of a Vietnamese letter in UTF-8 look like when they are read as Windows-1252."""
_WINDOWS = {bytes([byte]).decode("cp1252", "replace"): byte for byte in range(0x80, 0xA0)} | {
    chr(byte): byte for byte in range(0x80, 0x100)
}


def once_more(text: str) -> str:
    """The text, decoded once more where it is UTF-8 that was taken for Windows-1252 and encoded again (`XÃ£` for `Xã`).

    Only where all of it can be: what is partly so stays as it came.
    """
    if _TWICE.search(text) is None:
        return text
    try:
        return bytes(ord(letter) if letter.isascii() else _WINDOWS[letter] for letter in text).decode()
    except (KeyError, UnicodeDecodeError):
        return text
