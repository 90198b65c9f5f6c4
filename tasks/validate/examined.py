"""What the rules found in deliveries, as `ops` has it once they were taken or refused: those of the checks, of the loader, of the count.

Counts, words and numbers of rows only; keys of rows stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Engine, Row, select, text

from expectations.contract import Contract, Rule
from tasks.deliveries.judgement import Judgement, judgement
from tasks.deliveries.source import Source, terms_of, title_of
from tasks.validate.found import SEEN, without_observed
from tasks.words.vietnamese import SEVERITY, about, number, safe
from warehouse.tables import delivery as deliveries
from warehouse.tables import verdict

STRETCHES = 12
"""Stretches of consecutive rows that are told of each rule."""


@dataclass(frozen=True)
class Tried:
    """One rule that a delivery was held against."""

    rule: Rule
    held: bool
    observed: str | None
    count: int
    """Rows that broke it."""
    labels: Sequence[str]
    """Columns that it names, as the supplier's file calls them."""
    stretches: Sequence[Sequence[int]] = ()
    """The first and last of consecutive rows that are set aside for it, the first few."""

    @property
    def severity(self) -> str:
        """How bad it is where it does not hold."""
        return self.rule.severity

    @property
    def rows(self) -> str | None:
        """In words which rows broke it, as far as that is known: `dòng 3, 17–29 và 200 dòng khác`."""
        if not self.stretches:
            return self.observed if self.rule.scope == "row" else None
        told = sum(last - first + 1 for first, last in self.stretches)
        more = f" và {number(self.count - told)} dòng khác" if self.count > told else ""
        return "dòng " + ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in self.stretches) + more

    def told(self, file_name: str) -> str:
        """What is wrong and what to do, as the supplier is told."""
        return self._words(self.rule.message_vi).format(column='", "'.join(self.labels), file=file_name, observed=self.observed or "…")

    @property
    def sought(self) -> str:
        """What would be wrong: the first sentence of that, without what was observed."""
        first = without_observed(self.rule).split(". ")[0].removesuffix(".")
        return self._words(first).format(column='", "'.join(self.labels), file="này")

    @property
    def in_short(self) -> str:
        """What is wrong and with how much of the delivery, in a line."""
        size = f"{number(self.count)} dòng" if self.rule.scope == "row" else self.observed or "cả tệp"
        return f"{self.rule.code}: {self.sought} ({size})"

    def _words(self, message: str) -> str:
        """Words that name a column where it is known, and speak of one where it is not."""
        if self.labels:
            return message
        return re.sub(r'(cột|trường) "?\{column\}"?', r"một \1", message.replace('Cột "{column}"', "Một cột"))


@dataclass(frozen=True)
class Examined:
    """A delivery that was taken or refused, and the rules it was held against."""

    delivery: Any
    """Its row of ops.delivery."""
    source_title: str
    terms: Contract
    """Its contract, with the labels of its sender."""
    tried: Sequence[Tried]

    @property
    def delivery_id(self) -> int:
        """Number of the delivery."""
        return int(self.delivery.delivery_id)

    @property
    def file_name(self) -> str:
        """As its supplier called it."""
        return safe(self.delivery.file_name)

    @property
    def period(self) -> str:
        """What it is about, as far as that is known: days and periods in words, surveys and documents as they are called."""
        return safe(about(self.delivery.business_period or self.delivery.named_period))

    @property
    def judgement(self) -> Judgement:
        """How it is judged."""
        return judgement(self.delivery)

    @property
    def broken(self) -> list[Tried]:
        """Rules that did not hold: those of the whole first, then the worst and those with the most rows."""
        return sorted(
            (one for one in self.tried if not one.held),
            key=lambda one: (one.rule.scope == "row", [*SEVERITY].index(one.severity), -one.count, one.rule.code),
        )

    @property
    def noted(self) -> list[Tried]:
        """What rules that judge nothing saw of it."""
        return sorted((one for one in self.tried if one.held and one.severity == "info"), key=lambda one: one.rule.code)

    @property
    def held(self) -> list[Tried]:
        """The others, which held."""
        return sorted((one for one in self.tried if one.held and one.severity != "info"), key=lambda one: one.rule.code)

    @property
    def share_held(self) -> Decimal:
        """Percentage of the rules that held."""
        return Decimal(100 * (len(self.tried) - len(self.broken))) / len(self.tried)

    @property
    def refusing(self) -> Tried | None:
        """The rule for which it was refused, where there is but one that it can have been."""
        whole = [one for one in self.broken if one.rule.scope == "delivery" and one.severity == "critical"]
        return whole[0] if self.judgement == "rejected" and len(whole) == 1 else None

    @property
    def reason(self) -> str | None:
        """Why it was refused and what to do, without the faults of its rows, which `broken` tells."""
        message: str | None = self.delivery.message_vi
        return message.partition(SEEN)[0] if message else None

    @property
    def why(self) -> list[str]:
        """What did not hold, a line each: the supplier's own message where all of it was refused for what it is as a whole."""
        rows = [one for one in self.broken if one.rule.scope == "row"]
        return [self.reason] if self.reason and not rows else [one.in_short for one in self.broken]

    @property
    def untried(self) -> list[Rule]:
        """Rules of its contract that it was not held against."""
        codes = {one.rule.code for one in self.tried}
        return [rule for rule in self.terms.rules if rule.code not in codes]

    @property
    def labels(self) -> dict[str, str]:
        """Column of the contract → what the supplier's file calls it, of all columns that the rules name."""
        named = dict.fromkeys(name for one in self.tried for name in one.rule.columns[:1])
        return {name: label for name in named if (label := _label(self.terms, self.delivery.layout, name)) is not None}


