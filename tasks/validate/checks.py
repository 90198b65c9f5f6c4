"""The contract's rules, run over what the reader returned: accepted rows, faults, a result of every rule.

Row rules are a Great Expectations suite (`tasks.validate.suite`). Rules that
need the whole file (duplicates, control totals, volume, share of quarantined rows) are decided here.
No cell's value leaves this module: results are counts, faults are row numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import ROW_NUMBER, Contract, Rule, structure
from tasks.deliveries.coverage import Stretch
from tasks.read.file import FAULTS, Chunk, Rejected, concatenated
from tasks.read.rows import NOTHING_SEEN, Account
from tasks.validate.dates import Dates, dated
from tasks.validate.found import TOLD, Found, which
from tasks.validate.seen import Seen
from tasks.validate.suite import CheckBroken, RowsChecked, check_rows
from tasks.words.vietnamese import number, one_line, safe

if TYPE_CHECKING:
    from tasks.deliveries.ledger import Delivery


@dataclass(frozen=True)
class RuleResult:
    """What one rule found in one chunk, or in the delivery."""

    rule_code: str
    severity: str
    scope: str
    success: bool
    observed: str | None
    unexpected_count: int


@dataclass(frozen=True)
class Checked:
    """A chunk after its checks; after the last one of a delivery comes what was found of the whole, with the rows that were kept back."""

    table: pa.Table
    """Accepted rows."""
    faults: pa.Table
    """One row per row set aside and rule it broke, the reader's included."""
    ignored: int
    received: int
    results: list[RuleResult]
    corrects: bool = False
    """Whether the rows take the place of others of the delivery, which were accepted before it was known."""
    set_aside: pa.Table | None = None
    """The rows with faults, as far as their cells could be typed."""


def merged(results: Iterable[RuleResult]) -> list[RuleResult]:
    """One result a rule for the whole delivery, from those of its chunks."""
    whole: dict[str, RuleResult] = {}
    for result in results:
        before = whole.get(result.rule_code)
        whole[result.rule_code] = (
            result
            if before is None
            else replace(
                before,
                success=before.success and result.success,
                observed=result.observed or before.observed,
                unexpected_count=before.unexpected_count + result.unexpected_count,
            )
        )
    return list(whole.values())


def validate(
    chunks: Iterable[Chunk],
    contract: Contract,
    layout_name: str,
    file_name: str,
    *,
    usual_rows: int | None = None,
    exported_at: datetime | None = None,
    covers: Stretch | None = None,
    is_declared: bool = False,
) -> Iterator[Checked]:
    """Checks one delivery; see `Opened`."""
    opened = Opened(chunks, contract, layout_name, file_name, exported_at=exported_at, covers=covers, is_declared=is_declared)
    yield from opened.checked(lambda: usual_rows)


