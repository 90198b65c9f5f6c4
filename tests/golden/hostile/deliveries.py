"""Broken and odd deliveries, for every layout, and what may rightly become of each.

    accepted    loaded, nothing set aside          set_aside   loaded, the bad rows in quarantine with a reason
    rejected    refused whole, with one message    named       not taken at all, named in one line
    ignored     left alone without a word

`python -m tests.golden.hostile.deliveries FOLDER [NAME …]` writes them down, to look at one.
"""

from __future__ import annotations

import codecs
import os
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from expectations.contract import contract
from tests.golden.hostile.forms import (
    FORMS,
    PAPER,
    PERSONAL,
    ROWS,
    answer,
    delimited,
    dumped,
    header,
    page,
    portal,
    record,
    rows,
    sound,
    table,
    with_cell,
    workbook,
)
from tests.golden.hostile.workbooks import DATE, MAIN, XML, bomb, book, compound, formula, number, sheet

Content = str | bytes | Callable[[], str | bytes]


@dataclass(frozen=True)
class Case:
    """One delivery, in a folder and of a source of its own."""

    name: str
    layout: str
    wrong: str
    """What is wrong with it."""
    must: tuple[str, ...]
    """Outcomes that are right."""
    write: Callable[[Path], None]
    """Puts it where it is told to."""
    file: str
    unsaid: str = ""
    """Words that would mislead whoever sent it."""
    secrets: tuple[str, ...] = ()
    """Personal data that stands where none belongs."""
    is_large: bool = False


CASES: dict[str, Case] = {}


def delivery(name: str, layout: str, wrong: str, must: str, content: Content, *, file: str = "", **more: Any) -> None:
    """Adds a file of this content."""

    def write(path: Path) -> None:
        data = content() if callable(content) else content
        path.write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)

    placed(name, layout, wrong, must, write, file=file, **more)


def placed(name: str, layout: str, wrong: str, must: str, write: Callable[[Path], None], *, file: str = "", **more: Any) -> None:
    """Adds whatever is written to the place of the file."""
    CASES[name] = Case(name, layout, wrong, tuple(must.split()), write, file or FORMS[layout].file, **more)


def cell(name: str, layout: str, column: str, value: str, wrong: str, must: str, *, every: bool = False, **more: Any) -> None:
    """Adds an otherwise sound delivery with one wrong cell, or a column of them."""
    delivery(name, layout, wrong, must, lambda: sound(layout, with_cell(layout, column, value, every=every)), **more)


BILLS, WATER, TELECOM, OFFICE, COUNTS = "evn_csv", "utility_xlsx", "telecom_xlsx", "bieu_so_lieu_xlsx", "unit_counts_csv"
DOSSIERS, PAGE, ANSWER, PORTAL = "dvcqg_csv", "td_html_xls", "dvcqg_json", "portal_766_json"
SURVEYS, HOLDERS, COLLECTED, FEES = "surveys_csv", "holders_csv", "ecpay_csv", "dvcqg_payment_csv"
AGENCIES, PRINTED, SHOPS = "agencies_csv", "published_figures_csv", "merchants_csv"
CUT = "bị cắt"
SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
COMMAND = "=cmd|' /C calc'!A0"

# ---------------------------------------------------------------- nothing is wrong: no case is ever blamed for its layout

for _layout in FORMS:
    delivery(f"sound-{_layout.replace('_', '-')}", _layout, "nothing", "accepted", lambda layout=_layout: sound(layout))  # type: ignore[misc]

# ---------------------------------------------------------------- workbooks: the package


def _laughs() -> bytes:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    strings = f'{XML}<!DOCTYPE sst [{entities}]><sst xmlns="{MAIN}" count="1" uniqueCount="1"><si><t>&a9;</t></si></sst>'
    body = with_cell(WATER, "Mã hóa đơn", number("0", kind="s"))
    return book({"Số liệu": sheet(table(WATER, body, total=False))}, parts={"xl/sharedStrings.xml": strings})


def _byte_missing() -> bytes:
    content = workbook(WATER)
    return content[:178] + content[179:]


def _two_row_header() -> bytes:
    first = ["STT", "Mã ĐVHC", "Xã, phường, thị trấn", "Kỳ", "Chứng thư", "", "Số người"]
    second = ["", "", "", "báo cáo", "Số cấp mới", "Đang hiệu lực", "(lũy kế)"]
    merged = '<mergeCells count="1"><mergeCell ref="E2:F2"/></mergeCells>'
    return book({"Số liệu": sheet([["Biểu mẫu"], first, second, *rows(TELECOM)], after=merged)})


