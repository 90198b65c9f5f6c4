"""A delivered file becomes typed rows, faults and ignored rows; no row is lost and no cell is quoted."""

from __future__ import annotations

import csv
import io
import json
import traceback
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from expectations.contract import Contract, contract
from tasks.read.file import FAULTS, Chunk, Rejected, read
from tasks.read.kinds import kind_of
from tasks.read.pseudonym import pseudonym

KEY = b"a key of the test"
Put = Callable[[str | bytes], Path]


def feed(**layout: Any) -> Contract:
    """A small contract with one layout."""
    return Contract.model_validate(
        {
            "feed": "bills",
            "title_vi": "Hóa đơn",
            "grain": "bill",
            "source": "test",
            "natural_key": ["code"],
            "table": "fact_try",
            "replaces": "nothing",
            "columns": {
                "code": {"type": "text", "required": True, "description": "Code", "pattern": r"^[A-Z]{2}\d{1,3}$"},
                "person": {"type": "hash", "description": "Person", "placeholder": ["000000001"]},
                "name": {"type": "dropped", "description": "Name"},
                "place": {"type": "text", "description": "Place"},
                "amount": {"type": "integer", "required": True, "description": "Amount"},
                "day": {"type": "date", "description": "Day"},
                "status": {"type": "text", "description": "Status"},
            },
            "layouts": {
                "it": {
                    "kind": "csv",
                    "description": "test",
                    "headers": {
                        "Mã": "code",
                        "Số giấy tờ": "person",
                        "Họ tên": "name",
                        "Nơi": "place",
                        "Số tiền": "amount",
                        "Ngày": "day",
                        "Cờ": None,
                    },
                    "date_format": "%d/%m/%Y",
                    "numbers": "vietnamese",
                    **layout,
                }
            },
            "rules": [],
        }
    )


HEADER = "Mã,Số giấy tờ,Họ tên,Nơi,Số tiền,Ngày,Cờ\n"
ROW = "HD1,038085001234,Người Mẫu,Ngọc Phụng,1.442,05/03/2024,1\n"


def in_1258(text: str) -> bytes:
    """Windows-1258: a letter that the page does not have with its tone is the letter, then the tone."""

    def written(sign: str) -> bytes:
        apart = unicodedata.normalize("NFD", sign)
        tone = "".join(mark for mark in apart if mark in "\u0300\u0301\u0303\u0309\u0323")
        try:
            return sign.encode("cp1258")
        except UnicodeEncodeError:
            return (unicodedata.normalize("NFC", "".join(mark for mark in apart if mark not in tone)) + tone).encode("cp1258")

    return b"".join(map(written, text))


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "landed"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def chunks(path: Path, terms: Contract | None = None, **options: Any) -> list[Chunk]:
    return list(read(path, terms or feed(), "it", KEY, "tep.csv", **options))


def rows(found: Iterable[Chunk]) -> list[dict[str, Any]]:
    return [row for chunk in found for row in chunk.table.to_pylist()]


def faults(found: Iterable[Chunk]) -> list[tuple[int, str, str]]:
    return [(fault["row_number"], fault["rule_code"], fault["column_name"]) for chunk in found for fault in chunk.faults.to_pylist()]


def refusal(path: Path, terms: Contract | None = None, **options: Any) -> Rejected:
    with pytest.raises(Rejected) as refused:
        chunks(path, terms, **options)
    return refused.value


def assert_conserved(found: Iterable[Chunk]) -> None:
    for chunk in found:
        assert chunk.received == chunk.table.num_rows + len(set(chunk.faults["row_number"].to_pylist())) + chunk.ignored
        assert chunk.faults.schema == FAULTS


