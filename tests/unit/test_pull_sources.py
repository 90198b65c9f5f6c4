"""What sources.yaml may say, and what a file name tells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.deliveries.source import read_provinces, read_reporting_calendars, read_sample, read_sources
from tasks.pull.names import LONGEST, is_beside, shown, wrong_with
from tasks.read.limits import DEFAULT, Limits, read_limits
from tasks.words.vietnamese import safe
from tests.nights import SAMPLES
from warehouse.settings import Refusal

GOOD = {"name": "water", "feed": "bills", "layout": "utility_xlsx", "provider": "nuoc", "url": "inbox/*.xlsx", "expected": "monthly"}


def written(folder: Path, *entries: dict[str, Any], **more: Any) -> Path:
    path = folder / "sources.yaml"
    path.write_text(yaml.safe_dump({"sources": list(entries), **more}, allow_unicode=True), "utf-8")
    return path


def test_a_relative_url_is_relative_to_the_file(tmp_path: Path) -> None:
    (source,) = read_sources(written(tmp_path, GOOD))
    assert source.url == str(tmp_path / "inbox/*.xlsx")
    assert (source.name, source.feed, source.expected, source.token) == ("water", "bills", "monthly", None)


def test_the_files_that_prove_a_server_are_relative_to_the_file(tmp_path: Path) -> None:
    url = "sftp://me@host:2222/outbox/*.xlsx"
    (source,) = read_sources(written(tmp_path, {**GOOD, "url": url, "known_hosts": "keys/known_hosts", "key_file": "/keys/id"}))
    assert (source.url, source.known_hosts, source.key_file) == (url, str(tmp_path / "keys/known_hosts"), "/keys/id")
    (source,) = read_sources(written(tmp_path, {**GOOD, "url": url}))
    assert (source.token, source.known_hosts, source.key_file) == (None, None, None)
    (source,) = read_sources(written(tmp_path, {**GOOD, "url": "https://host/x.xlsx", "ca_file": "keys/ca.pem"}))
    assert source.ca_file == str(tmp_path / "keys/ca.pem")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"feed": "nothing"}, "Không có nguồn dữ liệu (feed) 'nothing'. Có: agencies, bills,"),
        ({"feed": "bill"}, "Không có nguồn dữ liệu (feed) 'bill'. Có phải: bills?"),
        ({"layout": "pdf"}, "(feed) bills không có bố cục 'pdf'. Có: evn_csv, utility_xlsx."),
        ({"layout": "evn-csv"}, "không có bố cục 'evn-csv'. Có phải: evn_csv?"),
        ({"expected": "weekly"}, "`expected` là một trong: daily"),
        ({"required": "yes"}, "`required` là true hoặc false"),
        ({"name": "../etc"}, "nó thành tên thư mục"),
        ({"colour": "red"}, "không có khóa 'colour'. Có: name, feed,"),
        ({"expcted": "daily"}, "không có khóa 'expcted'. Có phải: expected?"),
        ({"url": "sftp://me:secret@host/x"}, "url có mật khẩu"),
        ({"known_hosts": "known_hosts"}, "'known_hosts' chỉ dùng với url sftp://"),
        ({"url": "https://host/x", "key_file": "id_ed25519"}, "'key_file' chỉ dùng với url sftp://"),
        ({"url": "http://host/x", "ca_file": "ca.pem"}, "'ca_file' chỉ dùng với url https://"),
        ({"headers": "Mã KH"}, "mỗi dòng phải là `nhãn trong tệp: cột`"),
        (
            {"headers": {"Mã KH": "customer"}},
            "'Mã KH': 'customer' không phải cột mà bố cục utility_xlsx ghi dưới đúng một tiêu đề; có: bill_code",
        ),
        ({"headers": {"Mã KH": "customer_name"}}, "'customer_name' không phải cột mà bố cục utility_xlsx ghi"),
        ({"headers": {"Mã KH": "customer_hash", "Số KH": "customer_hash"}}, "'customer_hash' có hai nhãn"),
        ({"headers": {"mã  hóa đơn": "customer_hash"}}, "'mã  hóa đơn' là nhãn của hai cột"),
        ({"headers": {"Kỳ": None}}, "'Kỳ' là nhãn của hai cột"),
    ],
)
def test_a_mistake_in_a_source_is_named_in_one_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_sources(written(tmp_path, {**GOOD, **change}))
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("missing", GOOD.keys())
def test_a_missing_key_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(Refusal, match=f"thiếu '{missing}'"):
        read_sources(written(tmp_path, {key: value for key, value in GOOD.items() if key != missing}))


def test_a_name_used_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="hai nguồn cùng tên 'water'"):
        read_sources(written(tmp_path, GOOD, GOOD))


@pytest.mark.parametrize("content", ["sources: [", "other: []", "- x", "sources:\n  - just text"])
def test_what_is_no_list_of_sources_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(content)
    with pytest.raises(Refusal):
        read_sources(path)


def test_an_installation_reports_for_the_provinces_it_names_and_without_any_for_thanh_hoa(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert read_provinces(path) == ["38"]
    path.write_text(path.read_text() + "provinces: ['25', '01']\n")
    assert read_provinces(path) == ["25", "01"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("[25]", 'danh sách mã tỉnh trong ngoặc kép, như ["38"]'),
        ("'25'", 'danh sách mã tỉnh trong ngoặc kép, như ["38"]'),
        ("[]", 'danh sách mã tỉnh trong ngoặc kép, như ["38"]'),
        ("['26']", "'26' không phải mã của tỉnh nào hiện nay; tỉnh ấy đã nhập vào 25 (Tỉnh Phú Thọ)"),
        ("['H44']", "'H44' không phải mã của tỉnh nào hiện nay; có: 01, 04,"),
    ],
)
def test_what_is_no_province_of_today_is_refused_with_what_was_meant(tmp_path: Path, said: str, words: str) -> None:
    path = written(tmp_path, GOOD)
    path.write_text(path.read_text() + f"provinces: {said}\n")
    with pytest.raises(Refusal) as refusal:
        read_provinces(path)
    assert words in str(refusal.value)


def test_form_06a_shows_the_calendars_periods_unless_the_installation_says_otherwise(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert read_reporting_calendars(path) == {"form_06a": "lich"}
    path.write_text(path.read_text() + "reporting_calendars: {form_06a: nghi_dinh_09}\n")
    assert read_reporting_calendars(path) == {"form_06a": "nghi_dinh_09"}
    path.write_text(path.read_text().replace("nghi_dinh_09", "am_lich"))
    with pytest.raises(Refusal, match="form_06a: lịch`, lịch là một trong: lich, nghi_dinh_09"):
        read_reporting_calendars(path)


def test_a_file_says_whether_it_is_of_samples_or_says_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert read_sample(path) is None
    assert [read_sample(written(tmp_path, GOOD, sample=said)) for said in (True, False)] == [True, False]
    assert read_sample(SAMPLES) is True
    with pytest.raises(Refusal, match="`sample` là true hoặc false"):
        read_sample(written(tmp_path, GOOD, sample="yes"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"Không có tệp nguồn .*BAKHONG_SOURCES"):
        read_sources(tmp_path / "sources.yaml")


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("in/{day}.csv", "không có chỗ điền {day}"),
        ("in/{period:%m}.csv", "cần định dạng có %Y"),
        ("in/{period:%Y%j}.csv", "cần định dạng có %Y"),
        ("in/{from:%Y%m%d}.csv", "phải đi cùng nhau"),
        ("in/{period:%Y}_{from:%Y}_{to:%Y}.csv", "chỉ dùng {period:…}, hoặc"),
        ("in/{unit:%Y}.csv", "không kèm định dạng"),
    ],
)
def test_a_placeholder_nobody_knows_is_refused(tmp_path: Path, url: str, wrong: str) -> None:
    with pytest.raises(Refusal, match=re.escape(wrong)):
        read_sources(written(tmp_path, {**GOOD, "url": url}))


def test_sources_are_ranked_as_they_stand(tmp_path: Path) -> None:
    found = read_sources(written(tmp_path, GOOD, {**GOOD, "name": "second"}))
    assert [source.rank for source in found] == [0, 1]


@pytest.mark.parametrize(
    "name",
    [
        "td_240131.csv",
        "td_20240131T0200.csv",
        "td_202401311530.csv",
        "td_20240131235959.csv",
        "td_240131235959.csv",
        "thang 3-2024, bản sửa.csv",
        "portal-766/H44/2026-08/2026-09-26T1814Z/transparency-all.json",
        "one-stop-shop_20240315235959.json",
        "000.00.00.H56-240131-0001.json",
        "1706660000_1706660000123.csv",
        "x" * 251 + ".csv",
    ],
)
def test_a_name_that_tells_of_no_person_is_taken_and_shown_as_it_is(name: str) -> None:
    assert wrong_with(name) == ""
    assert shown(name) == name


@pytest.mark.parametrize("digits", ["012345678", "001099012345", "084912345678", "0912345678", "84912345678", "202413311530"])
def test_a_name_with_the_number_of_a_person_is_not_taken_and_shown_without_it(digits: str) -> None:
    name = f"cccd{digits}/td_20240131_{digits}.csv"
    assert "số giấy tờ hoặc số điện thoại" in wrong_with(name)
    dots = "•" * len(digits)
    assert shown(name) == f"cccd{dots}/td_20240131_{dots}.csv"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("\x1b[2Jtd.csv", "(U+001B)"),
        ("a\nb\x7f.csv", "(U+000A, U+007F)"),
        ("td\u202evsc.exe", "(U+202E)"),
        ("td\u2028\u200b\ue000\u00ad.csv", "(U+2028, U+200B, U+E000)"),
        ("d\udce2n.csv", "không phải Unicode"),
        ("x" * (LONGEST + 1), f"dài hơn {LONGEST}"),
    ],
)
def test_a_name_that_may_deceive_is_not_taken_and_shown_in_one_safe_line(name: str, words: str) -> None:
    assert words in wrong_with(name)
    assert len(shown(name)) <= 255
    assert shown(name).isprintable()


@pytest.mark.parametrize("name", ["~$evn_202403.xlsx", "sub/~$a.xlsx", ".~lock.evn_202403.csv#", "Thumbs.db", "desktop.ini", ".DS_Store"])
def test_what_programs_leave_beside_the_files_of_people_is_told_from_them(name: str) -> None:
    assert is_beside(name)


@pytest.mark.parametrize("name", ["evn_202403.xlsx", "~evn_202403.xlsx", "a~$b.csv", "~$/evn_202403.csv", "~$", ".evn.csv", "lock.csv#"])
def test_a_name_that_people_may_give_is_no_such(name: str) -> None:
    assert not is_beside(name)


def test_a_text_of_others_is_shown_in_one_bounded_line() -> None:
    assert safe("Mã\u200bKH\n") == "Mã<U+200B>KH<U+000A>"
    assert safe("Ngày tiếp nhận") == "Ngày tiếp nhận"
    assert safe("a" * 8 + "b" * 8, most=5) == "aa…bb"
    assert safe("a" * 8 + "b" * 8, most=6) == "aaa…bb"
    assert safe("a" * 8, most=8) == "a" * 8


def test_limits_are_the_defaults_where_nothing_else_is_said(tmp_path: Path) -> None:
    assert read_limits(written(tmp_path, GOOD)) == DEFAULT
    assert read_limits(written(tmp_path, GOOD, limits={"memory_mb": 512})) == Limits(memory_mb=512)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([512], "`limits` phải gồm các dòng `tên: số`; có: memory_mb, silent_seconds"),
        ({"memory": 512}, "limits: không có 'memory'. Có phải: memory_mb? Có: memory_mb, silent_seconds"),
        ({"memory_mb": "512"}, "limits: memory_mb phải là số nguyên từ 1 trở lên, không phải '512'"),
        ({"rows": 0}, "limits: rows phải là số nguyên từ 1 trở lên, không phải 0"),
        ({"rows": True}, "limits: rows phải là số nguyên từ 1 trở lên, không phải True"),
    ],
)
def test_a_mistake_in_the_limits_is_named_in_one_line(tmp_path: Path, said: Any, words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_limits(written(tmp_path, GOOD, limits=said))
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


EDITION = '{name: tinh-38, feed: editions, layout: open_data, provider: "38", url: inbox/38, expected: monthly}'
ROWS = "{name: rows, feed: dossiers, layout: dvcqg_csv, provider: td, url: inbox/rows/*.csv, expected: monthly}"


@pytest.mark.parametrize(
    ("provinces", "source", "refusal"),
    [
        ("all", ROWS, "chỉ nhận số liệu các tỉnh đã ký"),
        ('["38"]', EDITION, "chỉ bản cài đặt của cả nước"),
        ("all", EDITION.replace('"38"', "td"), "`provider` phải là mã của tỉnh gửi"),
    ],
)
def test_no_rows_are_taken_by_the_country_and_no_editions_by_a_province(tmp_path: Path, provinces: str, source: str, refusal: str) -> None:
    (tmp_path / "sources.yaml").write_text(f"provinces: {provinces}\nsources:\n  - {source}\n", "utf-8")
    with pytest.raises(Refusal, match=refusal):
        read_sources(tmp_path / "sources.yaml")


def test_a_country_is_all_provinces_and_what_stands_above_them(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(f"provinces: all\nsources:\n  - {EDITION}\n", "utf-8")
    codes = read_provinces(tmp_path / "sources.yaml")
    assert (codes[0], len(codes)) == ("VN", 35)
    assert read_sources(tmp_path / "sources.yaml")[0].title == "Số liệu các tỉnh đã ký công bố (Tỉnh Thanh Hóa)"
