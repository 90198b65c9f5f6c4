"""Spreadsheets that are web pages: the `.xls` of one-stop-shop systems is an HTML table with title rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import lxml.html

from tasks.read.rows import File, Rows
from tasks.read.sheet_file import table_rows


def read_html(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of the first table that has the header."""
    yield from table_rows(file, _tables(file), chunk_rows)


def _tables(file: File) -> Iterator[Sequence[Sequence[str]]]:
    content = file.path.read_bytes()
    if b"<table" not in content[:100_000].lower():
        raise file.refused("STR-007")
    if b"</table" not in content[-10_000:].lower():
        raise file.refused("STR-005")
    try:
        text = content.decode(file.layout.encoding)
    except UnicodeDecodeError:
        raise file.refused("STR-006") from None
    # Bytes with the encoding said apart: lxml refuses a text that declares one itself.
    page = lxml.html.document_fromstring(text.encode(), parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=True))
    for table in page.iter("table"):
        yield [_cells(row) for row in table.iter("tr")]


def _cells(row: lxml.html.HtmlElement) -> list[str]:
    """Texts of a row; a cell that spans columns fills the first of them."""
    texts: list[str] = []
    for cell in row.iterchildren("td", "th"):
        span = cell.get("colspan", "1")
        texts += [str(cell.text_content()), *[""] * (int(span) - 1 if span.isdigit() else 0)]
    return texts
