"""What provinces signed → warehouse.fact_edition: the edition in force, by the rules EDN-…, and nobody speaks for another province."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from flows.ingest import ingest_delivery
from tasks.ask.releases import checksum
from tasks.deliveries.ledger import Outcome, pending
from tasks.deliveries.source import Source
from tasks.load.checked_with import checked_otherwise
from tasks.open_data.edition import Edition
from tasks.pull.landing import pull
from tests.editions import SHOPS, SIGNED, edition, put
from tests.nights import KEY
from warehouse.indicators import indicators
from warehouse.seed import know_provinces, mark_sample
from warehouse.settings import Settings


@pytest.fixture
def country(engine: Engine) -> Iterator[Engine]:
    """An installation that knows three provinces."""
    with engine.begin() as connection:
        know_provinces(connection, ["25", "38", "40"])
    yield engine


def source(shelf: Path, province: str = "38") -> Source:
    return Source(f"tinh-{province}", "editions", "open_data", province, str(shelf), "monthly")


def take(engine: Engine, home: Path, shelf: Path, province: str = "38") -> list[Outcome]:
    """What a night makes of what a province offers."""
    settings = Settings(home, None, home / "sources.yaml", KEY.encode())
    pull(engine, source(shelf, province), home)
    return [ingest_delivery(engine, delivery, settings, source(shelf, province)) for delivery in pending(engine, home)]


def facts(engine: Engine, where: str = "true") -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """What holds: indicator, unit and period → numerator, denominator, value, status."""
    query = (
        "SELECT indicator_code, unit_code, period, numerator, denominator, value, obs_status FROM warehouse.fact_edition "
        f"JOIN warehouse.dim_unit USING (unit_key) WHERE known_to = 'infinity' AND {where}"
    )
    with engine.connect() as connection:
        return {tuple(row[:3]): tuple(row[3:]) for row in connection.execute(text(query))}


def aside(engine: Engine) -> list[Any]:
    query = "SELECT rule_code, natural_key, column_name, message_vi FROM ops.quarantine ORDER BY rule_code, natural_key"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def with_lines(made: Edition, changed: Mapping[str, Mapping[str, Any]]) -> Edition:
    """The edition with what is otherwise in the lines of some indicators, signed as it is then."""
    lines = [replace(line, **changed.get(line.indicator_code, {})) for line in made.lines]
    return replace(made, lines=lines, checksum=checksum(lines))


SHOPS_OF_JANUARY = {
    ("K2g", "38", "2024-01"): (700, 2000, Decimal("35.0000"), "A"),
    ("K2g", "15655", "2024-01"): (400, 1000, Decimal("40.0000"), "A"),
    ("CQ4", "15655", "2024-01"): (None, None, None, "Q"),
    ("ST2", "38", "2024-01"): (7, None, Decimal("7.0000"), "A"),
}


def test_every_value_is_kept_as_it_was_signed(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, edition())
    (outcome,) = take(country, home, tmp_path)
    assert (outcome.status, outcome.verdict, outcome.received, outcome.loaded, outcome.quarantined) == ("loaded", "accept", 4, 4, 0)
    assert facts(country) == SHOPS_OF_JANUARY
    with country.connect() as connection:
        row = connection.execute(text("SELECT file_name, business_period, exported_at FROM ops.delivery")).one()
    assert (row.file_name, row.business_period, row.exported_at) == ("2024-01/1.zip", "2024-01", SIGNED)


# Corrected ---------------------------------------------------------------------------------------------------------------


def corrected() -> Edition:
    """Number 2: 420 shops in Ngọc Phụng and not 400; the teams are not told any more."""
    values = {**SHOPS, ("K2g", "38"): (720, 2000), ("K2g", "15655"): (420, 1000)}
    del values["ST2", "38"]
    return edition(values, number="2", created=SIGNED + timedelta(days=30))


AS_CORRECTED = {
    ("K2g", "38", "2024-01"): (720, 2000, Decimal("36.0000"), "A"),
    ("K2g", "15655", "2024-01"): (420, 1000, Decimal("42.0000"), "A"),
    ("CQ4", "15655", "2024-01"): (None, None, None, "Q"),
}


def test_a_corrected_edition_takes_the_place_of_the_one_before_and_of_nothing_else(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path / "38", edition())
    put(tmp_path / "38", edition(period="2024-02"))
    put(tmp_path / "40", edition({("K2g", "40"): (5, 10)}, province="40"))
    take(country, home, tmp_path / "38")
    take(country, home, tmp_path / "40", "40")
    others = facts(country, "period <> '2024-01' OR unit_code = '40'")
    put(tmp_path / "38", corrected())
    (outcome,) = take(country, home, tmp_path / "38")
    assert (outcome.loaded, outcome.unchanged) == (2, 1)
    assert facts(country, "period = '2024-01' AND unit_code <> '40'") == AS_CORRECTED
    assert facts(country, "period <> '2024-01' OR unit_code = '40'") == others
    with country.connect() as connection:
        told = connection.execute(text("SELECT file_name, status, supersedes FROM ops.delivery WHERE file_name = '2024-01/2.zip'")).one()
        assert told.supersedes == connection.scalar(
            text("SELECT delivery_id FROM ops.delivery WHERE file_name = '2024-01/1.zip' AND source = 'tinh-38'")
        )
        as_then = "SELECT count(*) FROM warehouse.fact_edition WHERE known_from <= :moment AND known_to > :moment"
        assert connection.scalar(text(as_then), {"moment": SIGNED + timedelta(days=1)}) == 9, "what was known then still answers"


def test_the_first_that_comes_after_the_second_changes_nothing(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, corrected())
    take(country, home, tmp_path)
    put(tmp_path, edition())
    (late,) = take(country, home, tmp_path)
    assert late.status == "superseded"
    assert facts(country) == AS_CORRECTED


def test_an_edition_read_again_changes_nothing(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, edition())
    take(country, home, tmp_path)
    with country.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET status = 'landed'"))
    (again,) = take(country, home, tmp_path)
    assert (again.loaded, again.unchanged) == (4, 0)  # its own rows, told again
    assert facts(country) == SHOPS_OF_JANUARY


# Set aside ---------------------------------------------------------------------------------------------------------------


def test_a_value_by_a_definition_that_is_another_here_is_set_aside_and_named(country: Engine, home: Path, tmp_path: Path) -> None:
    made = edition()
    definitions = [
        replace(one, definition="khác") if one.indicator_code == "K2g" else replace(one, version=2) if one.indicator_code == "ST2" else one
        for one in made.annex.definitions
    ]
    put(tmp_path, replace(made, annex=replace(made.annex, definitions=definitions)))
    (outcome,) = take(country, home, tmp_path)
    assert (outcome.verdict, outcome.loaded, outcome.quarantined) == ("accept_with_flags", 1, 3)
    told = {(rule, key): (column, message) for rule, key, column, message in aside(country)}
    keys = [f"{named}|2024-01-01|2024-01" for named in ("K2g|38", "K2g|15655", "ST2|38")]
    assert set(told) == {("EDN-006", key) for key in keys}
    assert told["EDN-006", "ST2|38|2024-01-01|2024-01"] == (
        "definition_version",
        "Định nghĩa của chỉ tiêu không có, hoặc khác, ở bản cài đặt này (ST2, phiên bản 2). Nâng cấp bên cài đặt bản cũ hơn; "
        "dòng được đọc lại khi hai bên như nhau.",
    )
    assert "(K2g, phiên bản 1)" in told["EDN-006", "K2g|15655|2024-01-01|2024-01"][1]
    with country.connect() as connection:
        observed = connection.scalar(text("SELECT observed FROM ops.verdict WHERE rule_code = 'EDN-006'"))
    assert observed == "K2g, phiên bản 1; ST2, phiên bản 2"


def test_what_was_set_aside_for_a_definition_is_read_again_when_the_installation_knows_another(
    country: Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = edition()
    definitions = [replace(one, decimals=one.decimals + (one.indicator_code == "ST2")) for one in made.annex.definitions]
    put(tmp_path, replace(made, annex=replace(made.annex, definitions=definitions)))
    take(country, home, tmp_path)
    sources = {"tinh-38": source(tmp_path)}
    upgraded = [one.model_copy(update={"decimals": one.decimals + (one.code == "ST2")}) for one in indicators()]
    with country.connect() as connection:
        assert list(checked_otherwise(connection, sources)) == []
        monkeypatch.setattr("tasks.load.editions.indicators", lambda: upgraded)
        assert len(list(checked_otherwise(connection, sources))) == 1
    with country.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET status = 'landed'"))
    take(country, home, tmp_path)
    assert facts(country) == SHOPS_OF_JANUARY
    assert aside(country) == []


@pytest.mark.parametrize("field", ["definition", "unit_measure", "decimals", "valid_from"])
def test_all_of_a_definition_has_to_be_the_same(field: str, country: Engine, home: Path, tmp_path: Path) -> None:
    made = edition()
    other = {"definition": "khác", "unit_measure": "tổ", "decimals": 2, "valid_from": SIGNED.date()}
    definitions = [replace(one, **{field: other[field]}) if one.indicator_code == "K2g" else one for one in made.annex.definitions]
    put(tmp_path, replace(made, annex=replace(made.annex, definitions=definitions)))
    assert take(country, home, tmp_path)[0].quarantined == 2
    assert {row[0] for row in aside(country)} == {"EDN-006"}


BROKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "EDN-004": ({"first_day": SIGNED.date()}, {"first_day": SIGNED.date().replace(month=1, day=31)}),
    "EDN-009": (
        {"numerator": 2001, "value": Decimal("100.1")},
        {"numerator": 2000, "value": Decimal("100.0")},
    ),
    "EDN-010": ({"value": Decimal("35.1")}, {"numerator": 701, "value": Decimal("35.1")}),  # 35,05 %, half up
}
"""Rule → what is changed in the shops of the province, 700 of 2.000, so that it is broken, and so that it is just not."""


@pytest.mark.parametrize("code", BROKEN)
def test_a_rule_of_the_loader_sets_the_row_aside_that_breaks_it_and_not_the_one_that_just_does_not(
    code: str, country: Engine, home: Path, tmp_path: Path
) -> None:
    breaks, holds = BROKEN[code]
    values = {("K2g", "38"): (700, 2000)}
    put(tmp_path, with_lines(edition(values), {"K2g": breaks}))
    take(country, home, tmp_path)
    assert [row[:2] for row in aside(country)] == [(code, f"K2g|38|{breaks.get('first_day', '2024-01-01')}|2024-01")]
    assert facts(country) == {}
    put(tmp_path, with_lines(edition(values, number="2", created=SIGNED + timedelta(days=1)), {"K2g": holds}))
    take(country, home, tmp_path)
    assert len(facts(country)) == 1


def test_half_goes_up_at_the_decimals_of_the_indicator(country: Engine, home: Path, tmp_path: Path) -> None:
    """1 of 800 is 0,125 %: 0,1 at one decimal; 1 of 2.000 is 0,05 %: 0,1; 999 of 2.000 is 49,95 %: 50,0."""
    values = {("K2g", unit): counts for unit, counts in (("15655", (1, 800)), ("15661", (1, 2000)), ("38", (999, 2000)))}
    put(tmp_path, edition(values))
    (outcome,) = take(country, home, tmp_path)
    assert outcome.quarantined == 0
    assert {key[1]: row[2] for key, row in facts(country).items()} == {
        "15655": Decimal("0.1"),
        "15661": Decimal("0.1"),
        "38": Decimal("50.0"),
    }


def test_a_count_is_its_own_value(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, with_lines(edition(), {"ST2": {"value": Decimal(8)}}))
    take(country, home, tmp_path)
    assert [row[:2] for row in aside(country)] == [("EDN-010", "ST2|38|2024-01-01|2024-01")]


def test_an_indicator_that_may_exceed_its_whole_does(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, edition({("ND1", "38"): (1100, 1000)}))
    (outcome,) = take(country, home, tmp_path)
    assert (outcome.loaded, outcome.quarantined) == (1, 0)


def test_nobody_speaks_for_the_units_of_another_province(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path / "40", edition({("K2g", "40"): (5, 10)}, province="40"))
    take(country, home, tmp_path / "40", "40")
    lines = [*edition({("K2g", "38"): (7, 10)}).lines, *edition({("K2g", "16669"): (9, 10)}, province="40").lines]
    forged = replace(edition({("K2g", "38"): (7, 10)}), lines=lines, checksum=checksum(lines))
    units = [*forged.annex.units, *edition({("K2g", "16669"): (9, 10)}, province="40").annex.units]
    units = [unit for unit in units if unit.level != "province" or unit.code == "38"]
    put(tmp_path / "38", replace(forged, annex=replace(forged.annex, units=units)))
    take(country, home, tmp_path / "38")
    assert [row[:2] for row in aside(country)] == [("EDN-003", "K2g|16669|2024-01-01|2024-01")]
    assert facts(country) == {
        ("K2g", "38", "2024-01"): (7, 10, Decimal("70.0"), "A"),
        ("K2g", "40", "2024-01"): (5, 10, Decimal("50.0"), "A"),
    }


# Refused ----------------------------------------------------------------------------------------------------------------


def refusal(engine: Engine, home: Path, shelf: Path, province: str = "38") -> tuple[str, str]:
    """Rule and message of the one delivery that was refused, of which nothing is kept."""
    (outcome,) = take(engine, home, shelf, province)
    assert (outcome.status, outcome.loaded, facts(engine)) == ("rejected", 0, {})
    assert outcome.cause is not None
    assert outcome.message_vi is not None
    return outcome.cause.rpartition(" ")[2], outcome.message_vi


def test_the_edition_of_another_province_is_refused(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, edition())
    rule, message = refusal(country, home, tmp_path, "40")
    assert rule == "EDN-024"
    assert message.startswith("Bản 2024-01/1.zip là số liệu của tỉnh khác (của Tỉnh Thanh Hóa, nguồn của Tỉnh Nghệ An).")


def test_what_went_into_a_province_speaks_for_it(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, edition({("K2g", "26"): (1, 10), ("K2g", "25"): (3, 10)}, province="25"))
    (outcome,) = take(country, home, tmp_path, "25")
    assert (outcome.loaded, outcome.quarantined) == (2, 0)


def test_sample_data_and_real_figures_never_stand_beside_each_other(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path / "sample", edition(is_sample=True))
    assert refusal(country, home, tmp_path / "sample")[0] == "EDN-025"
    with country.begin() as connection:
        mark_sample(connection, True)
    put(tmp_path / "real", edition(period="2024-02"))
    assert refusal(country, home, tmp_path / "real")[0] == "EDN-026"
    with country.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET status = 'landed' WHERE named_period = '2024-01'"))
    (outcome,) = take(country, home, tmp_path / "sample")
    assert (outcome.status, outcome.loaded) == ("loaded", 4)


def test_a_period_that_had_not_begun_when_it_was_signed_is_set_aside(country: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, edition({("K2g", "38"): (1, 10)}, "2024-08"))
    take(country, home, tmp_path)
    assert [row[0] for row in aside(country)] == ["EDN-005"]
