"""Files as providers really write them: what their documentation and public code say becomes whole VND, one state, one moment."""

from __future__ import annotations

import codecs
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from expectations.contract import contract
from tasks.read.file import Chunk, Rejected, read
from tasks.validate.checks import merged, validate

FIXTURES = Path(__file__).parents[1] / "fixtures" / "providers"
CSR = "aa02e5507e8ca45c674196f8b428afef"
PAYMENTS = contract("payments")


def chunks(path: Path, layout: str, feed: str = "payments", **how: Any) -> list[Chunk]:
    return list(read(path, contract(feed), layout, b"key", path.name, **how))


def rows(found: list[Chunk]) -> list[dict[str, Any]]:
    return [row for chunk in found for row in chunk.table.to_pylist()]


def faults(found: list[Chunk]) -> list[tuple[int, str, str]]:
    return [(row["row_number"], row["rule_code"], row["column_name"]) for chunk in found for row in chunk.faults.to_pylist()]


def told(found: list[Chunk], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows(found)]


# VNPAY ---------------------------------------------------------------------------------------------------------------------


def test_vnpay_writes_hundredths_of_a_dong_and_numbers_what_was_never_paid_by_its_order() -> None:
    found = chunks(FIXTURES / "vnpay.csv", "vnpay_csv")
    assert told(found, "transaction_code", "merchant_code", "amount_vnd", "method_code", "status_code", "paid_at") == [
        ("12996460", "2QXUI4J4", 10_000, "THE", "settled", datetime(2017, 8, 29, 15, 30, 52)),
        ("14395816", "4OAZQBHM", 15_000, "THE", "settled", datetime(2024, 4, 29, 15, 28, 5)),
        ("15683165", "AUA01234", 25_000, "QR", "settled", datetime(2026, 9, 20, 13, 5, 57)),
        ("AUA01234/20260920125606777444", "AUA01234", 70_000, "QR", "cancelled", datetime(2026, 9, 20, 13, 10, 1)),
        ("15683999", "AUA01234", 10_000, "QR", "refunded", datetime(2026, 9, 21, 8)),
    ]
    assert [row["is_refund"] for row in rows(found)] == [False, False, False, False, True]
    assert rows(found)[2]["order_code"] == rows(found)[4]["order_code"] == "AUA01234/20260920125606777443"
    assert "Thanh toan" not in str(rows(found))  # what a shop writes often names a person


VNPAY = "vnp_TxnRef,vnp_TransactionNo,vnp_TmnCode,vnp_Amount,vnp_BankCode,vnp_CardType,vnp_PayDate,vnp_ResponseCode,vnp_TransactionStatus"


@pytest.mark.parametrize(
    ("response", "status", "state"),
    [
        ("00", "00", "settled"),
        ("07", "00", "suspect"),
        ("00", "01", "pending"),
        ("24", "02", "cancelled"),
        ("51", "02", "failed"),
        ("00", "04", "cancelled"),
        ("00", "05", "refunded"),
        ("00", "06", "refunded"),
        ("07", "07", "suspect"),
        ("00", "09", "settled"),
    ],
)
def test_states_are_those_of_vnpays_table(tmp_path: Path, response: str, status: str, state: str) -> None:
    path = tmp_path / "vnpay.csv"
    path.write_text(f"{VNPAY}\n1,14395816,2QXUI4J4,1500000,NCB,ATM,20240429152805,{response},{status}\n")
    assert told(chunks(path, "vnpay_csv"), "status_code") == [(state,)]


@pytest.mark.parametrize(
    ("amount", "response", "status", "column"),
    [
        ("1500050", "00", "00", "vnp_Amount"),
        ("15000.0", "00", "00", "vnp_Amount"),
        ("1500000", "00", "03", "vnp_TransactionStatus"),
        ("1500000", "51", "00", "vnp_TransactionStatus"),
        ("1500000", "0", "0", "vnp_TransactionStatus"),
    ],
)
def test_a_fraction_of_a_dong_and_codes_that_nobody_agreed_on_are_set_aside(
    tmp_path: Path, amount: str, response: str, status: str, column: str
) -> None:
    path = tmp_path / "vnpay.csv"
    path.write_text(f"{VNPAY}\n1,14395816,2QXUI4J4,{amount},NCB,ATM,20240429152805,{response},{status}\n")
    found = chunks(path, "vnpay_csv")
    assert (rows(found), faults(found)) == ([], [(2, "STR-010", column)])


