"""What the environment says: where things are, and the key that pseudonymises people."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream

KEY_FILE = "secret_key"
"""In the home, where a key lies that was made here."""
KEY_LENGTH = 16
"""Fewest characters of a secret key that is taken."""

PREFIX = "BAKHONG_"
SECRETS = ("BAKHONG_WAREHOUSE_URL", "BAKHONG_SECRET_KEY", "BAKHONG_MESSAGE_SECRET", "BAKHONG_METRICS_TOKEN")
"""Variables that may also be given by a file: see `secret`."""
VARIABLES = (
    "BAKHONG_HOME", "BAKHONG_SOURCES", "BAKHONG_TASK_RUNNER", "BAKHONG_DESK_URL", "BAKHONG_MESSAGE_TO",
    "BAKHONG_LOG_FORMAT", "BAKHONG_LOG_LEVEL",
    *SECRETS, *(f"{name}_FILE" for name in SECRETS),
)  # fmt: skip
"""Every variable of ours; any other with our prefix is a slip of the pen that would change what is done without a word."""
LOG_FORMATS, LOG_LEVELS = ("plain", "json"), ("DEBUG", "INFO", "WARNING", "ERROR")


class Refusal(Exception):
    """The system cannot do what was asked; the message is one clear line for the user."""


NO_KEY = Refusal("Chưa đặt BAKHONG_SECRET_KEY: đã dùng BAKHONG_WAREHOUSE_URL thì phải đặt cả khóa bút danh (openssl rand -hex 32).")


@dataclass(frozen=True)
class Settings:
    """One installation: its folder, its warehouse, its sources and its secret key."""

    home: Path
    warehouse_url: str | None
    sources: Path
    secret_key: bytes
    """Empty for those who only read."""
    task_runner: str | None = None
    """`dask` where the night's deliveries are spread over a cluster (flows.cluster)."""
    message_to: str | None = None
    """Where the night's message goes: smtp://, smtps:// or the https:// of a webhook (tasks.report.message)."""
    message_secret: str | None = None
    """Password of the mail account, or the webhook's token; nothing for those who only read."""
    key_file: Path | None = None
    """Where the key lies that was made here; nothing where the environment gives it."""
    desk_url: str | None = None
    """Address under which people reach `bakhong serve`, where somebody said so."""
    log_format: str = "plain"
    """plain, or json: an object a line (flows.logs)."""
    log_level: str = "INFO"
    """Least of DEBUG, INFO, WARNING and ERROR that is logged."""

    @classmethod
    def from_environment(cls, *, reading: bool = False) -> Settings:
        """Reads every variable of VARIABLES, from `.env` of the working folder too.

        `reading`: nothing is made on the disk, and the key, which only loading needs, is not asked for.
        """
        os.umask(0o077)  # whatever a command writes, whoever gives it: what is asked of the warehouse is not for every user of the machine
        read_dotenv(Path(".env"))
        home = Path(os.environ.get("BAKHONG_HOME") or ".bakhong").expanduser().absolute()
        url = secret("BAKHONG_WAREHOUSE_URL")
        sources = _sources(home)
        _refuse_misspelt(sources)
        key, key_file = b"", None
        if not (reading or url or os.environ.get("BAKHONG_HOME") or home.exists() or sources.is_file()):
            raise no_sources(sources)  # nothing is made in a folder that is no installation's
        if not reading:
            try:
                keep_private(home)
                key, key_file = _secret_key(home, may_be_made=url is None)
            except OSError as error:
                raise Refusal(f"Không dùng được BAKHONG_HOME {home} ({error.strerror}).") from error
        runner = os.environ.get("BAKHONG_TASK_RUNNER") or None
        if runner not in (None, "dask"):
            raise Refusal(f"BAKHONG_TASK_RUNNER: {runner!r} không dùng được; để trống, hoặc `dask`.")
        desk = os.environ.get("BAKHONG_DESK_URL") or None
        if desk is not None and not re.match(r"https?://\w", desk):
            raise Refusal(f"BAKHONG_DESK_URL: {desk!r} không dùng được; viết như https://bakhong.tinh.vn/.")
        log_format, log_level = os.environ.get("BAKHONG_LOG_FORMAT") or "plain", os.environ.get("BAKHONG_LOG_LEVEL") or "INFO"
        for name, said, known in (("FORMAT", log_format, LOG_FORMATS), ("LEVEL", log_level, LOG_LEVELS)):
            if said not in known:
                raise Refusal(f"BAKHONG_LOG_{name}: {said!r} không dùng được; {', '.join(known)}.")
        return cls(
            home=home,
            warehouse_url=url,
            sources=sources,
            secret_key=key,
            key_file=key_file,
            task_runner=runner,
            desk_url=desk,
            message_to=os.environ.get("BAKHONG_MESSAGE_TO") or None,
            message_secret=None if reading else secret("BAKHONG_MESSAGE_SECRET"),
            log_format=log_format,
            log_level=log_level,
        )


