"""One publication: count what changed → compute → audit → revise, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Engine

from tasks.count.counting import counting
from tasks.count.held_back import HeldBack
from tasks.count.revisions import Revised, begin_publication
from tasks.deliveries.run_lock import require_lock
from tasks.indicators.audit import Warned, audit
from tasks.indicators.compute import compute
from tasks.indicators.publish import declare_indicators, revise_indicators
from tasks.indicators.restated import revise_restated
from tasks.one_stop_shop.scores import Scores, compute_scores


@dataclass(frozen=True)
class Published:
    """What one publication changed, what it held back, and what deserves a look."""

    publication_id: int | None
    """Nothing where there was nothing to publish."""
    is_vintage: bool
    """Whether it shows an earlier day than the last one: it only adds what would have been published then."""
    indicators: Revised
    scores: Scores
    held_back: list[HeldBack]
    """Values and forms that cannot be right, and are not shown."""
    uncounted: dict[str, str]
    """Code → reason, of indicators whose declared condition failed: the values published before hold."""
    warned: list[Warned]
    """Values published that deserve a look."""

    @property
    def not_published(self) -> list[str]:
        """What was not published, one line for each indicator."""
        held = groupby(sorted(self.held_back, key=attrgetter("indicator_code")), attrgetter("indicator_code"))
        lines = [f"Giữ lại, không công bố {code}: {_places(list(same))}" for code, same in held]
        return lines + [f"Không tính được {code}, số đã công bố giữ nguyên: {reason}" for code, reason in self.uncounted.items()]


SHOWN = 3
"""Places named in a line; the rest is counted."""


def _places(held: list[HeldBack]) -> str:
    named = "; ".join(f"{line.unit_code} {line.period}, {line.reason_vi}" for line in held[:SHOWN])
    return named + (f"; và {len(held) - SHOWN} chỗ khác" if len(held) > SHOWN else "")


def publish(engine: Engine, run_id: int, as_of: datetime) -> Published:
    """Counts what changed, computes, audits and publishes it in one transaction: readers never see half a night."""
    with engine.begin() as connection:
        require_lock(connection, run_id)
        counted = counting(connection, as_of)
        publication = begin_publication(connection, run_id, counted.as_of)
        declare_indicators(connection, publication)
        uncounted = compute(connection, counted).uncounted
        held_back, warned = audit(connection, publication)
        indicators = revise_indicators(connection, publication) + revise_restated(connection, counted, publication, uncounted)
        scores = compute_scores(connection, counted, publication)
        require_lock(connection, run_id)
        return Published(
            publication.publication_id,
            publication.is_vintage,
            indicators,
            scores,
            [*held_back, *scores.held_back],
            uncounted | scores.uncounted,
            warned,
        )
