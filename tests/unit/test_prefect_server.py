"""The server of one command starts ahead of it, for those commands only that run a flow where no other server is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desk import prefect_server


class NoServer:
    """Stands for a started server."""

    url = "http://127.0.0.1:1/api"

    def stop(self) -> None:
        """Nothing to end."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BAKHONG_", "PREFECT_"))}
    monkeypatch.setattr(os, "environ", kept | {"BAKHONG_HOME": str(tmp_path / "home")})
    monkeypatch.setattr(prefect_server, "Server", NoServer)
    monkeypatch.setattr(prefect_server, "_begun", None)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [["nightly"], ["backfill", "--from", "2024-01", "--to", "2024-02"], ["demo"]])
def test_a_command_that_runs_a_flow_is_given_the_server_begun_for_it(words: list[str]) -> None:
    prefect_server.begin(words)
    begun = prefect_server._begun
    assert isinstance(begun, NoServer)
    with prefect_server.prefect_server() as server:
        assert server is begun
        assert os.environ["PREFECT_API_URL"] == NoServer.url
    assert "PREFECT_API_URL" not in os.environ


@pytest.mark.parametrize("words", [[], ["status"], ["nightly", "--help"], ["quarantine", "list"]])
def test_none_is_begun_for_any_other(words: list[str], tmp_path: Path) -> None:
    prefect_server.begin(words)
    assert prefect_server._begun is None
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("given", ["environment", "file"])
def test_none_is_begun_where_one_is_given(given: str, tmp_path: Path) -> None:
    if given == "file":
        (tmp_path / ".env").write_text(f"PREFECT_API_URL={NoServer.url}\n", "utf-8")
    else:
        os.environ["PREFECT_API_URL"] = NoServer.url
    prefect_server.begin(["nightly"])
    assert prefect_server._begun is None


def test_what_is_wrong_is_left_for_the_command_to_tell() -> None:
    os.environ["BAKHONG_HOEM"] = "/nowhere"
    prefect_server.begin(["nightly"])
    assert prefect_server._begun is None
