"""One message a night to those who look after it: what went wrong that they have not been told of, by mail or to a webhook.

A cause is told once, and again only after a night without it. A message that could not be sent is sent with the next night.
"""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from tasks.words import vietnamese as vi
from warehouse.settings import Refusal, Settings
from warehouse.tables import run, told

SECONDS = 15
"""How long a mail server or a webhook may take to answer."""
SHOWN = 30
"""Most causes of which a message tells in full."""
PORTS = {"smtp": 587, "smtps": 465}

log = logging.getLogger("bakhong")


@dataclass(frozen=True)
class Mail:
    """A mail server, and who writes to whom."""

    host: str
    port: int
    is_encrypted: bool
    """From the first byte; else as soon as the server offers it."""
    login: str | None
    sender: str
    receivers: tuple[str, ...]

    @classmethod
    def of(cls, address: str) -> Mail:
        """That of an address as smtp://login@host:587?from=…&to=…,…; Refusal where it is none."""
        try:
            parts = urlsplit(address)
            port = parts.port or PORTS[parts.scheme]
        except ValueError as error:
            raise Refusal("BAKHONG_MESSAGE_TO: cổng của máy chủ thư phải là một số.") from error
        said = parse_qs(parts.query)
        receivers = tuple(one.strip() for part in said.get("to", []) for one in part.split(",") if one.strip())
        sender = next(iter(said.get("from", [])), "")
        if parts.password or not parts.hostname or not receivers or not sender or set(said) - {"from", "to"}:
            raise Refusal(
                "BAKHONG_MESSAGE_TO: viết smtp://tài-khoản@máy-chủ:587?from=người-gửi&to=người-nhận,…; "
                "mật khẩu để ở BAKHONG_MESSAGE_SECRET."
            )
        return cls(parts.hostname, port, parts.scheme == "smtps", unquote(parts.username or "") or None, sender, receivers)


def check_address(address: str | None) -> None:
    """Refusal where a message could not be sent there, before the night begins."""
    scheme = urlsplit(address).scheme if address else None
    if scheme in PORTS:
        Mail.of(str(address))
    elif scheme not in (None, "http", "https"):
        raise Refusal(f"BAKHONG_MESSAGE_TO: {scheme}:// không dùng được; smtp://, smtps://, http:// hoặc https://.")


def tell_news(engine: Engine, settings: Settings, run_id: int | None, causes: Iterable[tuple[str, str]], *, among: str = "") -> list[str]:
    """Tells of the causes that are new and of how many last, and returns why it could not, in one line, where it could not.

    `run_id`: the night that tells; nothing where no night does. `causes`: what it is about, the same every night that it lasts, and
    what it says tonight, in one line; empty where another cause says it. `among`: how the causes begin that are judged here: of those
    told before, what is not named has ended.
    """
    if settings.message_to is None:
        return []
    lines: dict[str, list[str]] = {}
    for cause, line in causes:
        lines.setdefault(cause, []).extend([line] if line else [])
    with engine.begin() as connection:
        connection.execute(delete(told).where(told.c.cause.not_in(list(lines)), told.c.cause.startswith(among, autoescape=True)))
        known = set(connection.scalars(select(told.c.cause)))
        night = connection.scalar(select(run.c.as_of).where(run.c.run_id == run_id))
    news = [cause for cause in lines if cause not in known]
    said = [line for cause in news for line in lines[cause]]
    when = vi.moment(datetime.now(vi.VIETNAM)) if night is None else f"đêm {vi.day(night)}"
    if said and (why := send_list(settings, when, said, len(known))):
        return [f"Không gửi được tin báo ({why}); sẽ gửi cùng lượt đêm sau."]
    if news:
        with engine.begin() as connection:
            rows = [{"cause": cause, "run_id": run_id} for cause in news]
            connection.execute(insert(told).on_conflict_do_nothing(), rows)  # the watch may tell while a night does
    return []