def examined(engine: Engine, delivery_ids: Collection[int], sources: Sequence[Source]) -> list[Examined]:
    """Deliveries by number, those that still wait left out; `sources`: what sources.yaml says now of who sent them."""
    known = {source.name: source for source in sources}
    ids = sorted(delivery_ids)
    with engine.connect() as connection:
        rows = connection.execute(select(deliveries).where(deliveries.c.delivery_id.in_(ids), deliveries.c.status != "landed")).all()
        verdicts = connection.execute(select(verdict).where(verdict.c.delivery_id.in_(ids)).order_by(verdict.c.delivery_id)).all()
        aside = {(row.delivery_id, row.rule_code): row for row in connection.execute(text(_ASIDE), {"ids": ids, "most": STRETCHES})}
    said = {delivery_id: list(several) for delivery_id, several in groupby(verdicts, attrgetter("delivery_id"))}
    found = []
    for row in rows:
        source = known.get(row.source)
        terms = terms_of(row.feed, row.layout, source)
        tried = [_tried(one, terms, row.layout, aside.get((row.delivery_id, one.rule_code))) for one in said.get(row.delivery_id, [])]
        found.append(Examined(row, source.title if source else title_of(row.feed, row.provider), terms, tried))
    return found


def _tried(said: Row[Any], terms: Contract, layout: str, aside: Row[Any] | None) -> Tried:
    """A rule from its row of ops.verdict, and from what is set aside for it, if anything."""
    rule = terms.rule(said.rule_code)
    named = aside.labels if aside else [_label(terms, layout, name) for name in rule.columns[:1]]
    labels: list[str] = [label for label in named if label]
    return Tried(rule, said.success, said.observed, said.unexpected_count or 0, labels, aside.stretches if aside else ())


def _label(terms: Contract, layout: str, column: str) -> str | None:
    """What the supplier's file calls a column, unless it does not write it."""
    label = terms.header(layout, column)
    return label if label != column or column in terms.layouts[layout].headers.values() else None


_ASIDE = """
WITH broken AS (
  SELECT DISTINCT delivery_id, rule_code, row_number AS place FROM ops.quarantine WHERE delivery_id = ANY(:ids)
), numbered AS (
  SELECT *, place - row_number() OVER (PARTITION BY delivery_id, rule_code ORDER BY place) AS stretch FROM broken
), stretches AS (
  SELECT delivery_id, rule_code, min(place) AS first, max(place) AS last,
    row_number() OVER (PARTITION BY delivery_id, rule_code ORDER BY min(place)) AS nth
  FROM numbered GROUP BY delivery_id, rule_code, stretch
), named AS (
  SELECT delivery_id, rule_code, array_agg(DISTINCT column_name) AS labels FROM ops.quarantine
  WHERE delivery_id = ANY(:ids) GROUP BY delivery_id, rule_code
)
SELECT delivery_id, rule_code, labels, array_agg(ARRAY[first, last] ORDER BY first) AS stretches
FROM stretches JOIN named USING (delivery_id, rule_code) WHERE nth <= :most GROUP BY delivery_id, rule_code, labels
"""
"""By delivery and rule: the columns that were at fault, and the first stretches of consecutive rows set aside."""
