"""Rows at fault while they stream by: how many by rule and column, and which were the first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import Contract, Rule
from tasks.read.file import FAULTS
from tasks.words.vietnamese import MESSAGE, number, one_line

if TYPE_CHECKING:
    from tasks.validate.checks import RuleResult

KEPT = 100
"""Rows that are kept of each rule and column."""
TOLD = 5
"""Rows whose numbers are told of each rule."""
BEFORE_FAULTS = 320
"""Most characters of a refusal's own words where faults are told after them."""
SEEN = " Lỗi đã thấy: "
"""Stands between the two."""


class Found:
    """The faults of one delivery; memory does not grow with them."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._rows: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], pa.Table] = {}

    def add(self, faults: pa.Table) -> None:
        """Counts the faults of a chunk, schema FAULTS, and keeps the first."""
        pairs = faults.group_by(["rule_code", "column_name"], use_threads=False).aggregate([("row_number", "count_distinct")])
        for pair in pairs.to_pylist():
            named = pair["rule_code"], pair["column_name"]
            self._rows[named] += pair["row_number_count_distinct"]
            before = self._first.get(named, FAULTS.empty_table())
            if before.num_rows < KEPT:
                same = pc.and_(pc.equal(faults["rule_code"], named[0]), pc.equal(faults["column_name"], named[1]))
                self._first[named] = pa.concat_tables([before, faults.filter(same).slice(0, KEPT - before.num_rows)])

    @property
    def first(self) -> pa.Table:
        """The first rows of each rule and column, schema FAULTS."""
        return pa.concat_tables([FAULTS.empty_table(), *self._first.values()])

    def each(self) -> Iterator[tuple[str, str, int, list[int]]]:
        """Rule, column, how many rows and the numbers of the first, the most rows first."""
        for (code, column), rows in self._rows.most_common():
            yield code, column, rows, pc.unique(self._first[code, column]["row_number"]).to_pylist()[:TOLD]

    def told(self) -> dict[str, str]:
        """Rule → what is wrong in its words, column by column, in how many rows, and which are the first."""
        parts: dict[str, list[str]] = {}
        for code, column, rows, numbers in self.each():
            parts.setdefault(code, []).append(f"{in_short(self._contract.rule(code), column)}: {number(rows)} dòng {which(rows, numbers)}")
        return {code: one_line("; ".join(columns)) for code, columns in parts.items()}


def which(rows: int, first: Sequence[int]) -> str:
    """The numbers of the first of some rows, in brackets: `(dòng 5, 9, 12, …)`."""
    return f"(dòng {', '.join(map(str, first))}{', …' if rows > len(first) else ''})"


def in_short(rule: Rule, column: str) -> str:
    """The first sentence of a rule's message: what is wrong, without what to do, and without what was observed."""
    return without_observed(rule).split(". ")[0].removesuffix(".").format(column=column, file="")


def without_observed(rule: Rule) -> str:
    """A rule's message without what was observed."""
    return re.sub(r" \(\{observed\}\)|:? \{observed\}", "", rule.message_vi)


def with_faults(message: str, results: Iterable[RuleResult]) -> str:
    """A refusal's message and the rules that rows broke, most rows first, as far as one message goes."""
    broken = [one for one in results if one.scope == "row" and one.severity == "critical" and not one.success and one.observed]
    if not broken:
        return one_line(message)
    line, told = f"{one_line(message, BEFORE_FAULTS)}{SEEN}", 0
    for one in sorted(broken, key=lambda one: -one.unexpected_count):
        more = f"{one.rule_code} – {one.observed}"
        if told and len(line) + len(more) > MESSAGE - len("; và 99 quy tắc khác."):
            break
        line += f"; {more}" if told else more
        told += 1
    rest = len(broken) - told
    return one_line(f"{line}; và {rest} quy tắc khác." if rest else f"{line}.")
