"""The declared indicators: complete, consistent, readable."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from pydantic import ValidationError

from expectations.contract import contract, feeds
from warehouse.country import provinces
from warehouse.indicators import Indicator, indicators, measures, never_more_together

OFFICIAL = {
    "CQ1", "CQ2", "CQ3", "CQ3L", "CQ4", "CQ5", "CQ6F", "CQ6P", "CQ7", "CQ8", "CQ9", "K1a", "K1b", "K2a", "K2b", "K2c", "K2d", "K2e", "K2f",
    "K2g", "K2h", "K2s", "K3a", "K3b", "ND1", "ND2", "ND3", "ND3A", "ND3T", "ND5", "ND5C", "ND7", "ND8", "ST1",
    "ST2", "ST3", "ST4",
}  # fmt: skip
USUAL = {
    "code": "X1", "name": "x", "definition": "x", "legal_source": "x", "pillar": "xa_hoi_so", "official_table": "x", "sort_order": 1,
}  # fmt: skip


def target(code: str, on: date) -> Decimal | None:
    indicator = next(i for i in indicators() if i.code == code)
    return next((t.value for t in indicator.targets if t.kind == "target" and t.valid_from <= on <= t.valid_to), None)


def test_every_official_indicator_is_declared_once() -> None:
    assert {i.code for i in indicators()} == OFFICIAL
    assert len({i.version_name for i in indicators()}) == len(indicators())


def test_indicators_are_printed_table_by_table() -> None:
    tables = [i.official_table for i in indicators()]
    assert len(set(tables)) == 1 + sum(before != after for before, after in pairwise(tables))


def test_a_measure_is_declared_where_the_offices_may_send_it_and_nowhere_else() -> None:
    (rule,) = [rule for rule in contract("unit_counts").rules if rule.code == "CNT-002"]
    assert sorted(measures()) == sorted(rule.args["value_set"])


@pytest.mark.parametrize(
    ("code", "on", "value"),
    [
        ("CQ4", date(2025, 12, 31), 70),  # Kế hoạch 2025
        ("K2a", date(2024, 12, 31), 60),  # QĐ 1829/QĐ-UBND
        ("K1a", date(2024, 12, 31), None),  # the 80 % of QĐ 766/QĐ-TTg give full marks: no target
        ("K2f", date(2024, 12, 31), None),
        ("K2f", date(2025, 12, 31), 45),  # Kế hoạch 2025
        ("ND1", date(2025, 12, 31), None),  # QĐ 411/QĐ-TTg is of adults with a smartphone, ND1 of subscriptions
        ("ND2", date(2025, 12, 31), 80),  # QĐ 411/QĐ-TTg
        ("ND5", date(2024, 12, 31), 30),  # QĐ 1829/QĐ-UBND
        ("CQ4", date(2024, 12, 31), None),
        ("ND8", date(2024, 12, 31), None),
    ],
)
def test_a_target_holds_for_the_time_for_which_it_was_laid_down(code: str, on: date, value: int | None) -> None:
    assert target(code, on) == value


def test_targets_of_an_indicator_never_overlap() -> None:
    for indicator in indicators():
        for kind in ("target", "full_marks"):
            in_order = sorted((t for t in indicator.targets if t.kind == kind), key=lambda t: t.valid_from)
            assert all(before.valid_to < after.valid_from for before, after in pairwise(in_order)), indicator.code


def test_a_target_of_others_is_not_held_against_an_indicator() -> None:
    told = {"fact": "dossier", "population": "dossiers"}
    adults = {"valid_from": date(2024, 1, 1), "value": 80, "population": "adults", "source": "Kế hoạch"}
    with pytest.raises(ValidationError, match="targets of \\['adults'\\]"):
        Indicator(**USUAL, **told, targets=[adults])


def test_adults_are_said_to_be_of_eighteen_and_never_divide_those_of_fourteen() -> None:
    rows = {i.code: i for i in indicators()}
    for code in ("ND1", "ND3", "ND3A", "ND5", "ND5C", "ND8"):
        assert rows[code].denominator == "population_adult"
        assert "từ đủ 18 tuổi" in rows[code].definition
    assert (rows["ND3T"].numerator, rows["ND3T"].denominator) == ("eid_issued_14plus", "population_14plus")


def test_public_service_payment_breaks_on_the_day_the_fees_were_waived() -> None:
    (broken,) = [i for i in indicators() if i.breaks]
    assert (broken.code, broken.breaks[0].from_) == ("K2f", date(2025, 6, 24))


def test_every_rate_of_people_is_kept_back_for_fewer_than_five() -> None:
    of_people = {i.code for i in indicators() if i.code.startswith("ND")} | {"K1b", "K2s", "K2a"}
    assert {i.code for i in indicators() if i.suppress_below == 5} == of_people


def test_parts_that_never_exceed_the_whole_are_declared_indicators() -> None:
    assert {code for group in never_more_together() for code in group} <= OFFICIAL


def test_the_way_of_counting_does_not_change_with_the_words() -> None:
    one = Indicator(**USUAL, fact="dossier", numerator="service_level = 4")
    renamed = Indicator(**{**USUAL, "name": "y", "legal_source": "y"}, fact="dossier", numerator="service_level = 4")
    recounted = Indicator(**USUAL, fact="dossier", numerator="service_level = 3")
    assert one.counted_as == renamed.counted_as != recounted.counted_as


def test_a_misspelt_key_is_an_error() -> None:
    with pytest.raises(ValidationError, match="nominator"):
        Indicator(**USUAL, fact="dossier", nominator="service_level = 4")


def test_a_measure_that_nobody_counts_is_an_error() -> None:
    with pytest.raises(ValidationError, match="measures not in"):
        Indicator(**USUAL, fact="unit_count", numerator="cats", denominator="households")


def test_a_target_holds_until_the_next_one_begins() -> None:
    whole = indicators()[0].model_dump(by_alias=True) | {"population": "dossiers"}
    first, second = (
        {"valid_from": day, "value": 50, "population": "dossiers", "source": "Kế hoạch"} for day in (date(2024, 1, 1), date(2024, 2, 1))
    )
    found = Indicator(**{**whole, "targets": [second, first]}).targets
    assert [(target.valid_from, target.valid_to) for target in found] == [
        (date(2024, 1, 1), date(2024, 1, 31)),
        (date(2024, 2, 1), date.max),
    ]
    with pytest.raises(ValidationError, match="overlaps the next one"):
        Indicator(**{**whole, "targets": [{**first, "valid_to": date(2024, 3, 1)}, second]})


def test_targets_of_two_provinces_stand_side_by_side_and_one_of_the_country_says_until_when_it_holds() -> None:
    whole = indicators()[0].model_dump(by_alias=True) | {"population": "dossiers"}
    first, second = (
        {"valid_from": day, "value": 50, "population": "dossiers", "source": "Kế hoạch"} for day in (date(2024, 1, 1), date(2024, 2, 1))
    )
    found = Indicator(**{**whole, "targets": [{**first, "province": "38"}, {**second, "province": "25"}]}).targets
    assert [(target.province, target.valid_to) for target in found] == [("38", date.max), ("25", date.max)]
    with pytest.raises(ValidationError, match="must say until when it holds"):
        Indicator(**{**whole, "targets": [first, {**second, "province": "38"}]})


def test_a_count_has_no_denominator_and_no_decimals() -> None:
    counted = Indicator(**USUAL, unit_measure="tổ", fact="unit_count", numerator="digital_teams")
    assert (counted.is_count, counted.decimals, counted.denominator_counts) == (True, 0, None)
    with pytest.raises(ValidationError, match="no denominator"):
        Indicator(**USUAL, unit_measure="tổ", fact="unit_count", numerator="digital_teams", denominator="households")


def test_what_two_indicators_divide_by_is_told_alike_where_it_is_the_same() -> None:
    whole = {i.code: i.denominator_counts for i in indicators()}
    assert whole["ND3"] == whole["ND5"] == whole["ND8"] == "population_adult" != whole["ND2"]
    assert whole["CQ4"] == whole["CQ7"] == whole["K1a"] not in (whole["CQ5"], whole["K2f"])


def test_an_indicator_cites_the_text_in_force_for_its_period() -> None:
    cited = {(i.code, i.listed_from): i.legal_source for i in indicators() if i.code in ("CQ6F", "CQ7")}
    assert cited["CQ7", date(2025, 7, 1)].startswith("Nghị định 118/2025/NĐ-CP")
    assert cited["CQ6F", date(2026, 7, 1)] == "Nghị định 224/2026/NĐ-CP"


def test_what_a_province_laid_down_names_a_province_there_is() -> None:
    named = {laid_down.province for indicator in indicators() for laid_down in (*indicator.targets, *indicator.breaks)}
    named |= {rule.args["province"] for feed in feeds() for rule in contract(feed).rules if "province" in rule.args}
    assert named == {"", "38"} <= {"", *provinces()}


def test_what_has_a_target_is_reached_by_more_and_counts_are_not_ranked() -> None:
    assert {i.code for i in indicators() if not i.is_ranked} == {"CQ6P", "K2h", "ST2", "ST3", "ST4"}
    aimed = {"value": 5, "valid_from": date(2024, 1, 1), "population": "p", "source": "s"}
    declared = {**USUAL, "fact": "dossier", "population": "p", "more_is_better": False, "targets": [aimed]}
    with pytest.raises(ValidationError, match="more is better"):
        Indicator.model_validate(declared)
