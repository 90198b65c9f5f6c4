"""What is published and what waits: the edition that is held, what of it is out of line, what it would change, and the signed periods."""

from __future__ import annotations

from tasks.ask.gate import MOVERS, alike, asked_for, held_values, numbers
from tasks.ask.overview import Overview
from tasks.ask.releases import all_signed, citation, find_signed, shown_checksum
from tasks.ask.scope import PUBLIC
from tasks.report.rendering import Page
from tasks.report.signing import Unsigned, differences, unsigned
from warehouse.gate import gate
from warehouse.seed import is_sample

PLACE = "cong-bo"
VALUES = 100
"""Values that a held edition would change, shown."""


def publication(overview: Overview) -> Page:
    """The page of the gate."""
    values = [row for row in held_values(overview.connection, overview.scope) if overview.scope.sees(row.unit_code)]
    to_sign: list[Unsigned] = unsigned(overview.connection) if overview.held_edition is None else []
    content = {
        "held": overview.held_edition,
        "senders": overview.senders,
        "publication": overview.publication,
        "findings": [(numbers(same), gate().titled(same[0].check_code), same) for same in alike(overview.findings)],
        "waiting": sum(row.decision is None for row in overview.findings),
        "values": values,
        "shown": VALUES,
        "named": MOVERS,
        "run": overview.run,
        "asked": asked_for(overview.connection),
        "releases": all_signed(overview.connection),
        "to_sign": to_sign,
    }
    return Page(PLACE, "gate.html", content)


def release(overview: Overview, number: int) -> Page | None:
    """A signed edition, and what is published otherwise now; nothing where there is none of that number."""
    found = find_signed(overview.connection, number)
    if found is None:
        return None
    now = differences(overview.connection, found.period, overview.scope, number)[1]
    content = {
        "release": found,
        "differences": [one for one in now if overview.scope.sees(one.line.unit_code)],
        "checksum": shown_checksum(overview.connection, found, overview.scope),
        "citation": citation(
            found.period,
            f"bản ký số {number}",
            found.signed_at,
            shown_checksum(overview.connection, found, PUBLIC),
            is_sample=is_sample(overview.connection),
        ),
    }
    return Page(f"{PLACE}/ban-ky/{number}", "release.html", content)
