"""The table of a letter to a supplier: a line for each cell at fault, with room for what it ought to say; and how it is read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from expectations.contract import Column, Contract, Layout
from tasks.read.cells import clean
from tasks.read.limits import DEFAULT, Limits
from tasks.read.rows import File
from tasks.read.sheet_file import read_sheet

HEADERS = {
    "delivery_id": "Lần gửi",
    "file_name": "Tệp",
    "row_number": "Dòng",
    "column_name": "Cột",
    "natural_key": "Khóa của dòng",
    "sent": "Giá trị đã gửi",
    "rule_code": "Quy tắc",
    "message_vi": "Sai ở đâu, cần làm gì",
    "value": "Giá trị đúng",
    "cell_hash": "Mã đối chiếu",
}
"""Columns of the table in their order: name → label."""
ELSEWHERE = "sửa ở nguồn rồi gửi lại tệp"
"""What stands in place of the right value where a cell cannot be put right in a letter."""
NEEDED = ("delivery_id", "row_number", "column_name", "rule_code", "value", "cell_hash")
"""Those that are read back."""
LETTER = Contract(
    feed="letter",
    title_vi="Thư đề nghị sửa số liệu",
    grain="one row per cell at fault",
    source="this project's convention",
    natural_key=["delivery_id", "row_number", "column_name", "rule_code"],
    table="correction",
    replaces="nothing",
    columns={name: Column(type="text", description=label) for name, label in HEADERS.items()},
    layouts={
        "letter_xlsx": Layout(
            kind="xlsx",
            description="Title rows, header, rows",
            headers={label: name for name, label in HEADERS.items()},
            optional=[label for name, label in HEADERS.items() if name not in NEEDED],
            date_format="%d/%m/%Y",
        )
    },
    rules=[],
)
"""What a supplier sends back is read as any other workbook is, hidden rows and formulas and all."""


def read_letter(path: Path, file_name: str, *, limits: Limits = DEFAULT) -> Iterator[tuple[pa.Table, int]]:
    """Lines of a letter as text, with their numbers in the sheet as `line`, and how many of its rows are hidden and were not read."""
    file = File(path, file_name, LETTER, "letter_xlsx", limits)
    for rows in read_sheet(file, 100_000):
        cells = {name: clean(rows.cells[HEADERS[name]], [""]) for name in NEEDED}
        yield pa.table({"line": pa.array(rows.numbers, pa.int32()), **cells}), rows.account.hidden_rows
