"""An installation brought back from a backup, on this machine or another: first every hash, then roles, landed files, the database.

The database comes back in one transaction, so that a restore that was cut off has left nothing and is simply run again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, text

from tasks.keep.backup import Tell, ended, put
from tasks.keep.manifest import DUMP, ENVIRONMENT, SOURCES, Backup, backups, counted, fingerprint
from tasks.pull.writing import writing
from tasks.words import vietnamese as vi
from warehouse.client_programs import is_over_tls, reaching, suitable
from warehouse.database import coming_back
from warehouse.migrations.scope import SCHEMAS
from warehouse.migrations.steps import newest_revision
from warehouse.settings import Refusal, Settings, write_private
from warehouse.standing import OLDEST

LANDING = "landing/"
"""What the names of landed files begin with."""


@dataclass(frozen=True)
class Restored:
    """What came back."""

    backup: Backup
    landed: int
    """Landed files that are there again."""
    lost: list[str]
    """Landed files that the warehouse names and the backup has not, or has damaged."""
    laid_down: list[Path]
    """Settings that were put in their place; others were there."""
    is_older: bool
    """Whether the warehouse is of an older version than the program."""


def chosen(folder: Path, at: datetime | None) -> Backup:
    """The last backup of a folder, or the last before a moment; Refusal, naming those there are, where there is none."""
    found = backups(folder)
    before = [one for one in found if at is None or one.told.taken_at <= at]
    if not found:
        raise Refusal(f"Không có bản sao lưu nào trong {folder}: cần thư mục mà `bakhong backup` đã ghi.")
    if not before:
        there = vi.some([vi.moment(one.told.taken_at) for one in found])
        raise Refusal(f"Không có bản sao nào đến {vi.moment(at)}; đang có: {there}.")
    return before[0]


def damaged(folder: Path, backup: Backup, tell: Tell) -> list[str]:
    """The landed files of a backup that are not what they were; Refusal where anything else is not."""
    found = []
    for number, (name, told) in enumerate(backup.told.files.items()):
        tell("Kiểm tra bản sao", number, len(backup.told.files))
        if not (folder / name).is_file() or fingerprint(folder / name) != told:
            found.append(name)
    if own := [name for name in found if not name.startswith(LANDING)]:
        raise Refusal(f"Bản sao hỏng, chưa khôi phục gì: {', '.join(own)} khác lúc sao. Chọn bản sao khác bằng --at.")
    return found


def restore(engine: Engine, settings: Settings, folder: Path, backup: Backup, without: list[str], tell: Tell) -> Restored:
    """Brings a backup, without some landed files, into an empty database and home; settings into the working folder where it has none."""
    with engine.connect() as connection:
        _require_fit(connection, backup)
    landing = [name for name in backup.told.files if name.startswith(LANDING) and name not in without]
    with writing(settings.home):
        for number, name in enumerate(landing):
            tell("Đưa lại các tệp đã nhận", number, len(landing))
            if not (settings.home / name).exists():
                put(folder / name, settings.home / name, backup.told.files[name].sha256)
    with engine.begin() as connection:
        make_roles(connection, backup.told.roles)
    tell("Đưa lại cơ sở dữ liệu", 0, 0)
    _fill(engine, backup.folder / DUMP, backup.told.dumped_by)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        if counted(connection) != backup.told.counts:
            raise Refusal("Kho khôi phục được không đủ số dòng như lúc sao: xóa cơ sở dữ liệu này, chọn bản sao khác bằng --at.")
    os.sync()
    laid_down = [
        to for name, to in ((SOURCES, Path("sources.yaml")), (ENVIRONMENT, Path(".env"))) if _lay_down(backup.folder / name, to.absolute())
    ]
    return Restored(backup, len(landing), sorted({*backup.told.missing, *without}), laid_down, backup.told.revision < newest_revision())


def begin(settings: Settings, command: str) -> bool:
    """Marks a home as one that is coming back, and returns whether it was not: nothing takes what is half there for a warehouse."""
    mark = coming_back(settings.home)
    is_new = not mark.exists()
    with writing(settings.home):
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.unlink(missing_ok=True)
        write_private(mark, command)
    return is_new


def finish(settings: Settings) -> None:
    """The home is whole again, or was not touched."""
    coming_back(settings.home).unlink(missing_ok=True)


def _require_fit(connection: Connection, backup: Backup) -> None:
    """Refusal where the database is not empty, too old, or the program older than the backup."""
    told = backup.told
    if told.revision > newest_revision():
        raise Refusal(f"Bản sao là kho ở bản {told.revision}, mới hơn chương trình này ({newest_revision()}): cập nhật chương trình trước.")
    database, version = connection.execute(text("SELECT current_database(), current_setting('server_version_num')::int")).one()
    if version < OLDEST:
        raise Refusal(f"Kho số liệu cần PostgreSQL 15 trở lên; đây là bản {version // 10_000}.")
    there = connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname = ANY(:ours)"), {"ours": list(SCHEMAS)}).all()
    if there or connection.scalar(text("SELECT to_regclass('public.alembic_version')")) is not None:
        raise Refusal(
            f"Cơ sở dữ liệu {database} không trống, chưa khôi phục gì: khôi phục vào một cơ sở dữ liệu mới (createdb, rồi đặt "
            "BAKHONG_WAREHOUSE_URL), hoặc một BAKHONG_HOME mới."
        )


def make_roles(connection: Connection, roles: list[str]) -> None:
    """Makes the roles that the grants of a dump name; Refusal with the statements where this login may not."""
    missing = [
        str(connection.scalar(text("SELECT quote_ident(:role)"), {"role": role}))
        for role in roles
        if connection.scalar(text("SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)"), {"role": role})
    ]
    statements = " ".join(f"CREATE ROLE {role};" for role in missing)
    if missing and not connection.scalar(text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")):
        raise Refusal(f"Tài khoản kho không lập được vai trò: nhờ người quản trị PostgreSQL chạy một lần, rồi chạy lại: {statements}")
    if missing:
        connection.exec_driver_sql(statements)


def _fill(engine: Engine, dump: Path, dumped_by: int) -> None:
    """Runs a dump in one transaction of psql: whatever ends it before its last word leaves the database empty."""
    with engine.connect() as connection:
        over_tls = is_over_tls(connection)
    reads, fills = suitable("pg_restore", dumped_by), suitable("psql", 15, over_tls=over_tls)
    command = [str(fills), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    with reaching(engine) as environment:
        process = subprocess.Popen(  # noqa: S603  # our own arguments, no shell
            command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with ended(process):
            sink = process.stdin
            assert sink is not None  # noqa: S101
            try:
                sink.write(b"BEGIN;\n")
                for section in ("pre-data", "data", "post-data"):
                    _section(reads, dump, section, sink)
                sink.write(b"COMMIT;\n")
                sink.close()
            except BrokenPipeError:  # it has ended and says why
                pass
            said = (process.stderr.read() if process.stderr else b"").decode(errors="replace")
    if process.returncode != 0:
        raise Refusal(f"Không khôi phục được kho, cơ sở dữ liệu vẫn trống: {' '.join(said.split())}")


def _section(program: Path, dump: Path, section: str, sink: IO[bytes]) -> None:
    """Hands a part of a dump over as SQL that any PostgreSQL from 15 on takes, whoever owned what."""
    command = [str(program), f"--section={section}", "--no-owner", "--file=-", str(dump)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)  # noqa: S603
    with ended(process):
        rows = process.stdout
        assert rows is not None  # noqa: S101
        for line in rows:
            sink.write(_as_anywhere(line))
            if section == "data" and line.startswith(b"COPY "):
                break  # from here on nothing is looked at: it is data
        shutil.copyfileobj(rows, sink)
    if process.returncode != 0:
        raise Refusal(f"Không đọc được {dump} (pg_restore {process.returncode}).")


def _as_anywhere(line: bytes) -> bytes:
    if line.startswith(b"SET transaction_timeout"):  # known since PostgreSQL 17
        return b""
    return re.sub(rb"^ALTER DEFAULT PRIVILEGES FOR ROLE (\"[^\"]+\"|\S+) ", b"ALTER DEFAULT PRIVILEGES ", line)


def _lay_down(origin: Path, target: Path) -> bool:
    """Puts a file of settings in its place, unless one is there."""
    content = origin.read_text("utf-8")
    if target.exists() or not content:
        return False
    write_private(target, content)
    return True
