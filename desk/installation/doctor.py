"""`bakhong doctor`: everything that a night needs, looked at side by side and told line by line. It makes, migrates and sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Thread
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
    advice: str = ""
    """What to do where it cannot be looked at."""
    has_to_end: bool = False
    """Whether what it starts has to be stopped by it, so that it is not given up; it has limits of its own."""


def examine(checks: list[Check], secrets: Iterable[str] = ()) -> list[Finding]:
    """What all checks found, in their order, as soon as the slowest has answered or was given up; none of the secrets is quoted."""
    found: list[list[Finding] | None] = [None] * len(checks)

    def look(number: int, check: Check) -> None:
        try:
            findings = list(check.look())
        except Exception as problem:  # whatever keeps it from looking is what it found
            findings = [to_do(check.about, str(problem) if isinstance(problem, Refusal) else in_one_line(problem), check.advice)]
        found[number] = findings

    deadline = time.monotonic() + SECONDS
    # Threads that nobody waits for at the end of the program: one may hang for ever on a dead file server.
    threads = [Thread(target=look, args=one, daemon=True) for one in enumerate(checks) if not one[1].has_to_end]
    for thread in threads:
        thread.start()
    for number, check in enumerate(checks):
        if check.has_to_end:
            look(number, check)
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    hidden = [secret for secret in secrets if secret]
    return [
        _without(hidden, finding)
        for findings, check in zip(found, checks, strict=True)
        for finding in ([_silent(check)] if findings is None else findings)
    ]


def _silent(check: Check) -> Finding:
    return to_do(check.about, f"không trả lời trong {SECONDS} giây", check.advice)


def _without(secrets: Iterable[str], finding: Finding) -> Finding:
    """A finding without the secrets, whatever a server answered or a library put into its error."""
    for secret in secrets:
        finding = replace(finding, found=finding.found.replace(secret, "***"), to_do=finding.to_do.replace(secret, "***"))
    return finding
