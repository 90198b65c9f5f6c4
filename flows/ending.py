"""How nights end where Prefect looks: green, not green, or stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.states import Failed

from flows.stopping import Stopped

if TYPE_CHECKING:
    from flows.nightly import Night

R = TypeVar("R")

MESSAGE_LENGTH = 1_000
"""Most characters of what a state says; the whole is in ops and on the steward's pages."""


class NightStopped(TerminationSignal, Stopped):
    """Someone asked the night to end; a kind that Prefect knows, so that a run cancelled there ends as cancelled."""

    def __init__(self, number: int, words: str) -> None:
        TerminationSignal.__init__(self, number)
        Stopped.__init__(self, number, words)


class NotAllTaken(Exception):
    """Nights that were done and did not take everything: what Prefect is to see in place of their result, which it carries."""

    def __init__(self, shortcomings: list[str], result: Any) -> None:
        super().__init__("; ".join(shortcomings)[:MESSAGE_LENGTH])
        self.result = result


def state_of(nights: Sequence[Night], result: R) -> R | State[R]:
    """What a flow of nights returns: its result; where a night did not take everything, a state that is not green."""
    shortcomings = [line for night in nights for line in night.shortcomings]
    if not shortcomings:
        return result
    told = NotAllTaken(shortcomings, result)
    is_only_held = all(night.published.not_published == night.shortcomings for night in nights) and any(
        night.published.is_held for night in nights
    )
    return Failed(name="Held" if is_only_held else "Rejected", message=str(told), data=told)
