"""Computed lines → revisions, the same way for indicators, forms and scores, under one publication number.

A line is what stands under one key: an indicator's value, a row of a form, a score. A publication ends what differs or is gone
and keeps what is missing; it overwrites nothing. One for an earlier day than the last is a vintage: it adds what would have been
published then where nothing was, and leaves alone whatever was published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, CursorResult, Row, Table, text

from warehouse.bulk import BULK, analyze


@dataclass(frozen=True)
class Revised:
    """How many lines a publication added, replaced by another revision, and ended."""

    added: int = 0
    revised: int = 0
    ended: int = 0

    def __add__(self, other: Revised) -> Revised:
        """Both together."""
        return Revised(self.added + other.added, self.revised + other.revised, self.ended + other.ended)


NOTHING = Revised()


@dataclass
class Publication:
    """A publication in the making: it gets its number with the first line that differs, so one without any change has none."""

    run_id: int
    as_of: datetime
    """State of knowledge it shows."""
    last_as_of: datetime | None
    """That of the last publication; nothing where it is the first."""
    last_load_id: int = 0
    """Last load that the last publication counted (ops.load)."""
    is_declared_anew: bool = False
    """Whether an indicator is called, counted or aimed at otherwise than before, or taken out: a change like that of a line."""
    publication_id: int | None = None

    @property
    def is_vintage(self) -> bool:
        """Whether something was published for a later day: what is in force stays as it is."""
        return self.last_as_of is not None and self.as_of < self.last_as_of


def last_publication(connection: Connection) -> Row[Any] | None:
    """The publication in force: the latest of those with the latest state of knowledge, which vintages never are."""
    return connection.execute(text("SELECT * FROM ops.publication ORDER BY as_of DESC, publication_id DESC LIMIT 1")).first()


def begin_publication(connection: Connection, run_id: int, as_of: datetime) -> Publication:
    """A publication that has changed nothing yet."""
    last = last_publication(connection)
    return Publication(run_id, as_of, None) if last is None else Publication(run_id, as_of, last.as_of, last.load_id)


def number(connection: Connection, publication: Publication) -> int:
    """The number of a publication, drawn when it is first asked for: not before everything is counted since the one before."""
    if publication.publication_id is None:
        publication.publication_id = connection.execute(
            text(_NUMBER), {"run_id": publication.run_id, "as_of": publication.as_of}
        ).scalar_one()
    return publication.publication_id


# A vintage counts what was known then: what was loaded since the last publication is news to the next one all the same.
_NUMBER = """
INSERT INTO ops.publication (run_id, published_at, as_of, load_id)
SELECT :run_id, clock_timestamp(), :as_of, coalesce(
    (SELECT load_id FROM (SELECT load_id, as_of FROM ops.publication ORDER BY as_of DESC, publication_id DESC LIMIT 1) last
        WHERE last.as_of > :as_of),
    (SELECT max(load_id) FROM ops.load), 0)
