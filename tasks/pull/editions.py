"""A province's signed editions → one delivery each: the files of an edition's folder in one zip, the same bytes from wherever it is taken.

They lie as `<period>/<number>/` below a folder, or below an address where a catalogue lists them. What is there is not trusted: an address
that the catalogue names is never followed, nothing is read that the edition's checksums do not list, and no more than fits.
"""

from __future__ import annotations

import json
import re
import ssl
import stat
import tempfile
import time
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx

from tasks.deliveries.edition_folder import CATALOGUE, DESCRIPTOR, SUMS, Damaged, sums_in
from tasks.pull.http import BLOCK, TIMEOUT, Address, Unchanged, authorised, why_not
from tasks.pull.names import shown
from tasks.pull.writing import writing
from tasks.words import vietnamese as vi
from tasks.words.vietnamese import VIETNAM
from warehouse.periods import is_period

LAYOUT = "open_data"
"""The layout of which a delivery is a folder."""
MOST_EDITIONS = 5_000
MOST_FILES = 50
MOST_SUMS, MOST_DESCRIPTOR, MOST_CATALOGUE, MOST_BYTES = 16 << 10, 4 << 20, 32 << 20, 64 << 20
"""Bytes of a list of checksums, of a descriptor, of a catalogue, and of all files of an edition: a large one has some ten million."""
BYTES_A_NIGHT = 4 << 30
"""Of one source; what is beyond comes in the nights after."""
MOST_SECONDS = 300
"""In which an edition's file has to be there, however slowly it comes."""
CLOCKS_DIFFER = timedelta(hours=1)
SINCE = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip."""
FIGURES = ("indicator.csv", "definition.csv")
_NUMBER = re.compile(r"[1-9][0-9]{0,6}")
_IDENTIFIER = re.compile(r"ba-khong/([0-9A-Z-]+)/([0-9]+)")
_KEPT = ".catalogue"


class NotWhole(Exception):
    """An edition cannot be taken as it is now; says why in Vietnamese."""


class NoCatalogue(Exception):
    """What lies at an address is no catalogue of editions; says so in Vietnamese."""


@dataclass(frozen=True)
class Edition:
    """A signed edition that is not taken yet, or looks another than when it was."""

    name: str
    """As a delivery is called: `2024/1.zip`."""
    period: str
    sign: str = ""
    """What has to agree for it to be the same: its figures, and what its place tells of its files."""
    created: datetime | None = None
    """When it was signed; nothing where it is not whole."""
    wrong: str = ""
    """Why it cannot be taken."""
    opening: Callable[[], IO[bytes]] | None = field(default=None, repr=False)
    """Makes the zip, or raises NotWhole."""


class Shelf(ABC):
    """Where a province's editions lie."""

    def __init__(self) -> None:
        self._left = BYTES_A_NIGHT

    @abstractmethod
    def places(self) -> Iterator[tuple[str, str, str]]:
        """Period, number, and by what an edition would be known again, where that is told before anything of it is read."""

    @abstractmethod
    def read(self, name: str, most: int) -> bytes:
        """A file by its address below; NotWhole where it holds more, OSError where it is not given."""

    def state(self, place: str, listed: Mapping[str, str]) -> str:
        """What its place tells of an edition's files; FileNotFoundError or NotWhole where one is not there."""
        return ""

    def remember(self, last: int) -> None:  # noqa: B027  # a folder is looked at each night
        """Notes that all that is offered is taken. `last`: number of the last delivery."""

    def count(self) -> int:
        """How many signed editions it offers."""
        return sum(1 for _ in self.places())

    def offered(self, taken: Callable[[str], str | None]) -> Iterator[Edition]:
        """The editions that are not taken as they are. `taken`: the sign under which a delivery of a name was taken last."""
        for number, (period, edition, told) in enumerate(self.places()):
            name = f"{period}/{edition}.zip"
            if number == MOST_EDITIONS:
                yield Edition(name, period, wrong=f"nhiều hơn {vi.number(MOST_EDITIONS)} bản số liệu, các bản sau không xem")
                return
            before = taken(name)
            if told and are_same_figures(told, before):
                continue
            found = self._looked_at(name, period, f"{period}/{edition}", told, before)
            if found is not None:
                yield found

    def _looked_at(self, name: str, period: str, place: str, told: str, before: str | None) -> Edition | None:
        try:
            listed = self._listed(place)
            sign = f"{told or figures(listed)} {self.state(place, listed)}".rstrip()
            if sign == before:
                return None
            created = _created(self.read(f"{place}/{DESCRIPTOR}", MOST_DESCRIPTOR))
        except (NotWhole, OSError) as why:
            return Edition(name, period, wrong=_why(why))
        return Edition(name, period, sign, created, opening=lambda: self._packed(place, listed))

    def _listed(self, place: str) -> dict[str, str]:
        try:
            listed = sums_in(self.read(f"{place}/{SUMS}", MOST_SUMS))
        except Damaged as damaged:
            raise NotWhole(str(damaged)) from None
        if len(listed) > MOST_FILES:
            raise NotWhole(f"{SUMS} ghi hơn {MOST_FILES} tệp")
        return listed

    def _packed(self, place: str, listed: Mapping[str, str]) -> IO[bytes]:
        """All files in one zip, by their names, not compressed: so its bytes tell nothing of who packed it, where and with what."""
        left = min(MOST_BYTES, self._left)
        with writing(tempfile.gettempdir()):
            spool = tempfile.TemporaryFile()  # noqa: SIM115  # closed by whoever lands it
        try:
            before = self.state(place, listed)
            with zipfile.ZipFile(spool, "w") as archive:
                for name in sorted([*listed, SUMS]):
                    content = self.read(f"{place}/{name}", left)
                    if name == SUMS and sums_in(content) != listed:
                        raise NotWhole(f"{SUMS} vừa thay đổi khi đang đọc; đêm sau nhận")
                    if name != SUMS and sha256(content).hexdigest() != listed[name]:
                        raise NotWhole(f"{name} khác với mã kiểm tra trong {SUMS}: đang chép dở, hoặc đã bị sửa; khi đúng lại thì nhận")
                    left -= len(content)
                    with writing(tempfile.gettempdir()):
                        archive.writestr(_entry(name), content)
            if self.state(place, listed) != before:
                raise NotWhole("thư mục vừa thay đổi khi đang đọc; đêm sau nhận")
            self._left -= spool.tell()
            spool.seek(0)
        except BaseException as error:
            spool.close()
            if isinstance(error, Damaged):
                raise NotWhole(str(error)) from None
            raise
        return spool


