"""The contract's rules, run over what the reader returned: accepted rows, faults, a result of every rule.

Row rules are a Great Expectations suite, run once a chunk in an ephemeral context of its own. Rules that
need the whole file (duplicates, control totals, volume, share of quarantined rows) are decided here.
No cell's value leaves this module: results are counts, faults are row numbers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import FRAME_RULE, ROW_NUMBER, Contract, Derived, Rule, structure
from tasks.deliveries.coverage import Stretch
from tasks.read.file import FAULTS, Chunk, Rejected
from tasks.read.rows import NOTHING_SEEN, Account
from tasks.validate.dates import Dates, dated
from tasks.validate.found import Found
from tasks.validate.gx import GX_LOCK, great_expectations
from tasks.words.keys import code_hash, row_hash
from tasks.words.vietnamese import number, one_line, safe

if TYPE_CHECKING:
    from tasks.validate.data_docs import DataDocs

COUNTS: dict[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Only counts: no value gets into a result."""

ROWS: dict[str, Any] = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
"""The index of each row that failed, which is its number in the file; still no value."""

SECONDS = pa.timestamp("s")

PERIOD = r"^(?P<year>\d{4})(?:-Q(?P<quarter>[1-4])|-(?P<month>\d{2}))?$"

Mask = npt.NDArray[np.bool_]


class CheckBroken(Exception):
    """A check could not be run or contradicts itself: the pipeline is at fault, never the supplier's data."""


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
    """A chunk after its checks; the last one of a delivery holds no rows, only what was found of the whole."""

    table: pa.Table
    """Accepted rows."""
    faults: pa.Table
    """One row per row set aside and rule it broke, the reader's included."""
    ignored: int
    received: int
    results: list[RuleResult]


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
    docs: DataDocs | None = None,
    usual_rows: int | None = None,
    exported_at: datetime | None = None,
    covers: Stretch | None = None,
    is_declared: bool = False,
) -> Iterator[Checked]:
    """Check a delivery chunk by chunk; raise Rejected, with what every rule found until then, where it is refused as a whole.

    `usual_rows`: rows that deliveries of this source usually have. `exported_at`: when it was made, against
    which dates are in the future. `covers`: days that its name speaks of, by its source's pattern where `is_declared`.
    """
    coming = iter(chunks)
    head: list[Chunk] = []
    late: Rejected | None = None
    try:
        head += islice(coming, 2)
    except Rejected as refused:  # what came before it is checked first
        late = refused
    titled = head[0].titled if head else None
    dates = dated(contract, covers, titled, is_declared=is_declared)
    delivery = _Delivery(contract, layout_name, file_name, exported_at, dates)
    delivery.seen.is_kept = len(head) > 1
    try:
        for chunk in chain(head, coming):
            yield delivery.check(chunk)
        if late is not None:
            raise late
        results = delivery.conclude(usual_rows)
    except Rejected as refused:
        told = delivery.told(refused)
        if docs is not None:
            docs.add(contract, file_name, delivery.suite_results, told.results, told)
        raise told from None
    if docs is not None:
        docs.add(contract, file_name, delivery.suite_results, delivery.results)
    yield Checked(contract.schema.empty_table(), FAULTS.empty_table(), 0, 0, results)


@dataclass
class _Seen:
    """Keys and contents of the rows accepted so far, sorted by key."""

    is_kept: bool = False
    keys: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    contents: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def duplicates(self, table: pa.Table, natural_key: list[str]) -> tuple[Mask, Mask]:
        """Rows that repeat an earlier row word for word, and rows that contradict one; the first of each key stays."""
        keys = code_hash([table[name] for name in natural_key]).to_numpy()
        place = np.searchsorted(self.keys, keys)
        known = np.zeros(len(keys), np.bool_)
        inside = place < len(self.keys)
        known[inside] = self.keys[place[inside]] == keys[inside]
        repeated = pd.Series(keys).duplicated().to_numpy() | known
        contents = row_hash(table.drop_columns(ROW_NUMBER)).to_numpy() if self.is_kept or repeated.any() else np.empty(0, np.int64)
        same = np.zeros(len(keys), np.bool_)
        if repeated.any():
            first = pd.Series(contents).groupby(keys).transform("first").to_numpy().copy()
            first[known] = self.contents[place[known]]
            same = repeated & (contents == first)
        if self.is_kept:
            self._add(keys[~repeated], contents[~repeated])
        return same, repeated & ~same

    def _add(self, keys: npt.NDArray[np.int64], contents: npt.NDArray[np.int64]) -> None:
        keys, contents = np.concatenate([self.keys, keys]), np.concatenate([self.contents, contents])
        order = np.argsort(keys, kind="stable")
        self.keys, self.contents = keys[order], contents[order]


