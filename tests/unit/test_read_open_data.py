"""A province's signed edition as a delivery: the rows of its indicator.csv, from a zip of which nothing is believed."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import contract
from tasks.deliveries.edition_folder import SUMS
from tasks.open_data.declaration import OpenData
from tasks.open_data.declared import tables
from tasks.open_data.files import files_of, sums
from tasks.read.bounded import read as read_bounded
from tasks.read.file import Rejected, read
from tasks.read.limits import Limits
from tests.editions import edition
from warehouse.tables import fact_edition

EDITIONS = contract("editions")


def packed(files: Mapping[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return told.getvalue()


def of(**changed: Any) -> dict[str, bytes]:
    """The files of January 2024 of Thanh Hóa, signed as number 1."""
    return files_of(replace(edition(), **changed), OpenData())


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Reads a zip, called as a delivery is."""

    def of_zip(content: bytes, name: str = "2024-01/1.zip") -> list[dict[str, Any]]:
        path = tmp_path / sha256(content).hexdigest()
        path.write_bytes(content)
        return [row for chunk in read(path, EDITIONS, "open_data", b"key", name) for row in chunk.table.to_pylist()]

    return of_zip


@pytest.fixture
def refused(rows: Callable[..., list[dict[str, Any]]]) -> Callable[..., Rejected]:
    def why(content: bytes, *name: str) -> Rejected:
        with pytest.raises(Rejected) as refusal:
            rows(content, *name)
        return refusal.value

    return why


def test_each_row_of_the_table_is_one_with_the_definition_it_was_counted_by(rows: Callable[..., list[dict[str, Any]]]) -> None:
    found = {(row["indicator_code"], row["unit_code"]): row for row in rows(packed(of()))}
    shops = found["K2g", "15655"]
    assert (shops["numerator"], shops["denominator"], shops["value"]) == (400, 1000, Decimal("40.0000"))
    assert (shops["period"], shops["first_day"], shops["definition_version"]) == ("2024-01", date(2024, 1, 1), 1)
    assert (shops["definition_unit"], shops["definition_decimals"], shops["definition_from"]) == ("PERCENT", 1, None)
    assert shops["definition"] == "Cửa hàng, điểm kinh doanh tại chợ có mã QR / tổng số cửa hàng, điểm kinh doanh"
    assert (shops["provinces"], shops["is_sample"]) == ("38", False)
    hidden = found["CQ4", "15655"]
    assert (hidden["numerator"], hidden["denominator"], hidden["value"], hidden["obs_status"]) == (None, None, None, "Q")
    assert found["ST2", "38"]["value"] == 7


def test_rows_are_numbered_as_a_spreadsheet_shows_indicator_csv(rows: Callable[..., list[dict[str, Any]]]) -> None:
    files = of()
    lines = files["indicator.csv"].decode().splitlines()
    for row in rows(packed(files)):
        assert lines[row["row_number"] - 1].startswith(f"{row['indicator_code']},1,{row['unit_code']},")


def test_what_went_into_a_province_of_today_is_of_that(rows: Callable[..., list[dict[str, Any]]]) -> None:
    of_vinh_phuc = edition({("K2g", "26"): (1, 10), ("K2g", "25"): (2, 10)}, province="25")
    assert {row["provinces"] for row in rows(packed(files_of(of_vinh_phuc, OpenData())))} == {"25"}
    of_two = edition({("K2g", "38"): (1, 10), ("K2g", "40"): (2, 10)})
    assert {row["provinces"] for row in rows(packed(files_of(of_two, OpenData())))} == {"38 40"}


# No person ---------------------------------------------------------------------------------------------------------------


def test_what_a_folder_may_hold_is_counted_and_names_no_person(rows: Callable[..., list[dict[str, Any]]]) -> None:
    """By hand: all that the contract lets in is a code, a day, a count, or a text of the declarations."""
    texts = {name for name, column in EDITIONS.columns.items() if column.type not in ("integer", "decimal", "date", "period", "boolean")}
    assert texts == {
        "indicator_code", "definition", "definition_unit", "unit_code", "obs_status", "obs_reason", "conf_status", "provinces",
    }  # fmt: skip
    assert not [name for name, column in EDITIONS.columns.items() if column.type in ("hash", "of_age", "dropped")]
    kept = {column.name for column in fact_edition.columns if column.type.python_type is str}
    assert kept == {
        "indicator_code",
        "period",
        "obs_status",
        "obs_reason",
        "conf_status",
    }
    assert set(EDITIONS.layouts["open_data"].headers) == set(tables()["indicator"].names)


@pytest.mark.parametrize("paper", ["038090001234", "0912345678", "lan@example.vn"])
def test_a_value_that_names_a_person_is_set_aside_wherever_it_stands(paper: str, tmp_path: Path) -> None:
    lines = [replace(line, obs_reason=paper) if line.indicator_code == "ST2" else line for line in edition().lines]
    path = tmp_path / "zip"
    path.write_bytes(packed(resigned(edition(), lines)))
    (chunk,) = read(path, EDITIONS, "open_data", b"key", "2024-01/1.zip")
    assert chunk.table.num_rows == 3
    assert paper not in str(chunk.faults.to_pylist())


def resigned(made: Any, lines: list[Any]) -> dict[str, bytes]:
    """The files of an edition with other lines, of which the descriptor lets any text stand for a reason, and all checksums are right."""
    files = files_of(replace(made, lines=lines), OpenData())
    descriptor = json.loads(files["datapackage.json"])
    for resource in descriptor["resources"]:
        for column in resource.get("schema", {}).get("fields", []):
            column.pop("constraints", None)
    return with_checksums(files | {"datapackage.json": json.dumps(descriptor).encode()})


