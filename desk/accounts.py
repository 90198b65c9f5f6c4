"""Who may use the desk: accounts and their sessions in the warehouse, the throttle of wrong passwords, the audit of what was done."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, Engine, Row, func, or_, select, text, update

from tasks.words.vietnamese import ACTION, safe
from warehouse.settings import Refusal
from warehouse.standing import is_only_read, require_writable
from warehouse.tables import account as accounts
from warehouse.tables import action as actions
from warehouse.tables import session as sessions
from warehouse.tables import sign_in as tries

ROLES = {"viewer": "xem", "steward": "kiểm soát dữ liệu", "approver": "duyệt công bố"}
"""Role → what it is called, each may also do what those before it may."""
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
LASTS, IDLE = timedelta(hours=12), timedelta(hours=2)
"""How long a session holds at all, and without a page being asked for."""
SEEN_EVERY = timedelta(minutes=1)
"""How often it is written down that a session is in use."""
WINDOW = timedelta(minutes=15)
"""Of so long wrong passwords count."""
WRONG_HERE, WRONG_ANYWHERE, WRONG_OF_ADDRESS = 5, 25, 40
"""Most of them: of one name from one address, of one name from anywhere, of one address. Nobody locks a colleague out with five."""
TRIES_KEPT = timedelta(days=2)
LONGEST_TYPED = 64
"""Most characters of a name or an address that are written down."""

_hasher = PasswordHasher()
_at_once = BoundedSemaphore(2)  # each takes 64 MB


class TooManyTries(Refusal):
    """So many wrong passwords that nobody is let in for a while, whoever it is."""


@dataclass(frozen=True)
class Account:
    """A person who uses the desk."""

    account_id: int
    name: str
    shown_name: str
    role: str
    unit_code: str | None

    def may(self, role: str) -> bool:
        """Whether the account has a role, or one that includes it."""
        order = list(ROLES)
        return order.index(self.role) >= order.index(role)


def add(connection: Connection, name: str, shown_name: str, role: str, password: str, unit_code: str | None, by: str) -> None:
    """Makes an account; Refusal where name, role, unit or password will not do."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,31}", name):
        raise Refusal(f"Tên đăng nhập {name!r} không hợp lệ: 2–32 chữ thường không dấu, số, dấu . - _")
    if role not in ROLES:
        raise Refusal(f"Không có vai trò {role!r}; có: {', '.join(ROLES)}.")
    if unit_code is not None and not connection.scalar(
        text("SELECT count(*) FROM warehouse.dim_unit WHERE unit_code = :code AND unit_key <> 0"), {"code": unit_code}
    ):
        raise Refusal(f"Không có đơn vị hành chính nào mang mã {unit_code!r}.")
    if connection.scalar(select(func.count()).where(accounts.c.account_name == name)):
        raise Refusal(f"Đã có tài khoản {name}.")
    shown = safe(" ".join(shown_name.split()), LONGEST_TYPED) or name
    row = {"account_name": name, "shown_name": shown, "role": role, "unit_code": unit_code, "password_hash": _hashed(name, password)}
    connection.execute(accounts.insert(), row)
    act(connection, by, "account-add", f"account:{name}", f"{role}{f', {unit_code}' if unit_code else ''}")


def every(connection: Connection) -> Sequence[Row[Any]]:
    """All accounts, with when each was last seen and how many sessions it has open."""
    is_open = (sessions.c.revoked_at.is_(None)) & (sessions.c.expires_at > func.now())
    return connection.execute(
        select(
            accounts,
            func.max(sessions.c.last_seen_at).label("last_seen_at"),
            func.count(sessions.c.token_hash).filter(is_open).label("sessions"),
        )
        .join_from(accounts, sessions, isouter=True)
        .group_by(accounts.c.account_id)
        .order_by(accounts.c.account_name)
    ).all()


def is_any(connection: Connection) -> bool:
    """Whether there is an account at all."""
    return bool(connection.scalar(select(func.count()).select_from(accounts)))


def set_password(connection: Connection, name: str, password: str, by: str, address: str | None = None) -> None:
    """Gives an account another password and ends its sessions."""
    _change(connection, name, password_hash=_hashed(name, password))
    _end_sessions(connection, name)
    act(connection, by, "account-password", f"account:{name}", address=address)


def disable(connection: Connection, name: str, by: str, *, undone: bool = False) -> None:
    """Closes an account and ends its sessions, or opens it again."""
    _change(connection, name, is_active=undone)
    _end_sessions(connection, name)
    act(connection, by, "account-enable" if undone else "account-disable", f"account:{name}")


def revoke_sessions(connection: Connection, name: str, by: str) -> int:
    """Ends all sessions of an account; how many there were."""
    _change(connection, name)
    ended = _end_sessions(connection, name)
    act(connection, by, "sessions-revoke", f"account:{name}", f"{ended}")
    return ended


def sign_in(engine: Engine, name: str, password: str, address: str) -> str | None:
    """The token of a new session; nothing where name or password is wrong, after the same time whichever it is.

    TooManyTries where there were too many wrong ones. Every try is written down before it is looked at, so that none is free.
    """
    name = name.strip().lower()
    with engine.begin() as connection:
        require_writable(connection)
        number = _counted_try(connection, name, address)
        found = connection.execute(select(accounts).where(accounts.c.account_name == name, accounts.c.is_active)).first()
    if not _matches(found.password_hash if found else _of_nobody(), password) or found is None:
        return None
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(update(tries).where(tries.c.sign_in_id == number).values(is_right=True))
        if _hasher.check_needs_rehash(found.password_hash):
            _change(connection, name, password_hash=_hasher.hash(_composed(password)))
        row = {"token_hash": _hash_of(token), "account_id": found.account_id, "created_at": now, "last_seen_at": now}
        connection.execute(sessions.insert(), row | {"expires_at": now + LASTS, "address": address[:LONGEST_TYPED]})
        act(connection, name, "sign-in", f"account:{name}", address=address)
    return token


