"""The charts of an edition's pages as files: one that shows what it showed in the edition before is taken over, any other is drawn.

Drawing takes a hundred times as long as writing the page, and of a year that changed most charts show what they showed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tasks.report import plots
from tasks.report.beside import Beside
from tasks.report.kept import Made, fingerprint, made, take_over, write_down, written_down
from tasks.report.rendering import Page
from tasks.words import vietnamese

MANIFEST = "drawn.json"
"""What the charts of an edition show."""


class Drawings:
    """The charts of one edition."""

    def __init__(self, before: Path, edition: Path) -> None:
        self._before, self._edition = before, edition
        self._there = {part.name: part for part in written_down(before, MANIFEST)}
        self._shown: dict[str, str] = {}

    def put(self, pages: Iterable[Page], beside: Beside) -> list[str]:
        """Puts the charts of pages into the edition, some time before the end of the block that is beside; returns their names."""
        shown = {
            f"{page.place}/{chart.name}.svg": (chart, fingerprint(_drawn_by(), chart))
            for page in pages
            for chart in page.content.get("charts", ())
        }
        for name, (chart, content) in shown.items():
            there = self._there.get(name)
            if there is None or there.content != content or not take_over(there, self._before, self._edition):
                beside.draw(chart, self._edition / name)
        self._shown |= {name: content for name, (_, content) in shown.items()}
        return list(shown)

    def keep(self, files: Iterable[str]) -> None:
        """Counts charts among those of the edition that were taken over with their pages."""
        self._shown |= {name: self._there[name].content for name in files if name in self._there}

    def write_down(self) -> None:
        """Leaves in the edition what its charts show, for the next one."""
        parts: list[Made] = [made(name, content, self._edition, [name]) for name, content in sorted(self._shown.items())]
        write_down(self._edition, MANIFEST, parts)


@cache
def _drawn_by() -> str:
    """Fingerprint of what draws: our own words for it, and the library."""
    own = [Path(plots.__file__), Path(plots.__file__).with_name("vega.py"), Path(vietnamese.__file__)]
    return fingerprint([path.read_bytes() for path in own], version("vl-convert-python"))
