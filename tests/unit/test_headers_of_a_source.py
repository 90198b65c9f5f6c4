"""What one sender calls differently: a label of its own for a column, wherever the layout names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.contract import Case, Totals, contract
from tasks.read.file import Rejected, read

BILLS = contract("bills").with_headers("evn_csv", {"Mã KH": "customer_hash", "Số HĐ": "bill_code", "Ghi chú": None})
OWN = (
    "MA_DVIQLY,Mã KH,TEN_KHANG,DCHI_KHANG,MA_DVHC,KY,THANG,NAM,Số HĐ,SO_TIEN,TIEN_GTGT,TONG_TIEN,DIEN_TTHU,LOAI_HDON,NGAY_PHANH,TINH_TRANG"
)
ROW = "PA07,PA07MAU0000001,Khách Mẫu,Số 1,14755,1,01,2024,D1,100,8,108,3,TD,01/01/2024,1"


def rows(path: Path, header: str, *lines: str) -> list[dict[str, object]]:
    path.write_text("\n".join([header, *lines, ""]), "utf-8")
    return [row for chunk in read(path, BILLS, "evn_csv", b"a key for tests, long enough", path.name) for row in chunk.table.to_pylist()]


def test_a_column_is_found_under_the_senders_label_and_one_left_out_may_be_there_or_not(tmp_path: Path) -> None:
    (one,) = rows(tmp_path / "a.csv", OWN, ROW)
    (other,) = rows(tmp_path / "a.csv", f"{OWN},Ghi chú", f"{ROW},anything")
    assert one == other
    assert one["bill_code"] == "D1"
    assert one["customer_hash"]


def test_messages_name_the_senders_label(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r'STR-001: .*"Mã KH"'):
        rows(tmp_path / "a.csv", OWN.replace("Mã KH", "MA_KHANG"), ROW)
    assert BILLS.header("evn_csv", "bill_code") == "Số HĐ"
    assert contract("bills").header("evn_csv", "bill_code") == "ID_HDON", "the contract of the others stays"


def test_the_label_stands_wherever_the_layout_names_the_column() -> None:
    bills = contract("bills")
    everywhere = {
        "optional": ["MA_KHANG"],
        "joined": {"bill_code": ["MA_KHANG", "KY"]},
        "cases": {"service_code": [Case(when={"MA_KHANG": [""]}, then="DIEN")]},
        "totals": Totals(label="Tổng", sums={"amount_vnd": "TONG_TIEN"}, count="MA_KHANG"),
    }
    bills = bills.model_copy(update={"layouts": {"evn_csv": bills.layouts["evn_csv"].model_copy(update=everywhere)}})
    own = bills.with_headers("evn_csv", {"Mã KH": "customer_hash", "Tiền": "amount_vnd"}).layouts["evn_csv"]
    assert own.optional == ["Mã KH"]
    assert own.joined == {"bill_code": ["Mã KH", "KY"]}
    assert own.cases["service_code"][0].when == {"Mã KH": [""]}
    assert own.totals == Totals(label="Tổng", sums={"amount_vnd": "Tiền"}, count="Mã KH")
