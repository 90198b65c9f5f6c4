"""Logins that have one role only: the loader runs the night, the steward asks and decides, neither changes the house."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.nights import bakhong, environment, few_sources, url_of
from warehouse.database import downgrade, upgrade
from warehouse.migrations.steps import newest_revision

ROLES = ("etl", "steward", "reader")
PASSWORD = "of these tests only"


@pytest.fixture
def logins(engine: Engine) -> Iterator[dict[str, str]]:
    """URL of the warehouse for a login that is a member of one role and nothing else."""
    with engine.begin() as connection:
        for role in ROLES:
            connection.exec_driver_sql(f"CREATE ROLE only_{role} LOGIN PASSWORD '{PASSWORD}' IN ROLE bakhong_{role}")
    found = engine.url.set(drivername="postgresql")
    yield {role: found.set(username=f"only_{role}", password=PASSWORD).render_as_string(hide_password=False) for role in ROLES}
    with engine.begin() as connection:
        for role in ROLES:
            connection.exec_driver_sql(f"DROP OWNED BY only_{role}; DROP ROLE only_{role}")


@pytest.fixture
def env(home: Path, prefect_home: Path) -> dict[str, str]:
    return environment(home, few_sources(home)) | {"PREFECT_HOME": str(prefect_home)}


def as_login(env: dict[str, str], url: str, *, with_key: bool = False) -> dict[str, str]:
    return env | {"BAKHONG_WAREHOUSE_URL": url} | ({"BAKHONG_SECRET_KEY": "a key for tests, long enough"} if with_key else {})


def test_the_loader_runs_the_night_and_the_steward_looks_and_decides(
    engine: Engine, logins: dict[str, str], env: dict[str, str], home: Path
) -> None:
    done = bakhong("nightly", "--date", "2025-05-05", env=as_login(env, logins["etl"], with_key=True))
    assert done.returncode in (0, 1), done.stderr
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.indicator")) > 0
        assert connection.scalar(text("SELECT status FROM ops.run")) == "completed"
        # statistics are refreshed as the owner's would be, where the server knows a right for that
        analyzed = "SELECT count(*) FROM pg_stat_user_tables WHERE schemaname = 'warehouse' AND analyze_count > 0"
        assert connection.scalar(text(analyzed)) > 0
    steward = as_login(env, logins["steward"])
    asked = bakhong("status", env=steward)
    assert asked.returncode == 1, asked.stderr  # the sources are late
    assert "one-stop-shop" in asked.stdout
    assert "hoàn thành" in asked.stdout
    listed = bakhong("quarantine", "list", "--status", "waiting", env=steward)
    assert listed.returncode == 0, listed.stderr
    with engine.connect() as connection:
        delivery, row = connection.execute(
            text("SELECT delivery_id, row_number FROM ops.quarantine WHERE status = 'waiting' LIMIT 1")
        ).one()
    decided = bakhong("quarantine", "dismiss", str(delivery), "--row", str(row), "--reason", "hóa đơn thử", env=steward)
    assert decided.returncode == 0, decided.stderr
    with engine.connect() as connection:
        found = text("SELECT status FROM ops.quarantine WHERE delivery_id = :d AND row_number = :r")
        assert connection.scalars(found, {"d": delivery, "r": row}).all() == ["dismissed"]
    for words in (("indicators", "15655", "2024"), ("form-06a", "15655", "2024"), ("score-766", "15655", "2024")):
        shown = bakhong(*words, env=steward)
        assert shown.returncode == 0, shown.stderr
    refused = bakhong("nightly", "--date", "2025-05-05", env=as_login(env, logins["steward"], with_key=True))
    assert refused.returncode == 2
    assert "bakhong_etl" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_the_loader_prunes_by_what_the_dry_run_foretold_and_prefects_database_shrinks(
    engine: Engine, logins: dict[str, str], env: dict[str, str], home: Path, prefect_home: Path
) -> None:
    loader = as_login(env, logins["etl"], with_key=True)
    assert bakhong("nightly", "--date", "2025-05-05", env=loader).returncode in (0, 1)
    sources = home / "sources.yaml"
    sources.write_text(sources.read_text("utf-8") + "retention: {landing_plain: 2, prefect_runs: 2}\n", "utf-8")
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET received_at = received_at - interval '3 days'"))
    with closing(sqlite3.connect(prefect_home / "prefect.db")) as database, database:
        database.execute("UPDATE flow_run SET end_time = datetime(end_time, '-3 days')")
        runs = database.execute("SELECT count(*) FROM flow_run WHERE parent_task_run_id IS NULL").fetchone()[0]
    before = disk(home, prefect_home)
    foreseen = bakhong("prune", "--dry-run", "--json", env=loader)
    assert foreseen.returncode == 0, foreseen.stderr
    assert disk(home, prefect_home) == before
    done = bakhong("prune", "--json", env=loader)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["rules"]
    assert told == json.loads(foreseen.stdout)["rules"]
    by_rule = {line["rule"]: line for line in told}
    assert by_rule["landing_plain"]["files"] == len(list((home / "landing").glob("*/*.zst"))) > 5
    assert by_rule["prefect_runs"]["rows"] > runs > 0
    tables = ("flow_run", "task_run", "log", "artifact")
    with closing(sqlite3.connect(prefect_home / "prefect.db")) as database:
        assert [database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables] == [0] * len(tables)
    assert sum(before.values()) - sum(disk(home, prefect_home).values()) == sum(line["bytes"] for line in told)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT rule FROM ops.pruning ORDER BY 1")).all() == ["landing_plain", "prefect_runs"]
    again = bakhong("nightly", "--date", "2025-05-05", env=loader)
    assert again.returncode in (0, 1), again.stderr
    steward = bakhong("prune", env=as_login(env, logins["steward"], with_key=True))
    assert (steward.returncode, len(steward.stderr.strip().splitlines())) == (2, 1), steward.stderr


def disk(home: Path, prefect_home: Path) -> dict[Path, int]:
    """Sizes of what a pruning may touch."""
    return {path: path.stat().st_size for place in (home / "landing", prefect_home) for path in place.rglob("*") if path.suffix != ".log"}


READING = (
    ("status",),
    ("quarantine", "list"),
    ("quarantine", "release", "1"),
    ("indicators", "15655", "2024"),
    ("explain", "ND3", "15655", "2024"),
    ("score-766", "15655", "2024"),
)


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_only_reads(words: tuple[str, ...], engine: Engine, env: dict[str, str]) -> None:
    """As the owner, who could change everything: what a seed would bring back stays away."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE warehouse.dim_unit SET unit_name = 'Khác' WHERE unit_code = '15607'; DELETE FROM warehouse.dim_date")
        )
    bakhong(*words, env=as_login(env, url_of(engine), with_key=True))
    with engine.connect() as connection:
        assert set(connection.scalars(text("SELECT unit_name FROM warehouse.dim_unit WHERE unit_code = '15607'"))) == {"Khác"}
        assert connection.scalar(text("SELECT count(*) FROM warehouse.dim_date")) == 0
        assert connection.scalar(text("SELECT count(*) FROM ops.pseudonym_key")) == 0


