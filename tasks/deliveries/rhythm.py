"""How often a source sends, and when its silence is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from warehouse import periods


@dataclass(frozen=True)
class Rhythm:
    """A rhythm of deliveries: each is about a stretch of the calendar, and made some days after its end."""

    longest: timedelta
    """Length of the longest stretch."""
    writing: timedelta
    """Days that it takes to write a report of it."""
    months: int = 0
    """Months of a stretch; none where it is a day."""

    @property
    def patience(self) -> timedelta:
        """How long after its last delivery the silence of a source counts as late."""
        return self.longest + self.writing

    def steps(self, first: date, last: date) -> list[tuple[date, date]]:
        """The stretches of which days of a period are part."""
        found = []
        while self.months and first <= last:
            found.append((first, self._end(first)))
            first = found[-1][1] + timedelta(days=1)
        return found

    def due(self, day: date) -> date:
        """The day by which the delivery that speaks for a day is due."""
        return self._end(day) + self.writing

    def _end(self, day: date) -> date:
        if not self.months:
            return day
        return periods.days(f"{day.year}-{(day.month - 1) // self.months * self.months + self.months:02}")[1]


RHYTHMS = {
    "daily": Rhythm(timedelta(days=1), timedelta(days=1)),
    "monthly": Rhythm(timedelta(days=31), timedelta(days=10), 1),
    "quarterly": Rhythm(timedelta(days=92), timedelta(days=15), 3),
    "yearly": Rhythm(timedelta(days=366), timedelta(days=31), 12),
}
"""Rhythm → its stretches; a source that sends once has none."""
