"""What monitors ask of the desk: /livez, /healthz that turns red by itself, /metrics as Prometheus reads them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from desk.web.app import application
from tasks.ask.health import of_nights
from tests.nights import KEY
from warehouse.database import connect
from warehouse.embedded import Server
from warehouse.settings import Settings

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path, None, tmp_path / "sources.yaml", KEY.encode())


def client(engine: Engine, settings: Settings, address: str = "127.0.0.1") -> TestClient:
    return TestClient(application(engine, settings), client=(address, 40000))


@pytest.fixture
def asked(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The desk, without Prefect, as somebody on its machine asks it."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with client(engine, settings) as opened:
        yield opened


def a_run(engine: Engine, began: datetime, status: str = "completed", flow: str = "nightly", message: str | None = None) -> int:
    row = {
        "flow": flow,
        "at": began,
        "status": status,
        "message": message,
        "end": began + timedelta(minutes=4) if status != "running" else None,
    }
    with engine.begin() as c:
        return int(
            c.execute(
                text(
                    "INSERT INTO ops.run (flow, as_of, started_at, finished_at, status, host, process_id, message) "
                    "VALUES (:flow, :at, :at, :end, :status, 'a-host', 4711, :message) RETURNING run_id"
                ),
                row,
            ).scalar_one()
        )


def judged(engine: Engine, now: datetime) -> list[str]:
    with engine.connect() as c:
        return [trouble.kind for trouble in of_nights(c, now)]


def test_a_night_is_missed_once_the_next_has_not_begun_for_a_day_and_two_hours(engine: Engine) -> None:
    assert judged(engine, NOW) == ["never"]
    a_run(engine, NOW)
    assert judged(engine, NOW + timedelta(hours=25, minutes=59)) == []
    assert judged(engine, NOW + timedelta(hours=26, seconds=1)) == ["silent"]


def test_reading_one_delivery_again_is_no_night(engine: Engine) -> None:
    a_run(engine, NOW)
    a_run(engine, NOW + timedelta(hours=20), flow="ingest")
    assert judged(engine, NOW + timedelta(hours=27)) == ["silent"]


@pytest.mark.parametrize(("status", "found"), [("completed", []), ("failed", ["failed"]), ("killed", ["killed"]), ("running", ["killed"])])
def test_the_last_run_is_judged_by_how_it_ended(status: str, found: list[str], engine: Engine) -> None:
    a_run(engine, NOW, status)  # one that says `running` holds no lock: it died
    assert judged(engine, NOW) == found


def test_one_that_died_says_in_which_step_and_what_to_do(engine: Engine) -> None:
    number = a_run(engine, NOW, "running")
    with engine.begin() as c:
        c.execute(text(f"INSERT INTO ops.step VALUES ({number}, 'pull', now(), now()), ({number}, 'ingest', now(), NULL)"))
        (trouble,) = of_nights(c, NOW)
    assert trouble.words == (
        f"Lượt chạy số {number} (nightly), 15:00 28/11/2026, bị ngắt ở bước kiểm tra và nạp, dấu vết cuối 15:00 28/11/2026, máy a-host, "
        "tiến trình 4711. Những gì đã nạp vẫn còn, số liệu công bố trước vẫn nguyên: chạy bakhong nightly để làm tiếp, "
        "hoặc chờ lượt đêm sau, và xem vì sao máy hay tiến trình dừng."
    )


def test_the_same_failure_of_another_night_is_the_same_cause(engine: Engine) -> None:
    causes = []
    for night, message in enumerate(["evn_202403.csv: đĩa đầy", "evn_202404.csv: đĩa đầy", "máy chủ từ chối"]):
        a_run(engine, NOW + timedelta(days=night), "failed", message=message)
        with engine.connect() as c:
            causes += [trouble.cause for trouble in of_nights(c, NOW + timedelta(days=night))]
    assert causes[0] == causes[1] != causes[2]


def test_health_turns_red_by_itself_and_says_why_in_short(engine: Engine, asked: TestClient) -> None:
    now = datetime.now(UTC)
    a_run(engine, now - timedelta(hours=25))
    assert (asked.get("/healthz").status_code, asked.get("/healthz").json()) == (200, {"healthy": True, "reasons": []})
    with engine.begin() as c:
        c.execute(
            text("UPDATE ops.run SET started_at = started_at - interval '2 hours', status = 'failed', message = 'of a-host: /srv/evn'")
        )
    answer = asked.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"healthy": False, "reasons": ["the last run failed", "no night has begun for 26 hours"]}


def test_a_schema_of_another_version_is_red(engine: Engine, asked: TestClient) -> None:
    a_run(engine, datetime.now(UTC))
    with engine.begin() as c:
        c.execute(text("UPDATE public.alembic_version SET version_num = '0002'"))
    answer = asked.get("/healthz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["the schema is not the one of this version"])


def test_a_database_that_is_gone_is_red_and_the_process_lives(engine: Engine, server: Server, asked: TestClient) -> None:
    a_run(engine, datetime.now(UTC))
    administrator = connect(server.url("owner", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    name = engine.url.database
    with administrator.connect() as c:
        c.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        c.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        answer = asked.get("/healthz")
        assert (answer.status_code, answer.json()) == (503, {"healthy": False, "reasons": ["the database does not answer"]})
        assert (asked.get("/livez").status_code, asked.get("/livez").text) == (200, "ok\n")
        assert 'bakhong_trouble{kind="database"} 1.0' in asked.get("/metrics").text
        c.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    administrator.dispose()
    assert asked.get("/healthz").status_code == 200


@dataclass
class Planned:
    """A server that answers as Prefect's does of the nights to come."""

    next_night: datetime | None


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Planned]:
    told = Planned(None)

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            schedule = {"active": True, "schedule": {"cron": "0 2 * * *", "timezone": "Asia/Ho_Chi_Minh"}}
            self._say("3.8.8" if "version" in self.path else {"id": "d", "paused": False, "schedules": [schedule], "pull_steps": []})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            runs = [{"expected_start_time": told.next_night.isoformat()}] if told.next_night else []
            self._say([] if "workers" in self.path else runs)

        def _say(self, what: Any) -> None:
            body = json.dumps(what).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Api) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{api.server_address[1]}/api")
        yield told
        api.shutdown()


