"""A signed edition as a folder that others take: readable by their tools, the same bytes again, without what is confidential."""

from __future__ import annotations

import csv
import json
import re
import shutil
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from tasks.ask.official_table import of_period
from tasks.ask.releases import signed
from tasks.ask.scope import PUBLIC, WHOLE
from tasks.deliveries.edition_folder import CATALOGUE, SUMS, Damaged, check
from tasks.open_data.declaration import Contact, Licence, OpenData
from tasks.open_data.edition import provisional_edition, signed_edition
from tasks.open_data.files import files_of
from tasks.open_data.kinds import KINDS
from tasks.open_data.shelf import INDEX, find, shelf_of, write_folder, write_missing, write_signed
from tasks.report.signing import sign
from tests.nights import SAMPLES, bakhong, environment
from tests.warehouse.facts import LUAN_KHE, NGOC_PHUNG, THUONG_XUAN, close, unit_counts
from tests.warehouse.test_confidentiality import LUONG_SON, received
from tests.warehouse.test_gate import JULY, JUNE, a_night, shops
from warehouse.settings import Refusal
from warehouse.tables import fact_unit_count

DECLARED = OpenData(
    publisher="Ủy ban nhân dân tỉnh Thanh Hóa",
    licence=Licence(name="Giấy phép thử nghiệm", url="https://example.vn/giay-phep"),
    contact=Contact(name="Sở Khoa học và Công nghệ", email="dulieu@example.vn"),
    base_url="https://example.vn/open-data/",
)


def written(engine: Engine, folder: Path, period: str = "2024-01", declared: OpenData = DECLARED) -> Path:
    """The folder of the last signed edition of a period."""
    with engine.connect() as c:
        write_folder(files_of(signed_edition(c, signed(c, period)[0]), declared), folder)
    return folder


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    """The rows of a table as anybody reads them."""
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row(folder: Path, indicator: str, unit: str) -> dict[str, str]:
    return next(one for one in rows(folder, "indicator") if (one["indicator_code"], one["unit_id"]) == (indicator, unit))


def every_file(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def january(engine: Engine) -> Engine:
    """January 2024, signed: 400 of 1000 shops of Ngọc Phụng have a QR code; of 3 communes with dossiers, one has three online."""
    with engine.begin() as c:
        shops(c, 1, 400)
        received(c, NGOC_PHUNG, 1, 3, 1234)
        received(c, LUAN_KHE, 1, 211, 500)
        received(c, LUONG_SON, 1, 300, 600)
    a_night(engine, JUNE)
    with engine.begin() as c:
        sign(c, "2024-01", "Lan", "đã đối chiếu")
    return engine


@pytest.fixture
def folder(january: Engine, tmp_path: Path) -> Path:
    return written(january, tmp_path / "edition")


def test_a_folder_holds_each_value_with_its_counts_its_definition_and_its_edition(folder: Path, january: Engine) -> None:
    with january.connect() as c:
        (number,) = c.scalars(text("SELECT release_id FROM ops.release"))
    assert set(every_file(folder)) == set(KINDS)
    shop_rate = row(folder, "K2g", NGOC_PHUNG)
    told = {name: shop_rate[name] for name in ("numerator", "denominator", "value", "obs_status", "conf_status", "period", "edition")}
    assert told == {
        "numerator": "400",
        "denominator": "1000",
        "value": "40.0",
        "obs_status": "A",
        "conf_status": "F",
        "period": "2024-01",
        "edition": str(number),
    }
    assert shop_rate["definition_version"] == "1"
    assert (
        row(folder, "K2g", "39999x", "definition") if False else any(one["indicator_code"] == "K2g" for one in rows(folder, "definition"))
    )
    assert (folder / "indicator.csv").read_bytes().count(b"\r\n") == len(rows(folder, "indicator")) + 1  # RFC 4180


def test_what_frictionless_makes_of_a_folder_is_valid(folder: Path) -> None:
    from frictionless import Package, validate  # slow to import

    report = validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["message"])
    package = Package(str(folder / "datapackage.json"))
    assert {resource.name for resource in package.resources if resource.tabular} >= {"unit", "definition", "indicator", "revision"}
    assert package.get_resource("indicator").schema.primary_key == ["indicator_code", "unit_id", "period"]


