"""A workbook's package, looked through as a stream before anything opens it: what it is, whether it is whole and of a
size that can be read, and what the reader of cells does not tell (hidden rows, errors, formulas nobody calculated)."""

from __future__ import annotations

import re
import sys
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, zip_longest
from mmap import ACCESS_READ, mmap

import numpy as np
import numpy.typing as npt
from lxml import etree

from tasks.read.kinds import COMPOUND, ZIP, kind_of
from tasks.read.rows import WITHOUT_VALUE, File
from tasks.words.vietnamese import number

_BLOCK = 1 << 20
_RATIO_FROM = 20 << 20
"""Bytes unpacked from which on the ratio is looked at: a small sheet of equal rows packs as well as a bomb."""
_ROW = 64 << 20
"""Bytes of one row, or of what stands before the rows."""
_LONG = 256
"""Shared texts longer than so many bytes may make a sheet much larger than its parts."""
_MOST_COLUMNS = 1 << 14
_END_OF_DIRECTORY = b"PK\x05\x06"
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, etree.XMLSyntaxError)

_PARTS = {
    "xl/workbook.bin": "",
    "xl/workbook.xml": "",
    "word/": "một tệp Word",
    "ppt/": "một tệp PowerPoint",
    "visio/": "một tệp Visio",
}
"""How a part of a zip archive begins → what the archive is; nothing: a workbook."""
_OPEN_DOCUMENTS = {"spreadsheet": "", "text": "một tệp văn bản OpenDocument", "presentation": "một tệp trình chiếu OpenDocument"}
_STREAMS = {
    "Workbook": "",
    "Book": "",
    "WordDocument": "một tệp Word (.doc)",
    "PowerPoint Document": "một tệp PowerPoint (.ppt)",
    "VisioDocument": "một tệp Visio",
}
"""The same for the streams of a compound file."""


@dataclass
class Sheet:
    """What the reader of cells does not tell of a sheet."""

    rows: int = 0
    """Number of the last row with a cell that holds something."""
    columns: int = 0
    """Place of the last such cell that stands to the right of column Z, counted from 1."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: frozenset[int] = frozenset()
    """Counted from 0."""
    odd_rows: array[int] = field(default_factory=lambda: array("i"))
    """Numbers of the rows of cells that hold an error, or a formula without its value, in order."""
    odd_columns: array[int] = field(default_factory=lambda: array("i"))
    odd_texts: list[str] = field(default_factory=list)
    texts: int = 0
    """Letters of its cells, those that several cells share counted for each."""


def survey(file: File) -> list[Sheet]:
    """The sheets of an .xlsx in the workbook's order; none for other workbooks. Refuses what is no workbook that may be opened."""
    with file.path.open("rb") as stream:
        start = stream.read(512)
    if start.startswith(COMPOUND):
        _check_compound(file)
        return []
    if not start.startswith(ZIP):
        unknown = "một tệp không rõ loại" if b"\0" in start else "một tệp văn bản"
        raise file.refused("STR-007", advice=_advice(kind_of(start) or unknown))
    try:
        with zipfile.ZipFile(file.path) as archive:
            return _Package(file, archive).sheets()
    except _DAMAGED:
        raise file.refused("STR-031" if _has_directory(file) else "STR-005") from None


def _advice(kind: str) -> str:
    return f"Tệp nhận được là {kind}; mở bằng phần mềm đã tạo ra tệp và lưu lại thành bảng tính .xlsx."


def _has_directory(file: File) -> bool:
    """Whether a zip archive has its end, which a file that was cut off has not."""
    with file.path.open("rb") as stream:
        stream.seek(max(0, file.path.stat().st_size - (1 << 16) - 22))
        return _END_OF_DIRECTORY in stream.read()


