"""What one file may cost: beyond these it is refused, whoever sent it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from tasks.deliveries.source import whole_numbers


@dataclass(frozen=True)
class Limits:
    """Bounds of reading one file; `limits` of sources.yaml changes them for an installation."""

    memory_mb: int = 2048
    """Memory that reading may take beside what the reader itself needs."""
    silent_seconds: int = 120
    """For so long a reader may say nothing; then it is ended."""
    rows: int = 50_000_000
    columns: int = 1_000
    cells: int = 30_000_000
    """Of one sheet, the empty ones between its corners counted."""
    unpacked_mb: int = 1024
    """Of a compressed file."""
    ratio: int = 300
    """Times that a compressed file of some size may grow when unpacked."""


DEFAULT = Limits()


def read_limits(path: Path) -> Limits:
    """The limits of a sources.yaml, the defaults where it says nothing; Refusal names the first mistake in one line."""
    return Limits(**whole_numbers(path, "limits", [field.name for field in fields(Limits)]))
