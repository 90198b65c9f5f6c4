"""Settlement files of Napas: one record a line, HR the file's, DR a transaction's, TR its end; each field after its name in brackets.

`DR[MTI]0210[F4]000010000000[F12]103105[F13]0428…[CSR]32 hex digits`. Streamed, whole blocks of lines at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tasks.read.lines import blocks
from tasks.read.rows import Account, File, Rows
from tasks.words.vietnamese import number

DAY = "F13"
"""Field of the day of a transaction, as MMdd."""
_TAG = re.compile(r"\[([A-Z0-9]+)\]")
_WHOLE = r"^DR\[.*\[CSR\][0-9A-Fa-f]{32}$"
_HEADER = re.compile(r"HR\[.*\[DATE\](\d{8})")
_HALF_A_YEAR = 6 * 31


def read_tagged(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of the DR records, numbered as lines; with the last comes how many TR says there are.

    A day without a year is of the year in which it lies nearest to the day that HR tells.
    """
    trailer = re.compile(rf"TR.*\[{file.layout.trailer}\]\s*(\d+)")
    headers: list[str] = []
    told: date | None = None
    count, last, found = 0, "", 0
    for block, read_bytes in blocks(file, b"HR[", "tệp .dat"):
        lines = _split(block)
        kinds = pc.utf8_slice_codeunits(lines, 0, 2)
        is_filled = pc.not_equal(lines, "").to_numpy(zero_copy_only=False)
        filled = np.flatnonzero(is_filled)
        if told is None and len(filled):
            told = _day_of(file, lines[int(filled[0])].as_py())
        if len(filled):
            last = lines[int(filled[-1])].as_py()
        places = np.flatnonzero(pc.equal(kinds, "DR").to_numpy(zero_copy_only=False))
        records = lines.take(pa.array(places))
        if not headers and len(records):
            file.recognise(_TAG.findall(records[0].as_py()))
            headers = file.needed()
        rows = _rows(records, places + count + 1, headers, told)
        is_known = pc.is_in(kinds, value_set=pa.array(["DR", "HR", "TR"])).to_numpy(zero_copy_only=False)
        strangers = np.flatnonzero(is_filled & ~is_known) + count + 1
        rows = replace(rows, malformed=sorted([*rows.malformed, *strangers.tolist()]), account=Account(strangers=len(strangers)))
        count += len(lines)
        found += len(records)
        end = trailer.match(last)
        yield from replace(rows, controls={"rows": int(end[1])} if end else {}, read_bytes=read_bytes).parts(chunk_rows)
    if not trailer.match(last):
        raise file.refused("STR-005", advice=f"Không có dòng kết thúc TR; nhận được {number(found)} dòng giao dịch.")


def _split(block: bytes) -> pa.StringArray:
    """The lines of a block, without their line breaks."""
    return pc.utf8_trim_whitespace(pc.split_pattern(pa.array([block.removesuffix(b"\n")], pa.string()), "\n").flatten())


def _day_of(file: File, line: str) -> date:
    """The day that the header record tells. Refuses a file that does not begin with one."""
    if "BEGIN PGP" in line:
        raise file.refused("STR-030")
    found = _HEADER.match(line)
    if found is None:
        raise file.refused("STR-009")
    try:
        return datetime.strptime(found[1], "%d%m%Y").date()
    except ValueError:
        raise file.refused("STR-009", advice="Ngày ở dòng HR không đúng dạng ddMMyyyy.") from None


def _rows(records: pa.StringArray, numbers: npt.NDArray[np.int64], headers: list[str], told: date | None) -> Rows:
    """The fields of each record that is whole."""
    whole = pc.match_substring_regex(records, _WHOLE)
    cells = {tag: _field(records.filter(whole), tag) for tag in headers}
    if DAY in cells and told is not None:
        cells[DAY] = _with_year(cells[DAY], told)
    is_whole = whole.to_numpy(zero_copy_only=False)
    return Rows(cells, numbers[is_whole].astype(np.int32), numbers[~is_whole].tolist())


def _field(records: pa.StringArray, tag: str) -> pa.StringArray:
    return pc.struct_field(pc.extract_regex(records, rf"\[{tag}\](?P<value>[^\[]*)"), "value")


def _with_year(days: pa.StringArray, told: date) -> pa.StringArray:
    """Days as MMdd → yyyyMMdd; what is no such day stays as it is."""
    trimmed = pc.utf8_trim_whitespace(days)
    is_day = pc.fill_null(pc.match_substring_regex(trimmed, r"^[0-9]{4}$"), False)
    number_of_day = pc.fill_null(pc.if_else(is_day, trimmed, None).cast(pa.int32()), 0).to_numpy(zero_copy_only=False)
    apart = (number_of_day // 100 - told.month) * 31 + number_of_day % 100 - told.day
    years = told.year + (apart < -_HALF_A_YEAR).astype(np.int32) - (apart > _HALF_A_YEAR).astype(np.int32)
    return pc.if_else(is_day, pc.binary_join_element_wise(pa.array(years).cast(pa.string()), trimmed, ""), days)
