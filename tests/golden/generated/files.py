"""What is odd about a file as a whole, for every layout: the same few rows, otherwise written, cut, or without what belongs to them."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.golden.generated.layouts import Layout
from tests.golden.generated.place import Place
from tests.golden.generated.rows import Loaded, Row, numbered
from tests.golden.generated.written import Lines, delimited, workbook

WORDS = ("Chợ Bát Mọt", "Cửa hàng", "Thường Xuân")
TCVN3 = str.maketrans("áàảãâấẫêếềệíịóọôốổộơờớợụũưứửữựýỳđĐ", "¸µ¶·©ÊÉªÕÒÖÝÞãä«èæé¬êíîôò\xadøö÷ùýú®§")
"""Letters → those that bear their bytes of TCVN 5712:1993 in Latin-1, as a program shows them that knows no such font."""


@dataclass(frozen=True)
class Whole:
    """A file with something odd about it, and what must become of it."""

    wrong: str
    content: bytes
    rows: dict[int, Row]
    """Rows of a file that is taken."""
    refused: str = ""
    """Rule by which it is refused whole."""
    flags: frozenset[str] = frozenset()
    """Rules that flag it as a whole."""


def odd_files(place: Place, layout: Layout) -> Iterator[Whole]:
    """Every oddity that the layout's kind of file can have."""
    yield from _of_every_kind(place, layout)
    yield from {"csv": _delimited, "xlsx": _workbooks, "jsonl": _json_lines, "napas": _records}[layout.kind](place, layout)


def _of_every_kind(place: Place, layout: Layout) -> Iterator[Whole]:
    yield Whole("no byte", b"", {}, "STR-003")
    if layout.kind != "xlsx":
        yield Whole("line ends and nothing else", b"\r\n\n\n", {}, "STR-003")
    if layout.kind != "jsonl":
        yield Whole("a heading and no row", layout.write(place, []), {}, "STR-004")
    rows = layout.with_total(layout.rows(place))
    yield Whole("its columns in another order", _turned(layout).write(place, rows), numbered(rows, layout.first(place)))
    for what, refused, other in (
        ("a column is missing", "STR-001", _without(layout)),
        ("a column has another name", "STR-001", _renamed(layout)),
        ("a column nobody knows", "STR-002", _with_another(layout)),
    ):
        rows = layout.with_total(layout.rows(place))
        yield Whole(what, other.write(place, [_as_in(other, layout, row) for row in rows]), {}, refused)


def _turned(layout: Layout) -> Layout:
    return replace(layout, header=layout.header[3:] + layout.header[:3], more=())


def _without(layout: Layout) -> Layout:
    return replace(layout, header=tuple(name for name in layout.header if name != layout.required), more=())


NEW_NAME, STRANGE = "COTMOI", "COTLA"


def _renamed(layout: Layout) -> Layout:
    return replace(layout, header=tuple(NEW_NAME if name == layout.required else name for name in layout.header), more=())


def _with_another(layout: Layout) -> Layout:
    return replace(layout, header=(*layout.header, STRANGE), more=())


def _as_in(other: Layout, layout: Layout, row: Row) -> Row:
    """The row under the labels of the other; lines of objects and records bear theirs themselves."""
    named = {NEW_NAME: row.cells.get(layout.required, ""), STRANGE: "1", **row.cells}
    return replace(row, cells={name: named[name] for name in other.header if name in named})


# Delimited text ----------------------------------------------------------------------------------------------------------


