"""Files are pulled over SFTP from servers that prove who they are: OpenSSH's own sshd, and one in this process for passwords."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import paramiko
import pytest
import yaml
from prefect.states import Failed
from sqlalchemy import Engine

from flows.nightly import night
from flows.steps import WITHOUT_PREFECT, is_worth_another_try
from tasks.deliveries.ledger import pending
from tasks.deliveries.source import Source
from tasks.pull import landing as module
from tasks.pull import sftp as pull_sftp
from tasks.pull.landing import Pulled, Unreadable, pull
from tests.nights import KEY, SAMPLES
from warehouse.settings import Refusal, Settings

PASSWORD = "only for this test"
ME = pwd.getpwuid(os.getuid()).pw_name
SSHD = Path(shutil.which("sshd") or "/usr/sbin/sshd")

needs_sshd = pytest.mark.skipif(not SSHD.is_file(), reason="sshd is not installed")


def keygen(*words: str | Path) -> str:
    return subprocess.run(["ssh-keygen", *words], capture_output=True, text=True, check=True).stdout


def new_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    keygen("-q", "-t", kind, "-N", passphrase, "-f", path)
    return path


def public(key: Path) -> str:
    return Path(f"{key}.pub").read_text()


def fingerprint(key: Path) -> str:
    """As OpenSSH itself tells it."""
    return keygen("-lf", f"{key}.pub").split()[1]


def connections() -> list[paramiko.Transport]:
    return [thread for thread in threading.enumerate() if isinstance(thread, paramiko.Transport) and thread.is_active()]


@dataclass
class Sshd:
    """An sshd on loopback that lets the user of this process in with a key; it keeps its port when it starts anew."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.outbox = self.folder / "outbox"
        self.outbox.mkdir(parents=True)
        self.login = new_key(self.folder / "login")
        self.authorized = self.folder / "authorized_keys"
        self.authorized.write_text(public(self.login))
        self.known_hosts = self.folder / "known_hosts"
        self.known_hosts.touch()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def host_key(self, name: str, kind: str = "ed25519") -> Path:
        return new_key(self.folder / name, kind)

    def start(self, *host_keys: Path) -> None:
        self.stop()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd locks itself in
        config, log = self.folder / "sshd_config", self.folder / "sshd.log"
        lines = [f"Port {self.port}", "ListenAddress 127.0.0.1", "PidFile none", "StrictModes no", "UsePAM no", "PasswordAuthentication no"]
        lines += [f"AuthorizedKeysFile {self.authorized}", "Subsystem sftp internal-sftp", *(f"HostKey {key}" for key in host_keys)]
        config.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen([SSHD, "-D", "-f", config, "-E", log])
        while True:
            assert self.process.poll() is None, log.read_text()
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()

    def know(self, *keys: Path) -> None:
        """Writes known_hosts anew."""
        self.known_hosts.write_text("".join(f"[127.0.0.1]:{self.port} {public(key)}" for key in keys))

    def offer(self, name: str, content: bytes) -> None:
        (self.outbox / name).write_bytes(content)

    @property
    def source(self) -> Source:
        url = f"sftp://{ME}@127.0.0.1:{self.port}{self.outbox}/*.csv"
        return Source("td", "dossiers", "dvcqg_csv", "td", url, "daily", known_hosts=str(self.known_hosts), key_file=str(self.login))


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "server")
    server.offer("td_20240315.csv", b"MaHoSo\n1\n")
    yield server
    server.stop()
    assert not connections()  # whatever became of the pull


