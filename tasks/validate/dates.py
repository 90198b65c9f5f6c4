"""Whether the rows of a delivery are of the days that its name speaks of, or were read with day and month exchanged."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import Contract
from tasks.deliveries.coverage import Stretch
from tasks.words.vietnamese import day, number, stretch

BACKLOG = timedelta(days=31)
"""How far before the day in its name, understood as the day of export, the rows of a file may lie: a month's file bears its last day."""


def dated(contract: Contract, covers: Stretch | None, titled: str | None, *, is_declared: bool) -> Dates | None:
    """What to hold rows against: what the name says, or a cell above the header; nothing where neither says a period.

    A name that was only understood says the period of a feed that is replaced by period, of any other the day of its export.
    """
    if contract.period_column is None:
        return None
    of_name = covers if is_declared or contract.replaces == "period" else None
    of_title = Stretch.of(titled) if titled else None
    if of_name is not None and is_declared:
        return Dates(of_name, of_title)
    if of_title is not None:
        return Dates(of_title)
    return None if of_name is None else Dates(of_name, is_export=of_name.is_day)


class Dates:
    """The days of the rows of a delivery, counted chunk by chunk, beside those of its name."""

    def __init__(self, covers: Stretch, title: Stretch | None = None, *, is_export: bool = False) -> None:
        """`covers`: what the file says it is about. `title`: what a cell above the header says beside it.

        `is_export`: it is a day that may be that of the export, so that rows of some time before it are to be expected.
        """
        self._covers = covers
        self._title = title
        self._near = Stretch(covers.first - BACKLOG, covers.last + timedelta(days=1)) if is_export else covers
        self._rows: Counter[Stretch] = Counter()

    def add(self, column: pa.ChunkedArray) -> None:
        """Counts the rows of a chunk by day, or by the period they name."""
        if not pa.types.is_string(column.type):
            column = column.cast(pa.date32())
        for found in pc.value_counts(column.drop_null()).to_pylist():
            of = Stretch.of(found["values"]) if isinstance(found["values"], str) else Stretch(found["values"], found["values"])
            self._rows[of] += found["counts"]

    def outside(self) -> tuple[bool, str | None, int]:
        """Whether all rows lie in the days of the name; else in words how many do not, and their number."""
        outside = sum(rows for of, rows in self._rows.items() if not _meet(of, self._covers))
        of_all = f"{number(outside)}/{number(sum(self._rows.values()))} dòng ngoài {stretch(self._covers.text)}"
        return outside == 0, of_all if outside else None, outside

    def misread(self) -> tuple[str | None, str]:
        """What is wrong where the delivery cannot be what its name says: nothing of its days, or day and month exchanged; both readings."""
        total = sum(self._rows.values())
        near = sum(rows for of, rows in self._rows.items() if _meet(of, self._near))
        said = f"tên hoặc tiêu đề tệp nói {stretch(self._covers.text)}, các dòng là {self._span(self._rows)}"
        exchanged: Counter[Stretch] = Counter()
        for of, rows in self._rows.items():
            other = _exchanged(of)
            if other is not None:
                exchanged[other] += rows
        if self._title is not None and not _meet(self._title, self._covers):
            return "titled otherwise", f"{said}, còn dòng tiêu đề nói {stretch(self._title.text)}"
        fitting = sum(rows for of, rows in exchanged.items() if _meet(of, self._covers))
        inside = sum(rows for of, rows in self._rows.items() if _meet(of, self._covers))
        if total and 2 * inside < total and fitting > inside and 10 * fitting >= 9 * total:
            return "exchanged", f"{said}; đọc tháng trước ngày thì là {self._span(exchanged)}, đúng kỳ đó"
        if total and not near:
            return "elsewhere", f"{said}, không có dòng nào của kỳ đó"
        return None, f"{number(total)} dòng"

    @staticmethod
    def _span(rows: Counter[Stretch]) -> str:
        if not rows:
            return "không rõ ngày"
        first, last = min(of.first for of in rows), max(of.last for of in rows)
        return f"từ {day(first)} đến {day(last)}"


def _meet(one: Stretch, other: Stretch) -> bool:
    return one.first <= other.last and one.last >= other.first


def _exchanged(of: Stretch) -> Stretch | None:
    """The day that is meant where its month was written first."""
    if not of.is_day or of.first.day > 12:
        return None
    try:
        other = date(of.first.year, of.first.day, of.first.month)
    except ValueError:
        return None
    return Stretch(other, other)