def signed_in(engine: Engine, token: str) -> Account | None:
    """Whose session a token is, while it holds."""
    now = datetime.now(UTC)
    holds = (sessions.c.revoked_at.is_(None)) & (sessions.c.expires_at > now) & (sessions.c.last_seen_at > now - IDLE)
    ours = sessions.c.token_hash == _hash_of(token)
    query = select(accounts, sessions.c.last_seen_at).join_from(sessions, accounts).where(ours, holds, accounts.c.is_active)
    with engine.connect() as connection:
        found = connection.execute(query).first()
        if found is None:
            return None
        if now - found.last_seen_at > SEEN_EVERY and not is_only_read(connection):
            connection.execute(update(sessions).where(ours).values(last_seen_at=now))
            connection.commit()
    return Account(found.account_id, found.account_name, found.shown_name, found.role, found.unit_code)


def sign_out(connection: Connection, token: str, by: Account, address: str) -> None:
    """Ends one session."""
    connection.execute(update(sessions).where(sessions.c.token_hash == _hash_of(token)).values(revoked_at=func.now()))
    act(connection, by.name, "sign-out", f"account:{by.name}", address=address)


def is_password(connection: Connection, account: Account, password: str) -> bool:
    """Whether it is the password of an account."""
    known = connection.scalar(select(accounts.c.password_hash).where(accounts.c.account_id == account.account_id))
    return known is not None and _matches(known, password)


def act(connection: Connection, by: str, action: str, subject: str, reason: str | None = None, address: str | None = None) -> None:
    """Writes down what someone did, in the transaction in which it is done; `action`: one of vi.ACTION."""
    if action not in ACTION:
        raise ValueError(action)
    row = {"acted_by": by, "action": action, "subject": subject, "reason": reason, "address": address and address[:LONGEST_TYPED]}
    connection.execute(actions.insert(), row)


def acted(connection: Connection, shown: int = 500) -> Sequence[Row[Any]]:
    """What was done last, the latest first."""
    return connection.execute(select(actions).order_by(actions.c.action_id.desc()).limit(shown)).all()


def _counted_try(connection: Connection, name: str, address: str) -> int:
    """Writes a try down as wrong and returns its number; TooManyTries where it is one too many."""
    typed, place, now = safe(name, LONGEST_TYPED), address[:LONGEST_TYPED], datetime.now(UTC)
    connection.execute(text("LOCK TABLE ops.sign_in IN SHARE ROW EXCLUSIVE MODE"))  # tries side by side are counted too
    connection.execute(tries.delete().where(tries.c.tried_at < now - TRIES_KEPT))
    here, named = (tries.c.account_name == typed) & (tries.c.address == place), tries.c.account_name == typed
    wrong = connection.execute(
        select(
            func.count().filter(here).label("here"),
            func.count().filter(named).label("named"),
            func.count().filter(tries.c.address == place).label("of_address"),
        ).where(~tries.c.is_right, tries.c.tried_at > now - WINDOW, or_(named, tries.c.address == place))
    ).one()
    if wrong.here >= WRONG_HERE or wrong.named >= WRONG_ANYWHERE or wrong.of_address >= WRONG_OF_ADDRESS:
        raise TooManyTries(f"Nhập sai quá nhiều lần. Chờ {WINDOW // timedelta(minutes=1)} phút rồi thử lại.")
    row = {"account_name": typed, "address": place, "tried_at": now, "is_right": False}
    return int(connection.execute(tries.insert().returning(tries.c.sign_in_id), row).scalar_one())


def _change(connection: Connection, name: str, **values: Any) -> None:
    if not connection.execute(update(accounts).where(accounts.c.account_name == name).values({"account_name": name, **values})).rowcount:
        raise Refusal(f"Không có tài khoản {name!r}.")


def _end_sessions(connection: Connection, name: str) -> int:
    theirs = select(accounts.c.account_id).where(accounts.c.account_name == name).scalar_subquery()
    ended = update(sessions).where(sessions.c.account_id == theirs, sessions.c.revoked_at.is_(None), sessions.c.expires_at > func.now())
    return connection.execute(ended.values(revoked_at=func.now())).rowcount


def _hashed(name: str, password: str) -> str:
    """The hash of a new password; Refusal where it will not do."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Refusal(f"Mật khẩu cần từ {SHORTEST_PASSWORD} đến {LONGEST_PASSWORD} ký tự.")
    if name in password.lower() or len(set(password)) < 5:
        raise Refusal("Mật khẩu quá dễ đoán: không chứa tên đăng nhập, không lặp vài ký tự.")
    with _at_once:
        return _hasher.hash(_composed(password))


def _matches(known: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    with _at_once:
        try:
            return _hasher.verify(known, _composed(password))
        except (Argon2Error, InvalidHashError):
            return False


def _composed(password: str) -> str:
    """The same letters however a keyboard composes their accents."""
    return unicodedata.normalize("NFC", password)


@cache
def _of_nobody() -> str:
    """A hash that no password has, on which as much time is spent as on a real one."""
    return _hasher.hash(secrets.token_urlsafe(32))


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
