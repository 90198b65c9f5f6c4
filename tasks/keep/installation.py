"""What an installation has besides its warehouse: settings, of which a backup holds no secret, and the key, which lies apart."""

from __future__ import annotations

import re
from pathlib import Path

from dotenv.parser import parse_stream

from warehouse.settings import VARIABLES

OPEN = {name for name in VARIABLES if not re.search(r"KEY|MESSAGE|SECRET|TOKEN", name)} | {
    "DASK_SCHEDULER_ADDRESS", "DO_NOT_TRACK", "PREFECT_API_URL", "PREFECT_HOME", "PREFECT_SERVER_ANALYTICS_ENABLED",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED", "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD", "TZ",
}  # fmt: skip
"""Settings that are no secrets; of anything else only its name is kept."""


def without_secrets(path: Path) -> str:
    """A file of NAME=value lines as it is, but for what may be a secret, and for passwords in addresses."""
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8") as file:
        return "".join(_line(line.key, line.original.string) for line in parse_stream(file))


def _line(name: str | None, words: str) -> str:
    if name is None:
        return re.sub(r"=.*", "=", words)  # a comment may be a setting of yesterday
    if name in OPEN or name.endswith("_FILE"):
        return re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1@", words)
    blanks = words[: len(words) - len(words.lstrip())]
    return f"{blanks}# {name}=  (không có trong bản sao: đặt lại)\n"
