"""`bakhong doctor`: real databases, servers and sources as they are, each fault told with what to do, and nothing made on the way."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
import yaml
from sqlalchemy import Engine, text

from desk.installation.checks import all_of, secrets
from desk.installation.doctor import Check, Finding, examine, good
from desk.installation.init import lay_down
from flows.planned import planned
from tests.flows.conftest import Webhook
from tests.flows.test_api import TOKEN, Endpoint, endpoint  # noqa: F401  # a fixture
from tests.flows.test_message import Letters, letters  # noqa: F401  # a fixture
from tests.flows.test_roles_at_work import logins  # noqa: F401  # a fixture
from tests.flows.test_sftp import Sshd, needs_sshd, sshd  # noqa: F401  # a fixture
from tests.nights import KEY, Patience, bakhong, environment, run_command, started, url_of
from warehouse.database import downgrade
from warehouse.grants import close_doors
from warehouse.pseudonym_key import begin_key
from warehouse.settings import Settings

Found = Callable[[], dict[str, Finding]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation as it was laid down, without a Prefect server, in which commands are given."""
    folder = tmp_path / "place"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BAKHONG_", "PREFECT_"))}
    monkeypatch.setattr(os, "environ", kept)  # what a `.env` adds goes with the test
    lay_down(folder, ["38"])
    (folder / ".env").write_text("", "utf-8")
    monkeypatch.setenv("BAKHONG_SECRET_KEY", KEY)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def found(place: Path) -> Found:
    """What doctor finds now, by what it is about."""

    def look() -> dict[str, Finding]:
        settings = Settings.from_environment(reading=True)
        return {finding.about: finding for finding in examine(all_of(settings), secrets(settings))}

    return look


def declare(place: Path, **entry: str) -> str:
    """Makes a source the only one, and returns what its line is about."""
    path = place / "sources.yaml"
    source = {"feed": "bills", "layout": "evn_csv", "provider": "evn", "expected": "once", "name": "evn-bills", **entry}
    path.write_text(yaml.safe_dump({"provinces": ["38"], "sources": [source]}), "utf-8")
    return f"Nguồn {source['name']}"


# The warehouse ----------------------------------------------------------------------------------------------------------


