"""What a night leaves on the disk is for the service's user alone: another user of the machine reads nothing of it."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nights import bakhong, environment, few_sources

LOOK = """
import os, sys
for folder, _, files in os.walk(sys.argv[1]):
    for file in files:
        path = os.path.join(folder, file)
        try:
            open(path, "rb").close()
        except OSError:
            continue
        print(path)
"""
"""Names every file below a folder that can be read."""


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home that others could look into, as an administrator makes /var/lib/bakhong; pytest's own folders are closed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    home = folder / "home"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    yield home
    shutil.rmtree(folder)


def readable_by_another(folder: Path) -> list[str]:
    nobody = pwd.getpwnam("nobody")
    python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
    done = subprocess.run(
        [python, "-c", LOOK, str(folder)],
        user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd="/", capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_reads_nothing_of_a_night_nor_of_the_nights_before(open_home: Path, prefect_home: Path) -> None:
    earlier = open_home / "landing" / "one-stop-shop" / "0a1b"  # as an earlier version left it
    for folder in (earlier.parent.parent, earlier.parent):
        folder.mkdir()
        folder.chmod(0o755)
    earlier.write_text("MaHoSo,ChuHoSo\n")
    earlier.chmod(0o444)
    shutil.copytree(prefect_home, open_home / "prefect")  # its database is there already
    for path in (open_home / "prefect", *(open_home / "prefect").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert str(earlier) in readable_by_another(open_home), "the folder is one that others can look into"

    sources = few_sources(open_home)
    done = bakhong("nightly", "--date", "2025-05-05", env=environment(open_home, sources) | {"BAKHONG_SECRET_KEY": "x" * 32})
    assert done.returncode in (0, 1), done.stderr
    made = {path.relative_to(open_home).parts[0] for path in open_home.rglob("*") if path.is_file()}
    assert {"landing", "prefect", "report", "data_docs", "postgres"} <= made
    readable = {str(Path(path).relative_to(open_home)) for path in readable_by_another(open_home)}
    assert readable <= {"sources.yaml", "postgres/port", "postgres/start.lock", "postgres/users.lock"}, "of what could be read before"
    landed = [path for path in (open_home / "landing").rglob("*") if path.is_file()]
    assert len(landed) > 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in landed} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in landed} == {0o700}
    assert stat.S_IMODE((open_home / "prefect" / "prefect.db").stat().st_mode) == 0o600