def test_a_pending_migration_is_told_in_one_sentence_and_is_the_owners(engine: Engine, logins: dict[str, str], env: dict[str, str]) -> None:
    downgrade(engine, "0002")
    revision = text("SELECT version_num FROM public.alembic_version")
    for login, words in (
        (logins["etl"], ("nightly",)),
        (logins["steward"], ("status",)),
        (logins["steward"], ("quarantine", "list")),
        (url_of(engine), ("status",)),
    ):
        said = bakhong(*words, env=as_login(env, login, with_key=True))
        assert said.returncode == 2, (words, said)
        assert "bakhong warehouse upgrade" in said.stderr
        assert len(said.stderr.strip().splitlines()) == 1
        with engine.connect() as connection:
            assert connection.scalar(revision) == "0002"
    not_theirs = bakhong("warehouse", "upgrade", env=as_login(env, logins["etl"]))
    assert not_theirs.returncode == 2
    done = bakhong("warehouse", "upgrade", env=as_login(env, url_of(engine)))
    assert done.returncode == 0, done.stderr
    assert newest_revision() in done.stdout
    with engine.connect() as connection:
        assert connection.scalar(revision) == newest_revision()
    assert bakhong("quarantine", "list", env=as_login(env, logins["steward"])).returncode == 0


def test_views_that_changed_are_pending_too_and_a_newer_warehouse_is_left_alone(engine: Engine, env: dict[str, str]) -> None:
    owner = as_login(env, url_of(engine))
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.installation SET value = 'of before' WHERE item = 'views'"))
    said = bakhong("status", env=owner)
    assert (said.returncode, "bakhong warehouse upgrade" in said.stderr) == (2, True)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE public.alembic_version SET version_num = '9999'"))
    for words in (("status",), ("warehouse", "upgrade")):
        said = bakhong(*words, env=owner)
        assert said.returncode == 2
        assert "mới hơn chương trình này" in said.stderr


def test_nothing_is_made_by_asking_where_there_is_no_warehouse(home: Path, tmp_path: Path) -> None:
    env = {name: value for name, value in environment(home).items() if name != "BAKHONG_HOME"} | {"BAKHONG_HOME": str(tmp_path / "none")}
    for words in (("status",), ("warehouse", "url"), ("indicators", "15655", "2024")):
        said = bakhong(*words, env=env, folder=home)
        assert said.returncode == 2
        assert "bakhong nightly" in said.stderr
    assert not (tmp_path / "none").exists()
