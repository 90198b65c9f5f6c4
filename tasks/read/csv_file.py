"""Delimited text, streamed in blocks, every cell as text."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from tasks.read.encodings import recognise, to_unicode
from tasks.read.rows import File, Rows

BLOCK = 4 << 20
PARSED = 32 << 20
"""Bytes parsed at a time. What a chunk costs beside its rows (a suite set up, keys looked for) is paid once for so many."""
_SAMPLE = 200_000
_OTHER_KINDS = {b"PK\x03\x04": "một tệp Excel .xlsx", b"\xd0\xcf\x11\xe0": "một tệp Excel .xls"}
_BOM = codecs.BOM_UTF8.decode()


def read_csv(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of a delimited file, at most `chunk_rows` at a time; only the needed columns leave the parser."""
    survey = _survey(file)
    invalid: list[tuple[int, bool]] = []
    # Arrow's and the codecs' errors carry cells of the file: neither their words nor their traceback may go on.
    try:
        yield from _parsed(file, survey, invalid, chunk_rows)
    except UnicodeDecodeError:
        raise file.refused("STR-006") from None
    except pa.ArrowInvalid as error:
        raise file.refused("STR-004" if "Empty CSV file" in str(error) else "STR-005") from None
    if invalid and not survey.ends_whole and invalid[-1][1]:
        raise file.refused("STR-005")


def _parsed(file: File, survey: _Survey, invalid: list[tuple[int, bool]], chunk_rows: int) -> Iterator[Rows]:
    """Rows as the parser finds them; of each that does not fit under the header its number, and whether it is too short."""
    headers, delimiter, skip = _header(file, survey)
    needed = [header for header in file.needed() if header in headers]
    names = [header or f"\0{number}" for number, header in enumerate(headers)]

    def set_aside(row: pa_csv.InvalidRow) -> str:
        invalid.append((row.number, row.actual_columns < row.expected_columns))
        return "skip"

    with _open(file, survey) as stream:
        stream.read(skip)
        batches = pa_csv.open_csv(
            stream,
            # Row numbers of malformed rows are known only where one thread parses.
            read_options=pa_csv.ReadOptions(column_names=names, block_size=min(PARSED, file.path.stat().st_size + 1), use_threads=False),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=survey.quotes > 0, invalid_row_handler=set_aside),
            convert_options=pa_csv.ConvertOptions(
                include_columns=needed,
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                null_values=[],
                check_utf8=False,  # surveyed already
            ),
        )
        yield from _numbered(batches, invalid, needed, chunk_rows)


def _numbered(batches: pa_csv.CSVStreamingReader, invalid: list[tuple[int, bool]], needed: list[str], chunk_rows: int) -> Iterator[Rows]:
    """Blocks cut to chunks; every row has the number it has in the file, the malformed ones counted between them."""
    last, told = 0, 0
    for batch in batches:
        malformed = np.array([number for number, _ in invalid[told:]], np.int32)
        numbers = np.arange(last + 1, last + 1 + batch.num_rows + len(malformed), dtype=np.int32)
        numbers = numbers[~np.isin(numbers, malformed)][: batch.num_rows] if len(malformed) else numbers
        for start in range(0, batch.num_rows, chunk_rows):
            part, rows = batch.slice(start, chunk_rows), numbers[start : start + chunk_rows]
            last = int(rows[-1])
            before = [number for number, _ in invalid[told:] if number < last]
            told += len(before)
            yield Rows({name: part.column(name) for name in needed}, rows, before)
    if told < len(invalid):
        nothing: dict[str, Any] = {name: pa.array([], pa.string()) for name in needed}
        yield Rows(nothing, np.zeros(0, np.int32), [number for number, _ in invalid[told:]])


@dataclass(frozen=True)
class _Survey:
    """What one quick look over all bytes of the file told."""

    codec: str
    encoding: str
    """Font encoding of the decoded text, see `tasks.read.encodings`."""
    quotes: int
    ends_whole: bool
    """The last line is ended by a line break."""


def _survey(file: File) -> _Survey:
    declared = file.layout.encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    sample, quotes, block, is_utf8 = "", 0, b"", True
    with file.path.open("rb") as stream:
        start = stream.read(BLOCK)
        if not start.removeprefix(codecs.BOM_UTF8).strip():
            raise file.refused("STR-003")
        _same_kind(file, start)
        if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return _Survey("utf-16", "unicode", 1, True)
        if b"\0" in start:
            raise file.refused("STR-007")
        stream.seek(0)
        while more := stream.read(BLOCK):
            block = more
            quotes += block.count(b'"')
            try:
                text = decoder.decode(block) if is_utf8 else block.decode("latin-1")
            except UnicodeDecodeError:
                is_utf8, sample, text = False, "", block.decode("latin-1")
            if len(sample) < _SAMPLE and not text.isascii():
                sample += text[:_SAMPLE]
    cut_letter = is_utf8 and decoder.getstate()[0]
    if quotes % 2 or cut_letter:
        raise file.refused("STR-005")
    if declared != "utf-8":
        fonts = declared in ("tcvn3", "vni")
        return _Survey("latin-1" if fonts else declared, declared if fonts else "unicode", quotes, block.endswith(b"\n"))
    # Headers that stand there as they are say it surely; cells of other languages say nothing.
    is_plain = is_utf8 and any(not header.isascii() and header in sample for header in file.layout.headers)
    encoding = "unicode" if is_plain else recognise(sample)
    if encoding is None or (encoding == "unicode" and not is_utf8):
        if not is_utf8:
            raise file.refused("STR-006")
        encoding = "unicode"
    return _Survey("utf-8" if is_utf8 else "latin-1", encoding, quotes, block.endswith(b"\n"))


def _same_kind(file: File, start: bytes) -> None:
    found = next((kind for magic, kind in _OTHER_KINDS.items() if start.startswith(magic)), None)
    if found is None and start.lstrip(codecs.BOM_UTF8 + b" \r\n\t")[:200].lower().startswith((b"<html", b"<table", b"<!doctype", b"<?xml")):
        found = "một trang HTML"
    if found:
        raise file.refused("STR-007", advice=f"Tệp nhận được là {found}, cần tệp CSV.")


def _open(file: File, survey: _Survey) -> Any:
    if (survey.codec, survey.encoding) == ("utf-8", "unicode"):
        return pa.OSFile(str(file.path))
    return pa.PythonFile(Transcoded(file.path, survey.codec, survey.encoding), mode="r")


def _header(file: File, survey: _Survey) -> tuple[list[str | None], str, int]:
    """Headers found, the delimiter that found most of them, and the bytes they take from the start."""
    with _open(file, survey) as stream:
        start = stream.read(BLOCK).decode("utf-8", errors="ignore")
    found, delimiter, size = max(
        (_first_record(start, delimiter) for delimiter in file.layout.delimiters), key=lambda record: len(record[0])
    )
    return file.recognise(found), delimiter, size


def _first_record(start: str, delimiter: str) -> tuple[list[str], str, int]:
    """First record of the text that is not empty, the delimiter, and the bytes up to the record's end."""
    lines: list[str] = []

    def taken() -> Iterator[str]:
        for line in io.StringIO(start.removeprefix(_BOM), newline=""):
            lines.append(line)
            yield line

    record = next(filter(None, csv.reader(taken(), delimiter=delimiter)), [])
    return record, delimiter, len("".join(lines).encode()) + (len(codecs.BOM_UTF8) if start.startswith(_BOM) else 0)


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

    def close(self) -> None:
        """Close the file as well."""
        self._source.close()
        super().close()
