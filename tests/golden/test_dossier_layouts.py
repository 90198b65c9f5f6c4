"""The same dossiers, written down in every layout and variant of it, are the same facts."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from expectations.contract import contract
from tasks.deliveries.ledger import Outcome
from tasks.load.deliver import load
from tasks.read.file import read
from tasks.validate.checks import validate
from tests.warehouse.deliveries import deliver, land

KEY = b"key of the test"
HEADERS = list(contract("dossiers").layouts["dvcqg_csv"].headers)
LABELS = {code: words for words, code in contract("dossiers").layouts["td_html_xls"].values["status_code"].items()}
Record = dict[str, str]

PROCEDURES = {
    "2.000815": 'Chứng thực bản sao từ bản chính, giấy tờ ("sao y")',
    "1.001193": "Đăng ký khai sinh",
    "1.004616": "Cấp giấy phép hóa chất",
}
AGENCIES = [
    ("H56.38.14", "UBND xã Ngọc Phụng", "15655", date(2000, 1, 1), date(2025, 6, 30)),
    ("H56.38.11", "UBND thị trấn Thường Xuân", "15646", date(2000, 1, 1), date(2025, 6, 30)),
    ("H56.38.11", "UBND xã Thường Xuân", "15646", date(2025, 7, 1), None),
    ("000.17.22.H56", "UBND huyện Thường Xuân", "396", date(2000, 1, 1), date(2025, 6, 30)),
]


def dossier(code: str, procedure: str, agency: str, named: str, status: str, *days: str, **others: str) -> Record:
    submitted, received, due, finished = days
    record = {
        "MaHoSo": code, "MaTTHC": procedure, "TenTTHC": PROCEDURES[procedure[:8]], "MaLinhVuc": "LV", "TenLinhVuc": "Lĩnh vực",
        "MaDonViXuLy": agency, "DonViXuLy": named, "TrangThaiHoSo": status, "SoGiayToChuHoSo": "999000000826", "ChuHoSo": "Bí Mật",
        "NgayNopHoSo": submitted, "NgayTiepNhan": received, "NgayHenTra": due, "NgayKetThucXuLy": finished,
        "MucDo": "4", "KenhThucHien": "2", "LoaiDoiTuong": "1", "SoLanBoSung": "0", "HoSoCoThanhPhanSoHoa": "0", "DuocTaiSuDung": "0",
        "CoKetQuaDienTu": "0", "TaiKhoanDuocXacThucVoiVNeID": "1", "TongPhiLePhi": "0", "NgayCapNhat": received,
    }  # fmt: skip
    return {**dict.fromkeys(HEADERS, ""), **record, **others}


DOSSIERS = [
    dossier(
        "H56.38.14-240315-0001", "2.000815", "H56.38.14", "UBND xã Ngọc Phụng", "10",
        "20240315080000", "20240315093000", "20240318170000", "20240318100000",
        TongPhiLePhi="12000", DuocThanhToanTrucTuyen="1", NgayTra="20240318110000", HoSoCoThanhPhanSoHoa="1", DuocTaiSuDung="2",
        CoKetQuaDienTu="1",
        TrichYeuHoSo='Đơn "khẩn";\nhai dòng, có phẩy',
    ),
    dossier(
        "H56.38.14-240315-000123", "1.004616.000.00.00.H56", "H56.38.14", "Ủy ban nhân dân  xã NGỌC PHỤNG", "5",
        "", "20240315100000", "", "", SoLanBoSung="2", NgayYeuCauBoSung="20240318080000", KenhThucHien="", DuocThanhToanTrucTuyen="",
    ),
    dossier(
        "000.17.22.H56-240314-0361", "1.001193", "000.17.22.H56", "Uỷ ban nhân dân H. Thường Xuân", "4",
        "20240314080000", "20240314080000", "20240330170000", "", TrichYeuHoSo="",
    ),
    dossier(
        "H56.38.11-240314-0002", "1.001193", "H56.38.11", "UBND TT. Thường Xuân", "7",
        "20240314080000", "20240314080000", "20240330170000", "20240316080000", SoGiayToChuHoSo="000000001", KenhThucHien="1",
    ),
    dossier(
        "H56.38.11-250701-0001", "1.001193", "H56.38.11", "UBND xã Thường Xuân", "2",
        "20250701070000", "20250701080000", "20250710170000", "",
    ),
]  # fmt: skip


def dvcqg_csv(*, bom: bool = False, delimiter: str = ",", newline: str = "\n", headers: list[str] | None = None) -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, headers or HEADERS, delimiter=delimiter, lineterminator=newline)
    writer.writeheader()
    writer.writerows(DOSSIERS)
    return sink.getvalue().encode("utf-8-sig" if bom else "utf-8")


def dvcqg_json() -> bytes:
    """Two pages as landed, the derived columns as the lists they are made from."""

    def nested(record: Record) -> dict[str, Any]:
        lists = {
            "DanhSachLePhi": [{"MaPhiLePhi": "A", "Gia": int(record["TongPhiLePhi"]) - 1000}, {"MaPhiLePhi": "B", "Gia": "1000"}]
            if record["TongPhiLePhi"] != "0"
            else [],
            "TaiLieuNop": [
                {"DuocSoHoa": 0, "DuocTaiSuDung": 0, "DuocLayTuKhoDMQG": 0},
                {"DuocSoHoa": int(record["HoSoCoThanhPhanSoHoa"]), "DuocTaiSuDung": int(record["DuocTaiSuDung"]), "DuocLayTuKhoDMQG": 0},
            ],
            "DanhSachHoSoBoSung": [{"NgayBoSung": record["NgayYeuCauBoSung"]}] * int(record["SoLanBoSung"]),
            "DanhSachGiayToKetQua": [{"MaKetQua": "K", "DuongDanTepTinKetQua": "kq.pdf" if record["CoKetQuaDienTu"] == "1" else ""}],
        }
        derived = {"TongPhiLePhi", "HoSoCoThanhPhanSoHoa", "DuocTaiSuDung", "SoLanBoSung", "NgayYeuCauBoSung", "CoKetQuaDienTu"}
        return {name: value or None for name, value in record.items() if name not in derived} | lists

    pages = [DOSSIERS[:3], DOSSIERS[3:]]
    answers = [
        {"error_code": "0", "message": "", "page": n, "pages": 2, "result": list(map(nested, part))} for n, part in enumerate(pages, 1)
    ]
    return b"[" + b",\n".join(json.dumps(answer, ensure_ascii=False).encode() for answer in answers) + b"]\n"


def td_html_xls() -> bytes:
    headers = list(contract("dossiers").layouts["td_html_xls"].headers)

    def moment(digits: str) -> str:
        return f"{digits[6:8]}/{digits[4:6]}/{digits[:4]} {digits[8:10]}:{digits[10:12]}:{digits[12:]}" if digits else "&nbsp;"

    def cells(number: int, record: Record) -> list[str]:
        named = [
            record["DonViXuLy"],
            record["TenTTHC"],
            record["MaHoSo"],
            LABELS[record["TrangThaiHoSo"]],
            "Bí Mật",
            "Bí Mật",
            record["ChuHoSo"],
        ]
        days = ["NgayNopHoSo", "NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy"]
        return [str(number), *map(html.escape, named), *(moment(record[day]) for day in days)]

    def row(tag: str, values: list[str]) -> str:
        return "<tr>" + "".join(f'<{tag} style="mso-number-format:\\@">{value}</{tag}>' for value in values) + "</tr>\n"

    titles = "".join(
        f'<tr><td colspan="12"><b>{title}</b></td></tr>' for title in ("DANH SÁCH HỒ SƠ", "(Từ ngày 14/03/2024 đến ngày 01/07/2025)")
    )
    body = "".join(row("td", cells(number, record)) for number, record in enumerate(DOSSIERS, 1))
    table = f'<table border="1">{titles}{row("th", headers)}{body}</table>'
    return f'<html><head><meta charset="utf-8"></head><body>{table}</body></html>'.encode()


CARRIED = (
    "dossier_code, procedure_code, agency_code, unit_code, u.valid_from, dossier_status_code, "
    "submitted_at, received_at, due_at, finished_at"
)
OTHERS = (
    "channel_code, f.service_level, applicant_type, applicant_hash, returned_at, refused_at, supplement_count, supplement_requested_at, "
    "is_digitised, reuse_code, has_electronic_result, is_vneid_verified, online_payment_code, fee_vnd, updated_at, deleted_at"
)


def facts(engine: Engine, columns: str) -> list[tuple[Any, ...]]:
    query = f"""
        SELECT {columns} FROM warehouse.fact_dossier f
        JOIN warehouse.dim_procedure USING (procedure_key) JOIN warehouse.dim_agency a ON a.agency_key = f.agency_key
        JOIN warehouse.dim_unit u ON u.unit_key = f.unit_key JOIN warehouse.dim_channel USING (channel_key)
        JOIN warehouse.dim_dossier_status USING (dossier_status_key) WHERE known_to = 'infinity' ORDER BY dossier_code
    """
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def lists(engine: Engine) -> Engine:
    """A warehouse that knows the agencies and procedures."""
    agencies = [dict(zip(("agency_code", "agency_name", "unit_code", "valid_from", "valid_to"), row, strict=True)) for row in AGENCIES]
    procedures = [{"procedure_code": code, "procedure_name": name, "valid_from": date(2000, 1, 1)} for code, name in PROCEDURES.items()]
    deliver(engine, land(engine, "agencies", "2024-01-01"), agencies)
    deliver(engine, land(engine, "procedures", "2024-01-01"), procedures)
    return engine


def ingest(engine: Engine, folder: Path, layout: str, content: bytes, day: str = "2025-07-02") -> Outcome:
    path = folder / f"{layout}_{len(list(folder.iterdir()))}"
    path.write_bytes(content)
    delivery = replace(land(engine, "dossiers", day), layout=layout, path=path, file_name=path.name)
    terms = contract("dossiers")
    chunks = read(path, terms, layout, KEY, path.name)
    return load(engine, delivery, terms, validate(chunks, terms, layout, path.name, exported_at=delivery.exported_at))


def clear(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE warehouse.fact_dossier"))


VARIANTS: dict[str, Callable[[], bytes]] = {
    "BOM": lambda: dvcqg_csv(bom=True),
    "semicolon": lambda: dvcqg_csv(delimiter=";"),
    "CRLF": lambda: dvcqg_csv(newline="\r\n"),
    "an empty column at the end": lambda: dvcqg_csv(headers=[*HEADERS, ""]),
    "all at once, columns in another order": lambda: dvcqg_csv(bom=True, delimiter=";", newline="\r\n", headers=HEADERS[::-1]),
}


def test_the_three_layouts_give_the_same_facts(lists: Engine, tmp_path: Path) -> None:
    assert ingest(lists, tmp_path, "dvcqg_csv", dvcqg_csv()).loaded == len(DOSSIERS)
    carried, others = facts(lists, CARRIED), facts(lists, f"{CARRIED}, {OTHERS}")
    # Worked out by hand from the lists above.
    assert [(row[0], row[1], row[2], row[3], row[4] >= date(2025, 7, 1)) for row in carried] == [
        ("000.17.22.H56-240314-0361", "1.001193", "000.17.22.H56", "396", False),
        ("H56.38.11-240314-0002", "1.001193", "H56.38.11", "15646", False),
        ("H56.38.11-250701-0001", "1.001193", "H56.38.11", "15646", True),
        ("H56.38.14-240315-0001", "2.000815", "H56.38.14", "15655", False),
        ("H56.38.14-240315-000123", "1.004616", "H56.38.14", "15655", False),
    ]
    clear(lists)
    ingest(lists, tmp_path, "dvcqg_json", dvcqg_json())
    assert facts(lists, f"{CARRIED}, {OTHERS}") == others
    clear(lists)
    ingest(lists, tmp_path, "td_html_xls", td_html_xls())
    assert facts(lists, CARRIED) == carried


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_of_the_csv_says_nothing_new(lists: Engine, tmp_path: Path, variant: str) -> None:
    ingest(lists, tmp_path, "dvcqg_csv", dvcqg_csv())
    again = ingest(lists, tmp_path, "dvcqg_csv", VARIANTS[variant](), "2025-07-03")
    assert (again.received, again.unchanged) == (len(DOSSIERS), len(DOSSIERS))


def test_the_endpoint_says_nothing_new_after_the_file(lists: Engine, tmp_path: Path) -> None:
    ingest(lists, tmp_path, "dvcqg_csv", dvcqg_csv())
    again = ingest(lists, tmp_path, "dvcqg_json", dvcqg_json(), "2025-07-03")
    assert (again.loaded, again.unchanged) == (0, len(DOSSIERS))


def test_a_name_of_no_or_of_two_members_is_unknown_and_counted(lists: Engine, tmp_path: Path) -> None:
    twins = [
        {"procedure_code": code, "procedure_name": "Đăng ký khai sinh", "valid_from": date(2024, 1, 1)} for code in ("1.001193", "2.000528")
    ]
    deliver(lists, land(lists, "procedures", "2024-02-01"), twins)
    page = td_html_xls().replace("UBND TT. Thường Xuân".encode(), "UBND xã Không Có".encode())
    outcome = ingest(lists, tmp_path, "td_html_xls", page)
    assert (outcome.loaded, outcome.verdict) == (len(DOSSIERS), "accept_with_flags")
    found = {row[0]: row[1:] for row in facts(lists, "dossier_code, procedure_code, agency_code, unit_code")}
    assert found["H56.38.11-240314-0002"] == ("0", "0", "0")
    assert found["H56.38.11-250701-0001"] == ("0", "H56.38.11", "15646")
    with lists.connect() as connection:
        counted = connection.execute(
            text(
                "SELECT rule_code, unexpected_count FROM ops.verdict "
                "WHERE rule_code IN ('DOS-016', 'DOS-017', 'DOS-024', 'DOS-025') ORDER BY 1"
            )
        )
        # Three children's births share a name with another procedure; two more names are on the list no longer.
        assert [tuple(row) for row in counted] == [("DOS-016", 0), ("DOS-017", 0), ("DOS-024", 5), ("DOS-025", 1)]


def test_a_dossier_twice_in_one_file_stands_as_first_told_and_the_other_is_set_aside(lists: Engine, tmp_path: Path) -> None:
    lines = dvcqg_csv().decode()
    twice = lines + lines.splitlines()[-1].replace(",2,H56", ",4,H56") + "\n" + lines.splitlines()[-1] + "\n"
    outcome = ingest(lists, tmp_path, "dvcqg_csv", twice.encode())
    assert (outcome.loaded, outcome.quarantined, outcome.ignored) == (len(DOSSIERS), 1, 1)
    assert facts(lists, "dossier_code, dossier_status_code")[2] == ("H56.38.11-250701-0001", "2")