@pytest.fixture
def user_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The .ssh folder of a user who has nothing yet."""
    folder = tmp_path / "user" / ".ssh"
    folder.mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


def refused(engine: Engine, source: Source, home: Path) -> str:
    """The one line with which a pull is refused."""
    with pytest.raises(Refusal) as refusal:
        pull(engine, source, home)
    said = str(refusal.value)
    assert said.startswith(f"{source.name}: ")
    assert said == " ".join(said.split())
    return said


def landed(home: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (home / "landing" / "td").iterdir())


@needs_sshd
def test_a_server_that_changed_its_key_gives_nothing_until_the_new_key_is_known(engine: Engine, home: Path, sshd: Sshd) -> None:
    first, second = sshd.host_key("first"), sshd.host_key("second")
    sshd.start(first)
    sshd.know(first)
    assert pull(engine, sshd.source, home).landed == 1
    (delivery,) = pending(engine, home)
    assert (delivery.file_name, delivery.path.read_bytes()) == ("td_20240315.csv", b"MaHoSo\n1\n")

    sshd.start(second)
    sshd.offer("td_20240316.csv", b"MaHoSo\n2\n")
    said = refused(engine, sshd.source, home)
    assert f" 127.0.0.1:{sshd.port} đã đổi (host key changed): nay là ssh-ed25519 {fingerprint(second)}, " in said
    assert f"đã biết ssh-ed25519 {fingerprint(first)} ({sshd.known_hosts}, dòng 1)" in said
    assert landed(home) == [b"MaHoSo\n1\n"]
    assert pending(engine, home) == [delivery]

    sshd.know(second)
    assert pull(engine, sshd.source, home).landed == 1
    assert landed(home) == [b"MaHoSo\n1\n", b"MaHoSo\n2\n"]


@needs_sshd
def test_an_unknown_key_is_refused_and_the_command_it_names_makes_it_known(engine: Engine, home: Path, sshd: Sshd) -> None:
    sshd.known_hosts = sshd.folder / "known hosts"
    sshd.known_hosts.write_text("# nobody yet\n")
    key = sshd.host_key("key")
    sshd.start(key)
    said = refused(engine, sshd.source, home)
    assert f" 127.0.0.1:{sshd.port} chưa được biết (unknown host key): ssh-ed25519 {fingerprint(key)}. " in said
    assert landed(home) == []
    advice = said.partition("thêm khóa: ")[2]
    assert advice == f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> {shlex.quote(str(sshd.known_hosts))}"
    subprocess.run(["sh", "-c", advice], check=True, capture_output=True)
    assert pull(engine, sshd.source, home).landed == 1


@needs_sshd
def test_hashed_names_are_understood(engine: Engine, home: Path, sshd: Sshd) -> None:
    first, second = sshd.host_key("first"), sshd.host_key("second")
    sshd.know(first)
    keygen("-H", "-f", sshd.known_hosts)
    assert sshd.known_hosts.read_text().startswith("|1|")
    sshd.start(first)
    assert pull(engine, sshd.source, home).landed == 1
    sshd.start(second)
    assert "host key changed" in refused(engine, sshd.source, home)


@needs_sshd
def test_a_new_key_may_be_added_beside_the_old_one_before_the_server_takes_it_up(engine: Engine, home: Path, sshd: Sshd) -> None:
    first, second = sshd.host_key("first"), sshd.host_key("second")
    sshd.know(first, second)
    sshd.start(first)
    assert pull(engine, sshd.source, home).landed == 1
    sshd.start(second)
    assert pull(engine, sshd.source, home).landed == 0


@needs_sshd
@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_of_several_keys_the_server_is_asked_for_the_known_one(engine: Engine, home: Path, sshd: Sshd, kind: str) -> None:
    known = sshd.host_key("known", kind)
    sshd.start(sshd.host_key("other"), known)
    sshd.know(known)
    assert pull(engine, sshd.source, home).landed == 1


@needs_sshd
def test_a_revoked_key_is_refused_and_lines_that_are_not_understood_make_nothing_known(engine: Engine, home: Path, sshd: Sshd) -> None:
    key = sshd.host_key("key")
    sshd.start(key)
    kind, blob, *_ = public(key).split()
    name = f"[127.0.0.1]:{sshd.port}"
    rubbish = [f"|1|A {kind} {blob}", f"|1|A|B {kind} {blob}", f"{name} {kind}", f"{name} {kind} A"]
    rubbish += [f"@cert-authority {name} {kind} {blob}"]
    sshd.known_hosts.write_text("\n".join([*rubbish, f"{name}1 {kind} {blob}", f"# {kind} {blob}", "\xff"]), "latin-1")
    assert "unknown host key" in refused(engine, sshd.source, home)
    sshd.known_hosts.write_text("\n".join([*rubbish, f"other,{name} {kind} {blob} a comment"]))
    assert pull(engine, sshd.source, home).landed == 1
    sshd.known_hosts.write_text(f"{name} {kind} {blob}\n@revoked * {kind} {blob}\n")
    assert f"(revoked host key): ssh-ed25519 {fingerprint(key)} ({sshd.known_hosts}, dòng 2)" in refused(engine, sshd.source, home)


@needs_sshd
def test_without_a_file_of_its_own_a_source_believes_those_of_the_user_and_the_machine(
    engine: Engine, home: Path, sshd: Sshd, user_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = sshd.folder / "ssh_known_hosts"
    monkeypatch.setattr(pull_sftp, "KNOWN_HOSTS", (pull_sftp.KNOWN_HOSTS[0], str(machine)))
    source = replace(sshd.source, known_hosts=None)
    key = sshd.host_key("key")
    sshd.start(key)
    assert refused(engine, source, home).endswith(f" >> {user_home}/known_hosts")
    sshd.know(key)
    shutil.copy(sshd.known_hosts, user_home)
    assert pull(engine, source, home).landed == 1
    (user_home / "known_hosts").unlink()
    shutil.copy(sshd.known_hosts, machine)
    assert pull(engine, source, home).landed == 0


@needs_sshd
def test_a_url_that_reaches_sftp_through_another_file_system_is_held_to_the_same(
    engine: Engine, home: Path, sshd: Sshd, user_home: Path
) -> None:
    sshd.start(sshd.host_key("key"))
    with pytest.raises(Refusal, match="unknown host key"):
        pull(engine, replace(sshd.source, url=f"simplecache::{sshd.source.url}"), home)


@needs_sshd
def test_a_key_file_with_a_passphrase(engine: Engine, home: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    key, locked = sshd.host_key("key"), new_key(sshd.folder / "locked", passphrase=PASSWORD)
    sshd.authorized.write_text(public(locked))
    sshd.start(key)
    sshd.know(key)
    source = replace(sshd.source, key_file=str(locked))
    assert "passphrase needed" in refused(engine, source, home)
    monkeypatch.setenv("SFTP_KEY", "a wrong secret")
    source = replace(source, token="SFTP_KEY")
    said = refused(engine, source, home)
    assert f"{locked} sai mật khẩu" in said
    assert "a wrong secret" not in said
    assert "no passphrase" in refused(engine, replace(source, key_file=str(sshd.login)), home)
    monkeypatch.setenv("SFTP_KEY", PASSWORD)
    assert pull(engine, source, home).landed == 1


@needs_sshd
def test_with_a_key_file_no_other_key_is_tried(
    engine: Engine, home: Path, sshd: Sshd, user_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = sshd.host_key("key")
    sshd.start(key)
    sshd.know(key)
    stranger = replace(sshd.source, key_file=str(new_key(sshd.folder / "stranger")))
    shutil.copy(sshd.login, user_home / "id_ed25519")
    said = refused(engine, stranger, home)
    assert f"127.0.0.1:{sshd.port} không cho đăng nhập (login refused: Authentication failed" in said
    assert pull(engine, replace(stranger, key_file=None), home).landed == 1  # the user's own key would have opened
    (user_home / "id_ed25519").unlink()

    agent = subprocess.Popen(["ssh-agent", "-D", "-a", user_home / "agent"], stdout=subprocess.DEVNULL)
    try:
        while not (user_home / "agent").exists():
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(user_home / "agent"))
        subprocess.run(["ssh-add", "-q", sshd.login], check=True)
        assert pull(engine, replace(stranger, key_file=None), home).landed == 0  # and the agent's
        assert "login refused" in refused(engine, stranger, home)
    finally:
        agent.terminate()
        agent.wait()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"known_hosts": "missing"}, "known_hosts {0}/missing (cannot be read: No such file"),
        ({"known_hosts": "."}, "known_hosts {0} (cannot be read: Is a directory"),
        ({"key_file": "missing"}, "{0}/missing không đọc được (cannot be read: No such file"),
        ({"key_file": "."}, "{0} không đọc được (cannot be read: Is a directory"),
        ({"key_file": "rubbish"}, "{0}/rubbish sai mật khẩu (`token`), hoặc không phải khóa riêng"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_before_anyone_is_asked(
    engine: Engine, home: Path, tmp_path: Path, given: dict[str, str], words: str
) -> None:
    (tmp_path / "rubbish").write_text("this is no key")
    files = {key: str(tmp_path / name) for key, name in given.items()}
    source = Source("td", "dossiers", "dvcqg_csv", "td", "sftp://bakhong@127.0.0.1:1/outbox/*.csv", "daily", **files)
    assert words.format(tmp_path) in refused(engine, source, home)


@needs_sshd
def test_a_connection_ends_with_its_pull_even_where_that_breaks(
    engine: Engine, home: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = sshd.host_key("key")
    sshd.start(key)
    sshd.know(key)

    def broken(*_: Any) -> int:
        assert connections()
        raise ZeroDivisionError

    monkeypatch.setattr(module, "_land", broken)
    with pytest.raises(ZeroDivisionError) as kept:  # its frames too, as long as the error is kept
        pull(engine, sshd.source, home)
    assert not connections(), kept


@needs_sshd
def test_a_folder_that_cannot_be_listed_is_not_taken_for_empty(engine: Engine, home: Path, sshd: Sshd) -> None:
    key = sshd.host_key("key")
    sshd.start(key)
    sshd.know(key)
    with pytest.raises(FileNotFoundError):
        pull(engine, replace(sshd.source, url=sshd.source.url.replace("/outbox/", "/no-outbox/")), home)


@needs_sshd
def test_what_is_no_file_or_has_no_name_in_unicode_is_named_and_the_others_land(engine: Engine, home: Path, sshd: Sshd) -> None:
    key = sshd.host_key("key")
    sshd.start(key)
    sshd.know(key)
    os.mkfifo(sshd.outbox / "a.csv")
    for name, target in {"b.csv": "a.csv", "c.csv": "nowhere", "td_20240316.csv": "../outside.csv"}.items():
        (sshd.outbox / name).symlink_to(target)
    (sshd.folder / "outside.csv").write_text("MaHoSo\n2\n")
    folder = sshd.outbox / os.fsdecode(b"d\xe2n")
    folder.mkdir()
    (folder / os.fsdecode(b"d\xe2n.csv")).touch()
    with pytest.raises(Unreadable) as unreadable:
        pull(engine, replace(sshd.source, url=sshd.source.url.replace("*.csv", "**/*.csv")), home)
    lines = sorted(line.removeprefix("td: ") for line in unreadable.value.lines)
    for line, said in zip(
        lines, ["a.csv: là ống dẫn", "b.csv: là liên kết tới ống dẫn", "c.csv: là liên kết tới một tệp không có"], strict=False
    ):
        assert line.startswith(said)
    assert lines[3:] == ["d\ufffdn/d\ufffdn.csv: tên tệp không phải Unicode (its bytes are not UTF-8); sửa tên tệp rồi gửi lại"]
    assert landed(home) == [b"MaHoSo\n1\n", b"MaHoSo\n2\n"]


@needs_sshd
def test_a_night_names_the_server_it_does_not_believe_and_does_not_ask_again(engine: Engine, home: Path, sshd: Sshd) -> None:
    first, second = sshd.host_key("first"), sshd.host_key("second")
    sshd.know(first)
    sshd.start(second)
    (procedures,) = (entry for entry in yaml.safe_load(SAMPLES.read_text("utf-8"))["sources"] if entry["name"] == "procedures")
    procedures["url"] = str(SAMPLES.parent / procedures["url"])
    named = {field: value for field, value in vars(sshd.source).items() if isinstance(value, str)}
    sources = sshd.folder / "sources.yaml"
    sources.write_text(yaml.safe_dump({"sources": [procedures, {**named, "known_hosts": "known_hosts", "key_file": "login"}]}), "utf-8")
    refusals: list[Exception] = []

    def noted(*given: Any) -> Pulled:
        try:
            return pull(*given)
        except Exception as problem:
            refusals.append(problem)
            raise

    settings = Settings(home=home, warehouse_url=None, sources=sources, secret_key=KEY.encode())
    done = night(settings, engine, date(2025, 5, 5), steps=replace(WITHOUT_PREFECT, pull=noted, report=None))
    (line,) = done.unreachable
    (refusal,) = refusals
    assert line == str(refusal)
    assert fingerprint(first) in line
    assert fingerprint(second) in line
    assert "\n" not in line
    assert [outcome.status for outcome in done.outcomes] == ["loaded"]  # the procedures
    assert not is_worth_another_try(None, None, Failed(data=refusal))


def test_a_server_that_hangs_up_is_named_in_one_line_and_asked_again(
    engine: Engine, home: Path, user_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            listening.accept()[0].close()

        hanging_up = threading.Thread(target=hang_up)
        hanging_up.start()
        address = "{}:{}".format(*listening.getsockname())
        with pytest.raises(ConnectionError) as gone:
            pull(engine, Source("td", "dossiers", "dvcqg_csv", "td", f"sftp://bakhong@{address}/outbox/*.csv", "daily"), home)
        hanging_up.join()
    assert str(gone.value).startswith(f"không dùng được SFTP của {address} (")
    assert "\n" not in str(gone.value)
    assert is_worth_another_try(None, None, Failed(data=gone.value))
    assert "Traceback" not in caplog.text


def why_not(engine: Engine, home: Path, address: str) -> str:
    with pytest.raises(ConnectionError) as failed:
        pull(engine, Source("td", "dossiers", "dvcqg_csv", "td", f"sftp://bakhong@{address}/outbox/*.csv", "daily"), home)
    assert is_worth_another_try(None, None, Failed(data=failed.value))
    return str(failed.value)


def test_an_address_where_nobody_is_is_told_at_once(engine: Engine, home: Path, user_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.monotonic()
    assert why_not(engine, home, f"127.0.0.1:{port}").startswith(f"máy chủ 127.0.0.1:{port} từ chối kết nối (")
    assert time.monotonic() - began < 5
    assert why_not(engine, home, "sftp.khong-co.invalid").startswith("không có máy chủ nào tên như trong sftp.khong-co.invalid:22 (")


@pytest.mark.parametrize("is_reached", [False, True], ids=["takes no call", "takes the call and says nothing"])
def test_a_server_that_says_nothing_is_told_as_such(
    is_reached: bool, engine: Engine, home: Path, user_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_sftp, "TIMEOUT", 1.0)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, ExitStack() as waiting:
        port = listening.getsockname()[1]
        if not is_reached:
            for _ in range(2):  # as many as wait to be taken; the next is not even answered
                caller = waiting.enter_context(socket.socket())
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", port))
        assert why_not(engine, home, f"127.0.0.1:{port}") == f"máy chủ 127.0.0.1:{port} không trả lời trong 1 giây (timed out)"


@dataclass
class Doorkeeper(paramiko.ServerInterface):
    """Lets in whoever knows the password, and remembers what was tried."""

    tried: list[str] = field(default_factory=list)

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.tried.append("publickey")
        return paramiko.AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        self.tried.append("password")
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


@dataclass
class PasswordServer:
    source: Source
    door: Doorkeeper
    known_hosts: Path


@pytest.fixture
def password_server(tmp_path: Path, user_home: Path) -> Iterator[PasswordServer]:
    (tmp_path / "outbox").mkdir()
    key, door = paramiko.RSAKey.generate(2048), Doorkeeper()
    paramiko.RSAKey.generate(2048).write_private_key_file(str(user_home / "id_rsa"))  # of the user; a password leaves it alone
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
                transport.start_server(threading.Event(), door)  # a client may turn away

        threading.Thread(target=serve, daemon=True).start()
        port = listening.getsockname()[1]
        known_hosts = user_home / "known_hosts"
        known_hosts.write_text(f"[127.0.0.1]:{port} ssh-rsa {key.get_base64()}\n")
        url = f"sftp://bakhong@127.0.0.1:{port}/outbox/*.csv"
        yield PasswordServer(Source("td", "dossiers", "dvcqg_csv", "td", url, "daily", "SFTP_PASSWORD"), door, known_hosts)
        for transport in transports:
            transport.close()


def test_a_file_on_an_sftp_server_lands_once(
    engine: Engine, home: Path, password_server: PasswordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "outbox" / "td_20240315.csv"
    file.write_bytes(b"MaHoSo\n1\n")
    os.utime(file, (0, 0))
    monkeypatch.setenv("SFTP_PASSWORD", PASSWORD)
    assert pull(engine, password_server.source, home).landed == 1
    (delivery,) = pending(engine, home)
    assert delivery.file_name == "td_20240315.csv"
    assert delivery.path.read_bytes() == b"MaHoSo\n1\n"
    assert pull(engine, password_server.source, home).landed == 0
    assert password_server.door.tried == ["password", "password"]


def test_a_wrong_password_is_an_error_that_does_not_say_it(
    engine: Engine, home: Path, password_server: PasswordServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFTP_PASSWORD", "a wrong secret")
    said = refused(engine, password_server.source, home)
    assert "không cho đăng nhập (login refused: " in said
    assert "a wrong secret" not in said
    assert not pending(engine, home)


def test_a_server_that_is_not_known_never_hears_the_password(
    engine: Engine, home: Path, password_server: PasswordServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFTP_PASSWORD", PASSWORD)
    password_server.known_hosts.write_text("")
    assert "unknown host key" in refused(engine, password_server.source, home)
    assert password_server.door.tried == []
