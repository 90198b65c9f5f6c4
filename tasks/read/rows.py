"""What every reader of a kind of file is given, returns and refuses with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from expectations.contract import Contract, Layout
from tasks.read.cells import tidy
from tasks.read.limits import DEFAULT, Limits
from tasks.words.vietnamese import number, one_line

_ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4"}
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_HINT = re.compile(r"[dmyhs/:. -]+|ngày/tháng/năm|tháng/năm|[0-9]{1,2}|bắt buộc|nếu có|không bắt buộc|số|chữ")
"""What brackets in a header may say without changing what its cells mean: a format, the column's number, whether it has to be filled."""
_MONEY = re.compile(r"đồng|đ|vnđ|vnd|việt nam đồng")
_SCALED = re.compile(
    r"(?:(?:nghìn|ngàn|triệu|tr\.?|tỷ|tỉ|1[.,]?000(?:[.,]?000)*)(?: ?(?:đồng|đ|vnđ|vnd|người|hồ sơ))?|phần trăm|usd|eur)"
    r"(?= *(?:$|[,;./)]))|[%‰]",
    re.IGNORECASE,
)
"""Units of measure in which the same number says something else than was agreed on."""
_TITLE_UNIT = re.compile(r"(?:đơn vị(?: tính)?|đvt) ?: ?(.*)", re.IGNORECASE)
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,38}[A-Za-z][0-9]{0,2}")
"""Written like the name of a field of a system, as no person's name or number is: it may be quoted."""
HEADER_WITHIN = 20
"""Rows of a sheet or table among which the header is looked for."""

WITHOUT_VALUE = "\0formula"
"""Stands for a cell whose formula nobody calculated; no text of a file may hold its first sign."""
KEPT_DIGITS = 15
"""Digits of a number that a spreadsheet keeps; those after them become zeros."""
LOST_DIGITS = "\0digits"
"""Stands for a code that a workbook holds as a number of more digits than it can keep."""
NO_VALUE = "\0value"
"""Stands for what is no text, number or truth at all, as a list in JSON, and for a combination of cells that nobody agreed on."""