# MoMo ----------------------------------------------------------------------------------------------------------------------


def test_momo_counts_milliseconds_and_says_what_was_given_back() -> None:
    found = chunks(FIXTURES / "momo.jsonl", "momo_jsonl")
    names = ("transaction_code", "merchant_code", "amount_vnd", "refunded_vnd", "method_code", "status_code", "paid_at")
    assert told(found, *names) == [
        ("2820086739", "MOMO", 350_000, None, "QR", "settled", datetime(2022, 12, 29, 19, 10, 43)),
        ("2820086740", "MomoTestStore", 120_000, None, "VI", "pending", datetime(2022, 12, 29, 19, 11, 40)),
        ("MOMO/OD1672315832111", "MomoTestStore", 50_000, None, None, "failed", datetime(2022, 12, 29, 19, 13, 20)),
        # A millisecond before seven in the morning of the 30th in Vietnam; of its refunds the refused one gave nothing back.
        ("2820086742", "MomoTestStore", 200_000, 50_000, "QR", "settled", datetime(2022, 12, 30, 6, 59, 59)),
    ]


MOMO = {
    "partnerCode": "MOMO", "storeId": "S1", "orderId": "OD1", "requestId": "RE1", "amount": 350000, "transId": 2820086739,
    "payType": "qr", "resultCode": 0, "message": "Successful.", "responseTime": 1672315843986,
}  # fmt: skip


def momo(path: Path, *lines: dict[str, Any] | str) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return path


def test_lines_that_are_no_object_are_set_aside_and_the_others_go_on(tmp_path: Path) -> None:
    found = chunks(momo(tmp_path / "m", MOMO, "không phải JSON", "", "[1]", MOMO | {"transId": 77, "amount": "1000"}), "momo_jsonl")
    assert told(found, "row_number", "transaction_code", "amount_vnd") == [(1, "2820086739", 350_000), (5, "77", 1_000)]
    assert [(number, code) for number, code, _ in faults(found)] == [(2, "STR-012"), (4, "STR-012")]


def test_a_file_that_ends_within_a_line_is_refused_with_the_line(tmp_path: Path) -> None:
    path = momo(tmp_path / "m", MOMO)
    path.write_text(path.read_text() + json.dumps(MOMO)[:40])
    with pytest.raises(Rejected, match=r"STR-005: .* Dòng 2 dừng giữa chừng"):
        chunks(path, "momo_jsonl")


@pytest.mark.parametrize(
    ("line", "refusal"),
    [(MOMO | {"soDienThoai": "x"}, 'STR-002: .*"soDienThoai"'), ({k: v for k, v in MOMO.items() if k != "amount"}, "STR-001: .*amount")],
)
def test_a_field_that_is_unknown_or_missing_is_named(tmp_path: Path, line: dict[str, Any], refusal: str) -> None:
    with pytest.raises(Rejected, match=refusal):
        chunks(momo(tmp_path / "m", line), "momo_jsonl")


def test_fields_that_may_not_be_quoted_are_told_by_their_place_in_the_line(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"STR-002: .* cột thứ 11 từ trái sang, thứ 12 từ trái sang không có"):
        chunks(momo(tmp_path / "m", MOMO | {"số điện thoại": "x", "số giấy tờ": "y"}), "momo_jsonl")


def test_an_amount_with_a_fraction_is_set_aside(tmp_path: Path) -> None:
    found = chunks(momo(tmp_path / "m", MOMO | {"amount": 350000.5}, MOMO | {"transId": 78}), "momo_jsonl")
    assert (told(found, "transaction_code"), faults(found)) == ([("78",)], [(1, "STR-010", "amount")])


cell = st.one_of(st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.text(st.characters(codec="utf-8"), max_size=6), st.floats(0, 9))


