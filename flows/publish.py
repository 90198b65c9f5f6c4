"""One edition: count what changed → compute → audit → revise → withhold, in one transaction; out of line, readers keep the last one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, Engine

from tasks.ask.gate import held_edition
from tasks.count.counting import counting
from tasks.count.held_back import HeldBack
from tasks.count.revisions import Revised, begin_publication, changed_years
from tasks.deliveries.run_lock import require_lock
from tasks.indicators.audit import audit
from tasks.indicators.compute import compute
from tasks.indicators.confidential import protect
from tasks.indicators.edition import hold, note, said_otherwise, undecided, would_change
from tasks.indicators.gate import Alarm, find_alarms
from tasks.indicators.publish import declare_indicators, revise_indicators
from tasks.indicators.restated import revise_restated
from tasks.one_stop_shop.scores import Scores, compute_scores
from warehouse.gate import gate

log = logging.getLogger("bakhong")


@dataclass(frozen=True)
class Published:
    """What one edition changed, or would change where it is held; and what of it is not shown."""

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
    alarms: list[Alarm]
    """What is out of line and nobody has accepted: where there is any, the edition is held, and nothing of it published."""

    @property
    def is_held(self) -> bool:
        """Whether readers keep the edition published before."""
        return bool(self.alarms)

    @property
    def not_published(self) -> list[str]:
        """What was not published: that the edition is held, else one line for each indicator."""
        if self.is_held:
            return [f"Giữ lại, chưa công bố, chờ quyết định (bakhong gate list): {_findings(self.alarms)}"]
        held = groupby(sorted(self.held_back, key=attrgetter("indicator_code")), attrgetter("indicator_code"))
        lines = [f"Giữ lại, không công bố {code}: {_places(list(same))}" for code, same in held]
        return lines + [f"Không tính được {code}, số đã công bố giữ nguyên: {reason}" for code, reason in self.uncounted.items()]

    @property
    def causes(self) -> list[tuple[str, str]]:
        """The same, each finding apart, with what it is about: a text that stays as it is while the fault lasts."""
        if self.is_held:
            return [(f"held {alarm.subject}", f"Chưa công bố, chờ quyết định: {_found(alarm)}") for alarm in self.alarms]
        held = [(f"held back {one.indicator_code} {one.unit_code} {one.period}", _places([one])) for one in self.held_back]
        uncounted = [(f"uncounted {code}", f"Không tính được {code}: {reason}") for code, reason in self.uncounted.items()]
        return [(cause, f"Giữ lại, không công bố {cause.split()[2]}: {line}") for cause, line in held] + uncounted


SHOWN = 3
"""Places named in a line; the rest is counted."""


def _places(held: list[HeldBack]) -> str:
    named = "; ".join(f"{line.unit_code} {line.period}, {line.reason_vi}" for line in held[:SHOWN])
    return named + (f"; và {len(held) - SHOWN} chỗ khác" if len(held) > SHOWN else "")


def _findings(alarms: list[Alarm]) -> str:
    named = "; ".join(map(_found, alarms[:SHOWN]))
    return named + (f"; và {len(alarms) - SHOWN} điểm khác" if len(alarms) > SHOWN else "")


def _found(alarm: Alarm) -> str:
    return f"{alarm.place}, {gate().titled(alarm.check_code).lower()}: {alarm.message_vi}"


def publish(engine: Engine, run_id: int, as_of: datetime, *, is_gated: bool = True) -> Published:
    """Counts what changed, computes, audits and publishes it in one transaction: readers never see half a night.

    `is_gated`: what is out of line holds it; else it goes out whatever it says, as history does that is made up for. What is held already
    goes out on somebody's word only.
    """
    with engine.begin() as connection:
        done = _published(connection, run_id, as_of, is_gated)
    counts = {name: getattr(done.indicators, name) for name in ("added", "revised", "ended")} | {"held_back": len(done.held_back)}
    if done.is_held:
        log.warning("edition held", extra={"findings": len(done.alarms)} | counts)
    else:
        log.info("edition published", extra={"publication": done.publication_id, "uncounted": len(done.uncounted)} | counts)
    return done


def _published(connection: Connection, run_id: int, as_of: datetime, is_gated: bool) -> Published:
    require_lock(connection, run_id)
    edition = connection.begin_nested()
    counted = counting(connection, as_of)
    publication = begin_publication(connection, run_id, counted.as_of)
    declare_indicators(connection, publication)
    uncounted = compute(connection, counted).uncounted
    held_back = audit(connection, publication)
    alarms = find_alarms(connection, counted) if is_gated or held_edition(connection) is not None else []
    otherwise = said_otherwise(connection)
    indicators = revise_indicators(connection, publication)
    changed = changed_years(connection)
    indicators += revise_restated(connection, counted, publication, uncounted)
    changed |= changed_years(connection)
    scores = compute_scores(connection, counted, publication)
    waiting = undecided(connection, alarms) if publication.publication_id is not None else []
    if waiting:
        changes = would_change(connection, publication)
        edition.rollback()
        publication.publication_id = None
        note(connection, run_id, alarms, otherwise, publication)
        hold(connection, run_id, counted.as_of, indicators, changes)
        protect(connection, counted, set())
    else:
        edition.commit()
        note(connection, run_id, alarms, otherwise, publication)
        protect(connection, counted, changed, everything=publication.is_declared_anew)
    require_lock(connection, run_id)
    return Published(
        publication.publication_id,
        publication.is_vintage,
        indicators,
        scores,
        [*held_back, *scores.held_back],
        uncounted | scores.uncounted,
        waiting,
    )