class _Delivery:
    """The state of one delivery's checks from chunk to chunk."""

    def __init__(
        self, contract: Contract, layout_name: str, file_name: str, exported_at: datetime | None, dates: Dates | None = None
    ) -> None:
        self.contract, self.layout_name, self.file_name = contract, layout_name, file_name
        self.dates = dates
        self.exported_on = exported_at.date() if exported_at else None
        self.totals = contract.layouts[layout_name].totals
        self.unique = next((rule for rule in contract.rules if rule.check == "unique"), None)
        self.seen = _Seen()
        self.controls: dict[str, int] = {}
        self.differing = ""
        self.sums: dict[str, int] = dict.fromkeys(self.totals.sums if self.totals else (), 0)
        self.received = self.readable = self.unreadable = self.accepted = self.quarantined = self.ignored = 0
        self.suite_results: list[Any] = []
        self.results: list[RuleResult] = []
        self.found = Found(contract)
        self.account = NOTHING_SEEN

    def check(self, chunk: Chunk) -> Checked:
        """Run the row rules on one chunk."""
        table, contract = chunk.table, self.contract
        if table.schema != contract.schema:
            raise CheckBroken(f"{contract.feed}: the reader's table does not have the contract's schema")
        results = self._of_the_reader(chunk)
        found = [chunk.faults]
        keep = np.ones(table.num_rows, np.bool_)
        if table.num_rows:
            for rule, count, numbers in self._failed_rows(table):
                results.append(_row_result(rule, count))
                if numbers:
                    failed = np.isin(table[ROW_NUMBER].to_numpy(), numbers)
                    keep &= ~failed
                    found.append(self._faults(rule, table.filter(pa.array(failed))))
        same = 0
        if self.unique is not None:
            accepted = np.flatnonzero(keep)
            rows = table if keep.all() else table.filter(pa.array(keep))
            repeats, contradicts = self.seen.duplicates(rows, contract.natural_key)
            same = int(repeats.sum())
            found.append(self._faults(self.unique, rows.filter(pa.array(contradicts))))
            results.append(_row_result(self.unique, int(contradicts.sum())))
            keep[accepted[repeats | contradicts]] = False
        checked = Checked(
            table=table if keep.all() else table.filter(pa.array(keep)),
            faults=pa.concat_tables(found),
            ignored=chunk.ignored + same,
            received=chunk.received,
            results=results,
        )
        self._count(chunk, checked)
        return checked

    def _count(self, chunk: Chunk, checked: Checked) -> None:
        unreadable = pc.count_distinct(chunk.faults["row_number"]).as_py()
        quarantined = pc.count_distinct(checked.faults["row_number"]).as_py()
        if self.dates is not None and self.contract.period_column is not None:
            self.dates.add(chunk.table[self.contract.period_column])
        self.received += chunk.received
        self.readable += chunk.table.num_rows
        self.unreadable += unreadable
        self.accepted += checked.table.num_rows
        self.quarantined += quarantined
        self.ignored += checked.ignored
        self.account += chunk.account
        self.controls |= chunk.controls
        for column in self.sums:
            self.sums[column] += pc.sum(chunk.table[column]).as_py() or 0
        came = chunk.table.num_rows + unreadable + chunk.ignored
        went = checked.table.num_rows + quarantined + checked.ignored
        if not chunk.received == came == went:
            raise CheckBroken(f"{self.contract.feed}: {chunk.received} rows received, {came} read, {went} accounted for")
        self.found.add(checked.faults)
        self.results = merged([*self.results, *checked.results])

    def _of_the_reader(self, chunk: Chunk) -> list[RuleResult]:
        """What the reader's own rules found in a chunk."""
        broken = chunk.faults.group_by("rule_code").aggregate([("row_number", "count_distinct")]).to_pylist()
        rows = {found["rule_code"]: found["row_number_count_distinct"] for found in broken} | chunk.warned
        return [_row_result(rule, rows.get(rule.code, 0)) for rule in structure() if rule.check == "read" and rule.scope == "row"]

    def _failed_rows(self, table: pa.Table) -> Iterator[tuple[Rule, int, list[int]]]:
        """Every row rule of the suite, how many rows broke it, and, of a critical rule, their numbers."""
        frame = checked_frame(table, self.contract, self.exported_on)
        counted = run_suite(self.contract, frame, COUNTS)
        self.suite_results.append(counted)
        broken = {rule.code for rule, result in _by_rule(self.contract, counted) if not result.success and rule.severity == "critical"}
        located = _by_rule(self.contract, run_suite(self.contract, frame, ROWS, broken)) if broken else []
        numbers = {rule.code: result.result["unexpected_index_list"] for rule, result in located}
        for rule, result in _by_rule(self.contract, counted):
            yield rule, result.result["unexpected_count"], numbers.get(rule.code, [])

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
        if self.totals is not None:
            results.append(_delivery_result(_structural("totals"), *self._totals()))
        if self.dates is not None:
            results.append(_delivery_result(_structural("covers"), *self.dates.misread()))
            results.append(RuleResult(_structural("outside").code, "warning", "delivery", *self.dates.outside()))
        for rule in self.contract.rules:
            if rule.check == "volume":
                results.append(_delivery_result(rule, *self._volume(rule, usual_rows)))
            elif rule.check == "quarantine_share":
                results.append(_delivery_result(rule, *self._quarantine_share(rule)))
        results += self._rows_told()
        self.results = merged([*self.results, *results])
        for result in results:
            if result.scope == "delivery" and result.severity == "critical" and not result.success:
                raise Rejected(result.rule_code, self.message(result))
        return results

    def _rows_told(self) -> list[RuleResult]:
        """In words which rows broke a rule; their number was told chunk by chunk."""
        return [RuleResult(code, self.contract.rule(code).severity, "row", False, words, 0) for code, words in self.found.told().items()]

    def told(self, refused: Rejected) -> Rejected:
        """A refusal with what was found until then."""
        itself = RuleResult(refused.rule_code, "critical", "delivery", False, None, 0)
        return Rejected(refused.rule_code, refused.message_vi, merged([*self.results, *self._rows_told(), itself]), self.found.first)

    def _totals(self) -> tuple[str | None, str]:
        """The first control total that differs, as what was found against what is written."""
        found = {"rows": self.readable + self.unreadable}
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
        if rule.check == "totals" and self.totals is not None:
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


