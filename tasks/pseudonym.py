"""Keyed pseudonyms of personal values: the person can be counted once, and not be found out."""

from __future__ import annotations

import hmac
import unicodedata

import pyarrow as pa

HEX_DIGITS = 32
"""Kept of the HMAC: 128 bits, so that no two of a country's people meet by chance."""


def pseudonym(value: str, key: bytes) -> str | None:
    """HMAC-SHA-256 of the value's letters and digits, so that `038 085.001234` and `038085001234` are one person.

    Nothing where no letter or digit is left.
    """
    normal = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", value))).upper()
    return hmac.digest(key, normal.encode(), "sha256").hex()[:HEX_DIGITS] if normal else None


def pseudonyms(values: pa.StringArray, key: bytes) -> pa.StringArray:
    """Pseudonyms of a column; each distinct value is hashed once."""
    encoded = values.dictionary_encode()
    hashed = pa.array([pseudonym(value, key) for value in encoded.dictionary.to_pylist()], pa.string())
    return hashed.take(encoded.indices)