def test_a_warehouse_that_is_as_it_has_to_be(engine: Engine, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", url_of(engine))
    looked = found()
    with engine.connect() as connection:
        version = connection.dialect.server_version_info
    assert looked["Kho số liệu"].found.startswith(f"PostgreSQL {version[0]}.{version[1]}, 127.0.0.1:")  # type: ignore[index]
    assert (looked["Tài khoản kho"].state, looked["Tài khoản kho"].found) == ("to_know", "bakhong: chủ kho")
    assert "chỉ cần một tài khoản có vai trò bakhong_etl" in looked["Tài khoản kho"].to_do
    assert looked["Bảng của kho"].state == looked["Khóa của kho"].state == "good"
    assert looked["Chỗ trống của kho"].state == "good", "a server of this machine, asked by its owner"
    assert "Đồng hồ của kho" not in looked, "it is told where it is wrong"


@pytest.mark.parametrize(("role", "state"), [("etl", "good"), ("steward", "to_do")])
def test_what_a_login_may(role: str, state: str, logins: dict[str, str], found: Found, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", logins[role])
    looked = found()
    assert looked["Tài khoản kho"].state == state
    assert ("GRANT bakhong_etl TO only_steward;" in looked["Tài khoản kho"].to_do) is (role == "steward")
    assert looked["Bảng của kho"].state == looked["Khóa của kho"].state == "good"


def test_tables_that_are_older_or_newer_than_the_program(engine: Engine, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", url_of(engine))
    with engine.begin() as connection:
        connection.execute(text("UPDATE public.alembic_version SET version_num = '9999'"))
    assert "cập nhật chương trình" in found()["Bảng của kho"].found
    with engine.begin() as connection:
        connection.execute(text("UPDATE public.alembic_version SET version_num = '0001'"))
    assert "`bakhong warehouse upgrade`" in found()["Bảng của kho"].found
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM public.alembic_version")) == "0001", "which doctor leaves to its owner"


def test_an_empty_database_stays_empty(engine: Engine, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    downgrade(engine)
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", url_of(engine))
    looked = found()
    assert looked["Bảng của kho"].state == "to_do"
    assert "còn trống" in looked["Bảng của kho"].found
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regnamespace('ops')")) is None


def test_a_key_that_is_another(engine: Engine, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as connection:
        begin_key(connection, b"the key that the first night had")
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", url_of(engine))
    looked = found()
    assert looked["Khóa của kho"].state == "to_do"
    assert "không phải khóa mà kho đang dùng" in looked["Khóa của kho"].found
    monkeypatch.setenv("BAKHONG_SECRET_KEY", "the key that the first night had")
    assert found()["Khóa của kho"].state == "good"
    monkeypatch.delenv("BAKHONG_SECRET_KEY")
    assert "Chưa đặt BAKHONG_SECRET_KEY" in found()["Khóa bút danh"].found


def test_where_no_server_plans_the_nights_the_last_one_tells(engine: Engine, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", url_of(engine))
    assert found()["Lượt chạy cuối"].state == "to_know"
    ran = (
        "INSERT INTO ops.run (flow, as_of, started_at, finished_at, status, host, process_id) "
        "VALUES ('nightly', now(), now() - interval '{} hours', now(), '{}', 'here', 1)"
    )
    for hours, status, state in ((27, "completed", "to_do"), (2, "completed", "good"), (1, "failed", "to_do")):
        with engine.begin() as connection:
            connection.exec_driver_sql(ran.format(hours, status))
        assert found()["Lượt chạy cuối"].state == state, status
    assert "cron hay systemd timer" in found()["Máy chủ Prefect"].found
    assert "Múi giờ của máy" in found()


def test_what_readers_could_fill_the_disk_by_is_told_with_the_statement_that_closes_it(
    engine: Engine, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", url_of(engine))
    looked = found()["Quyền ghi của người đọc"]  # a copy of a database has the rights of a new one
    assert looked.state == "to_know"
    assert "REVOKE TEMPORARY ON DATABASE" in looked.to_do
    with engine.begin() as connection:
        close_doors(connection)
    assert "Quyền ghi của người đọc" not in found()


def test_a_database_that_does_not_answer_is_named_without_its_password(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://someone:hidden-word@127.0.0.1:1/c")
    looked = found()
    assert looked["Kho số liệu"].state == "to_do"
    assert "127.0.0.1:1" in looked["Kho số liệu"].found
    assert "hidden-word" not in str(looked)


# The sources ------------------------------------------------------------------------------------------------------------


def test_folders_that_are_there_and_one_that_is_not(place: Path, found: Found) -> None:
    (place / "inbox" / "people-counts" / "dan_cu_20241231.csv").write_text("x")
    (place / "inbox" / "agencies").mkdir()
    (place / "inbox" / "office-counts").rmdir()
    looked = found()
    assert looked["Nguồn people-counts"].found.startswith("1 tệp ở ")
    assert looked["Nguồn one-stop-shop"].found.startswith("0 tệp ở ")
    assert looked["Nguồn office-counts"].state == "to_do"
    assert looked["Nguồn office-counts"].found == f"không có thư mục {place}/inbox/office-counts (no such folder)"


@needs_sshd
def test_an_sftp_server_whose_key_is_known_and_then_another(place: Path, sshd: Sshd, found: Found) -> None:  # noqa: F811
    first, second = sshd.host_key("first"), sshd.host_key("second")
    sshd.start(first)
    sshd.know(first)
    source = sshd.source
    about = declare(place, url=source.url, known_hosts=str(sshd.known_hosts), key_file=str(sshd.login))
    assert found()[about].found.startswith("1 tệp ở sftp://")
    sshd.start(second)
    looked = found()[about]
    assert (looked.state, "đã đổi (host key changed)" in looked.found) == ("to_do", True)


@pytest.fixture
def web() -> Iterator[tuple[str, dict[str, int]]]:
    """A web server: its address, and the status that it answers with."""
    answer = {"status": 200}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"] if self.headers["Authorization"] == "Bearer of-evn" else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/evn_202403.csv", answer
        server.shutdown()


def test_a_web_server_and_the_token_that_it_asks_for(
    web: tuple[str, dict[str, int]], place: Path, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, answer = web
    about = declare(place, url=url, token="EVN_TOKEN")
    assert "chưa đặt biến môi trường EVN_TOKEN" in found()[about].found
    monkeypatch.setenv("EVN_TOKEN", "of-somebody-else")
    assert "401" in found()[about].found
    monkeypatch.setenv("EVN_TOKEN", "of-evn")
    assert (found()[about].state, found()[about].found) == ("good", "trả lời")
    answer["status"] = 503
    assert "503" in found()[about].found


def test_a_synchronisation_endpoint_and_the_token_that_it_asks_for(
    endpoint: Endpoint,  # noqa: F811
    place: Path,
    found: Found,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    about = declare(place, feed="dossiers", layout="dvcqg_json", provider="td", url=endpoint.url, token="ONE_STOP_SHOP_TOKEN")
    monkeypatch.setenv("ONE_STOP_SHOP_TOKEN", TOKEN)
    assert (found()[about].state, found()[about].found) == ("good", "trả lời")
    monkeypatch.setenv("ONE_STOP_SHOP_TOKEN", "of-somebody-else")
    assert (found()[about].state, found()[about].found) == ("to_do", "trang 1: HTTP 401")


def test_sources_that_are_declared_wrongly_are_told_as_the_night_would(place: Path, found: Found) -> None:
    declare(place, url="inbox/x/*.csv", layout="evn_cvs")
    assert "không có bố cục 'evn_cvs'" in found()["sources.yaml"].found


# What hangs, what is secret, what is open ----------------------------------------------------------------------------------


def test_what_does_not_answer_is_told_and_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.installation.doctor.SECONDS", 1)
    never = Event()
    began = time.monotonic()
    hanging = [Check(f"Nguồn {number}", lambda: iter([good("x", str(never.wait()))])) for number in range(3)]
    looked = examine([*hanging, Check("Chỗ trống", lambda: [good("Chỗ trống", "đủ")])])
    assert [finding.found for finding in looked] == ["không trả lời trong 1 giây"] * 3 + ["đủ"]
    assert time.monotonic() - began < 3, "side by side"
    never.set()


def test_no_secret_is_quoted_whoever_quotes_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://etl:p%40ssword@db/c")
    declare(place, url="https://evn.example/x.csv", token="EVN_TOKEN")
    (place / "token").write_text("of-evn\n")
    monkeypatch.setenv("EVN_TOKEN_FILE", str(place / "token"))
    hidden = secrets(Settings.from_environment(reading=True))
    quoting = Check("x", lambda: [good("x", f"{KEY}, p@ssword, of-evn, other")])
    assert examine([quoting], hidden)[0].found == "***, ***, ***, other"


def test_files_that_others_may_read_and_the_line_that_closes_them(place: Path, found: Found) -> None:
    (place / ".env").chmod(0o644)
    (place / ".bakhong").chmod(0o755)
    (place / ".bakhong" / "landing").mkdir()
    (place / ".bakhong" / "landing").chmod(0o755)
    open_ones = found()["Tệp riêng tư"]
    assert open_ones.state == "to_do"
    assert {f"{place}/.env", f"{place}/.bakhong/landing"} <= set(open_ones.to_do.split())
    subprocess.run(shlex.split(open_ones.to_do), check=True)
    assert found()["Tệp riêng tư"].state == "good"


def test_it_makes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    env = environment(tmp_path / "home")
    del env["BAKHONG_SOURCES"]
    done = run_command([sys.executable, "-m", "desk", "doctor"], env, folder, tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Không có tệp nguồn" in done.stdout
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "home").exists()


# Who is told ------------------------------------------------------------------------------------------------------------


def test_a_mail_server_is_greeted_and_sent_nothing(
    letters: tuple[Letters, str],  # noqa: F811
    found: Found,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, address = letters
    monkeypatch.setenv("BAKHONG_MESSAGE_TO", address)
    assert found()["Báo tin"] == good("Báo tin", "smtp://127.0.0.1 trả lời (chưa gửi gì)")
    assert told.taken == []
    monkeypatch.setenv("BAKHONG_MESSAGE_TO", "smtp://127.0.0.1:1?from=a@tinh.vn&to=b@tinh.vn")
    assert found()["Báo tin"].state == "to_do"


def test_a_webhook_is_reached_and_its_address_is_kept(webhook: Webhook, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    posted, address, _ = webhook
    monkeypatch.setenv("BAKHONG_MESSAGE_TO", address)
    assert found()["Báo tin"].state == "good"
    assert "hook" not in found()["Báo tin"].found
    assert posted == []


# Prefect's server -------------------------------------------------------------------------------------------------------


def test_a_prefect_server_that_does_not_answer(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    looked = found()["Máy chủ Prefect"]
    assert (looked.state, looked.found) == ("to_do", "Máy chủ Prefect ở 127.0.0.1:1 không trả lời (ConnectError).")


def test_a_healthy_server_whose_scheduler_plans_nothing(place: Path, tmp_path: Path, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, login = f"http://127.0.0.1:{port}/api", {"PREFECT_API_AUTH_STRING": "admin:of-prefect"}
    env = {
        **os.environ,
        **login,
        "PREFECT_SERVER_API_AUTH_STRING": "admin:of-prefect",
        "PREFECT_API_URL": url,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    }
    prefect, log = [sys.executable, "-m", "prefect"], tmp_path / "log"
    with ExitStack() as processes, log.open("wb") as said:

        def do(*words: str, folder: Path) -> None:
            done = run_command([*prefect, *words], env, folder, tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr

        begun = [*prefect, "server", "start", "--port", str(port), "--no-ui"]
        server = processes.enter_context(started(begun, env=env, cwd=place, stdout=said, stderr=said))
        patience = Patience(tmp_path)
        while True:
            try:
                assert httpx.get(f"{url}/health", timeout=30).json() is True
                break
            except httpx.ConnectError:
                assert server.poll() is None, log.read_text("utf-8")[-3000:]
                patience.wait(0.3)
        monkeypatch.setenv("PREFECT_API_URL", url)
        assert "xem lại PREFECT_API_AUTH_STRING" in found()["Máy chủ Prefect"].found
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", login["PREFECT_API_AUTH_STRING"])

        def answered() -> dict[str, Finding]:
            """What is found once the server, on a busy machine, answers in time."""
            while "Lịch chạy đêm" not in (looked := found()):
                patience.wait(0.3)
            return looked

        assert answered()["Lịch chạy đêm"].found == "chưa có trên máy chủ"
        do("work-pool", "create", "bakhong", "--type", "process", folder=place)
        elsewhere = tmp_path / "elsewhere"
        lay_down(elsewhere, ["38"])
        do("--no-prompt", "deploy", "--all", folder=elsewhere)
        assert str(elsewhere) in answered()["Lịch chạy đêm"].found
        assert answered()["Lịch chạy đêm"].state == "to_do"
        do("--no-prompt", "deploy", "--all", folder=place)
        looked = answered()
        assert looked["Máy chủ Prefect"].state == looked["Lịch chạy đêm"].state == "good"
        assert "of-prefect" not in str(looked)
        assert looked["Lượt đêm tới"].state == "to_do", "although the server is healthy"
        assert "bộ xếp lịch của máy chủ không làm việc" in looked["Lượt đêm tới"].found
        assert looked["Worker"].state == "to_do"
        plan = planned()
        assert plan is not None
        assert (plan.next_night, plan.is_deployed, plan.is_paused, plan.zones) == (None, True, False, ["Asia/Ho_Chi_Minh"])
        assert abs(plan.clock - datetime.now(UTC)).total_seconds() < 30


def test_a_script_is_answered_in_json(place: Path, engine: Engine) -> None:
    env = environment(place / ".bakhong", place / "sources.yaml", url_of(engine))
    done = bakhong("doctor", "--json", env=env, folder=place)
    assert done.returncode == 0, done.stdout + done.stderr
    findings = json.loads(done.stdout)["findings"]
    assert {"about", "state", "found", "to_do", "moment"} == set(findings[0])
    assert {finding["state"] for finding in findings} == {"good", "to_know"}
