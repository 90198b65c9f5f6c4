"""64-bit keys by which rows are recognised again, computed in vectors before the COPY.

The same values give the same keys on every machine and in every version: the keys are stored in the
warehouse. Equality is decided on the natural key as well, so that a collision can never merge two rows.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

SEPARATOR = "\x1f"
"""Between the parts of a composed key: a control character that no code of a file contains."""

Words = npt.NDArray[np.uint64]


def row_key(prefix: str, columns: list[pa.Array | pa.ChunkedArray]) -> pa.Int64Array:
    """Key of each row from its natural key; the prefix (a provider, a feed) keeps equal codes of two suppliers apart."""
    return scoped(prefix, code_hash(columns))


def code_hash(columns: list[pa.Array | pa.ChunkedArray]) -> pa.Int64Array:
    """Hash of a natural key before it is known whose it is; `scoped` makes the row's key of it."""
    parts = [_flat(column).cast(pa.string()) for column in columns]
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, SEPARATOR, null_handling="replace", null_replacement="")
    return pa.array(_hash_text(joined).view(np.int64))


def scoped(prefix: str, hashes: pa.Int64Array) -> pa.Int64Array:
    """Keys of rows of one supplier from the hashes of their natural keys."""
    return pa.array(_mix(hashes.to_numpy().view(np.uint64) ^ _salt(prefix)).view(np.int64))


def _salt(name: str) -> np.uint64:
    """A number that stands for a name, the same everywhere."""
    return np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little"))


def row_hash(table: pa.Table) -> pa.Int64Array:
    """Hash of each row's content, column by column under its name; a missing value adds nothing, and differs from zero and from empty text.

    So neither the order of columns nor a new one that nobody fills makes another content of what is stored.
    """
    words: Words = np.zeros(table.num_rows, dtype=np.uint64)
    for name, column in zip(table.column_names, table.columns, strict=True):
        flat = _flat(column)
        words += np.where(flat.is_null().to_numpy(zero_copy_only=False), np.uint64(0), _mix(_hash_column(flat) ^ _salt(name)))
    return pa.array(_mix(words).view(np.int64))


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _hash_column(column: pa.Array) -> Words:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        return _hash_repeated_text(column.cast(pa.string()))
    return _mix(pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False).view(np.uint64))


def _hash_text(column: pa.Array) -> Words:
    return pd.util.hash_array(pc.fill_null(column, "\x00").to_numpy(zero_copy_only=False), categorize=False)


def _hash_repeated_text(column: pa.Array) -> Words:
    """The same, quicker where a column holds few texts, each many times, as most do."""
    distinct = column.dictionary_encode("encode")
    hashes: Words = _hash_text(distinct.dictionary)[distinct.indices.to_numpy()]
    return hashes


def _mix(words: Words) -> Words:
    """Finaliser of MurmurHash3: every bit of the input reaches every bit of the output."""
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return words ^ (words >> np.uint64(33))