def test_a_row_is_typed_as_the_contract_says(put: Put) -> None:
    found = chunks(put(HEADER + ROW))
    assert rows(found) == [
        {
            "row_number": 2, "code": "HD1", "person": pseudonym("038085001234", KEY), "place": "Ngọc Phụng",
            "amount": 1442, "day": date(2024, 3, 5), "status": None,
        }
    ]  # fmt: skip
    assert found[0].table.schema == feed().schema


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(",", ";"),
        in_1258,
        lambda text: in_1258(text.replace(",", ";").replace("\n", "\r\n")),
        lambda text: text.rstrip("\n"),
        lambda text: "\n" + text.replace("\n", "\n\n"),
        lambda text: text.upper().replace("NGỌC PHỤNG", "Ngọc Phụng"),
        lambda text: '"' + text.replace(",", '","').replace("\n", '"\n"').removesuffix('"'),
        lambda text: "\ufeff" + '"' + text.replace(",", '" , "').replace(" , ", ",").replace("\n", '"\n"').removesuffix('"'),
        lambda text: "".join(",".join(reversed(line.split(","))) + "\n" for line in text.splitlines()),
    ],
    ids=[
        "BOM",
        "CRLF",
        "semicolons",
        "Windows-1258",
        "as Excel in Viet Nam",
        "no last line break",
        "blank lines",
        "capital headers",
        "all quoted",
        "BOM and quotes",
        "reordered",
    ],
)
def test_the_same_rows_written_otherwise_are_the_same_rows(put: Put, change: Callable[[str], str | bytes]) -> None:
    usual = [row | {"row_number": None} for row in rows(chunks(put(HEADER + ROW)))]
    found = rows(chunks(put(change(HEADER + ROW))))
    assert [row | {"row_number": None} for row in found] == usual


def test_utf_16_with_its_mark_is_read(put: Put) -> None:
    assert rows(chunks(put((HEADER + ROW).encode("utf-16")))) == rows(chunks(put(HEADER + ROW)))


def test_codes_keep_their_zeros_and_words_are_not_missing(put: Put) -> None:
    found = rows(chunks(put(HEADER + "HD007,,,NA,1,,\nHD08,,,NULL,1,,\n")))
    assert [(row["code"], row["place"]) for row in found] == [("HD007", "NA"), ("HD08", "NULL")]


def test_only_the_layouts_own_signs_are_missing(put: Put) -> None:
    found = rows(chunks(put(HEADER + "HD1,000000001,,-,1,-,\n"), feed(missing=["", "-"])))
    assert [(row["person"], row["place"], row["day"]) for row in found] == [(None, None, None)]


def test_a_cell_may_hold_line_breaks_and_quotes(put: Put) -> None:
    found = rows(chunks(put(HEADER + 'HD1,,,"Thôn ""Hưng""\nNgọc, Phụng",1,,\n' + "HD2,,,x,2,,\n")))
    assert [(row["row_number"], row["place"]) for row in found] == [(2, 'Thôn "Hưng" Ngọc, Phụng'), (3, "x")]


def test_a_cell_that_cannot_be_typed_sets_its_row_aside_and_names_the_header(put: Put) -> None:
    found = chunks(put(HEADER + ROW + "HD2,,,,70.2,31/02/2024,\n" + "HD3,,,,5,,\n"))
    assert faults(found) == [(3, "STR-010", "Số tiền"), (3, "STR-010", "Ngày")]
    assert [row["row_number"] for row in rows(found)] == [2, 4]
    assert_conserved(found)


def test_a_required_cell_that_is_missing_sets_its_row_aside(put: Put) -> None:
    found = chunks(put(HEADER + ROW + "HD2,,,x,,,\n" + ",,,x,5,,\n"))
    assert faults(found) == [(3, "STR-011", "Số tiền"), (4, "STR-011", "Mã")]
    assert_conserved(found)


def test_rows_with_too_many_or_too_few_cells_are_set_aside_with_their_numbers(put: Put) -> None:
    found = chunks(put(HEADER + ROW + "HD2,1\n" + ROW + "HD4,,,,1,,,,x\n" + ROW))
    assert faults(found) == [(3, "STR-012", ""), (5, "STR-012", "")]
    assert [row["row_number"] for row in rows(found)] == [2, 4, 6]
    assert_conserved(found)


def test_a_fault_shows_the_natural_key_only_where_it_has_its_shape(put: Put) -> None:
    found = chunks(put(HEADER + "HD2,,,,x,,\n" + "Nguyễn Văn A,,,,x,,\n"))
    assert sorted(faults(found)) == [(2, "STR-010", "Số tiền"), (3, "STR-010", "Số tiền"), (3, "STR-015", "Mã")]
    assert found[0].faults["natural_key"].to_pylist() == ["HD2", None, None]


