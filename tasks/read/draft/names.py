"""What a header is about, and which columns of a feed it sounds like."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml

from expectations.contract import Contract, contract, feeds
from tasks.read.rows import label
from tasks.words.vietnamese import plain

_LONGEST_PHRASE = 4
_UNKNOWN_WORD = 0.5
_ALIKE = 0.8
"""Below this likeness of letters two names are not the same one misspelt."""
_NOT_THE_SAME = 0.95
"""The most that a likeness counts that is no equality."""


@cache
def words() -> dict[str, Any]:
    """`words.yaml`: what suppliers write in headers, titles and totals rows."""
    entries: dict[str, Any] = yaml.safe_load(resources.files("tasks.read.draft").joinpath("words.yaml").read_text("utf-8"))
    return entries


@cache
def _phrases() -> dict[tuple[str, ...], str]:
    """Words of a header → what they stand for in words of ours."""
    return {tuple(said.split()): ours for ours, all_said in words()["words"].items() for said in (ours, *all_said)}


@lru_cache(10_000)
def meaning(text: str) -> frozenset[str]:
    """What a name is about: its words, those that stand for one of ours replaced by it, the longest first."""
    apart = re.sub(r"(?<=[^\W\d_])(?=[A-ZĐ][a-z])|(?<=[a-z0-9])(?=[A-ZĐ])", " ", unicodedata.normalize("NFC", text))
    tokens = re.findall(r"[a-z]+", plain(apart))
    found, at = set(), 0
    while at < len(tokens):
        sizes = range(_LONGEST_PHRASE, 0, -1)
        phrase = next((said for size in sizes if (said := tuple(tokens[at : at + size])) in _phrases()), (tokens[at],))
        if phrase in _phrases():
            found.update(_phrases()[phrase].split())
        elif phrase[0] not in words()["idle"]:
            found.add(phrase[0])
        at += len(phrase)
    return frozenset(found)


class Names:
    """The columns of a feed by name, description and the headers that layouts have for them."""

    def __init__(self, feed: Contract) -> None:
        self._names = {
            name: list(dict.fromkeys([name, column.description, *_headers(feed, name)])) for name, column in feed.columns.items()
        }
        told = Counter(word for names in self._names.values() for word in frozenset[str]().union(*map(meaning, names)))
        self._weights = {word: 1 / columns for word, columns in told.items()}
        read = {label(header) for layout in feed.layouts.values() for header, column in layout.headers.items() if column}
        known = {label(header): name for name, layout in feed.layouts.items() for header in layout.headers}
        self._left_out = {text: name for text, name in known.items() if text not in read}

    def left_out_by(self, header: str) -> str | None:
        """The layout that knows a header and does not read it, where none does."""
        return self._left_out.get(label(header))

    def likeness(self, header: str, column: str) -> tuple[float, float]:
        """From 0 to 1, and the weight of the words that are the same: of two equally alike, the more special one."""
        return max(self._likeness(header, name) for name in self._names[column])

    def knows(self, header: str) -> bool:
        """Whether a header resembles any column, or one that layouts leave out."""
        return self.left_out_by(header) is not None or any(self.likeness(header, column)[0] >= 0.6 for column in self._names)

    def _likeness(self, header: str, name: str) -> tuple[float, float]:
        ours, theirs = meaning(name), meaning(header)
        shared = sum(map(self._weight, ours & theirs))
        one, other = _letters(header), _letters(name)
        if one == other:
            return 1.0, shared
        matcher = SequenceMatcher(None, one, other, autojunk=False)
        alike = matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0
        by_words = shared / sum(map(self._weight, ours | theirs)) if ours | theirs else 0.0
        return _NOT_THE_SAME * max(by_words, alike if alike >= _ALIKE else 0.0), shared

    def _weight(self, word: str) -> float:
        return self._weights.get(word, _UNKNOWN_WORD)


def _headers(feed: Contract, column: str) -> Iterator[str]:
    """What layouts call a column, those of other feeds that have one of the same name included."""
    others = [other for name in feeds() if name != feed.feed and column in (other := contract(name)).columns]
    for layout in (layout for one in (feed, *others) for layout in one.layouts.values()):
        yield from (header for header, name in layout.headers.items() if name == column)


@lru_cache(10_000)
def _letters(text: str) -> str:
    return "".join(re.findall(r"[^\W_]+", plain(text)))
