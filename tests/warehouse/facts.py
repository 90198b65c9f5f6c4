"""Facts put straight into the tables, so that what is counted is tested without what is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, insert, select, text, update

from tasks.count.counting import Counting, counting
from tasks.count.held_back import HeldBack
from tasks.count.revisions import Publication, begin_publication
from tasks.indicators.audit import audit
from tasks.indicators.compute import Candidates, compute
from tasks.indicators.publish import declare_indicators, revise_indicators
from warehouse.periods import days
from warehouse.tables import (
    delivery,
    dim_unit,
    fact_bill,
    fact_dossier,
    fact_edition,
    fact_payment,
    fact_signature,
    fact_signature_holder,
    fact_survey,
    fact_unit_count,
    load,
    run,
)

NGOC_PHUNG, LUAN_KHE, THUONG_XUAN, THANH_HOA = "15655", "15637", "396", "38"
FOREVER = "infinity"
EXPORTED = datetime(2025, 1, 5, tzinfo=UTC)
_keys = count(1)


def person(number: int) -> str:
    """The keyed hash of a made-up person."""
    return str(UUID(int=number))


def unit_key(connection: Connection, code: str, on: date = date(2024, 12, 31)) -> int:
    """The version of a unit that was in force on a day."""
    key: int = connection.scalars(
        select(dim_unit.c.unit_key).where(dim_unit.c.unit_code == code, dim_unit.c.valid_from <= on, dim_unit.c.valid_to >= on)
    ).one()
    return key


def arrived(connection: Connection, feed: str, exported_at: datetime = EXPORTED) -> int:
    """A delivery that was loaded now."""
    number = next(_keys)
    row = {
        "source": feed, "feed": feed, "layout": "test", "provider": "td", "file_name": f"{feed}_{number}.csv", "sha256": f"{number:064}",
        "exported_at": exported_at, "received_at": exported_at, "loaded_at": text("now()"), "status": "loaded", "verdict": "accept",
        "rows_received": 0, "rows_loaded": 0, "rows_unchanged": 0, "rows_quarantined": 0, "rows_ignored": 0,
    }  # fmt: skip
    delivery_id: int = connection.execute(insert(delivery).values(row).returning(delivery.c.delivery_id)).scalar_one()
    return delivery_id


def as_known(at: datetime) -> Counting:
    """A counting from scratch, out of the states known at a time."""
    return Counting(at, 0, is_vintage=True)


def loading(connection: Connection, delivery_id: int | None = None) -> int:
    """Number of a load that begins now."""
    number: int = connection.execute(insert(load).values(delivery_id=delivery_id).returning(load.c.load_id)).scalar_one()
    return number


def put(connection: Connection, table: Table, feed: str, rows: Sequence[Mapping[str, Any]], exported_at: datetime = EXPORTED) -> int:
    """Appends rows of one delivery to a fact by COPY; keys and provenance are made up, unless a row says otherwise."""
    delivery_id = arrived(connection, feed, exported_at)
    usual = {"row_hash": 0, "known_from": exported_at, "known_to": FOREVER, "delivery_id": delivery_id}
    usual["loaded_by"] = loading(connection, delivery_id)
    full = [{**usual, "row_key": next(_keys), "row_number": n, **row} for n, row in enumerate(rows, 1)]
    names = sorted({name for row in full for name in row})
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.fullname} ({', '.join(names)}) FROM STDIN") as copy:
        for row in full:
            copy.write_row([None if row.get(name) is None else str(row[name]) for name in names])
    return delivery_id


def dossiers(connection: Connection, rows: Sequence[Mapping[str, Any]], **more: Any) -> int:
    """Dossiers of Ngọc Phụng, handled in time, unless a row says otherwise."""
    usual = {
        "procedure_key": 0, "agency_key": 0, "unit_key": unit_key(connection, NGOC_PHUNG), "channel_key": 2, "dossier_status_key": 10,
        "service_level": 3, "reuse_code": 0, "key_number": 1,
        "received_at": "2024-03-15 08:00:00", "due_at": "2024-03-20 17:00:00", "finished_at": "2024-03-18 09:00:00",
    }  # fmt: skip
    full = [{"dossier_code": f"D{next(_keys)}", **usual, **row} for row in rows]
    return put(connection, fact_dossier, "dossiers", [{"received_unit_key": row["unit_key"], **row} for row in full], **more)


def bills(connection: Connection, rows: Sequence[Mapping[str, Any]], **more: Any) -> int:
    """Electricity bills of March 2024 over 100.000 VND in Ngọc Phụng, unless a row says otherwise."""
    usual = {
        "provider_key": 2, "service_key": 1, "unit_key": unit_key(connection, NGOC_PHUNG),
        "billing_month": "2024-03-01", "issued_on": "2024-03-05", "amount_vnd": 100_000, "key_number": 1,
    }  # fmt: skip
    return put(connection, fact_bill, "bills", [{"bill_code": f"B{next(_keys)}", **usual, **row} for row in rows], **more)


def make_partition(connection: Connection, month: str) -> None:
    """Makes the partition of a month of payments where it is missing."""
    if connection.scalar(text("SELECT warehouse.begin_payment_partition(CAST(:month AS date))"), {"month": month}):
        connection.execute(text("SELECT warehouse.attach_payment_partition(CAST(:month AS date))"), {"month": month})


def shop(connection: Connection) -> int:
    """A shop of Ngọc Phụng on a provider's list, by its key."""
    key: int = connection.execute(text(_SHOP), {"unit_key": unit_key(connection, NGOC_PHUNG)}).scalar_one()
    return key


