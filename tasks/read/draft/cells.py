"""The cells of a column of an unknown file, tried as every type and in every way of writing it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from itertools import product
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import PERSONAL, Column
from tasks.read.cells import EPOCH_MILLISECONDS, Numbers, clean, period, typed
from tasks.read.draft.names import words
from tasks.read.draft.table import is_empty
from tasks.read.fitting import fit

WAYS: tuple[Numbers, ...] = get_args(Numbers)
"""Ways of writing numbers."""
_TYPES_DAY = "%Y-%m-%d"
_MILLISECONDS = r"^\d{12,13}$"
_THOUSANDS_OR_DECIMALS = r"^(-?[1-9]\d{0,2})\.000$"


@dataclass(frozen=True)
class Tried:
    """The ways that read the most cells, those that read other values than the ones before them; and the share they read."""

    share: float
    ways: tuple[str, ...]
    all_ways: tuple[str, ...]
    """Those that read the same values as one before them included."""


class Cells:
    """The cells under one header."""

    def __init__(self, raw: list[Any], missing: Collection[str]) -> None:
        self._raw, self._missing = raw, missing
        self._is_text = all(isinstance(cell, str) for cell in raw)
        self._texts: dict[tuple[str, str], pa.StringArray] = {}
        self._tried: dict[str, Tried] = {}

    def texts(self, numbers: Numbers = "plain", date_format: str = _TYPES_DAY) -> pa.StringArray:
        """Distinct cells that are there, as text; those of a workbook that have a type as the layout would have them written."""
        way = ("plain", _TYPES_DAY) if self._is_text else (numbers, date_format)
        if way not in self._texts:
            distinct = dict.fromkeys(_written(cell, numbers, date_format) for cell in self._raw)
            self._texts[way] = clean(pa.array(distinct, pa.string()), self._missing).drop_null().unique()
        return self._texts[way]

    @cached_property
    def empty(self) -> float:
        """Share of cells without a value."""
        texts = clean(pa.array([_written(cell, "plain", _TYPES_DAY) for cell in self._raw], pa.string()), self._missing)
        return texts.null_count / len(texts) if len(texts) else 1.0

    @cached_property
    def are_personal(self) -> bool:
        """Whether most cells look like a person's number or address."""
        texts = self.texts()
        digits = pc.replace_substring_regex(texts, r"(\d)[ .-](\d)", r"\1\2")
        found = pc.or_(pc.match_substring_regex(digits, PERSONAL), pc.match_substring(texts, "@"))
        return 2 * (pc.sum(found).as_py() or 0) > len(texts)

    @property
    def are_typed_days(self) -> bool:
        """Whether a workbook holds them as days, which any format can write."""
        there = [cell for cell in self._raw if not is_empty(cell)]
        return bool(there) and all(isinstance(cell, date) for cell in there)

    def fitting(self, column: Column, values: Collection[str]) -> float | None:
        """Share of cells that the column takes; nothing where it takes any text, or where there are no cells."""
        texts = self.texts()
        if not len(texts):
            return None
        if column.type in ("integer", "decimal"):
            return self.numbers(column.type).share
        if column.type in ("date", "timestamp"):
            return self.days.share
        if column.type in ("period", "boolean"):
            return _share(typed(self.texts(date_format="%Y-%m"), column.type).is_valid())
        if column.type == "dropped" or not (values or column.pattern):
            return None
        return self.are_in(values) if values else _share(fit(texts, column)[0].is_valid())

    def are_in(self, values: Collection[str]) -> float:
        """Share of cells that are one of the values."""
        return _share(pc.is_in(self.texts(), pa.array(values, pa.string())))

    def numbers(self, kind: str) -> Tried:
        """As whole or decimal numbers."""
        if kind not in self._tried:
            self._tried[kind] = _best((way, self._numbers(kind, way)) for way in WAYS)
        return self._tried[kind]

    def _numbers(self, kind: str, way: Numbers) -> pa.Array:
        texts = self.texts(way)
        if way == "decimal_point":  # a file's `1.000` is set aside as ambiguous: here both readings are to be told
            texts = pc.replace_substring_regex(texts, _THOUSANDS_OR_DECIMALS, r"\1")
        return typed(texts, kind, numbers=way)

    @cached_property
    def days(self) -> Tried:
        """As days, months or moments."""
        return _best((way, self._moments(way)) for way in _formats())

    def _moments(self, way: str) -> pa.Array:
        if way != EPOCH_MILLISECONDS:
            return typed(self.texts(date_format=way), "timestamp", date_format=way)
        texts = self.texts()
        numbers = pc.if_else(pc.match_substring_regex(texts, _MILLISECONDS), texts, None)  # any number is some moment near 1970
        return typed(numbers, "timestamp", date_format=way)

    def share_within(self, way: str, months: Collection[str]) -> float:
        """Share of the days, read in this way, that lie in months given as `2024-03`."""
        read = pc.strftime(self._moments(way).drop_null(), "%Y-%m")
        return _share(pc.is_in(read, pa.array(months, pa.string())))

    def sum(self, kind: str, numbers: Numbers) -> Any:
        """Their sum; nothing where a cell is no number."""
        texts = clean(pa.array([_written(cell, numbers, _TYPES_DAY) for cell in self._raw], pa.string()), self._missing).drop_null()
        read = typed(texts, kind, numbers=numbers)
        return None if read.null_count else pc.sum(read).as_py()

    def span(self) -> tuple[int, int] | None:
        """Smallest and largest where all are whole numbers."""
        read = typed(self.texts(), "integer")
        return None if read.null_count or not len(read) else tuple(pc.min_max(read).as_py().values())

    @property
    def months(self) -> set[str]:
        """The months that they name, as `2024-03`."""
        named = map(period, self.texts(date_format="%Y-%m").to_pylist())
        return {said for said in named if said and re.fullmatch(r"\d{4}-\d\d", said)}


def _best(tried: Iterable[tuple[str, pa.Array]]) -> Tried:
    best, readings = 0.0, dict[str, pa.Array]()
    for way, read in tried:
        share = _share(read.is_valid())
        if share > best:
            best, readings = share, {}
        if share == best and best:
            readings[way] = read
    ways = list(readings)
    different = [way for at, way in enumerate(ways) if not any(readings[way].equals(readings[other]) for other in ways[:at])]
    return Tried(best, tuple(different), tuple(ways))


def _share(fits: pa.BooleanArray) -> float:
    return (pc.sum(fits).as_py() or 0) / len(fits) if len(fits) else 0.0


@cache
def _formats() -> tuple[str, ...]:
    said = words()
    days_and_times = ("".join(pair) for pair in product(said["days"], said["times"]))
    return (*said["days"], *said["months"], *said["moments"], *days_and_times)


def _written(cell: Any, numbers: Numbers, date_format: str) -> str:
    if isinstance(cell, str):
        return cell.encode(errors="replace").decode()  # JSON may hold halves of a sign
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() else repr(cell)
        return text.replace(".", ",") if numbers == "vietnamese" else text
    if isinstance(cell, date):
        return cell.strftime(date_format)
    return "" if cell is None else str(cell)