def _by_rule(contract: Contract, suite_result: Any) -> list[tuple[Rule, Any]]:
    """Each row rule with its result; CheckBroken where one could not be run, which says nothing about the data."""
    found = []
    for result in suite_result.results:
        code = result.expectation_config.meta["rule"]
        trouble = _exception(result.exception_info)
        if trouble:
            raise CheckBroken(f"{code} could not be run: {trouble}")
        if code != FRAME_RULE:
            found.append((contract.rule(code), result))
        elif not result.success:
            raise CheckBroken(f"{contract.feed}: {code}: the frame to be checked is not the one declared")
    return found


def _exception(info: dict[str, Any]) -> str | None:
    """Kind of the error that kept a check from running; its text might quote a cell."""
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if isinstance(entry, dict) and entry.get("raised_exception"):
            kind = re.search(r"^[A-Za-z_][\w.]*(?:Error|Exception)\b", str(entry.get("exception_traceback")), re.MULTILINE)
            return kind[0] if kind else "error"
    return None


def checked_frame(table: pa.Table, contract: Contract, exported_on: date | None) -> pd.DataFrame:
    """The columns that the row rules look at, and no other, under the rows' numbers; derived ones are made here."""
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    for name in contract.checked_columns:
        made = contract.derived.get(name)
        column = table[name] if made is None else _derive(made, table, exported_on)
        columns[name] = column.cast(SECONDS) if pa.types.is_date32(column.type) else column
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    frame.index = pd.Index(table[ROW_NUMBER].to_numpy())
    return frame


