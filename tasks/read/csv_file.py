"""Delimited text, streamed in blocks, every cell as text."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from tasks.read.encodings import is_windows_1258, recognise, to_unicode
from tasks.read.kinds import kind_of
from tasks.read.rows import File, Rows

BLOCK = 4 << 20
PARSED = 16 << 20
"""Bytes parsed at a time. What a chunk costs beside its rows (a suite set up, keys looked for) is paid once for so many."""
_SAMPLE = 200_000
_BOM = codecs.BOM_UTF8.decode()
_DELIMITERS = {",": "dấu phẩy", ";": "dấu chấm phẩy", "\t": "dấu tab", "|": "dấu gạch đứng"}
_SEP = re.compile(f"{_BOM}?sep=([^\r\n])\r?\n", re.IGNORECASE)


def read_csv(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of a delimited file, at most `chunk_rows` at a time; only the needed columns leave the parser."""
    csv.field_size_limit(PARSED)  # what is longer is no cell, but a quotation mark that nobody closed
    # Arrow's and the codecs' errors carry cells of the file: neither their words nor their traceback may go on.
    try:
        survey = _survey(file)
        start = _start(file, survey)
        misfits = _Misfits(start)
        if survey.quotes % 2 and _ends_inside_quotes(file, survey, start.delimiter):
            raise file.refused("STR-005")
        yield from _parsed(file, survey, start, misfits, chunk_rows)
    except UnicodeDecodeError:
        raise file.refused("STR-006") from None
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            raise file.refused("STR-004") from None
        if "straddl" in str(error):
            raise file.refused("STR-022", advice=f"một dòng dài hơn {PARSED >> 20} MB") from None
        raise file.refused("STR-005") from None
    if not survey.ends_whole and misfits.last_is_short:
        raise file.refused("STR-005")


@dataclass(frozen=True)
class _Start:
    """What stands before the rows."""

    headers: list[str | None]
    delimiter: str
    bytes: int
    """Up to the first row."""
    row: int
    """Number of the header, as a spreadsheet that opens the file shows it."""
    is_separated: bool
    """Whether a line above it names the delimiter, which a spreadsheet does not show."""

    @property
    def least(self) -> int:
        """Cells that a row needs, for its last named column."""
        return max(place for place, header in enumerate(self.headers, 1) if header)


class _Misfits:
    """Rows with more or fewer cells than the header: as they are where only empty cells are too many or missing, else set aside."""

    def __init__(self, start: _Start) -> None:
        self._start = start
        self.numbers: list[int] = []
        self.taken: dict[int, list[str]] = {}
        self.last_is_short = False
        """Whether the last of them has too few cells, and no row comes after it."""

    def __call__(self, row: pa_csv.InvalidRow) -> str:
        """What Arrow asks of a row that does not fit."""
        cells = next(csv.reader([row.text], delimiter=self._start.delimiter), [])
        width = len(self._start.headers)
        self.last_is_short = len(cells) < self._start.least
        if self.last_is_short or any(cell.strip() for cell in cells[width:]):
            self.numbers.append(row.number)
        else:
            self.taken[row.number] = [*cells[:width], *[""] * (width - len(cells))]
        return "skip"

    def before(self, number: float) -> tuple[list[int], dict[int, list[str]]]:
        """Those that were found before a row and not asked for yet: the numbers of those set aside, the cells of the others."""
        aside = [one for one in self.numbers if one < number]
        taken = {one: cells for one, cells in self.taken.items() if one < number}
        self.numbers, self.taken = self.numbers[len(aside) :], {one: cells for one, cells in self.taken.items() if one not in taken}
        return aside, taken


def _parsed(file: File, survey: _Survey, start: _Start, misfits: _Misfits, chunk_rows: int) -> Iterator[Rows]:
    """Rows as the parser finds them, and those that do not fit under the header."""
    needed = [header for header in file.needed() if header in start.headers]
    names = [header or f"\0{number}" for number, header in enumerate(start.headers)]
    with _open(file, survey) as stream:
        stream.read(start.bytes)
        batches = pa_csv.open_csv(
            stream,
            # Row numbers of malformed rows are known only where one thread parses.
            read_options=pa_csv.ReadOptions(column_names=names, block_size=min(PARSED, file.path.stat().st_size + 1), use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=start.delimiter,
                newlines_in_values=survey.quotes > 0,
                invalid_row_handler=misfits,
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=needed,
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                null_values=[],
                check_utf8=False,  # surveyed already
            ),
        )
        empty = _empty_lines(file, survey, start) if survey.has_empty_lines else np.zeros(0, np.int64)
        # The parser passes over empty lines, which a spreadsheet numbers: by how many of them each row is moved down.
        moved = empty - np.arange(len(empty))
        for rows in _counted(batches, misfits, names, needed, chunk_rows):
            numbers, malformed = (_placed(rows_of, moved, start) for rows_of in (rows.numbers, rows.malformed))
            yield replace(rows, numbers=numbers, malformed=malformed.tolist(), read_bytes=stream.tell())


