"""The first rows of a file of which nothing is known yet: its kind, encoding and separator are found out, its cells left as they are.

Delimited text, workbooks, pages that call themselves workbooks and JSON records; never the whole of a large file.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import lxml.html
import python_calamine

from expectations.contract import Contract
from tasks.read.encodings import is_windows_1258, recognise, to_unicode
from tasks.read.kinds import WORKBOOKS
from tasks.read.limits import DEFAULT
from tasks.read.rows import File, Rejected
from tasks.read.workbook import survey

ROWS = 2_000
"""Rows that are looked at; below them only the last few, for a totals row."""
_LAST = 50
_START = 8 << 20
"""Bytes of a text, page or JSON that are looked at."""
_WIDEST = DEFAULT.columns
_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?\r?\n', re.IGNORECASE)
_OTHER_SIGNS = "°€–—’‘“”«»²³½·…§©®™ºª¿¡"


def not_understood(why: str) -> Rejected:
    """The refusal of a file of which nothing can be said; `why` is one Vietnamese line that quotes nothing of it."""
    return Rejected("STR-009", why)


@dataclass(frozen=True)
class Table:
    """The first rows of a sheet, page's table, text or list of records, cells as the file has them."""

    rows: list[list[Any]]
    last: list[list[Any]] = field(default_factory=list)
    """The last rows of a table that is longer."""


@dataclass(frozen=True)
class FirstRows:
    """What an unknown file looks like."""

    kind: str
    tables: list[Table]
    encoding: str | None = None
    delimiter: str | None = None
    is_nested: bool = False
    """Whether its JSON is more than a list of records: it needs a reader of its own."""


def first_rows(path: Path, feed: Contract) -> FirstRows:
    """Kind, encoding, separator and first rows of a file; Rejected where it is none that a layout can describe."""
    with path.open("rb") as stream:
        start = stream.read(_START)
    bare = start[:2000].lstrip(codecs.BOM_UTF8 + b" \r\n\t")
    if not bare:
        raise not_understood("Tệp rỗng.")
    if start.startswith(WORKBOOKS):
        return FirstRows("xlsx", _sheets(File(path, path.name, feed, layout_name="")))
    if start.startswith(b"%PDF"):
        raise not_understood("Tệp là PDF, không phải bảng số liệu: xin bên gửi bản .xlsx hoặc CSV.")
    is_wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in start and not is_wide:
        raise not_understood("Tệp không phải văn bản, bảng tính, trang HTML hay JSON, hoặc là UTF-16 thiếu dấu mở đầu (BOM).")
    text, encoding = _decoded(start)
    sign = text.lstrip("\ufeff \r\n\t")[:1]
    if sign == "<":
        # Fonts are told apart by the reader; the bytes are Latin-1 to it.
        return FirstRows("html", _page(text), "latin-1" if encoding in ("tcvn3", "vni") else encoding)
    if sign in ("{", "["):
        return _json(text)
    return _delimited(path, text, encoding, is_whole=path.stat().st_size <= len(start))


