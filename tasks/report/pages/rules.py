"""The rules: every one of every contract, what it asks for, and how often it did not hold of late; one of them with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from expectations.contract import Contract, Rule, every_rule
from tasks.ask import to_do
from tasks.ask.overview import LATELY, Overview
from tasks.report.rendering import Page

ROWS_SHOWN = 200


@dataclass(frozen=True)
class Told:
    """A rule, where it belongs, and in what it did not hold of late."""

    rule: Rule
    feed: str
    """Title of its contract; of rules about the form of any file, that."""
    lately: Sequence[Row[Any]]
    """By source."""

    @property
    def failed(self) -> int:
        """Deliveries in which it did not hold."""
        return sum(row.failed for row in self.lately)

    @property
    def rows(self) -> int:
        """Rows that broke it."""
        return sum(row.rows for row in self.lately)


def rules(overview: Overview) -> Page:
    """The glossary of all rules."""
    told = [Told(one, _about(feed), overview.broken_lately.get(one.code, [])) for one, feed in every_rule()]
    return Page("quy-tac", "rules.html", {"rules": told, "days": LATELY})


def rule(overview: Overview, code: str) -> Page | None:
    """One rule with the rows set aside for it now; nothing where there is none of that code."""
    found = next(((one, _about(feed)) for one, feed in every_rule() if one.code == code), None)
    if found is None:
        return None
    rows = to_do.Which(overview.scope, rule_code=code)
    content = {
        "told": Told(*found, overview.broken_lately.get(code, [])),
        "days": LATELY,
        "senders": overview.senders,
        "problems": [one for one in overview.problems if one.rule_code == code],
        "rows": to_do.rows_set_aside(overview.connection, rows, ROWS_SHOWN),
        "all_rows": to_do.count_set_aside(overview.connection, rows),
    }
    return Page(f"quy-tac/{code}", "rule.html", content)


def _about(feed: Contract | None) -> str:
    """What the rules of a contract are about; without one, those of any file."""
    return feed.title_vi if feed is not None else "Mọi tệp"