def test_a_paper_of_no_known_shape_is_no_person_and_may_leave_the_row_as_it_is(put: Put) -> None:
    terms = feed()
    person = terms.columns["person"].model_copy(update={"pattern": r"^\d{12}$", "tolerant": True})
    terms = terms.model_copy(update={"columns": terms.columns | {"person": person}})
    found = chunks(put(HEADER + ROW + "HD2,38085001234,,x,5,,\n" + "HD3,,,x,5,,\n"), terms)
    assert [row["person"] is not None for row in rows(found)] == [True, False, False]
    assert (faults(found), found[0].warned) == ([], {"STR-037": [3]})


def test_a_code_that_has_not_its_shape_sets_its_row_aside(put: Put) -> None:
    found = chunks(put(HEADER + ROW + "hd-1,,,x,5,,\n" + "4.68769E+17,,,x,5,,\n"))
    assert faults(found) == [(3, "STR-015", "Mã"), (4, "STR-026", "Mã")]
    assert_conserved(found)


@pytest.mark.parametrize("amount", ["2147483648", "-2147483649", "999999999999999999", "NaN", "Infinity", "1442²", "١٤٤٢"])
def test_a_number_beyond_its_columns_range_or_in_other_digits_sets_its_row_aside(put: Put, amount: str) -> None:
    found = chunks(put(HEADER + ROW + f"HD2,,,x,{amount},,\n"))
    assert [(number, code in ("STR-010", "STR-020")) for number, code, _ in faults(found)] == [(3, True)]
    assert_conserved(found)


def test_an_unknown_label_that_resembles_none_of_the_layout_is_told_by_its_place(put: Put) -> None:
    message = refusal(put(HEADER.replace("Cờ", "Cờ,Nguyễn Văn Mẫu") + ROW)).message_vi
    assert "Nguyễn" not in message
    assert "thứ 8 từ trái sang" in message


def test_wholly_empty_rows_are_ignored_and_counted(put: Put) -> None:
    found = chunks(put(HEADER + ROW + ",,,,,,\n" + ROW))
    assert [(chunk.received, chunk.ignored) for chunk in found] == [(3, 1)]
    assert [row["row_number"] for row in rows(found)] == [2, 4]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "STR-003"),
        ("\ufeff\n\n", "STR-003"),
        (HEADER, "STR-004"),
        (HEADER + ",,,,,,\n", "STR-004"),
        (HEADER.replace(",Ngày", "") + ROW, "STR-001"),
        (HEADER.replace("Cờ", "Cờ,Thêm") + ROW, "STR-002"),
        (HEADER.replace("Cờ", "Mã") + ROW, "STR-036"),
        (ROW + ROW, "STR-009"),
        (HEADER + ROW + "HD2,0380", "STR-005"),
        (HEADER + ROW + 'HD2,,,"Ngọc Ph', "STR-005"),
        ((HEADER + ROW + "HD2,,,Ngọc Phụ").encode()[:-1], "STR-005"),
        ((HEADER + ROW).encode("cp1258", errors="replace"), "STR-006"),
        (b"\xff\xfe" + (HEADER + ROW).encode("utf-16-le") + b"a", "STR-006"),
        (b"PK\x03\x04 a workbook", "STR-007"),
        ("<html><table><tr><td>Mã</td></tr></table>", "STR-007"),
        (b"\x00\x01\x02", "STR-007"),
    ],
)  # fmt: skip
def test_each_broken_form_has_its_own_verdict(put: Put, content: str | bytes, code: str) -> None:
    refused = refusal(put(content))
    assert refused.rule_code == code
    assert "tep.csv" in refused.message_vi


def test_a_renamed_column_is_told_by_its_place_and_quoted_only_where_it_is_a_fields_name(put: Put) -> None:
    message = refusal(put(HEADER.replace("Ngày", "Ngày thu") + ROW)).message_vi
    assert 'thiếu cột "Ngày"' in message
    assert 'thứ 6 từ trái sang (gần giống "Ngày")' in message
    assert '"NGAY_THU"' in refusal(put(HEADER.replace("Ngày", "NGAY_THU") + ROW)).message_vi