class Opened:
    """A delivery whose first chunks are read: from here on it can be checked, alone or its first rows beside those of others."""

    def __init__(
        self,
        chunks: Iterable[Chunk],
        contract: Contract,
        layout_name: str,
        file_name: str,
        *,
        exported_at: datetime | None = None,
        covers: Stretch | None = None,
        is_declared: bool = False,
        let_pass: Collection[str] = (),
    ) -> None:
        """Reads them. `exported_at`: when it was made, against which dates are in the future. `covers`: days that its name speaks of,
        by its source's pattern where `is_declared`. `let_pass`: rules that a steward says it may break.
        """
        self.contract = contract
        self._layout_name, self._file_name = layout_name, file_name
        self._exported_at, self._covers, self._is_declared = exported_at, covers, is_declared
        self._let_pass = let_pass
        self._coming = iter(chunks)
        self._head: list[Chunk] = []
        self._of_head: list[RowsChecked | None] = [None, None]
        self._late: Exception | None = None
        try:
            self._head += islice(self._coming, 2)
        except Exception as problem:  # what came before it is checked first
            self._late = problem

    @classmethod
    def of(cls, delivery: Delivery, contract: Contract, chunks: Iterable[Chunk]) -> Opened:
        """Opens a landed delivery, by what the ledger knows of it."""
        return cls(
            chunks,
            contract,
            delivery.layout,
            delivery.file_name,
            exported_at=delivery.exported_at,
            covers=delivery.covers,
            is_declared=delivery.is_declared,
            let_pass=delivery.let_pass,
        )

    def checked(self, usual_rows: Callable[[], int | None]) -> Iterator[Checked]:
        """Its chunks, checked; raises Rejected, with what every rule found until then, where it is refused as a whole.

        `usual_rows`: rows that deliveries of this source usually have, asked for at the end.
        """
        titled = self._head[0].titled if self._head else None
        dates = dated(self.contract, self._covers, titled, is_declared=self._is_declared)
        delivery = _Delivery(self.contract, self._layout_name, self._file_name, self._exported_at, dates, self._let_pass)
        delivery.seen.is_kept = len(self._head) > 1
        try:
            for chunk, rows in zip(self._head, self._of_head, strict=False):
                yield delivery.check(chunk, rows)
            self._head.clear()
            if self._late is not None:
                raise self._late
            for chunk in self._coming:
                yield delivery.check(chunk)
            results = delivery.conclude(usual_rows())
        except Rejected as refused:
            raise delivery.told(refused) from None
        late = delivery.late
        yield Checked(late, FAULTS.empty_table(), 0, late.num_rows, results, corrects=late.num_rows > 0)

    def heads(self) -> list[tuple[int, pa.Table, date | None]]:
        """Place, rows and day of export of each first chunk that has rows."""
        return [(n, chunk.table, _day(self._exported_at)) for n, chunk in enumerate(self._head) if chunk.table.num_rows]

    def know(self, place: int, rows: RowsChecked) -> None:
        """Takes what the suite found in a first chunk."""
        self._of_head[place] = rows


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def check_together(several: Sequence[Opened]) -> None:
    """Runs the suite once over the first rows of several deliveries of a contract; where that breaks, each is checked alone."""
    heads = [(opened, *head) for opened in several for head in opened.heads()]
    if not heads:
        return
    try:
        found = check_rows(several[0].contract, [(table, exported_on) for _, _, table, exported_on in heads])
    except Exception:  # whoever breaks it is told when checked alone, and takes none of the others with it
        return
    for (opened, place, _, _), rows in zip(heads, found, strict=True):
        opened.know(place, rows)


class _Clock:
    """Hours of a column of times: whether those of the afternoon were written as those of the night, as by a clock of twelve hours."""

    def __init__(self, rule: Rule) -> None:
        self._column, self._at_least = rule.args["column"], rule.args["at_least"]
        self._hours = np.zeros(24, np.int64)

    def add(self, table: pa.Table) -> None:
        """Counts the hours of more rows."""
        hours = pc.hour(table[self._column].drop_null()).to_numpy()
        self._hours += np.bincount(hours, minlength=24)

    def judge(self) -> tuple[str | None, str]:
        """What is wrong, if anything, and in words which hours there are: none but 1 to 12, and some before six in the morning."""
        found = np.flatnonzero(self._hours)
        observed = f"{number(int(self._hours.sum()))} dòng" + (f", giờ từ {found[0]} đến {found[-1]}" if len(found) else "")
        is_half = self._hours.sum() >= self._at_least and self._hours[1:6].any() and not self._hours[0] and not self._hours[13:].any()
        return ("half a day" if is_half else None), observed