def _placed(numbers: Sequence[int] | npt.NDArray[np.int32], moved: npt.NDArray[np.int64], start: _Start) -> npt.NDArray[np.int32]:
    """Rows counted from 1 as a spreadsheet numbers them."""
    counted = np.asarray(numbers, np.int32)
    return (counted + start.row + np.searchsorted(moved, counted, side="right")).astype(np.int32)


def _counted(batches: pa_csv.CSVStreamingReader, misfits: _Misfits, names: list[str], needed: list[str], chunk_rows: int) -> Iterator[Rows]:
    """Blocks cut to chunks, every row counted from 1, those that do not fit counted between them."""

    def among(cells: dict[str, pa.StringArray], numbers: npt.NDArray[np.int32], until: float) -> Rows:
        """The rows of a block, and among them those before `until` that were taken or set aside although they do not fit."""
        aside, taken = misfits.before(until)
        if taken:
            numbers = np.concatenate([numbers, np.array(list(taken), np.int32)])
            order = np.argsort(numbers)
            added = {name: pa.array([row[names.index(name)] for row in taken.values()], pa.string()) for name in needed}
            cells = {name: pa.concat_arrays([cells[name], added[name]]).take(pa.array(order)) for name in needed}
            numbers = numbers[order]
        return Rows(cells, numbers, aside)

    last = 0
    for batch in batches:
        other = np.array([*misfits.numbers, *misfits.taken], np.int32)
        numbers = np.arange(last + 1, last + 1 + batch.num_rows + len(other), dtype=np.int32)
        numbers = numbers[~np.isin(numbers, other)][: batch.num_rows] if len(other) else numbers
        for first in range(0, batch.num_rows, chunk_rows):
            part, rows = batch.slice(first, chunk_rows), numbers[first : first + chunk_rows]
            last = int(rows[-1])
            misfits.last_is_short &= last < max(other, default=0)
            yield among({name: part.column(name) for name in needed}, rows, last)
    if misfits.numbers or misfits.taken:
        yield among({name: pa.array([], pa.string()) for name in needed}, np.zeros(0, np.int32), math.inf)


@dataclass(frozen=True)
class _Survey:
    """What one quick look over all bytes of the file told."""

    codec: str
    encoding: str
    """Font encoding of the decoded text, see `tasks.read.encodings`."""
    quotes: int
    ends_whole: bool
    """The last line is ended by a line break."""
    has_empty_lines: bool = True
    """There may be some before the last row."""


def _survey(file: File) -> _Survey:
    declared = file.layout.encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    sample, quotes, block, is_utf8, has_empty_lines = "", 0, b"", True, False
    with file.path.open("rb") as stream:
        start = stream.read(BLOCK)
        if not start.removeprefix(codecs.BOM_UTF8).strip():
            raise file.refused("STR-003")
        if kind := kind_of(start):
            raise file.refused("STR-007", advice=f"Tệp nhận được là {kind}, cần tệp CSV.")
        if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return _Survey("utf-16", "unicode", 1, True)
        if b"\0" in start:
            raise file.refused("STR-007")
        stream.seek(0)
        while more := stream.read(BLOCK):
            has_empty_lines = has_empty_lines or _has_empty_line((block[-3:] + more).rstrip(b"\r\n"))  # none is after the last row
            block = more
            quotes += block.count(b'"')
            try:
                text = decoder.decode(block) if is_utf8 else block.decode("latin-1")
            except UnicodeDecodeError:
                is_utf8, sample, text = False, "", block.decode("latin-1")
            if len(sample) < _SAMPLE and not text.isascii():
                sample += text[:_SAMPLE]
    if is_utf8 and decoder.getstate()[0]:  # a letter cut in two
        raise file.refused("STR-005")
    if declared != "utf-8":
        fonts = declared in ("tcvn3", "vni")
        return _Survey("latin-1" if fonts else declared, declared if fonts else "unicode", quotes, block.endswith(b"\n"), has_empty_lines)
    # Headers that stand there as they are say it surely; cells of other languages say nothing.
    is_plain = is_utf8 and any(not header.isascii() and header in sample for header in file.layout.headers)
    encoding = "unicode" if is_plain else recognise(sample)
    codec = "utf-8" if is_utf8 else "latin-1"
    if encoding is None or encoding == "unicode":
        encoding = "unicode"
        if not is_utf8:
            if not is_windows_1258(sample.encode("latin-1")):
                raise file.refused("STR-006")
            codec = "cp1258"
    return _Survey(codec, encoding, quotes, block.endswith(b"\n"), has_empty_lines)