_MANY_TEXTS = f'{XML}<sst xmlns="{MAIN}" count="4294967296" uniqueCount="4294967296"/>'
_IN_OTHER_WORDS = {
    "Mã hóa đơn": "MÃ\nHÓA  ĐƠN",
    "Mã khách hàng": "Mã khách hàng ",
    "Mã ĐVHC": unicodedata.normalize("NFD", "Mã ĐVHC"),
    "Kỳ": "Kỳ (MM/yyyy)",
    "Ngày phát hành": "Ngày phát hành (dd/MM/yyyy)",
}

delivery("xlsx-truncated", WATER, "the archive is cut in the middle", "rejected", lambda: workbook(WATER)[:1500])
delivery("xlsx-byte-missing", WATER, "one byte is missing, so that the archive's places are wrong", "accepted rejected", _byte_missing)
delivery(
    "xlsx-encrypted",
    WATER,
    "protected by a password",
    "rejected",
    lambda: compound({"EncryptionInfo": b"\4\0\4\0", "EncryptedPackage": os.urandom(6000)}),
    unsaid=CUT,
)
delivery("xlsx-empty-archive", WATER, "a zip archive without any part", "rejected", b"PK\x05\x06" + b"\0" * 18)
delivery(
    "xlsx-is-docx",
    WATER,
    "a Word file under the name .xlsx",
    "rejected",
    lambda: book(
        {},
        parts={"word/document.xml": "<document/>"},
        without=["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/sharedStrings.xml"],
    ),
    unsaid=CUT,
)
delivery("xlsx-is-csv", WATER, "a CSV under the name .xlsx", "rejected", lambda: delimited(WATER))
delivery("xlsx-no-sheet", WATER, "a workbook without a sheet", "rejected", lambda: book({}))
delivery("xlsx-sheets-empty", WATER, "three empty sheets", "rejected", lambda: book({name: sheet([]) for name in ("Tờ 1", "Tờ 2", "Tờ 3")}))
delivery(
    "xlsx-second-sheet",
    WATER,
    "the data stands on the second sheet, with an odd name",
    "accepted",
    lambda: book({"Ghi chú": sheet([["Kính gửi"]]), "Sổ “mới” & <2>": sheet(table(WATER))}),
)
delivery(
    "xlsx-sheet-hidden",
    WATER,
    "the only sheet with data is hidden",
    "accepted rejected",
    lambda: book({"Ẩn": sheet(table(WATER)), "Trống": sheet([])}, states={"Ẩn": "veryHidden"}),
)
delivery("xlsx-header-merged", TELECOM, "the header is spread over two merged rows", "rejected", _two_row_header)
delivery(
    "xlsx-header-twice",
    TELECOM,
    "the header stands again between the rows, as on a printed second page",
    "set_aside rejected",
    lambda: workbook(TELECOM, [*rows(TELECOM)[:6], header(TELECOM), *rows(TELECOM)[6:]]),
)
delivery(
    "xlsx-external-entity",
    WATER,
    "the sheet declares an external entity that points to another file",
    "accepted rejected set_aside",
    lambda: book(
        {"Số liệu": sheet(table(WATER), prolog='<!DOCTYPE x [<!ENTITY e SYSTEM "../../outside.txt">]>').replace("NTHU000003", "&e;")}
    ),
    unsaid=CUT,
)
delivery(
    "xlsx-entity-expansion",
    WATER,
    "entities that expand to ten thousand million letters (billion laughs)",
    "accepted rejected set_aside",
    _laughs,
    unsaid=CUT,
)
delivery(
    "xlsx-external-link",
    OFFICE,
    "a formula that refers to another workbook on a file server",
    "accepted set_aside",
    lambda: workbook(OFFICE, with_cell(OFFICE, "Số liệu", formula("'\\\\may-chu\\[so.xlsx]S'!A1", "14"))),
)
delivery(
    "xlsx-shared-text-missing",
    WATER,
    "a cell refers to a shared text that is not there",
    "rejected set_aside",
    lambda: workbook(WATER, with_cell(WATER, "Mã hóa đơn", number("99", kind="s"))),
    unsaid=CUT,
)
delivery(
    "xlsx-zip-bomb",
    WATER,
    "a few MB that unpack to a sheet of 1,2 GB: a million rows of thirty cells",
    "rejected",
    lambda: bomb(table(WATER), 1_000_000),
    is_large=True,
)

# ---------------------------------------------------------------- workbooks: far cells and false sizes

