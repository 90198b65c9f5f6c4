"""A warehouse with the files it was loaded from, written to a folder elsewhere: what is there already is not written again.

The database is seen as it stands between two nights. A landed file bears its hash as its name and never changes, so those that this
state of the database names may be copied afterwards, whatever goes on meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, text

from tasks.deliveries.landed import SUFFIX
from tasks.deliveries.run_lock import alone
from tasks.keep.installation import without_secrets
from tasks.keep.manifest import (
    BLOCK,
    DUMP,
    ENVIRONMENT,
    NAME,
    SOURCES,
    Backup,
    Counts,
    File,
    Manifest,
    backups,
    counted,
    fingerprint,
    write_manifest,
)
from tasks.pull.writing import writing
from tasks.words.vietnamese import VIETNAM
from warehouse.client_programs import is_over_tls, reaching, suitable, version_of
from warehouse.migrations.scope import SCHEMAS
from warehouse.settings import Refusal, Settings
from warehouse.standing import is_owner, revision

Tell = Callable[[str, int, int], None]
"""Told where the work stands: stage, done, of how many."""


@dataclass(frozen=True)
class Done:
    """What a backup came to."""

    backup: Backup
    copied: int
    """Landed files that were not there yet."""
    damaged: list[str]
    """Landed files that are not what they were when they came: not copied."""
    others: list[str]
    """Schemas of others in the same database, which are not ours to back up."""
    pruned: list[Path]
    """Older backups that went."""


class _Seen(NamedTuple):
    """The state of the database that is backed up."""

    counts: Counts
    landed: Sequence[tuple[str, str]]
    """Source and hash of every landed file."""
    others: list[str]


def back_up(engine: Engine, settings: Settings, folder: Path, tell: Tell, *, keeps: int, rereads: bool) -> Done:
    """Writes a backup; the last `keeps` stay. `rereads`: files that are there from before are read again, and mended where damaged."""
    _require_elsewhere(folder, settings.home)
    with writing(folder), _alone_in(folder), _between_nights(engine) as (connection, snapshot):
        now = datetime.now(VIETNAM)
        own = folder / f"{now:%Y%m%d-%H%M%S}"
        own.mkdir(mode=0o700)
        seen = _seen(connection)
        with_what = _dump(engine, connection, snapshot, seen.others, own / DUMP, tell)
        before = {name: file for one in backups(folder) for name, file in one.told.files.items()}
        files, missing, damaged, copied = {}, [], [], 0
        for number, (source, sha256) in enumerate(seen.landed):
            tell("Sao các tệp đã nhận", number, len(seen.landed))
            plain = f"landing/{source}/{sha256}"
            try:
                name, file, is_new = _copy(settings.home, folder, plain, before, rereads=rereads)
            except FileNotFoundError:
                missing.append(plain)
            except _Damaged:
                damaged.append(plain)
            else:
                copied += is_new
                files[name] = file
        _write(own / SOURCES, settings.sources.read_bytes() if settings.sources.is_file() else b"")
        _write(own / ENVIRONMENT, without_secrets(Path(".env")).encode())
        files |= {f"{own.name}/{name}": fingerprint(own / name) for name in (DUMP, SOURCES, ENVIRONMENT)}
        told = Manifest(
            taken_at=now,
            program=version("bakhong"),
            revision=revision(connection) or "",
            postgresql=str(connection.scalar(text("SHOW server_version"))),
            dumped_by=with_what,
            counts=seen.counts,
            roles=list(connection.scalars(text(_ROLES))),
            members=list(connection.scalars(text(_MEMBERS))),
            key=connection.scalar(text(_KEY)) if connection.scalar(text("SELECT to_regclass('ops.pseudonym_key')")) else None,
            files=files,
            missing=missing + damaged,
        )
        os.sync()  # all of it lies on the disk before the manifest says so
        write_manifest(own, told)
        return Done(Backup(own, told), copied, damaged, seen.others, _prune(folder, keeps))


def _require_elsewhere(folder: Path, home: Path) -> None:
    inside = folder.resolve().is_relative_to(home.resolve())
    if inside or home.resolve().is_relative_to(folder.resolve()):
        where = f"nằm trong {home}" if inside else f"chứa {home}"
        raise Refusal(f"Không sao vào {folder}: thư mục này {where}, mất một là mất cả hai. Chọn thư mục ở ổ đĩa hay máy khác.")


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Holds a folder of backups, closed to every other user of the machine; Refusal where another backup is written there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):  # the mount point of a disk that somebody else looks after
        folder.chmod(0o700)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(f"Đang có một lần sao lưu khác ghi vào {folder}. Chờ nó xong rồi chạy lại.") from None
        yield


@contextlib.contextmanager
def _between_nights(engine: Engine) -> Iterator[tuple[Connection, str]]:
    """A connection that sees the database as it stood while no night was at work, and the name by which others see it so."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
        if connection.scalar(text("SELECT to_regclass('ops.delivery')")) is None:
            raise Refusal("Kho số liệu còn trống: chưa có gì để sao lưu.")
        if not is_owner(connection):
            raise Refusal("Sao lưu là việc của chủ kho: tài khoản này không đọc được mọi bảng.")
        connection.rollback()  # what was asked until now was seen before we are alone
        with alone(engine):
            snapshot = str(connection.scalar(text("SELECT pg_export_snapshot()")))
        yield connection, snapshot