@pytest.mark.parametrize(("hours", "code"), [(5, 200), (None, 503), (-1, 503)])
def test_where_prefect_begins_the_nights_one_has_to_be_planned(
    hours: float | None, code: int, engine: Engine, settings: Settings, prefect: Planned
) -> None:
    now = datetime.now(UTC)
    a_run(engine, now - timedelta(hours=3))
    prefect.next_night = None if hours is None else now + timedelta(hours=hours)
    answer = client(engine, settings).get("/healthz")
    assert answer.status_code == code
    assert answer.json()["reasons"] == ([] if code == 200 else ["Prefect has no night planned, or one that is overdue"])


def test_a_prefect_server_that_does_not_answer_is_red(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    a_run(engine, datetime.now(UTC))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert client(engine, settings).get("/healthz").status_code == 503


def samples(told: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What Prometheus makes of it: name and labels → value."""
    families = list(text_string_to_metric_families(told))
    assert all(family.documentation and family.type == "gauge" for family in families)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples}


DELIVERED = """
INSERT INTO ops.source (source, feed, layout, expected, provider, title, rank, patience_days) VALUES
    ('evn', 'bills', 'evn_csv', 'monthly', 'evn', 'Điện', 1, 41), ('momo', 'payments', 'momo_jsonl', 'daily', 'momo', 'MoMo', 2, 2);
INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, exported_at, received_at, loaded_at, status, verdict,
    rows_received, rows_loaded, rows_unchanged, rows_quarantined, rows_ignored) VALUES
    ('evn', 'bills', 'evn_csv', 'evn', 'a.csv', 'a', now(), now(), now(), 'loaded', 'accept', 100, 90, 5, 3, 2),
    ('evn', 'bills', 'evn_csv', 'evn', 'b.csv', 'b', now(), now(), now(), 'loaded', 'accept', 10, 10, 0, 0, 0),
    ('evn', 'bills', 'evn_csv', 'evn', 'c.csv', 'c', now(), now(), now(), 'rejected', 'reject', 7, 0, 0, 7, 0),
    ('momo', 'payments', 'momo_jsonl', 'momo', 'd', 'd', now() - interval '9 days', now(), now(), 'loaded', 'accept_with_flags',
     1, 1, 0, 0, 0);
INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, exported_at, received_at, status)
    VALUES ('momo', 'payments', 'momo_jsonl', 'momo', 'e', 'e', now() - interval '8 days', now(), 'landed');
