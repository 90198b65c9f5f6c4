"""What the environment says: where things are, and the key that pseudonymises people."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

KEY_LENGTH = 16
"""Fewest characters of a secret key that is taken."""


class Refusal(Exception):
    """The system cannot do what was asked; the message is one clear line for the user."""


@dataclass(frozen=True)
class Settings:
    """One installation: its folder, its warehouse, its sources and its secret key."""

    home: Path
    warehouse_url: str | None
    sources: Path
    secret_key: bytes

    @classmethod
    def from_environment(cls) -> Settings:
        """Reads BAKHONG_HOME, BAKHONG_WAREHOUSE_URL, BAKHONG_SOURCES and BAKHONG_SECRET_KEY."""
        home = Path(os.environ.get("BAKHONG_HOME") or ".bakhong").expanduser().absolute()
        url = os.environ.get("BAKHONG_WAREHOUSE_URL") or None
        try:
            home.mkdir(parents=True, exist_ok=True)
            key = _secret_key(home, may_be_made=url is None)
        except OSError as error:
            raise Refusal(f"BAKHONG_HOME {home} cannot be used: {error.strerror}.") from error
        return cls(
            home=home,
            warehouse_url=url,
            sources=Path(os.environ.get("BAKHONG_SOURCES") or "samples/sources.yaml").expanduser().absolute(),
            secret_key=key,
        )


def _secret_key(home: Path, *, may_be_made: bool) -> bytes:
    given = os.environ.get("BAKHONG_SECRET_KEY", "").strip()
    if given:
        if len(given) < KEY_LENGTH:
            raise Refusal(f"BAKHONG_SECRET_KEY is too short: at least {KEY_LENGTH} characters are needed.")
        return given.encode()
    if not may_be_made:
        raise Refusal("BAKHONG_SECRET_KEY is not set: with BAKHONG_WAREHOUSE_URL the key that pseudonymises people must be given.")
    path = home / "secret_key"
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text().strip().encode()


def write_private(path: Path, content: str) -> None:
    """Writes a file that only its owner may read, whole or not at all; the first of several writers wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
