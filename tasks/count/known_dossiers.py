"""What the official tables know of dossiers, and what a night adds to it: counts that add up cost what changed, not what is stored.

A state is known from one export of a supplier to another. So what was known after the last computation is still to be read
from the history, as long as no delivery came late; what holds since, and what no longer does, is the whole difference.
Whether it is the whole is not taken on trust: a fingerprint of the states counted, with that of the difference, has to be
the fingerprint of the states that hold now. Where it is not, whatever happened, everything is counted anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import insert

from warehouse.periods import VIETNAM
from warehouse.tables import installation

_ITEM = "counted dossiers"
_MADE_OF = "feed IN ('dossiers', 'procedures', 'agencies') AND loaded_at IS NOT NULL AND status <> 'rejected'"


class Known(BaseModel):
    """What a computation was made of."""

    rules: str
    """Fingerprint of the rules, the units and the lists of procedures."""
    exported_at: datetime | None
    """Export of the youngest delivery it knew."""
    states: int
    """Fingerprint of the states it counted."""
    answers: datetime | None
    """Load of the portal's last answer, or of the last list that says where its departments lie."""
    today: date
    """A running period is judged at this day."""


class _Mark(BaseModel):
    """What a computation was made of, and what it left."""

    known: Known
    kept: str
    """Totals of the counts it left."""


@dataclass(frozen=True)
class News:
    """States to count: `source` is fact_dossier in SQL with a `sign`, 1 for a state that holds and -1 for one that no longer does."""

    source: str
    today: date
    since: date | None
    """Day of the computation it adds to; nothing where everything is counted anew."""


_AS_KNOWN = "(SELECT *, 1 AS sign FROM warehouse.fact_dossier WHERE known_from <= '{at}' AND known_to > '{at}')"
"""The states known at a time."""

_KEPT = """
SELECT (SELECT (count(*), sum(online), sum(other), sum(early), sum(on_day), sum(late), sum(overdue))::text FROM warehouse.agg_form_06a)
    || (SELECT (count(*), sum(dossiers))::text FROM warehouse.agg_score_766)
"""


def everything(as_of: datetime) -> News:
    """All states known at a time, counted anew."""
    return News(_AS_KNOWN.format(at=as_of.isoformat()), as_of.astimezone(VIETNAM).date(), None)


def _fingerprint(connection: Connection, source: str) -> int:
    """Adds up over states: that of a whole is the sum of those of its parts."""
    each = "hash_record_extended((row_key, known_from, unit_key, procedure_key), 0)"
    return int(connection.scalar(text(f"SELECT coalesce(sum(sign * {each}::numeric), 0) FROM {source} state")))


def remembered(connection: Connection) -> Known | None:
    """What the last computation was made of; nothing where the counts it left are not those that are kept."""
    value = connection.scalar(text("SELECT value FROM ops.installation WHERE item = :item"), {"item": _ITEM})
    try:
        mark = None if value is None else _Mark.model_validate_json(value)
    except ValidationError:  # left by another version
        return None
    return mark.known if mark is not None and mark.kept == connection.scalar(text(_KEPT)) else None


def remember(connection: Connection, known: Known) -> None:
    """Writes down what a computation was made of, with what it leaves."""
    mark = _Mark(known=known, kept=connection.scalar(text(_KEPT)) or "")
    row = {"value": mark.model_dump_json(), "changed_at": text("now()")}
    connection.execute(insert(installation).values(item=_ITEM, **row).on_conflict_do_update(index_elements=["item"], set_=row))


def known(connection: Connection, as_of: datetime) -> Known:
    """What a computation at a time is made of."""
    rules = hashlib.sha256()
    for name in ("score_766.yaml", "on_time.yaml"):
        rules.update(resources.files("warehouse.scores").joinpath(name).read_bytes())
    for members in ("dim_unit m", "dim_procedure m WHERE NOT is_inferred"):
        listed = connection.scalar(text(f"SELECT md5(string_agg(m::text, '' ORDER BY m::text)) FROM warehouse.{members}"))
        rules.update((listed or "").encode())
    youngest = text(f"SELECT max(exported_at) FROM ops.delivery WHERE {_MADE_OF} AND exported_at <= :as_of")
    answers = connection.scalar(
        text("SELECT max(loaded_at) FROM ops.delivery WHERE feed IN ('portal_766', 'agencies') AND status IN ('loaded', 'superseded')")
    )
    return Known(
        rules=rules.hexdigest(),
        exported_at=connection.scalar(youngest, {"as_of": as_of}),
        states=_fingerprint(connection, _AS_KNOWN.format(at=as_of.isoformat())),
        answers=answers,
        today=as_of.astimezone(VIETNAM).date(),
    )


def news(connection: Connection, before: Known | None, now: Known, as_of: datetime) -> News:
    """What is to be counted: the difference, or everything where the rules changed, time goes back or the difference is not the whole."""
    if before is None or before.rules != now.rules or before.today > now.today or before.exported_at is None or now.exported_at is None:
        return everything(as_of)
    span = {"before": before.exported_at, "now": now.exported_at}
    arrived = text(f"SELECT delivery_id FROM ops.delivery WHERE {_MADE_OF} AND exported_at > :before AND exported_at <= :now ORDER BY 1")
    deliveries = list(connection.scalars(arrived, span))
    connection.execute(text("DROP TABLE IF EXISTS changed_state"))
    connection.execute(text(_NO_STATE))
    if deliveries:
        connection.execute(text(_CHANGED), span | {"deliveries": deliveries})
        connection.execute(text("ANALYZE changed_state"))
    if before.states + _fingerprint(connection, "changed_state") != now.states:
        return everything(as_of)
    return News("changed_state", now.today, before.today)


_NO_STATE = "CREATE TEMPORARY TABLE changed_state ON COMMIT DROP AS SELECT *, 1 AS sign FROM warehouse.fact_dossier LIMIT 0"

# A state that goes on under another unit, or after one that came between, still bears the delivery that brought it.
_CHANGED = """
WITH ended AS (
    SELECT *, -1 AS sign FROM warehouse.fact_dossier
    WHERE known_to <> 'infinity' AND known_to > :before AND known_to <= :now
)
INSERT INTO changed_state
SELECT * FROM ended WHERE known_from <= :before
UNION ALL
SELECT *, 1 FROM warehouse.fact_dossier
WHERE delivery_id = ANY(:deliveries) AND known_from > :before AND known_from <= :now AND known_to > :now
UNION ALL
SELECT f.*, 1 FROM warehouse.fact_dossier f
WHERE f.row_key IN (SELECT row_key FROM ended) AND f.known_from > :before AND f.known_from <= :now AND f.known_to > :now
  AND f.delivery_id <> ALL(:deliveries)
"""


def by_month(day: str) -> str:
    """SQL date of an event of a state d: the first of its month; the day itself where it still lay ahead when it became known.

    So nothing that is counted depends on the day it is counted on, and what comes due is there to be found.
    """
    ahead = f"{day} > (d.known_from AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"
    return f"CASE WHEN {ahead} THEN {day} ELSE date_trunc('month', {day}) END::date"


def with_values(statement: str, values: dict[str, str]) -> TextClause:
    """The statement with its values written in: CREATE TABLE … AS takes no parameters."""
    return text(statement).bindparams(
        *(bindparam(name, value, literal_execute=True) for name, value in values.items() if f":{name}" in statement)
    )