_SHOP = """
INSERT INTO warehouse.dim_merchant (provider_key, merchant_code, merchant_name, merchant_kind, unit_key, is_inferred, valid_from, valid_to)
VALUES (5, 'S1', 'Quán A', 'cua_hang', :unit_key, false, '0001-01-01', '9999-12-31') RETURNING merchant_key
"""


def payments(connection: Connection, rows: Sequence[Mapping[str, Any]], **more: Any) -> int:
    """Settled payments by QR code, unless a row says otherwise."""
    for month in {f"{str(row.get('business_date', '2024-03-10'))[:7]}-01" for row in rows}:
        make_partition(connection, month)
    usual = {
        "provider_key": 5, "service_key": 1, "unit_key": unit_key(connection, NGOC_PHUNG), "merchant_key": 0, "payment_method_key": 2,
        "payment_status_key": 1, "paid_at": "2024-03-10 10:00:00", "business_date": "2024-03-10", "amount_vnd": 100_000,
    }  # fmt: skip
    return put(connection, fact_payment, "payments", [{"transaction_code": f"T{next(_keys)}", **usual, **row} for row in rows], **more)


def unit_counts(
    connection: Connection, unit: str, period: str, counted: Mapping[str, int], on: date = date(2024, 12, 31), **more: Any
) -> int:
    """Counts an office reported for one period and the unit that bore the code on a day."""
    key = unit_key(connection, unit, on)
    rows = [{"unit_key": key, "period": period, "measure": measure, "value": value} for measure, value in counted.items()]
    return put(connection, fact_unit_count, "unit_counts", rows, **more)


def signatures(connection: Connection, rows: Sequence[Mapping[str, Any]], **more: Any) -> int:
    """Monthly reports of the carrier VNPT for Ngọc Phụng, unless a row says otherwise."""
    usual = {"provider_key": 7, "unit_key": unit_key(connection, NGOC_PHUNG), "month": "2024-12"}
    return put(connection, fact_signature, "signatures", [{**usual, **row} for row in rows], **more)


def holders(connection: Connection, rows: Sequence[Mapping[str, Any]], **more: Any) -> int:
    """Holders of a certificate of VNPT in Ngọc Phụng, unless a row says otherwise."""
    usual = {
        "provider_key": 7, "unit_key": unit_key(connection, NGOC_PHUNG), "issued_on": "2024-03-01", "certificate_status": "HIEU_LUC",
        "key_number": 1,
    }  # fmt: skip
    return put(connection, fact_signature_holder, "signature_holders", [{**usual, **row} for row in rows], **more)


def surveys(connection: Connection, rows: Sequence[Mapping[str, Any]], **more: Any) -> int:
    """Answers to question K1b in Ngọc Phụng, unless a row says otherwise."""
    usual = {
        "survey_code": "KS",
        "wave": "1",
        "unit_key": unit_key(connection, NGOC_PHUNG),
        "question_code": "K1b",
        "asked_on": "2024-06-01",
    }
    return put(connection, fact_survey, "surveys", [{**usual, **row} for row in rows], **more)


