"""How rows are written down: delimited text, a workbook, JSON lines, records of NAPAS."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date

from tests.golden.generated.rows import Row
from tests.golden.hostile.workbooks import book, sheet

Lines = Sequence[Row | None]
CSR = "aa02e5507e8ca45c674196f8b428afef"


def delimited(header: Sequence[str], rows: Lines, *, labels: Sequence[str] | None = None, delimiter: str = ",", end: str = "\n") -> str:
    """Delimited text; `labels` stand above the columns in place of the header."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerow(labels or header)
    for row in rows:
        if row is None or row.line is not None:
            out.write(f"{row.line if row else ''}{end}")
        else:
            writer.writerow([row.cells.get(name, "") for name in header])
    return out.getvalue()


def workbook(titles: Sequence[str], header: Sequence[str], rows: Lines, *, labels: Sequence[str] | None = None) -> bytes:
    """A workbook of one sheet: titles, header, rows."""
    cells = [[row.cells.get(name, "") for name in header] if row else [] for row in rows]
    return book({"Số liệu": sheet([*([title] for title in titles), labels or header, *cells])})


def json_lines(rows: Lines, *, end: str = "\n") -> str:
    """One object a line; what a row does not have is left out."""
    lines = [row.line or json.dumps(row.cells, ensure_ascii=False) if row else "" for row in rows]
    return "".join(line + end for line in lines)


def records(day: date, rows: Lines, *, count: int | None = None, ends: bool = True, end: str = "\n") -> str:
    """Settlement records of NAPAS between the file's own."""
    lines = [f"HR[REV]  971003[DATE]{day:%d%m%Y}"]
    for row in rows:
        lines.append(row.line or "DR" + "".join(f"[{tag}]{value}" for tag, value in {**row.cells, "CSR": CSR}.items()) if row else "")
    number = sum(line.startswith("DR") for line in lines) if count is None else count
    if ends:
        lines.append(f"TR[NOT]{number:09}[CRE]{'hoind':>20}[TIME]041507[DATE]{day:%d%m%Y}[CSF]{CSR}")
    return "".join(line + end for line in lines)