def figures(listed: Mapping[str, str]) -> str:
    """By what an edition is known again, from its checksums: its values and their definitions. The rest may be written anew, as when a
    licence is declared.
    """
    return sha256("".join(f"{listed.get(name)}  {name}\n" for name in FIGURES).encode()).hexdigest()[:32]


def are_same_figures(sign: str, other: str | None) -> bool:
    """Whether two signs are of the same figures, wherever they lie."""
    return other is not None and sign.split(" ", maxsplit=1)[0] == other.split(" ")[0]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, SINCE)
    entry.create_system = 3  # whatever system this is
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _created(descriptor: bytes) -> datetime:
    """When an edition was signed, as its descriptor says."""
    try:
        created = datetime.fromisoformat(json.loads(descriptor.decode("utf-8"))["created"])
        if created.tzinfo is None:
            raise ValueError
        created = created.astimezone(VIETNAM)
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        raise NotWhole(f"{DESCRIPTOR} không phải bản mô tả của một bản số liệu, hoặc chưa chép xong") from None
    if created > datetime.now(VIETNAM) + CLOCKS_DIFFER:
        raise NotWhole(f"ghi ngày ký {vi.moment(created)}, ở tương lai")
    return created


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "còn thiếu tệp: chưa chép xong, hoặc đã bị xóa bớt; khi đủ thì nhận"
    return str(error) if isinstance(error, NotWhole) else f"không đọc được ({vi.safe(str(error.strerror or error))})"  # type: ignore[attr-defined]


# Folders ----------------------------------------------------------------------------------------------------------------


