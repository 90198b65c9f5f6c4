"""The rules of "in time", by name: SQL fragments written once in `on_time.yaml` and used by every official table."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

Counts = Literal["ended", "ended_in_time", "pending", "pending_in_time"]


class Model(BaseModel):
    """Strict base: a misspelt key in the rules is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SetAside(Model):
    """How dossiers of one status count that are neither being handled nor solved."""

    status: str
    """dossier_status_code."""
    name_vi: str
    counts: Counts
    legal_source: str


class Version(Model):
    """What a rule says of the dossiers received from a day on, until the next version begins."""

    name_vi: str
    legal_source: str
    valid_from: date
    set_aside: dict[str, SetAside] = {}
    ended_at: str
    judged: str
    in_time: str
    late_from: str = "NULL::date"

    def counting(self, *counts: Counts) -> list[SetAside]:
        """The dossiers set aside that count in one of these ways."""
        return [one for one in self.set_aside.values() if one.counts in counts]

    def condition(self, *counts: Counts) -> str:
        """SQL condition: a dossier is set aside and counts in one of these ways."""
        codes = ", ".join(f"'{one.status}'" for one in self.counting(*counts))
        return f"s.dossier_status_code IN ({codes})" if codes else "FALSE"

    def filled(self, rule: str, period_end: str = "NULL") -> str:
        """A rule with all that it names, as SQL in brackets."""
        ended = {"ended": self.condition("ended", "ended_in_time"), "ended_in_time": self.condition("ended_in_time")}
        return "(" + rule.format(ended_at=f"({self.ended_at.format(**ended)})", period_end=period_end, **ended) + ")"


class OnTime(Model):
    """One rule of "in time" in all its versions, as SQL over d (fact_dossier), s (dim_dossier_status) and p (dim_procedure)."""

    versions: tuple[Version, ...]

    @model_validator(mode="after")
    def _one_after_the_other(self) -> OnTime:
        for before, after in pairwise(self.versions):
            if after.valid_from <= before.valid_from:
                raise ValueError(f"{after.name_vi}: the version of {after.valid_from} does not begin after the one before it")
        return self

    @property
    def ended_at(self) -> str:
        """SQL timestamp: when a dossier stopped counting; null while it has not."""
        return self._by_day([version.filled(version.ended_at) for version in self.versions])

    @property
    def judged(self) -> str:
        """SQL condition: the rule judges the dossier at all."""
        return self._by_day([version.filled(version.judged) for version in self.versions])

    @property
    def held(self) -> str:
        """SQL condition: while it is pending the dossier is never late."""
        return self._by_day([version.condition("pending_in_time") for version in self.versions])

    @property
    def whatever_date(self) -> str:
        """SQL condition: it ended, and in time whatever the date."""
        return self._by_day([version.condition("ended_in_time") for version in self.versions])

    def in_time_at(self, period_end: str) -> str:
        """SQL condition: judged at the end of a period (an SQL timestamp), the dossier is in time."""
        return self._by_day([version.filled(version.in_time, period_end) for version in self.versions])

    @property
    def turns_late(self) -> str:
        """SQL date: the first day at whose end a dossier without end is late; null where no day makes a difference."""
        return self._by_day([version.filled(version.late_from) for version in self.versions])

    def holding(self, day: date) -> Version:
        """The version for dossiers received on a day."""
        return next((version for version in reversed(self.versions) if version.valid_from <= day), self.versions[0])

    def _by_day(self, fragments: list[str]) -> str:
        oldest, *later = fragments
        if not later:
            return oldest
        newest_first = zip(reversed(self.versions[1:]), reversed(later), strict=True)
        cases = " ".join(f"WHEN d.received_at >= DATE '{version.valid_from}' THEN {fragment}" for version, fragment in newest_first)
        return f"(CASE {cases} ELSE {oldest} END)"


@cache
def on_time(name: str) -> OnTime:
    """The rule of that name: form_06a, decision_766 or vendor."""
    shared = dict(_all()[name])
    own: list[dict[str, Any]] = shared.pop("versions", [{}])
    return OnTime(versions=tuple(Version(**{**shared, **version}) for version in own))


@cache
def _all() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.load(
        resources.files("warehouse.scores").joinpath("on_time.yaml").read_text("utf-8"), yaml.CSafeLoader
    )
    return loaded