class _Delivery:
    """The state of one delivery's checks from chunk to chunk."""

    def __init__(
        self,
        contract: Contract,
        layout_name: str,
        file_name: str,
        exported_at: datetime | None,
        dates: Dates | None = None,
        let_pass: Collection[str] = (),
    ) -> None:
        self.let_pass = let_pass
        self.contract, self.layout_name, self.file_name = contract, layout_name, file_name
        self.dates = dates
        self.exported_on = _day(exported_at)
        self.totals, self.trailer = contract.layouts[layout_name].totals, contract.layouts[layout_name].trailer
        self.unique = next((rule for rule in contract.rules if rule.check == "unique"), None)
        self.seen = Seen(contract)
        self._late = [contract.schema.empty_table()]
        self.spoken_for = 0
        self.controls: dict[str, int] = {}
        self.differing = ""
        self.sums: dict[str, int] = dict.fromkeys(self.totals.sums if self.totals else (), 0)
        self.received = self.readable = self.unreadable = self.accepted = self.quarantined = self.ignored = 0
        self.results: list[RuleResult] = []
        self.found = Found(contract)
        self.warned: dict[str, list[int]] = {}
        """Warning → numbers of the first rows that broke it."""
        self.account = NOTHING_SEEN
        self.clocks = {rule.code: _Clock(rule) for rule in contract.rules if rule.check == "half_day_clock"}

    def check(self, chunk: Chunk, rows: RowsChecked | None = None) -> Checked:
        """What all rules find in one chunk; `rows`: what the suite found in its table, where it was run already."""
        table, contract = chunk.table, self.contract
        if table.schema != contract.schema:
            raise CheckBroken(f"{contract.feed}: the reader's table does not have the contract's schema")
        results = self._of_the_reader(chunk)
        found = [chunk.faults]
        keep = np.ones(table.num_rows, np.bool_)
        if table.num_rows:
            for rule, count, places in rows or check_rows(contract, [(table, self.exported_on)], self._well_known())[0]:
                results.append(_row_result(rule, count))
                if rule.severity == "critical" and len(places):
                    keep[places] = False
                    found.append(self._faults(rule, table.take(pa.array(places))))
                else:
                    self._flag(rule.code, table[ROW_NUMBER].take(pa.array(places[:TOLD])).to_pylist())
        same = kept_back = 0
        set_aside = [chunk.set_aside, None if keep.all() else table.filter(pa.array(~keep))]
        if self.unique is not None:
            accepted = np.flatnonzero(keep)
            good = table if keep.all() else table.filter(pa.array(keep))
            beside = self.seen.beside_others(good)
            same = int(beside.same.sum() + beside.spoken_for.sum())
            self.spoken_for += int(beside.spoken_for.sum())
            found.append(self._faults(self.unique, good.filter(pa.array(beside.contradicting))))
            results.append(_row_result(self.unique, int(beside.contradicting.sum())))
            set_aside.append(good.filter(pa.array(beside.contradicting)))
            keep[accepted[beside.same | beside.spoken_for | beside.contradicting | beside.late]] = False
            kept_back = int(beside.late.sum())
            if kept_back:
                self._late.append(good.filter(pa.array(beside.late)))
        checked = Checked(
            table=table if keep.all() else table.filter(pa.array(keep)),
            faults=pa.concat_tables(found),
            ignored=chunk.ignored + same,
            received=chunk.received - kept_back,
            results=results,
            set_aside=concatenated(set_aside),
        )
        self._count(chunk, checked, kept_back)
        return checked

    @property
    def late(self) -> pa.Table:
        """Rows that take the place of accepted ones of earlier chunks; those are on their way into the warehouse already."""
        return pa.concat_tables(self._late)

    def _count(self, chunk: Chunk, checked: Checked, kept_back: int) -> None:
        unreadable = pc.count_distinct(chunk.faults["row_number"]).as_py()
        quarantined = pc.count_distinct(checked.faults["row_number"]).as_py()
        if self.dates is not None and self.contract.period_column is not None:
            self.dates.add(self._told_first(chunk.table)[self.contract.period_column])
        for clock in self.clocks.values():
            clock.add(chunk.table)
        self.received += chunk.received
        self.readable += chunk.table.num_rows
        self.unreadable += unreadable
        self.accepted += checked.table.num_rows + kept_back
        self.quarantined += quarantined
        self.ignored += checked.ignored
        self.account += chunk.account
        self.controls |= chunk.controls
        for column in self.sums:
            self.sums[column] += pc.sum(chunk.table[column]).as_py() or 0
        came = chunk.table.num_rows + unreadable + chunk.ignored
        went = checked.table.num_rows + kept_back + quarantined + checked.ignored
        if not chunk.received == came == went:
            raise CheckBroken(f"{self.contract.feed}: {chunk.received} rows received, {came} read, {went} accounted for")
        self.found.add(checked.faults)
        self.results = merged([*self.results, *checked.results])

    def _told_first(self, table: pa.Table) -> pa.Table:
        """The rows without those that take back what was told before."""
        for column, values in self.contract.taken_back.items():
            table = table.filter(pc.invert(pc.is_in(table[column], value_set=pa.array(values))))
        return table

    def _of_the_reader(self, chunk: Chunk) -> list[RuleResult]:
        """What the reader's own rules found in a chunk."""
        broken = chunk.faults.group_by("rule_code").aggregate([("row_number", "count_distinct")]).to_pylist()
        rows = {found["rule_code"]: found["row_number_count_distinct"] for found in broken}
        for code, numbers in chunk.warned.items():
            rows[code] = len(numbers)
            self._flag(code, numbers)
        return [_row_result(rule, rows.get(rule.code, 0)) for rule in structure() if rule.check == "read" and rule.scope == "row"]

    def _faults(self, rule: Rule, rows: pa.Table) -> pa.Table:
        columns = [
            rows[ROW_NUMBER],
            pa.repeat(rule.code, rows.num_rows),
            pa.repeat(self._header(rule), rows.num_rows),
            self.contract.shown_keys({name: rows[name] for name in self.contract.natural_key}),
            pa.nulls(rows.num_rows, pa.int64()),
        ]
        return pa.table(columns, schema=FAULTS)

    def _header(self, rule: Rule) -> str:
        return self.contract.header(self.layout_name, rule.columns[0]) if rule.columns else ""

    def conclude(self, usual_rows: int | None) -> list[RuleResult]:
        """What is known after the last chunk: results of the rules that look at the whole delivery, and which rows broke the others.

        Rejected where one of the first does not let the delivery through.
        """
        counts = f"{self.received} = {self.accepted} + {self.quarantined} + {self.ignored}"
        if self.received != self.accepted + self.quarantined + self.ignored:
            raise CheckBroken(f"{self.contract.feed}: rows are lost or counted twice: {counts}")
        results = [_delivery_result(_structural("conservation"), None, counts)]
        results.append(_delivery_result(_structural("account"), None, _seen(self.account)))
        results.append(RuleResult(_structural("hidden").code, "warning", "delivery", *_hidden(self.account)))
        if self.account.corrected:
            told = f"{number(self.account.corrected)} ô"
            results.append(RuleResult(_structural("corrected").code, "warning", "delivery", False, told, self.account.corrected))
        if self.totals is not None or self.trailer is not None:
            results.append(_delivery_result(_structural("totals"), *self._totals()))
            if not self.controls:  # a trailer that is not there is no whole file, and refused by its reader
                results.append(
                    _delivery_result(_structural("no_totals"), "nothing to compare with", f"nhận được {number(self.readable)} dòng")
                )
        if self.dates is not None:
            results.append(_delivery_result(_structural("covers"), *self.dates.misread()))
            results.append(RuleResult(_structural("outside").code, "warning", "delivery", *self.dates.outside()))
        for rule in self.contract.rules:
            if rule.check == "volume":
                results.append(_delivery_result(rule, *self._volume(rule, usual_rows)))
            elif rule.check == "quarantine_share":
                results.append(_delivery_result(rule, *self._quarantine_share(rule)))
            elif rule.check == "half_day_clock":
                results.append(_delivery_result(rule, *self.clocks[rule.code].judge()))
            elif rule.check == "several" and self.spoken_for:
                results.append(_delivery_result(rule, None, f"{number(self.spoken_for)} dòng bỏ qua"))
        results += self._rows_told()
        self.results = merged([*self.results, *results])
        for result in results:
            is_refusing = result.scope == "delivery" and result.severity == "critical" and not result.success
            if is_refusing and result.rule_code not in self.let_pass:
                raise Rejected(result.rule_code, self.message(result))
        return results

    def _flag(self, code: str, numbers: Sequence[int]) -> None:
        """Keeps the first of the rows that broke a warning."""
        if numbers:
            first = self.warned.setdefault(code, [])
            first += numbers[: TOLD - len(first)]

    def _well_known(self) -> set[str]:
        """Warnings of which as many rows are known as are told."""
        return {code for code, first in self.warned.items() if len(first) == TOLD}

    def _rows_told(self) -> list[RuleResult]:
        """In words which rows broke a rule; their number was told chunk by chunk."""
        words = self.found.told()
        rows = {result.rule_code: result.unexpected_count for result in self.results}
        words |= {code: f"{number(rows[code])} dòng {which(rows[code], first)}" for code, first in self.warned.items()}
        return [RuleResult(code, self.contract.rule(code).severity, "row", False, told, 0) for code, told in words.items()]

    def told(self, refused: Rejected) -> Rejected:
        """A refusal with what was found until then."""
        itself = RuleResult(refused.rule_code, "critical", "delivery", False, None, 0)
        return Rejected(refused.rule_code, refused.message_vi, merged([*self.results, *self._rows_told(), itself]), self.found.first)

    def _totals(self) -> tuple[str | None, str]:
        """The first control total that differs, as what was found against what is written."""
        found = {"rows": self.readable + self.unreadable - self.account.strangers}
        if not self.unreadable:  # the sum of cells that could not be read is not known
            found |= self.sums
        for name, written in self.controls.items():
            if name in found and found[name] != written:
                self.differing = name
                return "differs", f"dòng tổng cộng ghi {number(written)}, các dòng chi tiết cộng được {number(found[name])}"
        return None, f"{len(self.controls)} số tổng cộng"

    def _volume(self, rule: Rule, usual_rows: int | None) -> tuple[str | None, str]:
        observed = f"{self.received} dòng, thường {usual_rows}" if usual_rows else f"{self.received} dòng"
        if not usual_rows or usual_rows < rule.args["at_least"]:
            return None, observed
        ratio = self.received / usual_rows
        return (None if rule.args.get("min_ratio", 0) <= ratio <= rule.args.get("max_ratio", ratio) else "unusual"), observed

    def _quarantine_share(self, rule: Rule) -> tuple[str | None, str]:
        observed = f"{self.quarantined}/{self.received} dòng"
        is_too_much = self.quarantined >= rule.args["at_least"] and self.quarantined > rule.args["max_share"] * self.received
        return ("too much" if is_too_much else None), observed

    def message(self, result: RuleResult) -> str:
        """Words for the supplier why the delivery is refused."""
        rule = self.contract.rule(result.rule_code)
        column = self._header(rule)
        if rule.check == "totals":
            column = self.trailer or ""
            if self.totals is not None:
                column = self.totals.sums.get(self.differing, self.totals.count or self.totals.label)
        return one_line(rule.message_vi.format(file=safe(self.file_name), column=column, observed=result.observed))


