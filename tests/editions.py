"""Signed editions of provinces, made without a warehouse: what one would write of values that a test names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from tasks.ask.annex import Annex, Definition, NamedUnit
from tasks.ask.official_table import Line
from tasks.ask.releases import checksum
from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import Edition
from tasks.open_data.files import files_of
from tasks.open_data.shelf import refresh, write_folder
from warehouse import country
from warehouse.indicators import in_force, indicators
from warehouse.periods import days

SIGNED = datetime(2024, 7, 5, 3, tzinfo=UTC)
Counts = tuple[int | None, int | None]
Values = Mapping[tuple[str, str], Counts]
"""Indicator and unit → numerator and denominator; withheld where neither is there."""
SHOPS: Values = {("K2g", "38"): (700, 2000), ("K2g", "15655"): (400, 1000), ("CQ4", "15655"): (None, None), ("ST2", "38"): (7, None)}
"""Of 2.000 shops of Thanh Hóa, 1.000 in Ngọc Phụng; three dossiers there, which nobody is to see; seven teams in the province."""


def edition(
    values: Values = SHOPS, period: str = "2024-01", number: str = "1", *, created: datetime = SIGNED, province: str = "38", **changed: Any
) -> Edition:
    """An edition of these values. `changed`: fields of it that are to be otherwise."""
    lines = [_line(code, unit, period, *counts) for (code, unit), counts in values.items()]
    told: dict[str, Any] = {
        "period": period,
        "name": number,
        "lines": lines,
        "annex": Annex(_units(lines, period, province), _DEFINITIONS, ["Sở Công Thương"], []),
        "as_of": created,
        "publication": 1,
        "created": created,
        "signed_by": "Lan",
        "note": None,
        "checksum": checksum(lines),
        "is_sample": False,
        "name_before": None,
        "lines_before": [],
    }
    return Edition(**told | changed)


def put(shelf: Path, made: Edition, declared: OpenData = OpenData()) -> Path:  # noqa: B008  # it never changes
    """Puts an edition to its place below a province's editions, and lists it there; returns its folder."""
    place = shelf / made.place
    write_folder(files_of(made, declared), place)
    refresh(shelf, declared)
    return place


_DEFINITIONS = [
    Definition(
        one.code, one.version, one.name, one.name_en, one.definition, one.definition_en, one.legal_source, one.official_table,
        one.pillar, one.unit_measure, one.decimals, one.valid_from, one.valid_to,
    )
    for one in indicators()
]  # fmt: skip


def _line(code: str, unit: str, period: str, numerator: int | None, denominator: int | None) -> Line:
    first, last = days(period)
    indicator = in_force(code, last)
    assert indicator is not None
    value = Decimal(numerator) if indicator.is_count and numerator is not None else None
    if numerator is not None and denominator is not None:
        value = (Decimal(100 * numerator) / denominator).quantize(Decimal(1).scaleb(-indicator.decimals), ROUND_HALF_UP)
    version = next(one for one in _versions(unit) if one.valid_to >= first)
    return Line(
        indicator_code=code,
        indicator_name=indicator.name,
        official_table=indicator.official_table,
        pillar=indicator.pillar,
        unit_code=unit,
        unit_name=version.name,
        unit_level=version.level,
        period=period,
        numerator=numerator,
        denominator=denominator,
        value=value,
        decimals=indicator.decimals,
        unit_measure=indicator.unit_measure,
        target=None,
        is_met=None,
        obs_status="Q" if value is None else "A",
        obs_reason="small_count" if value is None else None,
        conf_status="A" if value is None else "F",
        revision=1,
        definition=indicator.definition,
        legal_source=indicator.legal_source,
        first_day=max(first, version.valid_from),
        last_day=min(last, version.valid_to),
        parent_code=version.parent_code,
    )


def _units(lines: list[Line], period: str, province: str) -> list[NamedUnit]:
    first, last = days(period)
    codes = {line.unit_code for line in lines} | {province} | {line.parent_code for line in lines if line.parent_code}
    return [one for code in sorted(codes) for one in _versions(code) if one.valid_from <= last and one.valid_to >= first]


def _versions(code: str) -> list[NamedUnit]:
    return [
        NamedUnit(
            code, row["name"], row["kind"], row["level"], row["parent_code"] or None,
            date.fromisoformat(row["valid_from"]), date.fromisoformat(row["valid_to"]),
        )
        for row in country.versions()
        if row["code"] == code
    ]  # fmt: skip