refund = st.fixed_dictionaries({"amount": st.integers(0, 9) | cell}, optional={"resultCode": st.sampled_from([0, "0", 1080, None])})
names = {"storeId": cell, "orderId": cell, "transId": cell, "amount": cell}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries(names, optional={"refundTrans": st.none() | st.lists(refund, max_size=2)}), min_size=1, max_size=6))
@example([dict.fromkeys(("storeId", "orderId", "amount")) | {"transId": written} for written in ("\x80", "0\x1f0")])
def test_a_line_reads_alike_alone_and_among_others(tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, Any]]) -> None:
    """Whole blocks are parsed at once where their types agree, and line by line where they do not: nobody can tell."""
    folder = tmp_path_factory.mktemp("lines")
    lines = [MOMO | change for change in changes]
    together = chunks(momo(folder / "together", *lines), "momo_jsonl")
    alone = [chunks(momo(folder / "alone", line), "momo_jsonl") for line in lines]
    assert [row | {"row_number": 1} for row in rows(together)] == [row for found in alone for row in rows(found)]
    assert [fault[1:] for fault in faults(together)] == [fault[1:] for found in alone for fault in faults(found)]


# NAPAS ---------------------------------------------------------------------------------------------------------------------


def napas(path: Path, told_on: str, *records: dict[str, str], count: int | None = None, ends: bool = True) -> Path:
    usual = {"MTI": "0210", "F2": "9704030000000000", "F3": "910000", "F4": "000010000000", "F49": "704", "F11": "304956", "F12": "103105",
             "F13": "0428", "F37": "745811065932", "F38": "747210", "TRN": "5118IBT1aQGDB517", "RRC": "0000", "RSV1": "SHOP01", "RSV2": " ",
             "RSV3": " ", "CSR": CSR}  # fmt: skip
    lines = [f"HR[REV]  971003[DATE]{told_on}"]
    for number, record in enumerate(records):
        fields = usual | {"F37": f"{number:012}"} | record
        lines.append("DR" + "".join(f"[{tag}]{value}" for tag, value in fields.items()))
    if ends:
        lines.append(f"TR[NOT]{len(records) if count is None else count:09}[CRE]{'hoind':>20}[TIME]041507[DATE]{told_on}[CSF]{CSR}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_napas_implies_two_decimals_and_says_who_has_a_transaction() -> None:
    found = chunks(FIXTURES / "napas.dat", "napas_dat")
    assert told(found, "transaction_code", "merchant_code", "amount_vnd", "currency_code", "method_code", "status_code", "paid_at") == [
        ("745811065932", None, 100_000, "VND", "CHUYEN_KHOAN", "settled", datetime(2025, 4, 28, 10, 31, 5)),
        ("000004644756", "000000100080731", 400_000, "VND", "THE", "suspect", datetime(2025, 4, 27, 14, 25, 50)),
    ]
    assert "9704" not in str(rows(found))  # numbers of accounts and cards stay in the file


@pytest.mark.parametrize(
    ("told_on", "day", "meant"),
    [
        ("01012026", "1231", datetime(2025, 12, 31, 10, 31, 5)),
        ("31122025", "0101", datetime(2026, 1, 1, 10, 31, 5)),
        ("01012026", "0101", datetime(2026, 1, 1, 10, 31, 5)),
        ("15032026", "0228", datetime(2026, 2, 28, 10, 31, 5)),
        ("01032024", "0229", datetime(2024, 2, 29, 10, 31, 5)),
        ("10012026", "0815", datetime(2025, 8, 15, 10, 31, 5)),
    ],
)
def test_a_day_without_year_is_of_the_year_in_which_it_lies_nearest_to_the_files(
    tmp_path: Path, told_on: str, day: str, meant: datetime
) -> None:
    assert told(chunks(napas(tmp_path / "n.dat", told_on, {"F13": day}), "napas_dat"), "paid_at") == [(meant,)]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"F4": "000010000050"}, "F4"),
        ({"F4": "10.000"}, "F4"),
        ({"F13": "0229"}, "F13"),
        ({"F13": "13"}, "F13"),
        ({"RRC": "9999"}, "RRC"),
        ({"RRC": "0"}, "RRC"),
    ],
)
def test_what_a_record_cannot_mean_is_set_aside_under_its_tag(tmp_path: Path, change: dict[str, str], column: str) -> None:
    found = chunks(napas(tmp_path / "n.dat", "01032025", change, {}), "napas_dat")
    assert [(number, code, name) for number, code, name in faults(found)] == [(2, "STR-010", column)]
    assert len(rows(found)) == 1


