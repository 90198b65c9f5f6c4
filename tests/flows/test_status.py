"""`bakhong status` tells whoever watches it whether the nights happen: by its words, and by its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.nights import bakhong, environment, url_of

SOURCES = """
sources:
  - {name: evn, feed: bills, layout: evn_csv, provider: evn, url: "in/*.csv", expected: once}
"""


@pytest.fixture
def env(engine: Engine, home: Path) -> dict[str, str]:
    """An installation whose only source has sent what was expected of it."""
    (home / "sources.yaml").write_text(SOURCES)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, exported_at, received_at, loaded_at, status, "
                "verdict, rows_received, rows_loaded, rows_unchanged, rows_quarantined, rows_ignored) "
                "VALUES ('evn', 'bills', 'evn_csv', 'evn', 'a.csv', 'ff', now(), now(), now(), 'loaded', 'accept', 1, 1, 0, 0, 0)"
            )
        )
    return environment(home, home / "sources.yaml", url_of(engine))


@pytest.mark.parametrize(
    ("status", "hours_ago", "code", "told"),
    [
        ("completed", 1, 0, "hoàn thành"),
        ("completed", 25.9, 0, "hoàn thành"),
        ("completed", 26.1, 1, "26 giờ nay không có lượt chạy nào"),
        ("failed", 1, 1, "thất bại"),
        ("killed", 1, 1, "bị ngắt"),
        ("running", 1, 1, "bị ngắt"),  # nobody holds the lock
        (None, 0, 1, "26 giờ nay không có lượt chạy nào"),
    ],
)
def test_a_failed_a_dead_and_a_missing_run_are_told_and_leave_another_exit_code(
    status: str | None, hours_ago: float, code: int, told: str, engine: Engine, env: dict[str, str]
) -> None:
    if status is not None:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) "
                    "VALUES ('nightly', now(), now() - :hours * interval '1 hour', :status, 'a-host', 4711)"
                ),
                {"hours": hours_ago, "status": status},
            )
    said = bakhong("status", env=env)
    assert said.returncode == code, said
    assert told in said.stdout + said.stderr


def test_payments_that_wait_for_their_bill_are_told_with_their_age(engine: Engine, env: dict[str, str]) -> None:
    with engine.begin() as connection:
        delivery_id = connection.scalar(text("UPDATE ops.delivery SET exported_at = now() - interval '12 days' RETURNING delivery_id"))
        connection.execute(
            text(
                "INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) "
                "VALUES ('nightly', now(), now(), 'completed', 'a-host', 4711)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO ops.quarantine (delivery_id, row_number, rule_code, column_name, severity, message_vi, status, awaited_key) "
                "SELECT :delivery_id, n, 'PAY-006', 'ID_HDON', 'critical', 'Chưa có hóa đơn', 'waiting', n FROM generate_series(1, 1234) n"
            ),
            {"delivery_id": delivery_id},
        )
    said = bakhong("status", env=env)
    assert said.returncode == 0, said
    line = next(line for line in said.stdout.split("Giao dịch chờ hóa đơn")[1].splitlines() if "evn" in line)
    assert line.split()[:2] + line.split()[-1:] == ["evn", "1.234", "12"]
