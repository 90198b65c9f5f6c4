"""How everything stands at one moment: each question is asked of the warehouse once, when a page first needs its answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.ask import gate, questions, to_do
from tasks.ask.nights import nights
from tasks.ask.problems import Problem, problems
from tasks.ask.province_editions import Gathered, gathered
from tasks.ask.questions import KnownSource, SourceState
from tasks.ask.scope import WHOLE, Scope
from tasks.ask.worklist import Item, items
from tasks.count.revisions import last_publication
from warehouse.seed import is_country

LATELY = 60
"""Days of which it is told how often a rule did not hold."""

_RULES = """
SELECT v.rule_code, d.source, count(*) FILTER (WHERE NOT v.success) AS failed, count(*) AS checked,
    coalesce(sum(v.unexpected_count) FILTER (WHERE NOT v.success AND v.scope = 'row'), 0) AS rows,
    max(d.loaded_at) FILTER (WHERE NOT v.success) AS last_failed
FROM ops.verdict v JOIN ops.delivery d USING (delivery_id)
WHERE d.loaded_at > (SELECT max(started_at) FROM ops.run) - make_interval(days => :days)
GROUP BY v.rule_code, d.source HAVING bool_or(NOT v.success)
ORDER BY v.rule_code, failed DESC, d.source
"""


_WITHHELD_BY = """
SELECT md5(string_agg(concat_ws(' ', item, fingerprint, as_of), ',' ORDER BY item)) FROM ops.mark WHERE item LIKE 'confidentiality%'
"""


class Overview:
    """What several pages tell, of a warehouse and for someone's scope."""

    def __init__(self, connection: Connection, scope: Scope = WHOLE) -> None:
        self.connection = connection
        self.scope = scope

    @cached_property
    def run(self) -> Row[Any] | None:
        """The last night; nothing before the first."""
        return next(iter(nights(self.connection, 1)), None)

    @cached_property
    def sources(self) -> list[KnownSource]:
        """The sources of the last night."""
        return questions.known_sources(self.connection)

    @cached_property
    def senders(self) -> dict[str, KnownSource]:
        """The same by name."""
        return {source.name: source for source in self.sources}

    @cached_property
    def states(self) -> list[SourceState[KnownSource]]:
        """How they stand."""
        return questions.source_states(self.connection, self.sources, self.run.as_of) if self.run is not None else []

    @cached_property
    def problems(self) -> Sequence[Problem]:
        """Rules that do not hold in what sources sent last."""
        return problems(self.connection)

    @cached_property
    def refused(self) -> Sequence[Row[Any]]:
        """Deliveries refused and not sent again, the latest first."""
        return to_do.refused(self.connection)

    @cached_property
    def open_rows(self) -> Sequence[Row[Any]]:
        """Rows set aside that wait for somebody, by source and rule."""
        return to_do.open_rows(self.connection)

    @cached_property
    def items(self) -> list[Item]:
        """What stewards have to see to, of the files in scope."""
        return items(self.connection) if self.scope.is_whole else []

    @cached_property
    def by_status(self) -> dict[str, int]:
        """Rows set aside by status."""
        return to_do.rows_by_status(self.connection)

    @cached_property
    def held_back(self) -> Sequence[Row[Any]]:
        """Values held back, of the units in scope."""
        return [row for row in questions.held_back(self.connection, self.scope) if self.scope.sees(row.unit_code)]

    @cached_property
    def waiting(self) -> Sequence[Row[Any]]:
        """Payments that wait for their bill."""
        return questions.waiting(self.connection)

    @cached_property
    def publication(self) -> Row[Any] | None:
        """The publication in force."""
        return last_publication(self.connection)

    @property
    def as_of(self) -> datetime:
        """State of knowledge of what is published, where anything is."""
        assert self.publication is not None  # noqa: S101  # who asks shows something published
        as_of: datetime = self.publication.as_of
        return as_of

    @cached_property
    def is_country(self) -> bool:
        """Whether the installation reports for the whole country."""
        return is_country(self.connection)

    @cached_property
    def gathered(self) -> dict[str, Gathered]:
        """The editions of provinces by period; none where it reports for a province."""
        return gathered(self.connection)

    @cached_property
    def withheld_by(self) -> str:
        """What tells one look at the small groups of what is published from another."""
        return str(self.connection.scalar(text(_WITHHELD_BY)) or "")

    @cached_property
    def held_edition(self) -> Row[Any] | None:
        """The edition that waits for somebody's decision."""
        return gate.held_edition(self.connection)

    @cached_property
    def findings(self) -> Sequence[Row[Any]]:
        """What is out of line with what was published, of the units in scope."""
        return [row for row in gate.findings(self.connection, self.scope) if self.scope.is_whole or self.scope.sees(row.unit_code)]

    @cached_property
    def broken_lately(self) -> dict[str, list[Row[Any]]]:
        """Rule → the sources in whose deliveries it did not hold of late, and how often."""
        rows = self.connection.execute(text(_RULES), {"days": LATELY})
        return {code: list(of_rule) for code, of_rule in groupby(rows, attrgetter("rule_code"))}
