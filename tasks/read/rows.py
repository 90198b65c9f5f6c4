"""What every reader of a kind of file is given, returns and refuses with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from expectations.contract import Contract, Layout
from tasks.read.limits import DEFAULT, Limits

_ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4"}
HEADER_WITHIN = 20
"""Rows of a sheet or table among which the header is looked for."""

WITHOUT_VALUE = "\0formula"
"""Stands for a cell whose formula nobody calculated; no text of a file may hold its first sign."""
LOST_DIGITS = "\0digits"
"""Stands for a code that a workbook holds as a number of more digits than it can keep."""


class Rejected(Exception):
    """The delivery as a whole is refused, by this rule, with this message to its supplier."""

    def __init__(self, rule_code: str, message_vi: str, results: Sequence[Any] = (), faults: pa.Table | None = None) -> None:
        super().__init__(rule_code, message_vi)
        self.rule_code = rule_code
        self.message_vi = message_vi
        self.results = results
        """What every rule found until then (`RuleResult`), where rows were checked at all."""
        self.faults = faults
        """The first faults of each rule, schema FAULTS."""

    def __str__(self) -> str:
        return f"{self.rule_code}: {self.message_vi}"


@dataclass(frozen=True)
class Account:
    """What a reader saw of a file beside its rows, so that nothing of it goes unmentioned."""

    cells: int = 0
    """Cells read under a header, those of rows that were ignored or set aside among them."""
    sheets: int = 0
    """Sheets of the workbook, or tables of the page."""
    other_sheets: int = 0
    """Of them, those without the header: not read."""
    hidden_sheets: int = 0
    """Of them, those that the sender cannot see: not read."""
    hidden_rows: int = 0
    """Rows that the sender cannot see: not read."""
    hidden_columns: int = 0
    """Columns that the sender cannot see and that are read all the same."""
    below: int = 0
    """Lines under the table: notes, signatures; ignored."""

    def __add__(self, other: Account) -> Account:
        return Account(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


NOTHING_SEEN = Account()


@dataclass(frozen=True)
class Rows:
    """Consecutive rows of a file: their cells as text by the layout's headers (by the contract's column where the
    file's path says it), and their numbers from 1."""

    cells: dict[str, pa.StringArray]
    numbers: npt.NDArray[np.int32]
    malformed: list[int] = field(default_factory=list)
    """Numbers of the rows between these whose cells do not fit under the header."""
    titled: str | None = None
    """Period that a cell above the header says the file is about."""
    account: Account = NOTHING_SEEN


@dataclass(frozen=True)
class File:
    """A delivered file and how it is agreed to be written."""

    path: Path
    name: str
    """As the supplier called it; the landing calls it by its hash."""
    contract: Contract
    layout_name: str
    limits: Limits = DEFAULT

    @property
    def layout(self) -> Layout:
        """How its supplier agreed to write it."""
        return self.contract.layouts[self.layout_name]

    def refused(self, rule_code: str, column: str = "", advice: str = "") -> Rejected:
        """The refusal of this file by a structural rule, in the rule's words, with what else helps the supplier."""
        message = self.contract.rule(rule_code).message_vi.format(file=self.name, column=column, observed=advice)
        return Rejected(rule_code, message if advice in message else f"{message} {advice}")

    def titled(self, cells: Iterable[str]) -> str | None:
        """The period that the cells above the header say the file is about, where the layout has a pattern for it."""
        if self.layout.title is None:
            return None
        for cell in cells:
            found = re.search(self.layout.title, unicodedata.normalize("NFC", cell), re.IGNORECASE)
            if found is not None:
                said = found.groupdict()
                part = f"-Q{_ROMAN.get(said['quarter'], said['quarter'])}" if said.get("quarter") else ""
                part = f"-{int(said['month']):02}" if said.get("month") else part
                return f"{said['year']}{part}"
        return None

    def needed(self) -> list[str]:
        """Headers whose cells are read at all. Personal columns that are dropped are not among them."""
        layout, columns = self.layout, self.contract.columns
        return [
            header
            for header, column in layout.headers.items()
            if header in layout.sources or (columns[column].type != "dropped" if column else layout.totals is not None)
        ]

    def recognise(self, found: list[str]) -> list[str | None]:
        """The layout's headers for the labels found in the file, in the file's order.

        Refuses what is missing or unknown; order and letter case do not matter. A row that is no header at all
        is refused without being quoted: it may hold a person's data.
        """
        known = {label(header): header for header in self.layout.headers}
        headers = [known.get(label(text)) for text in found]
        named = [header for header in headers if header]
        unknown = [
            self._shown(place, text)
            for place, (text, header) in enumerate(zip(found, headers, strict=True), 1)
            if header is None and text.strip()
        ]
        missing = [header for header in known.values() if header not in {*named, *self.layout.optional}]
        if not self.is_header(found):
            raise self.refused("STR-009")
        if missing:
            renamed = f"Cột lạ trong tệp, có thể đã bị đổi tên: {', '.join(unknown)}." if unknown else ""
            raise self.refused("STR-001", ", ".join(missing), renamed)
        if unknown:
            raise self.refused("STR-002", ", ".join(unknown))
        if len(named) != len(set(named)):
            twice = next(header for header in named if named.count(header) > 1)
            raise self.refused("STR-002", f'"{twice}"', "Cột này có nhiều lần trong tệp.")
        return headers

    def _shown(self, place: int, text: str) -> str:
        """An unknown label as it may be told: quoted where it resembles one of the layout's, else by its place, since it may be a name."""
        known = [label(header) for header in self.layout.headers]
        return f'"{text.strip()}"' if get_close_matches(label(text), known, n=1, cutoff=0.6) else f"thứ {place} từ trái sang"

    def is_header(self, found: list[str]) -> bool:
        """Whether at least half of the layout's headers stand in this row."""
        known = {label(header) for header in self.layout.headers}
        return 2 * len(known & {label(text) for text in found}) >= len(known)


def label(text: str) -> str:
    """A header as it is compared: NFC, single spaces, without letter case."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()