def test_a_descriptor_says_what_each_column_means_in_both_languages_and_under_what_it_may_be_used(folder: Path) -> None:
    told = json.loads((folder / "datapackage.json").read_text("utf-8"))
    tables = [resource for resource in told["resources"] if "schema" in resource]
    fields = [field for table in tables for field in table["schema"]["fields"]]
    assert all(" | " in field["title"] and " | " in field["description"] for field in fields)
    assert told["licenses"] == [{"name": "giay-phep-thu-nghiem", "title": "Giấy phép thử nghiệm", "path": "https://example.vn/giay-phep"}]
    assert told["contributors"][0] == {"title": "Ủy ban nhân dân tỉnh Thanh Hóa", "roles": ["publisher"]}
    status = next(field for field in fields if field["name"] == "obs_status")
    assert {"value": "Q", "label": "đã ẩn (ít người) | Missing value; suppressed"} in status["categories"]
    assert [one["value"] for one in tables[0]["schema"]["missingValues"]] == [""]


def test_without_a_declaration_no_licence_is_made_up(january: Engine, tmp_path: Path) -> None:
    folder = written(january, tmp_path / "edition", declared=OpenData())
    told = json.loads((folder / "datapackage.json").read_text("utf-8"))
    assert "licenses" not in told
    assert "Giấy phép: chưa khai báo" in (folder / "README.txt").read_text("utf-8")
    assert "Cơ quan công bố: Tỉnh Thanh Hóa" in (folder / "README.txt").read_text("utf-8")
    record = json.loads((folder / "dcat.jsonld").read_text("utf-8"))
    assert (record["@id"], "dct:license" in record) == ("./", False)


def test_pysdmx_reads_structure_and_data_back_with_the_same_values(folder: Path) -> None:
    from pysdmx.io import get_datasets, read_sdmx  # slow to import

    message = read_sdmx(str(folder / "sdmx" / "structure.xml"), validate=True)
    (flow,) = message.get_dataflows()
    assert (flow.agency, flow.id) == ("BAKHONG", "DF_BA_KHONG")
    areas = next(one for one in message.get_codelists() if one.id == "CL_AREA")
    assert {one.id for one in areas} == {one["unit_id"] for one in rows(folder, "unit")}
    (data,) = get_datasets(str(folder / "sdmx" / "data.csv"), str(folder / "sdmx" / "structure.xml"), validate=True)
    told = {
        (one.INDICATOR, one.REF_AREA, one.TIME_PERIOD, one.FREQ): (one.OBS_VALUE, one.NUMERATOR, one.DENOMINATOR, one.OBS_STATUS)
        for one in data.data.itertuples()
    }
    assert told["K2g", NGOC_PHUNG, "2024-01", "M"] == (40.0, 400, 1000, "A")
    values = {(one["indicator_code"], one["unit_id"]): one for one in rows(folder, "indicator")}
    assert len(told) == len(values)
    for (indicator, unit, _, _), (value, *_, status) in told.items():
        assert ("" if pd.isna(value) else str(value), status) == (values[indicator, unit]["value"], values[indicator, unit]["obs_status"])


def test_names_in_the_structure_are_in_both_languages(folder: Path) -> None:
    structure = (folder / "sdmx" / "structure.xml").read_text("utf-8")
    assert '<com:Name xml:lang="en">Provisional value</com:Name>' in structure
    assert '<com:Name xml:lang="vi">tạm tính</com:Name>' in structure
    assert structure.count('xml:lang="en"') == structure.count('xml:lang="vi"')


