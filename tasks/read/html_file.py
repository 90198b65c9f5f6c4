"""Spreadsheets that are web pages: the `.xls` of one-stop-shop systems is an HTML table with title rows. Read as a stream."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from tasks.read.kinds import WORKBOOKS
from tasks.read.rows import HEADER_WITHIN, File, Rows
from tasks.read.tables import Given, Row, Table, TableRows
from tasks.words.vietnamese import number

_BLOCK = 1 << 20
_TAG = 1 << 13
"""Signs of a tag from which on its attributes are counted: the time that the parser takes grows with the square of their number."""
_LONG_TAG = re.compile(rf"<[a-zA-Z/][^<>]{{{_TAG},}}")
_ATTRIBUTES = 500
_TABLE = re.compile(r"<(/?)table\b", re.IGNORECASE)
_SPAN = re.compile(r"[ \t\n\f\r]*\+?([0-9]+)")
_HIDDEN = re.compile(r"(?:^|;)\s*display\s*:\s*none\b", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\f\r]+")
_UNSAID = ("script", "style", "template")
_PARTING = ("br", "p", "div", "li", "tr", "td", "th")
"""Elements that part the words before and after them."""


def read_html(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of the table that has the header."""
    with file.path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(WORKBOOKS):
        raise file.refused("STR-007", advice="Tệp nhận được là một bảng tính Excel; xuất lại dạng trang web (.xls) như đã thống nhất.")
    reading = TableRows(file, "bảng", is_ragged=True)
    yield from reading.read(_rows(file, reading), chunk_rows)


@dataclass
class _Open:
    """A table whose end has not come yet."""

    table: Table
    row: int = 0
    group: etree._Element | None = None
    """What holds its rows; a cell spans no row of another group."""
    spanning: list[tuple[int, Given]] = field(default_factory=list)
    """Last row and what is given to it, of the cells that span several rows."""


def _rows(file: File, reading: TableRows) -> Iterator[tuple[Table, Row | None]]:
    """Rows of every table as they end; those of a table within a cell are not rows of the outer one."""
    parser = etree.HTMLPullParser(
        events=("start", "end"), tag=("table", "tr"), encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True
    )
    tables: list[_Open] = []
    for text in _texts(file):
        parser.feed(text.encode())
        yield from _read(file, parser, tables, reading)
    parser.close()
    yield from _read(file, parser, tables, reading)
    if tables or any(one.level_name == "FATAL" for one in parser.feed_error_log):  # it stops there without a word
        raise file.refused("STR-022", advice="các phần của trang lồng nhau quá sâu")
    if not reading.tables:
        raise file.refused("STR-007")


def _read(file: File, parser: etree.HTMLPullParser, tables: list[_Open], reading: TableRows) -> Iterator[tuple[Table, Row | None]]:
    for event, element in parser.read_events():
        if event == "start" and element.tag == "table":
            outer = tables[-1].table.is_hidden if tables else False
            tables.append(_Open(Table(is_hidden=outer or _is_hidden(element))))
            reading.tables.append(tables[-1].table)
        elif event == "end" and element.tag == "table":
            yield tables.pop().table, None
        elif event == "end" and tables:
            yield tables[-1].table, _row(file, tables[-1], element)
            if len(tables) == 1 or tables[-1].row > HEADER_WITHIN:  # a small table within a cell belongs to its text
                _forget_before(element)


def _texts(file: File) -> Iterator[str]:
    """The page in pieces that end with a tag. Refuses what is not in the agreed encoding, was cut off or is no page at all."""
    decoder = codecs.getincrementaldecoder(file.layout.encoding)()
    rest, opened, is_whole = "", 0, False
    with file.path.open("rb") as stream:
        while True:
            block = stream.read(_BLOCK)
            try:
                text = rest + decoder.decode(block, final=not block)
            except UnicodeDecodeError:
                raise file.refused("STR-006") from None
            if any(len(tag.split()) > _ATTRIBUTES for tag in _LONG_TAG.findall(text)):
                raise file.refused("STR-022", advice=f"một thẻ có hơn {number(_ATTRIBUTES)} thuộc tính")
            cut = text.rfind(">") + 1 if block and len(text) < 4 * _BLOCK else len(text)
            text, rest = text[:cut], text[cut:]
            for end in _TABLE.findall(text):
                opened += -1 if end else 1
            is_whole = is_whole or "</html" in text.lower()
            yield text
            if not block:
                break
    if opened > 0 and not is_whole:
        raise file.refused("STR-005")


def _row(file: File, open_table: _Open, element: etree._Element) -> Row:
    """A row with every cell at its place: a cell that spans others takes their places too, as in the standard of HTML."""
    open_table.row += 1
    group = element.getparent()
    if group is not open_table.group:
        open_table.group, open_table.spanning = group, []
    row = open_table.row
    spanning = [one for one in open_table.spanning if one[0] >= row]
    taken = {place for _, given in spanning for place in range(given.start, given.end)}
    cells: list[str] = []
    hidden: list[int] = []
    within: list[tuple[int, Given]] = []
    place = 0
    for cell in element.iterchildren("td", "th"):
        while place in taken:
            place += 1
        if place >= file.limits.columns:
            raise file.refused("STR-022", advice=f"một dòng có hơn {number(file.limits.columns)} ô")
        text = _text(cell)
        if place > len(cells):
            cells.extend([""] * (place - len(cells)))
        cells.append(text)
        if cell.keys():
            columns, rows = _span(cell, "colspan", 1000), _span(cell, "rowspan", 65_534)
            if columns > 1 or rows > 1:
                within.append((row + rows - 1, Given(row, place, place + columns, text)))
            if row <= HEADER_WITHIN and _is_hidden(cell):
                hidden.append(place)
            place += columns
        else:
            place += 1
    is_hidden = _is_hidden(element) or (group is not None and group.tag != "table" and _is_hidden(group))
    given = tuple(one for _, one in spanning + within if one.value)
    open_table.spanning = spanning + [one for one in within if one[0] > row]
    return Row(row, cells, given, is_hidden, frozenset(hidden))


def _span(cell: etree._Element, name: str, most: int) -> int:
    """Columns or rows that a cell spans; what is no number is one, no row at all means all that are left."""
    found = _SPAN.match(cell.get(name, ""))
    if found is None or len(found[1]) > 9:
        return most if found else 1
    return min(int(found[1]), most) or (most if name == "rowspan" else 1)


def _text(cell: etree._Element) -> str:
    """What a reader of the page sees in a cell, on one line."""
    if not len(cell):
        return _collapsed(cell.text or "")
    parts = [cell.text or ""]
    walk = etree.iterwalk(cell, events=("start", "end"))
    for event, part in walk:
        if part is cell:
            continue
        if part.tag in _PARTING:
            parts.append(" ")
        if event == "end":
            parts.append(part.tail or "")
        elif part.tag in _UNSAID or _is_hidden(part):
            walk.skip_subtree()
        else:
            parts.append(part.text or "")
    return _collapsed("".join(parts))


def _collapsed(text: str) -> str:
    """The text with single spaces. Those of other alphabets stay, since they are part of letters that were encoded twice."""
    return _SPACES.sub(" ", text).strip(" ") if text.strip() else ""


def _is_hidden(element: etree._Element) -> bool:
    return element.get("hidden") is not None or _HIDDEN.search(element.get("style", "")) is not None


def _forget_before(row: etree._Element) -> None:
    """Lets go of what was read before this row, so that memory does not grow with the page."""
    element: etree._Element | None = row
    while element is not None and element.tag != "table":
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]
        element = parent
