"""What a delivery speaks for, and when it was made, as far as its path says."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from tasks.words.vietnamese import VIETNAM

PATH = re.compile(
    r"(?:^|/)(?P<province>[A-Z]\d{2})/(?P<period>\d{4}(?:-Q[1-4]|-(?:0[1-9]|1[0-2]))?)/"
    r"(?P<captured>\d{4}-\d{2}-\d{2}T\d{4}Z)/(?P<endpoint>[a-z-]+)-all\.json$"
)


@dataclass(frozen=True)
class Capture:
    """What the path of an answer says."""

    province: str
    period: str
    captured_at: datetime
    endpoint: str

    @property
    def about(self) -> str:
        """What tells this delivery from another of the same bytes."""
        return f"{self.province}/{self.period}/{self.captured_at:%Y-%m-%dT%H%MZ}/{self.endpoint}"


def capture(file_name: str) -> Capture | None:
    """Province, period, time of capture and endpoint from a path below the source; nothing where it has another shape."""
    found = PATH.search(file_name)
    if found is None:
        return None
    try:
        captured = datetime.strptime(found["captured"], "%Y-%m-%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Capture(found["province"], found["period"], captured, found["endpoint"])


def exported_at(name: str, modified: datetime | None) -> datetime:
    """When the source made the file: the capture, or the end of the day or month, in its name; else its time of change, else now."""
    captured = capture(name)
    if captured is not None:
        return captured.captured_at.astimezone(VIETNAM)
    last = _days(name)
    if last is not None:
        return datetime.combine(last[1], time(23, 59, 59), VIETNAM)
    return (modified or datetime.now(VIETNAM)).astimezone(VIETNAM)


def period_of_name(name: str) -> str | None:
    """The day or month that a file name speaks of, as 2024-03-15 or 2024-03; of an answer of the portal, what was asked for."""
    captured = capture(name)
    if captured is not None:
        return captured.period
    days = _days(name)
    if days is None:
        return None
    return days[0].isoformat() if days[0] == days[1] else days[0].isoformat()[:7]


def _days(name: str) -> tuple[date, date] | None:
    for digits in reversed(re.findall(r"(?<!\d)(?:19|20)\d{4}(?:\d{2})?(?!\d)", name)):
        year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:] or 0)
        if 1 <= month <= 12:
            last = calendar.monthrange(year, month)[1]
            if len(digits) == 6:
                return date(year, month, 1), date(year, month, last)
            if 1 <= day <= last:
                return date(year, month, day), date(year, month, day)
    return None