TERMS = {
    "dcat": {
        "Dataset", "Distribution", "distribution", "accessURL", "downloadURL", "mediaType", "byteSize", "version", "previousVersion",
        "isVersionOf", "contactPoint", "theme", "keyword", "startDate", "endDate", "versionNotes",
    },
    "dct": {
        "title", "description", "identifier", "issued", "modified", "publisher", "license", "accessRights", "bibliographicCitation",
        "accrualPeriodicity", "temporal", "spatial", "language", "format", "conformsTo", "PeriodOfTime", "Location", "LicenseDocument",
    },
    "foaf": {"Agent", "name"},
    "vcard": {"Kind", "fn", "hasEmail"},
    "skos": {"prefLabel"},
    "spdx": {"Checksum", "checksum", "algorithm", "checksumValue", "checksumAlgorithm_sha256"},
    "xsd": {"dateTime", "date", "hexBinary", "nonNegativeInteger"},
}  # fmt: skip
"""By hand from https://www.w3.org/TR/vocab-dcat-3/ and the vocabularies that it uses."""


def told_in(record: Any) -> Iterator[str]:
    """Every term of a record: keys, types and identifiers with a prefix of ours."""
    if isinstance(record, dict):
        for key, one in record.items():
            if key == "@context":
                continue
            yield from [key] if not key.startswith("@") else [one] if key in ("@type", "@id") and isinstance(one, str) else []
            yield from told_in(one)
    elif isinstance(record, list):
        for one in record:
            yield from told_in(one)


def test_a_record_speaks_dcat(folder: Path) -> None:
    record = json.loads((folder / "dcat.jsonld").read_text("utf-8"))
    prefixed = {term for term in told_in(record) if term.partition(":")[0] in record["@context"]}
    assert {term for term in prefixed if term.partition(":")[2] not in TERMS[term.partition(":")[0]]} == set()
    assert record["@id"].startswith("https://example.vn/open-data/2024-01/")
    assert record["dct:accrualPeriodicity"]["@id"].endswith("/frequency/MONTHLY")
    assert record["dct:temporal"]["dcat:endDate"] == {"@value": "2024-01-31", "@type": "xsd:date"}
    checksums = {one["dct:title"]: one["spdx:checksum"]["spdx:checksumValue"]["@value"] for one in record["dcat:distribution"]}
    assert checksums["indicator.csv"] == sha256((folder / "indicator.csv").read_bytes()).hexdigest()


def test_the_checksum_of_the_citation_can_be_taken_from_the_table_alone(folder: Path) -> None:
    columns = ("indicator_code", "unit_code", "first_day", "numerator", "denominator", "value", "obs_status")
    values = sorted(tuple(one[name] for name in columns) for one in rows(folder, "indicator"))
    told = "".join(",".join(cells) + "\n" for cells in [columns, *values])
    edition = json.loads((folder / "datapackage.json").read_text("utf-8"))["edition"]
    assert edition["checksum"] == f"sha256:{sha256(told.encode()).hexdigest()}"
    assert edition["checksum"].removeprefix("sha256:") in edition["citation"]
    assert edition["citation"].startswith("Ba Không, tháng 01/2024, bản ký số ")


# Small groups -----------------------------------------------------------------------------------------------------------


def test_no_number_that_is_withheld_stands_in_any_file(folder: Path, january: Engine) -> None:
    with january.connect() as c:
        whole, public = (of_period(c, "2024-01", scope) for scope in (WHOLE, PUBLIC))
    hidden = [line for line, shown in zip(whole, public, strict=True) if shown.is_hidden]
    counts = {count for line in hidden for count in (line.numerator, line.denominator) if count is not None and count > 99}
    counts -= {count for line in public for count in (line.numerator, line.denominator)}
    assert counts == {211}  # those of Luận Khê who came online: with the sum, it would tell the three of Ngọc Phụng
    commune = row(folder, "CQ4", NGOC_PHUNG)
    assert [commune[name] for name in ("numerator", "denominator", "value", "obs_status", "conf_status")] == ["", "", "", "Q", "A"]
    assert row(folder, "CQ4", THUONG_XUAN)["denominator"] == "2848"  # 1237 + 711 + 900
    told = b"\n".join(content for name, content in every_file(folder).items() if not name.endswith((".parquet", SUMS, ".jsonld", ".json")))
    assert [count for count in counts if re.search(rf"(?<![0-9a-f]){count}(?![0-9a-f])".encode(), told)] == []
    parquet = pq.ParquetFile(folder / "indicator.parquet")
    for name in ("numerator", "denominator"):
        kept = set(parquet.read([name]).column(name).to_pylist())
        group = parquet.metadata.row_group(0).column(parquet.schema_arrow.names.index(name)).statistics
        assert not counts & ({group.min, group.max} | kept)


