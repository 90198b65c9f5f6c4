"""A landed file: where its bytes lie, plain or compressed, and how one comes from the other.

What was landed never changes. An old one is compressed where it lies (`tasks.keep.prune`), as `<sha256>.zst` beside the place of the
plain one; whoever reads it sees plain bytes. Where both are there, either will do.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from tasks.words import vietnamese as vi
from tasks.words.vietnamese import VIETNAM

BLOCK = 1 << 20
SUFFIX = ".zst"
CODEC = "zstd"
SWELLS = 8
"""How many times larger exports in text are than compressed, as a rule: for what need not be exact."""


class Damaged(OSError):
    """A landed file is not what its name says."""


def place(home: Path, source: str, sha256: str) -> Path:
    """Where the plain bytes of a landed file lie, if they do."""
    return home / "landing" / source / sha256


def compressed(path: Path) -> Path:
    """Where the compressed bytes of a landed file lie, if they do."""
    return path.with_name(path.name + SUFFIX)


def is_there(path: Path) -> bool:
    """Whether a landed file is there, in whichever way."""
    return path.exists() or compressed(path).exists()


def size_of(path: Path) -> int:
    """Bytes of a landed file, about so many of a compressed one; an OSError where it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return compressed(path).stat().st_size * SWELLS


def removed(at: datetime) -> str:
    """That a file is not missing, in words."""
    return f"tệp đã nhận được bỏ theo thời hạn lưu ngày {vi.day(at.astimezone(VIETNAM))}, kho còn giữ mã băm và số dòng"


def blocks(path: Path) -> Iterator[bytes]:
    """The plain bytes of a landed file; an OSError where it is not there, or is not what its name says."""
    is_plain = path.exists() or not compressed(path).exists()
    with path.open("rb") if is_plain else _unsqueezed(compressed(path)) as stream:
        yield from _checked(stream, path.name)


def require_readable(path: Path) -> None:
    """An OSError where a landed file is not there or closed to us."""
    with (path if path.exists() or not compressed(path).exists() else compressed(path)).open("rb"):
        pass


@contextmanager
def at_hand(path: Path) -> Iterator[Path]:
    """A file with the plain bytes of a landed one, for as long as the block lasts; of one that is not there, its place."""
    if path.exists() or not compressed(path).exists():
        yield path
        return
    draft = path.with_name(f".read-{path.name[:12]}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with _private(draft) as sink:
            for block in blocks(path):
                sink.write(block)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def compress(path: Path, *, tries: bool = False) -> int:
    """Puts a compressed file in the place of a plain one, and returns how many bytes that frees; an OSError where it is damaged.

    Whatever ends this on the way leaves one of both whole: the plain one goes when the other was read back. `tries`: nothing is changed.
    """
    draft = path.with_name(f".pack-{path.name[:12]}-{os.getpid()}")
    try:
        with _private(draft) as sink:
            _squeeze(path, sink)
        with _unsqueezed(draft) as stream:
            for _ in _checked(stream, path.name):
                pass
        freed = occupied(path) - draft.stat().st_size
        if not tries:
            draft.replace(compressed(path))
            sync_folder(path.parent)
            path.unlink()
    finally:
        draft.unlink(missing_ok=True)
    return freed


def remove(path: Path) -> int:
    """Removes a landed file, and returns how many bytes that frees."""
    freed = 0
    for one in (path, compressed(path)):
        if one.exists():
            freed += one.stat().st_size
            one.unlink()
    return freed


def occupied(path: Path) -> int:
    """Bytes that a landed file takes, in whichever way it is there."""
    return sum(one.stat().st_size for one in (path, compressed(path)) if one.exists())


def sync_folder(folder: Path) -> None:
    """Has what was renamed in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    """A new file for our eyes only, which is on the disk when the block ends."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
        yield sink
        sink.flush()
        os.fsync(sink.fileno())


def _squeeze(path: Path, sink: IO[bytes]) -> None:
    import pyarrow as pa  # noqa: PLC0415  # the command line reads this module for every question

    own = os.fdopen(os.dup(sink.fileno()), "wb")  # which is closed with the stream
    with path.open("rb") as plain, pa.CompressedOutputStream(own, CODEC) as packed:
        while block := plain.read(BLOCK):
            packed.write(block)


def _unsqueezed(path: Path) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    return pa.input_stream(str(path), compression=CODEC)


def _checked(stream: IO[bytes], sha256: str) -> Iterator[bytes]:
    """What a stream gives; an OSError where these are not the bytes of that hash."""
    digest = hashlib.sha256()
    try:
        while block := stream.read(BLOCK):
            digest.update(block)
            yield block
        is_whole = digest.hexdigest() == sha256
    except OSError as problem:  # of what cannot be decompressed without a number
        if problem.errno is not None:
            raise
        is_whole = False
    if not is_whole:
        raise Damaged(errno.EIO, "tệp đã nhận bị hỏng (khác mã băm)", sha256)
