"""What a file is by its first bytes, in the words of a refusal."""

from __future__ import annotations

import codecs
import re

ZIP, COMPOUND = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORKBOOKS = (*ZIP, COMPOUND)
"""How workbooks begin, and other files of Office too."""

_STARTS = {
    **dict.fromkeys(ZIP, "một tệp Excel .xlsx hoặc tệp nén"),
    COMPOUND: "một tệp Excel .xls hoặc tệp Office có mật khẩu",
    b"%PDF": "một tệp PDF",
    b"{\\rtf": "một tệp Word (.rtf)",
    b"Rar!": "một tệp nén .rar",
    b"7z\xbc\xaf": "một tệp nén .7z",
    b"\x1f\x8b": "một tệp nén .gz",
}
_JSON = re.compile(rb"[\[{]\s*[\"\[{\]}]")
_PAGES = (b"<html", b"<table", b"<!doctype")


def kind_of(start: bytes) -> str:
    """What a file that begins so is called; nothing for plain text."""
    bare = start.lstrip(codecs.BOM_UTF8 + b" \r\n\t")
    known = next((kind for sign, kind in _STARTS.items() if bare.startswith(sign)), "")
    if not known and _JSON.match(bare):
        return "JSON"
    if known or not bare.startswith(b"<"):
        return known
    first = bare[:512].lower()
    return "một trang HTML" if first.startswith(_PAGES) or b"<html" in first else "một tệp XML"