def _row_result(rule: Rule, unexpected: int) -> RuleResult:
    return RuleResult(rule.code, rule.severity, rule.scope, unexpected == 0, None, unexpected)


def _delivery_result(rule: Rule, trouble: str | None, observed: str) -> RuleResult:
    return RuleResult(rule.code, rule.severity, rule.scope, trouble is None, observed, 0)


def _seen(account: Account) -> str:
    """What was seen of the file beside its rows, in words."""
    read = account.sheets - account.other_sheets - account.hidden_sheets
    return _counted(
        (account.sheets, f"{number(read)}/{number(account.sheets)} trang tính"),
        (account.hidden_sheets, f"{number(account.hidden_sheets)} trang ẩn không đọc"),
        (True, f"{number(account.cells)} ô"),
        (account.below, f"{number(account.below)} dòng dưới bảng"),
        (account.hidden_rows, f"{number(account.hidden_rows)} dòng ẩn"),
        (account.hidden_columns, f"{number(account.hidden_columns)} cột ẩn"),
    )


def _hidden(account: Account) -> tuple[bool, str | None, int]:
    """Whether nothing of the table was hidden; else in words what was, and the number of rows that were not read for it."""
    words = _counted(
        (account.hidden_rows, f"{number(account.hidden_rows)} dòng ẩn không được đọc"),
        (account.hidden_columns, f"{number(account.hidden_columns)} cột ẩn vẫn được đọc"),
    )
    return not words, words or None, account.hidden_rows


def _counted(*parts: tuple[int, str]) -> str:
    return ", ".join(words for count, words in parts if count)


def _structural(check: str) -> Rule:
    return next(rule for rule in structure() if rule.check == check)
