"""A night that did not begin, died or failed is told once, by whoever comes first: the night itself, the next one, or `bakhong watch`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.flows.conftest import Webhook
from tests.nights import Patience, bakhong, environment, few_sources, started, url_of

SOURCE = 'sources:\n  - {{name: evn, feed: bills, layout: evn_csv, provider: evn, url: "{url}", expected: once}}\n'


@pytest.fixture
def env(engine: Engine, home: Path, prefect_home: Path, webhook: Webhook) -> dict[str, str]:
    """An installation with somebody to tell; the only source it has is not there."""
    (home / "sources.yaml").write_text(SOURCE.format(url=home / "nowhere" / "*.csv"))
    given = {"BAKHONG_MESSAGE_TO": webhook[1], "PREFECT_HOME": str(prefect_home)}
    return environment(home, home / "sources.yaml", url_of(engine)) | given


def told(webhook: Webhook) -> list[str]:
    """The lines of all messages."""
    return [line for _, body in webhook[0] for line in body["text"].splitlines() if line.startswith("- ")]


def a_run(engine: Engine, hours_ago: float, status: str = "completed") -> None:
    with engine.begin() as c:
        c.execute(
            text(
                "INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) "
                "VALUES ('nightly', now(), now() - :hours * interval '1 hour', :status, 'a-host', 4711)"
            ),
            {"hours": hours_ago, "status": status},
        )


def watched(env: dict[str, str]) -> tuple[int, Any]:
    done = bakhong("watch", env=env)
    return done.returncode, done


def test_all_is_well_and_nobody_is_told(engine: Engine, env: dict[str, str], webhook: Webhook) -> None:
    a_run(engine, 1)
    code, done = watched(env)
    assert (code, done.stdout.strip()) == (0, "Lượt đêm diễn ra bình thường.")
    assert told(webhook) == []


def test_a_night_that_did_not_begin_is_told_once_and_again_when_it_happens_again(
    engine: Engine, env: dict[str, str], webhook: Webhook
) -> None:
    a_run(engine, 27)
    assert [watched(env)[0] for _ in range(2)] == [1, 1]
    (line,) = told(webhook)
    assert line.startswith("- Hơn 26 giờ nay không có lượt chạy nào (lượt đêm cuối bắt đầu ")
    a_run(engine, 0)
    assert watched(env)[0] == 0
    with engine.begin() as c:
        c.execute(text("UPDATE ops.run SET started_at = started_at - interval '30 hours'"))
    assert watched(env)[0] == 1
    assert len(told(webhook)) == 2


def test_what_could_not_be_told_is_another_exit_code_and_told_later(engine: Engine, env: dict[str, str], webhook: Webhook) -> None:
    a_run(engine, 27)
    webhook[2]["status"] = 503
    code, done = watched(env)
    assert code == 2
    assert "Không gửi được tin báo (địa chỉ nhận trả lời 503)" in done.stderr
    webhook[2]["status"] = 200
    webhook[0].clear()
    assert watched(env)[0] == 1
    assert len(told(webhook)) == 1


def test_a_warehouse_that_does_not_answer_is_told_once(engine: Engine, env: dict[str, str], webhook: Webhook) -> None:
    a_run(engine, 1)
    gone = env | {"BAKHONG_WAREHOUSE_URL": "postgresql://bakhong:secret-word@127.0.0.1:9/gone"}
    outcomes = [watched(gone) for _ in range(2)]
    assert [code for code, _ in outcomes] == [1, 1]
    (line,) = told(webhook)
    assert line.startswith("- Kho số liệu không trả lời: ")
    assert "secret-word" not in line + outcomes[0][1].stderr
    assert watched(env)[0] == 0
    assert watched(gone)[0] == 1
    assert len(told(webhook)) == 2, "it had come back"


def test_a_night_that_fails_tells_so_itself_and_the_watch_does_not_tell_it_again(
    engine: Engine, env: dict[str, str], webhook: Webhook
) -> None:
    for _ in range(2):
        done = bakhong("nightly", env=env)
        assert done.returncode == 2, done.stdout + done.stderr
        assert watched(env)[0] == 1
    (line,) = told(webhook)
    assert "thất bại: Không nguồn nào nhận được tệp." in line
    Path(env["BAKHONG_SOURCES"]).write_text(few_sources(Path(env["BAKHONG_HOME"])).read_text())
    assert bakhong("nightly", "--date", "2025-05-05", env=env).returncode in (0, 1)
    assert watched(env)[0] == 0


def test_a_night_that_is_killed_is_told_by_the_next_where_nobody_watches(
    engine: Engine, env: dict[str, str], webhook: Webhook, home: Path
) -> None:
    few_sources(home)
    command = [sys.executable, "-m", "desk", "nightly", "--date", "2025-05-05"]
    with started(command, env=env, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as night:
        patience = Patience(home)
        while not (home / "log" / "bakhong.log").exists() or "delivery loaded" not in (home / "log" / "bakhong.log").read_text():
            assert night.poll() is None
            patience.wait(0.02)
        night.send_signal(signal.SIGKILL)
        night.wait()
    assert bakhong("nightly", "--date", "2025-05-05", env=env).returncode in (0, 1)
    (line,) = [line for line in told(webhook) if "bị ngắt" in line]
    assert "bị ngắt ở bước kiểm tra và nạp, dấu vết cuối " in line
    assert "chạy bakhong nightly để làm tiếp" in line
    lines = (home / "log" / "bakhong.log").read_text().splitlines()
    assert any(" WARNING a run before had died without a word killed_run=1" in line for line in lines)
    assert set(re.findall(r" run=(\d+)/", "\n".join(lines))) == {"1", "2"}
