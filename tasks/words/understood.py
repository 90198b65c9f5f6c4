"""What people type, taken for what they mean: periods as Vietnamese write them, and the names closest to one that is not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher, get_close_matches

from tasks.words.vietnamese import plain

CLOSE = 0.65
"""How much of two names has to agree for one to be taken for a slip of the pen in the other (difflib)."""
MOST = 3
"""Names that are suggested."""

_YEAR = r"(?:nam )?(?P<year>(?:19|20)[0-9]{2})"
_MONTH = r"(?P<month>0?[1-9]|1[0-2])"
_QUARTER = r"(?:quy|q) ?(?P<quarter>[1-4]|iv|i{1,3})"
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_PERIODS = [
    re.compile(written)
    for written in (
        _YEAR,
        f"(?:thang ?|t)?{_MONTH} ?[/-] ?{_YEAR}",
        f"(?:thang ?|t){_MONTH} {_YEAR}",  # without a word for it, `3 2024` might be a quarter
        f"{_YEAR} ?[/-] ?{_MONTH}",
        f"{_QUARTER}(?: ?[/-] ?| ){_YEAR}",
        f"{_YEAR}(?: ?[/-] ?| ?){_QUARTER}",
    )
]
"""Over text without accents, case and doubled spaces."""


def understood_period(words: str) -> str | None:
    """The period that somebody wrote, as the warehouse names it: `tháng 3/2024` → `2024-03`, `Quý I/2024` → `2024-Q1`; else nothing."""
    bare = plain(words)
    found = next((match for written in _PERIODS if (match := written.fullmatch(bare))), None)
    if found is None:
        return None
    said = found.groupdict()
    if quarter := said.get("quarter"):
        return f"{said['year']}-Q{_ROMAN.get(quarter, quarter)}"
    return f"{said['year']}-{int(said['month']):02}" if said.get("month") else said["year"]


def did_you_mean(typed: str, names: Iterable[str], shown: Callable[[str], str] = str) -> str:
    """The names closest to one that is not there, as a question behind a refusal; nothing where none is close.

    `shown`: what a name is to be told as; of several names told alike, one is.
    """
    bare: dict[str, str] = {}
    for name in names:
        bare.setdefault(plain(name), shown(name))
    wanted = plain(typed)
    close = get_close_matches(wanted, bare, len(bare) or 1, CLOSE)
    close.sort(key=lambda name: (-SequenceMatcher(None, name, wanted).ratio(), name))
    meant = list(dict.fromkeys(bare[name] for name in close))[:MOST]
    return f" Có phải: {', '.join(meant)}?" if meant else ""
