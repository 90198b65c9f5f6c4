"""Files of one record a line, whole blocks of lines at a time: memory does not grow with the file."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from tasks.read.kinds import kind_of
from tasks.read.rows import File
from tasks.words.vietnamese import number

BLOCK = 8 << 20
"""Bytes read at a time; a line is no longer."""


def blocks(file: File, begins: bytes, wanted: str) -> Iterator[tuple[bytes, int]]:
    """Blocks of whole lines in UTF-8, and how many bytes of the file are read by then; only the last line may lack its break.

    Refuses what is of another kind (`begins`: how the right one does; `wanted`: its name), other letters, a line that is too long, and
    a file of nothing but line breaks.
    """
    is_empty = True
    for block, read_bytes in _cut(file):
        if is_empty and (start := block.lstrip()):
            is_empty = False
            if not start.startswith(begins) and (kind := kind_of(start)):
                raise file.refused("STR-007", advice=f"Tệp nhận được là {kind}, cần {wanted}.")
        try:
            block.decode()
        except UnicodeDecodeError:
            raise file.refused("STR-006") from None
        yield block, read_bytes
    if is_empty:
        raise file.refused("STR-003")


def _cut(file: File) -> Iterator[tuple[bytes, int]]:
    with file.path.open("rb") as stream:
        start = stream.read(len(codecs.BOM_UTF8))
        rest, read = start.removeprefix(codecs.BOM_UTF8), len(start)
        while more := stream.read(BLOCK):
            rest, read = rest + more, read + len(more)
            cut = rest.rfind(b"\n") + 1
            if not cut and len(rest) > BLOCK:
                raise file.refused("STR-022", advice=f"một dòng dài hơn {number(BLOCK >> 20)} MB")
            if cut:
                yield rest[:cut], read
                rest = rest[cut:]
    if rest:
        yield rest, read
