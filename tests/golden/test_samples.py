"""The sample inbox is what its generator writes, and holds the article's counts in its raw files."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
import python_calamine
import yaml

from expectations.contract import contract
from samples import generate
from tasks.deliveries.coverage import as_glob

INBOX = Path(generate.__file__).parent / "inbox"
SOURCES = Path(generate.__file__).parent / "sources.yaml"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    generate.main(folder)
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _cells(path: Path) -> list[list[object]]:
    return python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


def _text(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def _in_order(folder: str) -> pd.DataFrame:
    return pd.concat([_text(path) for path in sorted((INBOX / folder).glob("*.csv"))], ignore_index=True)


def _agency(unit: str) -> str:
    agencies = _text(next((INBOX / "catalogues").glob("agencies_*.csv")))
    return str(agencies.loc[agencies["MaDVHC"] == unit, "MaDonVi"].item())


def test_the_committed_inbox_is_what_the_generator_writes(written: Path) -> None:
    assert _files(written) == _files(INBOX)
    for name in _files(written):
        if name.suffix == ".csv":
            assert (written / name).read_bytes() == (INBOX / name).read_bytes(), name
        else:  # a zip's bytes depend on the machine's deflate; its cells must not
            assert _cells(written / name) == _cells(INBOX / name), name


def test_writing_twice_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    generate.main(tmp_path)
    assert all((written / name).read_bytes() == (tmp_path / name).read_bytes() for name in _files(written))


def test_the_inbox_is_small() -> None:
    assert sum((INBOX / name).stat().st_size for name in _files(INBOX)) < 6_000_000


def test_ngoc_phung_received_and_handled_1442_dossiers_in_2024_of_which_1195_partial_and_247_full() -> None:
    exports = [_text(path) for path in sorted((INBOX / "one-stop-shop").glob("*_2024*.csv"))]
    latest = pd.concat(exports).drop_duplicates("MaHoSo", keep="last")
    own = latest[(latest["MaDonViXuLy"] == _agency("15655")) & latest["NgayTiepNhan"].str.startswith("2024")]
    assert len(own) == 1442
    assert own["MucDo"].value_counts().to_dict() == {"3": 1195, "4": 247}
    assert set(own["TrangThaiHoSo"]) == {"9", "10"}


def test_the_article_s_counts_of_people_stand_in_the_offices_file() -> None:
    counts = _text(INBOX / "people-counts" / "dan_cu_mau_20241231.csv")
    own = counts[counts["unit_code"] == "15655"].set_index("measure")["value"].astype(int)
    expected = {
        "population_adult": 5205,
        "population_15plus": 5648,
        "eid_issued": 4795,
        "smartphone_subscribers": 3798,
        "safety_software_users": 2660,
        "bank_account_holders": 4575,
    }
    assert own[list(expected)].to_dict() == expected


def test_2795_persons_of_ngoc_phung_hold_a_certificate_in_force_some_of_both_carriers() -> None:
    carriers = [_text(next((INBOX / f"{carrier}-holders").glob("*.csv"))) for carrier in ("vnpt", "viettel")]
    held = pd.concat(carriers)
    own = held[(held["MaDVHC"] == "15655") & (held["TrangThai"] == "HIEU_LUC")]
    assert own["SoCCCD"].nunique() == 2795
    assert len(own) > 2795


def test_every_electricity_bill_of_2025_is_paid_without_cash() -> None:
    bills, paid = _in_order("evn"), _in_order("ecpay")
    bills = bills[bills["NAM"] == "2025"].merge(paid, on="ID_HDON", how="left")
    assert set(bills["HTHUC_TTOAN"]) <= {"CHUYEN_KHOAN", "QR", "VI", "TU_DONG"}


def test_surveys_rise_from_35_to_90_and_from_22_7_to_more_than_96_5_percent() -> None:
    answers = _in_order("surveys").astype({"respondents": int, "positive_answers": int})
    sums = answers.groupby(["question_code", "wave"])[["positive_answers", "respondents"]].sum()
    rates = (100 * sums["positive_answers"] / sums["respondents"]).to_dict()
    assert rates == {("K1b", "1"): 35.0, ("K1b", "2"): 90.0, ("K2s", "1"): 22.7, ("K2s", "2"): 96.6}


def test_every_generated_file_says_that_it_is_a_sample() -> None:
    for name in _files(INBOX):
        assert "mau" in name.name or name.parts[0] == "published", name
        if name.suffix == ".xlsx":
            assert str(_cells(INBOX / name)[0][0]).startswith("SỐ LIỆU MẪU"), name


def test_personal_values_are_all_listed_and_obviously_invented() -> None:
    values = generate.personal_values()
    dossiers = _in_order("one-stop-shop")
    assert set(dossiers["ChuHoSo"]) | set(dossiers["SoDienThoai"]) <= values
    assert set(_in_order("evn")["MA_KHANG"]) <= values
    invented = re.compile(r"Mẫu |mẫu |MAU\d|^999\d{9}$|^0999\d{6}$|\.invalid$")
    assert [value for value in values if not invented.search(value)] == []


def test_every_source_names_a_contract_a_layout_and_files_that_are_there() -> None:
    sources = yaml.safe_load(SOURCES.read_text("utf-8"))["sources"]
    found: set[Path] = set()
    for source in sources:
        assert source["layout"] in contract(source["feed"]).layouts, source["name"]
        files = sorted(SOURCES.parent.glob(as_glob(source["url"])))
        assert files, source["name"]
        found.update(files)
    assert {INBOX / name for name in _files(INBOX)} == {path for path in found if path.is_relative_to(INBOX)}
    assert len({source["name"] for source in sources}) == len(sources)


TABLES = [source for source in yaml.safe_load(SOURCES.read_text("utf-8"))["sources"] if not source["url"].endswith(".json")]


@pytest.mark.parametrize("source", TABLES, ids=lambda source: source["name"])
def test_the_headers_of_a_source_are_those_of_its_contract(source: dict[str, str]) -> None:
    layout = contract(source["feed"]).layouts[source["layout"]]
    headers = set(layout.headers)
    for path in SOURCES.parent.glob(as_glob(source["url"])):
        found = set(_text(path).columns) if path.suffix == ".csv" else {str(cell) for cell in _cells(path)[2]}
        assert headers - set(layout.optional) <= found <= headers, path.name
