"""What is declared of the open data: tables and codes in both languages, and what a province says of its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tasks.open_data.data import as_csv
from tasks.open_data.declaration import read_open_data
from tasks.open_data.declared import codes, tables
from tasks.open_data.kinds import content_type
from tasks.open_data.sdmx import COMPONENTS, measure_id
from tasks.words import vietnamese as vi
from tests.nights import SAMPLES
from warehouse.indicators import indicators
from warehouse.settings import Refusal


def test_every_column_and_every_code_is_called_something_in_both_languages() -> None:
    for table in tables().values():
        assert set(table.key) <= set(table.names)
        for column in table.columns:
            assert all((column.title.vi, column.title.en, column.means.vi, column.means.en)), column.name
    assert all(words.vi and words.en for listed in codes().values() for words in listed.values())
    assert {component.column for component in COMPONENTS} - {None} <= set(tables()["indicator"].names)


def test_every_status_that_the_pages_name_is_a_code() -> None:
    assert codes()["obs_status"].keys() == vi.OBS_STATUS.keys()
    assert codes()["obs_reason"].keys() >= {*vi.OBS_REASON, *vi.OBS_DOUBT}
    assert codes()["pillar"].keys() == vi.PILLAR.keys()


def test_every_indicator_is_named_in_english_and_every_unit_of_measure_is_a_code() -> None:
    assert [one.code for one in indicators() if not (one.name_en and one.definition_en)] == []
    assert {one.unit_measure for one in indicators()} <= codes()["unit_measure"].keys()
    assert [measure_id(one) for one in codes()["unit_measure"]] == ["PERCENT", "DIEM", "TO", "LUOT_NGUOI", "BUOI"]


def test_a_cell_is_written_as_rfc_4180_and_iso_8601_have_it() -> None:
    written = as_csv(("a", "b"), [(Decimal("70.0"), date(2024, 12, 31)), (None, True), ('a "b", c\r\nd', 3)])
    assert written.decode() == 'a,b\r\n70.0,2024-12-31\r\n,true\r\n"a ""b"", c\r\nd",3\r\n'


def test_a_server_says_what_a_file_is() -> None:
    assert content_type("indicator.csv") == "text/csv; charset=utf-8"
    assert content_type("indicator.parquet") == "application/vnd.apache.parquet"
    assert content_type("index.html") == "text/html; charset=utf-8"
    assert content_type("dcat.jsonld") == "application/ld+json; charset=utf-8"


def a_declaration(folder: Path, told: str) -> Path:
    path = folder / "sources.yaml"
    path.write_text(f"sources: []\nopen_data: {told}\n", "utf-8")
    return path


def test_a_province_says_publisher_licence_contact_and_address(tmp_path: Path) -> None:
    told = "{publisher: UBND tỉnh, licence: {name: Giấy phép}, contact: {name: Sở, email: a@b.vn}, base_url: 'https://b.vn/open-data/', "
    found = read_open_data(a_declaration(tmp_path, told + "agency: VN38, provisional: [year, month]}"))
    assert (found.publisher, found.agency, found.provisional) == ("UBND tỉnh", "VN38", ("year", "month"))
    assert found.licence is not None
    assert (found.licence.name, found.licence.url) == ("Giấy phép", None)


def test_the_samples_say_who_publishes_and_make_up_no_licence() -> None:
    found = read_open_data(SAMPLES)
    assert (found.publisher, found.licence) == (None, None)


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ("{base_url: 'ftp://b.vn/'}", "open_data.base_url"),
        ("{base_url: 'https://b.vn/open-data'}", "open_data.base_url"),
        ("{agency: 'Thanh Hóa'}", "open_data.agency"),
        ("{provisional: [week]}", "open_data.provisional.0"),
        ("{license: {name: x}}", "open_data.license"),
        ("{licence: {url: 'https://b.vn'}}", "open_data.licence.name"),
        ("[1]", "open_data"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_name(tmp_path: Path, told: str, where: str) -> None:
    with pytest.raises(Refusal, match=f"`{where}` không dùng được"):
        read_open_data(a_declaration(tmp_path, told))
