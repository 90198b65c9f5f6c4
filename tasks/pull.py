"""Source → landing: the bytes of each delivery once, unchanged and for our eyes only, with a row in `ops.delivery`."""

from __future__ import annotations

import calendar
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import MISSING, dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import fsspec
import httpx
import yaml
from sqlalchemy import Connection, Engine, Row, func, select, text
from sqlalchemy.dialects.postgresql import insert

from expectations.contract import contract
from tasks import pull_api
from tasks.portal_766 import capture
from warehouse.settings import Refusal
from warehouse.tables import delivery as deliveries

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
RHYTHMS = ("daily", "monthly", "quarterly", "yearly", "once")
ORDER = ("procedures", "agencies", "merchants", "bills", "dossiers", "payments")
"""Feeds that others refer to come first; the rest follow."""

BLOCK = 1 << 20
SETTLED_SECONDS = 60
"""A file younger than this may still change within the tick of its clock, so its time is not trusted yet."""

log = logging.getLogger(__name__)

SFTP = ("sftp", "ssh")
"""Schemes of urls on servers that have to prove who they are."""

for protocol in SFTP:  # by name: its libraries are loaded where a source needs them
    fsspec.register_implementation(protocol, "tasks.pull_sftp.ProvenSftp", clobber=True)


@dataclass(frozen=True)
class Source:
    """One system of one supplier that sends one feed in one layout: an entry of sources.yaml."""

    name: str
    feed: str
    layout: str
    provider: str
    url: str
    expected: str
    token: str | None = None
    """Environment variable that holds the bearer token, the password, or the passphrase of `key_file`; never the secret itself."""
    known_hosts: str | None = None
    """sftp:// only: the file of host keys to believe, instead of those of the user and the machine."""
    key_file: str | None = None
    """sftp:// only: the private key to log in with; then nothing else is tried."""


@dataclass(frozen=True)
class Delivery:
    """One file as received, on its way into the warehouse."""

    delivery_id: int
    source: str
    feed: str
    layout: str
    provider: str
    file_name: str
    sha256: str
    path: Path
    exported_at: datetime
    business_period: str | None
    is_loaded: bool = False
    """Its rows are in the warehouse already: it is read again."""


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


def read_sources(path: Path) -> list[Source]:
    """The sources of a sources.yaml, local URLs made absolute; Refusal names the first mistake in one line."""
    try:
        entries = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise Refusal(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise Refusal(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(entries, dict) or list(entries) != ["sources"] or not isinstance(entries["sources"], list):
        raise Refusal(f"{path}: must hold one list named `sources`")
    sources: list[Source] = []
    for number, entry in enumerate(entries["sources"], 1):
        source = _source(path, number, entry)
        if source.name in {other.name for other in sources}:
            raise Refusal(f"{path}: two sources are named {source.name!r}")
        sources.append(source)
    return sources


def _source(path: Path, number: int, entry: Any) -> Source:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise Refusal(f"{path}: source {number}: every entry must be `key: text`")
    where = f"{path}: source {entry.get('name', number)}"
    known = [field.name for field in fields(Source)]
    for key in entry.keys() - set(known):
        raise Refusal(f"{where}: unknown key {key!r}; there are: {', '.join(known)}")
    for field in fields(Source):
        if field.default is MISSING and field.name not in entry:
            raise Refusal(f"{where}: {field.name!r} is missing")
    source = Source(**entry)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", source.name):
        raise Refusal(f"{where}: a name is made of letters, digits, - and _ (it names a folder)")
    try:
        layouts = contract(source.feed).layouts
    except LookupError as error:
        raise Refusal(f"{where}: {error.args[0]}") from error
    if source.layout not in layouts:
        raise Refusal(f"{where}: feed {source.feed!r} has no layout {source.layout!r}; there are: {', '.join(layouts)}")
    if source.expected not in RHYTHMS:
        raise Refusal(f"{where}: expected is one of {', '.join(RHYTHMS)}, not {source.expected!r}")
    parts = urlsplit(source.url)
    if parts.password:
        raise Refusal(f"{where}: the url holds a password; name its environment variable under `token`")
    paths = [key for key in ("known_hosts", "key_file") if key in entry]
    if paths and parts.scheme not in SFTP:
        raise Refusal(f"{where}: {paths[0]!r} is for an sftp:// url only")
    if "://" not in source.url:
        paths.append("url")
    return replace(source, **{key: str((path.parent / entry[key]).resolve()) for key in paths})


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
            modified = datetime.fromtimestamp(modified, LOCAL)
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


def exported_at(name: str, modified: datetime | None) -> datetime:
    """When the source made the file: the capture, or the end of the day or month, in its name; else its time of change, else now."""
    captured = capture(name)
    if captured is not None:
        return captured.captured_at.astimezone(LOCAL)
    last = _days(name)
    if last is not None:
        return datetime.combine(last[1], time(23, 59, 59), LOCAL)
    return (modified or datetime.now(LOCAL)).astimezone(LOCAL)


def period_of_name(name: str) -> str | None:
    """The day or month that a file name speaks of, as 2024-03-15 or 2024-03; of an answer of the portal, what was asked for."""
    captured = capture(name)
    if captured is not None:
        return captured.period
    days = _days(name)
    if days is None:
        return None
    return days[0].isoformat() if days[0] == days[1] else days[0].isoformat()[:7]


def _days(name: str) -> tuple[date, date] | None:
    for digits in reversed(re.findall(r"(?<!\d)(?:19|20)\d{4}(?:\d{2})?(?!\d)", name)):
        year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:] or 0)
        if 1 <= month <= 12:
            last = calendar.monthrange(year, month)[1]
            if len(digits) == 6:
                return date(year, month, 1), date(year, month, last)
            if 1 <= day <= last:
                return date(year, month, day), date(year, month, day)
    return None


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
        age = (datetime.now(LOCAL) - file.modified).total_seconds() if file.modified else 0
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
        "received_at": datetime.now(LOCAL),
        "status": "landed",
    }
    done = connection.execute(insert(deliveries).values(row).on_conflict_do_nothing().returning(deliveries.c.delivery_id)).all()
    if done:
        log.info("%s: landed %s as %s", source.name, file.name, sha256[:12])
    return len(done)


def pending(engine: Engine, home: Path) -> list[Delivery]:
    """Deliveries that wait to be ingested, in the order in which they must be."""
    query = select(deliveries).where(deliveries.c.status == "landed")
    with engine.connect() as connection:
        waiting = [_delivery(row, home) for row in connection.execute(query)]
    return in_order(waiting)


def delivered(engine: Engine, home: Path, ids: list[int]) -> list[Delivery]:
    """Deliveries by number, in ingest order: what is read again when waiting or released rows may go in."""
    with engine.connect() as connection:
        found = [_delivery(row, home) for row in connection.execute(select(deliveries).where(deliveries.c.delivery_id.in_(ids)))]
    return in_order(found)


def in_order(found: list[Delivery]) -> list[Delivery]:
    """Deliveries in the order of ingest: what others refer to first, then as they were exported."""
    return sorted(found, key=lambda d: (ORDER.index(d.feed) if d.feed in ORDER else len(ORDER), d.exported_at, d.delivery_id))


def _delivery(row: Row[Any], home: Path) -> Delivery:
    return Delivery(
        row.delivery_id,
        row.source,
        row.feed,
        row.layout,
        row.provider,
        row.file_name,
        row.sha256,
        home / "landing" / row.source / row.sha256,
        row.exported_at.astimezone(LOCAL),
        row.business_period,
        row.loaded_at is not None and row.status != "rejected",
    )
