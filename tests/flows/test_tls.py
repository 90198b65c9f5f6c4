"""A PostgreSQL that takes nobody without TLS: everything a night and a steward do goes through it, and who it is has to be proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
from sqlalchemy import Engine, text

from tests.certificates import Authority
from tests.nights import bakhong, environment, few_sources
from tests.tls_front import Front, in_front_of
from warehouse.database import open_warehouse, read_warehouse, unprotected, url
from warehouse.embedded import Server
from warehouse.settings import Refusal, Settings

KEY = b"a key of the tests, not a secret"


@dataclass
class Walled:
    """The warehouse of a test in a province's data centre: only the door in front of it can be reached."""

    server: Server
    front: Front
    authority: Authority
    database: str

    def url(self, role: str, options: str) -> str:
        return f"{self.server.url(role, self.database).replace(str(self.server.port), str(self.front.port), 1)}?{options}"


@pytest.fixture
def walled(server: Server, engine: Engine, tmp_path: Path) -> Iterator[Walled]:
    authority = Authority(tmp_path)
    with engine.begin() as connection:
        for role in ("etl", "steward"):
            connection.exec_driver_sql(f"ALTER ROLE bakhong_{role} LOGIN PASSWORD '{server.passwords[role]}'")
    with in_front_of(server.port, authority.context()) as front:
        yield Walled(server, front, authority, str(engine.url.database))


def made_whole(walled: Walled, authority: Path | None = None) -> str:
    return f"sslmode=verify-full&sslrootcert={authority or walled.authority.file}"


def given(walled: Walled, options: str, home: Path, role: str = "owner") -> Settings:
    return Settings(home, walled.url(role, options), home / "sources.yaml", KEY)


def test_a_night_and_a_steward_work_where_nothing_but_tls_is_let_in(walled: Walled, engine: Engine, home: Path, prefect_home: Path) -> None:
    env = environment(home, few_sources(home), walled.url("etl", made_whole(walled))) | {"PREFECT_HOME": str(prefect_home)}
    done = bakhong("nightly", "--date", "2025-05-05", env=env)
    assert done.returncode in (0, 1), done.stderr
    assert "mã hóa" not in done.stderr
    asked = bakhong("status", env=env | {"BAKHONG_WAREHOUSE_URL": walled.url("steward", made_whole(walled))})
    assert "hoàn thành" in asked.stdout, asked.stderr
    assert walled.front.let_in > 3
    assert walled.front.sent_away == 0
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM warehouse.fact_payment")) > 0, "what goes by COPY too"


def test_the_address_for_readers_asks_for_the_same_proof(walled: Walled, home: Path) -> None:
    assert unquote(url(given(walled, made_whole(walled), home))).endswith(made_whole(walled))


def test_whoever_is_not_vouched_for_is_told_in_one_sentence(walled: Walled, home: Path, tmp_path: Path) -> None:
    another = Authority(tmp_path, "another")
    for options, told in (
        (made_whole(walled, another.file), "certificate verify failed"),
        (made_whole(walled, tmp_path / "none.pem"), "does not exist"),
    ):
        for opening in (open_warehouse, read_warehouse):
            with pytest.raises(Refusal, match=told) as refusal, opening(given(walled, options, home)):
                pass
            said = str(refusal.value)
            assert "không tin được chứng thư TLS của máy chủ" in said
            assert "sslrootcert" in said
            assert "\n" not in said
            assert walled.server.passwords["owner"] not in said


def test_a_server_of_another_name_is_not_believed(walled: Walled, home: Path) -> None:
    walled.front.context = walled.authority.context("kho.example")
    asked = given(walled, made_whole(walled), home)
    with pytest.raises(Refusal, match=r"không tin được chứng thư TLS.*kho\.example.*127\.0\.0\.1"), read_warehouse(asked):
        pass
    walled.front.context = walled.authority.context()
    with read_warehouse(asked):
        pass


def test_who_comes_without_tls_is_sent_away(walled: Walled, home: Path) -> None:
    with pytest.raises(Refusal, match="không trả lời"), read_warehouse(given(walled, "sslmode=disable", home)):
        pass
    assert walled.front.sent_away == 1


@pytest.mark.parametrize(
    ("address", "is_told"),
    [
        ("postgresql://a:secret@db.example/house", True),
        ("postgresql://a:secret@db.example/house?sslmode=disable", True),
        ("postgresql://a:secret@10.1.2.3/house?sslmode=prefer", True),
        ("postgresql://a:secret@db.example/house?sslmode=require", False),
        ("postgresql://a:secret@db.example/house?sslmode=verify-full&sslrootcert=ca.pem", False),
        ("postgresql://a:secret@127.0.0.1:5433/house", False),
        ("postgresql://a:secret@localhost/house", False),
        ("postgresql:///house?host=/var/run/postgresql", False),
        (None, False),
    ],
)
def test_an_address_on_another_machine_that_may_go_unencrypted_is_told(address: str | None, is_told: bool, home: Path) -> None:
    words = unprotected(Settings(home, address, home / "sources.yaml", KEY))
    assert (words is not None) is is_told
    assert "secret" not in (words or "")
