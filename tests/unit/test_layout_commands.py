"""`bakhong layout …` as it is typed: exit codes, what is shown and what never is; no warehouse, no key, no environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import xlsxwriter

from desk import cli

SAMPLES = Path(__file__).parents[2] / "samples" / "inbox"
HEADER = "SoCCCD;MaDVHC;NgayCap;TrangThai\n"
ROWS = "".join(f"0380850{at:05};15655;{at + 1:02}/03/2024;HIEU_LUC\n" for at in range(28))


@pytest.fixture
def bakhong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    for name in ("BAKHONG_WAREHOUSE_URL", "BAKHONG_SECRET_KEY", "BAKHONG_SOURCES", "BAKHONG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["bakhong", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out + said.err

    return run


def test_a_file_is_described_and_read_by_what_was_written(bakhong, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "danh_sach.csv"
    file.write_text(HEADER + ROWS, "utf-8")
    assert bakhong("layout", "draft", file, "--feed", "signature_holders", "--out", "new.yaml")[0] == 0
    code, said = bakhong("layout", "try", "new.yaml", file, "--rows", "3")
    assert code == 0
    assert "28 dòng: 28 được nhận, 0 để riêng" in said
    assert "03/03/2024" in said
    assert "04/03/2024" not in said
    assert "038085" not in said


def test_what_would_be_set_aside_is_told_by_rule_column_and_row(bakhong, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "danh_sach.csv"
    file.write_text((HEADER + ROWS.replace("05/03/2024", "DAUVET", 1)).replace(";", ","), "utf-8")
    code, said = bakhong("layout", "try", "signature_holders/holders_csv", file)
    assert code == 1
    assert "STR-010" in said
    assert "NgayCap" in said
    assert "27 được nhận, 1 để riêng" in said
    assert "DAUVET" not in said


def test_a_file_that_a_night_would_refuse_is_refused_with_its_reason(bakhong) -> None:  # type: ignore[no-untyped-def]
    code, said = bakhong("layout", "try", "bills/utility_xlsx", SAMPLES / "evn" / "evn_mau_202403.csv")
    assert code == 1
    assert "Cả tệp sẽ bị từ chối. STR-007" in said


def test_a_layout_that_does_not_say_all_yet_is_tried_as_far_as_it_goes(bakhong, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = SAMPLES / "evn" / "evn_mau_202403.csv"
    bakhong("layout", "draft", file, "--feed", "bills", "--out", "new.yaml")
    code, said = bakhong("layout", "try", "new.yaml", file)
    assert code == 1
    assert "DMAU240100001" in said
    assert "chưa nói cột bắt buộc: service_code" in said


def test_a_file_that_kills_its_reader_is_one_line(bakhong, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with xlsxwriter.Workbook(tmp_path / "far.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Mã hóa đơn")
        sheet.write(1_048_575, 16_383, "xa")
    code, said = bakhong("layout", "draft", "far.xlsx", "--feed", "bills")
    assert code == 2
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["layout", "draft", "picture", "--feed", "bills"], "không phải văn bản"),
        (["layout", "draft", "picture", "--feed", "nope"], "signature_holders"),
        (["layout", "draft", "missing.csv", "--feed", "bills"], "missing.csv"),
        (["layout", "try", "bills/nope", "picture"], "evn_csv"),
        (["layout", "try", "missing.yaml", "picture"], "missing.yaml"),
        (["layout", "try", "picture", "picture"], "picture"),
        (["layout", "try", "odd.yaml", "picture"], "các cột không có trong nguồn dữ liệu: ['nope']"),
        (["layout", "try", "wrong.yaml", "picture"], "'kind' là một trong: 'csv', 'xlsx',"),
        (["layout", "try", "wrong.yaml", "picture"], "thiếu 'description'"),
        (["layout", "try", "wrong.yaml", "picture"], "không có khóa 'header'. Có phải: headers, reader?"),
        (["layout", "try", "bills/evn_cv", "picture"], "Có phải: evn_csv?"),
        (["layout", "try", "bill/evn_csv", "picture"], "Có phải: bills/evn_csv?"),
        (["layout", "draft", "picture", "--feed", "bill"], "Có phải: bills?"),
        (["layout", "try", "bills/evn_csv", "missing.csv"], "missing.csv"),
    ],
)
def test_what_cannot_be_run_is_one_line(bakhong, tmp_path: Path, words: list[str], told: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n" + bytes(range(256)))
    (tmp_path / "odd.yaml").write_text("{feed: bills, name: x, kind: csv, description: x, headers: {A: nope}}", "utf-8")
    (tmp_path / "wrong.yaml").write_text("{feed: bills, name: x, kind: cvs, headers: {A: bill_code}, header: {}}", "utf-8")
    code, said = bakhong(*words)
    assert code == 2
    assert told in said
    assert "pydantic" not in said
    assert len(said.strip().splitlines()) == 1
    assert "Traceback" not in said


def test_a_draft_never_writes_over_another_one(bakhong, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "new.yaml").write_text("mine", "utf-8")
    code, _ = bakhong("layout", "draft", SAMPLES / "evn" / "evn_mau_202403.csv", "--feed", "bills", "--out", "new.yaml")
    assert code == 2
    assert (tmp_path / "new.yaml").read_text("utf-8") == "mine"