def _check_compound(file: File) -> None:
    """Refuses a compound file that is no old .xls, by the names in its directory."""
    with file.path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:

        def holds(name: str) -> bool:
            sign, at = name.encode("utf-16-le") + b"\0\0", -1
            while (at := content.find(sign, at + 1)) >= 0:
                if at % 128 == 0:  # an entry of the directory
                    return True
            return False

        if holds("EncryptedPackage") or holds("EncryptionInfo"):
            raise file.refused("STR-030")
        kind = next((kind for name, kind in _STREAMS.items() if holds(name)), None)
        if kind is None and not holds("Root Entry"):
            raise file.refused("STR-005")
        if kind != "":
            raise file.refused("STR-007", advice=_advice(kind or "một tệp không phải bảng tính"))


class _Package:
    """The zip archive of a workbook."""

    def __init__(self, file: File, archive: zipfile.ZipFile) -> None:
        self.file = file
        self.archive = archive
        self.parts = {part.filename.replace("\\", "/").casefold(): part for part in archive.infolist()}
        if len(self.parts) != len(archive.infolist()):
            raise zipfile.BadZipFile
        self.unpacked = 0

    def sheets(self) -> list[Sheet]:
        """Reads every part once. Its checksums are checked on the way."""
        if not self.parts:
            raise self.file.refused("STR-003")
        if any(part.flag_bits & 1 for part in self.parts.values()):
            raise self.file.refused("STR-030")
        kind = self._kind()
        if kind:
            raise self.file.refused("STR-007", advice=_advice(kind))
        self._bound(sum(part.file_size for part in self.parts.values()))
        order = self._order()
        lengths = np.zeros(0, np.int64)
        seen = {}
        for name in sorted(self.parts, key=lambda name: "sharedstrings" not in name):  # before the cells that refer to them
            blocks = self._blocks(name)
            if name == "xl/sharedstrings.xml":
                lengths = _lengths(blocks)
            elif name in order:
                seen[name] = _Scan(self.file, lengths).read(blocks)
            for _ in blocks:
                pass
        return [seen.get(name, Sheet()) for name in order]

    def _kind(self) -> str:
        if "mimetype" in self.parts:
            kind = b"".join(self._blocks("mimetype")).decode("ascii", "replace").strip()
            return next((words for word, words in _OPEN_DOCUMENTS.items() if kind.endswith(word)), "một tệp OpenDocument")
        return next((kind for start, kind in _PARTS.items() for name in self.parts if name.startswith(start)), "một tệp nén .zip")

    def _order(self) -> list[str]:
        """Names of the sheets' parts in the workbook's order."""
        if "xl/workbook.xml" not in self.parts:
            return []
        links = {link.get("Id"): link.get("Target", "") for link in self._xml("xl/_rels/workbook.xml.rels").iter("{*}Relationship")}
        sheets = self._xml("xl/workbook.xml").iter("{*}sheet")
        found = [next((value for name, value in sheet.items() if name.endswith("}id")), "") for sheet in sheets]
        targets = [links.get(link, "").casefold().replace("\\", "/") for link in found]
        return [target.lstrip("/") if target.startswith(("/xl/", "xl/")) else f"xl/{target}" for target in targets]

    def _xml(self, name: str) -> etree._Element:
        if name not in self.parts:
            raise zipfile.BadZipFile
        content = b"".join(self._blocks(name))
        return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))

    def _blocks(self, name: str) -> Iterator[bytes]:
        part = copy(self.parts[name])
        part.file_size = sys.maxsize  # read to the stream's own end, whatever the directory says
        with self.archive.open(part) as stream:
            while block := stream.read(_BLOCK):
                if b"<!DOCTYPE" in block and name.endswith(".xml"):
                    raise zipfile.BadZipFile  # no workbook declares entities, and the reader of cells takes them for nothing
                self.unpacked += len(block)
                self._bound(self.unpacked)
                yield block

    def _bound(self, unpacked: int) -> None:
        limits, packed = self.file.limits, self.file.path.stat().st_size
        if unpacked > limits.unpacked_mb << 20:
            raise self.file.refused("STR-022", advice=f"giải nén ra hơn {number(limits.unpacked_mb)} MB")
        if unpacked > _RATIO_FROM and unpacked > limits.ratio * packed:
            raise self.file.refused("STR-022", advice=f"giải nén ra gấp hơn {number(limits.ratio)} lần")


