"""Drafting where the crash of a reader, its memory and its time cost nothing else: in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from expectations.contract import contract
from tasks.read.draft.draft import Drafted, draft
from tasks.read.draft.first_rows import NotUnderstood
from tasks.read.limits import DEFAULT

_ROOT = Path(__file__).parents[3]
_OWN_MEMORY_MB = 2048
"""Addresses that the process takes before it reads anything."""


def draft_apart(path: Path, feed: str) -> Drafted:
    """As `draft`, whatever the file does to the reader; NotUnderstood also where it kills it."""
    command = [sys.executable, "-m", __name__, str(path.absolute()), feed]
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, timeout=DEFAULT.silent_seconds, check=False)  # noqa: S603  # our own
    except subprocess.TimeoutExpired:
        raise NotUnderstood("Đọc các dòng đầu của tệp quá lâu, không xong.") from None
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise NotUnderstood("Tệp làm bộ đọc ngừng giữa chừng: hỏng, hoặc có ô ở rất xa các ô khác.") from None
    if "problem" in said:
        raise NotUnderstood(said["problem"])
    return Drafted(**said)


def main() -> None:
    """Drafts the file of the command line and writes as JSON what came of it; nothing else of a failure, which may quote a cell."""
    most = (DEFAULT.memory_mb + _OWN_MEMORY_MB) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        said = asdict(draft(Path(sys.argv[1]), contract(sys.argv[2])))
    except NotUnderstood as problem:
        said = {"problem": str(problem)}
    except Exception as problem:
        said = {"problem": f"Không phác thảo được bố cục của tệp này ({type(problem).__name__})."}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
