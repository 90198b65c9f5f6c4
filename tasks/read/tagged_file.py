"""Settlement files of Napas: one record a line, HR the file's, DR a transaction's, TR its end; each field after its name in brackets.

`DR[MTI]0210[F4]000010000000[F12]103105[F13]0428…[CSR]32 hex digits`. Streamed, whole blocks of lines at a time.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tasks.read.kinds import kind_of
from tasks.read.rows import Account, File, Rows
from tasks.words.vietnamese import number

BLOCK = 8 << 20
"""Bytes read at a time; a line is no longer."""
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
    for lines, read_bytes in _lines(file):
        kinds = pc.utf8_slice_codeunits(lines, 0, 2)
        filled = np.flatnonzero(pc.not_equal(lines, "").to_numpy(zero_copy_only=False))
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
        others = pc.is_in(kinds, value_set=pa.array(["DR", "HR", "TR"])).to_numpy(zero_copy_only=False)
        strangers = [int(place) + count + 1 for place in filled if not others[place]]
        rows = replace(rows, malformed=sorted([*rows.malformed, *strangers]), account=Account(strangers=len(strangers)))
        count += len(lines)
        found += len(records)
        end = trailer.match(last)
        yield from _parts(replace(rows, controls={"rows": int(end[1])} if end else {}, read_bytes=read_bytes), chunk_rows)
    if not last:
        raise file.refused("STR-003")
    if not trailer.match(last):
        raise file.refused("STR-005", advice=f"Không có dòng kết thúc TR; nhận được {number(found)} dòng giao dịch.")


def _parts(rows: Rows, chunk_rows: int) -> Iterator[Rows]:
    for start in range(0, max(len(rows.numbers), 1), chunk_rows):
        yield rows.part(start, start + chunk_rows)


def _lines(file: File) -> Iterator[tuple[pa.StringArray, int]]:
    """Blocks of whole lines, without their line breaks, and how many bytes of the file are read by then."""
    with file.path.open("rb") as stream:
        start = stream.read(len(codecs.BOM_UTF8))
        rest, read = start.removeprefix(codecs.BOM_UTF8), len(start)
        while more := stream.read(BLOCK):
            rest, read = rest + more, read + len(more)
            cut = rest.rfind(b"\n") + 1
            if not cut and len(rest) > BLOCK:
                raise file.refused("STR-022", advice=f"một dòng dài hơn {number(BLOCK >> 20)} MB")
            if cut:
                yield _split(file, rest[: cut - 1]), read
                rest = rest[cut:]
    if rest:
        yield _split(file, rest), read


def _split(file: File, block: bytes) -> pa.StringArray:
    try:
        text = block.decode()
    except UnicodeDecodeError:
        raise file.refused("STR-006") from None
    lines = pc.split_pattern(pa.array([text]), "\n").flatten()
    return pc.utf8_trim_whitespace(lines)


def _day_of(file: File, line: str) -> date:
    """The day that the header record tells. Refuses a file that does not begin with one."""
    if "BEGIN PGP" in line:
        raise file.refused("STR-030")
    found = _HEADER.match(line)
    if found is None:
        kind = kind_of(line.encode())
        raise file.refused("STR-007", advice=f"Tệp nhận được là {kind}, cần tệp .dat.") if kind else file.refused("STR-009")
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