def _has_empty_line(block: bytes) -> bool:
    letters = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(letters == ord("\n"))
    apart = np.diff(ends)
    return bool((apart == 1).any() or (letters[ends[1:][apart == 2] - 1] == ord("\r")).any())


def _open(file: File, survey: _Survey) -> Any:
    if (survey.codec, survey.encoding) == ("utf-8", "unicode"):
        return pa.OSFile(str(file.path))
    return pa.PythonFile(Transcoded(file.path, survey.codec, survey.encoding), mode="r")


def _start(file: File, survey: _Survey) -> _Start:
    """Headers found, the delimiter that found most of them, and where the rows begin."""
    with _open(file, survey) as stream:
        start = stream.read(BLOCK).decode("utf-8", errors="ignore")
    named = _SEP.match(start)  # a line for spreadsheets, which do not show it
    delimiters = [named[1]] if named else file.layout.delimiters
    found = (_first_record(start[named.end() if named else 0 :], delimiter) for delimiter in delimiters)
    record, delimiter, before, text = max(found, key=lambda one: len(one[0]))
    if not file.is_header(record):
        for other, words in _DELIMITERS.items():
            if file.is_header(_first_record(start, other)[0]):
                agreed = " hoặc ".join(_DELIMITERS.get(one, one) for one in file.layout.delimiters)
                raise file.refused("STR-007", advice=f"Các cột của tệp được phân cách bằng {words}, cần {agreed}.")
    return _Start(file.recognise(record), delimiter, len(((named[0] if named else "") + text).encode()), before + 1, bool(named))


def _first_record(start: str, delimiter: str) -> tuple[list[str], str, int, str]:
    """First record of the text that is not empty, the delimiter, the empty lines before it, and the text up to its end."""
    lines: list[str] = []

    def taken() -> Iterator[str]:
        for line in io.StringIO(start, newline=""):
            lines.append(line)
            yield line.removeprefix(_BOM)

    before = 0
    try:
        for record in csv.reader(taken(), delimiter=delimiter):
            if any(cell.strip() for cell in record):
                return record, delimiter, before, "".join(lines)
            before += 1
    except csv.Error:  # a cell longer than any header
        lines.clear()
    return [], delimiter, before, "".join(lines)


def _empty_lines(file: File, survey: _Survey, start: _Start) -> npt.NDArray[np.int64]:
    """Numbers of the empty lines among the rows, counted from 1."""
    with file.path.open(encoding=survey.codec, errors="replace", newline="") as lines:
        records = islice(csv.reader(lines, delimiter=start.delimiter), start.row + start.is_separated, None)
        return np.array([number for number, record in enumerate(records, 1) if not record], np.int64)


def _ends_inside_quotes(file: File, survey: _Survey, delimiter: str) -> bool:
    """Whether a quotation mark at the start of a cell is never closed: the file is cut. A mark within a cell says nothing (21")."""
    with file.path.open(encoding=survey.codec, errors="replace", newline="") as lines:
        last: list[str] = []
        try:
            for record in csv.reader(chain(lines, [_BOM]), delimiter=delimiter):
                last = record
        except csv.Error:  # a cell longer than any
            return True
    return last != [_BOM]


class Transcoded(io.RawIOBase):
    """A file in another encoding as a stream of UTF-8, converted line by line so that no letter is cut."""

    def __init__(self, path: Path, codec: str, encoding: Any) -> None:
        self._source: IO[str] = path.open(encoding=codec, errors="strict", newline="")
        self._encoding = encoding
        self._ready = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next so many bytes of UTF-8, fewer only at the end."""
        while size < 0 or len(self._ready) < size:
            lines = self._source.readlines(BLOCK)
            if not lines:
                break
            self._ready += to_unicode("".join(lines), self._encoding).encode()
        size = len(self._ready) if size < 0 else size
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def tell(self) -> int:
        """Bytes of the file that were read."""
        return self._source.buffer.tell() if isinstance(self._source, io.TextIOWrapper) else 0

    def close(self) -> None:
        """Close the file as well."""
        self._source.close()
        super().close()
