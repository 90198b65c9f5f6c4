"""The reference files of the whole country, and what a province is made of."""

from __future__ import annotations

import pandas as pd
import pytest

from warehouse import country

BEFORE, AFTER = "2025-06-30", "2025-07-01"


@pytest.fixture(scope="module")
def units() -> pd.DataFrame:
    """Every unit of the country in each of its versions."""
    return pd.DataFrame(country.versions())


@pytest.fixture(scope="module")
def successions() -> pd.DataFrame:
    """Which went into which."""
    return pd.DataFrame(country.successions())


def in_force(units: pd.DataFrame, day: str) -> pd.DataFrame:
    """The units of a day."""
    return units[(units["valid_from"] <= day) & (day <= units["valid_to"])]


def days_between(first: pd.Series, last: pd.Series) -> pd.Series:
    """How many days there are from one to another, both counted."""
    days = last.to_numpy().astype("datetime64[D]") - first.to_numpy().astype("datetime64[D]")
    return pd.Series(days.astype(int) + 1, first.index)


def test_versions_of_one_code_do_not_overlap(units: pd.DataFrame) -> None:
    ordered = units.sort_values(["code", "valid_from"])
    following = ordered.groupby("code")["valid_from"].shift(-1)
    assert ordered[ordered["valid_to"] >= following].empty
    assert ordered[ordered["valid_to"] < ordered["valid_from"]].empty


def test_every_unit_has_one_above_it_on_each_day_of_its_life(units: pd.DataFrame) -> None:
    below = units[units["parent_code"] != ""].reset_index()
    pairs = below.merge(units, left_on="parent_code", right_on="code", suffixes=("", "_above"))
    first, last = pairs[["valid_from", "valid_from_above"]].max(axis=1), pairs[["valid_to", "valid_to_above"]].min(axis=1)
    shared = days_between(first, last)
    covered = shared.clip(lower=0).groupby(pairs["index"]).sum().reindex(below["index"])
    assert covered.tolist() == days_between(below["valid_from"], below["valid_to"]).tolist()
    levels = pairs[shared > 0].groupby(["level", "level_above"]).size().index.tolist()
    assert levels == [("commune", "district"), ("commune", "province"), ("district", "province")]
    assert units[(units["parent_code"] == "") != (units["level"] == "province")].empty


def test_every_succession_joins_a_version_that_ended_with_one_that_began(units: pd.DataFrame, successions: pd.DataFrame) -> None:
    old = successions.merge(units, left_on=["old_code", "ended"], right_on=["code", "valid_to"])
    new = successions.merge(units, left_on=["new_code", "effective_date"], right_on=["code", "valid_from"])
    assert len(old) == len(new) == len(successions)
    assert not successions.duplicated(["old_code", "new_code", "effective_date"]).any()
    heirs = successions.groupby(["old_code", "ended"])["note"].agg(["size", "first", "nunique"])
    assert heirs[(heirs["nunique"] != 1) | ((heirs["size"] == 1) != (heirs["first"] == "whole"))].empty


def test_no_commune_or_province_ends_without_one_that_takes_it_over(units: pd.DataFrame, successions: pd.DataFrame) -> None:
    ended = units[(units["valid_to"] != country.FOREVER[1]) & (units["level"] != "district")]
    taken_over = successions.set_index(["old_code", "ended"]).index
    assert ended[~ended.set_index(["code", "valid_to"]).index.isin(taken_over)].empty


@pytest.mark.parametrize(
    ("day", "counted"),
    [
        (BEFORE, {"province": 63, "district": 696, "commune": 10_035}),
        (AFTER, {"province": 34, "commune": 3_321}),  # 34 resolutions 1654 to 1687/NQ-UBTVQH15
        ("2026-09-20", {"province": 34, "commune": 3_321}),
    ],
)
def test_there_are_as_many_units_as_the_resolutions_say(units: pd.DataFrame, day: str, counted: dict[str, int]) -> None:
    assert in_force(units, day)["level"].value_counts().to_dict() == counted


def test_special_zones_come_from_districts_that_had_no_communes(units: pd.DataFrame, successions: pd.DataFrame) -> None:
    assert (in_force(units, AFTER)["kind"] == "đặc khu").sum() == 13
    from_districts = successions[successions["old_code"].str.len() == 3]
    assert from_districts["new_code"].tolist() == ["11948", "19742", "20333", "21548", "26732"]


def test_the_provinces_share_the_units_out_among_them(units: pd.DataFrame) -> None:
    shared = [(row["code"], row["valid_from"]) for province in country.provinces() for row in country.units_of(province)]
    assert len(shared) == len(set(shared)) == len(units)


def test_a_merged_province_is_made_of_those_that_went_into_it() -> None:
    """Phú Thọ: resolution 202/2025/QH15; 148 communes and, of Thanh Hóa, which was not merged, 166: as the press printed them."""
    ours = pd.DataFrame(country.units_of("25"))
    assert in_force(ours, BEFORE).query("level == 'province'")["name"].tolist() == ["Tỉnh Hòa Bình", "Tỉnh Phú Thọ", "Tỉnh Vĩnh Phúc"]
    assert in_force(ours, AFTER)["level"].value_counts().to_dict() == {"commune": 148, "province": 1}
    assert in_force(pd.DataFrame(country.units_of("38")), AFTER)["level"].value_counts().to_dict() == {"commune": 166, "province": 1}


def test_a_code_that_another_province_has_today_means_the_one_of_today() -> None:
    """91 was Kiên Giang and is An Giang, of which the code was 89."""
    assert [row["name"] for row in country.units_of("91") if row["level"] == "province"] == [
        "Tỉnh An Giang",
        "Tỉnh Kiên Giang",
        "Tỉnh An Giang",
    ]
    assert (country.province_today("91"), country.province_today("89"), country.province_today("99")) == ("91", "91", None)


def test_names_of_other_spelling_and_identifiers_of_the_portal_belong_to_units_there_are(units: pd.DataFrame) -> None:
    variants = pd.DataFrame(country.rows("name_variants")).replace({"valid_to": {"": country.FOREVER[1]}})
    assert len(variants.merge(units, on=["code", "valid_to", "name"])) == len(variants)
    codes = pd.DataFrame(country.portal_codes())
    for day in (BEFORE, AFTER):
        named = in_force(codes, day).merge(in_force(units, day), left_on="province_code", right_on="code")
        assert len(named) == 34
        assert (named["level"] == "province").all()
        assert all(name.endswith(short) for name, short in zip(named["name_y"], named["name_x"], strict=True))
    assert sorted(in_force(codes, AFTER)["province_code"]) == sorted(country.provinces())


@pytest.mark.parametrize(
    ("code", "provinces", "may_be"),
    [
        ("H56", ["38"], True),
        ("H44", ["38"], False),
        ("H62", ["38"], False),
        ("H62", ["25"], True),
        ("H56", ["25"], False),
        ("G01", ["25"], False),
    ],
)
def test_an_identifier_of_the_portal_is_ours_or_may_be_that_of_a_province_that_went_into_ours(
    code: str, provinces: list[str], may_be: bool
) -> None:
    assert country.may_identify(code, provinces) is may_be
