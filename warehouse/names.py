"""Names of administrative units, made comparable, and of their levels."""

from __future__ import annotations

import re
import unicodedata

KINDS = ("thị trấn", "đặc khu", "thị xã", "thành phố", "phường", "huyện", "quận", "tỉnh", "xã", "tt.", "tx.", "tp.", "p.", "h.", "x.")
"""Kinds that may stand before the name of a unit, the longer ones first."""

LEVELS = {
    "country": "cả nước",
    "province": "cấp tỉnh",
    "body": "sở, ban, ngành",
    "district": "cấp huyện",
    "commune": "cấp xã",
    "unknown": "chưa xác định",
}
"""Levels of units and of departments, by their names, from the country down."""


_TONES = "\u0300\u0301\u0303\u0309\u0323"
# The two ways of writing the tone in oa, oe, uy (hóa, hoá): moved to the first vowel where the pair ends the syllable.
_TONE_ON_SECOND = re.compile(rf"(?<![q])(o(?=[ae])|u(?=y))([aey])([{_TONES}])(?![a-z\u0300-\u036f])")


_SHORT = {"tt": "thị trấn", "tx": "thị xã", "tp": "thành phố", "p": "phường", "h": "huyện", "x": "xã", "ủy ban nhân dân": "ubnd"}
_SHORTENED = re.compile(r"\b(?:(tt|tx|tp|[phx])\.|(ủy ban nhân dân)\b) ?")


def from_the_top(column: str) -> str:
    """SQL by which units are ordered from the country down; `column` holds their level."""
    return f"array_position(ARRAY{list(LEVELS)}, {column})"


def normalise_name(text: str) -> str:
    """Returns the name of an agency or procedure in NFC, small letters, single spaces, one way of placing the tone and of shortening."""
    name = _placed(_plain(text))
    return _SHORTENED.sub(lambda found: f"{_SHORT[found[1] or found[2]]} ", name).strip()


def normalise_unit_name(text: str) -> str:
    """Returns the name of a unit without its kind, in NFC, small letters, single spaces and one way of placing the tone."""
    name = _plain(text)
    for kind in KINDS:
        rest = name.removeprefix(kind)
        if rest != name and (kind.endswith(".") or rest.startswith(" ")):
            name = rest.strip()
            break
    return _placed(name)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _placed(name: str) -> str:
    return unicodedata.normalize("NFC", _TONE_ON_SECOND.sub(r"\1\3\2", unicodedata.normalize("NFD", name)))
