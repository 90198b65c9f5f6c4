"""SFTP, only from servers that prove who they are.

fsspec's own file system takes any host key it meets, and a changed one without a word: whoever stands in a server's place
would be believed. Here a key that no known_hosts file holds ends the pull before anything is said or taken.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import shlex
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem
from paramiko.sftp import CMD_NAME

from tasks.words.vietnamese import safe
from warehouse.settings import Refusal

KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
"""Where known keys are looked up if the source names no file of its own."""

TIMEOUT = 30.0
"""Seconds of silence, at every step, after which a server counts as gone."""

logging.getLogger("paramiko.transport").setLevel(logging.CRITICAL)  # it prints the traceback of whatever it raises


class ProvenSftp(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The files of one server that proved who it is; a connection of its own for each pull, closed by who opened it."""

    cachable = False

    def __init__(
        self,
        host: str,
        source: str = "",
        secret: str | None = None,
        known_hosts: str | None = None,
        key_file: str | None = None,
        **options: Any,
    ) -> None:
        self._source = source or host
        self._known_hosts = known_hosts
        login: dict[str, Any] = {}
        if key_file:
            login = {"pkey": _private_key(self._source, key_file, secret)}
        elif secret:
            login = {"password": secret}
        if login:
            login |= {"allow_agent": False, "look_for_keys": False}
        super().__init__(host.lower(), **options, **login)

    def _connect(self) -> None:
        port = self.ssh_kwargs.get("port", 22)
        door = _Door(self._source, self.host, port, self._known_hosts)
        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(door)
        waits: dict[str, Any] = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout", "channel_timeout"), TIMEOUT)
        began = time.monotonic()
        with ExitStack() as failed:
            failed.callback(self.client.close)
            try:
                self.client.connect(self.host, transport_factory=door.transport, **waits, **self.ssh_kwargs)
                self.ftp = _AnyNames.from_transport(self.client.get_transport())  # type: ignore[arg-type]  # it is connected, so
                self.ftp.sock.settimeout(TIMEOUT)  # type: ignore[union-attr]  # neither is nothing
            except paramiko.AuthenticationException as error:
                raise Refusal(
                    f"{self._source}: máy chủ {self.host}:{port} không cho đăng nhập (login refused: {_line(error)}); "
                    "xem lại tên người dùng trong url, `token` và `key_file`."
                ) from None
            except (paramiko.SSHException, EOFError, OSError) as error:
                raise ConnectionError(_why_not(error, f"{self.host}:{port}", time.monotonic() - began)) from None
            failed.pop_all()

    def walk(self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "raise", **options: Any) -> Any:
        """Lists folders; one that cannot be listed is an error, where fsspec would take it for empty."""
        return super().walk(path, maxdepth, topdown, on_error, **options)

    @staticmethod
    def _decode_stat(stat: paramiko.SFTPAttributes, parent_path: str | None = None) -> dict[str, Any]:
        """With the mode, where fsspec takes a pipe for a file."""
        return {**SFTPFileSystem._decode_stat(stat, parent_path), "mode": stat.st_mode}

    def close(self) -> None:
        """Ends the connection."""
        self.client.close()


class _AnyNames(paramiko.SFTPClient):
    """Gives names that are no Unicode as Python gives those of this machine, where paramiko would break on their whole folder."""

    def listdir_iter(self, path: bytes | str = ".", read_aheads: int = 50) -> Iterator[paramiko.SFTPAttributes]:
        return iter(self.listdir_attr(path))  # type: ignore[arg-type]  # which asks through _request, as the iterator does not

    def _request(self, kind: Any, *given: Any) -> Any:
        kind, answer = super()._request(kind, *given)  # type: ignore[misc]
        return kind, _AnyText(answer.get_remainder()) if kind == CMD_NAME else answer

    def _adjust_cwd(self, path: bytes | str) -> Any:
        return super()._adjust_cwd(path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path)  # type: ignore[misc]


class _AnyText(paramiko.Message):
    def get_text(self) -> str:
        return self.get_string().decode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class _Known:
    """A line of a known_hosts file that speaks of the server, or takes a key from everyone."""

    kind: str
    key: bytes
    place: str
    is_revoked: bool = False


