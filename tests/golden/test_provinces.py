"""The made-up editions of provinces against a real one: the sample night's, of the same month."""

from __future__ import annotations

import json
from typing import Any

from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import Edition, provisional_edition, rows_of
from tasks.open_data.files import files_of
from tests.conftest import SampleNight
from tests.provinces import edition_of
from warehouse.database import connect
from warehouse.embedded import serve

THANH_HOA, MONTH, YEAR = "38", "2024-03", "2024"


def kinds(edition: Edition) -> set[tuple[Any, ...]]:
    """Which cells are filled, and of which types, in values of a level, a status and a kind of measure."""
    level = {unit.code: unit.level for unit in edition.annex.units}
    return {
        (
            "commune" if level[line.unit_code] == "commune" else "above", line.unit_measure == "PERCENT", line.obs_status,
            line.obs_reason, line.conf_status,
            *(type(cell) for cell in (line.numerator, line.denominator, line.value, line.units_counted, line.units_expected)),
            line.value is None or -line.value.as_tuple().exponent == line.decimals,
        )
        for line in edition.lines
    }  # fmt: skip


def test_a_made_up_edition_looks_like_a_real_one(sample_night: SampleNight) -> None:
    with serve(sample_night.home) as server:
        engine = connect(server.url("owner", "bakhong"))
        with engine.connect() as connection:
            month, year = (provisional_edition(connection, period) for period in (MONTH, YEAR))
        engine.dispose()
    made = edition_of(THANH_HOA, MONTH)
    assert made.annex.definitions == month.annex.definitions
    real, ours = files_of(month, OpenData()), files_of(made, OpenData())
    assert list(ours) == list(real)
    for name in real:
        if name.endswith(".csv"):
            assert ours[name].partition(b"\r\n")[0] == real[name].partition(b"\r\n")[0]
    told, meant = (json.loads(files["datapackage.json"]) for files in (ours, real))
    assert [resource.get("schema") for resource in told["resources"]] == [resource.get("schema") for resource in meant["resources"]]
    assert told["edition"].keys() | {"note", "signed_by"} == meant["edition"].keys() | {"note", "signed_by"}
    units = {row[0]: row for row in rows_of(made)["unit"]}
    assert all(units[row[0]] == row for row in rows_of(month)["unit"])
    more = {kind[:5] for kind in kinds(made) - kinds(month) - kinds(year)}  # of what a province has, the samples happen to have no case
    assert more == {
        ("commune", True, "M", "no_cases", "F"),
        ("commune", False, "Q", "small_count", "A"),
        ("commune", False, "Q", "gives_another_away", "D"),
    }
