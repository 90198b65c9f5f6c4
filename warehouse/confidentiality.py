"""Small groups as declared: which counts are not for the public, and below how many; `confidentiality.yaml` → checked model."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

ConfStatus = Literal["F", "A", "D"]
"""SDMX's CL_CONF_STATUS: free, confidential because of small counts, withheld so that another is not given away."""


class Threshold(BaseModel):
    """Below how many a count names somebody, for what is published between two days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    below: int = Field(ge=2)
    valid_from: date = date.min
    valid_to: date = date.max
    source: str

    def is_small(self, count: int) -> bool:
        """Whether so many are too few; none at all are nobody."""
        return 0 < count < self.below


class Confidentiality(BaseModel):
    """All that is declared of small groups."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    thresholds: tuple[Threshold, ...]
    exempt: dict[str, str]
    belongs_to: dict[str, str] = {}

    @model_validator(mode="after")
    def _hold_one_after_the_other(self) -> Confidentiality:
        days = [(one.valid_from, one.valid_to) for one in self.thresholds]
        follows = [(after[0] - before[1]).days == 1 for before, after in pairwise(days)]
        if not days or days[0][0] > date.min or days[-1][1] < date.max or not all(follows):
            raise ValueError("thresholds hold one after the other, without a day between them")
        if set(self.exempt) & (set(self.belongs_to) | set(self.belongs_to.values())):
            raise ValueError("what belongs to a count is not exempt, nor is the count")
        return self

    def on(self, day: date) -> Threshold:
        """The threshold for what is published on a day."""
        return next(one for one in self.thresholds if one.valid_from <= day <= one.valid_to)

    @property
    def last(self) -> Threshold:
        """The one that holds from now on."""
        return self.thresholds[-1]

    def protects(self, indicator_code: str) -> bool:
        """Whether an indicator counts persons, or what belongs to them."""
        return indicator_code not in self.exempt

    @property
    def fingerprint(self) -> str:
        """What tells these rules from others."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@cache
def confidentiality() -> Confidentiality:
    """The rules as declared."""
    return Confidentiality(**yaml.safe_load(resources.files("warehouse").joinpath("confidentiality.yaml").read_text("utf-8")))