def with_checksums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    rest = {name: content for name, content in files.items() if name != SUMS}
    return rest | {SUMS: sums(rest)}


# Refused whole -----------------------------------------------------------------------------------------------------------


def test_an_altered_file_is_named_and_the_edition_refused(refused: Callable[..., Rejected]) -> None:
    files = of()
    why = refused(packed(files | {"indicator.csv": files["indicator.csv"].replace(b"40.0", b"41.0")}))
    assert why.rule_code == "EDN-020"
    assert why.message_vi.startswith("Bản 2024-01/1.zip không phải là bản đã ký: indicator.csv: nội dung khác với mã kiểm tra")


def test_altered_values_with_new_checksums_do_not_fit_the_citation(refused: Callable[..., Rejected]) -> None:
    files = of()
    altered = files["indicator.csv"].replace(b"40.0", b"41.0")
    told = files["datapackage.json"].replace(*(sha256(one).hexdigest().encode() for one in (files["indicator.csv"], altered)))
    why = refused(packed(with_checksums(files | {"indicator.csv": altered, "datapackage.json": told})))
    assert why.rule_code == "EDN-020"
    assert "indicator.csv: các giá trị không cho ra mã kiểm tra" in why.message_vi


def test_a_file_that_is_missing_or_not_listed_is_named(refused: Callable[..., Rejected]) -> None:
    files = of()
    assert "unit.csv: không có, mà SHA256SUMS có ghi" in refused(packed({n: c for n, c in files.items() if n != "unit.csv"})).message_vi
    assert "more.csv: không có trong SHA256SUMS" in refused(packed(files | {"more.csv": b"x"})).message_vi


def test_what_nobody_signed_is_not_taken(refused: Callable[..., Rejected]) -> None:
    assert refused(packed(of(name="provisional")), "2024-01/provisional.zip").rule_code == "EDN-022"


@pytest.mark.parametrize("name", ["2024-02/1.zip", "2024-01/2.zip", "1.zip"])
def test_an_edition_in_the_place_of_another_is_refused(name: str, refused: Callable[..., Rejected]) -> None:
    why = refused(packed(of()), name)
    assert why.rule_code == "EDN-023"
    assert "bản mô tả ghi 2024-01/1" in why.message_vi


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 cut off",
        b"indicator_code\nK2g\n",
        packed({}),
        packed({"a.csv": b"x", SUMS: b""}),
        packed(with_checksums({"datapackage.json": b"[1]", "a.csv": b"x"})),
        packed(with_checksums({"datapackage.json": b"[" * 100_000, "a.csv": b"x"})),
        packed(with_checksums({"datapackage.json": b'{"resources": [{"path": 1}]}', "a.csv": b"x"})),
    ],
)
def test_what_is_no_edition_is_said_to_be_none(content: bytes, refused: Callable[..., Rejected]) -> None:
    assert refused(content).rule_code in ("EDN-020", "EDN-021")


@pytest.mark.parametrize("name", ["../up.csv", "/etc/passwd", "a/../../b", "C:\\x", "a/b/c/d", ".hidden", "038090001234/x y"])
def test_a_name_that_leads_elsewhere_is_in_no_edition(name: str, refused: Callable[..., Rejected]) -> None:
    why = refused(packed(of() | {name: b"x"}))
    assert why.rule_code == "EDN-021"
    assert name not in why.message_vi


def test_a_name_twice_is_in_no_edition(refused: Callable[..., Rejected]) -> None:
    told = io.BytesIO(packed(of()))
    with zipfile.ZipFile(told, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("unit.csv", b"another")
    assert refused(told.getvalue()).rule_code == "EDN-021"


def test_what_is_compressed_is_not_unpacked_for_it_may_be_anything(refused: Callable[..., Rejected]) -> None:
    bomb = packed(of() | {"zeros.csv": b"0" * (64 << 20)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 1 << 20
    assert refused(bomb).rule_code == "EDN-021"


def test_files_that_lie_over_each_other_are_more_than_the_zip_holds(refused: Callable[..., Rejected]) -> None:
    """Ten entries of one place, as a bomb without compression has them."""
    body = b"x" * (1 << 20)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, len(body), len(body), 1, 0) + b"a" + body
    entries = b"".join(
        struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, len(body), len(body), 2, 0, 0, 0, 0, 0, 0)
        + f"a{number}".encode()
        for number in range(10)
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 10, 10, len(entries), len(local), 0)
    assert refused(local + entries + end).rule_code == "EDN-021"


def test_a_descriptor_that_asks_for_endless_work_is_ended_by_the_bounded_reader(tmp_path: Path) -> None:
    files = of()
    told = files["datapackage.json"].decode()
    evil = told.replace('"pattern": "[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?"', '"pattern": "([0-9-]+)+x"')
    assert evil != told
    long = files["indicator.csv"].replace(b"2024-01,", b"2024-01" * 10 + b",")
    evil = evil.replace(sha256(files["indicator.csv"]).hexdigest(), sha256(long).hexdigest())
    path = tmp_path / "zip"
    path.write_bytes(packed(with_checksums(files | {"datapackage.json": evil.encode(), "indicator.csv": long})))
    with pytest.raises(Rejected) as why:
        list(read_bounded(path, EDITIONS, "open_data", b"key", "2024-01/1.zip", limits=Limits(silent_seconds=2)))
    assert why.value.rule_code == "STR-022"
