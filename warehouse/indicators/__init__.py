"""The official indicators: YAML, one file an official table → checked model.

A steward reads and changes the YAML; what its keys mean stands here and, of the facts that are counted, in `facts`.
It knows neither Prefect nor the database.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator, model_validator

from warehouse.confidentiality import confidentiality
from warehouse.indicators.facts import CountedFact, Model

Level = Literal["commune", "district", "province"]


class Target(Model):
    """A value to be reached, for the periods that end while it holds."""

    kind: Literal["target", "full_marks"] = "target"
    """full_marks: from it on decision 766 gives all points; nobody has to reach it, and nobody is judged by it."""
    valid_from: date
    valid_to: date = date.max
    value: Decimal = Field(ge=0)
    population: str
    """Of whom or what it is a share; a target of another population than the indicator's is not held against it."""
    source: str
    """The document, with its number."""
    dated: date | None = None
    """Day of the document, where it is known."""
    place: str | None = None
    """Where it stands in the document: article, criterion, page, as far as they are known."""
    province: str = ""
    """Code of the province that set it for its units; without one it is the whole country's."""


class Break(Model):
    """A day from which the values are no longer comparable with those before: they carry the status B."""

    from_: date = Field(alias="from")
    reason: str
    province: str = ""
    """Code of the province whose law it is; without one it is the whole country's."""


