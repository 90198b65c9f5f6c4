"""A file at an http(s) address, fetched only where it may have changed; and why a server could not be used, in one line.

The server is asked for the file unless it is still the one fetched last, by the tag or the time of change that it gave with it. One that
gives neither is asked for the bytes, which then say whether they are new.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tasks.words.vietnamese import safe
from warehouse.settings import Refusal

BLOCK = 1 << 20
TIMEOUT = 60.0
SETTLED_SECONDS = 60
"""A time of change closer than this to the answer may stand for two states of the file."""


class Unchanged(Exception):
    """The file is still the one fetched last."""


@dataclass
class Address:
    """A file at an address, of which `known` is what was kept of its last answer."""

    url: str
    token: str | None = None
    trusted: ssl.SSLContext | bool = True
    known: str | None = None
    follows: bool = True
    """Whether it may lead elsewhere, to another server too."""
    stamp: str | None = field(default=None, init=False)
    """What to keep of the answer, once it was opened; nothing where the server gives no sign by which to know the file again."""

    @property
    def is_sure(self) -> bool:
        """Whether a tag is kept, which the server makes; a time of change may be set by whoever exports the file."""
        return self.known is not None and self.known.startswith(f"{self._fingerprint} etag ")

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(urlsplit(self.url).path).name

    @contextmanager
    def opening(self) -> Iterator[Body]:
        """The bytes; raises Unchanged where they are those fetched last, OSError where they are not given."""
        try:
            condition = self._unless_known()
            headers = authorised(self.token) | condition
            how = {"follow_redirects": self.follows, "timeout": TIMEOUT, "verify": self.trusted}
            with httpx.stream("GET", self.url, headers=headers, **how) as answer:  # type: ignore[arg-type]
                if condition and answer.status_code == httpx.codes.NOT_MODIFIED:
                    raise Unchanged
                answer.raise_for_status()
                self.stamp = self._sign_of(answer.headers)
                yield Body(answer.iter_bytes(BLOCK))
        except httpx.HTTPError as error:
            raise OSError(None, why_not(error)) from error

    def _unless_known(self) -> dict[str, str]:
        for condition, sign in (("If-None-Match", "etag"), ("If-Modified-Since", "date")):
            if self.known is not None and self.known.startswith(begins := f"{self._fingerprint} {sign} "):
                return {condition: self.known.removeprefix(begins)}
        return {}  # none is kept, or it is another address's

    def _sign_of(self, headers: Mapping[str, str]) -> str | None:
        if tag := headers.get("etag"):
            return f"{self._fingerprint} etag {tag}"
        if (changed := headers.get("last-modified")) and _is_settled(changed, headers.get("date")):
            return f"{self._fingerprint} date {changed}"
        return None

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()[:12]


class Body:
    """The body of an answer, read like a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, _size: int) -> bytes:
        """The next bytes; none at the end."""
        return next(self._blocks, b"")


def authorised(token: str | None) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def trusted(source: str, ca_file: str | None) -> ssl.SSLContext | bool:
    """By whom a server has to be vouched for: the authorities of `ca_file` and no others, else those that are known everywhere."""
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise Refusal(f"{source}: `ca_file` {ca_file} không có chứng thư nào dạng PEM (no certificate in it).") from None
    except OSError as error:
        raise Refusal(f"{source}: không đọc được `ca_file` {ca_file} (cannot be read: {error.strerror}).") from None


def why_not(error: httpx.HTTPError) -> str:
    """Why a server could not be used, in one line; a certificate that does not hold is named as such."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"không tin được chứng thư của máy chủ ({safe(cause.verify_message)}); "
                "nếu cơ quan cấp là của riêng ngành thì ghi tệp của họ ở `ca_file`"
            )
        cause = cause.__cause__ or cause.__context__
    return safe(" ".join(str(error).split()), 300) or type(error).__name__


def _is_settled(changed: str, answered: str | None) -> bool:
    try:
        return (parsedate_to_datetime(answered or "") - parsedate_to_datetime(changed)).total_seconds() > SETTLED_SECONDS
    except (TypeError, ValueError):
        return False
