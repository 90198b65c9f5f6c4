"""A letter to a supplier as one .xlsx: which files, what is wrong in which cells, and a column for what they ought to say.

Its table can be dropped back in (`tasks.load.corrections`): each line carries the mark of the cell it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import Connection, Row, text

from tasks.deliveries.source import Source
from tasks.load.decisions import is_refused
from tasks.read.letter import ELSEWHERE, HEADERS
from tasks.words import vietnamese as vi
from tasks.words.understood import did_you_mean
from warehouse.settings import Refusal

ANSWERED_WITHIN = timedelta(days=7)
"""Time that a supplier is given where nobody says another."""
TITLE = "ĐỀ NGHỊ SỬA SỐ LIỆU"
LINES = "Các ô cần sửa"
WIDTHS = {
    "delivery_id": 9, "file_name": 26, "row_number": 8, "column_name": 16, "natural_key": 22, "sent": 20, "rule_code": 10,
    "message_vi": 56, "value": 22, "cell_hash": 18,
}  # fmt: skip
HOW = (
    f"Trang “{LINES}” ghi từng ô: ở tệp nào, dòng nào, cột nào, giá trị đã gửi, sai ở đâu và cần làm gì.",
    f"Điền giá trị đúng vào cột “{HEADERS['value']}” (ô màu vàng), viết như trong tệp gốc; không sửa cột nào khác, rồi gửi lại thư này.",
    f"Ô ghi “{ELSEWHERE}” thì không điền ở đây được: sửa ở hệ thống nguồn và gửi lại cả tệp, giữ nguyên tên tệp.",
    "Sửa cả ở hệ thống nguồn, để lần gửi sau không sai nữa. Thư này không có dữ liệu cá nhân; xin đừng điền vào.",
)

_FILES = f"""
SELECT d.delivery_id, d.source, coalesce(p.provider_name, d.provider) AS provider_name, d.file_name, d.exported_at, d.status,
    d.rows_received, d.message_vi, (
    SELECT count(DISTINCT q.row_number) FROM ops.quarantine AS q WHERE q.delivery_id = d.delivery_id AND q.status = 'open') AS rows
FROM ops.delivery AS d
LEFT JOIN warehouse.dim_provider AS p ON p.provider_code = d.provider
WHERE (CAST(:source AS text) IS NULL OR d.source = :source) AND (CAST(:number AS int) IS NULL OR d.delivery_id = :number)
    AND ({is_refused("d")}
        OR EXISTS (SELECT FROM ops.quarantine AS q WHERE q.delivery_id = d.delivery_id AND q.status = 'open'))