delivery(
    "xlsx-far-corner",
    WATER,
    "one stray cell in the last column of the last row",
    "accepted rejected",
    lambda: workbook(WATER, more='<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
)
delivery(
    "xlsx-far-row",
    WATER,
    "one stray cell in the last row",
    "accepted rejected set_aside",
    lambda: workbook(WATER, more='<row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
)
delivery(
    "xlsx-dimension-lies",
    WATER,
    "says that it reaches to XFD1048576 but holds 15 rows",
    "accepted",
    lambda: workbook(WATER, before='<dimension ref="A1:XFD1048576"/>'),
)
delivery(
    "xlsx-texts-counted-wrong",
    WATER,
    "says that it has 4.294.967.296 shared texts and has none",
    "accepted rejected",
    lambda: book({"Số liệu": sheet(table(WATER))}, parts={"xl/sharedStrings.xml": _MANY_TEXTS}),
)
delivery(
    "xlsx-address-impossible",
    WATER,
    "a cell with an address that cannot be (A0)",
    "accepted rejected set_aside",
    lambda: workbook(WATER, more='<row r="0"><c r="A0"><v>1</v></c></row>'),
    unsaid=CUT,
)

# ---------------------------------------------------------------- workbooks: cells

for _name, _value in {"nan": "NaN", "infinity": "Infinity", "1e999": "1e999", "1e25": "1e25", "5000-digits": "9" * 5000}.items():
    delivery(
        f"xlsx-number-{_name}",
        WATER,
        f"a number cell that holds {_value[:8]}",
        "set_aside rejected",
        lambda value=_value: workbook(WATER, with_cell(WATER, "Số tiền", number(value))),  # type: ignore[misc]
    )
delivery(
    "xlsx-count-nan",
    OFFICE,
    "a number cell that holds NaN",
    "set_aside rejected",
    lambda: workbook(OFFICE, with_cell(OFFICE, "Số liệu", number("NaN"))),
)
for _name, _value in {"na": "#N/A", "ref": "#REF!"}.items():
    delivery(
        f"xlsx-error-{_name}",
        WATER,
        f"a formula whose value is {_value}",
        "set_aside rejected",
        lambda value=_value: workbook(WATER, with_cell(WATER, "Số tiền", formula("A1", value, "e"))),  # type: ignore[misc]
        unsaid="để trống",
    )
delivery(
    "xlsx-formula-without-value",
    OFFICE,
    "a formula that no program ever calculated",
    "set_aside rejected",
    lambda: workbook(OFFICE, with_cell(OFFICE, "Số liệu", formula("A1"))),
    unsaid="để trống",
)
delivery(
    "xlsx-code-18-digits",
    WATER,
    "a code as a number of 18 digits, of which a workbook keeps 15",
    "set_aside rejected",
    lambda: workbook(WATER, with_cell(WATER, "Mã hóa đơn", number("468769123456789012"))),
)
delivery(
    "xlsx-date-serials",
    WATER,
    "dates as serial numbers with a date format",
    "accepted",
    lambda: workbook(WATER, with_cell(WATER, "Ngày phát hành", number("45298", DATE), every=True)),
)
delivery(
    "xlsx-date-1904",
    WATER,
    "dates counted from 1904",
    "accepted",
    lambda: book(
        {"Số liệu": sheet(table(WATER, with_cell(WATER, "Ngày phát hành", number("43836", DATE), every=True)))},
        properties='<workbookPr date1904="1"/>',
    ),
)
for _name, _value in {"negative": "-5", "zero": "0", "beyond-9999": "99999999", "far-back": "-1e308"}.items():
    delivery(
        f"xlsx-date-{_name}",
        WATER,
        f"a date cell with the serial number {_value}",
        "set_aside rejected",
        lambda value=_value: workbook(WATER, with_cell(WATER, "Ngày phát hành", number(value, DATE))),  # type: ignore[misc]
    )
cell("xlsx-money-beyond-bigint", WATER, "Số tiền", "9.999.999.999.999.999.999", "an amount beyond 64 bits", "set_aside rejected")
cell("xlsx-money-negative", WATER, "Số tiền", "-10.000", "a negative amount", "set_aside rejected")
cell("xlsx-count-beyond-integer", TELECOM, "Số chứng thư cấp mới", "3.000.000.000", "a count beyond 32 bits", "set_aside rejected")
cell("xlsx-note-formula", OFFICE, "Ghi chú", COMMAND, "a formula in a note", "accepted")
cell("xlsx-control-letters", OFFICE, "Đơn vị", "Xã_x0000__x0008_ \x7f", "control characters in a name", "accepted set_aside rejected")
delivery("xlsx-total-wrong", WATER, "the totals row does not agree with the rows", "rejected", lambda: workbook(WATER, rows(WATER)[:-1]))
delivery(
    "xlsx-header-in-other-words",
    WATER,
    "a header in capitals, over two lines, decomposed, with hints of the format",
    "accepted",
    lambda: book({"Số liệu": sheet(table(WATER, labels=[_IN_OTHER_WORDS.get(label, label) for label in header(WATER)]))}),
)

# ---------------------------------------------------------------- web pages under the name .xls


def _big_page(path: Path) -> None:
    start, end = page().split("</table>")
    with path.open("w", encoding="utf-8") as file:
        file.write(start)
        for n in range(1000, 651_000):
            file.write(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in FORMS[PAGE].line(n).split('|'))}</tr>\n")
        file.write(f"</table>{end}")


for _name, _span in {"huge": "1000000000", "negative": "-3", "superscript": "²", "5000-digits": "9" * 5000}.items():
    for _kind in ("colspan", "rowspan"):
        delivery(
            f"html-{_kind}-{_name}",
            PAGE,
            f"a title whose {_kind} is {_span[:10]}",
            "accepted rejected",
            lambda kind=_kind, span=_span: page(title=f'<tr><td {kind}="{span}">DANH SÁCH</td></tr>'),  # type: ignore[misc]
        )
delivery(
    "html-no-name-known",
    PAGE,
    "no unit and no procedure of the page is in a catalogue",
    "accepted set_aside",
    lambda: page([[row[0], "UBND xã Không Có", "Thủ tục không có", *row[3:]] for row in rows(PAGE)]),
)
delivery("html-truncated", PAGE, "ends in the middle of a row", "rejected", lambda: page()[:2500])
delivery("html-other-charset", PAGE, "says utf-8, is Windows-1258", "rejected", lambda: page().replace("ễ", "e").encode("cp1258", "ignore"))
delivery("html-header-only", PAGE, "a header without rows", "rejected", lambda: page([]))
delivery(
    "html-login-page",
    PAGE,
    "the login page of the system in place of the export",
    "rejected",
    "<!DOCTYPE html><html><body><form>Đăng nhập<table><tr><td>Tên</td><td><input></td></tr></table></form></body></html>",
)
cell("html-script-in-unit", PAGE, "Đơn vị tiếp nhận", SCRIPT, "a script as the name of the unit", "accepted set_aside")
cell("html-date-31-02", PAGE, "Ngày nhận", "31/02/2024 07:35:43", "31 February", "set_aside rejected")
cell("html-date-24-00", PAGE, "Ngày nhận", "02/01/2024 24:00:00", "24:00:00", "set_aside rejected")
placed("html-300-mb", PAGE, "a page of 270 MB with 650.000 rows", "accepted rejected", _big_page, is_large=True)

# ---------------------------------------------------------------- delimited text: the bytes


def _open_quote(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(delimited(COUNTS) + '"')
        for _ in range(110):
            file.write("15655,2024,population_adult,5\r\n" * 33_000)
        file.write('"\r\n')


def _long_line(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{delimited(COUNTS)}15655,2024,")
        for _ in range(200):
            file.write("a" * 1_000_000)
        file.write(",5\r\n")


def _half_converted() -> bytes:
    later = "\r\n".join(delimited(DOSSIERS).splitlines()[1:]).replace("-240102-", "-240103-")
    return delimited(DOSSIERS).encode() + later.encode("cp1258", "ignore")


def _ragged() -> str:
    body = rows(COUNTS)
    return delimited(COUNTS, [*body[:3], [*body[3], "9", "9"], *body[4:6], body[6][:2], *body[7:]])


def _one_column_more(name: str) -> str:
    return delimited(COUNTS, [[*row, "1"] for row in rows(COUNTS)], [*header(COUNTS), name])


delivery("csv-0-bytes", DOSSIERS, "no byte at all", "rejected", b"")
delivery("csv-bom-only", DOSSIERS, "nothing but a byte order mark", "rejected", codecs.BOM_UTF8)
delivery("csv-header-only", DOSSIERS, "a header without rows", "rejected", lambda: delimited(DOSSIERS, []))
delivery("csv-carriage-returns", COUNTS, "lines that end with CR alone", "accepted rejected", lambda: delimited(COUNTS, end="\r"))
delivery(
    "csv-utf-16",
    DOSSIERS,
    "UTF-16 with a byte order mark",
    "accepted rejected",
    lambda: codecs.BOM_UTF16_LE + delimited(DOSSIERS).encode("utf-16-le"),
)
delivery("csv-windows-1258", DOSSIERS, "Windows-1258", "rejected", lambda: delimited(DOSSIERS).replace("ự", "ư").encode("cp1258", "ignore"))
delivery("csv-mixed-encodings", DOSSIERS, "the first half is UTF-8, the second Windows-1258", "rejected", _half_converted)
delivery("csv-nul-bytes", COUNTS, "NUL bytes in the middle", "rejected set_aside", lambda: delimited(COUNTS).replace("15622", "15\x00622"))
delivery("csv-decomposed", AGENCIES, "names in decomposed Unicode", "accepted", lambda: unicodedata.normalize("NFD", delimited(AGENCIES)))
delivery(
    "csv-quote-open", COUNTS, "a quotation mark that is never closed", "rejected", lambda: delimited(COUNTS).replace("15622", '"15622')
)
delivery(
    "csv-100000-columns",
    COUNTS,
    "100.000 columns",
    "rejected",
    lambda: delimited(COUNTS, labels=[*header(COUNTS), *(f"c{n}" for n in range(100_000))]),
)
delivery("csv-header-twice", COUNTS, "a column twice", "rejected", lambda: _one_column_more("value"), unsaid="không có trong hợp đồng")
delivery(
    "csv-header-script",
    COUNTS,
    "an unknown column whose name is a script",
    "rejected",
    lambda: _one_column_more(f"{SCRIPT}{{0}}[/red]"),
)
delivery("csv-rows-ragged", COUNTS, "a row with too many and one with too few cells", "set_aside rejected", _ragged)
delivery(
    "csv-empty-cells-at-the-end",
    COUNTS,
    "empty cells at the end of every line, as a spreadsheet leaves them",
    "accepted",
    lambda: "".join(f"{line},,\r\n" for line in delimited(COUNTS).splitlines()),
)
delivery("csv-sep-line", COUNTS, "begins with sep=;", "accepted", lambda: "sep=;\r\n" + delimited(COUNTS, delimiter=";"))
delivery(
    "csv-is-html",
    COUNTS,
    "the error page of a web server under the name .csv",
    "rejected",
    "<!doctype html><html><body>502 Bad Gateway</body></html>",
)
delivery("csv-is-xlsx", COUNTS, "a workbook under the name .csv", "rejected", lambda: workbook(OFFICE))
placed("csv-quoted-110-mb", COUNTS, "a quoted cell of 110 MB that swallows all lines", "rejected set_aside", _open_quote, is_large=True)
placed("csv-line-200-mb", COUNTS, "one line of 200 MB", "rejected set_aside", _long_line, is_large=True)

# ---------------------------------------------------------------- delimited text: the cells

ODD = "set_aside rejected"

cell("csv-date-31-02", BILLS, "NGAY_PHANH", "31/02/2024", "31 February", ODD)
cell("csv-date-year-1", SURVEYS, "asked_at", "0001-01-01", "the year 1", ODD)
cell("csv-date-year-9999", SURVEYS, "asked_at", "9999-12-31", "the year 9999", ODD)
cell("csv-date-1900", DOSSIERS, "NgayTiepNhan", "19000101000000", "received in 1900", f"accepted {ODD}")
cell("csv-valid-to-2199", AGENCIES, "valid_to", "2199-12-31", "valid until 2199", "accepted set_aside")
cell("csv-money-64-bits", BILLS, "TONG_TIEN", "9223372036854775808", "an amount one beyond 64 bits", ODD)
cell("csv-money-18-digits", BILLS, "TONG_TIEN", "999999999999999999", "an amount of 18 digits that is not the sum", ODD)
cell(
    "csv-count-18-digits",
    COUNTS,
    "value",
    "999999999999999999",
    "every count has 18 digits: their sum is beyond 64 bits",
    f"accepted {ODD}",
    every=True,
)
cell("csv-count-negative", COUNTS, "value", "-5", "a negative count", ODD)
cell("csv-count-5000-digits", COUNTS, "value", "9" * 5000, "a count of 5.000 digits", ODD)
cell("csv-count-arabic", COUNTS, "value", "٢٠٠٤", "a count in Arabic digits", ODD)
cell("csv-supplements-beyond-smallint", DOSSIERS, "SoLanBoSung", "70000", "supplements beyond 16 bits", f"accepted {ODD}")
cell("csv-answers-beyond-integer", SURVEYS, "respondents", "3000000000", "respondents beyond 32 bits", f"accepted {ODD}")
cell("csv-code-right-to-left", DOSSIERS, "MaHoSo", "H56.38.14-240102-\u202e4000", "a direction sign in a code", "accepted set_aside")
cell("csv-code-zero-width", BILLS, "ID_HDON", "DTHU\u200b000004", "a zero-width space in a code", "accepted set_aside")
cell("csv-code-sql", DOSSIERS, "MaHoSo", "'; DROP TABLE ops.delivery; --", "SQL as a code", "accepted set_aside")
cell("csv-code-backslash", DOSSIERS, "MaHoSo", "\\N\\.\\x41", "the signs of PostgreSQL's COPY as a code", "accepted set_aside")
cell("csv-code-100-kb", DOSSIERS, "MaHoSo", "".join(f"{n:08x}" for n in range(12_500)), "a code of 100 KB", f"accepted {ODD}")
cell("csv-code-arabic", COUNTS, "unit_code", "١٥٦٢٢", "a code in Arabic digits", ODD)
cell("csv-code-shortened", BILLS, "ID_HDON", "4.68769E+17", "a code that a spreadsheet shortened", ODD)
cell(
    "csv-code-as-formula",
    BILLS,
    "ID_HDON",
    '="DTHU000004"',
    "a code in the signs that keep a spreadsheet from counting",
    "accepted set_aside",
)
cell("csv-agency-formula", AGENCIES, "TenDonVi", '=HYPERLINK("http://x.invalid";"bấm")', "a formula as the name of an agency", "accepted")
cell("csv-document-script", PRINTED, "source_document", SCRIPT, "a script as the source of a figure", "accepted set_aside")
cell("csv-document-formula", PRINTED, "source_document", COMMAND, "a formula as the source of a figure", "accepted set_aside")
cell("csv-shop-script", SHOPS, "name", IMAGE, "a script as the name of a shop", "accepted")
cell("csv-holder-empty", HOLDERS, "SoCCCD", "", "a holder without a number", "set_aside")
cell("csv-holder-shortened", HOLDERS, "SoCCCD", "9.99199E+11", "a holder's number that a spreadsheet shortened", "set_aside")
cell("csv-holder-without-zeros", HOLDERS, "SoCCCD", "38085001", "a holder's number that lost zeros", "set_aside")
cell("csv-birth-no-day", HOLDERS, "NgaySinh", "31/02/1990", "a birth on a day that does not exist", "set_aside")
cell("csv-birth-after-issue", HOLDERS, "NgaySinh", "26/02/2024", "a birth after the issue of the certificate", "set_aside")
cell("csv-birth-is-a-paper", HOLDERS, "NgaySinh", f"{PAPER}004", "a person's number in place of a birth", "set_aside")
cell("csv-expiry-before-issue", HOLDERS, "NgayHetHan", "24/01/2024", "an expiry before the issue", "set_aside")
cell("csv-unit-unknown", HOLDERS, "MaDVHC", "99999", "a unit that does not exist", "set_aside")
cell("csv-payment-nan", COLLECTED, "SO_TIEN_TTOAN", "nan", "nan as an amount", ODD)
cell("csv-payment-infinite", COLLECTED, "SO_TIEN_TTOAN", "Infinity", "Infinity as an amount", ODD)
cell("csv-payment-shortened", COLLECTED, "MA_GIAO_DICH", "4.68769E+17", "a transaction that a spreadsheet shortened", ODD)
cell("csv-fee-superscript", FEES, "SoTien", "4000²", "a superscript digit in an amount", "set_aside")
cell("csv-fee-in-dollars", FEES, "MaTienTe", "USD", "an amount in another currency", "set_aside")
cell("csv-level-full-width", "procedures_csv", "MucDo", "３", "a full-width digit", "set_aside")

# ---------------------------------------------------------------- persons in the wrong place

_WRONG_PLACES = {
    "measure": (COUNTS, "measure"),
    "unit": (COUNTS, "unit_code"),
    "survey": (SURVEYS, "survey_code"),
    "question": (SURVEYS, "question_code"),
    "document": (PRINTED, "source_document"),
    "indicator": (PRINTED, "indicator_code"),
    "agency": (AGENCIES, "TenDonVi"),
    "agency-code": (AGENCIES, "MaDonVi"),
    "shop": (SHOPS, "name"),
    "shop-code": (SHOPS, "terminal_code"),
    "dossier": (DOSSIERS, "MaHoSo"),
    "bill": (BILLS, "ID_HDON"),
    "transaction": (FEES, "MaGiaoDich"),
    "method": (FEES, "LoaiHinhThanhToan"),
    "office": (OFFICE, "Mã chỉ tiêu"),
}
for _at, (_name, (_layout, _column)) in enumerate(_WRONG_PLACES.items()):
    _terms, _paper = contract(FORMS[_layout].feed), f"0380850019{_at:02}"
    _is_plain_number = _terms.columns[_terms.layouts[_layout].headers[_column] or ""].numeric  # nothing tells it from a code
    cell(
        f"person-as-{_name}",
        _layout,
        _column,
        _paper,
        f"an identity paper in the column {_column}",
        "accepted set_aside" if _is_plain_number else "set_aside",
        secrets=(_paper,),
    )
delivery(
    "person-as-column",
    COUNTS,
    "the name and number of a person as the name of a column",
    "rejected",
    lambda: _one_column_more("Nguyễn Văn Lạ 038085001980"),
    secrets=("Nguyễn Văn Lạ", "038085001980"),
)
delivery(
    "person-without-header",
    DOSSIERS,
    "the header line is missing, so that the first dossier stands there",
    "rejected",
    lambda: delimited(DOSSIERS).split("\r\n", 1)[1],
)
delivery(
    "person-as-json-key",
    ANSWER,
    "the number of a person as a field of a record",
    "rejected set_aside",
    lambda: dumped(answer(**{"038085001981": "1"})),
    secrets=("038085001981",),
)
delivery(
    "person-as-name-of-file",
    COUNTS,
    "the number of a person as the name of the file",
    "accepted rejected named",
    lambda: delimited(COUNTS),
    file="038085001982.csv",
    secrets=("038085001982",),
)

# ---------------------------------------------------------------- JSON


def _in_answer(written: str, **changed: Any) -> Callable[[], str]:
    """An answer in which the text @ of the changed field is written in another way."""
    return lambda: dumped(answer(**changed)).replace('"@"', written)


delivery("json-deep", ANSWER, "100.000 lists inside each other", "rejected", lambda: "[" * 100_000 + "]" * 100_000)
delivery("json-deep-field", ANSWER, "100.000 lists in a field", "rejected", _in_answer("[" * 100_000 + "]" * 100_000, MucDo="@"))
delivery("json-money-5000-digits", ANSWER, "a fee of 5.000 digits", ODD, _in_answer("9" * 5000, TongPhiLePhi="@"), unsaid=CUT)
delivery(
    "json-fee-text-5000-digits",
    ANSWER,
    "a fee in DanhSachLePhi as a text of 5.000 digits",
    ODD,
    lambda: dumped(answer(DanhSachLePhi=[{"Gia": "9" * 5000}])),
)
delivery("json-lone-surrogate", ANSWER, "half of a surrogate pair in a code", ODD, _in_answer('"\\ud800"', MaHoSo="@"))
delivery(
    "json-lone-surrogate-dropped", ANSWER, "half of a surrogate pair in a name", f"accepted {ODD}", _in_answer('"\\ud83d"', ChuHoSo="@")
)
delivery("json-nul", ANSWER, "a NUL in a code", ODD, lambda: dumped(answer(MaHoSo="H56\0")))
delivery("json-1e400", ANSWER, "1e400 as a fee", ODD, _in_answer("1e400", TongPhiLePhi="@"))
delivery("json-nan", ANSWER, "NaN as a level", ODD, lambda: dumped(answer(MucDo=float("nan"))))
delivery("json-code-object", ANSWER, "an object as a code", ODD, lambda: dumped(answer(MaTTHC={"ma": "2.000815"})))
delivery("json-code-list", ANSWER, "a list as a code", ODD, lambda: dumped(answer(MaHoSo=["H56.38.14-240102-0001"])))
delivery("json-trailing", ANSWER, "text after the end", "rejected", lambda: dumped(answer()) + "\n<!-- 12 ms -->", unsaid=CUT)
delivery("json-truncated", ANSWER, "ends in the middle of a record", "rejected", lambda: dumped(answer())[:2500])
delivery(
    "json-lines",
    ANSWER,
    "one object a line in place of one answer",
    "rejected",
    lambda: "\n".join(dumped(record(n)) for n in range(1, ROWS + 1)),
    unsaid=CUT,
)
delivery("json-root-text", ANSWER, "a text at the root", "rejected", lambda: dumped("không có dữ liệu"))
delivery("json-records-numbers", ANSWER, "numbers in place of records", "rejected", lambda: dumped(answer() | {"result": [1, 2, 3]}))
delivery(
    "json-keys-twice",
    ANSWER,
    "a field twice in a record",
    f"accepted {ODD}",
    lambda: dumped(answer()).replace('"MucDo": "3"', '"MucDo": "3", "MucDo": "4"', 1),
)
delivery("json-fees-not-a-list", ANSWER, "a number in place of the list of fees", ODD, lambda: dumped(answer(DanhSachLePhi=4000)))
delivery(
    "portal-deep",
    PORTAL,
    "100.000 lists inside each other",
    "rejected",
    lambda: '{"code":"OK","data":' + "[" * 100_000 + "]" * 100_000 + "}",
)
delivery("portal-code-number", PORTAL, "the department's code is a number", ODD, lambda: dumped(portal(departmentCode=44)))
delivery("portal-nan", PORTAL, "NaN as a score", ODD, lambda: dumped(portal(score=float("nan"))))
delivery("portal-beyond-bigint", PORTAL, "a numerator of 31 digits", ODD, lambda: dumped(portal(totalOnTime=10**30)))
delivery("portal-object", PORTAL, "an object as a denominator", ODD, lambda: dumped(portal(totalReceived={"value": 100})))
delivery("portal-not-ok", PORTAL, "an answer that reports an error", "rejected", lambda: dumped({"code": "INTERNAL_ERROR", "data": None}))
delivery(
    "portal-lone-surrogate",
    PORTAL,
    "half of a surrogate pair in a name",
    ODD,
    lambda: dumped(portal(departmentName="@")).replace('"@"', '"\\udc00"'),
)
delivery(
    "portal-wrong-folder",
    PORTAL,
    "lies in a folder that says no period",
    "rejected named",
    lambda: dumped(portal()),
    file="H44/thang-8/2026-09-26T1814Z/dvc-progress-tree-all.json",
)

# ---------------------------------------------------------------- names, and things that are no files

_WRONG_HEADER = "a,b\r\n1,2\r\n"


def _outside(path: Path) -> None:
    outside = path.with_name("outside.txt")
    outside.write_text("không thuộc hộp thư\n", "utf-8")
    path.symlink_to(outside)


def _sound_counts() -> str:
    return delimited(COUNTS)


delivery("name-line-break", COUNTS, "a line break in the name", "accepted named", _sound_counts, file="dan\ncu_20241231.csv")
delivery("name-255-bytes", COUNTS, "a name of 255 bytes", "accepted named", _sound_counts, file=f"{'x' * 242}_20241231.csv")
delivery("name-parent", COUNTS, "a name that looks like a path", "accepted named", _sound_counts, file="..%2f..%2fdan_cu_20241231.csv")
delivery(
    "name-not-unicode",
    COUNTS,
    "a name that is no Unicode",
    "accepted named",
    _sound_counts,
    file=os.fsdecode(b"dan_cu_\xe9\xff_20241231.csv"),
)
delivery(
    "name-markup-rejected",
    COUNTS,
    "[red] and {0} in the name, and a wrong header",
    "rejected",
    _WRONG_HEADER,
    file="[red]{0}%s_20241231.csv",
)
delivery("name-html-rejected", COUNTS, "HTML as the name, and a wrong header", "rejected", _WRONG_HEADER, file=f"{IMAGE}_20241231.csv")
delivery(
    "name-escape-codes",
    COUNTS,
    "terminal escape codes in the name, and a wrong header",
    "rejected named",
    _WRONG_HEADER,
    file="\x1b[2J\x1b[31mdan_cu_20241231.csv",
)
delivery(
    "name-right-to-left",
    COUNTS,
    "a direction sign in the name, and a wrong header",
    "rejected named",
    _WRONG_HEADER,
    file="dan_cu_\u202e20241231.csv",
)
delivery(
    "name-office-lock",
    WATER,
    "the lock file that a spreadsheet leaves beside an open workbook",
    "rejected ignored named",
    b"\x05Nguoi" + b"\0" * 159,
    file="~$nuoc_202401.xlsx",
)
placed("folder-named-csv", COUNTS, "a folder under the name .csv", "named", Path.mkdir)
placed("pipe-named-csv", COUNTS, "a named pipe: reading it waits for ever", "named ignored", os.mkfifo)
placed("socket-named-csv", COUNTS, "a socket", "named ignored", lambda path: os.mknod(path, stat.S_IFSOCK | 0o600))
placed("link-without-end", COUNTS, "a link to /dev/zero", "named ignored", lambda path: path.symlink_to("/dev/zero"))
placed("link-outside", COUNTS, "a link to a file outside the inbox", "accepted rejected named", _outside)
placed("link-loop", COUNTS, "a link to itself", "named ignored", lambda path: path.symlink_to(path.name))
placed("link-dangling", COUNTS, "a link to nothing", "named ignored", lambda path: path.symlink_to("nothing.csv"))

SECRETS = {secret: name for name, case in CASES.items() for secret in case.secrets} | dict.fromkeys(PERSONAL, "any")
"""Personal data of the files → the case that brings it."""
LIVE = (SCRIPT, IMAGE)
"""What would act on a page if it were not escaped."""


def written(folder: Path, cases: Iterable[Case]) -> None:
    """Writes cases, each into a folder of its own."""
    for case in cases:
        path = folder / case.name / case.file
        path.parent.mkdir(parents=True)
        case.write(path)


if __name__ == "__main__":
    written(Path(sys.argv[1]), (case for case in CASES.values() if (not sys.argv[2:] and not case.is_large) or case.name in sys.argv[2:]))