"""


def test_the_numbers_are_those_of_the_warehouse(engine: Engine, settings: Settings, asked: TestClient) -> None:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    good, last = a_run(engine, began - timedelta(days=1)), a_run(engine, began, "failed")
    with engine.begin() as c:
        for statement in DELIVERED.split(";\n"):
            c.execute(text(statement))
        c.execute(
            text("INSERT INTO ops.step VALUES (:n, 'pull', :at, :at + interval '90 s'), (:n, 'ingest', :at, :at + interval '2 min')"),
            {"n": last, "at": began},
        )
        c.execute(
            text("INSERT INTO ops.publication (run_id, published_at, as_of, load_id) VALUES (:n, :at, :at, 0)"), {"n": good, "at": began}
        )
        c.execute(
            text(
                "INSERT INTO ops.held_edition (run_id, as_of, held_at, values_added, values_revised, values_ended) "
                "VALUES (:n, :at, :at, 1, 2, 3)"
            ),
            {"n": last, "at": began},
        )
    (settings.home / "landing" / "evn").mkdir(parents=True)
    (settings.home / "landing" / "evn" / "a").write_bytes(b"x" * 1234)
    answer = asked.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = samples(answer.text)

    def value(name: str, **labels: str) -> float:
        return found["bakhong_" + name, tuple(sorted(labels.items()))]

    assert value("last_success_timestamp_seconds") == (began - timedelta(days=1) + timedelta(minutes=4)).timestamp()
    assert value("last_run_start_timestamp_seconds") == began.timestamp()
    assert (value("last_run_status", status="failed"), value("last_run_status", status="completed")) == (1, 0)
    assert value("last_run_seconds") == 240
    assert (value("step_seconds", step="pull"), value("step_seconds", step="ingest")) == (90, 120)
    assert [value("deliveries", source="evn", verdict=verdict) for verdict in ("accept", "reject")] == [2, 1]
    assert [value("deliveries", source="momo", verdict=verdict) for verdict in ("accept_with_flags", "waiting")] == [1, 1]
    assert [value("rows", source="evn", outcome=o) for o in ("received", "loaded", "unchanged", "quarantined", "ignored")] == [
        117,
        100,
        5,
        10,
        2,
    ]
    assert (value("source_late", source="evn"), value("source_late", source="momo")) == (0, 1)
    assert (value("edition_held"), value("held_values"), value("held_back_values")) == (1, 6, 0)
    assert value("publication_timestamp_seconds") == began.timestamp()
    assert (value("run_lock_held"), value("lock_waits")) == (0, 0)
    assert (value("trouble", kind="failed"), value("trouble", kind="silent")) == (1, 0)
    assert value("database_bytes") > 1_000_000
    assert value("landing_bytes") == 1234
    assert value("disk_free_bytes") > 0
    labels = {name for _, pairs in found for name, _ in pairs}
    assert labels == {"source", "verdict", "outcome", "step", "status", "kind", "version", "schema"}, "none of a unit, a person or a file"


def test_a_warehouse_without_any_night_has_numbers_too(asked: TestClient) -> None:
    found = samples(asked.get("/metrics").text)
    assert found["bakhong_trouble", (("kind", "never"),)] == 1
    assert not [name for name, _ in found if name.endswith("timestamp_seconds")]


def test_the_stewards_login_may_count(engine: Engine, server: Server, settings: Settings) -> None:
    with engine.begin() as c:
        c.exec_driver_sql(f"ALTER ROLE bakhong_steward LOGIN PASSWORD '{server.passwords['steward']}'")
    steward = connect(server.url("steward", str(engine.url.database)))
    opened = client(steward, settings)
    assert "bakhong_database_bytes" in opened.get("/metrics").text
    assert opened.get("/healthz").status_code == 503  # no night yet
    steward.dispose()


@pytest.mark.parametrize(
    ("token", "address", "said", "code"),
    [
        (None, "127.0.0.1", None, 200),
        (None, "::1", None, 200),
        (None, "10.0.0.9", None, 403),
        ("a long word", "10.0.0.9", "Bearer a long word", 200),
        ("a long word", "10.0.0.9", "Bearer another", 403),
        ("a long word", "127.0.0.1", None, 403),
    ],
)
def test_the_numbers_are_for_this_machine_or_for_the_token(
    token: str | None, address: str, said: str | None, code: int, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if token is not None:
        monkeypatch.setenv("BAKHONG_METRICS_TOKEN", token)
    answer = client(engine, settings, address).get("/metrics", headers={"Authorization": said} if said else {})
    assert answer.status_code == code
    assert "a long word" not in answer.text