@pytest.mark.parametrize(
    ("label", "refused"),
    [
        ("Số  tiền\u200b (đồng)", None),
        ("SỐ TIỀN *", None),
        ("Số tiền [VND]", None),
        ("So\u0302\u0301 tie\u0302\u0300n", None),
        ("Số tiền (nghìn đồng)", "STR-025"),
        ("Số tiền (triệu đồng)", "STR-025"),
        ("Số tiền (USD)", "STR-025"),
        ("Số tiền (%)", "STR-025"),
        ("Số tiền (1.000đ)", "STR-025"),
        ("Số tiền (tỷ lệ)", "STR-001"),
        ("Số tiền (ước tính)", "STR-001"),
    ],
)
def test_a_header_is_found_by_its_words_and_refused_in_another_unit(put: Put, label: str, refused: str | None) -> None:
    headers = {"Mã": "code", "Số tiền": "amount_vnd"}
    whole = feed().model_dump()
    columns = {"code": whole["columns"]["code"], "amount_vnd": whole["columns"]["amount"]}
    layouts = {"it": {"kind": "csv", "description": "test", "headers": headers}}
    terms = Contract.model_validate(whole | {"columns": columns, "layouts": layouts})
    path = put(f"Mã,{label}\nHD1,1442\n")
    assert (refusal(path, terms).rule_code if refused else None) == refused
    if refused is None:
        assert [row["amount_vnd"] for row in rows(chunks(path, terms))] == [1442]


def test_a_header_may_say_the_format_of_its_cells(put: Put) -> None:
    assert len(rows(chunks(put(HEADER.replace("Ngày", '"Ngày\n(dd/MM/yyyy)"') + ROW)))) == 1


def test_a_hundred_thousand_columns_are_refused_in_one_short_line(put: Put) -> None:
    refused = refusal(put(HEADER.strip() + "".join(f",c{n}" for n in range(100_000)) + "\n" + ROW))
    assert refused.rule_code == "STR-022"
    assert len(refused.message_vi) < 300


def test_an_optional_column_may_be_left_out(put: Put) -> None:
    without = "".join(",".join(line.split(",")[:-1]) + "\n" for line in (HEADER + ROW).splitlines())
    assert rows(chunks(put(without), feed(optional=["Cờ"]))) == rows(chunks(put(HEADER + ROW)))


