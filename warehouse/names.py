"""Names of administrative units, made comparable."""

from __future__ import annotations

import re
import unicodedata

KINDS = ("thị trấn", "thị xã", "thành phố", "phường", "huyện", "quận", "tỉnh", "xã", "tt.", "tx.", "tp.", "p.", "h.", "x.")
"""Kinds that may stand before the name of a unit, the longer ones first."""

_TONES = "\u0300\u0301\u0303\u0309\u0323"
# The two ways of writing the tone in oa, oe, uy (hóa, hoá): moved to the first vowel where the pair ends the syllable.
_TONE_ON_SECOND = re.compile(rf"(?<![q])(o(?=[ae])|u(?=y))([aey])([{_TONES}])(?![a-z\u0300-\u036f])")


def normalise_unit_name(text: str) -> str:
    """Returns the name of a unit without its kind, in NFC, small letters, single spaces and one way of placing the tone."""
    name = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    for kind in KINDS:
        rest = name.removeprefix(kind)
        if rest != name and (kind.endswith(".") or rest.startswith(" ")):
            name = rest.strip()
            break
    placed = _TONE_ON_SECOND.sub(r"\1\3\2", unicodedata.normalize("NFD", name))
    return unicodedata.normalize("NFC", placed)