class Folder(Shelf):
    """A folder of this machine or another."""

    def __init__(self, system: Any, root: str) -> None:
        super().__init__()
        self._system, self._root = system, root.rstrip("/")

    def places(self) -> Iterator[tuple[str, str, str]]:
        """What lies there; `latest`, `provisional` and the lists beside them are named otherwise."""
        for period in self._folders("", is_period):
            for number in self._folders(f"/{period}", lambda name: _NUMBER.fullmatch(name) is not None):
                yield period, number, ""

    def _folders(self, below: str, is_one: Callable[[str], bool]) -> list[str]:
        found = []
        for info in self._system.ls(f"{self._root}{below}", detail=True):
            name = info["name"].rstrip("/").rpartition("/")[2]
            if is_one(name) and info["type"] == "directory" and not info.get("islink"):
                found.append(name)
        return sorted(found)

    def state(self, place: str, listed: Mapping[str, str]) -> str:
        """Size, time of change and inode of each file."""
        told, size = [], 0
        for name in sorted([*listed, SUMS]):
            info = self._system.info(f"{self._root}/{place}/{name}")
            if info["type"] != "file" or info.get("islink") or stat.S_IFMT(info.get("mode", 0)) not in (0, stat.S_IFREG):
                raise NotWhole(f"{name} không phải là tệp (no regular file)")
            size += info["size"] or 0
            told.append(f"{name} {info['size']} {info.get('mtime', info.get('LastModified'))} {info.get('ino')}\n")
        if size > MOST_BYTES:
            raise NotWhole(f"lớn hơn {vi.number(MOST_BYTES >> 20)} MB")
        return sha256("".join(told).encode()).hexdigest()[:32]

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a file."""
        with self._system.open(f"{self._root}/{name}", "rb") as stream:
            content = bytes(stream.read(most + 1))
        if len(content) > most:
            raise NotWhole(_too_large(name))
        return content


def _too_large(name: str) -> str:
    return f"{shown(name.rpartition('/')[2])} quá lớn, hoặc đêm nay đã nhận đủ {BYTES_A_NIGHT >> 30} GB của nguồn này; đêm sau xem lại"


# Addresses --------------------------------------------------------------------------------------------------------------


class Web(Shelf):
    """An address, below which a catalogue lists the editions; close it."""

    def __init__(self, url: str, token: str | None, believed: ssl.SSLContext | bool, landing: Path | None = None, last: int = 0) -> None:
        """`landing`: where it is kept by what the catalogue is known again, once all that it lists is taken. `last`: number of the last
        delivery taken by then: a warehouse that was put back to what it was knows of fewer.
        """
        super().__init__()
        self._root = url.rstrip("/") + "/"
        self._kept, self._last = landing and landing / _KEPT, last
        self._catalogue = Address(f"{self._root}{CATALOGUE}", token, believed, follows=False)
        # What is compressed could grow without end.
        headers = authorised(token) | {"Accept-Encoding": "identity"}
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT, verify=believed, follow_redirects=False)
        self._gone: OSError | None = None

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def places(self) -> Iterator[tuple[str, str, str]]:
        """What the catalogue lists as signed; nothing where it is still the one of which all was taken. NoCatalogue where it is none."""
        if self._kept is not None:
            with suppress(OSError, ValueError):
                number, _, stamp = self._kept.read_text("utf-8").partition(" ")
                self._catalogue.known = stamp if int(number) == self._last else None
        content = b""
        try:
            with self._catalogue.opening() as body:
                while block := body.read(BLOCK):
                    content += block
                    if len(content) > MOST_CATALOGUE:
                        raise NoCatalogue(f"{CATALOGUE} lớn hơn {MOST_CATALOGUE >> 20} MB")
        except Unchanged:
            return
        try:
            listed = [place for one in json.loads(content.decode("utf-8"))["dcat:dataset"] if (place := _place(one)) is not None]
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise NoCatalogue(f"{CATALOGUE} không phải danh mục các bản số liệu (no catalogue of editions)") from None
        yield from sorted(set(listed))

    def remember(self, last: int) -> None:
        """Notes that all that the catalogue lists is taken. `last`: number of the last delivery."""
        if self._kept is not None and self._catalogue.stamp is not None:
            with writing(self._kept.parent):
                self._kept.write_text(f"{last} {self._catalogue.stamp}", "utf-8")
                self._kept.chmod(0o600)

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a file; after a first failure to reach the server nothing more is asked of it."""
        if self._gone is not None:
            raise self._gone
        content, until = bytearray(), time.monotonic() + MOST_SECONDS
        try:
            with self._client.stream("GET", self._root + quote(name)) as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    raise FileNotFoundError
                answer.raise_for_status()
                for block in answer.iter_raw(BLOCK):
                    content += block
                    if len(content) > most:
                        raise NotWhole(_too_large(name))
                    if time.monotonic() > until:
                        raise NotWhole(f"đọc quá {MOST_SECONDS} giây không xong")
        except httpx.HTTPStatusError as error:
            raise OSError(None, why_not(error)) from None
        except httpx.HTTPError as error:
            self._gone = OSError(None, why_not(error))
            raise self._gone from None
        return bytes(content)


def _place(dataset: Any) -> tuple[str, str, str] | None:
    """Period, number and figures of a record of the catalogue; nothing of what is not signed. Its addresses are not looked at."""
    found = _IDENTIFIER.fullmatch(dataset["dct:identifier"])
    if found is None or not is_period(found[1]) or not _NUMBER.fullmatch(found[2]):
        return None
    sums = {one["dct:title"]: one["spdx:checksum"]["spdx:checksumValue"]["@value"] for one in dataset["dcat:distribution"]}
    return found[1], found[2], figures(sums)