def _delimited(place: Place, layout: Layout) -> Iterator[Whole]:
    def taken(what: str, write: Callable[[str], bytes] = str.encode, rows: Lines | None = None, **how: Any) -> Whole:
        rows = rows or layout.rows(place)
        return Whole(what, write(delimited(layout.header, rows, **how)), numbered(rows, 2))

    yield taken("a byte order mark", lambda text: codecs.BOM_UTF8 + text.encode())
    yield taken("UTF-16", lambda text: text.encode("utf-16"))
    yield taken("line ends of Windows", end="\r\n")
    yield taken("semicolons between the cells", delimiter=";")
    yield taken("no line end after the last row", lambda text: text.rstrip("\n").encode())
    yield taken("empty lines after the last row", lambda text: f"{text}\n\r\n\n".encode())
    yield taken("empty lines between the rows", rows=_apart(layout.rows(place)))
    yield taken("labels in the other case, with a space", labels=[f" {name.swapcase()}" for name in layout.header])
    words = place.random.choice(WORDS)
    if layout.text:
        words_stay = replace(layout, header=tuple(dict.fromkeys((*layout.header, layout.text))))
        found = [_worded(words_stay, row, words) for row in layout.rows(place)]
        text = delimited(words_stay.header, found)
        yield Whole("letters of TCVN3", text.translate(TCVN3).encode("latin-1"), numbered(found, 2))
        found = [_worded(words_stay, row, f'{words}\nấp 2, "trên"', f'{words} ấp 2, "trên"') for row in layout.rows(place)]
        yield Whole("line breaks, commas and quotation marks in a cell", delimited(words_stay.header, found).encode(), numbered(found, 2))
    yield Whole("tabs between the cells", delimited(layout.header, layout.rows(place), delimiter="\t").encode(), {}, "STR-007")
    yield Whole("no header", delimited(layout.header, layout.rows(place)).split("\n", 1)[1].encode(), {}, "STR-009")
    twice = (*layout.header, layout.required)
    yield Whole("a column twice", delimited(twice, layout.rows(place)).encode(), {}, "STR-036")
    yield Whole("cut within a row", _cut(place, delimited(layout.header, layout.rows(place))), {}, "STR-005")


def _apart(rows: Sequence[Row]) -> list[Row | None]:
    return [*rows[:2], None, None, *rows[2:4], None, *rows[4:]]


def _worded(layout: Layout, row: Row, words: str, kept: str = "") -> Row:
    """The row with these words under the layout's column of words."""
    said = replace(row, cells=row.cells | {layout.text: words})
    if layout.feed == "merchants":
        return replace(said, becomes=Loaded(replace(row.fact, name=kept or words)))
    return said


def _cut(place: Place, text: str) -> bytes:
    """The text up to somewhere within its last rows, before the last of their cells."""
    lines = text.rstrip("\n").split("\n")
    at = place.random.randrange(2, len(lines))
    return "\n".join([*lines[:at], lines[at][: place.random.randrange(1, lines[at].rindex(","))]]).encode()


# Workbooks ---------------------------------------------------------------------------------------------------------------


