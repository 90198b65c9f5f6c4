"""The rules of decision 766, declared in `score_766.yaml` → checked model."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

Level = Literal["province", "district", "commune"]


class Model(BaseModel):
    """Strict base: a misspelt key in the rules is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Counting(Model):
    """How the warehouse counts a component from its own dossiers: SQL, see the head of `score_766.yaml`."""

    numerator: str | None = None
    among: str | None = None
    catalogue: str | None = None
    with_dossier: str | None = None


class Component(Model):
    """One component: its maximum and how a share of counts becomes points."""

    name_vi: str
    max: int
    full_at: int = 100
    cap: Literal["shown", "open"] = "open"
    """Whether the portal's answers show that no more than the maximum is earned, or leave it open."""
    percentage: Literal["exact", "rounded_binary"] = "exact"
    no_cases: Literal["none", "zero", "full"] = "none"
    counted_in: Literal["dossiers", "procedures", "petitions"] = "dossiers"
    not_for: list[Level] = []
    portal_constant: bool = False
    pipeline: Counting | None = None


class Group(Model):
    """One group: the sum of its components' rounded scores."""

    name_vi: str
    max: int
    ratio: Literal["points", "counts"] = "points"
    components: dict[str, Component]

    @model_validator(mode="after")
    def _hangs_together(self) -> Group:
        if sum(component.max for component in self.components.values()) != self.max:
            raise ValueError(f"{self.name_vi}: the components' maxima do not add up to {self.max}")
        if self.ratio == "counts" and len(self.components) > 1:
            raise ValueError(f"{self.name_vi}: several components have no one ratio of counts")
        return self


class Rules(Model):
    """One version of the rules, and the periods it holds for (those that begin inside it)."""

    name_vi: str
    legal_source: str
    valid_from: date
    valid_to: date
    in_time: str
    """Name of the rule of "in time" it uses, see `on_time.yaml`."""
    groups: dict[str, Group]

    @property
    def components(self) -> dict[str, Component]:
        """All components by code, in the order of the official table."""
        return {code: component for group in self.groups.values() for code, component in group.components.items()}

    @property
    def group_of(self) -> dict[str, str]:
        """Component → group."""
        return {code: name for name, group in self.groups.items() for code in group.components}


@cache
def versions() -> tuple[Rules, ...]:
    """All versions of the rules, oldest first."""
    text = resources.files("warehouse.scores").joinpath("score_766.yaml").read_text("utf-8")
    return tuple(sorted((Rules(**entry) for entry in yaml.load(text, yaml.CSafeLoader)), key=lambda rules: rules.valid_from))


def rules_on(day: date) -> Rules:
    """The version of the rules that holds on a day; LookupError where none does."""
    for rules in versions():
        if rules.valid_from <= day <= rules.valid_to:
            return rules
    raise LookupError(f"no rules of decision 766 hold on {day:%Y-%m-%d}")