# Always, and units ------------------------------------------------------------------------------------------------------


def test_always_is_nothing_and_not_the_year_one(folder: Path) -> None:
    for name, content in every_file(folder).items():
        assert b"0001-01-01" not in content, name
        assert b"9999-12-31" not in content, name
    units = pd.read_csv(folder / "unit.csv", dtype=str, parse_dates=["begins_on", "ends_on"]).set_index("unit_id")
    assert units["begins_on"].astype("datetime64[ns]").isna().all()
    assert str(units["ends_on"].astype("datetime64[ns]")[NGOC_PHUNG].date()) == "2025-06-30"
    table = pq.read_table(folder / "indicator.parquet").to_pandas(date_as_object=False, coerce_temporal_nanoseconds=True)
    assert table["last_day"].astype("datetime64[ns]").max() == pd.Timestamp("2024-01-31")


def test_two_units_that_bear_one_code_in_a_year_are_two(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as c:
        for period, on in (("2025-03", date(2025, 3, 31)), ("2025-09", date(2025, 9, 30))):
            unit_counts(c, "15661", period, {"shops_qr": 400, "shops_total": 1000}, on)
    a_night(engine, datetime(2026, 1, 15, tzinfo=UTC))
    with engine.begin() as c:
        sign(c, "2025", "Lan")
    folder = written(engine, tmp_path / "edition", "2025")
    versions = {one["unit_id"]: one for one in rows(folder, "unit") if one["unit_code"] == "15661"}
    assert {name: (one["begins_on"], one["ends_on"], one["parent_id"]) for name, one in versions.items()} == {
        "15661": ("", "2025-06-30", "396"),
        "15661@2025-07-01": ("2025-07-01", "", "38"),
    }
    assert {one["first_day"] for one in rows(folder, "indicator") if one["unit_id"] == "15661@2025-07-01"} == {"2025-07-01"}
    check(folder)


# The same again ---------------------------------------------------------------------------------------------------------


def test_two_processes_write_the_same_bytes(january: Engine, home: Path, tmp_path: Path) -> None:
    for number in ("1", "2"):
        env = environment(home, SAMPLES, january.url.render_as_string(hide_password=False)) | {
            "PYTHONHASHSEED": number,
            "TZ": f"UTC-{number}",
        }
        done = bakhong("open-data", "2024-01", "--to", str(tmp_path / number), env=env)
        assert done.returncode == 0, done.stderr
        assert "Trích dẫn: Ba Không" in done.stdout
    assert every_file(tmp_path / "1") == every_file(tmp_path / "2")


def test_an_edition_stays_what_it_was_whatever_happens_to_names(january: Engine, folder: Path, tmp_path: Path) -> None:
    with january.begin() as c:
        c.execute(text("UPDATE warehouse.dim_unit SET unit_name = 'Xã Khác' WHERE unit_code = :code"), {"code": NGOC_PHUNG})
        c.execute(text("UPDATE warehouse.dim_indicator SET definition = 'khác'"))
    assert every_file(written(january, tmp_path / "again")) == every_file(folder)


def test_what_was_signed_before_there_were_open_data_gets_its_folder_too(january: Engine, folder: Path, tmp_path: Path) -> None:
    with january.begin() as c:
        content = json.loads(zlib.decompress(c.execute(text("SELECT content FROM ops.release")).scalar_one()))
        del content["annex"]
        c.execute(text("UPDATE ops.release SET content = :content"), {"content": zlib.compress(json.dumps(content).encode())})
    assert every_file(written(january, tmp_path / "again")) == every_file(folder)


# Revisions --------------------------------------------------------------------------------------------------------------


def test_a_later_edition_says_what_changed_since_the_one_before_and_why(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as c:
        was = shops(c, 1, 400)
        shops(c, 1, 300, unit=LUAN_KHE)
    a_night(engine, JUNE)
    with engine.begin() as c:
        first = sign(c, "2024-01", "Lan")
        close(c, fact_unit_count, was, JULY)
        shops(c, 1, 420, exported_at=JULY)
    a_night(engine, JULY)
    with engine.begin() as c:
        second = sign(c, "2024-01", "Lan")
    folder = written(engine, tmp_path / "edition")
    told = {one["unit_id"]: one for one in rows(folder, "revision")}
    assert set(told) == {NGOC_PHUNG, THUONG_XUAN, "38"}  # and not Luận Khê
    commune = told[NGOC_PHUNG]
    assert (commune["numerator_before"], commune["numerator"], commune["cause"]) == ("400", "420", "data")
    assert (commune["edition_before"], commune["edition"]) == (str(first.release_id), str(second.release_id))
    assert (told["38"]["numerator_before"], told["38"]["numerator"], told["38"]["value"]) == ("700", "720", "36.0")
    assert commune["sources"] != ""
    record = json.loads((folder / "dcat.jsonld").read_text("utf-8"))
    assert record["dcat:previousVersion"] == {"@id": f"https://example.vn/open-data/2024-01/{first.release_id}/"}
    check(folder)


# Checked ----------------------------------------------------------------------------------------------------------------


def test_a_folder_as_it_was_written_passes_and_says_what_it_is(folder: Path) -> None:
    edition = check(folder)["edition"]
    assert (edition["period"], edition["is_provisional"], edition["provinces"]) == ("2024-01", False, ["38"])


@pytest.mark.parametrize("name", [name for name in KINDS if name != SUMS])
def test_an_altered_file_fails_by_its_name(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(Damaged, match=rf"{re.escape(name)}: nội dung khác"):
        check(folder)


def test_a_file_more_or_less_fails(folder: Path) -> None:
    (folder / "more.csv").write_text("a")
    with pytest.raises(Damaged, match=r"more\.csv: không có trong SHA256SUMS"):
        check(folder)
    (folder / "more.csv").unlink()
    (folder / "unit.csv").unlink()
    with pytest.raises(Damaged, match=r"unit\.csv: không có, mà"):
        check(folder)
    (folder / SUMS).write_text("../../etc/passwd\n")
    with pytest.raises(Damaged, match="SHA256SUMS"):
        check(folder)


def forged(folder: Path, name: str, old: str, new: str, *, in_descriptor: bool = True) -> None:
    """Alters a file and whatever tells its checksum."""
    before = sha256((folder / name).read_bytes()).hexdigest()
    told = (folder / name).read_bytes().decode()
    assert old in told
    (folder / name).write_bytes(told.replace(old, new, 1).encode())
    hashes = {before: sha256((folder / name).read_bytes()).hexdigest()}
    if in_descriptor and name != "datapackage.json":
        descriptor = folder / "datapackage.json"
        was = sha256(descriptor.read_bytes()).hexdigest()
        descriptor.write_text(descriptor.read_text("utf-8").replace(before, hashes[before]), "utf-8")
        hashes[was] = sha256(descriptor.read_bytes()).hexdigest()
    sums = (folder / SUMS).read_text()
    for was, now in hashes.items():
        sums = sums.replace(was, now)
    (folder / SUMS).write_text(sums)


def test_new_checksums_over_altered_values_do_not_help(folder: Path, tmp_path: Path) -> None:
    once = shutil.copytree(folder, tmp_path / "once")
    forged(once, "README.txt", "Ba Không", "Ba Khong")
    check(once)  # what nobody computes with may be written anew
    values = shutil.copytree(folder, tmp_path / "values")
    forged(values, "indicator.csv", ",400,1000,40.0,", ",500,1000,50.0,")
    with pytest.raises(Damaged, match=r"indicator\.csv: các giá trị không cho ra mã kiểm tra"):
        check(values)
    descriptor = shutil.copytree(folder, tmp_path / "descriptor")
    forged(descriptor, "unit.csv", "commune", "village")
    with pytest.raises(Damaged, match=r"unit\.csv: dòng 2, cột unit_level: ô không hợp lệ"):
        check(descriptor)
    keys = shutil.copytree(folder, tmp_path / "keys")
    forged(keys, "unit.csv", f"{NGOC_PHUNG},{NGOC_PHUNG}", f"99999,{NGOC_PHUNG}")
    with pytest.raises(Damaged, match=r"indicator\.csv: dòng \d+: unit_id không có trong unit\.csv"):
        check(keys)
    only_sums = shutil.copytree(folder, tmp_path / "sums")
    forged(only_sums, "indicator.csv", ",400,1000,40.0,", ",500,1000,50.0,", in_descriptor=False)
    with pytest.raises(Damaged, match=r"indicator\.csv: nội dung khác với mã kiểm tra trong datapackage\.json"):
        check(only_sums)


# All editions -----------------------------------------------------------------------------------------------------------


def test_the_night_writes_what_is_missing_and_nothing_twice(january: Engine, home: Path) -> None:
    shelf = shelf_of(home)
    with january.connect() as c:
        (first,) = write_missing(c, home, DECLARED)
        before = {path: path.stat().st_mtime_ns for path in shelf.rglob("*")}
        assert write_missing(c, home, DECLARED) == []
        assert {path: path.stat().st_mtime_ns for path in shelf.rglob("*")} == before
        shutil.rmtree(first)
        assert write_missing(c, home, DECLARED) == [first]
        assert write_signed(c, home, DECLARED, signed(c, "2024-01")[0]) == first
    check(shelf / "2024-01" / "latest")
    catalogue = json.loads((shelf / CATALOGUE).read_text("utf-8"))
    assert [one["dct:identifier"] for one in catalogue["dcat:dataset"]] == [f"ba-khong/2024-01/{first.name}"]
    assert f'href="2024-01/{first.name}/indicator.csv"' in (shelf / INDEX).read_text("utf-8")
    assert [path for path in shelf.rglob(".*") if path.name != ".provisional.json"] == []


def test_what_is_published_is_written_too_where_that_is_declared_and_says_that_it_is_provisional(january: Engine, home: Path) -> None:
    declared = OpenData(provisional=("month",))
    with january.begin() as c:
        assert {path.parent.name for path in write_missing(c, home, declared) if path.name == "provisional"} == {"2024-01"} | {
            row.period for row in c.execute(text("SELECT DISTINCT period FROM mart.indicator WHERE period_type = 'month'"))
        }
        assert write_missing(c, home, declared) == []
        shops(c, 1, 420, exported_at=JULY)
    provisional = shelf_of(home) / "2024-01" / "provisional"
    assert row(provisional, "K2g", NGOC_PHUNG)["edition"] == "provisional"
    assert "tạm tính" in json.loads((provisional / "datapackage.json").read_text("utf-8"))["title"]
    assert check(provisional)["edition"]["is_provisional"] is True
    assert (shelf_of(home) / "2024-01" / "latest").readlink().name != "provisional"
    a_night(january, JULY)
    with january.connect() as c:
        assert provisional in write_missing(c, home, declared)


def test_nothing_outside_of_the_editions_is_found(january: Engine, home: Path) -> None:
    with january.connect() as c:
        write_missing(c, home, OpenData(provisional=("month",)))
    shelf = shelf_of(home)
    (home / "secret").write_text("key")
    (shelf / "2024-01" / "out").symlink_to(home)
    assert find(shelf, "2024-01/latest/sdmx/data.csv") is not None
    for name in ("../secret", "2024-01/../../secret", "2024-01/out/secret", ".provisional.json", "2024-01//1", "", "/etc/passwd", "a\0b"):
        assert find(shelf, name) is None, name


def test_what_was_never_published_has_no_folder(engine: Engine) -> None:
    with engine.connect() as c, pytest.raises(Refusal, match="Chưa công bố số liệu nào của năm 2024"):
        provisional_edition(c, "2024")
