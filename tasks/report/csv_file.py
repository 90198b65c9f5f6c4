"""Lists as CSV for Excel with Vietnamese settings: UTF-8 with its mark, semicolons, a decimal comma, no sign for thousands.

With other separators Excel in Viet Nam puts a line into one cell, and takes `12.5` for the twelfth of May. A first line `sep=;` would
make it forget that the text is UTF-8. A text that someone sent is never a formula: where it begins as one, an apostrophe goes before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import IO, Any

ENCODING = "utf-8-sig"
DELIMITER = ";"
FORMULA = tuple("=+-@\t\r＝＋－＠")
"""Beginnings that a spreadsheet may take for a formula, wide ones too."""


def write_csv(file: IO[str], header: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Writes a header and rows; numbers as they are, days as ISO 8601, what is missing as an empty cell."""
    writer = csv.writer(file, delimiter=DELIMITER)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)


def as_csv(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """The same to send."""
    told = io.StringIO(newline="")
    write_csv(told, header, rows)
    return told.getvalue().encode(ENCODING)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "có" if value else "không"
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}".replace(".", ",")
        case date():
            return value.isoformat()
        case _:
            told = str(value)
            return f"'{told}" if told.startswith(FORMULA) else told
