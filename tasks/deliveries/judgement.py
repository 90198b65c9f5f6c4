"""How a delivery is judged, in one word, wherever people read of it: by its row of `ops.delivery`, and by nothing else."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

Judgement: TypeAlias = Literal["rejected", "set_aside", "flagged", "passed", "waiting"]
"""rejected: refused whole; set_aside: taken, and nothing of it went in; flagged: a rule did not hold, or some rows did not go in."""

WORST_FIRST: tuple[Judgement, ...] = get_args(Judgement)

TONES: dict[Judgement, str] = {"rejected": "bad", "set_aside": "bad", "flagged": "warn", "passed": "good", "waiting": "soft"}
"""Judgement → colour it is shown in, beside its word (`tasks.words.vietnamese.JUDGEMENT`) and never instead of it."""


def judgement(delivery: Any) -> Judgement:
    """What became of a delivery, from its row of `ops.delivery`."""
    if delivery.status == "landed":
        return "waiting"
    if delivery.status == "rejected":
        return "rejected"
    if delivery.rows_quarantined and not delivery.rows_loaded + delivery.rows_unchanged:
        return "set_aside"
    return "flagged" if delivery.verdict == "accept_with_flags" else "passed"