_NOT_COUNTED = {
    "code", "version", "listed_from", "listed_to", "name", "definition", "legal_source", "pillar", "official_table", "sort_order",
    "unit_measure", "population", "targets", "fallback_note", "keeps_back_few", "more_is_better", "name_en", "definition_en",
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
    name_en: str = ""
    """The name for who reads no Vietnamese; the official one is the other."""
    definition: str
    definition_en: str = ""
    legal_source: str
    pillar: Literal["chinh_quyen_so", "kinh_te_so", "xa_hoi_so"]
    official_table: str
    sort_order: int
    unit_measure: str = "PERCENT"
    """PERCENT; or the thing counted, as `buổi`: then the numerator is the value, and the entry says no denominator."""
    decimals: int = Field(default=1, ge=0, le=6)
    valid_from: date = date(1, 1, 1)
    valid_to: date = date.max
    levels: tuple[Level, ...] = ("commune", "district", "province")
    """Levels at which it is published; elsewhere it does not apply (M)."""
    fact: str
    """What is counted: one of `facts()`."""
    counted_by: str = "received"
    """Where several things happen to a row of the fact on days of their own: the one whose day says to which period it belongs."""
    count: str = "rows"
    """rows; or one of the fact's amounts, or of what it counts once, as customers."""
    denominator: str = "TRUE"
    """Condition that puts a row into the denominator; a measure where the denominator is counted by an office."""
    numerator: str = "TRUE"
    """Condition that puts a row of the denominator into the numerator as well; a measure or column for counts."""
    fallback: str | None = None
    """Indicator whose counts stand in, as provisional (P), where this one has none."""
    fallback_note: str | None = None
    """What is shown there, in Vietnamese; readers are told with every value."""
    may_exceed: str | None = None
    """Why the numerator may exceed the denominator; without it, the audit does not let such a value pass."""
    keeps_back_few: bool = False
    """Whether of fewer persons than the threshold of confidentiality.yaml no value is shown to anybody (Q)."""
    sent_by: str = "all"
    """Communes that must send it: all; or a list of reference/unit_lists.csv. Of a survey it is those that were asked."""
    more_is_better: bool = True
    """Whether a unit with more of it stands better, as every target says of what it is set for; of a part of a whole neither may be."""
    population: str | None = None
    """Of whom or what it is a share, where it has a target: adults, people_15plus, households, dossiers …"""
    breaks: tuple[Break, ...] = ()
    targets: tuple[Target, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _counts_alone(cls, entry: dict[str, Any]) -> dict[str, Any]:
        """A count goes the way of a rate, over itself: it is there, or missing, where its numerator is."""
        if entry.get("unit_measure", "PERCENT") == "PERCENT":
            return entry
        if entry.get("denominator", entry.get("numerator")) != entry.get("numerator"):
            raise ValueError(f"{entry.get('code')}: a count has no denominator")
        return {"decimals": 0, **entry, "denominator": entry["numerator"]}

    @field_validator("targets")
    @classmethod
    def _one_at_a_time(cls, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """A target holds until the next of its kind, of the country or the same province; one that says otherwise is a mistake."""
        ordered = sorted(targets, key=lambda target: (target.kind, target.valid_from))
        found = []
        for place, target in enumerate(ordered):
            later = [
                after
                for after in ordered[place + 1 :]
                if after.kind == target.kind and ("" in (target.province, after.province) or after.province == target.province)
            ]
            last = later[0].valid_from - timedelta(days=1) if later else date.max
            if target.valid_from > last or last < target.valid_to < date.max:
                raise ValueError(f"the target valid from {target.valid_from} overlaps the next one")
            if last < target.valid_to and target.province != later[0].province:
                raise ValueError(f"the target valid from {target.valid_from} must say until when it holds: the next is not everybody's")
            found.append(target.model_copy(update={"valid_to": min(target.valid_to, last)}))
        return tuple(found)

    @model_validator(mode="after")
    def _is_counted(self) -> Indicator:
        if self.valid_to < self.valid_from:
            raise ValueError(f"{self.code}: valid_to lies before valid_from")
        if self.targets and not self.more_is_better:
            raise ValueError(f"{self.code}: a target is reached by more, so more is better")
        if (self.fallback is None) != (self.fallback_note is None):
            raise ValueError(f"{self.code}: a fallback and its note go together")
        if self.fact not in facts():
            raise ValueError(f"{self.code}: fact {self.fact} is declared in no file of warehouse/indicators/")
        fact = self.counted_fact
        if len(fact.days) > 1 and self.counted_by not in fact.days:
            raise ValueError(f"{self.code}: counted_by is none of {list(fact.days)}")
        if self.count not in ("rows", *fact.amounts, *fact.distinct):
            raise ValueError(f"{self.code}: count is none of {['rows', *fact.amounts, *fact.distinct]}")
        of_others = {target.population for target in self.targets} - {self.population}
        if of_others:
            raise ValueError(f"{self.code}: targets of {sorted(of_others)}, while it is a share of {self.population}")
        lists = ({self.sent_by} - {"all"}) | ({self.numerator} if fact.way == "listed" else set())
        if lists - {unit.name for unit in listed_units()}:
            raise ValueError(f"{self.code}: no unit is on the list {sorted(lists)}")
        named = {"reports": [self.numerator, self.denominator]}.get(fact.way, [self.denominator] if fact.divided_by else [])
        unknown = set(named) - measures().keys()
        if unknown:
            raise ValueError(f"{self.code}: measures not in measures.csv: {sorted(unknown)}")
        return self

    @property
    def counted_fact(self) -> CountedFact:
        """The fact it counts."""
        return facts()[self.fact]

    @property
    def is_stock(self) -> bool:
        """Whether it tells how things stand at the end of a period, not what happened in it."""
        if self.counted_fact.way == "reports":
            return not any(measures()[name].is_flow for name in (self.numerator, self.denominator))
        return self.counted_fact.is_stock

    @property
    def is_sample(self) -> bool:
        """Whether only some units are asked: it is told of these alone, and never of those above them."""
        return self.counted_fact.is_sample

    @property
    def counts_persons(self) -> bool:
        """Whether it counts each person once, by pseudonyms: equal under one key only."""
        return self.counted_fact.is_pseudonymised and (self.counted_fact.way == "holders" or self.count in self.counted_fact.distinct)

    @property
    def is_additive(self) -> bool:
        """Whether counts of communes may be added: no person or thing is counted once in them, and no sample stands for a whole."""
        once = self.count in self.counted_fact.distinct or self.counts_persons
        return "commune" in self.levels and self.counted_fact.way != "listed" and not once and not self.is_sample

    @property
    def suppress_below(self) -> int | None:
        """Persons below which the value is kept back (Q)."""
        return confidentiality().last.below if self.keeps_back_few else None

    @property
    def is_count(self) -> bool:
        """Whether the value is the count itself, not a rate."""
        return self.unit_measure != "PERCENT"

    @property
    def is_ranked(self) -> bool:
        """Whether units can be ranked by it: more is better, and it is a rate, as a count grows with the size of a unit."""
        return self.more_is_better and not self.is_count

    @property
    def numerator_counts(self) -> str:
        """What its numerator counts: the same text for the same thing, a measure for what an office counts."""
        if self.counted_fact.way == "reports":
            return self.numerator
        return f"{self._counted_rows} {self.denominator} AND {self.numerator}"

    @property
    def denominator_counts(self) -> str | None:
        """What its denominator counts, told as `numerator_counts` tells it; nothing of a count."""
        if self.is_count:
            return None
        if self.counted_fact.way == "reports" or self.counted_fact.divided_by:
            return self.denominator
        return f"{self._counted_rows} {self.denominator}"

    @property
    def _counted_rows(self) -> str:
        which = self.code if self.counted_fact.way == "waves" else self.counted_by if len(self.counted_fact.days) > 1 else ""
        return f"{self.fact} {self.count} {which}".rstrip()

    @property
    def version_name(self) -> str:
        """The code of the first version, the code with its number of a later one: no two are alike."""
        return self.code if self.version == 1 else f"{self.code}_{self.version}"

    @property
    def counted_as(self) -> str:
        """How it is counted, as text: when this changes, every period is computed again."""
        few = {"suppress_below": self.suppress_below} if self.keeps_back_few else {}
        declared = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=_NOT_COUNTED)
        return json.dumps(declared | few, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True)
class ListedUnit:
    """A unit on a declared list, as it was on the first of the days for which it is on it."""

    name: str
    """Name of the list."""
    unit_code: str
    valid_from: date
    valid_to: date


@cache
def listed_units() -> tuple[ListedUnit, ...]:
    """All lines of the declared lists of units, by reference/unit_lists.csv."""
    rows = csv.DictReader(resources.files("warehouse").joinpath("reference/unit_lists.csv").read_text("utf-8").splitlines())
    return tuple(
        ListedUnit(
            row["list"],
            row["unit_code"],
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max,
        )
        for row in rows
    )


@dataclass(frozen=True)
class Measure:
    """Something that offices count and report for a period."""

    is_flow: bool
    """The parts of a period add up; of a stock, the last one reported holds."""
    adds_up: bool
    """The counts of several providers, as carriers' subscribers, are added; else they contradict each other, and the last word holds."""
    name_vi: str = field(default="", repr=False)
    """What is counted, in Vietnamese; it decides nothing of how."""


@cache
def measures() -> dict[str, Measure]:
    """Measure that offices count → how its counts go together, by measures.csv."""
    rows = csv.DictReader(resources.files(__name__).joinpath("measures.csv").read_text("utf-8").splitlines())
    return {row["measure"]: Measure(row["kind"] == "flow", row["providers"] == "add_up", row["name_vi"]) for row in rows}


@cache
def facts() -> dict[str, CountedFact]:
    """All facts that indicators may count, by name."""
    return {name: CountedFact(**declared) for file in _files() for name, declared in file.get("facts", {}).items()}


@cache
def indicators() -> tuple[Indicator, ...]:
    """All declared indicators, version by version, in the order in which they are printed."""
    entries = [
        {**shared, "sort_order": 100 * table["order"] + place, **entry}
        for table in _files()
        if "indicators" in table
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
    if any(version.valid_from == date.min for version in versions[1:]):
        raise ValueError(f"{versions[0].code}: every version but the first says the day from which it is valid")
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
    wanted = code.casefold()
    return next((i for i in indicators() if i.code.casefold() == wanted and i.listed_from <= day <= i.listed_to), None)


@cache
def official_tables() -> dict[str, str]:
    """Name of the file of each official table → what it is called, in the order in which they are printed."""
    tables = sorted((table["order"], table["file"], table["official_table"]) for table in _files() if "official_table" in table)
    return {file: title for _, file, title in tables}


@cache
def never_more_together() -> tuple[tuple[str, ...], ...]:
    """Groups of indicators whose numerators are parts of one denominator: together they never exceed it."""
    return tuple(tuple(group) for table in _files() for group in table.get("never_more_together", []))


@cache
def _files() -> list[dict[str, Any]]:
    files = [entry for entry in resources.files(__name__).iterdir() if entry.name.endswith(".yaml")]
    return [{"file": entry.name.removesuffix(".yaml")} | yaml.load(entry.read_text("utf-8"), yaml.CSafeLoader) for entry in files]
