"""A warehouse of a country, beside those of a province that tests/conftest.py makes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.conftest import TEMPLATE, copy_of
from warehouse.country import COUNTRY
from warehouse.embedded import Server
from warehouse.seed import know_provinces


@pytest.fixture(scope="module")
def template_of_country(server: Server) -> Iterator[str]:
    """A warehouse of a country that is made of Thanh Hóa, Cao Bằng and Phú Thọ, to be copied."""
    with copy_of(server, TEMPLATE) as engine:
        with engine.begin() as connection:
            know_provinces(connection, [COUNTRY, "38", "04", "25"])
        engine.dispose()
        yield str(engine.url.database)


@pytest.fixture
def country(server: Server, template_of_country: str) -> Iterator[Engine]:
    """A fresh warehouse of that country."""
    with copy_of(server, template_of_country) as opened:
        yield opened
