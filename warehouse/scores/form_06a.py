"""Form II.06a (TT 01/2020/TT-VPCP): what happens to dossiers, as it is kept counted, and the same counted another way."""

from __future__ import annotations

from functools import cache
from importlib import resources

from warehouse.counted import Counted, by_step, counts, half_month
from warehouse.scores.on_time import on_time
from warehouse.succession import OWNERS

_MEASURES = {
    "online": ("sign", "event = 'received' AND is_online"),
    "other": ("sign", "event = 'received' AND NOT is_online"),
    "early": ("sign", "event = 'ended' AND outcome = 'early'"),
    "on_day": ("sign", "event = 'ended' AND outcome = 'on_day'"),
    "late": ("sign", "event = 'ended' AND outcome = 'late'"),
    "overdue": ("CASE event WHEN 'overdue' THEN sign ELSE -sign END", "event = 'overdue' OR event = 'ended' AND at.overdue IS NOT NULL"),
    "in_online": ("sign", "event = 'in' AND is_online"),
    "in_other": ("sign", "event = 'in' AND NOT is_online"),
    "in_overdue": ("sign", "event = 'in' AND at.overdue < happening.day"),
    "out_online": ("sign", "event = 'out' AND is_online"),
    "out_other": ("sign", "event = 'out' AND NOT is_online"),
    "out_overdue": ("sign", "event = 'out' AND at.overdue < happening.day"),
}

STEPS = """(
    SELECT step, coalesce(lead(step) OVER (ORDER BY step) - 1, last_day) AS last_day
    FROM (SELECT month_start + past AS step, max(date_key) AS last_day FROM warehouse.dim_date
        CROSS JOIN (VALUES (0), (14)) half (past) GROUP BY month_start, past) step
)"""
"""The half months there are days of, with their first day (step) and their last."""


def _filled(file: str) -> str:
    rule = on_time("form_06a")
    received, ended, due = "d.received_at::date", f"({rule.ended_at})::date", "greatest(d.due_at::date + 1, d.received_at::date)"
    # While both stood, the one that handles it has had it from the beginning; else it had to be passed on.
    has_ended = f"coalesce(CASE WHEN {rule.judged} THEN {ended} END, '9999-12-31')"
    both_stood = f"{received} BETWEEN u.valid_from AND u.valid_to AND (r.unit_key = 0 OR r.valid_to >= {has_ended})"
    filled = {
        "counts": counts(list(_MEASURES.values())),
        "judged": rule.judged,
        "ended_at": rule.ended_at,
        "in_time": rule.in_time_at("NULL"),
        "held": rule.held,
        "whatever_date": rule.whatever_date,
        "first": f"CASE WHEN u.unit_key <> 0 AND {both_stood} THEN u.unit_key ELSE r.unit_key END",
        "last": f"CASE WHEN u.unit_key = 0 OR {has_ended} < u.valid_from THEN r.unit_key ELSE u.unit_key END",
        "received": by_step(half_month, received),
        "ended": by_step(half_month, ended),
        "due": by_step(half_month, due),
        "step_of_due": half_month("due"),
        "step_of_ended": half_month("ended"),
        "received_step": half_month(received),
        "ended_step": half_month(ended),
        "overdue_step": half_month(due),
        "first_step": half_month("greatest(a.received, o.begins)"),
        "last_step": f"CASE WHEN a.ended IS NOT NULL THEN {half_month('greatest(a.ended, o.begins)')} END",
        "owners": OWNERS,
    }
    text = resources.files(__package__).joinpath(file).read_text("utf-8")
    for name, sql in filled.items():
        text = text.replace(f"{{{name}}}", sql)
    return text


@cache
def form_06a() -> Counted:
    """Events of dossiers by unit, procedure and half month, out of which every form is added up."""
    return Counted(
        name="form_06a",
        table="fact_dossier",
        query=_filled("form_06a.sql"),
        measures=tuple(_MEASURES),
        depends_on=("dim_dossier_status", "dim_procedure", "dim_unit", "bridge_unit_succession"),
    )


@cache
def recount() -> str:
    """SELECT unit_key, step, what form_06a() counts and `pending`, over {states} seen in each step of the temporary `form_calendar`."""
    return _filled("form_06a_recount.sql")