RETURNING publication_id
"""


def revise(
    connection: Connection,
    publication: Publication,
    table: Table,
    candidate: str,
    *,
    keys: Sequence[str],
    values: Sequence[str],
    counted_as: Literal["values", "lines"],
    among: str = "TRUE",
    ends: str = "FALSE",
    where: Mapping[str, Any] | None = None,
    same_line: str | None = None,
) -> Revised:
    """Publishes the lines of the table `candidate`: those that differ from the one in force, or are not there, become revisions.

    `among` and `ends` are conditions on f, the table of revisions, with the values of `where`: among which lines in force all those are
    that candidates may take the place of, and which of these end where they are no candidates. `same_line` is a condition on f and c, a
    candidate, where more than equal keys makes them revisions of one line.
    """
    same = " AND ".join(f"f.{key} = c.{key}" for key in keys)
    names = {
        "table": table.fullname,
        "candidate": candidate,
        "among": among,
        "ends": ends,
        "by_key": ", ".join(keys),
        "keys_of_c": ", ".join(f"c.{key}" for key in keys),
        "everything": ", ".join((*keys, *values)),
        "same": same,
        "same_line": same_line or same,
        "keys": ", ".join(f"coalesce(c.{key}, f.{key})" for key in keys),
        "all_of_c": ", ".join(f"c.{name}" for name in (*keys, *values)),
        **{f"values_of_{alias}": ", ".join(f"{alias}.{name}" for name in values) for alias in "cf"},
    }
    stamp = {"as_of": publication.as_of, "last_as_of": publication.last_as_of, "is_vintage": publication.is_vintage, **(where or {})}

    def run(statement: str, **values: Any) -> CursorResult[Any]:
        filled = statement.format(**names)
        return connection.execute(text(filled), {name: value for name, value in values.items() if f":{name}" in filled})

    run(_COMPARED)
    run(_MISSING_THEN if publication.is_vintage else _DIFFERENT_NOW, **stamp)
    analyze(connection, "compared")
    found = Revised(*run(_COUNTED).one())
    if found == NOTHING:
        return found
    publication_id = number(connection, publication)
    run(_END, **stamp)
    run(_INSERT, publication_id=publication_id, **stamp)
    run(_ADD.format(counted_as=counted_as), publication_id=publication_id, **asdict(found))
    if found.added + found.revised > BULK:
        analyze(connection, table.fullname)  # who reads it next, in this night or the report, does so before anybody else looks at it
    return found


def changed_years(connection: Connection) -> set[str]:
    """The years of which the last `revise` changed a line."""
    return set(connection.scalars(text("SELECT DISTINCT left(period, 4) FROM compared")))


# What the candidates change, in the types of the table: with the revision that gives way, and where it is, where one does.
_COMPARED = """
DROP TABLE IF EXISTS compared;
CREATE TEMPORARY TABLE compared ON COMMIT DROP AS SELECT {everything}, revision, ctid AS place, TRUE AS is_there FROM {table} LIMIT 0
"""

_DIFFERENT_NOW = """
INSERT INTO compared
SELECT {keys}, {values_of_c}, f.revision, f.place, c.is_there IS TRUE
FROM (SELECT *, TRUE AS is_there FROM {candidate} c) c
FULL JOIN (SELECT *, ctid AS place, ({ends}) AS ends FROM {table} f WHERE f.known_to = 'infinity' AND ({among})) f ON {same}
WHERE CASE WHEN c.is_there THEN f.revision IS NULL OR ({values_of_c}) IS DISTINCT FROM ({values_of_f}) ELSE f.ends END
"""

_MISSING_THEN = """
INSERT INTO compared
SELECT {all_of_c}, NULL, NULL, TRUE
FROM {candidate} c
WHERE NOT EXISTS (SELECT FROM {table} f WHERE f.known_from <= :as_of AND f.known_to > :as_of AND {same_line})
"""

_COUNTED = """
SELECT count(*) FILTER (WHERE revision IS NULL), count(*) FILTER (WHERE is_there AND revision IS NOT NULL),
    count(*) FILTER (WHERE NOT is_there)
FROM compared
"""

_END = """
UPDATE {table} f SET known_to = :as_of FROM compared c WHERE f.ctid = c.place
"""

# A vintage holds until the next revision of its line; without one, until the last publication, which knew the line not to be there.
_INSERT = """
INSERT INTO {table} ({everything}, revision, known_from, known_to, publication_id)
SELECT {all_of_c}, coalesce(published.revision, 0) + 1, :as_of,
    CASE WHEN :is_vintage THEN least(published.next, :last_as_of) ELSE 'infinity' END, :publication_id
FROM compared c
LEFT JOIN (
    SELECT {keys_of_c}, max(f.revision) AS revision, min(f.known_from) FILTER (WHERE f.known_from > :as_of) AS next
    FROM compared c JOIN {table} f ON {same_line} GROUP BY {keys_of_c}
) published USING ({by_key})
WHERE c.is_there
ORDER BY {by_key}
"""

_ADD = """
UPDATE ops.publication SET {counted_as}_added = {counted_as}_added + :added, {counted_as}_revised = {counted_as}_revised + :revised,
    {counted_as}_ended = {counted_as}_ended + :ended
WHERE publication_id = :publication_id
"""