def send_list(settings: Settings, when: str, said: Sequence[str], known: int = 0) -> str | None:
    """Sends what there is to see to, a line each, and returns why it could not be sent, where it could not.

    `known`: of how many more was told before.
    """
    words = [f"- {vi.one_line(line)}" for line in said[:SHOWN]]
    if len(said) > SHOWN:
        words.append(f"- và {vi.number(len(said) - SHOWN)} việc khác")
    if known:
        words += ["", f"Còn {vi.number(known)} việc đã báo những đêm trước."]
    if settings.desk_url is not None:
        words += ["", f"Trang kiểm soát: {settings.desk_url}"]
    subject = f"Ba Không, {when}: {vi.number(len(said))} việc mới cần xem"
    why = send(str(settings.message_to), settings.message_secret, subject, "\n".join(words))
    log.log(
        logging.WARNING if why else logging.INFO,
        "message not sent: %s" if why else "message sent%s",
        why or "",
        extra={"causes": len(said)},
    )
    return why


def send(address: str, secret: str | None, subject: str, words: str) -> str | None:
    """Sends a message, and returns why it could not be sent, where it could not."""
    try:
        if urlsplit(address).scheme in PORTS:
            _mail(Mail.of(address), secret, subject, words)
        else:
            _post(address, secret, f"{subject}\n{words}")
    except FAILURES as problem:
        return reason(problem)
    return None


def greet(address: str) -> None:
    """Knocks at where messages go and sends none: OSError, or whatever its library raises, where a message could not be handed over."""
    parts = urlsplit(address)
    if parts.scheme in PORTS:
        with _greeted(Mail.of(address)) as server:
            server.noop()
        return
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    with socket.create_connection((str(parts.hostname), port), timeout=SECONDS) as plain:
        if parts.scheme == "https":
            ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname).close()


class NotTaken(Exception):
    """A mail server or a webhook that does not take what it is sent."""


FAILURES = (OSError, smtplib.SMTPException, NotTaken)
"""What may keep a message from being handed over."""


def reason(problem: Exception) -> str:
    """Why, without what a server quotes of the message or the secret."""
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"máy chủ thư trả lời {problem.smtp_code}"
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return "máy chủ thư không nhận người nhận nào"
    if isinstance(problem, OSError):
        return problem.strerror or type(problem).__name__
    return str(problem)


def _mail(to: Mail, secret: str | None, subject: str, words: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, to.sender, ", ".join(to.receivers)
    message["Date"], message["Message-ID"] = formatdate(), make_msgid("bakhong")
    message.set_content(words)
    with _greeted(to) as server:
        if to.login:
            server.login(to.login, secret or "")
        server.send_message(message, to.sender, to.receivers)


@contextmanager
def _greeted(to: Mail) -> Iterator[smtplib.SMTP]:
    """A mail server that has been greeted, encrypted where it can be; nobody has logged in yet."""
    secure = ssl.create_default_context()
    opened = partial(smtplib.SMTP_SSL, context=secure) if to.is_encrypted else smtplib.SMTP
    with opened(to.host, to.port, timeout=SECONDS) as server:
        server.ehlo()
        if not to.is_encrypted and server.has_extn("starttls"):
            server.starttls(context=secure)
        elif not to.is_encrypted and to.login:
            raise NotTaken("máy chủ thư không mã hóa, mật khẩu không được gửi đi")
        yield server


def _post(address: str, secret: str | None, words: str) -> None:
    """A text as Slack, Teams, Google Chat and Mattermost take it, and gateways to Zalo can."""
    import httpx  # noqa: PLC0415  # only where there is somebody to tell

    try:
        answer = httpx.post(address, json={"text": words}, headers={"Authorization": f"Bearer {secret}"} if secret else {}, timeout=SECONDS)
    except httpx.HTTPError as problem:
        raise NotTaken(type(problem).__name__) from problem
    if not answer.is_success:
        raise NotTaken(f"địa chỉ nhận trả lời {answer.status_code}")
