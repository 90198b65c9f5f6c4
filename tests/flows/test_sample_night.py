"""`make run` on an empty home: the article's figures, what was set aside, nothing else in the terminal. Then the questions."""

from __future__ import annotations

import csv
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import openpyxl
import pytest

from tasks.words.vietnamese import SAMPLE
from tests.conftest import SampleNight
from tests.nights import ROOT, bakhong, environment, started

# As printed by Báo Thanh Hóa (article 247817), but 70,0 where it prints 70,2: 2.660 of 3.798 are 70,04 %.
ARTICLE = {
    "CQ7": ("1.442", "1.442", "100,0%"),
    "CQ6P": ("1.195", "1.442", "82,9%"),
    "CQ6F": ("247", "1.442", "17,1%"),
    "ND3": ("4.795", "5.205", "92,1%"),
    "ND7": ("2.660", "3.798", "70,0%"),
    "ND2": ("4.575", "5.648", "81,0%"),
}


def row_of(table: str, code: str) -> list[str]:
    return next(line.split() for line in table.splitlines() if line.split()[:1] == [code])


def test_it_succeeds_and_says_nothing_but_its_answer(sample_night: SampleNight) -> None:
    assert sample_night.done.returncode == 0, sample_night.done.stderr
    assert sample_night.done.stderr == ""
    for noise in ("Traceback", "prefect", "INFO", "telemetry", "Warning"):
        assert noise not in sample_night.done.stdout


@pytest.mark.parametrize("code", ARTICLE)
def test_the_table_of_ngoc_phung_carries_the_articles_figures(sample_night: SampleNight, code: str) -> None:
    commune = sample_night.done.stdout.split("Huyện Thường Xuân (396")[0]
    numerator, denominator, rate = ARTICLE[code]
    line = " ".join(row_of(commune, code))
    assert f" {numerator} {denominator} {rate} " in line


def test_the_district_has_all_of_its_16_units(sample_night: SampleNight) -> None:
    district = sample_night.done.stdout.split("Huyện Thường Xuân (396, Tỉnh Thanh Hóa)")[1]
    assert " 16 16 100,0% " in " ".join(row_of(district, "ST1"))


def test_both_tables_say_that_they_are_made_of_samples(sample_night: SampleNight) -> None:
    lines = sample_night.done.stdout.splitlines()
    assert [lines[place - 1].split(" (")[0] for place, line in enumerate(lines) if line == SAMPLE] == ["Xã Ngọc Phụng", "Huyện Thường Xuân"]


def test_it_tells_what_was_set_aside_and_where_the_report_lies(sample_night: SampleNight) -> None:
    said = sample_night.done.stdout
    assert "1 bị từ chối" in said
    assert "Lần gửi bị từ chối" not in said  # its source sent it again
    assert "Dòng để riêng" in said
    assert "70,2%" in said  # the printed figure that the counts do not bear out
    for name in ("index.html", "ba-khong-2024.xlsx"):
        assert str(sample_night.home / "site" / name) in said
        assert (sample_night.home / "site" / name).stat().st_size > 1000


def test_the_table_is_found_by_name_as_by_code(sample_night: SampleNight) -> None:
    by_name, by_code = sample_night.ask("indicators", "ngọc phụng", "2024"), sample_night.ask("indicators", "15655", "2024")
    assert by_name.returncode == by_code.returncode == 0
    assert by_name.stdout == by_code.stdout
    assert "92,1%" in by_name.stdout


def test_a_name_borne_twice_is_answered_by_saying_which(sample_night: SampleNight) -> None:
    said = sample_night.ask("indicators", "Thường Xuân", "2024")
    assert said.returncode == 2
    assert "396" in said.stderr
    assert "15646" in said.stderr


def test_form_06a_of_ngoc_phung_adds_up_column_by_column(sample_night: SampleNight, tmp_path: Path) -> None:
    said = sample_night.ask("form-06a", "15655", "2024", "--sheet", str(tmp_path / "06a.xlsx"))
    assert said.returncode == 0, said.stderr
    assert "Biểu số II.06a/VPCP/KSTT" in said.stdout
    rows = [[int(cell.replace(".", "")) for cell in line.split()[-11:]] for line in said.stdout.splitlines() if line.split()[-1:] == ["0"]]
    *sectors, total = rows
    assert [sum(column) for column in zip(*sectors, strict=True)] == total
    c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 = total
    assert c3 == c4 + c5 + c6 == c7 + c11 == 1442  # received and handled, as printed
    assert c7 == c8 + c9 + c10
    assert c11 == c12 + c13
    printed = openpyxl.load_workbook(tmp_path / "06a.xlsx")["Biểu 06a"]
    assert [cell.value for cell in list(printed.rows)[-2]][1:] == ["Tổng cộng", *total]  # below it stands whose dossiers are counted
    assert printed["A4"].value == SAMPLE
    assert SAMPLE in str(printed.oddHeader.center.text)


