"""Source → landing: the bytes of each delivery once, unchanged and for our eyes only, with a row in `ops.delivery`."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import fsspec
import httpx
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.dialects.postgresql import insert

from tasks.deliveries.coverage import capture, exported_at, period_of_name
from tasks.deliveries.source import SFTP, Source
from tasks.pull import api as pull_api
from tasks.words.vietnamese import VIETNAM
from warehouse.settings import Refusal
from warehouse.tables import delivery as deliveries

BLOCK = 1 << 20
SETTLED_SECONDS = 60
"""A file younger than this may still change within the tick of its clock, so its time is not trusted yet."""

log = logging.getLogger(__name__)

for protocol in SFTP:  # by name: its libraries are loaded where a source needs them
    fsspec.register_implementation(protocol, "tasks.pull.sftp.ProvenSftp", clobber=True)


class Unreadable(Exception):
    """Files of a source that could not be taken, one line each; all others of it were."""


@dataclass(frozen=True)
class _File:
    """A file offered by a source; `opening` gives its bytes."""

    name: str
    size: int | None
    modified: datetime | None
    opening: Any
    is_file: bool = True


def pull(engine: Engine, source: Source, home: Path, until: date | None = None) -> int:
    """Lands every file of a source that is not there yet and returns their number.

    `until`: files exported after that day stay where they are. A source that cannot be reached raises the
    error of its file system; files that cannot be read are left out and named by `Unreadable` after the others were taken.
    """
    landing = home / "landing" / source.name
    for folder in (landing.parent, landing):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    landed, unreadable = 0, []
    with ExitStack() as opened:
        for file in sorted(_files(engine, source, until, opened), key=lambda file: (exported_at(file.name, file.modified), file.name)):
            if until is not None and exported_at(file.name, file.modified).date() > until:
                continue
            if not file.is_file:
                unreadable.append(f"{file.name}: là thư mục, không phải tệp (a folder, not a file)")
                continue
            try:
                if not _unchanged(engine, source, landing, file):
                    landed += _land(engine, source, landing, file)
            except FileNotFoundError:
                unreadable.append(f"{file.name}: không còn ở nguồn khi đọc (gone before it could be read)")
            except OSError as error:
                unreadable.append(f"{file.name}: không đọc được (cannot be read: {error.strerror or error})")
    if unreadable:
        raise Unreadable(f"{source.name}: " + "; ".join(unreadable))
    return landed


def _files(engine: Engine, source: Source, until: date | None, opened: ExitStack) -> Iterator[_File]:
    """What the source offers; connections that must last until it is read are closed with `opened`."""
    secret = None
    if source.token is not None:
        secret = os.environ.get(source.token)
        if secret is None:
            raise Refusal(f"source {source.name}: environment variable {source.token} is not set")
    scheme = urlsplit(source.url).scheme
    if scheme in ("http", "https"):
        if source.layout == pull_api.LAYOUT:
            yield from _from_api(engine, source, secret, until)
            return
        yield _over_http(source.url, secret)
        return
    options = {}
    if scheme in SFTP:
        options = {"source": source.name, "secret": secret, "known_hosts": source.known_hosts, "key_file": source.key_file}
    try:
        system, pattern = fsspec.core.url_to_fs(source.url, **options)
    except (ImportError, ValueError) as error:
        raise Refusal(f"source {source.name}: {' '.join(str(error).split())}") from error
    if scheme in SFTP:
        opened.callback(system.close)
    fixed = pattern[: re.search(r"[*?\[]|$", pattern).start()].rpartition("/")[0]  # type: ignore[union-attr]
    if scheme in ("", "file") and not Path(fixed).is_dir():
        raise Refusal(f"{source.name}: không có thư mục {fixed} (no such folder)")
    for path, info in system.glob(pattern, detail=True).items():
        modified = info.get("mtime", info.get("LastModified"))
        if isinstance(modified, (int, float)):
            modified = datetime.fromtimestamp(modified, VIETNAM)
        yield _File(
            path.removeprefix(fixed).lstrip("/"),
            info.get("size"),
            modified,
            lambda path=path: system.open(path, "rb"),
            is_file=info["type"] != "directory",
        )


def _over_http(url: str, token: str | None) -> _File:
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    @contextmanager
    def opening() -> Iterator[Any]:
        try:
            with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=60) as answer:
                answer.raise_for_status()
                yield _Blocks(answer.iter_bytes(BLOCK))
        except httpx.HTTPError as error:
            raise OSError(None, str(error).splitlines()[0]) from error

    return _File(Path(urlsplit(url).path).name, None, None, opening)


def _from_api(engine: Engine, source: Source, token: str | None, until: date | None) -> Iterator[_File]:
    asked = pull_api.window(engine, source.name, until)
    if asked is None:
        return
    try:
        pages = pull_api.fetch(source.url, token, *asked)
    except pull_api.Unanswered as error:
        raise Unreadable(f"{source.name}: {error}") from None
    if pages is not None:
        yield _File(f"{source.name}_{asked[1]:{pull_api.MOMENT}}.json", None, asked[1], lambda: pages)


class _Blocks:
    """The body of an HTTP answer, read like a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, _size: int) -> bytes:
        return next(self._blocks, b"")


