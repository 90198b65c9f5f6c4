"""The official indicators: YAML, one file an official table → checked model.

A steward reads and changes the YAML; what its keys mean stands here. It knows neither Prefect nor the database.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

Fact = Literal["dossier", "bill", "unit_count", "survey", "signature", "signature_holder", "units"]
FACTS: tuple[Fact, ...] = get_args(Fact)
Level = Literal["commune", "district", "province"]


class Model(BaseModel):
    """Strict base: a misspelt key in a YAML is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(Model):
    """A value to be reached, for the periods that end while it holds."""

    valid_from: date
    valid_to: date = date.max
    value: Decimal = Field(ge=0)
    source: str


class Break(Model):
    """A day from which the values are no longer comparable with those before: they carry the status B."""

    from_: date = Field(alias="from")
    reason: str


_NOT_COUNTED = {
    "code", "version", "listed_from", "listed_to", "name", "definition", "legal_source", "pillar", "official_table", "sort_order",
    "unit_measure", "targets",
}  # fmt: skip


class Indicator(Model):
    """One version of an indicator: what it is called, where it is laid down, how it is counted.

    In the YAML an entry is one version; where a definition, name or way of counting changes from a day on, `versions` lists what
    differs in each, with `valid_from`; all else is shared. A period is shown by the version in force on its last day.
    """

    code: str = Field(pattern=r"^[A-Z0-9a-z]{2,6}$")
    version: int = 1
    """1 for the first under the code, then 2, 3 … in the order of validity; never declared, but counted."""
    listed_from: date = date.min
    listed_to: date = date.max
    """Last days of the periods that are shown by this version: between two versions, the one before."""
    name: str
    definition: str
    legal_source: str
    pillar: Literal["chinh_quyen_so", "kinh_te_so", "xa_hoi_so"]
    official_table: str
    sort_order: int
    unit_measure: Literal["PERCENT"] = "PERCENT"
    decimals: int = Field(default=1, ge=0, le=6)
    valid_from: date = date(1, 1, 1)
    valid_to: date = date.max
    levels: list[Level] = ["commune", "district", "province"]
    """Levels at which it is published; elsewhere it does not apply (M)."""
    fact: Fact
    """What is counted. dossier, bill: rows, by SQL conditions over the columns named in `tasks.count.counts`;
    unit_count: two measures of measures.csv; survey: answers to the question that bears the indicator's code;
    signature: a column of the carriers' reports; signature_holder: distinct persons; units: units that report."""
    counted_by: Literal["received", "ended"] = "received"
    """dossier: whether a dossier belongs to the period in which it was received, or to that in which it ended."""
    count: Literal["rows", "customers", "amount"] = "rows"
    """bill: bills, distinct customers, or VND (of which the numerator is what was paid without cash)."""
    denominator: str = "TRUE"
    """Condition that puts a row into the denominator; a measure where the denominator is counted by an office."""
    numerator: str = "TRUE"
    """Condition that puts a row of the denominator into the numerator as well; a measure or column for counts."""
    fallback: str | None = None
    """Indicator whose counts stand in, as provisional (P), where this one has none."""
    may_exceed: str | None = None
    """Why the numerator may exceed the denominator; without it, the audit does not let such a value pass."""
    suppress_below: int | None = None
    """Persons below which the value is kept back (Q)."""
    breaks: list[Break] = []
    targets: list[Target] = []

    @model_validator(mode="after")
    def _measures_exist(self) -> Indicator:
        named = {"unit_count": [self.numerator, self.denominator], "signature": [self.denominator], "signature_holder": [self.denominator]}
        unknown = set(named.get(self.fact, [])) - measures().keys()
        if unknown:
            raise ValueError(f"{self.code}: measures not in measures.csv: {sorted(unknown)}")
        return self

    @property
    def is_stock(self) -> bool:
        """Whether it tells how things stand at the end of a period, not what happened in it."""
        if self.fact == "unit_count":
            return "flow" not in (measures()[self.numerator], measures()[self.denominator])
        return self.fact in ("signature", "signature_holder", "survey")

    @property
    def counts_whole(self) -> bool:
        """Whether a figure reported for a unit is that of the whole unit, and takes the place of the sum of those below it."""
        return self.fact in ("unit_count", "signature", "survey", "units")

    @property
    def adds_up(self) -> bool:
        """Whether the counts of months are added to those of quarters and years: rows and amounts are, persons are not."""
        return self.fact == "dossier" or (self.fact == "bill" and self.count != "customers")

    @property
    def is_sample(self) -> bool:
        """Whether only some units are asked, who stand for all: nothing is missing where the others say nothing."""
        return self.fact == "survey"

    @property
    def version_name(self) -> str:
        """The code of the first version, the code with its number of a later one: no two are alike."""
        return self.code if self.version == 1 else f"{self.code}_{self.version}"

    @property
    def counted_as(self) -> str:
        """How it is counted, as text: when this changes, every period is computed again."""
        return json.dumps(
            self.model_dump(
                mode="json",
                by_alias=True,
                exclude_defaults=True,
                exclude=_NOT_COUNTED,
            ),
            ensure_ascii=False,
            sort_keys=True,
        )


