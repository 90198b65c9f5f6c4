"""What people ask of the gate: whether an edition is held, what of it is out of line, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, text

from tasks.ask.scope import Scope
from tasks.words import vietnamese as vi
from warehouse.names import from_the_top
from warehouse.settings import Refusal

_ALIKE = attrgetter("decision", "reason", "decided_by", "check_code", "indicator_code", "source", "deliveries")
"""What findings have in common that are decided on together."""


def held_edition(connection: Connection) -> Row[Any] | None:
    """The edition that is held now: run, as_of, held_at, what it would change, and since when one has been held; nothing where none is."""
    return connection.execute(text(_HELD)).one_or_none()


def findings(connection: Connection, scope: Scope, *, undecided: bool = False) -> Sequence[Row[Any]]:
    """What stands out of line now, with the names of its unit, indicator and files, and since when; or only what nobody decided on.

    `told`: what is out of line, in the words that whoever has a scope may read.
    """
    return connection.execute(text(_FINDINGS.format(told=told(scope))), {"undecided": undecided}).all()


def told(scope: Scope) -> str:
    """SQL of what is said of a finding a: it quotes values."""
    return f"CASE WHEN {scope.withholds('a.indicator_code')} THEN '{vi.WITHHELD}' ELSE a.message_vi END"


def alike(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    """Findings that are decided on together, those of the largest unit first."""
    return [list(same) for _, same in groupby(rows, _ALIKE)]


def numbers(rows: Sequence[Row[Any]]) -> str:
    """The numbers of findings in short, as `understood` takes them: `2-71 75`."""
    runs: list[list[int]] = []
    for number in sorted(row.alarm_id for row in rows):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


MOST = 100_000
"""Most findings that are decided on at once."""


def understood(words: Sequence[str]) -> list[int]:
    """The numbers meant by `2-71`, `75`; Refusal where a word is none."""
    found: list[int] = []
    for word in words:
        first, _, last = word.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal()) or int(last or first) - int(first) >= MOST - len(found):
            raise Refusal(f"{word!r} không phải số của điểm bất thường: viết như 12 hoặc 12-40.")
        found += range(int(first), int(last or first) + 1)
    return found


def held_values(connection: Connection, scope: Scope) -> Sequence[Row[Any]]:
    """The values that the edition held now would change, old and new: of the larger units first, of these what moves most.

    At last those that are no number, and were none. `deliveries`: which moved it; `file_names`: what the first few of them are called.
    `is_withheld`: whether the numbers are not for whoever has a scope: what is held has not been looked at for small groups.
    """
    return connection.execute(text(_VALUES.format(is_withheld=scope.withholds("i.indicator_code")))).all()


MOVERS = 3
"""Deliveries that moved a value, named; the rest is counted."""
ASKED = "publish-now"
"""What is written down where someone asks for an edition at once."""


def asked_for(connection: Connection) -> Row[Any] | None:
    """Who last asked for an edition at once, and when, while no run has begun since."""
    return connection.execute(text(_ASKED), {"action": ASKED}).first()


_ASKED = """
SELECT acted_by, acted_at FROM ops.action
WHERE action = :action AND acted_at > coalesce((SELECT max(started_at) FROM ops.run), '-infinity')
ORDER BY acted_at DESC LIMIT 1
"""

_HELD = """
SELECT h.*, (
    SELECT min(held_at) FROM ops.held_edition e
    WHERE e.run_id > coalesce((SELECT max(run_id) FROM ops.publication p WHERE p.run_id < h.run_id), 0)
) AS since
FROM ops.held_edition h WHERE h.ended_by IS NULL
"""

INDICATOR = """
LEFT JOIN LATERAL (
    SELECT * FROM warehouse.dim_indicator known
    WHERE known.indicator_code = a.indicator_code AND known.known_to = 'infinity' ORDER BY known.version DESC LIMIT 1
) i ON true
"""
"""The indicator i of a finding a as it is declared now."""

NAMES = """(
    SELECT array_agg(d.file_name ORDER BY array_position({ids}, d.delivery_id)) FROM ops.delivery d WHERE d.delivery_id = ANY({ids}))"""

_FINDINGS = f"""
SELECT a.*, {{told}} AS told, u.unit_code, u.unit_name, u.unit_level, i.indicator_name, i.official_table, i.decimals, i.unit_measure,
    r.as_of AS since,
    {NAMES.format(ids="a.deliveries")} AS file_names
FROM ops.alarm a
JOIN ops.run r ON r.run_id = a.raised_by
LEFT JOIN warehouse.dim_unit u USING (unit_key)
{INDICATOR}
WHERE a.ended_by IS NULL AND (a.decision IS NULL OR NOT :undecided)
ORDER BY a.decision NULLS FIRST, a.check_code, i.sort_order NULLS FIRST,
    {from_the_top("u.unit_level")}, u.unit_code, a.period, a.alarm_id
"""

_VALUES = f"""
SELECT h.*, u.unit_code, u.unit_name, u.unit_level, i.indicator_code, i.indicator_name, i.decimals, i.unit_measure,
    {{is_withheld}} AS is_withheld, {NAMES.format(ids=f"h.deliveries[1:{MOVERS}]")} AS file_names
FROM ops.held_value h
JOIN warehouse.dim_unit u USING (unit_key)
JOIN LATERAL (
    SELECT * FROM warehouse.dim_indicator known WHERE known.indicator_key = h.indicator_key ORDER BY known.known_to DESC LIMIT 1
) i ON true
ORDER BY h.value IS NULL AND h.old_value IS NULL, {from_the_top("u.unit_level")},
    CASE WHEN i.unit_measure = 'PERCENT' AND NOT {{is_withheld}} THEN abs(h.value - h.old_value) END DESC NULLS LAST,
    i.sort_order, u.unit_code, h.period
"""