_Lengths = npt.NDArray[np.int64]


def _lengths(blocks: Iterator[bytes]) -> _Lengths:
    """Lengths of the shared texts, their marks included."""
    ends, at, rest = array("q", [0]), 0, b""
    for block in blocks:
        text = rest + block
        ends.extend(at - len(rest) + found.end() for found in re.finditer(rb"</(?:\w+:)?si>|<(?:\w+:)?si\s*/>", text))
        at, unfinished = at + len(block), text.rfind(b"<")
        rest = text[unfinished:] if unfinished > text.rfind(b">") else b""
    return np.diff(np.array(ends, np.int64)).astype(np.int64)


@dataclass(frozen=True)
class _Marks:
    """Marks of a sheet's XML, whose names may have a prefix (`<x:row>`). A search is quick where its pattern begins with letters."""

    head_end: re.Pattern[bytes]
    row: re.Pattern[bytes]
    cell: re.Pattern[bytes]
    value: re.Pattern[bytes]
    uncalculated: re.Pattern[bytes]
    row_start: bytes
    row_end: bytes
    cell_end: bytes
    formulas: tuple[bytes, bytes]


@cache
def _marks(prefix: bytes) -> _Marks:
    patterns = [
        rb"<@sheetData\b",
        rb"<@row\b([^>]*)>",
        rb"<@c\b([^>]*)(?:/>|(?<!/)>(.*?)</@c>)",
        rb"<@v\b[^>]*>([^<]+)</@v>",
        rb"(?:</@f>|<@f\b[^>]*/>)\s*(?:<@v\s*/>|<@v>\s*</@v>)?\s*$",
    ]
    head_end, row, cell, value, uncalculated = (re.compile(pattern.replace(b"@", prefix), re.DOTALL) for pattern in patterns)
    start, end = b"<" + prefix, b"</" + prefix
    formulas = (end + b"f>", start + b"f ")
    return _Marks(head_end, row, cell, value, uncalculated, start + b"row", end + b"row>", end + b"c>", formulas)


_PREFIX = re.compile(rb"<(\w+:)?(?:worksheet|chartsheet|dialogsheet|macrosheet)\b")
_NUMBER = re.compile(rb"\sr=[\"'](\d{1,9})[\"']")
_WIDE = re.compile(rb' r="([A-Z]{2,3})\d+"[^>]*(?<!/)>(?!\s*</)')
"""A cell to the right of column Z that holds something."""
_SHARED = re.compile(rb"\st=[\"']s[\"'][^>]*>\s*<(?:\w+:)?v>(\d+)<")
_IS_ERROR = b't="e"'
_LETTERS = re.compile(rb"\sr=[\"']([A-Z]{1,3})\d+[\"']")
_TYPE = re.compile(rb"\st=[\"'](\w+)[\"']")
_HIDDEN = re.compile(rb"\s(?:hidden=[\"'](?:1|true)|(?:ht|width)=[\"']0(?:\.0*)?)[\"']")
_COLUMNS = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_FROM, _TO = re.compile(rb"\smin=[\"'](\d{1,5})[\"']"), re.compile(rb"\smax=[\"'](\d{1,5})[\"']")
_ERROR = re.compile(rb"#[A-Z0-9/_]{1,20}[!?]?")
_NO_MARKS = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)


