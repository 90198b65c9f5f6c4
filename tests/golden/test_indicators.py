"""The figures of the article on Ngọc Phụng, counted from rows: where it is right we agree, where it errs we do not."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tasks.deliveries.edition_folder import check
from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import signed_edition
from tasks.open_data.files import files_of
from tasks.open_data.shelf import write_folder
from tasks.report.signing import sign
from tests.warehouse.facts import NGOC_PHUNG, THUONG_XUAN, dossiers, publish, unit_counts, value
from tests.warehouse.test_gate import a_night

PRINTED = [
    # indicator, numerator, denominator, value, what the article prints
    ("CQ7", 1442, 1442, "100.0", "1.442/1.442, đạt 100%"),
    ("CQ6P", 1195, 1442, "82.9", "1.195 hồ sơ một phần"),
    ("CQ6F", 247, 1442, "17.1", "247 hồ sơ toàn trình"),
    ("ND3", 4795, 5205, "92.1", "4.795/5.205, đạt 92,1%"),
    ("ND7", 2660, 3798, "70.0", "2.660/3.798, đạt 70,2%: an error of the article"),
    ("ND2", 4575, 5648, "81.0", "4.575/5.648, đạt 81%"),
]


@pytest.fixture
def published(engine: Engine) -> Callable[[str, str], tuple[object, ...]]:
    """2024 as the article tells it: Ngọc Phụng's dossiers and counts, and one dossier of each other commune of the district."""
    with engine.begin() as connection:
        dossiers(connection, [{"service_level": 4}] * 247 + [{"service_level": 3}] * 1195)
        others = "SELECT unit_key FROM warehouse.dim_unit WHERE parent_code = '396' AND unit_code <> '15655'"
        dossiers(connection, [{"unit_key": key} for key in connection.scalars(text(others))])
        unit_counts(connection, NGOC_PHUNG, "2024", {"eid_issued": 4795, "population_adult": 5205})
        unit_counts(connection, NGOC_PHUNG, "2024", {"safety_software_users": 2660, "smartphone_subscribers": 3798})
        unit_counts(connection, NGOC_PHUNG, "2024", {"bank_account_holders": 4575, "population_15plus": 5648})
    publish(engine)

    def of(indicator: str, unit: str) -> tuple[object, ...]:
        found = value(engine, indicator, unit, "2024")
        assert found is not None
        return found[0], found[1], str(found[2])

    return of


@pytest.mark.parametrize(("indicator", "numerator", "denominator", "computed", "printed"), PRINTED, ids=[p[0] for p in PRINTED])
def test_the_commune_of_the_article(
    published: Callable[[str, str], tuple[object, ...]], indicator: str, numerator: int, denominator: int, computed: str, printed: str
) -> None:
    assert published(indicator, NGOC_PHUNG) == (numerator, denominator, computed), printed


def test_the_model_runs_in_all_sixteen_units_of_the_district(published: Callable[[str, str], tuple[object, ...]]) -> None:
    assert published("ST1", THUONG_XUAN) == (16, 16, "100.0")


def test_the_open_data_say_what_is_counted_from_rows(published: object, engine: Engine, tmp_path: Path) -> None:
    a_night(engine, datetime(2025, 6, 1, tzinfo=UTC))  # which looks at small groups too
    with engine.begin() as connection:
        signature = sign(connection, "2024", "Lan")
    with engine.connect() as connection:
        write_folder(files_of(signed_edition(connection, signature), OpenData()), tmp_path / "2024")
    check(tmp_path / "2024")
    with (tmp_path / "2024" / "indicator.csv").open(encoding="utf-8", newline="") as file:
        told = {row["indicator_code"]: row for row in csv.DictReader(file) if row["unit_id"] == NGOC_PHUNG}
    for indicator, numerator, denominator, computed, _ in PRINTED:
        found = told[indicator]
        assert (found["numerator"], found["denominator"], found["value"]) == (str(numerator), str(denominator), computed), indicator
