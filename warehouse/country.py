"""The country's administrative units as the reference files have them: which of them a province is made of, now and before a reform.

A province is named by the code it has today, and what went into it belongs to it: to Phú Thọ (25) the old Vĩnh Phúc (26) and Hòa Bình (17).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"
COUNTRY = "VN"
"""Code of the whole country (ISO 3166), which stands above the provinces where an installation reports for all of them."""
FOREVER = ("0001-01-01", "9999-12-31")
"""First and last day of what has no known beginning or is in force."""

Row = Mapping[str, str]
WHOLE: Row = {
    "code": COUNTRY,
    "name": "Cả nước",
    "level": "country",
    "kind": "cả nước",
    "parent_code": "",
    "valid_from": FOREVER[0],
    "valid_to": FOREVER[1],
}
"""The country as a unit: no reference file has it."""


def rows(name: str) -> list[dict[str, str]]:
    """Rows of a reference file; a cell without value is empty."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        names, *lines = csv.reader(file)
    return [dict(zip(names, line, strict=True)) for line in lines]


@cache
def versions() -> tuple[Row, ...]:
    """Every unit of the country in each of its versions, in the order of the file; days that are not known stand for always."""
    return _dated("admin_units")


@cache
def portal_codes() -> tuple[Row, ...]:
    """Which province an identifier of the national portal, as H56, stands for, and when; of those that are no more it is not known."""
    return _dated("portal_codes")


@cache
def successions() -> tuple[Row, ...]:
    """Which unit went into which; `ended` is the last day of the old one."""
    found = rows("admin_unit_successions")
    for row in found:
        row["ended"] = _day_before(row["effective_date"])
    return tuple(found)


@cache
def provinces() -> dict[str, str]:
    """Code → name of the provinces there are today."""
    return {row["code"]: row["name"] for row in versions() if row["level"] == "province" and row["valid_to"] == FOREVER[1]}


def name_of(code: str) -> str:
    """Name of the country, or of a province of today."""
    return WHOLE["name"] if code == COUNTRY else provinces()[code]


def province_today(code: str) -> str | None:
    """The province of today that one with this code is, or went into; none where no province ever had the code."""
    if code in provinces():
        return code
    into = {row["old_code"]: row["new_code"] for row in successions()}
    ended = next((row["code"] for row in versions() if row["code"] == code and row["level"] == "province"), None)
    return province_today(into[ended]) if ended in into else None


def units_of(province: str) -> list[Row]:
    """The versions of all units that a province of today is made of or was made from, in the order of the file; of the country itself."""
    if province == COUNTRY:
        return [WHOLE]
    made_from, above = _into(), _by_parent()
    ours = [row for row in versions() if row["code"] == province and row["level"] == "province" and row["valid_to"] == FOREVER[1]]
    for row in ours:  # grows while it is walked: provinces that went into it, then what stands below
        ours += made_from[row["code"], row["valid_from"]] if row["level"] == "province" else []
    for row in ours:
        ours += [below for below in above[row["code"]] if below["valid_from"] <= row["valid_to"] and below["valid_to"] >= row["valid_from"]]
    kept = {(row["code"], row["valid_from"]) for row in ours}
    return [row for row in versions() if (row["code"], row["valid_from"]) in kept]


def may_identify(code: str, ours: Collection[str]) -> bool:
    """Whether an identifier of the portal is that of a province; any that is not known may be that of what went into a merged one."""
    today = {row["portal_code"]: row["province_code"] for row in portal_codes()}  # the last one of each
    if code in today:
        return today[code] in ours
    return code.startswith("H") and any(_is_merged(province) for province in ours)


def _dated(name: str) -> tuple[Row, ...]:
    first, last = FOREVER
    found = rows(name)
    for row in found:
        row["valid_from"], row["valid_to"] = row["valid_from"] or first, row["valid_to"] or last
    return tuple(found)


def _is_merged(province: str) -> bool:
    return any(row["level"] == "province" and row["code"] != province for row in units_of(province))


def _by_parent() -> Mapping[str, list[Row]]:
    below: dict[str, list[Row]] = defaultdict(list)
    for row in versions():
        below[row["parent_code"]].append(row)
    return below


def _into() -> Mapping[tuple[str, str], list[Row]]:
    """Code and first day of a province → those that went into it."""
    ended = {(row["code"], row["valid_to"]): row for row in versions() if row["level"] == "province"}
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in successions():
        if (row["old_code"], row["ended"]) in ended:
            found[row["new_code"], row["effective_date"]].append(ended[row["old_code"], row["ended"]])
    return found


@cache
def _day_before(day: str) -> str:
    return f"{date.fromisoformat(day) - timedelta(days=1)}"
