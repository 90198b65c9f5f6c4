"""The rules of "in time", by name: SQL fragments written once in `on_time.yaml` and used by every official table."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict


class OnTime(BaseModel):
    """One rule of "in time", as SQL over d (fact_dossier), s (dim_dossier_status) and p (dim_procedure)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name_vi: str
    legal_source: str
    ended_at: str
    judged: str
    in_time: str
    late_from: str = "NULL::date"
    statutory_working_days: dict[str, int] = {}
    """Procedure code → longest handling time, for the rule that needs it."""

    def in_time_at(self, period_end: str) -> str:
        """SQL condition: judged at the end of a period (an SQL timestamp), the dossier is in time."""
        return self._filled(self.in_time, period_end)

    @property
    def turns_late(self) -> str:
        """SQL date: the first day at whose end a dossier without end is late; null where no day makes a difference."""
        return self._filled(self.late_from, "NULL")

    def _filled(self, rule: str, period_end: str) -> str:
        limits = " ".join(f"WHEN '{code}' THEN {int(days)}" for code, days in sorted(self.statutory_working_days.items()))
        limit = f"(CASE p.procedure_code {limits} END)" if limits else "NULL::integer"
        return "(" + rule.format(ended_at=f"({self.ended_at})", period_end=period_end, statutory_limit=limit) + ")"


@cache
def on_time(name: str) -> OnTime:
    """The rule of that name: form_06a, decision_766 or vendor."""
    return OnTime(**_all()[name])


@cache
def _all() -> dict[str, dict[str, object]]:
    loaded: dict[str, dict[str, object]] = yaml.safe_load(resources.files("warehouse.scores").joinpath("on_time.yaml").read_text("utf-8"))
    return loaded
