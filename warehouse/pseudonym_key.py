"""The key of the pseudonyms: which one the warehouse uses, told by its fingerprint, and how another takes its place.

Hashes that are stored cannot be computed anew, for nobody keeps what they were made of. So each key has a number, and each row that
speaks of a person says with which key it was hashed.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from warehouse.settings import Refusal

SPOKE_BEFORE = """
SELECT s.provider_key, k.key_number, min(s.known_from) AS since, (k.used_from AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS used_on
FROM ops.pseudonym_key k
JOIN (
    SELECT provider_key, key_number, min(known_from) AS known_from FROM {history} h
    WHERE EXISTS (SELECT FROM ops.pseudonym_key WHERE key_number > 1) GROUP BY provider_key, key_number
) s ON s.key_number < k.key_number
GROUP BY s.provider_key, k.key_number
"""
"""SELECT of the carriers in {history} that spoke under a key older than a key: since when, and the day from which this one is in use.

Most often there are none, and nothing is read for it.
"""

MIXES_KEYS = """
SELECT 'có thể tính một người hai lần: khóa bút danh đổi ngày '
    || string_agg(to_char(used_from AT TIME ZONE 'Asia/Ho_Chi_Minh', 'DD/MM/YYYY'), ', ' ORDER BY key_number) AS note
FROM ops.pseudonym_key WHERE key_number = ANY(fact.key_numbers[2:])  -- the first of them was in use before
"""
"""SELECT of what is to be known of a `fact` whose persons were counted under several keys."""


@dataclass(frozen=True)
class Key:
    """A key as the warehouse knows it."""

    number: int
    fingerprint: str
    used_from: datetime


def fingerprint(secret_key: bytes) -> str:
    """What tells a key from another, and gives none away."""
    return hmac.new(secret_key, b"bakhong: which key is this", hashlib.sha256).hexdigest()[:16]


def keys(connection: Connection) -> list[Key]:
    """The keys in the order of their use; the last is in use."""
    query = "SELECT key_number, fingerprint, used_from FROM ops.pseudonym_key ORDER BY key_number"
    return [Key(*row) for row in connection.execute(text(query))]


def known_as(known: list[Key], secret_key: bytes) -> Key | None:
    """The key of the warehouse that a key is."""
    return next((key for key in known if key.fingerprint == fingerprint(secret_key)), None)


def hold_to_key(connection: Connection, secret_key: bytes) -> None:
    """Refuses any key but the one in use: the same person would get another hash and count twice. The first becomes the first."""
    if not keys(connection):
        begin_key(connection, secret_key)
    known = keys(connection)
    held, current = known_as(known, secret_key), known[-1]
    if held is None:
        raise Refusal(
            f"Khóa bút danh (BAKHONG_SECRET_KEY) không phải khóa của kho này (khóa số {current.number}), một người sẽ bị đếm hai lần: "
            "đặt lại đúng khóa, hoặc nếu muốn đổi sang khóa này thì chủ kho chạy `bakhong rotate-key`."
        )
    if held != current:
        raise Refusal(
            f"Khóa bút danh (BAKHONG_SECRET_KEY) là khóa số {held.number}, đã thôi dùng: kho dùng khóa số {current.number} "
            f"từ {current.used_from:%d/%m/%Y}. Đặt khóa ấy vào rồi chạy lại."
        )


def begin_key(connection: Connection, secret_key: bytes) -> None:
    """Takes a key into use, under the next number."""
    connection.execute(
        text(
            "INSERT INTO ops.pseudonym_key (key_number, fingerprint) "
            "SELECT coalesce(max(key_number), 0) + 1, :fingerprint FROM ops.pseudonym_key"
        ),
        {"fingerprint": fingerprint(secret_key)},
    )