def _seen(connection: Connection) -> _Seen:
    rows = connection.execute(text(_LANDED))
    others = connection.scalars(text(_OTHERS), {"ours": list(SCHEMAS)})
    return _Seen(counted(connection), [(row.source, row.sha256) for row in rows], list(others))


def _dump(engine: Engine, connection: Connection, snapshot: str, others: list[str], path: Path, tell: Tell) -> int:
    """Writes what is ours of the database, and returns the version of the program that did it."""
    server = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    program = suitable("pg_dump", server, over_tls=is_over_tls(connection))
    tables = connection.scalar(text(_TABLES), {"ours": list(SCHEMAS)})
    excluded = [f"--exclude-schema={name}" for name in others] + ["--exclude-table=staging.*"]  # what a killed night left
    command = [str(program), "--format=custom", "--verbose", f"--snapshot={snapshot}", f"--file={path}", *excluded]
    with reaching(engine) as environment:
        process = subprocess.Popen(  # noqa: S603  # our own arguments, no shell
            command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", umask=0o077
        )
        with ended(process):
            done, said = 0, []
            for line in process.stderr or ():
                if line.startswith("pg_dump: dumping contents of table"):
                    done += 1
                    tell("Sao cơ sở dữ liệu", done, max(done, tables or 0))
                elif re.match(r"pg_dump: (error|detail|fatal)", line):
                    said.append(line.partition(": ")[2].strip())
    if process.returncode != 0:
        raise Refusal(f"pg_dump không sao được kho: {' '.join(said) or process.returncode}.")
    return version_of(program)


@contextlib.contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    """A process that does not outlive the block; where the block ends in order, it is waited for."""
    try:
        yield
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


class _Damaged(Exception):
    """A landed file is not what its name says."""


def _copy(home: Path, folder: Path, plain: str, before: dict[str, File], *, rereads: bool) -> tuple[str, File, bool]:
    """Copies a landed file, plain or compressed as it lies, unless it is there either way: its name, what it is, whether it is new.

    What an installation has lost may still be there. `before`: files of the backups that are there.
    """
    sha256, packed = Path(plain).name, f"{plain}{SUFFIX}"
    if plain not in before and (folder / plain).exists():  # of a backup that was cut off
        before = before | {plain: File(sha256, (folder / plain).stat().st_size)}
    for name in (plain, packed):
        if name in before and _is_whole(folder / name, before[name], rereads=rereads):
            return name, before[name], False
    if (home / packed).exists() and not (home / plain).exists():
        return packed, put(home / packed, folder / packed, None), True
    return plain, put(home / plain, folder / plain, sha256), True


def _is_whole(path: Path, told: File, *, rereads: bool) -> bool:
    return path.exists() and path.stat().st_size == told.size and (not rereads or fingerprint(path) == told)


def put(origin: Path, target: Path, sha256: str | None) -> File:
    """Copies a file, whole or not at all, and returns what it is; _Damaged where its hash is known and another."""
    for folder in (target.parent.parent, target.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f".part-{os.getpid()}")
    digest = hashlib.sha256()
    try:
        with origin.open("rb") as source, os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
            while block := source.read(BLOCK):
                digest.update(block)
                sink.write(block)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise _Damaged
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return File(digest.hexdigest(), target.stat().st_size)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def _prune(folder: Path, keeps: int) -> list[Path]:
    """Removes the backups before the last `keeps`, what was never finished, and the landed files that no backup names any more."""
    whole = backups(folder)
    gone = [one.folder for one in whole[keeps:]]
    for path in gone:
        (path / NAME).unlink()  # first: what is half gone is no backup
    for path in folder.iterdir():
        if _IS_BACKUP.fullmatch(path.name) and not (path / NAME).exists():
            shutil.rmtree(path)
    if len(list(folder.glob(f"*/{NAME}"))) == len(whole[:keeps]):  # else one is damaged, and what it names is not known
        named = {folder / name for one in whole[:keeps] for name in one.told.files}
        for path in (folder / "landing").glob("*/*"):
            if path not in named:
                path.unlink()
    return gone


_IS_BACKUP = re.compile(r"\d{8}-\d{6}")

# Without those that retention removed, which not every version of the warehouse knows of.
_LANDED = """
SELECT DISTINCT source, sha256 FROM ops.delivery d WHERE to_jsonb(d) ->> 'file_removed_at' IS NULL ORDER BY source, sha256
"""

_TABLES = """
SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY(:ours)
"""

# Schemas that are not ours in the same database, written as pg_dump takes a name literally.
_OTHERS = """
SELECT format('"%s"', replace(nspname, '"', '""')) FROM pg_namespace
WHERE nspname <> ALL(:ours) AND nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\\_%' ORDER BY nspname
"""

_ROLES = """
SELECT DISTINCT pg_get_userbyid(refobjid) FROM pg_shdepend
WHERE refclassid = 'pg_authid'::regclass AND deptype = 'a'
    AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1
"""

_MEMBERS = """
SELECT format('%s: %s', member::regrole, roleid::regrole) FROM pg_auth_members
WHERE pg_get_userbyid(roleid) LIKE 'bakhong\\_%' ORDER BY 1
"""

_KEY = "SELECT fingerprint FROM ops.pseudonym_key ORDER BY key_number DESC LIMIT 1"
