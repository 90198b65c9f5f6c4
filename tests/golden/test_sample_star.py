"""The star after the sample night: every key leads to a member, every row is accounted for, no person is in it."""

import re

import pytest
from sqlalchemy import Engine, MetaData, Table, text

from samples.generate import personal_values
from tests.conftest import SampleNight
from warehouse.database import connect
from warehouse.embedded import serve
from warehouse.tables import metadata

REFERENCES = [
    (table.fullname, column.name, metadata.tables[f"warehouse.{name}"])
    for table in metadata.tables.values()
    for column in table.columns
    for name in re.findall(r"\((dim_\w+)\)", column.comment or "")
]


@pytest.fixture(scope="module")
def star(sample_night: SampleNight):
    with serve(sample_night.home) as server:
        opened = connect(server.url("owner", "bakhong"))
        yield opened
        opened.dispose()


@pytest.mark.parametrize(("fact", "column", "dimension"), REFERENCES, ids=lambda value: value.name if isinstance(value, Table) else value)
def test_every_key_of_a_fact_leads_to_a_member(star: Engine, fact: str, column: str, dimension: Table) -> None:
    key = dimension.primary_key.columns[0].name
    with star.connect() as connection:
        orphans = connection.scalar(
            text(
                f"SELECT count(*) FROM (SELECT unnest(ARRAY[f.{column}]) AS key FROM {fact} f) f WHERE f.key IS NOT NULL "
                f"AND NOT EXISTS (SELECT FROM {dimension.fullname} d WHERE d.{key} = f.key)"
            )
        )
    assert orphans == 0


def test_every_row_received_is_accounted_for(star: Engine) -> None:
    with star.connect() as connection:
        received, accounted = connection.execute(
            text(
                "SELECT sum(rows_received), sum(rows_loaded + rows_unchanged + rows_quarantined + rows_ignored) FROM ops.delivery "
                "WHERE status <> 'landed'"
            )
        ).one()
    assert received == accounted > 40_000


def test_no_personal_value_of_the_deliveries_is_anywhere_in_the_warehouse(star: Engine) -> None:
    everything = MetaData()
    secrets = set(personal_values())
    with star.connect() as connection:
        for schema in ("warehouse", "ops"):
            everything.reflect(connection, schema=schema)
        for table in everything.tables.values():
            for column in table.columns:
                if column.type.python_type is str:
                    kept = set(connection.scalars(text(f'SELECT DISTINCT "{column.name}" FROM {table.fullname}')))
                    assert not kept & secrets, f"{table.fullname}.{column.name}"


def test_no_personal_value_of_the_deliveries_is_in_a_page_a_log_or_a_message(sample_night: SampleNight) -> None:
    secrets = sorted(personal_values())[::97]  # a spread of all kinds; every one of 30 000 in every file would take minutes
    pattern = re.compile("|".join(map(re.escape, secrets)))
    landing = sample_night.home / "landing"
    files = [path for path in sample_night.home.rglob("*") if path.is_file() and not path.is_relative_to(landing)]
    texts = [path for path in files if path.suffix in {".html", ".log", ".json", ".css", ".txt"}]
    assert texts
    assert not [path for path in texts if pattern.search(path.read_text("utf-8", errors="replace"))]
    assert not pattern.search(sample_night.done.stdout + sample_night.done.stderr)
