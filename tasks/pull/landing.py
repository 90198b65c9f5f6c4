"""Source → landing: the bytes of each delivery once, unchanged and for our eyes only, with a row in `ops.delivery`."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import ssl
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import fsspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, insert, select, text, true, update

from expectations.contract import contract
from tasks.deliveries import landed
from tasks.deliveries.coverage import NotSaid, Said, Stretch, as_glob, exported_at, said
from tasks.deliveries.source import SFTP, Source
from tasks.pull import api as pull_api
from tasks.pull import editions
from tasks.pull.http import BLOCK, Address, Unchanged, trusted
from tasks.pull.names import is_beside, shown, wrong_with
from tasks.pull.writing import writing
from tasks.words import vietnamese as vi
from tasks.words.vietnamese import VIETNAM
from warehouse.settings import Refusal, secret
from warehouse.tables import delivery as deliveries

SETTLED_SECONDS = 60
"""A file younger than this may still change within the tick of its clock, so its time is not trusted yet."""
LOOK_AGAIN = timedelta(days=3)
"""For so long the bytes of a file are read again where its place tells no more than size and time of change, which an exporter may set."""
MOST_LINES = 100
"""Of one source; a folder full of what is no delivery hides no other line of the night."""
NO_FILES = {
    stat.S_IFDIR: "thư mục, không phải tệp (a folder, not a file)",
    stat.S_IFIFO: "ống dẫn, không phải tệp (a pipe, not a file)",
    stat.S_IFSOCK: "ổ cắm mạng, không phải tệp (a socket, not a file)",
    stat.S_IFCHR: "thiết bị, không phải tệp (a device, not a file)",
    stat.S_IFBLK: "thiết bị, không phải tệp (a device, not a file)",
}

log = logging.getLogger("bakhong")

for protocol in SFTP:  # by name: its libraries are loaded where a source needs them
    fsspec.register_implementation(protocol, "tasks.pull.sftp.ProvenSftp", clobber=True)


class Unreadable(Exception):
    """Files of a source that could not be taken; all others of it were."""

    def __init__(self, source: str, whys: Sequence[str], ahead: Sequence[str] = ()) -> None:
        super().__init__(f"{source}: {vi.some(whys)}")
        more = len(whys) - MOST_LINES
        self.lines = [f"{source}: {why}" for why in [*whys[:MOST_LINES], *([f"và {vi.number(more)} tệp khác"] if more > 0 else [])]]
        """One for each, fit for a terminal or a page as it is."""
        self.ahead = list(ahead)
        """Names of its files that wait for the night of a later day."""


@dataclass(frozen=True)
class Pulled:
    """What a source had to offer."""

    landed: int
    """Files that are new, or say something new."""
    ahead: list[str]
    """Names of files made after the night; they wait for theirs."""


@dataclass(frozen=True)
class _File:
    """A file offered by a source; `opening` gives its bytes."""

    name: str
    size: int | None
    modified: datetime | None
    opening: Any
    wrong: str = ""
    """Why it can be no delivery, whatever its name."""
    place: str = ""
    """What else its place tells of it and no exporter can set: number and time of change of its inode."""
    address: Address | None = None
    """Where it is, of a file that is fetched by HTTP."""
    signed: Said | None = None
    """Of a signed edition, what it speaks for and when it was signed: it never changes under its name."""
    sign: str = ""
    """By what that is known again."""

    @property
    def stamp(self) -> str | None:
        """What has to agree for its bytes to be the same; nothing where its place does not tell, or not yet."""
        if self.address is not None:
            return self.address.stamp
        if self.signed is not None:
            return self.sign
        if self.size is None or self.modified is None:
            return None
        return f"{self.size} {self.modified.timestamp():.6f} {self.place}".rstrip()


class _NotGiven(Exception):
    """The source does not give the bytes of a file; says why, in Vietnamese."""


def pull(engine: Engine, source: Source, home: Path, until: date | None = None, as_of: datetime | None = None) -> Pulled:
    """Lands every file of a source that says something new.

    `until`: files made after that day stay where they are. `as_of`: the state of knowledge of the night, now where none is given;
    nothing is taken for made after it. A source that cannot be reached raises the error of its file system; files that cannot be
    read, or whose names say nothing that can be, are left out and named by `Unreadable` after the others were taken.
    """
    landing = home / "landing" / source.name
    with writing(landing):
        for folder in (landing.parent, landing):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken = 0
    ahead: list[str] = []
    unreadable: list[str] = []
    with ExitStack() as opened:
        is_shelf = source.layout == editions.LAYOUT
        shelf = _shelf(source, opened, landing, _last_delivery(engine, source)) if is_shelf else None
        files = _files(engine, source, landing, until, opened) if shelf is None else _signed(engine, source, landing, shelf)
        for moment, file, told in _offered(source, files, unreadable):
            if until is not None and moment.date() > until:
                ahead.append(file.name)
                continue
            try:
                with writing(landing):
                    if not _is_unchanged(engine, source, landing, file):
                        taken += _land(engine, source, landing, file, told, min(moment, as_of or moment))
            except _NotGiven as why:
                unreadable.append(f"{shown(file.name)}: {why}")
        if shelf is not None and not unreadable and not ahead:
            shelf.remember(_last_delivery(engine, source))
    if unreadable:
        raise Unreadable(source.name, unreadable, ahead)
    return Pulled(taken, ahead)


def reach(source: Source) -> int | None:
    """Knocks at a source as a night will and takes nothing: how many files it offers, nothing where it tells no more than that it is there.

    Raises what `pull` would raise.
    """
    with ExitStack() as opened:
        if source.layout == editions.LAYOUT:
            return _shelf(source, opened).count()
        if source.layout == pull_api.LAYOUT and _is_http(source):
            try:
                pull_api.knock(source.url, _token(source), _trusted(source))
            except pull_api.Unanswered as error:
                raise Unreadable(source.name, [str(error)]) from None
            return None
        if _is_http(source):
            with Address(source.url, _token(source), _trusted(source)).opening():
                return None
        return sum(not is_beside(file.name) for file in _files_of_folder(source, opened))


def _is_http(source: Source) -> bool:
    return urlsplit(source.url).scheme in ("http", "https")


def _token(source: Source) -> str | None:
    """The secret of a source that needs one; Refusal where it is not there."""
    token = secret(source.token) if source.token is not None else None
    if source.token is not None and token is None:
        raise Refusal(
            f"{source.name}: chưa đặt biến môi trường {source.token} (hay {source.token}_FILE), mà nguồn này ghi ở `token` (is not set)."
        )
    return token


def _offered(source: Source, files: Iterator[_File], unreadable: list[str]) -> list[tuple[datetime, _File, Said]]:
    """The files of a source in the order in which they were made, with what their names say; what is none is named in `unreadable`."""
    found, now = [], datetime.now(VIETNAM)
    for file in files:
        if is_beside(file.name):
            continue
        if file.wrong:
            unreadable.append(f"{shown(file.name)}: {file.wrong}")
            continue
        try:
            if wrong := wrong_with(file.name):
                raise NotSaid(wrong)
            told = file.signed or said(file.name, source.url)
            if told.covers is not None and told.covers.first > now.date():
                raise NotSaid(f"tên tệp nói {vi.stretch(told.covers.text)}, ở tương lai")
        except NotSaid as problem:
            unreadable.append(f"{shown(file.name)}: {problem}; sửa tên tệp rồi gửi lại")
            continue
        found.append((exported_at(told, file.modified, now), file, told))
    return sorted(found, key=lambda one: (one[0], Path(one[1].name).stem, one[1].name))


def _files(engine: Engine, source: Source, landing: Path, until: date | None, opened: ExitStack) -> Iterator[_File]:
    """What the source offers; connections that must last until it is read are closed with `opened`."""
    if not _is_http(source):
        yield from _files_of_folder(source, opened)
        return
    if source.layout == pull_api.LAYOUT:
        yield from _from_api(engine, source, _token(source), _trusted(source), until)
        return
    address = Address(source.url, _token(source), _trusted(source))
    last = _kept(engine, source, landing, address.name).get(address.name, NOTHING_KEPT)
    address.known = last.file_stamp
    if not address.is_sure and not last.is_old:
        address.known = None
    yield _File(address.name, None, None, address.opening, address=address)


def _trusted(source: Source) -> ssl.SSLContext | bool:
    return trusted(source.name, source.ca_file)


def _files_of_folder(source: Source, opened: ExitStack) -> Iterator[_File]:
    """What lies in a folder, of this machine or another."""
    system, pattern = _system(source, as_glob(source.url), opened)
    fixed = pattern[: re.search(r"[*?\[]|$", pattern).start()].rpartition("/")[0]  # type: ignore[union-attr]
    is_here = _require_folder(source, fixed)
    for path, listed in system.glob(pattern, detail=True).items():
        info, wrong = _followed(system, path, listed)
        yield _File(
            path.removeprefix(fixed).lstrip("/"),
            info.get("size"),
            _moment(info.get("mtime", info.get("LastModified"))),
            lambda path=path: _open_regular(path) if is_here else system.open(path, "rb"),
            wrong,
            place=f"{info['ino']} {info['created']:.6f}" if "ino" in info and "created" in info else "",
        )


def _system(source: Source, url: str, opened: ExitStack) -> tuple[Any, str]:
    """The file system of a url, and the path there."""
    token, is_sftp = _token(source), urlsplit(source.url).scheme in SFTP
    options = {"source": source.name, "secret": token, "known_hosts": source.known_hosts, "key_file": source.key_file} if is_sftp else {}
    try:
        system, path = fsspec.core.url_to_fs(url, **options)
    except (ImportError, ValueError) as error:
        raise Refusal(f"{source.name}: không dùng được url của nguồn ({' '.join(str(error).split())}).") from error
    if is_sftp:
        opened.callback(system.close)
    return system, path


def _require_folder(source: Source, path: str) -> bool:
    """Whether a folder is one of this machine; Refusal where that is not there."""
    is_here = urlsplit(source.url).scheme in ("", "file")
    if is_here and not Path(path).is_dir():
        raise Refusal(f"{source.name}: không có thư mục {path} (no such folder)")
    return is_here


def _shelf(source: Source, opened: ExitStack, landing: Path | None = None, last: int = 0) -> editions.Shelf:
    """Where a source's editions lie, for as long as `opened` lasts."""
    if not _is_http(source):
        system, path = _system(source, source.url, opened)
        _require_folder(source, path)
        return editions.Folder(system, path)
    web = editions.Web(source.url, _token(source), _trusted(source), landing, last)
    opened.callback(web.close)
    return web


