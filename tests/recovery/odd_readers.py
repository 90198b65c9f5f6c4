"""A reader that does what the file says before its rows: dies, hangs, eats memory, says what it read; else it reads as ever."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import python_calamine

from tasks.read.file import Chunk
from tasks.read.file import read as read_as_ever
from tasks.read.rows import File

Given = dict[str, Any]
CELL = "Nguyễn Văn Kín"
"""What a reader says as it dies."""


class PanicException(BaseException):
    """As Rust's panics come to Python."""


def _panic(_: Any) -> None:
    os.write(1, CELL.encode())
    os.write(2, f"thread panicked at {CELL}\n".encode())
    raise PanicException(CELL)


def _breaks(_: Any) -> None:
    raise KeyError(CELL)


def _eats(_: Any) -> None:
    pa.allocate_buffer(1 << 40)


def _eats_slowly(_: Any) -> None:
    held = []
    while True:
        held.append(bytearray(1 << 24))


def _hides_that_it_eats(given: Given) -> None:
    try:
        _eats_slowly(given)
    except Exception:
        raise File(given["path"], given["file_name"], given["contract"], given["layout_name"]).refused("STR-005") from None


def _far_corner(given: Given) -> None:
    """Rust asks for memory for 17 billion cells, and aborts."""
    python_calamine.CalamineWorkbook.from_path(given["path"].with_suffix(".xlsx")).get_sheet_by_index(0).to_python()


def _sleeps(given: Given) -> None:
    Path(str(given["path"]) + ".pid").write_text(f"{os.getpid()} {os.getppid()}")
    time.sleep(600)


WAYS: dict[str, Callable[[Given], None]] = {
    "panic": _panic,
    "break": _breaks,
    "segfault": lambda _: os.kill(os.getpid(), signal.SIGSEGV),
    "abort": lambda _: os.abort(),
    "killed": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "leave": lambda _: os._exit(3),
    "eat": _eats,
    "eat slowly": _eats_slowly,
    "eat secretly": _hides_that_it_eats,
    "far corner": _far_corner,
    "sleep": _sleeps,
}


def read(**given: Any) -> Iterator[Chunk]:
    """What the file says, then its rows."""
    first = given["path"].read_text("utf-8", "replace").partition("\n")[0]
    WAYS.get(first, lambda _: None)(given)
    yield from read_as_ever(**given)


def read_by_tens(**given: Any) -> Iterator[Chunk]:
    """A chunk every ten rows."""
    yield from read_as_ever(**given, chunk_rows=10)


def read_then_break(**given: Any) -> Iterator[Chunk]:
    """The rows, then a fault."""
    yield from read_as_ever(**given)
    raise KeyError(CELL)


def read_twice(**given: Any) -> Iterator[Chunk]:
    """Rows that do not add up: what is checked breaks in the process of the night."""
    for chunk in read_as_ever(**given):
        yield replace(chunk, received=chunk.received + 1)