class _Door(paramiko.MissingHostKeyPolicy):
    """Judges the key a server shows. The client itself is given none, so that every key is `missing` and comes here.

    paramiko's own reading of known_hosts stops at a line it does not understand (@cert-authority), passes over @revoked, and
    compares one key of a kind only: it would call a key changed that was added beside the old one, before the server took it up.
    """

    def __init__(self, source: str, host: str, port: int, known_hosts: str | None) -> None:
        self._source, self._host, self._port = source, host, port
        files = [Path(known_hosts)] if known_hosts else [Path(name).expanduser() for name in KNOWN_HOSTS]
        self._file = files[0]
        server = host if port == 22 else f"[{host}]:{port}"
        try:
            self._known = [known for file in files if known_hosts or file.exists() for known in _lines(file, server)]
        except OSError as error:
            raise Refusal(
                f"{source}: không đọc được tệp khóa máy chủ đã biết, known_hosts {error.filename} (cannot be read: {error.strerror})."
            ) from None

    def transport(self, *given: Any, **options: Any) -> paramiko.Transport:
        """A connection that asks for a key of a kind that is known before any other, as ssh does."""
        transport = paramiko.Transport(*given, **options)
        kinds = {known.kind for known in self._known if not known.is_revoked}
        offers = transport.get_security_options()
        offers.key_types = sorted(offers.key_types, key=lambda kind: ("ssh-rsa" if kind.startswith("rsa-") else kind) not in kinds)
        return transport

    def missing_host_key(self, _client: paramiko.SSHClient, _hostname: str, key: paramiko.PKey) -> None:
        """Returns where the key is known; a refusal says in one line what was shown, and what to do."""
        same = [known for known in self._known if known.key == key.asbytes()]
        if same and not any(known.is_revoked for known in same):
            return
        shown = f"{key.get_name()} {_fingerprint(key.asbytes())}"
        where = f"{self._source}: không nhận tệp nào, vì khóa của máy chủ {self._host}:{self._port}"
        for known in same:
            if known.is_revoked:
                raise Refusal(f"{where} đã bị thu hồi (revoked host key): {shown} ({known.place}). Hỏi người quản trị máy chủ.")
        before = [f"{known.kind} {_fingerprint(known.key)} ({known.place})" for known in self._known if not known.is_revoked]
        if before:
            raise Refusal(
                f"{where} đã đổi (host key changed): nay là {shown}, đã biết {', '.join(before)}. Có thể có kẻ mạo danh máy chủ: "
                "hỏi người quản trị máy chủ và đối chiếu dấu vân tay trước khi thay dòng đó."
            )
        raise Refusal(
            f"{where} chưa được biết (unknown host key): {shown}. Hỏi người quản trị máy chủ dấu vân tay của khóa; nếu đúng như trên "
            f"thì thêm khóa: ssh-keyscan -p {self._port} {shlex.quote(self._host)} >> {shlex.quote(str(self._file))}"
        )


def _lines(file: Path, server: str) -> Iterator[_Known]:
    """What a known_hosts file says of a server, and the keys it revokes; lines that are not understood make nothing known."""
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        match line.split():
            case ["@revoked", _, kind, key, *_]:
                is_revoked = True
            case [names, kind, key, *_] if any(_is(name, server) for name in names.split(",")):
                is_revoked = False
            case _:
                continue
        try:
            yield _Known(kind, base64.b64decode(key), f"{file}, dòng {number}", is_revoked)
        except ValueError:
            continue


def _is(name: str, server: str) -> bool:
    """Whether a name in a known_hosts file, plain or hashed, is the server's."""
    if not name.startswith("|1|"):
        return name.lower() == server
    try:
        return paramiko.HostKeys.hash_host(server, name) == name
    except (ValueError, AssertionError):
        return False


def _why_not(error: Exception, server: str, waited: float) -> str:
    """Why a server could not be used, in one line; paramiko has many words for a silence."""
    if isinstance(error, socket.gaierror):
        return f"không có máy chủ nào tên như trong {server} ({error.strerror})"
    if waited >= TIMEOUT:
        return f"máy chủ {server} không trả lời trong {waited:.0f} giây (timed out)"
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        first = next(iter(error.errors.values()))
        what = "từ chối kết nối" if isinstance(first, ConnectionRefusedError) else "không tới được"
        return f"máy chủ {server} {what} ({_line(first)})"
    return f"không dùng được SFTP của {server} ({_line(error)})"


def _line(error: Exception) -> str:
    return safe(" ".join(str(error).split()), 300) or type(error).__name__


def _fingerprint(key: bytes) -> str:
    """As ssh-keygen -l prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _private_key(source: str, path: str, passphrase: str | None) -> paramiko.PKey:
    try:
        # Its type says text, what it calls wants bytes.
        return paramiko.PKey.from_path(path, passphrase.encode() if passphrase else None)  # type: ignore[arg-type]
    except OSError as error:
        why = f"không đọc được (cannot be read: {error.strerror})"
    except TypeError:
        why = "không có mật khẩu, bỏ `token` (no passphrase)" if passphrase else "có mật khẩu, cần `token` (passphrase needed)"
    except Exception:  # whatever a parser makes of it: its words may quote the file
        why = "sai mật khẩu (`token`), hoặc không phải khóa riêng của OpenSSH (wrong passphrase, or no private key)"
    raise Refusal(f"{source}: khóa đăng nhập {path} {why}.")
