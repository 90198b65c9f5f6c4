"""A synchronisation endpoint → one delivery: all pages of what changed since the last one, asked for with a bearer token.

The pages are kept as they were answered, as a JSON list: the same answers are the same bytes, whenever they were given.
"""

from __future__ import annotations

import json
import logging
import ssl
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import IO, Any

import httpx
from sqlalchemy import Engine, func, select

from tasks.pull.http import TIMEOUT, authorised, why_not
from tasks.pull.writing import writing
from tasks.words.vietnamese import VIETNAM, safe
from warehouse.tables import delivery as deliveries

LAYOUT = "dvcqg_json"
"""The layout that an http address answers in pages; any other is one file."""

BEGINNING = datetime(2000, 1, 1, tzinfo=VIETNAM)
"""Where the first window begins: before any dossier was kept electronically."""

MOMENT = "%Y%m%d%H%M%S"
WAITS = (1.0, 4.0, 16.0)
"""Seconds before each new try, where the endpoint was late or said that the fault is its own."""

log = logging.getLogger("bakhong")


class Unanswered(Exception):
    """The endpoint did not give the whole window; says why in one line, without the token."""


def window(engine: Engine, source: str, until: date | None) -> tuple[datetime, datetime] | None:
    """What to ask for: from the end of the last window that was not rejected to now, or to a day's end; nothing where that was asked."""
    end = datetime.now(VIETNAM)
    if until is not None:
        end = min(end, datetime.combine(until, clock(23, 59, 59), VIETNAM))
    end = end.replace(microsecond=0)
    query = select(func.max(deliveries.c.exported_at)).where(deliveries.c.source == source, deliveries.c.status != "rejected")
    with engine.connect() as connection:
        last = connection.scalar(query)
    begin = last.astimezone(VIETNAM).replace(microsecond=0) if last else BEGINNING
    return (begin, end) if begin < end else None


def fetch(url: str, token: str | None, believed: ssl.SSLContext | bool, begin: datetime, end: datetime) -> IO[bytes] | None:
    """All pages of a window in a temporary file, nothing where they hold no row; raises Unanswered unless every page was given."""
    client = _client(token, believed)
    with writing(tempfile.gettempdir()):
        spool = tempfile.TemporaryFile()  # noqa: SIM115  # closed by whoever lands it
    try:
        with client:
            rows = _copy_pages(client, partial(_page, url, begin, end), token, spool)
    except BaseException:
        spool.close()
        raise
    if not rows:
        spool.close()
        return None
    return spool


def knock(url: str, token: str | None, believed: ssl.SSLContext | bool) -> None:
    """Asks once for the first page of the last minute, and keeps none of it; raises Unanswered where a window would not be given."""
    end = datetime.now(VIETNAM).replace(microsecond=0)
    with _client(token, believed) as client:
        _judged(_ask(client, _page(url, end - timedelta(minutes=1), end, 1), 1, waits=()), 1, token)


def _client(token: str | None, believed: ssl.SSLContext | bool) -> httpx.Client:
    if token is not None and not (token.isascii() and token.isprintable()):
        raise Unanswered("token không hợp lệ (the token holds characters that no header may hold)")
    return httpx.Client(headers=authorised(token), timeout=TIMEOUT, verify=believed)


def _page(url: str, begin: datetime, end: datetime, page: int) -> httpx.URL:
    return httpx.URL(url).copy_merge_params({"from": f"{begin:{MOMENT}}", "to": f"{end:{MOMENT}}", "page": page})


def _copy_pages(client: httpx.Client, of: Callable[[int], httpx.URL], token: str | None, spool: IO[bytes]) -> int:
    """Writes each page as answered and returns the number of rows in all."""
    rows, page, pages = 0, 1, 1
    while page <= pages:
        body = _ask(client, of(page), page)
        answer = _judged(body, page, token)
        if page > 1 and answer["pages"] != pages:
            raise Unanswered(f"trang {page}: số trang thay đổi khi đang đọc (the number of pages changed while they were read)")
        pages = answer["pages"]
        rows += len(answer["result"])
        with writing(tempfile.gettempdir()):
            spool.write((b"[" if page == 1 else b",\n") + body.removeprefix(b"\xef\xbb\xbf").strip())
        page += 1
    with writing(tempfile.gettempdir()):
        spool.write(b"]\n")
        spool.seek(0)
    return rows


def _ask(client: httpx.Client, url: httpx.URL, page: int, waits: Sequence[float] | None = None) -> bytes:
    """The body of a good answer. Another try is made only where it may help: never after 4xx or a certificate that does not hold."""
    waits = WAITS if waits is None else waits
    for wait in (*waits, None):
        try:
            answer = client.get(url)
        except httpx.TimeoutException:
            trouble = "quá thời gian chờ (timed out)"
        except httpx.LocalProtocolError:  # its words quote the header
            raise Unanswered(f"trang {page}: không gửi được yêu cầu (the request could not be sent)") from None
        except httpx.HTTPError as error:
            raise Unanswered(f"trang {page}: không kết nối được ({why_not(error)})") from None
        else:
            if answer.status_code == httpx.codes.OK:
                return answer.content
            trouble = f"HTTP {answer.status_code}"
            if not answer.is_server_error:
                raise Unanswered(f"trang {page}: {trouble}")
        if wait is not None:
            log.warning("page asked for again: %s", trouble, extra={"page": page, "wait_seconds": wait})
            time.sleep(wait)
    raise Unanswered(f"trang {page}: {trouble}, đã thử {len(waits) + 1} lần")


def _judged(body: bytes, page: int, token: str | None) -> dict[str, Any]:
    """The answer, where it is the page asked for and says that all is well."""
    try:
        answer = json.loads(body.decode("utf-8-sig"))
    except ValueError:
        raise Unanswered(f"trang {page}: không phải JSON trọn vẹn (not whole JSON)") from None
    if not isinstance(answer, dict) or "error_code" not in answer:
        raise Unanswered(f"trang {page}: thiếu error_code (not the answer agreed on)")
    if answer["error_code"] != "0":
        said = _line(f"error_code {answer['error_code']}: {answer.get('message') or ''}")
        raise Unanswered(f"trang {page}: {said.replace(token, '***') if token else said}")
    pages = answer.get("pages")
    if answer.get("page") != page or type(pages) is not int or pages < 0 or not isinstance(answer.get("result"), list):
        raise Unanswered(f"trang {page}: thiếu page, pages hoặc result (not the page asked for)")
    return answer


def _line(words: str) -> str:
    return safe(" ".join(words.split()), 300)