def test_the_score_of_the_captured_month_is_the_portals_own(sample_night: SampleNight) -> None:
    said = sample_night.ask("score-766", "H44", "2026-08").stdout
    assert "Thanh toán trực tuyến 62,50% 6,25 10" in " ".join(said.split())
    assert "chưa có số để so" in said


def test_a_communes_score_from_its_dossiers_is_ranked_and_compared(sample_night: SampleNight) -> None:
    said = sample_night.ask("score-766", "Ngọc Phụng", "2024-06").stdout
    assert "trong 16 đơn vị cấp xã" in said
    assert "So với tháng 05/2024" in said


def test_the_bundle_for_superset_is_a_file_without_the_password_of_its_reader(sample_night: SampleNight, tmp_path: Path) -> None:
    said = sample_night.ask("superset", "bundle", str(tmp_path / "bundle.zip"), "--public")
    assert said.returncode == 0, said.stderr
    password = urlsplit(sample_night.ask("warehouse", "url").stdout.strip()).password
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        told = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert password
    assert password not in told
    assert "indicator_public" in told


@pytest.mark.parametrize(
    "words",
    [
        ("indicators", "Atlantis", "2024"),
        ("explain", "ND99", "15655", "2024"),
        ("indicators", "15655", "24"),
        ("form-06a", "15655", "2024-13"),
        ("form-06a", "15655", "2024", "--sheet", "nowhere/06a.xlsx"),
        ("form-06a", "15655", "2023"),
        ("superset", "bundle", "nowhere/bundle.zip"),
        ("score-766", "H44.999", "2026-08"),
        ("score-766", "H44", "2026-08", "--counted-by", "pipeline"),
        ("score-766", "15655", "2024", "--counted-by", "portal"),
    ],
)
def test_what_is_not_known_is_one_line_and_exit_code_2(sample_night: SampleNight, words: tuple[str, ...]) -> None:
    said = sample_night.ask(*words)
    assert said.returncode == 2
    assert len(said.stderr.strip().splitlines()) == 1


def test_a_number_is_explained_down_to_its_files_and_beside_what_was_printed(sample_night: SampleNight) -> None:
    said = sample_night.ask("explain", "ND7", "15655", "2024").stdout
    assert "2.660 / 3.798 = 70,0%" in said
    assert "dan_cu_mau_20241231.csv" in said
    assert "70,2%" in said


def test_status_names_every_source_and_calls_silence_late(sample_night: SampleNight) -> None:
    said = sample_night.ask("status")
    assert said.returncode == 1  # the offices' samples end in April 2025
    assert "one-stop-shop" in said.stdout
    assert "chậm" in said.stdout


def test_quarantine_is_listed_by_rule_and_exported_for_the_supplier(sample_night: SampleNight, tmp_path: Path) -> None:
    listed = sample_night.ask("quarantine", "list")
    assert listed.returncode == 0
    assert "BIL-002" in listed.stdout
    path = tmp_path / "out.csv"
    assert sample_night.ask("quarantine", "export", "--to", str(path)).returncode == 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert all(row["message_vi"] and row["rule_code"] for row in rows)


def test_another_key_is_refused(sample_night: SampleNight) -> None:
    env = environment(sample_night.home) | {"BAKHONG_SECRET_KEY": "another key, as long as it must be"}
    said = bakhong("nightly", env=env)
    assert said.returncode == 2
    assert "BAKHONG_SECRET_KEY" in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1


def test_serve_says_how_to_make_the_first_account_until_it_is_interrupted(sample_night: SampleNight) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from desk.cli import main; main()", "serve", "--port", str(port)]
    with started(
        command, env=environment(sample_night.home), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as served:
        page = ""
        while not page:
            assert served.poll() is None, served.communicate()
            try:
                page = urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode()
            except OSError:
                time.sleep(0.1)
        taken = sample_night.ask("serve", "--port", str(port))
        served.send_signal(signal.SIGINT)
        _, complained = served.communicate(timeout=60)
    assert "Đăng nhập" in page
    assert "bakhong account add" in page
    assert taken.returncode == 2
    assert str(port) in taken.stderr
    assert served.returncode == 0
    assert "Traceback" not in complained
