"""The steps of the warehouse's tables, one file each, numbered: which is the newest, and how they are walked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent


def newest_revision() -> str:
    """Returns the newest step in migrations/versions, read from the file names: Alembic is only loaded when needed."""
    return revisions()[-1]


def revisions() -> list[str]:
    """Every step in migrations/versions, in their order."""
    return sorted(file.name.split("_", 1)[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def run_alembic(connection: Connection, command: str, **arguments: Any) -> None:
    """Runs a command of Alembic on a connection, in its transaction; no alembic.ini is needed."""
    from alembic import command as alembic  # noqa: PLC0415  # a quarter of a second that only a change of version needs
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(alembic, command)(config, **arguments)
