"""A small sound delivery of every layout: what the broken ones and the fuzz start from.

What stands in a personal column bears one of the marks of `PERSONAL`, none of which may ever be found again.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from expectations.contract import contract
from tests.golden.hostile.workbooks import Raw, book, sheet

BIRTH = "17/05/19"
NAME, PAPER, PHONE, EMAIL = "Người Mẫu Kín", "999199009", "0999555", "mau.kin"
ADDRESS, SUMMARY, CUSTOMER = "Ngõ kín số", "Đơn kín về việc", "PAKIN"
PERSONAL = (NAME, PAPER, PHONE, EMAIL, ADDRESS, SUMMARY, CUSTOMER, BIRTH)
"""How the made-up personal data of every file begins."""

ROWS = 12
Row = list[str]
Node = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """How one layout is written soundly."""

    feed: str
    file: str
    line: Callable[[int], str]
    """The cells of the row of that number, from 1, with bars between them."""
    total: str = ""
    """The cells of the totals row."""


def _dotted(amount: int) -> str:
    return f"{amount:,}".replace(",", ".")


def _sum(of: Callable[[int], int]) -> str:
    return _dotted(sum(of(n) for n in range(1, ROWS + 1)))


def _dossier(n: int) -> str:
    return (
        f"H56.38.14-240102-{n:04}|2.000815|Chứng thực bản sao từ bản chính|CT|Chứng thực|3|2|1|"
        f"{NAME} {n}|{PAPER}{n:03}|{PHONE}{n:03}|{EMAIL}{n}@example.invalid|{SUMMARY} {n}|"
        "20240102063005|20240102073543|20240104163000|20240103100000|20240103110000||10|"
        "H56.38.14|UBND xã Ngọc Phụng|0||1|0|1|1|1|4000|20240103110000|"
    )


def _listed(n: int) -> str:
    return (
        f"{n}|UBND xã Ngọc Phụng|Chứng thực bản sao từ bản chính|H56.38.14-240102-{n:04}|Đã trả kết quả|"
        f"{ADDRESS} {n}|{NAME} {n}|{NAME} {n}|02/01/2024 06:30:05|02/01/2024 07:35:43|04/01/2024 16:30:00|03/01/2024 10:00:00"
    )


def _fee(n: int) -> str:
    return (
        f"TC{n:06}|GDTHU{n:06}|H56.38.14-240102-{n:04}|2.000815|H56.38.14|UBND xã Ngọc Phụng|1|LP|Lệ phí|"
        f"4000|VND|QR|VCB|BIDV|20240102140248|1|00|{NAME} {n}|{PAPER}{n:03}"
    )


def bill(n: int, series: str = "DTHU") -> str:
    """A bill of electricity, its number in one of the series."""
    return f"PA07TX|{CUSTOMER}{n:04}|{NAME} {n}|{ADDRESS} {n}|15655|1|01|2024|{series}{n:06}|100000|8000|108000|50|TD|07/01/2024|1"


PAID = "DECP"
"""Series of the bills that the payments are for."""
UNITS = ["15607", "15610", "15619", "15622", "15628", "15631", "15634", "15637", "15640", "15643", "15646", "15649"]
FORMS = {
    "procedures_csv": Form("procedures", "thu_tuc_20240101.csv", lambda n: f"2.{n:06}|Thủ tục {n}|CT|Chứng thực|3|1|xa|2023-01-01|"),
    "agencies_csv": Form("agencies", "co_quan_20240101.csv", lambda n: f"H56.38.{n:02}|UBND xã {n}|15655|2021-01-01|"),
    "merchants_csv": Form("merchants", "diem_ban_20240101.csv", lambda n: f"vnpay|QUAY{n:03}|Quầy số {n}|cho|15655|2023-01-01|"),
    "dvcqg_csv": Form("dossiers", "td_20240105.csv", _dossier),
    "dvcqg_json": Form("dossiers", "td_20240105.json", _dossier),
    "td_html_xls": Form("dossiers", "td_20240105.xls", _listed),
    "evn_csv": Form("bills", "evn_202401.csv", bill),
    "utility_xlsx": Form(
        "bills",
        "nuoc_202401.xlsx",
        lambda n: f"NTHU{n:06}|{CUSTOMER}{n:04}|15655|NUOC|01/2024|{_dotted(10_000 + n)}|07/01/2024",
        f"Tổng cộng|{ROWS}||||{_sum(lambda n: 10_000 + n)}|",
    ),
    "ecpay_csv": Form(
        "payments",
        "ecpay_202401.csv",
        lambda n: f"ECTHU{n:06}|{PAID}{n:06}|T24|{CUSTOMER}{n:04}|01/2024|108000.0|QR||1|0|0|12/01/2024 10:51:22",
    ),
    "dvcqg_payment_csv": Form("payments", "dvcqg_202401.csv", _fee),
    "telecom_xlsx": Form(
        "signatures",
        "vnpt_202401.xlsx",
        lambda n: f"{n}|{UNITS[n - 1]}|Xã {n}|01/2024|{n}|{_dotted(1000 + n)}|{_dotted(2000 + n)}",
        f"Tổng cộng||||{_sum(lambda n: n)}|{_sum(lambda n: 1000 + n)}|",
    ),
    "holders_csv": Form(
        "signature_holders",
        "vnpt_nguoi_20241231.csv",
        lambda n: f"{PAPER}{n:03}|15655|25/01/2024|HIEU_LUC|25/01/2027|{BIRTH}{60 + n}",
    ),
    "bieu_so_lieu_xlsx": Form(
        "unit_counts",
        "bieu_so_lieu_20241231.xlsx",
        lambda n: f"{UNITS[n - 1]}|Xã {n}|2024|officials_total|Cán bộ, công chức|{10 + n}|{NAME} {n}",
    ),
    "unit_counts_csv": Form("unit_counts", "dan_cu_20241231.csv", lambda n: f"{UNITS[n - 1]}|2024|population_adult|{2000 + n}"),
    "surveys_csv": Form("surveys", "khao_sat_20240715.csv", lambda n: f"KHAO-SAT|1|{UNITS[n - 1]}|K1b|2024-07-15|100|{20 + n}"),
    "published_figures_csv": Form("published_figures", "bao_20250430.csv", lambda n: f"{UNITS[n - 1]}|Xã {n}|2024|CQ7|10|20|50%|Báo mẫu 1"),
    "portal_766_json": Form("portal_766", "H44/2026-08/2026-09-26T1814Z/dvc-progress-tree-all.json", lambda n: f"UBND xã {n}"),
}


def header(layout: str) -> Row:
    """The labels above the rows, without those that may be left out and are; records of JSON have those of the CSV."""
    feed, written = FORMS[layout].feed, {"dvcqg_json": "dvcqg_csv"}.get(layout, layout)
    declared = contract(feed).layouts[written]
    written_too = len(rows(layout)[0]) == len(declared.headers)
    return [label for label in declared.headers if written_too or label not in declared.optional]


def _cells(line: str) -> Row:
    return line.split("|")


def rows(layout: str) -> list[Row]:
    """The sound rows of a layout, without header and totals."""
    return [_cells(FORMS[layout].line(n)) for n in range(1, ROWS + 1)]


def with_cell(layout: str, column: str, value: str, *, every: bool = False) -> list[Row]:
    """The sound rows with the fourth cell of a column replaced, or every one."""
    found = rows(layout)
    for row in found if every else found[3:4]:
        row[header(layout).index(column)] = value
    return found


def delimited(layout: str, body: Sequence[Row] | None = None, labels: Row | None = None, delimiter: str = ",", end: str = "\r\n") -> str:
    """A delimited file."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerow(labels or header(layout))
    writer.writerows(rows(layout) if body is None else body)
    return out.getvalue()


