"""Files are pulled from a real SFTP server on loopback."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from sqlalchemy import Engine

from tasks.pull import Source, pending, pull

PASSWORD = "only for this test"


class Doorkeeper(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if (username, password) == ("bakhong", PASSWORD) else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


def files_of(root: Path) -> type[paramiko.SFTPServerInterface]:
    class Files(paramiko.SFTPServerInterface):
        def list_folder(self, path: str) -> list[paramiko.SFTPAttributes]:  # type: ignore[override]
            return [paramiko.SFTPAttributes.from_stat(entry.stat(), entry.name) for entry in sorted((root / path.lstrip("/")).iterdir())]

        def stat(self, path: str) -> paramiko.SFTPAttributes | int:
            try:
                return paramiko.SFTPAttributes.from_stat((root / path.lstrip("/")).stat())
            except OSError:
                return paramiko.SFTP_NO_SUCH_FILE

        lstat = stat

        def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle:
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = (root / path.lstrip("/")).open("rb")  # type: ignore[attr-defined]
            return handle

    return Files


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "outbox").mkdir()
    key = paramiko.RSAKey.generate(2048)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        transports: list[paramiko.Transport] = []

        def serve() -> None:
            while True:
                try:
                    peer, _ = listening.accept()
                except OSError:
                    return
                transport = paramiko.Transport(peer)
                transport.add_server_key(key)
                transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files_of(tmp_path))
                transports.append(transport)
                transport.start_server(server=Doorkeeper())

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        for transport in transports:
            transport.close()


def test_a_file_on_an_sftp_server_lands_once(
    engine: Engine, home: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "outbox" / "td_20240315.csv"
    file.write_bytes(b"MaHoSo\n1\n")
    os.utime(file, (0, 0))
    monkeypatch.setenv("SFTP_PASSWORD", PASSWORD)
    source = Source("td", "dossiers", "dvcqg_csv", "td", f"sftp://bakhong@127.0.0.1:{port}/outbox/*.csv", "daily", "SFTP_PASSWORD")
    assert pull(engine, source, home) == 1
    (delivery,) = pending(engine, home)
    assert delivery.file_name == "td_20240315.csv"
    assert delivery.path.read_bytes() == b"MaHoSo\n1\n"
    assert pull(engine, source, home) == 0


def test_a_wrong_password_is_an_error_that_does_not_say_it(engine: Engine, home: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFTP_PASSWORD", "a wrong secret")
    source = Source("td", "dossiers", "dvcqg_csv", "td", f"sftp://bakhong@127.0.0.1:{port}/outbox/*.csv", "daily", "SFTP_PASSWORD")
    with pytest.raises(Exception) as refused:  # whichever kind the driver raises
        pull(engine, source, home)
    assert "a wrong secret" not in str(refused.value)
    assert not pending(engine, home)