def _derive(made: Derived, table: pa.Table, exported_on: date | None) -> pa.Array | pa.ChunkedArray:
    if made.day:
        column = table[made.day].cast(pa.date32()).cast(SECONDS)
    elif made.period_start:
        column = _period_start(table[made.period_start])
    elif made.days_after_export is not None:
        day = None if exported_on is None else datetime.combine(exported_on, datetime.min.time()) + timedelta(days=made.days_after_export)
        column = pa.repeat(pa.scalar(day, SECONDS), table.num_rows)
    elif made.present:
        column = table[made.present].is_valid().cast(pa.int64())
    else:
        column = table[str(made.column)]
        if made.day_in:
            texts = pc.struct_field(pc.extract_regex(column, made.day_in), "day")
            column = pc.strptime(texts, "%y%m%d", "s", error_is_null=True)
        if made.missing_as is not None:
            column = column.fill_null(made.missing_as)
        for other in made.minus:
            column = pc.subtract(column, table[other])
        if made.restarts:
            column = _restarts(column, made.restarts, table[str(made.given_at)])
    for name, values in made.where.items():
        column = pc.if_else(pc.is_in(table[name], pa.array(values)), column, None)
    return column


def _restarts(texts: pa.ChunkedArray, pattern: str, given_at: pa.ChunkedArray) -> pa.Array:
    """1 where a number is lower than one given earlier in its series, else 0; missing where there is no number or no time."""
    parts = pc.extract_regex(texts, pattern)
    known = pc.and_(parts.is_valid(), given_at.is_valid()).combine_chunks()
    parts = parts.combine_chunks().filter(known)
    series = parts.field("series").dictionary_encode().indices.to_numpy().astype(np.int64)
    numbers = parts.field("number").cast(pa.int64()).to_numpy()
    order = np.lexsort((numbers, given_at.combine_chunks().filter(known).cast(pa.int64()).to_numpy(), series))
    # Later series are larger numbers here, so that the highest so far is always one of the same series or lower.
    place = (series << 32 | numbers)[order]
    lower = np.zeros(len(place), np.int64)
    lower[order[1:]] = np.maximum.accumulate(place)[:-1] > place[1:]
    return pc.replace_with_mask(pa.nulls(len(texts), pa.int64()), known, pa.array(lower))


def _period_start(periods: pa.ChunkedArray) -> pa.ChunkedArray:
    parts = pc.extract_regex(periods, PERIOD)
    quarters = pc.struct_field(parts, "quarter")
    months = pc.struct_field(parts, "month")
    starts = pc.index_in(quarters, pa.array(["1", "2", "3", "4"]))
    of_quarter = pa.array(["01", "04", "07", "10"]).take(starts.combine_chunks())
    month = pc.coalesce(of_quarter, pc.if_else(pc.equal(months, ""), "01", months))
    return pc.strptime(pc.binary_join_element_wise(pc.struct_field(parts, "year"), month, "01", "-"), "%Y-%m-%d", "s", error_is_null=True)


def run_suite(contract: Contract, frame: pd.DataFrame, result_format: dict[str, Any], codes: Collection[str] | None = None) -> Any:
    """Great Expectations' result of the contract's suite, or of some of its rules, in a context of its own."""
    with GX_LOCK:
        gx = great_expectations()
        from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415  # slow, see above

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        data = context.data_sources.add_pandas(contract.feed).add_dataframe_asset("rows").add_batch_definition_whole_dataframe("chunk")
        suite = context.suites.add(contract.suite(codes))
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=contract.feed, data=data, suite=suite))
        try:
            return definition.run(batch_parameters={"dataframe": frame}, result_format=result_format)
        except Exception as error:  # whatever it is, it is ours; its text might quote a cell
            raise CheckBroken(f"{contract.feed}: the suite could not be run: {type(error).__name__}") from None