def table(layout: str, body: Sequence[Row] | None = None, *, labels: Row | None = None, total: bool = True) -> list[Row]:
    """The rows of a sheet: titles, header, rows and, where the layout has one, the totals row."""
    last = [_cells(FORMS[layout].total)] if FORMS[layout].total and total else []
    return [["Biểu mẫu số liệu"], ["Tháng 01 năm 2024"], labels or header(layout), *(rows(layout) if body is None else body), *last]


def workbook(layout: str, body: Sequence[Row] | None = None, **parts: str) -> bytes:
    """A workbook of one sheet."""
    return book({"Số liệu": sheet(table(layout, body), **parts)})


TITLE = '<tr><td colspan="12">DANH SÁCH HỒ SƠ</td></tr>'


def page(body: Sequence[Row] | None = None, *, labels: Row | None = None, title: str = TITLE) -> str:
    """A web page under the name .xls; a cell that is `Raw` is written as it is."""
    lines = "\n".join(
        f"<tr>{''.join(cell if isinstance(cell, Raw) else f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in [header("td_html_xls") if labels is None else labels, *(rows("td_html_xls") if body is None else body)]
    )
    return f'<html><head><meta charset="utf-8"></head><body><table border="1">{title}\n{lines}\n</table></body></html>'


def record(n: int, **changed: Any) -> Node:
    """A dossier as the synchronisation endpoint writes it."""
    return {name: cell for name, cell in zip(header("dvcqg_json"), _cells(_dossier(n)), strict=True) if cell} | changed


def answer(**changed: Any) -> Node:
    """An answer of the synchronisation endpoint, its first record changed."""
    found = [record(n, **(changed if n == 1 else {})) for n in range(1, ROWS + 1)]
    return {"error_code": "0", "message": "", "page": 1, "pages": 1, "result": found}


def portal(**changed: Any) -> Node:
    """An answer of the national portal, its first department changed."""

    def node(n: int, **more: Any) -> Node:
        return {
            "departmentId": f"019d2be3-6a88-732b-8b17-{n:012}", "departmentName": f"UBND xã {n}", "departmentCode": f"H44.{n}",
            "level": "COMMUNE", "totalReceived": 100, "totalOnTime": 90, "ratio": 90.0, "score": 18.0, "maxScore": 20, **more,
        }  # fmt: skip

    parent = node(999, departmentCode="H44", totalScore=18.0, totalMaxScore=20)
    children = [node(n, **(changed if n == 1 else {})) for n in range(1, ROWS + 1)]
    return {"code": "OK", "data": {"parent": parent, "children": children}}


def dumped(value: Any) -> str:
    """JSON with Vietnamese letters as they are."""
    return json.dumps(value, ensure_ascii=False)


def sound(layout: str, body: Sequence[Row] | None = None) -> bytes:
    """The delivery of a layout without a fault, of these rows where some are given."""
    if layout == "dvcqg_json":
        return dumped(answer()).encode()
    if layout == "portal_766_json":
        return dumped(portal()).encode()
    if layout == "td_html_xls":
        return page(body).encode()
    if layout.endswith("_xlsx"):
        return workbook(layout, body)
    return delimited(layout, body).encode()
