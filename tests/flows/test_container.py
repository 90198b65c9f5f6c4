"""The files for containers, as far as they can be tried without one: compose.yaml's services run as processes, a night among them."""

from __future__ import annotations

import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from desk.installation.init import FILES, lay_down
from tests.composed import Composed, can_run
from tests.flows.test_prefect_deployment import Prefect
from tests.nights import ROOT, Patience, few_sources

CONTAINER = FILES / "container"
KEYS = {
    "build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "init", "ports", "read_only",
    "restart", "secrets", "security_opt", "shm_size", "stop_grace_period", "stop_signal", "tmpfs", "user", "volumes",
}  # fmt: skip
"""Those of a service in the Compose specification that are used."""


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    return yaml.safe_load((CONTAINER / "compose.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def composed() -> Iterator[Composed]:
    """All services, healthy, over an installation with few sources."""
    if missing := can_run():
        pytest.skip(missing)
    with TemporaryDirectory(prefix="bakhong-composed-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # through which PostgreSQL's account comes to its own
        installation = lay_down(folder / "bakhong", ["38"]).folder
        shutil.copy(few_sources(folder), installation / "sources.yaml")
        subprocess.run([installation / "container" / "make-secrets"], check=True)
        found = Composed(installation / "container" / "compose.yaml", folder, folder / "said.txt")
        try:
            found.up()
            for service in ("prefect", "worker", "desk"):
                found.until_healthy(service)
            yield found
        finally:
            found.kill()


def test_every_file_that_the_image_is_made_of_is_there() -> None:
    lines = re.findall(r"^COPY (?!--from)(?:--\S+ )?(.*) \S+$", (CONTAINER / "Containerfile").read_text("utf-8"), re.M)
    copied = {name for line in lines for name in line.split()}
    assert copied == {"bakhong-*.whl", "constraints.txt", "secrets-from-files"}
    made = re.findall(r"dist/(\S+) and its (\S+)", (ROOT / "Makefile").read_text("utf-8"))
    assert {name for pair in made for name in pair} | {"secrets-from-files"} == copied
    assert (CONTAINER / "secrets-from-files").exists()


def test_the_image_has_a_user_of_its_own_and_no_secret() -> None:
    text = (CONTAINER / "Containerfile").read_text("utf-8")
    assert re.findall(r"^USER (.*)$", text, re.M) == ["10001:10001"]
    assert not re.search(r"PASSWORD|_KEY=|TOKEN|^ARG", text, re.M)


def test_every_service_is_closed_in_and_given_only_files_that_are_declared(declared: dict[str, Any]) -> None:
    for name, service in declared["services"].items():
        assert set(service) <= KEYS, name
        assert service["user"] in ("10001:10001", "999:999"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service.get("secrets", [])) <= set(declared["secrets"]), name
        assert ("healthcheck" in service) == (service["restart"] != "no"), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert set(service.get("depends_on", {})) <= set(declared["services"]), name
        named = [value for value in service.get("environment", {}).values() if str(value).startswith("/run/secrets/")]
        assert {Path(value).name for value in named} <= set(service.get("secrets", [])), name
        words = str(service.get("environment")) + str(service["command"])
        assert not re.search(r"://[^/\s]*:[^/\s@]*@", words), f"{name}: a password in an address"
    assert all(one["file"].startswith("secrets/") for one in declared["secrets"].values())


def test_each_login_reaches_what_is_its_own(declared: dict[str, Any]) -> None:
    given = {name: set(service.get("secrets", [])) for name, service in declared["services"].items()}
    assert {name for name, secrets in given.items() if "owner_url" in secrets} == {"upgrade"}
    assert {name for name, secrets in given.items() if "secret_key" in secrets} == {"worker"}
    assert {name for name, secrets in given.items() if "desk_url" in secrets} == {"desk"}


def test_secrets_are_made_once(tmp_path: Path) -> None:
    if missing := can_run():
        pytest.skip(missing)
    installation = lay_down(tmp_path / "bakhong", ["38"]).folder
    script, secrets = installation / "container" / "make-secrets", installation / "container" / "secrets"
    subprocess.run([script], check=True)
    made = {path.name: path.read_text("utf-8") for path in secrets.iterdir()}
    (key,) = re.findall(r"^BAKHONG_SECRET_KEY=(\w+)$", (installation / ".env").read_text("utf-8"), re.M)
    assert made["secret_key"].strip() == key
    assert made["night_password"].strip() in made["night_url"]
    assert len({made[f"{login}_password"] for login in ("postgres", "owner", "night", "desk")}) == 4
    assert secrets.stat().st_mode & 0o777 == 0o700
    subprocess.run([script], check=True)
    assert {path.name: path.read_text("utf-8") for path in secrets.iterdir()} == made


def add_far_source(composed: Composed) -> None:
    """Adds a source that does not answer: a night waits to try it again."""
    path = composed.file.parent.parent / "sources.yaml"
    entries = yaml.safe_load(path.read_text("utf-8"))["sources"]
    far = {"name": "far", "feed": "dossiers", "layout": "dvcqg_csv", "provider": "td", "expected": "once"}
    path.write_text(yaml.safe_dump({"sources": [*entries, far | {"url": "sftp://nobody@127.0.0.1:1/out/*.csv"}]}), "utf-8")


def test_the_services_run_a_night_serve_it_and_end_in_order(composed: Composed) -> None:
    login = (composed.file.parent / "secrets" / "prefect_login").read_text("utf-8").strip()
    address = f"127.0.0.1:{composed.port('4200')}/api"
    assert httpx.post(f"http://{address}/deployments/filter", json={}).status_code == 401, "Prefect asks who comes"
    prefect = Prefect({"PREFECT_API_URL": f"http://{login}@{address}"}, datetime.now(UTC), composed.log)
    desk = f"http://127.0.0.1:{composed.port('8766')}"
    assert httpx.get(f"{desk}/dang-nhap").status_code == 200
    assert prefect.scheduled_nights()
    nightly = prefect.deployment("nightly")
    run = prefect.seen_through(prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={"date": "2025-05-05"}))
    assert run["state_type"] == "COMPLETED", composed.said()
    status = composed.execute("desk", "bakhong", "status")
    assert "hoàn thành" in status.stdout, status.stdout + status.stderr
    owner = (composed.root("upgrade") / "run/secrets/owner_url").read_text("utf-8").strip()
    with psycopg.connect(owner) as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("SELECT count(*) FROM mart.indicator").fetchone() > (0,)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(re.sub(r"sslmode=[\w-]+", "sslmode=disable", owner))
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        psycopg.connect(re.sub(r"sslrootcert=\S+", f"sslrootcert={ssl.get_default_verify_paths().cafile}", owner))
    assert composed.execute("worker", "bakhong", "worker", "--check").returncode == 0
    add_far_source(composed)
    waiting = prefect.ask("POST", f"/deployments/{nightly['id']}/create_flow_run", parameters={})
    patience = Patience(composed.folder)
    while not re.search(r"\b2/4\b", composed.log.read_text("utf-8")):  # the second try of four
        patience.wait(0.3)
    assert composed.down("worker") == {"worker": 143}
    assert prefect.ask("GET", f"/flow_runs/{waiting['id']}")["state_type"] == "CRASHED", "not running for ever"
    status = composed.execute("desk", "bakhong", "status")
    assert "Đã dừng theo yêu cầu (SIGTERM). Lượt chạy số 2: " in status.stderr, status.stdout + status.stderr
    assert composed.execute("desk", "bakhong", "worker", "--check").returncode == 2, "nobody is there to carry it out"
    ended = composed.down()
    assert ended == {"desk": 0, "prefect": -signal.SIGTERM, "upgrade": 0, "roles": 0, "postgres": 0}, composed.said()
    assert "Traceback" not in composed.said()
