"""Great Expectations' suite of a contract, run over the rows of many deliveries at once.

A run costs a tenth of a second and more however few the rows are, so that the files of a source are checked together, and the
result is told apart by the rows' places. No cell's value leaves this module: results are counts, and places of rows.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import FRAME_RULE, Contract, Derived, Rule
from tasks.validate.gx import GX_LOCK, great_expectations

COUNTS: dict[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Only counts: no value gets into a result."""

ROWS: dict[str, Any] = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
"""The index of each row that failed, which is its place; still no value."""

SECONDS = pa.timestamp("s")

Places = npt.NDArray[np.int64]
NOWHERE: Places = np.empty(0, np.int64)

PERIOD = r"^(?P<year>\d{4})(?:-Q(?P<quarter>[1-4])|-(?P<month>\d{2}))?$"


class CheckBroken(Exception):
    """A check could not be run or contradicts itself: the pipeline is at fault, never the supplier's data."""


RowsChecked: TypeAlias = list[tuple[Rule, int, Places]]
"""What the suite found in some rows of one delivery: of every row rule how many rows broke it, and their places; these may be left out
of a warning, as it sets none aside."""


def check_rows(contract: Contract, parts: Sequence[tuple[pa.Table, date | None]], told: Collection[str] = ()) -> list[RowsChecked]:
    """What the suite says of the rows of each part, none of them empty: its table, and the day on which it was exported.

    `told`: warnings of which enough rows are known not to look for more.
    """
    frames = [checked_frame(table, contract, exported_on) for table, exported_on in parts]
    whole = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    counted = [(rule, result.result["unexpected_count"]) for rule, result in _by_rule(contract, run_suite(contract, whole, COUNTS))]
    wanted = {rule.code for rule, count in counted if count and (len(frames) > 1 or rule.severity == "critical" or rule.code not in told)}
    located = _by_rule(contract, run_suite(contract, whole, ROWS, wanted)) if wanted else []
    places = {rule.code: np.sort(np.array(result.result["unexpected_index_list"], np.int64)) for rule, result in located}
    ends = np.cumsum([0, *map(len, frames)])
    found = []
    for first, end in pairwise(ends):
        own = {code: rows[slice(*np.searchsorted(rows, (first, end)))] - first for code, rows in places.items()}
        found.append([(rule, len(own[rule.code]) if rule.code in own else count, own.get(rule.code, NOWHERE)) for rule, count in counted])
    return found


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
    """The columns that the row rules look at, and no other, row by row; derived ones are made here."""
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    for name in contract.checked_columns:
        made = contract.derived.get(name)
        column = table[name] if made is None else _derive(made, table, exported_on)
        columns[name] = column.cast(SECONDS) if pa.types.is_date32(column.type) else column
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    return frame


def _derive(made: Derived, table: pa.Table, exported_on: date | None) -> pa.Array | pa.ChunkedArray:
    if made.day:
        days = table[made.day].cast(pa.date32())
        column = (_years_later(days, made.years_later) if made.years_later else days).cast(SECONDS)
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


def _years_later(days: pa.ChunkedArray, years: int) -> pa.Array:
    """The same day of another year; the first of March for the 29 February that it does not have."""
    known = days.combine_chunks()
    day = known.fill_null(0).to_numpy(zero_copy_only=False).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    later = (month + 12 * years).astype("datetime64[D]") + (day - month.astype("datetime64[D]"))
    return pa.array(later, mask=known.is_null().to_numpy(zero_copy_only=False))


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
        finally:
            gc.collect()  # what was made of the rows of the run before refers to itself, and would stay for many runs