def _signed(engine: Engine, source: Source, landing: Path, shelf: editions.Shelf) -> Iterator[_File]:
    """The signed editions that are new, or look otherwise than when they were taken."""
    kept = _kept(engine, source, landing)
    try:
        for one in shelf.offered(lambda name: kept.get(name, NOTHING_KEPT).file_stamp):
            told = Said(Stretch.of(one.period), is_declared=True, made_at=one.created)
            yield _File(one.name, None, None, one.opening, one.wrong, signed=told, sign=one.sign)
    except editions.NoCatalogue as why:
        raise Unreadable(source.name, [str(why)]) from None


def _last_delivery(engine: Engine, source: Source) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.max(deliveries.c.delivery_id)).where(deliveries.c.source == source.name)) or 0


def _followed(system: Any, path: str, info: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What is told of a file, or of what it links to; and why it is none, empty where it is one."""
    words = "là "
    if info.get("islink") or info["type"] == "link":
        try:
            info, words = system.info(path), "là liên kết tới "
        except FileNotFoundError:
            return info, "là liên kết tới một tệp không có (a link to nothing)"
        except OSError as error:
            return info, f"là liên kết không tới đâu cả (a link that cannot be followed: {_words(error)})"
    kind = stat.S_IFMT(info.get("mode", 0)) or (stat.S_IFDIR if info["type"] == "directory" else stat.S_IFREG)
    return info, words + NO_FILES[kind] if kind in NO_FILES else ""


def _moment(told: Any) -> datetime | None:
    if not isinstance(told, (int, float)):
        return told  # type: ignore[no-any-return]
    try:
        return datetime.fromtimestamp(told, VIETNAM)
    except (ValueError, OverflowError, OSError):  # years that no calendar has: any user may set them
        return None


def _open_regular(path: str) -> IO[bytes]:
    """Opens a file of this machine; what took its place since it was listed is not waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _NotGiven("không còn là tệp khi đọc (no file any more when it was read)")
    return os.fdopen(handle, "rb")


def _words(error: OSError) -> str:
    return vi.safe(str(error.strerror or error))


def _from_api(engine: Engine, source: Source, token: str | None, believed: ssl.SSLContext | bool, until: date | None) -> Iterator[_File]:
    asked = pull_api.window(engine, source.name, until)
    if asked is None:
        return
    try:
        pages = pull_api.fetch(source.url, token, believed, *asked)
    except pull_api.Unanswered as error:
        raise Unreadable(source.name, [str(error)]) from None
    if pages is not None:
        yield _File(f"{source.name}_{asked[1]:{pull_api.MOMENT}}.json", None, asked[1], lambda: pages)


@dataclass(frozen=True)
class _Kept:
    """What is kept of the last delivery of a name; nothing where there is none, or its bytes are gone for no rule."""

    file_stamp: str | None = None
    received_at: datetime | None = None

    @property
    def is_old(self) -> bool:
        """Whether it came so long ago that its time of change is believed, which an exporter may set."""
        return self.received_at is not None and datetime.now(VIETNAM) - self.received_at > LOOK_AGAIN


NOTHING_KEPT = _Kept()


def _kept(engine: Engine, source: Source, landing: Path, name: str | None = None) -> dict[str, _Kept]:
    """Name → what is kept of the last delivery that bore it; of one name alone, or of all at once."""
    query = (
        select(deliveries.c.file_name, deliveries.c.sha256, deliveries.c.file_stamp, deliveries.c.received_at, deliveries.c.file_removed_at)
        .distinct(deliveries.c.file_name)
        .where(deliveries.c.source == source.name, true() if name is None else deliveries.c.file_name == name)
        .order_by(deliveries.c.file_name, deliveries.c.delivery_id.desc())
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    there = (row for row in rows if row.file_removed_at is not None or landed.is_there(landing / row.sha256))
    return {row.file_name: _Kept(row.file_stamp, row.received_at) for row in there}


def _is_unchanged(engine: Engine, source: Source, landing: Path, file: _File) -> bool:
    """Whether the last delivery of that name is this very file, as far as its place tells: then its bytes are not read again."""
    if file.stamp is None:
        return False
    last = _kept(engine, source, landing, file.name).get(file.name, NOTHING_KEPT)
    return last.file_stamp == file.stamp and (bool(file.place) or last.is_old)


def _land(engine: Engine, source: Source, landing: Path, file: _File, told: Said, made_at: datetime) -> int:
    part = landing / f".part-{os.getpid()}"
    try:
        with part.open("wb") as sink:
            sha256 = _copy(file, sink)
        if file.signed is not None and _is_as_taken(engine, source, file, sha256):
            return 0
        part.chmod(0o600)
        part.replace(landing / sha256)
    except Unchanged:
        return 0
    finally:
        part.unlink(missing_ok=True)
    landed.sync_folder(landing)
    with engine.begin() as connection:
        taken = _record(connection, source, file, sha256, told, made_at)
    if taken:
        size = (landing / sha256).stat().st_size
        log.info("file landed", extra={"source": source.name, "file": shown(file.name), "bytes": size, "sha256": sha256})
    return taken


def _is_as_taken(engine: Engine, source: Source, file: _File, sha256: str) -> bool:
    """Whether a signed edition that was taken, and not refused, is another only beside its figures: these never change, _NotGiven where
    they did. It is known by how it looks now.
    """
    own = (deliveries.c.source == source.name, deliveries.c.file_name == file.name, deliveries.c.status != "rejected")
    query = select(deliveries).where(*own).order_by(deliveries.c.delivery_id.desc()).limit(1)
    with engine.begin() as connection:
        last = connection.execute(query).first()
        if last is None or last.sha256 == sha256:
            return False
        if not editions.are_same_figures(file.sign, last.file_stamp):
            taken = vi.day(last.received_at.astimezone(VIETNAM))
            raise _NotGiven(
                f"bản đã ký, đã nhận ngày {taken}, nay có nội dung khác; giữ bản đã nhận. Hỏi tỉnh: sửa số đã ký thì phải ký một bản mới"
            )
        connection.execute(update(deliveries).where(deliveries.c.delivery_id == last.delivery_id).values(file_stamp=file.sign))
    return True


def _blocks(file: _File) -> Iterator[bytes]:
    """The bytes of a file; raises _NotGiven where its source does not give them."""
    try:
        with file.opening() as stream:
            while block := stream.read(BLOCK):
                yield block
    except editions.NotWhole as why:
        raise _NotGiven(str(why)) from None
    except FileNotFoundError:
        raise _NotGiven("không còn ở nguồn khi đọc (gone before it could be read)") from None
    except OSError as error:
        raise _NotGiven(f"không đọc được (cannot be read: {_words(error)})") from None


def _copy(file: _File, sink: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for block in _blocks(file):
        digest.update(block)
        sink.write(block)
    sink.flush()
    os.fsync(sink.fileno())
    return digest.hexdigest()


def _record(connection: Connection, source: Source, file: _File, sha256: str, told: Said, made_at: datetime) -> int:
    """Notes a delivery, unless these bytes are the source's last word already: then only where they were found."""
    # One at a time: two deliveries of a feed never share an export time, which orders the states of a row.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ops.delivery'))"))
    period = told.covers.text if told.covers else None
    now = datetime.now(VIETNAM)
    is_settled = file.modified is None or (now - file.modified).total_seconds() > SETTLED_SECONDS
    stamp = file.stamp if is_settled else None
    own = deliveries.c.file_name == file.name
    for same, order in ((own, deliveries.c.delivery_id), (_same_word(source, told, made_at), deliveries.c.exported_at)):
        query = select(deliveries).where(deliveries.c.source == source.name, same).order_by(order.desc()).limit(1)
        last = connection.execute(query).first()
        if last is not None and last.sha256 == sha256:
            if last.file_name == file.name and stamp is not None:
                connection.execute(update(deliveries).where(deliveries.c.delivery_id == last.delivery_id).values(file_stamp=stamp))
            return 0
    row = {
        "source": source.name,
        "feed": source.feed,
        "layout": source.layout,
        "provider": source.provider,
        "file_name": file.name,
        "file_stamp": stamp,
        "sha256": sha256,
        "about": told.about,
        "named_period": period,
        "is_declared": told.is_declared,
        "named_unit": told.unit,
        "business_period": period,
        "exported_at": _free_moment(connection, source, told, made_at),
        "received_at": now,
        "status": "landed",
    }
    connection.execute(insert(deliveries).values(row))
    return 1


def _same_word(source: Source, told: Said, made_at: datetime) -> ColumnElement[bool]:
    """Deliveries of a source whose latest one says what a file says, if it has its bytes: of the same stretch where names say it."""
    if told.is_declared or _is_told_by_names(source):
        return and_(
            deliveries.c.named_period.is_not_distinct_from(told.covers.text if told.covers else None),
            deliveries.c.named_unit.is_not_distinct_from(told.unit),
            deliveries.c.about == told.about,
        )
    return deliveries.c.exported_at < made_at + timedelta(seconds=1)


def _is_told_by_names(source: Source) -> bool:
    """Whether only the names of a source's files say for which stretch they speak."""
    terms = contract(source.feed)
    return terms.replaces == "period" and not terms.scope


def _free_moment(connection: Connection, source: Source, told: Said, made_at: datetime) -> datetime:
    """The moment that orders a delivery among those of its feed: when it was made, then the place of its source, then who came first.

    Milliseconds are the file's, the microseconds below tell sources apart, so that the order of two sources never depends on arrival.
    Nor does that of a day's file and a month's that end together: where names say what files speak for, the month's is the later word.
    """
    moment = made_at.replace(microsecond=made_at.microsecond // 1000 * 1000) + timedelta(microseconds=source.rank)
    if _is_told_by_names(source) and told.covers is not None and not told.covers.is_day and made_at == told.made_at:
        moment += timedelta(milliseconds=500)
    taken = select(deliveries.c.exported_at).where(deliveries.c.feed == source.feed, deliveries.c.exported_at >= moment)
    moments = set(connection.scalars(taken.where(deliveries.c.exported_at < moment + timedelta(seconds=1))))
    while moment in moments:
        moment += timedelta(milliseconds=1)
    return moment
