"""Files of an edition that are taken over from the one before, while all that they are made of stays as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import jinja2
import xlsxwriter

ROOT = Path(__file__).parents[2]
MADE_OF = ("expectations", "tasks", "warehouse")
"""Folders of the project that have a say in what the files show: code, declarations, templates, reference data."""


@dataclass(frozen=True)
class Made:
    """Files that are made together."""

    name: str
    """What they tell of, as the year."""
    content: str
    """Fingerprint of what is told in them."""
    files: dict[str, str]
    """Name → hash of its bytes."""


def made(name: str, content: str, edition: Path, files: Sequence[str]) -> Made:
    """What was just written into an edition."""
    return Made(name, content, {file: _hash(edition / file) for file in files})


def write_down(edition: Path, manifest: str, parts: Sequence[Made]) -> None:
    """Leaves in an edition what its files are made of, for the next one."""
    (edition / manifest).write_text(json.dumps([asdict(part) for part in parts]), "utf-8")


def written_down(edition: Path, manifest: str) -> list[Made]:
    """What is in an edition; nothing of one that is not there, cannot be read, or is of an older version."""
    try:
        return [Made(**part) for part in json.loads((edition / manifest).read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def take_over(part: Made, before: Path, edition: Path) -> bool:
    """Copies files from the edition before, and says whether all are there as they were made."""
    try:
        return all(_hash(_copied(before / name, edition / name)) == there for name, there in part.files.items())
    except FileNotFoundError:
        return False


def fingerprint(*told: object) -> str:
    """What tells one content from another."""
    return sha256(repr(told).encode()).hexdigest()


@cache
def programme() -> str:
    """Fingerprint of what makes the files."""
    folders = (ROOT / folder for folder in MADE_OF)
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return fingerprint(jinja2.__version__, xlsxwriter.__version__, [(path.name, _hash(path)) for path in files])


def _copied(path: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(path, to))


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