class _Scan:
    """Goes once through the XML of a sheet, some rows at a time. Only rows with something odd are looked at cell by cell."""

    def __init__(self, file: File, lengths: _Lengths) -> None:
        self.file = file
        self.sheet = Sheet()
        self.row = 0
        self.lengths = lengths
        self.are_long = bool(lengths.size) and int(lengths.max()) > _LONG

    def read(self, blocks: Iterator[bytes]) -> Sheet:
        """What there is to know of the sheet whose part these are."""
        head = b""
        for block in blocks:
            head += block
            prefix = _PREFIX.search(head)
            marks = _marks((prefix[1] or b"") if prefix else b"")
            if start := marks.head_end.search(head):
                self._columns(head[: start.start()])
                self._rows(chain([head[start.start() :]], blocks), marks)
                break
            self._bound(head)
        return self.sheet

    def _bound(self, text: bytes) -> None:
        if len(text) > _ROW:
            raise self.file.refused("STR-022", advice=f"một dòng dài hơn {_ROW >> 20} MB")

    def _columns(self, head: bytes) -> None:
        hidden: set[int] = set()
        for attributes in _COLUMNS.findall(head):
            first, last = _FROM.search(attributes), _TO.search(attributes)
            if first and last and _HIDDEN.search(attributes):
                hidden.update(range(int(first[1]) - 1, min(int(last[1]), _MOST_COLUMNS)))
        self.sheet.hidden_columns = frozenset(hidden)

    def _rows(self, blocks: Iterator[bytes], marks: _Marks) -> None:
        rest = b""
        for block in blocks:
            piece, _, rest = (rest + block).rpartition(marks.row_end)
            self._piece(piece, marks)
            if b"sheetData>" in rest:
                break
            self._bound(rest)
        self._piece(rest, marks)

    def _piece(self, text: bytes, marks: _Marks) -> None:
        if b"!" in text:
            text = _NO_MARKS.sub(b"", text)
        sheet = self.sheet
        sheet.columns = max([sheet.columns, *map(_place, set(_WIDE.findall(text)))])
        if self.are_long:
            places = np.array([int(place) for place in _SHARED.findall(text)], np.int64)
            sheet.texts += int(self.lengths[places[places < len(self.lengths)]].sum())
        is_odd = _IS_ERROR in text or (b"f" in text and any(mark in text for mark in marks.formulas))
        is_numbered = text.count(marks.row_start) == text.count(marks.row_start + b' r="')
        last = text.rfind(marks.cell_end)  # rows that only have a format do not count
        if is_odd or not is_numbered or b"hidden" in text or b'ht="0' in text:
            self._rows_of(text, marks, last, is_odd)
        elif found := marks.row.match(text, text.rfind(marks.row_start)):
            self.row = _number(found, self.row)
            if holding := marks.row.match(text, text.rfind(marks.row_start, 0, max(last, 0))):
                sheet.rows = max(sheet.rows, _number(holding, self.row))

    def _rows_of(self, text: bytes, marks: _Marks, last: int, is_odd: bool) -> None:
        found = list(marks.row.finditer(text))
        for row, following in zip_longest(found, found[1:]):
            self.row = _number(row, self.row)
            if row.start() < last:
                self.sheet.rows = max(self.sheet.rows, self.row)
            if _HIDDEN.search(row[1]):
                self.sheet.hidden_rows.add(self.row)
            if is_odd:
                self._odd(text[row.end() : following.start() if following else len(text)], marks)

    def _odd(self, text: bytes, marks: _Marks) -> None:
        if _IS_ERROR not in text and not any(mark in text for mark in marks.formulas):
            return
        column = -1
        for attributes, content in marks.cell.findall(text):
            letters, kind = _LETTERS.search(attributes), _TYPE.search(attributes)
            column = _place(letters[1]) - 1 if letters else column + 1
            if kind and kind[1] == b"e":
                value = marks.value.search(content)
                error = _ERROR.fullmatch(value[1].strip()) if value else None
                self._add(column, error[0].decode() if error else WITHOUT_VALUE)
            elif marks.uncalculated.search(content) and not (kind and kind[1] == b"str" and b"v>" in content):
                self._add(column, WITHOUT_VALUE)  # an empty text that was calculated is written down as such

    def _add(self, column: int, text: str) -> None:
        self.sheet.odd_rows.append(self.row)
        self.sheet.odd_columns.append(column)
        self.sheet.odd_texts.append(sys.intern(text))


def _number(row: re.Match[bytes], before: int) -> int:
    """A row's number; one that says none follows the row before it."""
    number = _NUMBER.search(row[1])
    return int(number[1]) if number else before + 1


def _place(letters: bytes) -> int:
    """A column's place, counted from 1."""
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place
