"""A file that nobody described is described: what can be found out is found, what cannot is said to be open, no cell is written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from expectations.contract import Contract, Layout, contract
from tasks.read.draft.draft import as_layout, draft
from tasks.read.file import read
from tasks.read.rows import Rejected
from tasks.validate.trial import with_layout

SAMPLES = Path(__file__).parents[2] / "samples" / "inbox"
HEADER = "Số hóa đơn;Mã khách;Tên khách hàng;Mã đơn vị hành chính;Loại dịch vụ;Tháng hóa đơn;Ngày lập;Tổng tiền"
ROWS = [
    f"HD/{number:03};KH{number:05};Nguyễn Thị Mẫu {number};15655;NUOC;03/2024;{number % 28 + 1:02}/03/2024;1.{number:03}.500"
    for number in range(40)
]
MEANT = {
    "Số hóa đơn": "bill_code",
    "Mã khách": "customer_hash",
    "Tên khách hàng": "customer_name",
    "Mã đơn vị hành chính": "unit_code",
    "Loại dịch vụ": "service_code",
    "Tháng hóa đơn": "billing_month",
    "Ngày lập": "issued_on",
    "Tổng tiền": "amount_vnd",
}


def drafted(path: Path, feed: str | Contract = "bills") -> Layout:
    return as_layout(draft(path, contract(feed) if isinstance(feed, str) else feed).text)[2]


def bills(path: Path, text: str, encoding: str = "utf-8") -> Layout:
    path.write_bytes(text.encode(encoding))
    return drafted(path)


def differing(found: Layout, meant: dict[str, str | None]) -> set[str]:
    return {header for header, column in meant.items() if found.headers.get(header) != column}


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize(
    ("feed", "layout", "file"),
    [
        ("agencies", "agencies_csv", "catalogues/agencies_mau_20240101.csv"),
        ("procedures", "procedures_csv", "catalogues/procedures_mau_20240101.csv"),
        ("payments", "dvcqg_payment_csv", "dvcqg/dvcqg_mau_20240101-20240331.csv"),
        ("payments", "ecpay_csv", "ecpay/ecpay_mau_202403.csv"),
        ("bills", "evn_csv", "evn/evn_mau_202403.csv"),
        ("bills", "utility_xlsx", "water/nuoc_mau_202403.xlsx"),
        ("unit_counts", "bieu_so_lieu_xlsx", "office-counts/bieu_so_lieu_quy_mau_20240331.xlsx"),
        ("unit_counts", "unit_counts_csv", "people-counts/dan_cu_mau_20241231.csv"),
        ("dossiers", "dvcqg_csv", "one-stop-shop/td_mau_20240131.csv"),
        ("published_figures", "published_figures_csv", "published/bao_thanh_hoa_20250430.csv"),
        ("surveys", "surveys_csv", "surveys/khao_sat_mau_20240715.csv"),
        ("signature_holders", "holders_csv", "vnpt-holders/vnpt_mau_20241231.csv"),
        ("signatures", "telecom_xlsx", "vnpt-signatures/vnpt_mau_202412.xlsx"),
    ],
)
def test_the_layouts_of_the_samples_are_found_also_where_nobody_knows_them(feed: str, layout: str, file: str, is_known: bool) -> None:
    terms = contract(feed)
    declared = terms.layouts[layout]
    others = {name: other for name, other in terms.layouts.items() if is_known or name != layout}
    found = drafted(SAMPLES / file, terms.model_copy(update={"layouts": others}))
    assert found.kind == declared.kind
    assert set(found.delimiters) <= set(declared.delimiters)
    wrong = differing(found, declared.headers) - set(declared.optional)
    assert len(wrong) <= (0 if is_known else 0.2 * len(declared.headers)), wrong
    read = [name for name in found.headers.values() if name] + list(found.joined)
    assert found.joined == declared.joined
    assert found.numbers in ("plain", declared.numbers)  # plain where no number of the file has a mark
    for name in read:
        kind = terms.columns[name].type
        if kind in ("date", "timestamp"):
            assert _format(found, name, kind) == _format(declared, name, kind)
    if is_known and declared.totals:
        assert found.totals is not None
        assert found.totals.label == declared.totals.label
        assert found.totals.sums.items() >= declared.totals.sums.items()
    assert bool(found.title) == bool(declared.title)


def _format(layout: Layout, name: str, kind: str) -> str:
    return layout.date_formats.get(name, layout.date_format if kind == "date" else layout.timestamp_format)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("first", ["", "sep=;\r\n"])
def test_a_semicolon_file_of_a_spreadsheet_is_described(tmp_path: Path, encoding: str, first: str) -> None:
    found = bills(tmp_path / "a.csv", first + "\r\n".join([HEADER, *ROWS, ""]), encoding)
    assert (found.kind, found.delimiters, found.numbers) == ("csv", [";"], "vietnamese")
    assert found.encoding == ("utf-16" if encoding == "utf-16" else "utf-8")
    assert not differing(found, MEANT)
    assert (_format(found, "billing_month", "date"), _format(found, "issued_on", "date")) == ("%m/%Y", "%d/%m/%Y")


def test_old_vietnamese_encodings_are_told_apart(tmp_path: Path) -> None:
    written = {
        ("tcvn3", "latin-1"): ("M· hãa ®¬n;M· kh¸ch hµng;§Þa chØ", "§­êng NguyÔn HuÖ, ph­êng Ngäc Phông"),
        ("vni", "latin-1"): ("Maõ hoùa ñôn;Maõ khaùch haøng;Ñòa chæ", "Ñöôøng Nguyeãn Hueä, phöôøng Ngoïc Phuïng"),
        ("cp1258", "cp1258"): (
            "Ma\u0303 ho\u0301a đơn;Ma\u0303 kha\u0301ch ha\u0300ng;Đi\u0323a chi\u0309",
            "Đươ\u0300ng Nguyê\u0303n Huê\u0323",
        ),
        ("utf-16", "utf-16"): ("Mã hóa đơn;Mã khách hàng;Địa chỉ", "Đường Nguyễn Huệ, phường Ngọc Phụng"),
    }
    for (encoding, codec), (header, address) in written.items():
        found = bills(tmp_path / "a.csv", "\n".join([header, *(f"HD{at};KH{at};{address}" for at in range(30)), ""]), codec)
        assert found.encoding == encoding
        assert found.headers == {"Mã hóa đơn": "bill_code", "Mã khách hàng": "customer_hash", "Địa chỉ": "customer_address"}


@pytest.mark.parametrize(
    "header",
    [
        "so hoa don,ma khach,ten khach hang,ma don vi hanh chinh,loai dich vu,thang hoa don,ngay lap,tong tien",
        "SO_HDON,MA_KH,TEN_KH,MA_DVHC,DICH_VU,THANG_HDON,NGAY_LAP,TONG_TIEN",
        "InvoiceNo,CustomerId,CustomerName,UnitCode,Service,BillingMonth,IssueDate,TotalAmount",
    ],
)
def test_columns_are_found_under_other_names_and_in_another_order(tmp_path: Path, header: str) -> None:
    order = [7, 3, 0, 6, 1, 5, 2, 4]
    names = header.split(",")
    table = [names, *(row.split(";") for row in ROWS)]
    found = bills(tmp_path / "a.csv", "\n".join("\t".join(row[place] for place in order) for row in table) + "\n")
    assert found.delimiters == ["\t"]
    assert not differing(found, dict(zip(names, MEANT.values(), strict=True)))


def days(path: Path, *cells: str, month: str = "") -> str:
    columns = "Mã hóa đơn,Ngày phát hành,Kỳ\n" if month else "Mã hóa đơn,Ngày phát hành\n"
    path.write_text(columns + "".join(f"H{at},{cell}{',' + month if month else ''}\n" for at, cell in enumerate(cells)), "utf-8")
    return draft(path, contract("bills")).text


def test_days_that_can_be_read_in_two_ways_are_left_open(tmp_path: Path) -> None:
    text = days(tmp_path / "a.csv", "01/02/2024", "05/06/2024", "12/11/2024")
    assert "%d/%m/%Y hay %m/%d/%Y" in text
    assert as_layout(text)[2].date_formats == {}


def test_one_day_after_the_twelfth_says_which(tmp_path: Path) -> None:
    assert as_layout(days(tmp_path / "a.csv", "01/02/2024", "13/02/2024"))[2].date_format == "%d/%m/%Y"
    assert as_layout(days(tmp_path / "a.csv", "01/02/2024", "02/13/2024"))[2].date_format == "%m/%d/%Y"


def test_the_month_that_the_file_is_about_says_which(tmp_path: Path) -> None:
    found = as_layout(days(tmp_path / "a.csv", *(f"03/{day:02}/2024" for day in range(4, 12)), month="03/2024"))[2]
    assert _format(found, "issued_on", "date") == "%m/%d/%Y"


def test_thousands_that_might_be_decimals_are_left_open(tmp_path: Path) -> None:
    rows = "".join(f"H{at};1.000\n" for at in range(5))
    (tmp_path / "a.csv").write_text("Mã hóa đơn;Số tiền\n" + rows, "utf-8")
    assert "# numbers: …  # chưa rõ: vietnamese hay decimal_point" in draft(tmp_path / "a.csv", contract("bills")).text


def test_a_workbook_with_titles_totals_and_typed_cells_is_described(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["CÔNG TY CẤP NƯỚC"],
        ["Hóa đơn tháng 3 năm 2024"],
        ["STT", "Số hóa đơn", "Mã khách hàng", "Mã ĐVHC", "Dịch vụ", "Kỳ", "Thành tiền (tổng)"],
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)"],
        *([at, f"HD{at}", f"KH{at}", "15655", "NUOC", "03/2024", 1000 + at] for at in range(1, 31)),
        ["Cộng", "", "", "", "", "", sum(1000 + at for at in range(1, 31))],
        ["Người lập biểu"],
    ]
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    found = draft(tmp_path / "a.xlsx", contract("bills"))
    layout = as_layout(found.text)[2]
    assert layout.kind == "xlsx"
    assert layout.totals is not None
    assert (layout.totals.label, layout.totals.sums) == ("Cộng", {"amount_vnd": "Thành tiền (tổng)"})
    assert layout.title is not None
    assert "tiêu đề ở dòng 3" in found.text
    assert "đánh số cột" in found.text
    assert found.unsaid == []


def test_a_page_that_calls_itself_a_workbook_is_described_with_its_labels_for_codes(tmp_path: Path) -> None:
    header = ["STT", "Mã hồ sơ", "Trạng thái", "Ngày nhận", "Chủ hồ sơ"]
    rows = [["1", "H56.38.03-240102-0001", "Đã trả kết quả", "13/03/2024 08:00:00", "Người Mẫu"]] * 3
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in [header, *rows])
    (tmp_path / "a.xls").write_text(f"<html><body><table>{lines}</table></body></html>", "utf-8")
    found = drafted(tmp_path / "a.xls", "dossiers")
    assert (found.kind, found.timestamp_format) == ("html", "%d/%m/%Y %H:%M:%S")
    assert found.values["status_code"]["Đã trả kết quả"] == "10"
    assert found.headers["Chủ hồ sơ"] == "applicant_name"


def test_records_of_json_are_described(tmp_path: Path) -> None:
    records = [{"MaHoSo": "H56.38.03-240102-0001", "TrangThaiHoSo": "9", "NgayTiepNhan": "20240102073543", "DanhSachLePhi": []}]
    (tmp_path / "a.json").write_text(json.dumps({"error_code": "0", "result": records}), "utf-8")
    found = drafted(tmp_path / "a.json", "dossiers")
    assert (found.kind, found.reader) == ("json", "dossier_json")
    assert found.headers["NgayTiepNhan"] == "received_at"


def test_a_list_of_records_is_described_and_read(tmp_path: Path) -> None:
    records = [{"unit_code": "15655", "period": "2024-03", "Measure": "population_adult", "value": at} for at in range(5)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records), "utf-8")
    terms = contract("unit_counts")
    found = drafted(path, terms)
    assert (found.kind, found.reader, found.headers["value"]) == ("json", None, "value")
    chunks = read(path, with_layout(terms, "new", found), "new", b"key", "a.json")
    assert [value for chunk in chunks for value in chunk.table["value"].to_pylist()] == [0, 1, 2, 3, 4]
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    assert "# reader: …  # chưa rõ" in draft(path, terms).text


def test_no_cell_and_no_person_is_written_down(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "Mã hóa đơn,Họ tên,Ghi,038085001234,a@b.vn\nDAUVET1,DAUVET2,038085009999,DAUVET3,1\nTổng cộng DAUVET4,,,,\n" * 1, "utf-8"
    )
    text = draft(tmp_path / "a.csv", contract("bills")).text
    assert "DAUVET" not in text
    assert "038085" not in text
    assert "a@b.vn" not in text
    assert "Ghi: ~  # chưa rõ; trông như dữ liệu cá nhân" in text


def test_an_identity_number_goes_into_no_column_that_keeps_it(tmp_path: Path) -> None:
    rows = "".join(f"0380850{at:05},15655\n" for at in range(20))
    (tmp_path / "a.csv").write_text("Mã hóa đơn,Mã ĐVHC\n" + rows, "utf-8")
    assert drafted(tmp_path / "a.csv").headers == {"Mã hóa đơn": None, "Mã ĐVHC": "unit_code"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf\r\n",
        b"PK\x03\x04" + b"\0" * 200,
        b"\xd0\xcf\x11\xe0" + bytes(range(256)) * 4,
        b"%PDF-1.7\n" + bytes(range(256)),
        bytes(range(256)) * 20,
        b"<html><body>khong co bang nao</body></html>",
        b"{}",
        b"[1, 2, 3]",
        b"[" * 100_000,
        b"mot dong khong co gi\nhai dong\n",
        "Nguyễn Văn A;038085001234;0912345678\nTrần Thị B;038085001235;0912345679\n".encode(),
        b'a,b\n"' + b"x" * 200_000,
    ],
)
def test_what_cannot_be_understood_is_said_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(Rejected) as refusal:
        draft(tmp_path / "a", contract("bills"))
    assert len(refusal.value.message_vi.splitlines()) == 1


def test_a_long_file_is_described_by_its_beginning_and_its_end(tmp_path: Path) -> None:
    rows = (f"HD{at},15655,{at},03/2024" for at in range(400_000))
    (tmp_path / "a.csv").write_text("Mã hóa đơn,Mã ĐVHC,Số tiền,Kỳ\n" + "\n".join(rows) + "\nTổng cộng,,79999800000,\n", "utf-8")
    found = drafted(tmp_path / "a.csv")
    assert found.totals is not None
    assert found.totals.sums == {"amount_vnd": "Số tiền"}
