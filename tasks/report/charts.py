"""Small bars drawn as SVG, for a glance; the table beside them says the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

STEP, WIDTH, GAP, HEIGHT, LEAST = 22, 16, 3, 64, 2
"""Pixels: from bar to bar, of a bar, round the drawing, of the highest bar, of the lowest that is not zero."""


@dataclass(frozen=True)
class Bar:
    """One bar: its parts from the ground up, what it stands for, and where it leads."""

    parts: Sequence[tuple[str, int]]
    """Class of the stylesheet (`good`, `warn`, `bad`) and count."""
    label: str
    href: str = ""


def bars(rows: Sequence[Any], bar_of: Callable[[Any, Callable[[str], str]], Bar], link: Callable[[str], str], title: str) -> Markup:
    """A bar a row, the first at the left; each tells what it is when pointed at, and may be followed where it has a page."""
    shown = [bar_of(row, link) for row in rows]
    highest = max((sum(count for _, count in bar.parts) for bar in shown), default=0) or 1
    width = max(len(shown), 1) * STEP + 2 * GAP
    drawn = Markup("").join(_bar(GAP + place * STEP, bar, highest) for place, bar in enumerate(shown))
    return Markup(
        '<svg class="bars" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}" preserveAspectRatio="xMinYMax meet">'
        '<line class="ground" x1="0" x2="{}" y1="{}" y2="{}"/>{}</svg>'
    ).format(title, width, HEIGHT + 2 * GAP, width, HEIGHT + 2 * GAP, width, HEIGHT + GAP + 0.5, HEIGHT + GAP + 0.5, drawn)


def _bar(left: int, bar: Bar, highest: int) -> Markup:
    top, parts = HEIGHT + GAP, Markup("")
    for name, count in bar.parts:
        if count:
            height = max(LEAST, round(count / highest * HEIGHT))
            top -= height
            parts += Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(name, left, max(top, 0), WIDTH, height)
    reach = Markup('<rect class="reach" x="{}" y="0" width="{}" height="{}"/>').format(left - GAP, STEP, HEIGHT + GAP)
    inner = Markup("<title>{}</title>{}{}").format(bar.label, reach, parts)
    return Markup('<a href="{}">{}</a>').format(bar.href, inner) if bar.href else Markup("<g>{}</g>").format(inner)
