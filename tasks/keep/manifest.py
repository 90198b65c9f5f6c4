"""What a backup says of itself: its files with their hashes, and what they hold. Without it, a folder is no backup."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, text

NAME = "manifest.json"
DUMP, SOURCES, ENVIRONMENT = "warehouse.dump", "sources.yaml", "env"
"""Files of a backup beside its manifest."""
BLOCK = 1 << 20


class File(NamedTuple):
    """A file of a backup."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Counts:
    """How much a warehouse holds."""

    deliveries: int
    publications: int
    facts: dict[str, int]
    """Rows of each table of facts."""


@dataclass(frozen=True)
class Manifest:
    """One backup."""

    taken_at: datetime
    program: str
    """Version of the program that took it."""
    revision: str
    """Revision of the warehouse (warehouse/migrations/versions)."""
    postgresql: str
    """Version of the server."""
    dumped_by: int
    """Major version of pg_dump, which reading the dump again takes at least."""
    counts: Counts
    roles: list[str]
    """Roles that the grants name."""
    members: list[str]
    """Who is a member of our roles, as `login: role`: accounts of the server, which no backup of a database holds."""
    key: str | None
    """Fingerprint of the key of the pseudonyms in use (warehouse/pseudonym_key.py)."""
    files: dict[str, File]
    """By path in the folder of backups."""
    missing: list[str]
    """Landed files that a delivery names and that could not be had any more."""


class Backup(NamedTuple):
    """A backup and where it lies."""

    folder: Path
    told: Manifest


_MANIFEST = TypeAdapter(Manifest)


def write_manifest(folder: Path, told: Manifest) -> None:
    """Makes a folder a backup: the last thing that is written of it, whole or not at all."""
    draft = folder / f".{NAME}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(_MANIFEST.dump_json(told, indent=1))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / NAME)


def backups(folder: Path) -> list[Backup]:
    """The backups of a folder, the last first; one whose manifest is damaged is none."""
    return sorted(_found(folder), key=lambda one: one.told.taken_at, reverse=True)


def _found(folder: Path) -> Iterator[Backup]:
    for path in folder.glob(f"*/{NAME}"):
        with contextlib.suppress(ValidationError):
            yield Backup(path.parent, _MANIFEST.validate_json(path.read_bytes()))


def fingerprint(path: Path) -> File:
    """Hash and size of a file as it lies there."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return File(digest.hexdigest(), size)


def counted(connection: Connection) -> Counts:
    """How much the warehouse of a connection holds, of whatever version it is."""
    facts = connection.scalars(text(_FACTS)).all()
    return Counts(
        deliveries=connection.scalar(text("SELECT count(*) FROM ops.delivery")) or 0,
        publications=connection.scalar(text("SELECT count(*) FROM ops.publication")) or 0,
        facts={fact: connection.scalar(text(f"SELECT count(*) FROM warehouse.{fact}")) or 0 for fact in facts},
    )


_FACTS = """
SELECT relname FROM pg_class
WHERE relnamespace = 'warehouse'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname LIKE 'fact\\_%' ORDER BY relname
"""
