"""The yardstick: a plain COPY of the very rows a night wrote, into the same tables with the same keys."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from warehouse.database import connect, ensure_payment_partitions, upgrade
from warehouse.tables import fact_bill, fact_dossier, fact_payment

FACTS = (fact_bill, fact_dossier, fact_payment)
BLOCK = 1 << 20


def measure(engine: Engine, folder: Path) -> dict[str, float]:
    """Seconds a COPY of each fact takes into a fresh warehouse on the same server."""
    folder.mkdir(exist_ok=True)
    with engine.connect() as connection:
        for table in FACTS:
            _export(connection, table.fullname, _columns(table), folder / table.name)
        months = (
            connection.execute(text("SELECT DISTINCT date_trunc('month', business_date)::date FROM warehouse.fact_payment")).scalars().all()
        )
    name = "bare_copy"
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as administrator:
        administrator.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            fresh = connect(engine.url.set(database=name).render_as_string(hide_password=False))
            upgrade(fresh)
            administrator.exec_driver_sql("CHECKPOINT")
            seconds = _copy(fresh, folder, months)
            fresh.dispose()
        finally:
            administrator.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    return seconds


def _copy(fresh: Engine, folder: Path, months: list[date]) -> dict[str, float]:
    seconds = {}
    for table in FACTS:
        with fresh.begin() as connection:
            start = time.perf_counter()
            if table is fact_payment:
                ensure_payment_partitions(connection, months)
            driver = connection.connection.driver_connection
            assert driver is not None
            statement = f"COPY {table.fullname} ({_columns(table)}) FROM STDIN (FORMAT csv)"
            with driver.cursor() as cursor, cursor.copy(statement) as copy, (folder / table.name).open("rb") as file:
                while block := file.read(BLOCK):
                    copy.write(block)
        seconds[table.name] = time.perf_counter() - start
    return seconds


def _columns(table: object) -> str:
    return ", ".join(column.name for column in table.columns)  # type: ignore[attr-defined]


def _export(connection: Connection, name: str, columns: str, path: Path) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    with (
        path.open("wb") as file,
        driver.cursor() as cursor,
        cursor.copy(f"COPY (SELECT {columns} FROM {name}) TO STDOUT (FORMAT csv)") as copy,
    ):
        for block in copy:
            file.write(block)