def test_another_currency_is_set_aside_by_its_rule(tmp_path: Path) -> None:
    found = chunks(napas(tmp_path / "n.dat", "28042025", {"F49": "840"}, {}, {}, {}, {}), "napas_dat")
    checked = list(validate(found, PAYMENTS, "napas_dat", "n.dat"))
    assert [(f["row_number"], f["rule_code"], f["column_name"]) for part in checked for f in part.faults.to_pylist()] == [
        (2, "PAY-010", "F49")
    ]


def test_a_reversal_takes_back_the_transaction_of_its_number(tmp_path: Path) -> None:
    found = chunks(napas(tmp_path / "n.dat", "28042025", {"MTI": "0420", "F37": "745811065932"}), "napas_dat")
    assert told(found, "transaction_code", "status_code") == [("745811065932", "cancelled")]


@pytest.mark.parametrize("at_once", [True, False], ids=["in one chunk", "in two"])
@pytest.mark.parametrize("reversal_is", [0, 1], ids=["first", "last"])
def test_a_reversal_beside_its_transaction_speaks_for_it(tmp_path: Path, reversal_is: int, at_once: bool) -> None:
    paid, taken_back = {"F37": "745811065932"}, {"F37": "745811065932", "MTI": "0420"}
    records = [taken_back, paid] if reversal_is == 0 else [paid, taken_back]
    found = chunks(napas(tmp_path / "n.dat", "28042025", *records), "napas_dat", **({} if at_once else {"chunk_rows": 1}))
    checked = list(validate(found, PAYMENTS, "napas_dat", "n.dat"))
    said = [row["status_code"] for part in checked for row in part.table.to_pylist()]
    assert said[-1] == "cancelled"
    assert len(said) + sum(part.ignored for part in checked) == 2
    assert sum(part.faults.num_rows for part in checked) == 0


@pytest.mark.parametrize("codes", [(9000, 0), (0, 9000)], ids=["authorised first", "authorised last"])
def test_of_an_answer_that_waits_and_one_that_is_final_the_final_one_holds(tmp_path: Path, codes: tuple[int, int]) -> None:
    path = momo(tmp_path / "m", *(MOMO | {"resultCode": code} for code in codes))
    (part, _) = validate(chunks(path, "momo_jsonl"), PAYMENTS, "momo_jsonl", "m")
    assert ([row["status_code"] for row in part.table.to_pylist()], part.ignored) == (["settled"], 1)


def test_a_record_cut_in_two_and_a_line_of_nothing_known_are_set_aside(tmp_path: Path) -> None:
    path = napas(tmp_path / "n.dat", "28042025", {}, {}, {})
    lines = path.read_text().splitlines()
    lines[2] = lines[2][:90]
    path.write_text("\r\n".join([*lines[:3], "dòng lạ", *lines[3:]]) + "\r\n")
    found = chunks(path, "napas_dat")
    assert told(found, "row_number") == [(2,), (5,)]
    assert [(number, code) for number, code, _ in faults(found)] == [(3, "STR-012"), (4, "STR-012")]


def test_a_file_without_its_trailer_is_refused_with_what_came(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"STR-005: .*Không có dòng kết thúc TR; nhận được 2 dòng giao dịch"):
        chunks(napas(tmp_path / "n.dat", "28042025", {}, {}, ends=False), "napas_dat")