def _unchanged(engine: Engine, source: Source, landing: Path, file: _File) -> bool:
    """Whether a landed file of that name has this size and time of change: then its bytes are not read again."""
    if file.size is None or file.modified is None:
        return False
    query = select(deliveries.c.sha256).where(deliveries.c.source == source.name, deliveries.c.file_name == file.name)
    with engine.connect() as connection:
        hashes = connection.scalars(query).all()
    for sha256 in hashes:
        path = landing / sha256
        if path.exists():
            kept = path.stat()
            if kept.st_size == file.size and abs(kept.st_mtime - file.modified.timestamp()) < 1e-5:
                return True
    return False


def _land(engine: Engine, source: Source, landing: Path, file: _File) -> int:
    part = landing / f".part-{os.getpid()}"
    try:
        with file.opening() as stream, part.open("wb") as sink:
            sha256 = _copy(stream, sink)
        age = (datetime.now(VIETNAM) - file.modified).total_seconds() if file.modified else 0
        if file.modified and age > SETTLED_SECONDS:
            stamp = round(file.modified.timestamp() * 1e9)
            os.utime(part, ns=(stamp, stamp))
        part.chmod(0o600)
        part.replace(landing / sha256)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(landing)
    with engine.begin() as connection:
        return _record(connection, source, file, sha256)


def _copy(stream: IO[bytes], sink: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := stream.read(BLOCK):
        digest.update(block)
        sink.write(block)
    sink.flush()
    os.fsync(sink.fileno())
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _record(connection: Connection, source: Source, file: _File, sha256: str) -> int:
    # One at a time: two deliveries of a feed never share an export time, which orders the states of a row.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ops.delivery'))"))
    told = exported_at(file.name, file.modified)
    latest = connection.scalar(
        select(func.max(deliveries.c.exported_at)).where(
            deliveries.c.feed == source.feed, deliveries.c.exported_at >= told, deliveries.c.exported_at < told + timedelta(seconds=1)
        )
    )
    row = {
        "source": source.name,
        "feed": source.feed,
        "layout": source.layout,
        "provider": source.provider,
        "file_name": file.name,
        "sha256": sha256,
        "about": captured.about if (captured := capture(file.name)) else "",
        "business_period": period_of_name(file.name),
        "exported_at": told if latest is None else latest + timedelta(microseconds=1),
        "received_at": datetime.now(VIETNAM),
        "status": "landed",
    }
    done = connection.execute(insert(deliveries).values(row).on_conflict_do_nothing().returning(deliveries.c.delivery_id)).all()
    if done:
        log.info("%s: landed %s as %s", source.name, file.name, sha256[:12])
    return len(done)
