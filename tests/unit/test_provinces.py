"""The made-up editions of provinces are editions: whole, of the real units, adding up, and the same whenever they are written."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tasks.deliveries.edition_folder import check
from tests.provinces import write_province

LAI_CHAU, BAC_NINH, DONG_NAI = "12", "24", "75"
"""A small province that stayed as it was; one made of two that became a city on 20/9/2026; one with communes that became wards."""
SHOPS_WITH_QR, FEEDBACK = "K2g", "K3b"
"""Of things that are nobody's secret: a stock, and a flow."""


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def every_file(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    write_province(folder, LAI_CHAU, ["2024-03", "2026-10"])
    write_province(folder, LAI_CHAU, ["2026-10"], number=2)
    return folder


def counted(folder: Path, indicator: str) -> dict[str, dict[str, int]]:
    """Level → unit → numerator."""
    level = {one["unit_id"]: one["unit_level"] for one in rows(folder, "unit")}
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows(folder, "indicator"):
        if row["indicator_code"] == indicator and row["numerator"]:
            found[level[row["unit_id"]]][row["unit_id"]] = int(row["numerator"])
    return found


@pytest.mark.parametrize("place", ["2024-03/1", "2026-10/1", "2026-10/2"])
def test_an_edition_is_what_its_checksums_and_its_descriptor_say(shelf: Path, place: str) -> None:
    told = check(shelf / place)
    assert (told["edition"]["period"], told["edition"]["name"]) == tuple(place.split("/"))
    assert told["edition"]["provinces"] == [LAI_CHAU]


@pytest.mark.parametrize(
    ("period", "levels"), [("2024-03", {"province": 1, "district": 8, "commune": 106}), ("2026-10", {"province": 1, "commune": 38})]
)
def test_the_units_are_those_of_the_period(shelf: Path, period: str, levels: dict[str, int]) -> None:
    assert Counter(one["unit_level"] for one in rows(shelf / period / "1", "unit")) == levels


@pytest.mark.parametrize(
    ("province", "period", "provinces"), [(BAC_NINH, "2024-03", ["24", "27"]), (BAC_NINH, "2026-09", ["24@2026-09-20"])]
)
def test_what_went_into_a_province_is_told_beside_it_and_what_only_changed_its_name_is_one(
    tmp_path: Path, province: str, period: str, provinces: list[str]
) -> None:
    write_province(tmp_path, province, [period])
    check(tmp_path / period / "1")
    assert sorted(counted(tmp_path / period / "1", FEEDBACK)["province"]) == provinces


def test_communes_that_became_wards_within_a_month_are_two_each_and_a_stock_is_of_the_later_ones(tmp_path: Path) -> None:
    write_province(tmp_path, DONG_NAI, ["2026-04"])
    folder = tmp_path / "2026-04" / "1"
    check(folder)
    ended = {one["unit_id"] for one in rows(folder, "unit") if one["unit_level"] == "commune" and one["ends_on"] == "2026-04-29"}
    assert len(ended) == 10
    shops, feedback = counted(folder, SHOPS_WITH_QR), counted(folder, FEEDBACK)
    assert sum(feedback["province"].values()) == sum(feedback["commune"].values())
    assert sum(shops["province"].values()) == sum(number for unit, number in shops["commune"].items() if unit not in ended)


@pytest.mark.parametrize("indicator", [SHOPS_WITH_QR, FEEDBACK])
def test_communes_add_up_to_districts_and_these_to_the_province(shelf: Path, indicator: str) -> None:
    found = counted(shelf / "2024-03" / "1", indicator)
    assert sum(found["commune"].values()) == sum(found["district"].values()) == sum(found["province"].values()) > 0


def test_values_are_of_every_kind(shelf: Path) -> None:
    found = rows(shelf / "2024-03" / "1", "indicator")
    kinds = Counter((one["obs_status"], one["obs_reason"], one["conf_status"], bool(one["value"])) for one in found)
    assert kinds.keys() == {
        ("A", "", "F", True),
        ("P", "", "F", True),
        ("L", "", "F", False),
        ("M", "no_cases", "F", False),
        ("M", "not_applicable", "F", False),
        ("Q", "small_count", "A", False),
        ("Q", "gives_another_away", "D", False),
    }
    assert kinds["A", "", "F", True] > len(found) / 2
    for one in found:
        if one["unit_measure"] == "PERCENT" and one["value"]:
            numerator, denominator = int(one["numerator"]), int(one["denominator"])
            assert numerator <= denominator
            tenths = (2000 * numerator + denominator) // (2 * denominator)  # half up
            assert one["value"] == f"{tenths // 10}.{tenths % 10}"


def test_a_second_edition_differs_in_one_commune_and_above_it(shelf: Path) -> None:
    changed = rows(shelf / "2026-10" / "2", "revision")
    level = {one["unit_id"]: one["unit_level"] for one in rows(shelf / "2026-10" / "2", "unit")}
    units = {one["unit_id"] for one in changed}
    assert sorted(level[unit] for unit in units) == ["commune", "province"]
    assert {one["cause"] for one in changed} == {"data"}
    assert all(int(one["numerator"]) < int(one["numerator_before"]) for one in changed)
    assert rows(shelf / "2026-10" / "1", "revision") == []


def test_what_is_returned_is_what_the_editions_say_of_the_province(shelf: Path, tmp_path: Path) -> None:
    said = write_province(tmp_path, LAI_CHAU, ["2024-03", "2026-10"])
    told = {
        (period, one["indicator_code"]): (one["numerator"], one["denominator"], one["value"], one["obs_status"])
        for period in ("2024-03", "2026-10")
        for one in rows(shelf / period / "1", "indicator")
        if one["unit_code"] == LAI_CHAU
    }
    cells = {
        (line.period, line.indicator_code): (
            "" if cell is None else str(cell) for cell in (line.numerator, line.denominator, line.value, line.obs_status)
        )
        for line in said
    }
    assert {key: tuple(one) for key, one in cells.items()} == told


def test_written_again_the_bytes_are_the_same(shelf: Path, tmp_path: Path) -> None:
    write_province(tmp_path, LAI_CHAU, ["2024-03"])
    assert every_file(tmp_path / "2024-03") == every_file(shelf / "2024-03")