def test_a_file_with_fewer_records_than_its_trailer_counts_is_refused_with_both(tmp_path: Path) -> None:
    found = chunks(napas(tmp_path / "n.dat", "28042025", {}, {}, count=3), "napas_dat")
    with pytest.raises(Rejected, match=r'STR-008: .*"NOT" \(dòng tổng cộng ghi 3, các dòng chi tiết cộng được 2\)'):
        list(validate(found, PAYMENTS, "napas_dat", "n.dat"))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("DR[MTI]0210\n", "STR-009"),
        ("HR[REV] 971003[DATE]31022025\n", "STR-009"),
        ("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", "STR-030"),
        ('{"a": 1}\n', "STR-007"),
        (f"HR[REV]  971003[DATE]28042025\nTR[NOT]000000000[CRE] [CSF]{CSR}\n", "STR-004"),
        (f"HR[REV]  971003[DATE]28042025\nDR[MTI]0210[LA]1[CSR]{CSR}\nTR[NOT]000000001[CSF]{CSR}\n", "STR-009"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_reason(tmp_path: Path, content: str, rule: str) -> None:
    path = tmp_path / "n.dat"
    path.write_text(content)
    with pytest.raises(Rejected, match=rule):
        chunks(path, "napas_dat")


def test_a_line_that_is_no_record_is_set_aside_and_is_none_of_those_that_the_trailer_counts(tmp_path: Path) -> None:
    path = napas(tmp_path / "n.dat", "28042025", *[{}] * 5)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], "dòng lạ", *lines[3:]]) + "\n")
    checked = list(validate(chunks(path, "napas_dat"), PAYMENTS, "napas_dat", "n.dat"))
    assert sum(part.table.num_rows for part in checked) == 5
    assert [(f["row_number"], f["rule_code"]) for part in checked for f in part.faults.to_pylist()] == [(4, "STR-012")]


@pytest.mark.parametrize("layout", ["napas_dat", "momo_jsonl"])
def test_a_byte_order_mark_changes_nothing(tmp_path: Path, layout: str) -> None:
    path = napas(tmp_path / "plain", "28042025", {}) if layout == "napas_dat" else momo(tmp_path / "plain", MOMO)
    marked = tmp_path / "marked"
    marked.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    assert rows(chunks(marked, layout)) == rows(chunks(path, layout))


@pytest.mark.parametrize("layout", ["napas_dat", "momo_jsonl"])
def test_a_letter_of_another_encoding_refuses_the_file(tmp_path: Path, layout: str) -> None:
    path = napas(tmp_path / "f", "28042025", {"F41": "QUAN"}) if layout == "napas_dat" else momo(tmp_path / "f", MOMO | {"storeId": "QUAN"})
    path.write_bytes(path.read_bytes().replace(b"QUAN", "QUÁN".encode("cp1258")))
    with pytest.raises(Rejected, match="STR-006"):
        chunks(path, layout)


@pytest.mark.parametrize("layout", ["napas_dat", "momo_jsonl"])
def test_a_workbook_in_its_place_is_told_as_what_it_is(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"PK\x03\x04\xff\xfe\n")
    with pytest.raises(Rejected, match=r"STR-007: .*tệp Excel \.xlsx"):
        chunks(path, layout)


@pytest.mark.parametrize("layout", ["napas_dat", "momo_jsonl"])
def test_files_of_line_breaks_alone_are_empty_and_utf_16_is_no_letters_agreed_on(tmp_path: Path, layout: str) -> None:
    for content, rule in ((b"\r\n\n", "STR-003"), ('{"HR": "[DATE]28042025"}\n'.encode("utf-16"), "STR-006")):
        path = tmp_path / "f"
        path.write_bytes(content)
        with pytest.raises(Rejected, match=rule):
            chunks(path, layout)


def test_blocks_of_a_large_file_are_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.read.lines.BLOCK", 500)
    found = chunks(napas(tmp_path / "n.dat", "28042025", *[{}] * 40), "napas_dat")
    assert told(found, "row_number") == [(number,) for number in range(2, 42)]
    assert [(chunk.received, chunk.controls) for chunk in found] == [(40, {"rows": 40})]
    found = chunks(momo(tmp_path / "m", *[MOMO | {"transId": 100 + number} for number in range(1, 41)]), "momo_jsonl")
    assert told(found, "row_number", "transaction_code") == [(number, str(100 + number)) for number in range(1, 41)]


