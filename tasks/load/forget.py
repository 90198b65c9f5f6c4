"""Forgetting a key of the pseudonyms that is out of use: what was hashed with it no longer leads to anybody, whoever has the key.

Every pseudonym is replaced by a hash of it under a salt that is kept nowhere. Equal ones stay equal, so that what was counted of them is
counted as before. What follows from them, the hashes of whole rows, goes the same way: by these a person could be tried as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, Table, insert, text

from expectations.contract import Contract, contract, feeds
from tasks.deliveries.run_lock import alone
from tasks.load.history import end_states
from tasks.words.vietnamese import number as in_words
from warehouse.pseudonym_key import keys
from warehouse.settings import Refusal
from warehouse.standing import is_owner
from warehouse.tables import load as loads
from warehouse.tables import metadata

SALTED = "sha256(convert_to(salt || {}::text, 'UTF8'))"
UUID = f"encode(substring({SALTED} FOR 16), 'hex')::uuid"
BIGINT = f"('x' || encode(substring({SALTED} FOR 8), 'hex'))::bit(64)::bigint"


def forget(engine: Engine, number: int) -> int:
    """Replaces the pseudonyms of a key; returns of how many rows. Again is harmless: what is left of the old rows is cleared away again.

    Who only stands in a list under that key, as a holder does, stands there until the source first sent under a later one.
    """
    with alone(engine) as lock:
        with engine.begin() as connection:
            _require_forgettable(connection, number)
            changed = 0
            if connection.scalar(text("SELECT forgotten_at IS NULL FROM ops.pseudonym_key WHERE key_number = :number"), {"number": number}):
                changed = _forget(connection, number)
        for table in ["warehouse.agg_thing", "ops.quarantine", "ops.correction", *(table.fullname for _, table in _of_persons())]:
            lock.execute(text(f"VACUUM (FULL, ANALYZE) {table}"))  # else the rows as they were lie in its files for a long time
    return changed


def require_forgettable(engine: Engine, number: int) -> None:
    """Refusal where there is no such key, it is in use, some would be lost, or nobody may."""
    with engine.connect() as connection:
        _require_forgettable(connection, number)


def _require_forgettable(connection: Connection, number: int) -> None:
    if not is_owner(connection):
        raise Refusal("Quên một khóa bút danh là việc của chủ kho: chạy bằng tài khoản đã lập kho. Chưa đổi gì.")
    known = keys(connection)
    if number not in {key.number for key in known}:
        raise Refusal(f"Kho không có khóa số {number}; có các khóa số {', '.join(str(key.number) for key in known)}.")
    if number == known[-1].number:
        raise Refusal(f"Khóa số {number} đang dùng: chạy `bakhong rotate-key` trước. Chưa đổi gì.")
    for terms, table in _of_persons():
        if not _is_natural(terms):
            continue
        silent = connection.execute(text(_SILENT.format(table=table.fullname)), {"number": number}).all()
        if silent:
            told = "; ".join(f"{row.provider_code}: {in_words(row.persons)} người" for row in silent)
            raise Refusal(f"Còn đơn vị chưa gửi lại danh sách bằng khóa mới ({told}): quên bây giờ thì mất họ. Chưa đổi gì.")


_SILENT = """
SELECT provider_code, count(*) AS persons FROM {table} f JOIN warehouse.dim_provider USING (provider_key)
WHERE f.key_number = :number AND known_to = 'infinity'
  AND NOT EXISTS (SELECT FROM {table} l WHERE l.provider_key = f.provider_key AND l.key_number > :number AND l.known_to = 'infinity')
GROUP BY provider_code ORDER BY provider_code
"""


def _of_persons() -> Iterator[tuple[Contract, Table]]:
    """The feeds whose rows hold pseudonyms, and their tables."""
    for terms in map(contract, feeds()):
        if terms.table is not None and _hashes(terms):
            yield terms, metadata.tables[f"warehouse.{terms.table}"]


def _hashes(terms: Contract) -> list[str]:
    return [name for name, column in terms.columns.items() if column.type == "hash"]


def _is_natural(terms: Contract) -> bool:
    """Whether a person is what a row is about, so that under another key it is another row."""
    return not set(_hashes(terms)).isdisjoint(terms.natural_key)


def _forget(connection: Connection, number: int) -> int:
    connection.execute(text("CREATE TEMP TABLE secret ON COMMIT DROP AS SELECT gen_random_uuid()::text || gen_random_uuid() AS salt"))
    load_id: int = connection.execute(insert(loads).values(delivery_id=None).returning(loads.c.load_id)).scalar_one()
    changed = 0
    for terms, table in _of_persons():
        if _is_natural(terms):
            connection.execute(text(_REPLACED.format(table=table.fullname)), {"number": number})
            end_states(connection, table, load_id, "pg_temp.replaced", "greatest(c.known_from, c.since)")
            connection.execute(text("DROP TABLE pg_temp.replaced"))
        given = " OR ".join(f"{name} IS NOT NULL" for name in _hashes(terms))
        new = {name: UUID.format(name) for name in _hashes(terms)} | {"row_hash": BIGINT.format("row_hash")}
        if _is_natural(terms):
            new["row_key"] = BIGINT.format("row_key")
        assigned = ", ".join(f"{name} = {sql}" for name, sql in new.items())
        replaced = f"UPDATE {table.fullname} SET {assigned} FROM secret WHERE key_number = :number AND ({given})"
        changed += connection.execute(text(replaced), {"number": number}).rowcount
    connection.execute(text("SET LOCAL bakhong.counting = 'on'"))  # the lists stay what the rows make of them: nothing is counted anew
    things = f"UPDATE warehouse.agg_thing SET things = ARRAY(SELECT {UUID.format('thing')} FROM unnest(things) thing) FROM secret"
    connection.execute(text(f"{things} WHERE key_number = :number"), {"number": number})
    connection.execute(text("SET LOCAL bakhong.counting = 'off'"))
    # marks of cells that were set aside: a cell may have held a person's number
    made_before = "(SELECT min(used_from) FROM ops.pseudonym_key WHERE key_number > :number)"
    for marks in ("quarantine SET cell_hash = NULL WHERE checked_at", "correction SET cell_hash = '' WHERE made_at"):
        connection.execute(text(f"UPDATE ops.{marks} < {made_before}"), {"number": number})
    connection.execute(text("UPDATE ops.pseudonym_key SET forgotten_at = now() WHERE key_number = :number"), {"number": number})
    return changed


# What still holds under the key, and when the source first spoke under a later one.
_REPLACED = """
CREATE TEMP TABLE replaced ON COMMIT DROP AS
SELECT f.row_key, f.known_from, l.since
FROM {table} f
JOIN (SELECT provider_key, min(known_from) AS since FROM {table} WHERE key_number > :number AND known_to > known_from GROUP BY 1) l
    USING (provider_key)
WHERE f.key_number = :number AND f.known_to = 'infinity'
"""