def _decoded(data: bytes) -> tuple[str, str]:
    """The bytes as Unicode, and what the layout calls their encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")(errors="replace").decode(data), "utf-16"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data)  # a letter cut by the end is left out
    except UnicodeDecodeError:
        return _older(data)
    return to_unicode(text, recognise(text[:200_000]) or "unicode"), "utf-8"


def _older(data: bytes) -> tuple[str, str]:
    latin = data.decode("latin-1")
    font = recognise(latin[:200_000])
    if font in ("tcvn3", "vni"):
        return to_unicode(latin, font), font
    if is_windows_1258(data[:200_000]):
        return unicodedata.normalize("NFC", data.decode("cp1258", errors="replace")), "cp1258"
    western = data.decode("cp1252", errors="replace")
    signs = [sign for sign in western if not sign.isascii()]
    if sum(sign.isalpha() or sign in _OTHER_SIGNS or sign.isspace() for sign in signs) >= 0.95 * len(signs):
        return western, "cp1252"
    raise not_understood("Không nhận ra bảng mã ký tự của tệp: xin bên gửi bản Unicode (UTF-8).")


# Delimited text ----------------------------------------------------------------------------------------------------------


def _delimited(path: Path, text: str, encoding: str, *, is_whole: bool) -> FirstRows:
    said = _SEPARATOR_LINE.match(text)
    body = text[said.end() :] if said else text.removeprefix("\ufeff")
    if not is_whole:
        body = body[: body.rfind("\n") + 1]
    if not body.strip():
        raise not_understood("Tệp không có dòng nào ngắn hơn giới hạn, không phải bảng số liệu.")
    delimiter = said[1] if said else _delimiter(body)
    if delimiter is None:
        raise not_understood("Không thấy dấu phân cách cột (phẩy, chấm phẩy, tab, gạch đứng) lặp lại đều giữa các dòng.")
    try:
        records = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter)
        table = _table(records)
    except csv.Error:
        raise not_understood("Tệp văn bản có dấu nháy hoặc ô quá dài, không tách được thành các cột.") from None
    return FirstRows("csv", [table if is_whole else Table(table.rows, _tail(path, encoding, delimiter))], encoding, delimiter)


def _delimiter(body: str) -> str | None:
    """The separator by which most lines have one width, and the wider of two."""

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in islice(csv.reader(io.StringIO(body, newline=""), delimiter=delimiter), 200) if row]
        except csv.Error:
            return 0.0, 0
        width, times = Counter(widths).most_common(1)[0] if widths else (0, 0)
        return (round(times / len(widths), 1), width) if width > 1 else (0.0, 0)

    found = max(_DELIMITERS, key=evenness)
    return found if evenness(found)[0] >= 0.5 else None


def _tail(path: Path, encoding: str, delimiter: str) -> list[list[Any]]:
    """The last rows of a long text, where a totals row would stand."""
    with path.open("rb") as stream:
        stream.seek(-(64 << 10), 2)
        data = stream.read()
    fonts = encoding in ("tcvn3", "vni")
    text = data.decode("latin-1" if fonts else encoding, errors="replace")
    text = to_unicode(text, encoding) if fonts else text  # type: ignore[arg-type]
    lines = text.splitlines()[1:]
    try:
        return list(csv.reader(lines[-_LAST:], delimiter=delimiter))
    except csv.Error:
        return []


# Workbooks and pages -----------------------------------------------------------------------------------------------------


def _sheets(file: File) -> list[Table]:
    survey(file)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(file.path)
        seen = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == python_calamine.SheetVisibleEnum.Visible]
        return [_table(workbook.get_sheet_by_name(name).iter_rows()) for name in seen]
    except Exception:  # whatever it is, its words may quote a cell
        raise file.refused("STR-031") from None


def _page(text: str) -> list[Table]:
    if "<table" not in text.lower():
        raise not_understood("Tệp là trang HTML hoặc XML không có bảng nào: mở bằng Excel và lưu lại dạng .xlsx.")
    page = lxml.html.document_fromstring(text.encode(), parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=True))
    return [_table(_texts(row) for row in table.iter("tr")) for table in page.iter("table")]


def _texts(row: lxml.html.HtmlElement) -> list[Any]:
    texts: list[Any] = []
    for cell in row.iterchildren("td", "th"):
        span = cell.get("colspan", "1")
        more = int(span) - 1 if span.isdecimal() and len(span) < 5 else 0
        texts += [str(cell.text_content()), *[""] * min(more, _WIDEST)]
    return texts[:_WIDEST]


def _table(rows: Iterable[list[Any]]) -> Table:
    coming = iter(rows)
    first = [row[:_WIDEST] for row in islice(coming, ROWS)]
    last: list[list[Any]] = []
    for row in coming:
        last = [*last[-_LAST:], row[:_WIDEST]]
    return Table(first, last)


# JSON --------------------------------------------------------------------------------------------------------------------


def _json(text: str) -> FirstRows:
    """Records of a list, of lines, or of a list that an object holds; the header is the union of their keys."""
    bare = text.lstrip("\ufeff \r\n\t")
    under = re.match(r'\{[^\[\]{}]*?"[^"]{1,60}"\s*:\s*\[\s*(?=\{)', bare)
    is_list = bare.startswith("[")
    bare = bare[under.end() :] if under else bare[is_list:]
    found = [record for record in islice(_objects(bare), ROWS) if isinstance(record, dict)]
    if not found:
        raise not_understood("Không thấy danh sách bản ghi nào trong JSON.")
    header: list[Any] = list(dict.fromkeys(key for record in found for key in record))
    return FirstRows(
        "json",
        [Table([header, *([record.get(key) for key in header] for record in found)])],
        "utf-8",
        is_nested=not is_list or _is_nested(found),
    )


def _is_nested(records: list[dict[str, Any]]) -> bool:
    return any(isinstance(value, list | dict) for record in records for value in record.values())


def _objects(text: str) -> Iterator[Any]:
    """The values that stand one after the other, up to the first that cannot be read."""
    decoder, at = json.JSONDecoder(), 0
    while True:
        between = re.compile(r"[\s,]*").match(text, at)
        at = between.end() if between else at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield value
