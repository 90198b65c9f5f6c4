"""How long things are kept, as declared: `retention.yaml` → checked model, and what an installation decides otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from types import MappingProxyType

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

UNITS = {"days": "ngày", "years": "năm", "nights": "đêm"}
INSTALLATION = "sources.yaml của đơn vị"
"""Source of a term that an installation decided itself."""


class Term(BaseModel):
    """How long something is kept, between two days, and who says so: just one of days, years and nights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int | None = Field(None, ge=1)
    years: int | None = Field(None, ge=1)
    nights: int | None = Field(None, ge=1)
    valid_from: date = date.min
    valid_to: date = date.max
    source: str
    reason: str

    @model_validator(mode="after")
    def _says_one(self) -> Term:
        if sum(getattr(self, unit) is not None for unit in UNITS) != 1:
            raise ValueError("a term is of days, of years or of nights")
        return self

    @property
    def unit(self) -> str:
        """What it is counted in."""
        return next(unit for unit in UNITS if getattr(self, unit) is not None)

    @property
    def number(self) -> int:
        """How many of them."""
        return int(getattr(self, self.unit))

    @property
    def told(self) -> str:
        """The same in words."""
        return f"{self.number} {UNITS[self.unit]}"

    def before(self, now: datetime) -> datetime:
        """What is older than this has been kept for long enough."""
        if self.years is None:
            return now - timedelta(days=self.number)
        day = 28 if (now.month, now.day) == (2, 29) else now.day
        return now.replace(year=now.year - self.years, day=day)


class Rule(BaseModel):
    """What is kept for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    terms: tuple[Term, ...]

    @model_validator(mode="after")
    def _hold_one_after_the_other(self) -> Rule:
        days = [(one.valid_from, one.valid_to) for one in self.terms]
        follows = [(after[0] - before[1]).days == 1 for before, after in pairwise(days)]
        if not days or days[0][0] > date.min or days[-1][1] < date.max or not all(follows):
            raise ValueError("terms hold one after the other, without a day between them")
        if len({one.unit for one in self.terms}) > 1:
            raise ValueError("the terms of a rule are all counted in the same")
        return self


class Retention(BaseModel):
    """All rules, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    landing_plain: Rule
    landing: Rule
    landing_personal: Rule
    quarantine: Rule
    data_docs: Rule
    editions: Rule
    faults: Rule
    prefect_runs: Rule


@dataclass(frozen=True)
class Kept:
    """A rule as it holds on a day."""

    title: str
    term: Term


@cache
def retention() -> Retention:
    """The rules as declared."""
    return Retention(**yaml.safe_load(resources.files("warehouse").joinpath("retention.yaml").read_text("utf-8")))


def rules_on(day: date, decided: Mapping[str, int] = MappingProxyType({})) -> dict[str, Kept]:
    """The rules that hold on a day, by name; `decided`: what an installation says itself, in the unit of each rule."""
    found = {}
    for name in Retention.model_fields:
        rule: Rule = getattr(retention(), name)
        term = next(one for one in rule.terms if one.valid_from <= day <= one.valid_to)
        if name in decided:
            term = Term(source=INSTALLATION, reason="đơn vị quyết định", **{term.unit: decided[name]})
        found[name] = Kept(rule.title, term)
    return found