def edition(connection: Connection, period: str, rows: Mapping[tuple[str, str], tuple[Any, ...]], **more: Any) -> int:
    """What a province signed of a period: (unit, indicator) → numerator, denominator, value, status, and perhaps its reason.

    A unit is the version that was in force on the last day of the period, or on the day behind `@`.
    """
    first, last = days(period)
    signed = []
    for (unit, code), (numerator, denominator, rate, status, *reason) in rows.items():
        name, _, on = unit.partition("@")
        told = {
            "numerator": numerator,
            "denominator": denominator,
            "value": rate,
            "obs_status": status,
            "obs_reason": next(iter(reason), None),
        }
        conf = {"small_count": "A", "gives_another_away": "D"}.get(told["obs_reason"] or "", "F")
        key = unit_key(connection, name, date.fromisoformat(on) if on else last)
        signed.append({"unit_key": key, "indicator_code": code, "definition_version": 1, "period": period, "first_day": first, **told})
        signed[-1]["conf_status"] = conf
    return put(connection, fact_edition, "editions", signed, **more)


def close(connection: Connection, table: Table, delivery_id: int, known_to: datetime) -> None:
    """Ends the current states a delivery brought, as a later delivery does that replaces it."""
    current = (table.c.delivery_id == delivery_id) & table.c.ended_by.is_(None)
    connection.execute(update(table).where(current).values(known_to=known_to, ended_by=loading(connection)))


def move(connection: Connection, unit: int, chosen: str, at: datetime) -> None:
    """Gives the current dossiers that fulfil an SQL condition another unit: they end, and go on as new states."""
    given = {
        "unit_key": ":unit",
        "received_unit_key": ":unit",
        "known_from": ":at",
        "known_to": "'infinity'",
        "loaded_by": ":load",
        "ended_by": "NULL",
    }
    names = [column.name for column in fact_dossier.columns]
    values = {"unit": unit, "at": at, "load": loading(connection)}
    ended = f"UPDATE warehouse.fact_dossier SET known_to = :at, ended_by = :load WHERE known_to = 'infinity' AND {chosen} RETURNING *"
    connection.execute(text("CREATE TEMPORARY TABLE moved ON COMMIT DROP AS SELECT * FROM warehouse.fact_dossier WHERE FALSE"))
    connection.execute(text(f"WITH ended AS ({ended}) INSERT INTO moved SELECT * FROM ended"), values)
    again = ", ".join(given.get(name, name) for name in names)
    connection.execute(text(f"INSERT INTO warehouse.fact_dossier ({', '.join(names)}) SELECT {again} FROM moved"), values)
    connection.execute(text("DROP TABLE moved"))


AS_OF = datetime(2025, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Published:
    """What one publication of indicators changed and held back."""

    publication_id: int | None
    added: int
    revised: int
    ended: int
    held_back: list[HeldBack]

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing to publish."""
        return (self.publication_id, self.added, self.revised, self.ended) == (None, 0, 0, 0)


def begin(connection: Connection, as_of: datetime = AS_OF) -> Publication:
    """A publication of a run of its own."""
    row = {"flow": "nightly", "as_of": as_of, "started_at": as_of, "status": "running", "host": "test", "process_id": 1}
    return begin_publication(connection, connection.execute(insert(run).values(row).returning(run.c.run_id)).scalar_one(), as_of)


def computed(connection: Connection, as_of: datetime = AS_OF) -> Candidates:
    """Leaves what the night of a day would publish in `candidate`."""
    night = counting(connection, as_of)
    declare_indicators(connection, begin(connection, night.as_of))
    return compute(connection, night)


def publish(engine: Engine, as_of: datetime = AS_OF) -> Published:
    """One night's computing, auditing and publishing of indicators, in one transaction."""
    with engine.begin() as connection:
        night = counting(connection, as_of)
        publication = begin(connection, night.as_of)
        declare_indicators(connection, publication)
        compute(connection, night)
        held_back = audit(connection, publication)
        done = revise_indicators(connection, publication)
        return Published(publication.publication_id, done.added, done.revised, done.ended, held_back)


def value(
    engine: Engine, indicator: str, unit: str, period: str, known_at: datetime | str = "9999-12-30"
) -> tuple[int | None, int | None, Decimal | None, str] | None:
    """Numerator, denominator, value and status as published, or as published at an earlier time."""
    query = """
        SELECT numerator, denominator, value, obs_status FROM mart.indicator_vintage
        WHERE indicator_code = :indicator AND unit_code = :unit AND period = :period
          AND known_from <= CAST(:known_at AS timestamptz) AND coalesce(known_to, 'infinity') > CAST(:known_at AS timestamptz)
    """
    with engine.connect() as connection:
        row = connection.execute(
            text(query), {"indicator": indicator, "unit": unit, "period": period, "known_at": str(known_at)}
        ).one_or_none()
        return None if row is None else (row[0], row[1], row[2], row[3])
