"""One night's counting: what state of knowledge it is for, which states it counts, and the marks it leaves for the next one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Row, select, text
from sqlalchemy.dialects.postgresql import insert

from warehouse import periods
from warehouse.tables import mark


@dataclass(frozen=True)
class Counting:
    """What a night counts, made once by `counting` and handed to indicators, form and scores."""

    as_of: datetime
    """State of knowledge it publishes."""
    load_id: int
    """Last load there is (ops.load): a night counts all up to it."""
    is_vintage: bool = False
    """A night for a day before one that was published: it counts the states known at `as_of` from scratch, beside what is kept."""
    analysed: set[str] = field(default_factory=set, compare=False, repr=False)
    """Facts of which the planner was told this night."""
    contents: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Dimension → hash of its content, looked at once a night: nothing changes it while things are counted."""

    @property
    def today(self) -> date:
        """Day at which a running period is judged."""
        return self.as_of.astimezone(periods.VIETNAM).date()

    @property
    def counts(self) -> str:
        """Table of the counts it leaves."""
        return "pg_temp.vintage_count" if self.is_vintage else "warehouse.agg_count"

    @property
    def things(self) -> str:
        """Table of the distinct things out of which some of the counts are made."""
        return "pg_temp.vintage_thing" if self.is_vintage else "warehouse.agg_thing"

    def states(self, table: str) -> str:
        """The states of a fact that it counts, as a relation in SQL with their sign; binds :as_of in a vintage."""
        held = "known_from <= :as_of AND known_to > :as_of" if self.is_vintage else "known_to = 'infinity'"
        return f"(SELECT *, 1 AS sign FROM warehouse.{table} WHERE {held})"

    @property
    def known(self) -> dict[str, datetime]:
        """Values that its states bind."""
        return {"as_of": self.as_of} if self.is_vintage else {}

    def has_ended(self, period: str) -> bool:
        """Whether the last second of a period lies behind: a night's state of knowledge is the end of its day."""
        return _has_ended(period, self.as_of)


def _has_ended(period: str, at: datetime) -> bool:
    return (at + timedelta(seconds=1)).astimezone(periods.VIETNAM).date() > periods.days(period)[1]


def ended_between(period: str, before: datetime, now: datetime) -> bool:
    """Whether a period ended from one state of knowledge to another."""
    return _has_ended(period, now) and not _has_ended(period, before)


def counting(connection: Connection, as_of: datetime) -> Counting:
    """The counting of a night; a vintage where something was published for a later day.

    Time does not go back: a night at noon counts as one before it for the end of the day, or for a day of which nothing was published.
    """
    query = text(
        "SELECT (SELECT coalesce(max(load_id), 0) FROM ops.load), "
        "(SELECT max(as_of) FROM ops.publication), (SELECT max(as_of) FROM ops.mark)"
    )
    load_id, published, counted = connection.execute(query).one()
    if published is not None and as_of.astimezone(periods.VIETNAM).date() < published.astimezone(periods.VIETNAM).date():
        return Counting(as_of, load_id, is_vintage=True)
    return Counting(max(filter(None, (as_of, published, counted))), load_id)


# Marks ----------------------------------------------------------------------------------------------------------------


def marked(connection: Connection, item: str) -> Row[tuple[str, int, datetime, bool]] | None:
    """What an item was last made of: fingerprint, load_id, as_of and is_altered; nothing where it never was."""
    columns = (mark.c.fingerprint, mark.c.load_id, mark.c.as_of, mark.c.is_altered)
    return connection.execute(select(*columns).where(mark.c.item == item)).one_or_none()


def since(connection: Connection, counting: Counting, item: str, fingerprint: str) -> int | None:
    """Last load that is in what is kept of an item; nothing where it has to be made from scratch: in a vintage, where it was made
    by other rules, or where somebody else wrote to it."""
    mark = None if counting.is_vintage else marked(connection, item)
    if mark is None or mark.is_altered or mark.fingerprint != fingerprint or mark.load_id > counting.load_id:
        return None
    return int(mark.load_id)


def leave_mark(connection: Connection, item: str, counting: Counting, fingerprint: str) -> None:
    """Writes down what an item is made of now; a vintage leaves none."""
    if not counting.is_vintage:
        made_of = {"fingerprint": fingerprint, "load_id": counting.load_id, "as_of": counting.as_of, "is_altered": False}
        row = insert(mark).values(item=item, **made_of)
        connection.execute(row.on_conflict_do_update(index_elements=["item"], set_=made_of))


def fingerprint(
    connection: Connection, texts: Iterable[str], dimensions: Iterable[str] = (), contents: dict[str, str] | None = None
) -> str:
    """Hash of texts and of the content of dimensions, of which those in `contents` are known already."""
    contents = {} if contents is None else contents
    hashed = hashlib.sha256("\0".join(texts).encode())
    for dimension in dimensions:
        if dimension not in contents:
            contents[dimension] = connection.scalar(text(_CONTENT.format(dimension=dimension))) or ""
        hashed.update(contents[dimension].encode())
    return hashed.hexdigest()


# Which delivery told a member, and whom only facts speak of, does not matter.
_CONTENT = """
SELECT md5(string_agg(member::text, '' ORDER BY member::text))
FROM (SELECT to_jsonb(d) - 'delivery_id' AS member FROM warehouse.{dimension} d) members
WHERE NOT coalesce((member ->> 'is_inferred')::boolean, FALSE)
"""
