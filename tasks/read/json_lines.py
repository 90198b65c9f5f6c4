"""JSON lines: one object a line, a field a column. Streamed, so that memory does not grow with the file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from tasks.read.json_text import text_of, whole
from tasks.read.lines import blocks
from tasks.read.rows import NO_VALUE, File, Rows, label
from tasks.words.vietnamese import number

WANTED = "mỗi dòng một đối tượng JSON"
Reduce = Mapping[str, Callable[[Any], Any]]
"""Field that holds a list → what its cell says of it."""


def read_json_lines(file: File, chunk_rows: int, reduced: Reduce | None = None) -> Iterator[Rows]:
    """Rows of one object each, numbered as lines; what an object leaves out or says to be null is missing."""
    reading = _Reading(file, reduced or {})
    before, is_begun = 0, False
    for block, read_bytes in blocks(file, b"{", WANTED):
        start = b"" if is_begun else block.lstrip()
        if start and not start.startswith(b"{"):
            raise file.refused("STR-007", advice=f"Tệp nhận được là văn bản, cần {WANTED}.")
        is_begun = is_begun or bool(start)
        yield from replace(reading.rows(block, before), read_bytes=read_bytes).parts(chunk_rows)
        before += block.count(b"\n")


def read_momo(file: File, chunk_rows: int) -> Iterator[Rows]:
    """The same of MoMo's answers about transactions, whose refunds are a list: what was given back so far."""
    return read_json_lines(file, chunk_rows, {"refundTrans": _refunded})


def _refunded(refunds: Any) -> Any:
    """Sum of the refunds that were made (resultCode 0)."""
    if refunds is None:
        return None
    try:
        amounts = [text_of(refund["amount"]) or "" for refund in refunds if text_of(refund["resultCode"]) == "0"]
    except (TypeError, KeyError):
        return NO_VALUE
    return sum(map(int, amounts)) if all(amount.isascii() and amount.isdigit() for amount in amounts) else NO_VALUE


class _Reading:
    """The fields of the file, and how its lines become cells."""

    def __init__(self, file: File, reduced: Reduce) -> None:
        self._file, self._reduced = file, reduced
        self._needed = file.needed()
        self._written: dict[str, str] = {}
        """The layout's header → the field's name in the file."""
        self._known: dict[str, None] = {}
        """Fields met so far, in their order."""
        self._required = {
            label(header) for header, column in file.layout.headers.items() if column and file.contract.columns[column].required
        }

    def rows(self, block: bytes, before: int) -> Rows:
        """Rows of some lines, `before` lines standing above them."""
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        table = _parsed(block)
        if table is not None and table.num_rows == lines == block.count(b"\n{") + block.startswith(b"{"):
            self._meet(table.column_names)
            cells = {header: self._column(table, header, block) for header in self._needed}
            if None not in cells.values():
                return Rows(cells, np.arange(before + 1, before + 1 + lines, dtype=np.int32))
        return self._one_by_one(block, before)

    def _column(self, table: pa.Table, header: str, block: bytes) -> pa.StringArray | None:
        """A field as its cells would be written; nothing where that cannot be told from its type."""
        field = self._written.get(header)
        if field is None or field not in table.column_names:
            return pa.nulls(table.num_rows, pa.string())
        column = table[field].combine_chunks()
        if header in self._reduced and pa.types.is_list(column.type):
            return _reduced(column, self._reduced[header], field, block)
        return _text(column)

    def _meet(self, fields: list[str]) -> None:
        """Refuses fields that nobody agreed on, and a file whose first lines lack one that every row must have."""
        new = [field for field in fields if field not in self._known]
        if not new:
            return
        is_first = not self._known
        self._known |= dict.fromkeys(new)
        there = set(map(label, self._known))
        left_out = [header for header in self._file.layout.headers if label(header) not in there]
        assumed = [header for header in left_out if not is_first or label(header) not in self._required]
        found = self._file.recognise([*self._known, *assumed])
        self._written = {header: field for header, field in zip(found, self._known, strict=False) if header}

    def _one_by_one(self, block: bytes, before: int) -> Rows:
        """The same where a line holds what the parser of whole blocks takes for another type, or cannot read: only those are set aside."""
        records: list[dict[str, Any]] = []
        numbers, malformed = [], []
        lines = block.split(b"\n")
        for place, line in enumerate(lines, before + 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line, parse_int=whole)
            except (ValueError, RecursionError):
                if place == before + len(lines):  # the last line of the file, and no line break after it
                    raise self._file.refused("STR-005", advice=f"Dòng {number(place)} dừng giữa chừng.") from None
                record = None
            if isinstance(record, dict):
                records.append(record)
                numbers.append(place)
            else:
                malformed.append(place)
        self._meet(list(dict.fromkeys(key for record in records for key in record)))
        cells = {header: pa.array([self._cell(record, header) for record in records], pa.string()) for header in self._needed}
        return Rows(cells, np.array(numbers, np.int32), malformed)

    def _cell(self, record: dict[str, Any], header: str) -> str | None:
        value = record.get(self._written.get(header, ""))
        return text_of(self._reduced[header](value) if header in self._reduced else value)


def _parsed(block: bytes) -> pa.Table | None:
    """The lines as the types they seem to have; nothing where they do not agree on them."""
    try:
        return pa_json.read_json(
            io.BytesIO(block),
            read_options=pa_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            parse_options=pa_json.ParseOptions(newlines_in_values=False),
        )
    except pa.ArrowInvalid:
        return None


def _text(column: pa.Array) -> pa.StringArray | None:
    kind = column.type
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "1", "0")
    if pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    return None


def _reduced(lists: pa.ListArray, reduce: Callable[[Any], Any], field: str, block: bytes) -> pa.StringArray:
    """What cells say of lists. Nearly all of them are empty; only the lines of the others are read again, as they are written."""
    cells = pc.if_else(lists.is_valid(), text_of(reduce([])), None)
    is_filled = pc.fill_null(pc.greater(pc.list_value_length(lists), 0), False)
    places = np.flatnonzero(is_filled.to_numpy(zero_copy_only=False))
    lines = block.split(b"\n") if len(places) else []
    told = [text_of(reduce(json.loads(lines[place], parse_int=whole)[field])) for place in places]
    return pc.replace_with_mask(cells, is_filled, pa.array(told, pa.string()))
