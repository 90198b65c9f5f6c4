"""Dossiers as JSON say what the same dossiers say as CSV."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import contract
from tasks.read.file import Chunk, Rejected, read

RECORD = {
    "MaHoSo": "H56.38.14-240315-0001",
    "MaTTHC": "2.000815",
    "MucDo": 3,
    "KenhThucHien": "2",
    "ChuHoSo": "Bí Mật",
    "SoGiayToChuHoSo": "999000000826",
    "NgayTiepNhan": "20240315093000",
    "NgayTuChoi": None,
    "TrangThaiHoSo": 10,
    "DanhSachLePhi": [{"MaPhiLePhi": "A", "Gia": 4000}, {"MaPhiLePhi": "B", "Gia": "8000"}],
    "TaiLieuNop": [{"DuocSoHoa": 0, "DuocTaiSuDung": 0}, {"DuocSoHoa": 1, "DuocTaiSuDung": 1}],
    "DanhSachHoSoBoSung": [{"NgayBoSung": "20240316080000"}, {"NgayBoSung": "20240318080000"}],
    "DanhSachGiayToKetQua": [{"MaKetQua": "K", "DuongDanTepTinKetQua": "https://cổng.example/k.pdf"}],
}


def answer(*records: dict[str, Any], error_code: str = "0") -> dict[str, Any]:
    return {"error_code": error_code, "message": "", "page": 1, "pages": 1, "result": list(records)}


def dossiers(folder: Path, content: Any) -> list[Chunk]:
    path = folder / "landed"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return list(read(path, contract("dossiers"), "dvcqg_json", b"key", "td.json"))


def test_the_lists_of_a_dossier_are_reduced_to_columns(tmp_path: Path) -> None:
    [row] = dossiers(tmp_path, answer(RECORD))[0].table.to_pylist()
    assert row["fee_vnd"] == 12000
    assert (row["is_digitised"], row["reuse_code"], row["has_electronic_result"]) == (True, 1, True)
    assert (row["supplement_count"], row["supplement_requested_at"]) == (2, datetime(2024, 3, 18, 8))
    assert (row["status_code"], row["service_level"], row["refused_at"]) == ("10", 3, None)
    assert "Bí Mật" not in str(row)


def test_empty_lists_are_nothing_paid_nothing_asked_and_left_out_lists_are_not_known(tmp_path: Path) -> None:
    lists = {"DanhSachLePhi": [], "DanhSachHoSoBoSung": []}
    plain = {"MaHoSo": "H56.38.14-240315-0002", "TrangThaiHoSo": "2"}
    [row, other] = dossiers(tmp_path, answer(plain | lists, plain))[0].table.to_pylist()
    assert (row["fee_vnd"], row["supplement_count"]) == (0, 0)
    assert (other["fee_vnd"], other["supplement_count"]) == (None, None)


def test_several_pages_are_one_file(tmp_path: Path) -> None:
    found = dossiers(tmp_path, [answer(RECORD), answer(RECORD | {"MaHoSo": "H56.38.14-240315-0002"})])
    assert found[0].table["row_number"].to_pylist() == [1, 2]


def test_a_fee_that_is_no_number_sets_its_dossier_aside(tmp_path: Path) -> None:
    found = dossiers(tmp_path, answer(RECORD | {"DanhSachLePhi": [{"Gia": "4.000"}]}, RECORD))
    assert found[0].faults.select(["row_number", "rule_code", "column_name"]).to_pylist() == [
        {"row_number": 1, "rule_code": "STR-010", "column_name": "TongPhiLePhi"}
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (answer(RECORD, error_code="-3"), "STR-007"),
        (answer(), "STR-004"),
        (json.dumps(answer(RECORD))[:-20], "STR-005"),
        ("MaHoSo,MaTTHC\n", "STR-007"),
        ({**answer(RECORD), "result": ["H56.38.14-240315-0001"]}, "STR-007"),
        (answer({**RECORD, "DanhSachLePhi": {"Gia": 4000}}), "STR-007"),
        (answer({**RECORD, "TaiLieuNop": 1}), "STR-007"),
        (answer({**RECORD, "TruongLa": 1}), "STR-002"),
        (answer({key: value for key, value in RECORD.items() if key != "MaHoSo"}), "STR-001"),
    ],
)
def test_each_broken_answer_has_its_own_verdict(tmp_path: Path, content: Any, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        dossiers(tmp_path, content)
    assert refused.value.rule_code == code