ORDER BY d.exported_at, d.delivery_id
"""
_CELLS = """
SELECT q.delivery_id, d.file_name, q.row_number, q.column_name, q.natural_key, q.value AS sent, q.rule_code, q.message_vi, q.cell_hash
FROM ops.quarantine AS q JOIN ops.delivery AS d USING (delivery_id)
WHERE q.delivery_id = ANY(:numbers) AND q.status IN ('open', 'rejected')
ORDER BY d.exported_at, q.delivery_id, q.row_number, q.column_name, q.rule_code
"""


def write_letter(
    connection: Connection,
    path: Path,
    sources: Sequence[Source],
    *,
    source: str | None = None,
    delivery_id: int | None = None,
    deadline: date | None = None,
) -> int:
    """Writes the letter about what stands of a source or of one delivery; returns how many cells it names. Refusal where nothing does.

    `deadline`: the day before which they are to be sent again; a week from now where none is given.
    """
    files = connection.execute(text(_FILES), {"source": source, "number": delivery_id}).all()
    titles = {one.name: one.title for one in sources}
    if not files and source is not None and source not in titles:
        raise Refusal(f"Không có nguồn {source!r}.{did_you_mean(source, sorted(titles))}")
    if not files:
        raise Refusal("Không có tệp nào như vậy bị từ chối hay có dòng để riêng: không có gì để viết thư.")
    cells = connection.execute(text(_CELLS), {"numbers": [file.delivery_id for file in files]}).all()
    draft = path.with_suffix(".draft")
    # Whatever begins with =, +, - or @ is a text that someone sent, never a formula or an address.
    with xlsxwriter.Workbook(draft, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}) as book:
        book.set_properties({"title": "Đề nghị sửa số liệu"})
        styles = _Styles(book)
        _letter(book, styles, files, titles, deadline or date.today() + ANSWERED_WITHIN, len(cells))
        if cells:
            _lines(book, styles, cells)
    draft.replace(path)
    return len(cells)


class _Styles:
    def __init__(self, book: Any) -> None:
        base = {"font_name": "Times New Roman", "font_size": 11, "valign": "top", "text_wrap": True}
        cell = base | {"border": 1, "border_color": "#9aa5b1", "num_format": "@"}
        self.title = book.add_format(base | {"bold": True, "font_size": 18, "align": "center", "valign": "vcenter"})
        self.heading = book.add_format(base | {"bold": True, "font_size": 12, "text_wrap": False})
        self.plain = book.add_format(base)
        self.head = book.add_format(
            cell | {"bold": True, "bg_color": "#1f4e79", "font_color": "white", "align": "center", "valign": "vcenter"}
        )
        self.text = book.add_format(cell)
        self.number = book.add_format(cell | {"num_format": "0", "align": "right"})
        self.bad = book.add_format(cell | {"font_color": "#b3261e"})
        self.soft = book.add_format(cell | {"font_color": "#5f6b76", "italic": True})
        self.asked = book.add_format(cell | {"bg_color": "#fff2b3", "locked": False, "border_color": "#8a6d00"})


def _letter(book: Any, styles: _Styles, files: Sequence[Row[Any]], titles: dict[str, str], deadline: date, cells: int) -> None:
    sheet = book.add_worksheet("Thư")
    _page(sheet, "Thư")
    sheet.hide_gridlines(2)
    for column, width in enumerate((10, 34, 16, 12, 12, 70)):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 42)
    sheet.merge_range(0, 0, 0, 5, TITLE, styles.title)
    to = "; ".join(dict.fromkeys(file.provider_name for file in files))
    about = "; ".join(dict.fromkeys(titles.get(file.source, file.source) for file in files))
    sheet.write_string(2, 0, f"Kính gửi: {to} (số liệu: {about})", styles.heading)
    sheet.write_string(3, 0, f"Đề nghị kiểm tra, sửa và gửi lại trước ngày {vi.day(deadline)}.", styles.heading)
    for number, words in enumerate(HOW if cells else HOW[-1:], 5):
        sheet.merge_range(number, 0, number, 5, f"• {words}", styles.plain)
    row = 6 + len(HOW)
    for column, words in enumerate((HEADERS["delivery_id"], HEADERS["file_name"], "Ngày xuất", "Số dòng", "Dòng sai", "Tình trạng")):
        sheet.write_string(row, column, words, styles.head)
    for file in files:
        row += 1
        is_whole = file.status == "rejected"
        words = f"Bị từ chối cả tệp. {file.message_vi or ''}" if is_whole else "Đã nhận các dòng khác; các dòng sai được để riêng."
        sheet.set_row(row, 15 * max(1, ceil(len(words) / 70)))
        sheet.write_number(row, 0, file.delivery_id, styles.number)
        sheet.write_string(row, 1, vi.safe(file.file_name), styles.text)
        sheet.write_string(row, 2, vi.day(file.exported_at), styles.text)
        sheet.write_number(row, 3, file.rows_received or 0, styles.number)
        sheet.write_number(row, 4, file.rows_received or 0 if is_whole else file.rows, styles.number)
        sheet.write_string(row, 5, words, styles.bad if is_whole else styles.text)


def _lines(book: Any, styles: _Styles, cells: Sequence[Row[Any]]) -> None:
    sheet = book.add_worksheet(LINES)
    _page(sheet, LINES)
    sheet.write_string(0, 0, f"{LINES}: điền vào cột “{HEADERS['value']}”, viết như trong tệp gốc", styles.heading)
    for column, (name, label) in enumerate(HEADERS.items()):
        sheet.set_column(column, column, WIDTHS[name])
        sheet.write_string(2, column, label, styles.head)
    for row, cell in enumerate(cells, 3):
        _line(sheet, styles, row, cell)
    sheet.freeze_panes(3, 4)
    sheet.repeat_rows(2)
    sheet.autofilter(2, 0, 2 + len(cells), len(HEADERS) - 1)
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})


def _line(sheet: Any, styles: _Styles, row: int, cell: Row[Any]) -> None:
    sheet.set_row(row, 15 * max(1, ceil(1.1 * len(cell.message_vi) / WIDTHS["message_vi"])))
    for column, name in enumerate(HEADERS):
        if name in ("delivery_id", "row_number"):
            sheet.write_number(row, column, getattr(cell, name), styles.number)
        elif name == "value":
            sheet.write(row, column, None if cell.cell_hash else ELSEWHERE, styles.asked if cell.cell_hash else styles.soft)
        elif name == "sent":
            told = cell.sent if cell.sent is not None else "" if not cell.column_name else vi.NOT_KEPT
            sheet.write_string(row, column, told, styles.text if cell.sent is not None else styles.soft)
        else:
            sheet.write_string(row, column, getattr(cell, name) or "", styles.text)


def _page(sheet: Any, name: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{name}&RTrang &P/&N")
