"""What holds an edition back: the checks of `gate.yaml` → checked model."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

Kind = Literal["volume", "quarantine", "missing", "jump", "revision", "size", "lost"]
THRESHOLDS: dict[Kind, set[str]] = {
    "volume": {"at_least", "few", "few_times", "many", "many_times"},
    "quarantine": {"share", "at_least"},
    "missing": set(),
    "jump": {"points", "usual", "steps", "periods", "errors"},
    "revision": {"points", "usual", "steps", "periods", "errors"},
    "size": {"at_least", "times", "steps", "periods"},
    "lost": {"at_least", "steps", "periods"},
}
"""What each check is told, as gate.yaml explains it."""
OF_VALUES = ("jump", "revision", "size", "lost")
"""Checks that find single values, which may be refused alone; the others find a delivery or a source."""


class Check(BaseModel):
    """One check, between two days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    """Stable, as GAT-001."""
    check: Kind
    title: str
    message: str
    valid_from: date
    valid_to: date = date.max
    thresholds: dict[str, float]

    @model_validator(mode="after")
    def _is_told_what_it_needs(self) -> Check:
        if set(self.thresholds) != THRESHOLDS[self.check]:
            raise ValueError(f"{self.code}: a check `{self.check}` is told {sorted(THRESHOLDS[self.check])}")
        return self


class Gate(BaseModel):
    """All checks, with who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    checks: list[Check]

    def on(self, day: date) -> dict[Kind, Check]:
        """The checks of a day, by kind."""
        return {one.check: one for one in self.checks if one.valid_from <= day <= one.valid_to}

    def titled(self, code: str) -> str:
        """What a check is called; the code of one that is gone."""
        return next((one.title for one in self.checks if one.code == code), code)


@cache
def gate() -> Gate:
    """The gate as declared."""
    return Gate(**yaml.safe_load(resources.files("warehouse").joinpath("gate.yaml").read_text("utf-8")))
