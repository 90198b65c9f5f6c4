"""The place of a unit among its neighbours: ties share it, what is missing has none and takes none."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tasks.ask.official_table import Line
from tasks.ask.ranks import key, ranks
from tests.unit.lines import LINE


def commune(code: str, value: str | None, **others: object) -> Line:
    return replace(LINE, unit_code=code, value=None if value is None else Decimal(value), parent_code="396", **others)  # type: ignore[arg-type]


def printed(lines: list[Line]) -> dict[str, str]:
    found = ranks(lines)
    return {line.unit_code: found[key(line)].printed for line in lines if key(line) in found}


def test_values_printed_alike_share_a_place_and_the_next_one_counts_them_all() -> None:
    lines = [commune("1", "70.0"), commune("2", "92.1"), commune("3", "81.0"), commune("4", "92.1")]
    assert printed(lines) == {"2": "1/4", "4": "1/4", "3": "3/4", "1": "4/4"}


def test_a_unit_without_a_value_has_no_place_and_is_not_last() -> None:
    lines = [commune("1", "70.0"), commune("2", None, obs_status="L"), commune("3", "0.0"), commune("4", None, obs_status="Q")]
    assert printed(lines) == {"1": "1/2", "3": "2/2"}


def test_neighbours_are_of_one_level_under_one_unit_in_one_period_of_a_code() -> None:
    district = replace(commune("396", "99.0"), unit_level="district", parent_code="38")
    elsewhere = replace(commune("9", "95.0"), parent_code="397")
    lines = [commune("1", "70.0"), commune("2", "92.1"), district, elsewhere, replace(elsewhere, unit_code="8", value=Decimal(1))]
    assert printed(lines) == {"2": "1/2", "1": "2/2", "9": "1/2", "8": "2/2"}, "a district alone is no ranking"


def test_a_province_has_no_neighbours() -> None:
    assert printed([replace(LINE, unit_level="province", unit_code=code, parent_code=None) for code in ("38", "40")]) == {}


def test_a_provisional_value_makes_every_place_beside_it_provisional() -> None:
    official, other = commune("1", "70.0"), commune("2", "92.1", obs_status="P")
    found = ranks([official, other, replace(official, indicator_code="ND2"), replace(other, indicator_code="ND2", obs_status="A")])
    assert found[key(official)].is_provisional
    assert not found["ND2", "1", LINE.first_day].is_provisional


def test_units_are_not_ranked_by_counts_nor_by_a_part_of_which_neither_more_nor_less_is_better() -> None:
    for code in ("CQ6P", "ST2", "K2h", "GONE"):
        assert printed([commune("1", "7", indicator_code=code), commune("2", "9", indicator_code=code)]) == {}, code