class Rejected(Exception):
    """The delivery as a whole is refused, by this rule, with this message to its supplier."""

    def __init__(self, rule_code: str, message_vi: str, results: Sequence[Any] = (), faults: pa.Table | None = None) -> None:
        super().__init__(rule_code, one_line(message_vi))
        self.rule_code, self.message_vi = self.args
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
    corrected: int = 0
    """Cells that are read as their supplier put them right in a letter, and not as they were sent."""
    strangers: int = 0
    """Lines between the records that are none: set aside, and not among those that the file's last record counts."""

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
    ends: bool = False
    """Whether they are the last of their table, and what follows them is another's."""
    controls: dict[str, int] = field(default_factory=dict)
    """What the record at the file's end says of it: `rows`, where the kind of file has one."""
    read_bytes: int = 0
    """Bytes of the file that are read by then; 0 where its kind is read as a whole."""

    def part(self, start: int, stop: int) -> Rows:
        """Some of the rows; what is said of the file as a whole goes with the first of them."""
        cells = {header: values.slice(start, stop - start) for header, values in self.cells.items()}
        numbers = self.numbers[start:stop]
        if start == 0:
            return replace(self, cells=cells, numbers=numbers)
        return Rows(cells, numbers, titled=self.titled, read_bytes=self.read_bytes)

    def parts(self, most: int) -> Iterator[Rows]:
        """The rows in pieces of so many at most; one piece where there are none."""
        for start in range(0, max(len(self.numbers), 1), most):
            yield self.part(start, start + most)


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
        """The period that the cells above the header say the file is about, where the layout has a pattern for it.

        Refuses a file whose title says another unit of measure than the one agreed on.
        """
        found = None
        for text in map(tidy, cells):
            unit = _TITLE_UNIT.search(text)
            other = _SCALED.match(unit[1]) if unit is not None else None
            if other is not None:
                raise self.refused("STR-025", advice=f"phần trên dòng tiêu đề ghi {other[0].lower()}")
            if found is None and self.layout.title is not None:
                found = re.search(self.layout.title, text.lower(), re.IGNORECASE | re.ASCII)
        if found is None:
            return None
        said = found.groupdict()
        part = f"-Q{_ROMAN.get(said['quarter'].upper(), said['quarter'])}" if said.get("quarter") else ""
        part = f"-{int(said['month']):02}" if said.get("month") else part
        return f"{said['year']}{part}"

    def dated(self, headers: Sequence[str | None], titled: str | None) -> str | None:
        """The period of the title; refuses a file in which neither a column nor the title says one that every row needs."""
        name = self.contract.period_column
        written = [header for header, column in self.layout.headers.items() if column == name]
        if titled is None and name is not None and written and self.contract.columns[name].required and not {*written} & {*headers}:
            raise self.refused("STR-001", written[0])
        return titled

    def needed(self) -> list[str]:
        """Headers whose cells are read at all. Personal columns that are dropped are not among them."""
        layout, columns = self.layout, self.contract.columns
        return [
            header
            for header, column in layout.headers.items()
            if header in layout.sources or (columns[column].type != "dropped" if column else layout.totals is not None)
        ]

    def recognise(self, found: Sequence[str]) -> list[str | None]:
        """The layout's headers for the labels found in the file, in the file's order.

        Refuses what is missing, unknown, there twice or in another unit of measure; order and letter case do not matter. What is
        unknown is not quoted, unless it is written like the name of a field: it may hold a person's data.
        """
        if len(found) > self.limits.columns:
            raise self.refused("STR-022", advice=f"{number(len(found))} cột, nhiều nhất {number(self.limits.columns)}")
        if not self.is_header(found):
            raise self.refused("STR-009")
        known = {_bare(header): header for header in self.layout.headers}
        headers = [self._named(text, known) for text in found]
        named = [header for header in headers if header]
        if len(named) != len(set(named)):
            raise self.refused("STR-036", next(header for header in named if named.count(header) > 1))
        unknown = [
            self._shown(place, text, known)
            for place, (text, header) in enumerate(zip(found, headers, strict=True), 1)
            if header is None and text.strip()
        ]
        missing = [header for header in known.values() if header not in {*named, *self.layout.optional}]
        if missing:
            renamed = f"Cột lạ trong tệp, có thể đã bị đổi tên: {_first_of(unknown)}." if unknown else ""
            raise self.refused("STR-001", _first_of(missing), renamed)
        if unknown:
            raise self.refused("STR-002", _first_of(unknown))
        return headers

    def _named(self, text: str, known: dict[str, str]) -> str | None:
        """The layout's header that a label of the file stands for: by its words. Refuses one in another unit of measure."""
        header = known.get(_bare(text))
        name = self.layout.headers[header] if header else None
        for said in _BRACKETS.findall(label(text)) if name else []:
            other = _SCALED.search(said) or (None if str(name).endswith("_vnd") else _MONEY.fullmatch(said))
            if other is not None:
                raise self.refused("STR-025", advice=f'cột "{header}" ghi {other[0]}')
        return header

    def _shown(self, place: int, text: str, known: dict[str, str]) -> str:
        """An unknown label as it may be told: by its place, and what it resembles; quoted where it is written like a field's name."""
        if _FIELD_NAME.fullmatch(text.strip()):
            return f'"{text.strip()}"'
        close = get_close_matches(_bare(text), known, n=1, cutoff=0.6)
        return f"thứ {place} từ trái sang" + (f' (gần giống "{known[close[0]]}")' if close else "")

    def is_header(self, found: Iterable[str]) -> bool:
        """Whether at least half of the layout's headers stand in this row, those not counted that may be left out."""
        known = {_bare(header) for header in self.layout.headers if header not in self.layout.optional}
        return 2 * len(known & {_bare(text) for text in found}) >= len(known)


def label(text: str) -> str:
    """A header as it is compared: tidy, without letter case, a colon or the star of a required column."""
    return tidy(text).rstrip("*: ").casefold()


def _bare(text: str) -> str:
    """A label without the brackets that say a format or a unit of measure."""

    def other(said: re.Match[str]) -> str:
        is_said = _HINT.fullmatch(said[1]) or _MONEY.fullmatch(said[1]) or _SCALED.search(said[1])
        return "" if is_said else said[0]

    return " ".join(_BRACKETS.sub(other, label(text)).split())


def _first_of(labels: Sequence[str], most: int = 5) -> str:
    more = f" và {number(len(labels) - most)} cột khác" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more
