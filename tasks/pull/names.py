"""Names of files: which may be kept and shown as they are, and how the others are told of."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import datetime
from pathlib import PurePosixPath

from expectations.contract import PERSONAL
from tasks.words import vietnamese as vi

LONGEST = 500
"""Most characters of a name with its folders below the source's."""


_BESIDE = re.compile(r"~\$.+|\.~lock\..+#|thumbs\.db|desktop\.ini|\.ds_store", re.IGNORECASE)


def is_beside(name: str) -> bool:
    """Whether programs leave a file of this name beside those of people: the mark that somebody has one open, a folder's looks."""
    return _BESIDE.fullmatch(PurePosixPath(name).name) is not None


def wrong_with(name: str) -> str:
    """Why no delivery may be kept under a name, in Vietnamese; empty where one may."""
    if any(unicodedata.category(sign) == "Cs" for sign in name):
        return "tên tệp không phải Unicode (its bytes are not UTF-8)"
    if unseen := vi.unseen(name):
        signs = ", ".join(f"U+{ord(sign):04X}" for sign in unseen[:3])
        return f"tên tệp có ký tự điều khiển hoặc không nhìn thấy ({signs})"
    if len(name) > LONGEST:
        return f"tên tệp dài hơn {LONGEST} ký tự"
    if any(map(_is_personal, re.findall(r"\d+", name))):
        return "tên tệp có số giống số giấy tờ hoặc số điện thoại của một người"
    return ""


def shown(name: str) -> str:
    """A name as a message may have it: in one line, without the digits of a person."""
    masked = re.sub(r"\d+", lambda run: "•" * len(run[0]) if _is_personal(run[0]) else run[0], name)
    return vi.safe(masked, shown="\N{REPLACEMENT CHARACTER}")  # one for each: what is left is read, and found, as one name


def _is_personal(digits: str) -> bool:
    """Whether a run of digits looks like an identity paper or a telephone number, and is no time: papers of 12 digits begin with 0."""
    if not re.match(PERSONAL, digits):
        return False
    for written in ("%Y%m%d%H%M", "%y%m%d%H%M%S") if len(digits) == 12 and digits[0] in "12" else ():
        with suppress(ValueError):
            datetime.strptime(digits, written)
            return False
    return True
