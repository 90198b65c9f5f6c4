"""JSON as it was sent: parsed within bounds, refused with what is wrong with it, its values as text."""

from __future__ import annotations

import codecs
import json
from typing import Any

from tasks.read.rows import NO_VALUE, File

LONGEST_NUMBER = 20
"""Digits of a whole number; longer ones are of no column, and dear to read."""
LOST = "\ufffd"
"""Stands for a letter of which only half came."""


def parsed(file: File) -> Any:
    """What the file's JSON says."""
    content = file.path.read_bytes().removeprefix(codecs.BOM_UTF8).strip()
    if not content.startswith((b"{", b"[")):
        raise file.refused("STR-007")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise file.refused("STR-006") from None
    try:
        return json.loads(text, parse_int=whole)
    except RecursionError:
        raise file.refused("STR-022", advice="dữ liệu lồng vào nhau quá nhiều lớp") from None
    except json.JSONDecodeError as error:  # its text would quote nothing, its document all
        message, place = error.msg, error.pos
    if place >= len(text) or message.startswith("Unterminated"):
        raise file.refused("STR-005")
    if message == "Extra data":
        lines = (
            "mỗi dòng một đối tượng JSON, cần một câu trả lời duy nhất" if text[place] == "{" else "sau câu trả lời JSON còn nội dung thừa"
        )
        raise file.refused("STR-007", advice=f"Tệp nhận được có {lines}.")
    raise file.refused("STR-007", advice=f"Sai cú pháp JSON ở ký tự thứ {place + 1}.")


def text_of(value: Any) -> str | None:
    """A value as its cell would be written: missing, text, number, 1 or 0; a list or an object is no value of a cell."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return str(value) if isinstance(value, int | float) else NO_VALUE


def whole(digits: str) -> int | str:
    """A whole number of JSON; no value where it has more digits than any column's."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else NO_VALUE