def test_a_landed_file_that_is_not_there_is_no_fault_of_its_supplier(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(OSError, match=path.name):
            chunks(path)


def test_a_file_in_tcvn3_is_read_as_it_was_meant(put: Put) -> None:
    from tasks.read.encodings import _TCVN3

    letters = {letter: byte for byte, letter in _TCVN3.items()}
    written = bytes(letters.get(sign, ord(sign)) for sign in HEADER + ROW)
    assert rows(chunks(put(written))) == rows(chunks(put(HEADER + ROW)))
    assert rows(chunks(put(written.decode("latin-1")))) == rows(chunks(put(HEADER + ROW)))


SECRETS = ["Bí Mật Thị Lộ", "099999123456", "bimat@example.vn"]


@pytest.mark.parametrize(
    "content",
    [
        f"{SECRETS[0]},{SECRETS[1]},{SECRETS[2]},x,1,2,3\n" * 2,
        HEADER + f"{SECRETS[0]},{SECRETS[1]},{SECRETS[2]}\n",
        HEADER + f'HD1,{SECRETS[1]},"{SECRETS[0]}\n',
        HEADER + f"{SECRETS[1]},{SECRETS[1]},{SECRETS[0]},{SECRETS[2]},{SECRETS[0]},{SECRETS[1]},1\n",
        (HEADER + f"HD1,{SECRETS[1]},{SECRETS[0]}").encode() + b"\xff\xfe,\n",
    ],
)
def test_no_personal_value_leaves_by_a_message_a_traceback_or_a_fault(
    put: Put, content: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    said = ""
    try:
        said = json.dumps([chunk.faults.to_pylist() for chunk in chunks(put(content))])
    except Rejected as refused:
        said = refused.message_vi + "".join(traceback.format_exception(refused))
    assert not [secret for secret in SECRETS if secret in said + caplog.text]


def test_personal_columns_leave_only_as_pseudonyms(put: Put) -> None:
    found = chunks(put(HEADER + f"HD1,{SECRETS[1]},{SECRETS[0]},x,1,,\n"))
    assert "name" not in found[0].table.schema.names
    assert not [secret for secret in SECRETS if secret in str(rows(found))]


def test_a_column_may_be_decided_by_other_cells(put: Put) -> None:
    terms = feed(cases={"status": [{"when": {"Cờ": ["1"], "Nơi": ["A", ""]}, "then": "yes"}, {"when": {"Cờ": ["2"]}, "then": "no"}]})
    found = rows(chunks(put(HEADER + "HD1,,,A,1,,1\nHD2,,,,1,,1\nHD3,,,B,1,,1\nHD4,,,B,1,,2\n"), terms))
    assert [row["status"] for row in found] == ["yes", "yes", "no"]


def test_a_column_may_be_decided_without_any_cell_that_the_file_has(put: Put) -> None:
    cases = [{"when": {"Cờ": ["2"]}, "then": "no"}, {"then": "yes"}]
    without = "".join(",".join(line.split(",")[:-1]) + "\n" for line in (HEADER + ROW).splitlines())
    found = rows(chunks(put(without), feed(cases={"status": cases}, optional=["Cờ"])))
    assert [row["status"] for row in found] == ["yes"]


def test_a_combination_that_nobody_agreed_on_sets_its_row_aside(put: Put) -> None:
    terms = feed(cases={"status": [{"when": {"Cờ": ["00"]}, "then": "yes"}]})
    found = chunks(put(HEADER + "HD1,,,A,1,,00\nHD2,,,,1,,0\nHD3,,,B,1,,\n"), terms)
    assert [(row["code"], row["status"]) for row in rows(found)] == [("HD1", "yes"), ("HD3", None)]
    assert faults(found) == [(3, "STR-010", "Cờ")]


def test_a_column_may_be_joined_from_other_cells(put: Put) -> None:
    terms = feed(
        headers={"Mã": "code", "Tháng": None, "Năm": None, "Tiền": "amount"},
        joined={"day": ["Tháng", "Năm"]},
        date_formats={"day": "%m/%Y"},
    )
    found = chunks(put("Mã,Tháng,Năm,Tiền\nHD1,03,2024,1\nHD2,13,2024,1\n"), terms)
    assert [row["day"] for row in rows(found)] == [date(2024, 3, 1)]
    assert faults(found) == [(3, "STR-010", "Tháng")]


def test_what_a_collectors_flags_mean_is_read_from_the_contract(put: Put) -> None:
    header = (
        "MA_GIAO_DICH,ID_HDON,SERI_HDON,MA_KHANG,THANG_TTOAN,SO_TIEN_TTOAN,HTHUC_TTOAN,VI_TTOAN,"
        "TTHAI_CHAM_NO,TTHAI_HUY,TTHAI_XLY_NGHI_NGO,NGAY_PSINH\n"
    )
    flags = {"1,0,0": "settled", "0,0,0": "pending", ",0,0": "pending", "1,1,0": "cancelled", "1,0,1": "suspect"}
    lines = "".join(f"GD{n},HD{n},,KH,01/2024,152340.0,QR,,{flag},01/02/2024 10:11:12\n" for n, flag in enumerate(flags))
    found = rows(read(put(header + lines), contract("payments"), "ecpay_csv", KEY, "e.csv"))
    assert [row["status_code"] for row in found] == list(flags.values())
    assert found[0]["amount_vnd"] == 152340
    assert found[0]["paid_at"] == datetime(2024, 2, 1, 10, 11, 12)


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Co"], exclude_characters="\ufffd"), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(CELL, min_size=1, max_size=15))
@example(["Ü", "÷"])  # by which alone the file would be taken for one in VNI
def test_any_cell_written_by_the_rfc_is_the_cell_that_is_read(put: Put, cells: list[str]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["Mã", "Nơi"])
    writer.writerows([f"HD{number}", cell] for number, cell in enumerate(cells))
    terms = feed(headers={"Mã": "code", "Nơi": "place", "Số tiền": "amount"}, optional=["Số tiền"], constants={"amount": "1"})
    from tasks.read.cells import clean

    assert [row["place"] for row in rows(chunks(put(text.getvalue()), terms))] == clean(pa.array(cells), [""]).to_pylist()


LINE = st.sampled_from([ROW, "HD2,,,,x,,\n", "HD3\n", ",,,,,,\n", "HD4,,,,1,,,\n", ",,,,1,,\n", 'HD5,,,"a\nb",1,,\n', "\n"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(LINE, max_size=25), st.integers(1, 7))
def test_every_row_received_is_accepted_set_aside_or_ignored_however_the_file_is_cut(put: Put, lines: list[str], size: int) -> None:
    path = put(HEADER + ROW + "".join(lines))
    found, whole = chunks(path, chunk_rows=size), chunks(path)
    assert_conserved(found)
    assert sum(chunk.received for chunk in found) == 1 + sum(line != "\n" for line in lines)
    assert rows(found) == rows(whole)
    assert sorted(faults(found)) == sorted(faults(whole))
    numbers = [row["row_number"] for row in rows(found)]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("before", ["", "\n\n", "sep=,\n", "\ufeffsep=,\r\n"])
def test_rows_have_the_numbers_that_a_spreadsheet_shows(put: Put, before: str) -> None:
    text = before + HEADER + ROW + "\n" + 'HD2,,,"a\n\nb",1,,\n' + "\n\n" + "HD3\n" + "HD4,,,,1,,,,\n" + "\n"
    header = 3 if before == "\n\n" else 1  # a spreadsheet takes the line that names the delimiter for itself
    found = chunks(put(text))
    assert [row["row_number"] - header for row in rows(found)] == [1, 3, 7]
    assert [number - header for number, _, _ in faults(found)] == [6]


def test_a_file_of_another_delimiter_is_told_which_one_it_has(put: Put) -> None:
    refused = refusal(put((HEADER + ROW).replace(",", "\t")))
    assert refused.rule_code == "STR-007"
    assert "phân cách bằng dấu tab, cần dấu phẩy hoặc dấu chấm phẩy" in refused.message_vi


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "một tệp Excel .xlsx hoặc tệp nén"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html>", "một trang HTML"),
        (b"<?xml version='1.0'?><a/>", "một tệp XML"),
        (b'{"a": 1}', "JSON"),
        (b"[\n  {", "JSON"),
        (b"[Ma],[Ten]\n", ""),
        (b"PK_ID,Ten\n", ""),
    ],
)
def test_a_file_is_called_what_it_is_by_its_first_bytes(start: bytes, kind: str) -> None:
    assert kind_of(start) == kind


def test_a_line_for_spreadsheets_names_the_delimiter(put: Put) -> None:
    assert len(rows(chunks(put("sep=|\n" + (HEADER + ROW).replace(",", "|"))))) == 1


@pytest.mark.parametrize("line", ['HD1,,,Ống 21" PVC,1,,\n', 'HD1,,,21" hay 27",1,,\n', 'HD1,,,"Ống 21"" PVC",1,,\n'])
def test_an_inch_mark_is_no_sign_that_a_file_was_cut(put: Put, line: str) -> None:
    assert "21" in rows(chunks(put(HEADER + line + ROW)))[0]["place"]


def test_a_parser_that_breaks_does_not_quote_the_cell_it_broke_on(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> pa.Array:
        return pa.array([SECRETS[0]]).cast(pa.int64())

    monkeypatch.setattr("tasks.read.file.typed", breaks)
    with pytest.raises(RuntimeError) as broken:
        chunks(put(HEADER + ROW))
    assert SECRETS[0] not in "".join(traceback.format_exception(broken.value))


def test_row_numbers_hold_across_the_parsers_blocks(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.read.csv_file.PARSED", 512)
    lines = [f"HD{n},,,,{n},,\n" if n % 7 else "short\n" for n in range(1, 500)]
    found = chunks(put(HEADER + "".join(lines)), chunk_rows=40)
    assert len(found) > 5
    assert all(row["row_number"] == row["amount"] + 1 for row in rows(found))
    assert [number for number, _, _ in faults(found)] == list(range(8, 501, 7))
    assert_conserved(found)
