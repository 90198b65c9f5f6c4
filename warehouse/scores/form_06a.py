"""Form II.06a (TT 01/2020/TT-VPCP): what happens to dossiers, as it is kept counted, and the same counted another way."""

from __future__ import annotations

from functools import cache
from importlib import resources

from warehouse.counted import Counted, by_month, counts
from warehouse.scores.on_time import on_time

_MEASURES = {
    "online": ("sign", "event = 'received' AND is_online"),
    "other": ("sign", "event = 'received' AND NOT is_online"),
    "early": ("sign", "event = 'ended' AND outcome = 'early'"),
    "on_day": ("sign", "event = 'ended' AND outcome = 'on_day'"),
    "late": ("sign", "event = 'ended' AND outcome = 'late'"),
    "overdue": ("CASE event WHEN 'overdue' THEN sign ELSE -sign END", "event = 'overdue' OR event = 'ended' AND overdue IS NOT NULL"),
}


def _filled(file: str) -> str:
    rule = on_time("form_06a")
    received = "d.received_at::date"
    filled = {
        "counts": counts(list(_MEASURES.values())),
        "judged": rule.judged,
        "ended_at": rule.ended_at,
        "in_time": rule.in_time_at("NULL"),
        "received": by_month(received),
        "ended": by_month(f"({rule.ended_at})::date"),
        "due": by_month(f"greatest(d.due_at::date + 1, {received})"),
    }
    text = resources.files(__package__).joinpath(file).read_text("utf-8")
    for name, sql in filled.items():
        text = text.replace(f"{{{name}}}", sql)
    return text


@cache
def form_06a() -> Counted:
    """Events of dossiers by unit, procedure and month, out of which every form is added up."""
    return Counted(
        name="form_06a",
        table="fact_dossier",
        query=_filled("form_06a.sql"),
        measures=tuple(_MEASURES),
        depends_on=("dim_dossier_status", "dim_procedure"),
    )


@cache
def recount() -> str:
    """SELECT unit_key, month and what form_06a() counts, and `pending`, over {states}: dossiers looked at in every month up to :last."""
    return _filled("form_06a_recount.sql")