def test_what_was_read_before_a_file_breaks_off_is_told_before_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.read.lines.BLOCK", 500)
    path = napas(tmp_path / "n.dat", "28042025", {"RRC": "9999"}, *[{}] * 40, ends=False)
    found: list[Chunk] = []
    with pytest.raises(Rejected, match="STR-005"):
        found.extend(read(path, PAYMENTS, "napas_dat", b"key", path.name, chunk_rows=10))
    assert faults(found) == [(2, "STR-010", "RRC")]
    assert sum(chunk.received for chunk in found) == 41


# Collectors, the national platform, EVN ------------------------------------------------------------------------------------


def test_the_collectors_own_table_of_payments_is_read(tmp_path: Path) -> None:
    found = chunks(FIXTURES / "ecpay.csv", "ecpay_csv")
    assert told(found, "transaction_code", "bill_code", "amount_vnd", "method_code", "status_code") == [
        ("GD0001", "HD0001", 152_340, "VI", "settled"),
        ("GD0002", "HD0002", 98_000, "TIEN_MAT", "cancelled"),
        ("GD0004", "HD0004", 77_000, "QR", "suspect"),
    ]
    assert faults(found) == [(4, "STR-010", "SO_TIEN_TTOAN")]  # half a đồng


def test_messages_of_the_national_payment_platform_are_read() -> None:
    found = chunks(FIXTURES / "dvcqg.csv", "dvcqg_payment_csv")
    assert told(found, "transaction_code", "dossier_code", "amount_vnd", "currency_code", "status_code") == [
        ("DVC0001", "H56.38.14-240315-0001", 20_000, "VND", "settled"),
        ("DVC0002", "H56.38.14-240315-0002", 20_000, "VND", "pending"),
        ("DVC0003", "H56.38.14-240315-0003", 20, "USD", "settled"),  # the rule on currencies sets it aside
        ("DVC0004", "H56.38.14-240315-0004", 20_000, "VND", "refunded"),
    ]
    assert "Người Mẫu" not in str(rows(found))


def test_bills_with_what_evns_interface_says_beside_are_read() -> None:
    [bill] = rows(chunks(FIXTURES / "evn.csv", "evn_csv", "bills"))
    assert (bill["bill_code"], bill["net_vnd"], bill["tax_vnd"], bill["amount_vnd"]) == ("2650111222", 141_056, 11_284, 152_340)


# Clocks of twelve hours ----------------------------------------------------------------------------------------------------


def clock(hours: list[int]) -> bool:
    """Whether a delivery with payments at these hours is flagged."""
    paid = [
        {
            "row_number": n,
            "transaction_code": f"GD{n:04}",
            "status_code": "settled",
            "amount_vnd": 1000,
            "paid_at": datetime(2024, 3, 15, hour),
        }
        for n, hour in enumerate(hours, 1)
    ]
    table = pa.Table.from_pylist(paid, schema=PAYMENTS.schema)
    empty = chunks(FIXTURES / "dvcqg.csv", "dvcqg_payment_csv")[0].faults.slice(0, 0)
    parts = list(validate([Chunk(table, empty, 0, len(paid))], PAYMENTS, "dvcqg_payment_csv", "t.csv"))
    [result] = [result for result in merged(result for part in parts for result in part.results) if result.rule_code == "PAY-012"]
    return not result.success


def test_times_of_a_clock_of_twelve_hours_are_flagged_and_not_guessed() -> None:
    # 8, 9, 10, 11 in the morning, 1, 2, 3, 4 in the afternoon, as yyyyMMddhhmmss writes them
    assert clock([8, 9, 10, 11, 1, 2, 3, 4])


@pytest.mark.parametrize(
    "hours",
    [[8, 9, 10, 11, 13, 14, 15, 16], [7, 8, 8, 9, 9, 10, 11, 11], [0, 1, 2, 3, 8, 9, 10, 11], [8, 9, 10, 1]],
    ids=["a day", "a morning", "with midnight", "too few to say"],
)
def test_times_that_can_be_right_are_not_flagged(hours: list[int]) -> None:
    assert not clock(hours)