@cache
def measures() -> dict[str, str]:
    """Measure that offices count → stock (the last one reported holds) or flow (the parts of a period add up)."""
    rows = csv.DictReader(resources.files(__name__).joinpath("measures.csv").read_text("utf-8").splitlines())
    return {row["measure"]: row["kind"] for row in rows}


@cache
def indicators() -> tuple[Indicator, ...]:
    """All declared indicators, version by version, in the order in which they are printed."""
    entries = [
        {**shared, "sort_order": 100 * table["order"] + place, **entry}
        for table in _tables()
        for shared in [{"official_table": table["official_table"], "pillar": table["pillar"]}]
        for place, entry in enumerate(table["indicators"], 1)
    ]
    twice = [code for code, times in Counter(entry["code"] for entry in entries).items() if times > 1]
    found = [version for entry in entries for version in _versions(entry)]
    missing = {i.fallback for i in found if i.fallback} - {i.code for i in found}
    if twice or missing:
        raise ValueError(f"indicator codes used twice: {twice}; fallbacks not declared: {sorted(missing)}")
    return tuple(sorted(found, key=lambda i: (i.sort_order, i.version)))


def _versions(entry: dict[str, Any]) -> list[Indicator]:
    """The versions of an entry in the order of validity; each holds until the next begins, and is shown until then even where it ended."""
    shared = {name: value for name, value in entry.items() if name != "versions"}
    versions = sorted((Indicator(**{**shared, **version}) for version in entry.get("versions", [{}])), key=lambda i: i.valid_from)
    lasts = [after.valid_from - timedelta(days=1) for after in versions[1:]] + [date.max]
    for version, last in zip(versions, lasts, strict=True):
        if version.valid_from > last or last < version.valid_to < date.max:
            raise ValueError(f"{version.code}: the version valid from {version.valid_from} overlaps the next one")
    firsts = [date.min, *(version.valid_from for version in versions[1:])]
    return [
        version.model_copy(update={"version": number, "valid_to": min(version.valid_to, last), "listed_from": first, "listed_to": last})
        for number, (version, first, last) in enumerate(zip(versions, firsts, lasts, strict=True), 1)
    ]


def in_force(code: str, day: date) -> Indicator | None:
    """The version of an indicator that shows the periods ending on a day; nothing where the code, in any case, is not declared."""
    return next((i for i in indicators() if i.code.casefold() == code.casefold() and i.listed_from <= day <= i.listed_to), None)


@cache
def never_more_together() -> tuple[tuple[str, ...], ...]:
    """Groups of indicators whose numerators are parts of one denominator: together they never exceed it."""
    return tuple(tuple(group) for table in _tables() for group in table.get("never_more_together", []))


def _tables() -> list[dict[str, Any]]:
    files = [entry for entry in resources.files(__name__).iterdir() if entry.name.endswith(".yaml")]
    return [yaml.safe_load(entry.read_text("utf-8")) for entry in files]
