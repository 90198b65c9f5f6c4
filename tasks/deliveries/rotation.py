"""The change of the key that persons are pseudonymised with: one key goes out of use, another comes into it, while nobody is at work."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine, text

from tasks.deliveries.run_lock import alone
from warehouse.pseudonym_key import Key, begin_key, keys, known_as
from warehouse.settings import Refusal, Settings, new_key, replace_key
from warehouse.standing import is_owner


def key_to_leave(engine: Engine, settings: Settings) -> Key | None:
    """The key that a change now would put out of use; nothing where it was changed already and nothing came since.

    Refusal where there is nothing to change, nothing to change to, or nobody who may.
    """
    with engine.connect() as connection:
        return _to_leave(connection, settings)


def rotate(engine: Engine, settings: Settings) -> Key | None:
    """Puts another key into use, and returns it: the one that is given, else a new one in the place of the old in its file.

    The file is written last before the commit. Where that fails, it holds a key that nobody knows yet: the next change takes that one.
    """
    with alone(engine), engine.begin() as connection:
        left = _to_leave(connection, settings)
        if left is None:
            return None
        if settings.key_file is not None and known_as([left], settings.secret_key):
            key = new_key()
            begin_key(connection, key.encode())
            replace_key(settings.key_file, key)
        else:
            begin_key(connection, settings.secret_key)
        return keys(connection)[-1]


def _to_leave(connection: Connection, settings: Settings) -> Key | None:
    if not is_owner(connection):
        raise Refusal("Đổi khóa bút danh là việc của chủ kho: chạy bằng tài khoản đã lập kho. Chưa đổi gì.")
    known = keys(connection)
    if not known:
        raise Refusal("Kho chưa băm dòng nào nên không có khóa để đổi: chạy `bakhong nightly` trước.")
    current, given = known[-1], known_as(known, settings.secret_key)
    if given is not None and given != current:
        since = known[given.number].used_from
        raise Refusal(
            f"BAKHONG_SECRET_KEY là khóa số {given.number}, đã thôi dùng từ {since:%d/%m/%Y}: khóa đã dùng không dùng lại. "
            "Đặt một khóa mới rồi chạy lại; chưa đổi gì."
        )
    if given == current and current.number > 1 and not _is_used(connection, current.used_from):
        return None
    if given == current and settings.key_file is None:
        raise Refusal(
            f"BAKHONG_SECRET_KEY vẫn là khóa đang dùng (khóa số {current.number}): đặt khóa mới vào .env hoặc môi trường rồi chạy lại. "
            "Chưa đổi gì."
        )
    return current


def _is_used(connection: Connection, since: datetime) -> bool:
    return bool(
        connection.scalar(
            text("SELECT EXISTS (SELECT FROM ops.load WHERE loaded_at >= :since AND delivery_id IS NOT NULL)"), {"since": since}
        )
    )
