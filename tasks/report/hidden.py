"""What is said under a table of the values in it that are not for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tasks.ask.official_table import Line
from tasks.words import vietnamese as vi
from warehouse.confidentiality import Threshold, confidentiality


def threshold_of(as_of: datetime) -> Threshold:
    """The threshold for what is published with a state of knowledge."""
    return confidentiality().on(as_of.astimezone(vi.VIETNAM).date())


def note_on(lines: Iterable[Line], as_of: datetime) -> str:
    """How many values of a table are hidden, by which rule; nothing where none is."""
    return note(sum(line.is_hidden for line in lines), "số", threshold_of(as_of))


def note(hidden: int, what: str, threshold: Threshold) -> str:
    """How many of something are hidden, by which rule; nothing where none is."""
    if not hidden:
        return ""
    return (
        f"{vi.number(hidden)} {what} ghi “{vi.HIDDEN}” không công khai: số đếm người, hồ sơ, hóa đơn từ 1 đến {threshold.below - 1}, "
        f"hoặc số mà từ đó suy ra được số ấy. Căn cứ: {threshold.source}."
    )
