"""Keys, passwords and tokens given by files are used, and stand nowhere else: in no argument, log, page, database or answer."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, text

from tests.nights import ROOT, SAMPLES, bakhong, environment
from warehouse.embedded import Server

KEY, TOKEN, PASSWORD = "the-key-of-this-test-0123456789", "the-token-of-this-test-0123456789", "the-password-of-this-test-0123456789"


def _arguments() -> str:
    """The command lines of all processes of this machine."""
    told = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            told.append(file.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(told)


def test_secrets_of_files_are_used_and_found_nowhere(
    server: Server, engine: Engine, home: Path, prefect_home: Path, tmp_path: Path
) -> None:
    shown: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers["Authorization"])
            self.send_error(403)

        def log_message(self, *_: Any) -> None:
            pass

    site = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=site.serve_forever, args=(0.01,), daemon=True).start()
    (procedures,) = (entry for entry in yaml.safe_load(SAMPLES.read_text("utf-8"))["sources"] if entry["name"] == "procedures")
    procedures["url"] = str(SAMPLES.parent / procedures["url"])
    of_site = {"name": "td", "feed": "dossiers", "layout": "dvcqg_csv", "provider": "td", "expected": "daily", "token": "TD_TOKEN"}
    sources = home / "sources.yaml"
    sources.write_text(
        yaml.safe_dump({"sources": [procedures, {**of_site, "url": f"http://127.0.0.1:{site.server_port}/td_20240315.csv"}]})
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE by_file LOGIN PASSWORD '{PASSWORD}' IN ROLE bakhong_etl")
    secrets = {
        "BAKHONG_WAREHOUSE_URL": engine.url.set(drivername="postgresql", username="by_file", password=PASSWORD).render_as_string(False),
        "BAKHONG_SECRET_KEY": KEY,
        "TD_TOKEN": TOKEN,
    }
    env = environment(home, sources) | {"PREFECT_HOME": str(home / "prefect")}
    prefect_home.rename(home / "prefect")
    for name, value in secrets.items():
        (tmp_path / name).write_text(f"{value}\n")
        env[f"{name}_FILE"] = str(tmp_path / name)
    try:
        command = [sys.executable, "-m", "desk", "nightly", "--date", "2025-05-05"]
        night = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        arguments = []
        while night.poll() is None:
            arguments.append(_arguments())
            time.sleep(0.3)
        said = list(night.communicate())
        assert night.returncode == 1, said
        for words in (("status",), ("status", "--json"), ("quarantine", "list")):
            done = bakhong(*words, env=env)
            assert done.returncode in (0, 1), done.stderr
            said += [done.stdout, done.stderr]
        assert "403" in "".join(said)
        assert shown == [f"Bearer {TOKEN}"]
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT status FROM ops.run")) == "completed"
            assert connection.scalar(text("SELECT count(*) FROM ops.pseudonym_key")) == 1
            tables = connection.scalars(text("SELECT relid::regclass::text FROM pg_stat_user_tables WHERE schemaname = 'ops'")).all()
            kept = [str(connection.scalar(text(f"SELECT string_agg(t::text, ' ') FROM {table} t"))) for table in tables]
        assert any("nightly" in words for words in arguments), "the night was looked at while it ran"
        lying = [path.read_bytes().decode("utf-8", "replace") for path in home.rglob("*") if path.is_file()]
        assert len(lying) > 10
        for secret in (KEY, TOKEN, PASSWORD):
            for where, found in {"arguments": arguments, "said": said, "ops": kept, "home": lying}.items():
                assert not any(secret in words for words in found), where
    finally:
        site.shutdown()
        site.server_close()
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY by_file; DROP ROLE by_file")
