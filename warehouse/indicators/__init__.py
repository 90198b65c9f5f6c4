"""The official indicators: YAML, one file an official table → checked model.

A steward reads and changes the YAML; what its keys mean stands here. It knows neither Prefect nor the database.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date
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


class Indicator(Model):
    """One indicator: what it is called, where it is laid down, how it is counted."""

    code: str = Field(pattern=r"^[A-Z0-9a-z]{2,6}$")
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
    def adds_up(self) -> bool:
        """Whether the counts of months are added to those of quarters and years: rows and amounts are, persons are not."""
        return self.fact == "dossier" or (self.fact == "bill" and self.count != "customers")

    @property
    def is_sample(self) -> bool:
        """Whether only some units are asked, who stand for all: nothing is missing where the others say nothing."""
        return self.fact == "survey"

    @property
    def counted_as(self) -> str:
        """How it is counted, as text: when this changes, every period is computed again."""
        return json.dumps(
            self.model_dump(
                mode="json",
                by_alias=True,
                exclude_defaults=True,
                exclude={"code", "name", "definition", "legal_source", "pillar", "official_table", "sort_order", "unit_measure", "targets"},
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
def added_over_providers() -> frozenset[str]:
    """Measures of which each provider counts its own, so that their counts add up; of any other, two counts contradict each other."""
    rows = csv.DictReader(resources.files(__name__).joinpath("measures.csv").read_text("utf-8").splitlines())
    return frozenset(row["measure"] for row in rows if row["providers"] == "add_up")


@cache
def indicators() -> tuple[Indicator, ...]:
    """All declared indicators, in the order in which they are printed."""
    found = [
        Indicator(**{**shared, "sort_order": 100 * table["order"] + place, **entry})
        for table in _tables()
        for shared in [{"official_table": table["official_table"], "pillar": table["pillar"]}]
        for place, entry in enumerate(table["indicators"], 1)
    ]
    twice = [code for code, times in Counter(i.code for i in found).items() if times > 1]
    missing = {i.fallback for i in found if i.fallback} - {i.code for i in found}
    if twice or missing:
        raise ValueError(f"indicator codes used twice: {twice}; fallbacks not declared: {sorted(missing)}")
    return tuple(sorted(found, key=lambda i: i.sort_order))


@cache
def never_more_together() -> tuple[tuple[str, ...], ...]:
    """Groups of indicators whose numerators are parts of one denominator: together they never exceed it."""
    return tuple(tuple(group) for table in _tables() for group in table.get("never_more_together", []))


def _tables() -> list[dict[str, Any]]:
    files = [entry for entry in resources.files(__name__).iterdir() if entry.name.endswith(".yaml")]
    return [yaml.safe_load(entry.read_text("utf-8")) for entry in files]
