"""`bakhong doctor`: everything that a night needs, looked at side by side and told line by line. It makes, migrates and sends nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tasks.deliveries.run_lock import in_one_line
from warehouse.settings import Refusal

SECONDS = 15
"""How long a check may take; what does not answer by then is told, and waited for no longer."""


@dataclass(frozen=True)
class Finding:
    """What one look found: a line of the table."""

    about: str
    """What was looked at."""
    state: Literal["good", "to_do", "to_know"]
    """Whether the night has what it needs; the third is what the night can do without."""
    found: str
    to_do: str = ""
    moment: datetime | None = None
    """The time that it speaks of."""


def good(about: str, found: str, moment: datetime | None = None) -> Finding:
    """A finding of something that is as it has to be."""
    return Finding(about, "good", found, moment=moment)


def to_do(about: str, found: str, advice: str = "", moment: datetime | None = None) -> Finding:
    """A finding of something that somebody has to see to."""
    return Finding(about, "to_do", found, advice, moment)


def to_know(about: str, found: str, advice: str = "") -> Finding:
    """A finding of something that may well be as it is."""
    return Finding(about, "to_know", found, advice)


@dataclass(frozen=True)
class Check:
    """One look at one thing."""

    about: str
    look: Callable[[], Iterable[Finding]]
    seconds: float = SECONDS


def examine(checks: list[Check], secrets: Iterable[str] = ()) -> list[Finding]:
    """What all checks found, in their order, as soon as the slowest has answered or was given up; none of the secrets is quoted."""
    found: list[list[Finding] | None] = [None] * len(checks)

    def look(number: int, check: Check) -> None:
        try:
            findings = list(check.look())
        except Exception as problem:  # whatever keeps it from looking is what it found
            findings = [to_do(check.about, str(problem) if isinstance(problem, Refusal) else in_one_line(problem))]
        found[number] = findings

    began = time.monotonic()
    # Threads that nobody waits for at the end of the program: one may hang for ever on a dead file server.
    threads = [threading.Thread(target=look, args=(number, check), daemon=True) for number, check in enumerate(checks)]
    for thread in threads:
        thread.start()
    for thread, check in zip(threads, checks, strict=True):
        thread.join(max(0, check.seconds - (time.monotonic() - began)))
    hidden = [secret for secret in secrets if secret]
    return [
        _without(hidden, finding)
        for findings, check in zip(found, checks, strict=True)
        for finding in findings or ([to_do(check.about, f"không trả lời trong {check.seconds:g} giây")] if findings is None else [])
    ]


def _without(secrets: Iterable[str], finding: Finding) -> Finding:
    """A finding without the secrets, whatever a server answered or a library put into its error."""
    for secret in secrets:
        finding = replace(finding, found=finding.found.replace(secret, "***"), to_do=finding.to_do.replace(secret, "***"))
    return finding