def _workbooks(place: Place, layout: Layout) -> Iterator[Whole]:
    titles, first = layout.titles(place), layout.first(place)
    rows = layout.with_total(layout.rows(place))
    labels = [unicodedata.normalize("NFD", name.upper()) for name in layout.header]
    yield Whole("labels in capitals, accents apart", layout.write(place, rows, labels=labels), numbered(rows, first))
    rows = layout.with_total(layout.rows(place))
    yield Whole("empty rows under the control row", layout.write(place, [*rows, None, None]), numbered(rows, first))
    rows = layout.with_total(layout.rows(place))
    shown = [{name: cell.translate(TCVN3) for name, cell in row.cells.items()} for row in rows]
    labels = [name.translate(TCVN3) for name in layout.header]
    old = workbook(
        [title.translate(TCVN3) for title in titles],
        layout.header,
        [replace(row, cells=cells) for row, cells in zip(rows, shown, strict=True)],
        labels=labels,
    )
    yield Whole("letters of TCVN3", old, numbered(rows, first))
    rows = layout.with_total(layout.rows(place))
    told = [f"{name} (VND)" if name == "Số tiền" else name for name in layout.header]
    yield Whole("no title", workbook([], layout.header, rows, labels=told), numbered(rows, 2))
    whole = layout.write(place, layout.with_total(layout.rows(place)))
    yield Whole("cut in the middle", whole[: place.random.randrange(len(whole) // 3, 2 * len(whole) // 3)], {}, "STR-005")
    yield Whole("nothing in its sheet", workbook([], [], []), {}, "STR-003")
    yield Whole("another table", workbook(titles, ["Ngày", "Nội dung"], []), {}, "STR-009")
    rows = layout.with_total(layout.rows(place))
    for header in [name for name in rows[-1].cells if rows[-1].cells[name] != "Tổng cộng"]:
        wrong = replace(rows[-1], cells=rows[-1].cells | {header: str(int(rows[-1].cells[header].replace(".", "")) + 1)})
        yield Whole(f"one more under {header} of the control row", layout.write(place, [*rows[:-1], wrong]), {}, "STR-008")
    alone = layout.rows(place)
    yield Whole("no control row", layout.write(place, alone), numbered(alone, first), flags=frozenset(["STR-039"]))
    yield Whole("a row less than the control row counts", layout.write(place, rows[1:]), {}, "STR-008")
    no_number = replace(rows[-1], cells=rows[-1].cells | {layout.header[-2]: "nhiều"})
    yield Whole("words in the control row", layout.write(place, [*rows[:-1], no_number]), {}, "STR-008")


# JSON lines --------------------------------------------------------------------------------------------------------------


def _json_lines(place: Place, layout: Layout) -> Iterator[Whole]:
    rows = layout.rows(place)
    yield Whole("a byte order mark", codecs.BOM_UTF8 + layout.write(place, rows), numbered(rows, 1))
    rows = layout.rows(place)
    yield Whole("line ends of Windows", layout.write(place, rows, end="\r\n"), numbered(rows, 1))
    rows = layout.rows(place)
    yield Whole("no line end after the last row", layout.write(place, rows).rstrip(b"\n"), numbered(rows, 1))
    apart = _apart(layout.rows(place))
    yield Whole("empty lines between the rows and after them", layout.write(place, [*apart, None]), numbered(apart, 1))
    rows = layout.rows(place)
    other = [replace(row, cells={name.upper(): value for name, value in row.cells.items()}) for row in rows]
    yield Whole("fields in capitals", layout.write(place, other), numbered(rows, 1))
    whole = layout.write(place, layout.rows(place))
    start = whole.rindex(b"\n", 0, -1)
    yield Whole("cut within its last line", whole[: place.random.randrange(start + 2, len(whole) - 2)], {}, "STR-005")
    yield Whole("UTF-16", whole.decode().encode("utf-16"), {}, "STR-006")
    yield Whole("a list in place of lines", b"[" + whole.replace(b"\n", b",\n") + b"{}]", {}, "STR-007")


# Records of NAPAS --------------------------------------------------------------------------------------------------------


def _records(place: Place, layout: Layout) -> Iterator[Whole]:
    rows = layout.rows(place)
    yield Whole("line ends of Windows", layout.write(place, rows, end="\r\n"), numbered(rows, 2))
    rows = layout.rows(place)
    yield Whole("a byte order mark", codecs.BOM_UTF8 + layout.write(place, rows), numbered(rows, 2))
    rows = layout.rows(place)
    yield Whole("no line end after the last record", layout.write(place, rows).rstrip(b"\n"), numbered(rows, 2))
    apart = _apart(layout.rows(place))
    yield Whole("empty lines between the records and after them", layout.write(place, apart) + b"\n\r\n", numbered(apart, 2))
    for count in (4, 6, 0):
        yield Whole(f"five records, and {count} by its last one", layout.write(place, layout.rows(place), count=count), {}, "STR-008")
    yield Whole("no last record", layout.write(place, layout.rows(place), ends=False), {}, "STR-005")
    whole = layout.write(place, layout.rows(place))
    end = whole.rindex(b"TR[")
    yield Whole("cut within a record", whole[: place.random.randrange(end // 2, end - 2)], {}, "STR-005")
    yield Whole("no first record", whole.split(b"\n", 1)[1], {}, "STR-009")
    yield Whole("UTF-16", whole.decode().encode("utf-16"), {}, "STR-006")