def secret(name: str) -> str | None:
    """What a variable holds, or the file that NAME_FILE names: a container or systemd gives secrets so, which no process list shows.

    The line end behind it is the editor's. Who may read the file is the business of whoever laid it there: a container's is open.
    """
    given, path = os.environ.get(name) or None, os.environ.get(f"{name}_FILE")
    if not path:
        return given
    if given is not None:
        raise Refusal(f"Đặt cả {name} và {name}_FILE: chỉ để lại một.")
    try:
        words = Path(path).expanduser().read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{name}_FILE: không đọc được {path} ({getattr(error, 'strerror', 'không phải UTF-8')}).") from error
    if not words.strip():
        raise Refusal(f"{name}_FILE: tệp {path} trống.")
    return words


def _sources(home: Path) -> Path:
    """What BAKHONG_SOURCES names; without it the `sources.yaml` of the working folder, of the home, or the samples of a checkout."""
    if given := os.environ.get("BAKHONG_SOURCES"):
        return Path(given).expanduser().absolute()
    here = Path("sources.yaml").absolute()
    places = (here, home / "sources.yaml", Path("samples/sources.yaml").absolute())
    return next((place for place in places if place.is_file()), here)


def no_sources(path: Path) -> Refusal:
    """The refusal where nothing says what arrives from where."""
    here = f"{Path.cwd()}, {'có' if Path('.env').is_file() else 'không có'} .env"
    return Refusal(
        f"Không có tệp nguồn {path} (thư mục đang làm việc: {here}): chạy ở thư mục cài đặt, hoặc đặt BAKHONG_SOURCES là đường dẫn đầy đủ "
        "của tệp, trong .env hay trong môi trường."
    )


def read_dotenv(path: Path) -> None:
    """Puts what a file of NAME=value lines says into the environment; what the environment says itself, also by NAME_FILE, goes first."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = list(parse_stream(file))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"Không đọc được {path.absolute()} ({getattr(error, 'strerror', 'không phải UTF-8')}).") from error
    given = {name.removesuffix("_FILE") for name, value in os.environ.items() if value}
    for line in lines:
        if line.error or (line.key is not None and line.value is None):
            words = line.original.string
            number = line.original.line + words[: len(words) - len(words.lstrip())].count("\n")
            raise Refusal(f"{path.absolute()}, dòng {number}: cần viết TÊN=giá trị.")
        if line.key is not None and line.value is not None and line.key.removesuffix("_FILE") not in given:
            os.environ.setdefault(line.key, line.value)


def _refuse_misspelt(sources: Path) -> None:
    """Names a BAKHONG_… variable that nobody reads; one that a source names under `token` is read."""
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in VARIABLES)
    if not unknown:
        return
    text = sources.read_text("utf-8", errors="replace") if sources.is_file() else ""
    tokens = re.findall(r"""\btoken\s*:\s*["']?(\w+)""", text)
    for name in unknown:
        if name.removesuffix("_FILE") not in tokens:
            meant = difflib.get_close_matches(name, VARIABLES, 1, cutoff=0.75)
            advice = f"có phải {meant[0]}?" if meant else f"các biến có nghĩa: {', '.join(VARIABLES)}."
            raise Refusal(f"Không có biến môi trường {name}: {advice}")


def keep_private(home: Path) -> None:
    """Closes what lies in the folder to every other user of the machine: what is landed names people.

    A folder that is closed is not looked into: what it holds was made closed.
    """
    home.mkdir(parents=True, exist_ok=True)
    if (trace := home / "last-error.log").exists():
        trace.chmod(0o600)
    for name in ("landing", "faults", "prefect", "report", "data_docs", "log"):
        for folder, _, files in os.walk(home / name):
            if stat.S_IMODE(Path(folder).stat().st_mode) & 0o077:
                for file in files:
                    path = Path(folder, file)
                    if not path.is_symlink():
                        path.chmod(0o600)
                Path(folder).chmod(0o700)  # last: a run that ends before it looks again


def new_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_hex(32)


def _secret_key(home: Path, *, may_be_made: bool) -> tuple[bytes, Path | None]:
    """The key, and the file in which it lies where nobody gave it."""
    if given := given_key():
        return given, None
    if not may_be_made:
        raise NO_KEY
    path = home / KEY_FILE
    if not path.exists():
        write_private(path, new_key())
    return path.read_text().strip().encode(), path


def given_key() -> bytes:
    """The key that the environment gives, empty where it gives none; Refusal where it would protect nobody."""
    given = (secret("BAKHONG_SECRET_KEY") or "").strip()
    if given and len(given) < KEY_LENGTH:
        raise Refusal(f"BAKHONG_SECRET_KEY quá ngắn: cần ít nhất {KEY_LENGTH} ký tự (openssl rand -hex 32).")
    return given.encode()


def replace_key(path: Path, key: str) -> None:
    """Puts a key into the place of the one in a file, of which nothing is left."""
    for left in path.parent.glob(f".{path.name}.*"):  # of a process that died
        left.unlink()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_private(draft, key)
    draft.replace(path)


def write_private(path: Path, content: str) -> None:
    """Writes a file that only its owner may read, whole or not at all; the first of several writers wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
