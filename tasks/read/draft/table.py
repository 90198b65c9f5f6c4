"""A table of an unknown file: which of its rows is the header, which are data, which is the totals row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from tasks.read.cells import tidy
from tasks.read.draft.first_rows import Table
from tasks.read.draft.names import Names, words
from tasks.read.rows import HEADER_WITHIN, label

_LONGEST_LABEL = 200
_BELOW = 50
"""Rows that a header is held against."""
_PERSONAL = re.compile(r"@|\d{9}")


class Headed:
    """A table with the row that looks most like a header; `score` is 0 where none does."""

    def __init__(self, table: Table, names: Names, place: int) -> None:
        self.place = place
        self._rows, self._last, self._names = table.rows, table.last, names
        scores = [self._score(at) for at in range(min(HEADER_WITHIN, len(table.rows)))]
        self.score = max(scores, default=0.0)
        self.at = scores.index(self.score) if scores else 0

    def _score(self, at: int) -> float:
        """How much a row looks like a header: full, of words, unlike what stands below, known to the feed."""
        row, below = self._rows[at], self._rows[at + 1 : at + 1 + _BELOW]
        labels = {place: tidied(cell) for place, cell in enumerate(row) if isinstance(cell, str) and cell.strip()}
        width = max((sum(not is_empty(cell) for cell in other) for other in below), default=len(labels))
        if len(labels) < max(2, width / 2) or sum(map(_is_words, labels.values())) < len(labels) / 2:
            return 0.0
        known = sum(map(self._names.knows, labels.values())) / len(labels)
        figures = sum(_are_figures([row[place] for row in below if place < len(row)]) for place in labels) / len(labels)
        personal = sum(map(_is_personal, labels.values())) / len(labels)
        if not known and (personal or not figures):  # a row of data, in a file without header
            return 0.0
        return max(0.0, 2 * known + figures + len(labels) / max(width, len(labels)) - 2 * personal)

    @cached_property
    def _texts(self) -> list[str]:
        return [tidied(cell) for cell in self._rows[self.at]]

    @cached_property
    def headers(self) -> dict[str, int]:
        """Labels that may be written down → their places; of a label that comes twice, the first."""
        found: dict[str, tuple[str, int]] = {}
        for place, text in enumerate(self._texts):
            if text and not _is_withheld(text):
                found.setdefault(label(text), (text, place))
        return dict(found.values())

    @cached_property
    def remarks(self) -> list[str]:
        """What is odd about the header."""
        texts = self._texts
        said = [
            f"Nhãn của cột thứ {place} trông như dữ liệu cá nhân hoặc quá dài nên không ghi ra."
            for place, text in enumerate(texts, 1)
            if _is_withheld(text)
        ]
        labels = [label(text) for text in texts]
        said += [f"Cột {text!r} có nhiều lần: tệp như vậy sẽ bị từ chối." for text in self.headers if labels.count(label(text)) > 1]
        said += [
            f"Cột thứ {place} có số liệu mà không có tiêu đề."
            for place, text in enumerate(texts, 1)
            if not text and any(place <= len(row) and not is_empty(row[place - 1]) for row in self.body)
        ]
        if len(self._rows) > self.at + 1 and _numbers_columns(self._rows[self.at + 1]):
            said.append("Dưới tiêu đề có dòng đánh số cột (1), (2), (3): dòng này sẽ bị để riêng.")
        return said

    @cached_property
    def titles(self) -> list[str]:
        """Cells above the header."""
        return [tidied(cell) for row in self._rows[: self.at] for cell in row if not is_empty(cell)]

    @property
    def is_whole(self) -> bool:
        """Whether all of its rows were looked at."""
        return not self._last

    @cached_property
    def totals(self) -> tuple[str, list[Any]] | None:
        """How the totals row begins, and its cells."""
        found = ((begins, row) for row in reversed([*self._rows[self.at + 1 :], *self._last]) if (begins := _totals(row)))
        return next(found, None)

    @cached_property
    def body(self) -> list[list[Any]]:
        """Rows of data: no empty ones, no line that numbers the columns, no totals, nothing below the last of them."""
        rows = self._rows[self.at + 1 :]
        end = max((at for at, row in enumerate(rows) if _totals(row)), default=len(rows))
        rows = [row for row in rows[:end] if not all(map(is_empty, row)) and not _totals(row)]
        return rows[1:] if rows and _numbers_columns(rows[0]) else rows

    def cells(self, header: str) -> list[Any]:
        """The cells under a header."""
        place = self.headers[header]
        return [row[place] if place < len(row) else "" for row in self.body]


def tidied(cell: Any) -> str:
    """The text of a cell, made tidy; of a number or day, nothing."""
    return tidy(cell) if isinstance(cell, str) else ""


def is_empty(cell: Any) -> bool:
    """Whether nothing stands in a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _is_words(text: str) -> bool:
    return sum(map(str.isalpha, text)) > sum(map(str.isdigit, text))


def _are_figures(cells: Sequence[Any]) -> bool:
    """Whether numbers, days and codes are in most of the cells."""
    there = [cell for cell in cells if not is_empty(cell)]
    return 2 * sum(not isinstance(cell, str) or any(map(str.isdigit, cell)) for cell in there) > len(there)


def _is_personal(text: str) -> bool:
    return bool(_PERSONAL.search(re.sub(r"(?<=\d)[ .-](?=\d)", "", text)))


def _is_withheld(text: str) -> bool:
    return len(text) > _LONGEST_LABEL or _is_personal(text)


def _numbers_columns(row: Sequence[Any]) -> bool:
    texts = [re.sub(r"[()\s]|\.0$", "", str(cell)) for cell in row if not is_empty(cell)]
    return len(texts) > 2 and texts[-2:] == [str(len(texts) - 1), str(len(texts))]


def _totals(row: Sequence[Any]) -> str | None:
    """How a totals row begins, in words of ours: one of few texts among figures; a single word has to stand alone."""
    texts = [tidied(cell).casefold() for cell in row if not is_empty(cell)]
    if sum(map(_is_words, texts)) > 2:
        return None
    for begins in words()["totals"]:
        rest = r"(?!\w).*" if " " in begins else r"\s*:?"
        if any(re.fullmatch(re.escape(begins.casefold()) + rest, text) for text in texts):
            return str(begins)
    return None
