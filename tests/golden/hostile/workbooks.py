"""Workbooks and compound files written by hand, part by part, so that any part of them can be wrong."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
DATE = 1
"""Style of a cell that shows its number as a date."""
STYLES = (
    f'{XML}<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>"
)


class Raw(str):
    """A cell's XML as it is to be written; `{ref}` is its address."""


def number(value: str, style: int = 0, kind: str = "") -> Raw:
    """A cell of another type than text, with this as its value."""
    said = f' t="{kind}"' if kind else ""
    return Raw(f'<c r="{{ref}}" s="{style}"{said}><v>{value}</v></c>')


def formula(text: str, value: str | None = None, kind: str = "") -> Raw:
    """A cell with a formula and the value that a program kept of it, if any."""
    said = f' t="{kind}"' if kind else ""
    kept = "" if value is None else f"<v>{value}</v>"
    return Raw(f'<c r="{{ref}}"{said}><f>{escape(text)}</f>{kept}</c>')


def sheet(table: Sequence[Sequence[str]], *, more: str = "", prolog: str = "", before: str = "", after: str = "") -> str:
    """A worksheet; `more` are rows as XML, the others parts that stand before or after the rows."""
    lines = []
    for at, row in enumerate(table, 1):
        cells = [_cell(cell, f"{_letters(place)}{at}") for place, cell in enumerate(row, 1) if cell]
        lines.append(f'<row r="{at}">{"".join(cells)}</row>')
    rows = "".join(lines)
    return f'{XML}{prolog}<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}">{before}<sheetData>{rows}{more}</sheetData>{after}</worksheet>'


def _cell(cell: str, address: str) -> str:
    if isinstance(cell, Raw):
        return cell.replace("{ref}", address)
    return f'<c r="{address}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'


def _letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def book(
    sheets: Mapping[str, str],
    *,
    parts: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    properties: str = "",
    states: Mapping[str, str] | None = None,
) -> bytes:
    """A workbook of these worksheets; `parts` are added or replace others, `states` hides sheets by name."""
    listed, links, kinds = "", "", ""
    content = {}
    for at, (name, text) in enumerate(sheets.items(), 1):
        state = f' state="{states[name]}"' if states and name in states else ""
        listed += f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}"{state}/>'
        links += f'<Relationship Id="rId{at}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        kinds += f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{CONTENT}.worksheet+xml"/>'
        content[f"xl/worksheets/sheet{at}.xml"] = text
    for name in ("styles", "sharedStrings"):
        links += f'<Relationship Id="{name}" Type="{RELATIONS}/{name}" Target="{name}.xml"/>'
    content |= {
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{CONTENT}.sheet.main+xml"/>{kinds}</Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{properties}<sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>',
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'{XML}<sst xmlns="{MAIN}" count="0" uniqueCount="0"/>',
        **(parts or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            if name not in without:
                archive.writestr(name, text.encode("utf-8", "surrogatepass"))
    return out.getvalue()


def bomb(table: Sequence[Sequence[str]], rows: int) -> bytes:
    """A small workbook whose sheet goes on below the table with so many rows of thirty cells, 1,2 KB each when unpacked."""
    cells = '<c t="inlineStr"><is><t>A</t></is></c>' * 30
    start, end = sheet(table).split("</sheetData>")
    out = io.BytesIO(book({"Số liệu": sheet([])}, without=["xl/worksheets/sheet1.xml"]))
    with (
        zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
    ):
        part.write(start.encode())
        for _ in range(rows // 1000):
            part.write(f"<row>{cells}</row>".encode() * 1000)
        part.write(f"</sheetData>{end}".encode())
    return out.getvalue()


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file, as workbooks with a password and old .xls are, of streams of at least 4.096 bytes."""
    end, free, own = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    sectors: list[bytes] = []
    chain: list[int] = []

    def added(data: bytes) -> int:
        first = len(sectors)
        parts = [data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)]
        sectors.extend(parts)
        chain.extend([*range(first + 1, first + len(parts)), end])
        return first

    entries = [("Root Entry", 5, end, 0, 1)]
    for name, stream in streams.items():
        data = stream.ljust(4096, b"\0")
        entries.append((name, 2, added(data), len(data), free))
    directory = b""
    for at, (name, kind, first, size, child) in enumerate(entries):
        label = name.encode("utf-16-le") + b"\0\0"
        sibling = at + 1 if 0 < at < len(entries) - 1 else free
        directory += label.ljust(64, b"\0") + struct.pack("<HBBIII", len(label), kind, 1, free, sibling, child)
        directory += b"\0" * 36 + struct.pack("<IQ", first, size)
    start = added(directory)
    table = struct.pack(f"<{len(chain) + 1}I", *chain, own).ljust(512, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIIII", 0, 1, start, 0, 4096, end, 0, end, 0, len(sectors))
    return header.ljust(512, b"\xff") + b"".join(sectors) + table
