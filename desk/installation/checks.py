"""What a night needs, one small look at each: the machine, the warehouse, the sources, who starts it and who is told of it."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError

from desk.installation.doctor import SECONDS, Check, Finding, good, to_do, to_know
from flows.planned import Plan, planned
from tasks.ask.health import of_nights
from tasks.ask.questions import last_run
from tasks.deliveries.source import Source, read_providers, read_provinces, read_reporting_calendars, read_sample, read_sources
from tasks.pull.landing import Unreadable, reach
from tasks.read.limits import read_limits
from tasks.report.message import FAILURES, check_address, greet, reason
from tasks.words import vietnamese as vi
from warehouse.database import TIME_ZONE, examine_warehouse, read_warehouse, unprotected
from warehouse.embedded import is_running, is_there
from warehouse.grants import ROLES, open_doors
from warehouse.pseudonym_key import keys, known_as
from warehouse.settings import KEY_FILE, NO_KEY, SECRETS, Refusal, Settings, given_key, secret
from warehouse.standing import OLDEST, Login, login_of, shortfall

LEAST_FREE = 2 << 30
"""Bytes that the files and the pages of a night may take, with room to spare."""
APART = timedelta(seconds=60)
"""So far the clocks of two machines may be apart: what was made after the night is not taken."""
LOADER = ROLES[0]
"""The role of those who run the night."""
FOR_A_SOURCE = "sửa nguồn ấy trong sources.yaml, hoặc hỏi nơi gửi; chưa có thì để sau dấu #"
OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO
WITHOUT_PASSING = ~(stat.S_IXGRP | stat.S_IXOTH)
"""Passing through a folder gives nothing away; the embedded server of a root's installation has to."""


def all_of(settings: Settings) -> list[Check]:
    """Every look at an installation, in the order in which it is told."""
    sources, found = _declared(settings)
    return [
        Check("Chương trình", program),
        Check("Tệp riêng tư", partial(private_files, settings)),
        Check("Khóa bút danh", partial(key, settings)),
        Check(
            "Kho số liệu",
            partial(warehouse, settings),
            "xem máy chủ PostgreSQL, và BAKHONG_WAREHOUSE_URL trong .env",
            has_to_end=settings.warehouse_url is None,  # the embedded server, started where it does not run
        ),
        Check("Chỗ trống", partial(disk, settings)),
        Check("sources.yaml", lambda: [found]),
        *(Check(f"Nguồn {source.name}", partial(source_there, source), FOR_A_SOURCE) for source in sources),
        Check("Máy chủ Prefect", schedule, "khởi động: prefect server start; chạy bằng cron hay systemd timer thì bỏ PREFECT_API_URL"),
        *(
            [Check("Cụm Dask", partial(workers, settings), "xem scheduler và các worker: docs/several-machines.md")]
            if settings.task_runner
            else []
        ),
        Check("Báo tin", partial(message, settings), "sửa BAKHONG_MESSAGE_TO trong .env"),
    ]


def secrets(settings: Settings) -> list[str]:
    """What no line may quote."""
    sources, _ = _declared(settings)
    names = [*SECRETS, "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_KEY"]
    held = []
    for name in [*names, *(source.token for source in sources if source.token)]:
        with suppress(Refusal):
            held.append(secret(name) or "")
    with suppress(ArgumentError):
        held.append(make_url(settings.warehouse_url or "postgresql:").password or "")
    return held


def _declared(settings: Settings) -> tuple[list[Source], Finding]:
    """The sources, and whether what declares them is as it has to be: read as the night reads it."""
    about = "sources.yaml"
    try:
        sources = read_sources(settings.sources)
        for read in (read_providers, read_provinces, read_reporting_calendars, read_sample, read_limits):
            read(settings.sources)
    except Refusal as refusal:
        return [], to_do(about, str(refusal), "sửa tệp ấy")
    if not sources:
        return [], to_do(about, f"{settings.sources} chưa khai nguồn nào", "khai nguồn đầu tiên")
    where, of = vi.some(read_provinces(settings.sources)), vi.number(len(sources))
    return sources, good(about, f"{of} nguồn, tỉnh {where}: {settings.sources}")


def program() -> Iterator[Finding]:
    """What runs, from where, and on which clock."""
    yield good("Chương trình", f"bakhong {version('bakhong')}, Python {sys.version.split()[0]}, {sys.prefix}")


def private_files(settings: Settings) -> Iterator[Finding]:
    """Whether what is secret, or names people, is closed to other users of the machine."""
    home = settings.home
    closed = [Path(".env").absolute(), home / KEY_FILE, home / "last-error.log"]
    closed += [home / name for name in ("landing", "prefect", "report", "data_docs")] if _is_open(home) else []
    if found := [path for path in closed if _is_open(path)]:
        advice = f"chmod -R go= {' '.join(map(str, found))}"
        yield to_do("Tệp riêng tư", f"người dùng khác của máy đọc được: {', '.join(map(str, found))}", advice)
    else:
        yield good("Tệp riêng tư", f".env và {home} chỉ người chạy Ba Không đọc được")


def _is_open(path: Path) -> bool:
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & OTHERS_MAY & WITHOUT_PASSING)


def key(settings: Settings) -> Iterator[Finding]:
    """Whether there is a key of the pseudonyms; whether it is that of the warehouse, the warehouse tells."""
    about = "Khóa bút danh"
    if given_key():
        yield good(about, "có, do .env hay môi trường đặt")
    elif settings.warehouse_url is not None:
        yield to_do(about, str(NO_KEY))
    elif (settings.home / KEY_FILE).is_file():
        yield good(about, f"có, trong {settings.home / KEY_FILE}")
    else:
        yield to_know(about, "chưa có: lượt đêm đầu tiên sẽ tạo", f"sau đó giữ một bản sao của {settings.home / KEY_FILE} ở nơi khác")


def warehouse(settings: Settings) -> Iterator[Finding]:
    """Whether the warehouse answers, may be used with this login, and is of this version; when the last night was."""
    about = "Kho số liệu"
    if settings.warehouse_url is None and not is_there(settings.home):
        yield to_know(about, f"kho nhúng trong {settings.home}: chưa có, lượt đêm đầu tiên sẽ lập")
        return
    is_open = settings.warehouse_url is not None or is_running(settings.home)
    with examine_warehouse(settings) as connection:
        connection.exec_driver_sql(f"SET statement_timeout = '{SECONDS}s'")
        yield from _of_warehouse(connection, settings, "" if is_open else " (đóng, khi cần sẽ mở)")


def _of_warehouse(connection: Connection, settings: Settings, note: str) -> Iterator[Finding]:
    url = connection.engine.url
    number, name, size, now = connection.execute(
        text(
            "SELECT current_setting('server_version_num')::int, split_part(current_setting('server_version'), ' ', 1), "
            "pg_database_size(current_database()), clock_timestamp()"
        )
    ).one()
    told = f"PostgreSQL {name}, {url.host}:{url.port or 5432}/{url.database}, {_bytes(size)}{note}"
    yield good("Kho số liệu", told) if number >= OLDEST else to_do("Kho số liệu", told, "cần PostgreSQL 15 trở lên")
    login = login_of(connection)
    yield _rights(login, is_embedded=settings.warehouse_url is None)
    missing = shortfall(connection, to_load=login.is_owner or LOADER in login.roles)  # a lacking role is told above
    yield to_do("Bảng của kho", missing) if missing else good("Bảng của kho", "đúng bản của chương trình này")
    yield from _protected(connection, settings)
    yield from _clock("Đồng hồ của kho", now)
    yield from _disk_of(connection, str(url.host))
    if not missing:
        yield from _key_of(connection, settings)
        yield from _last_night(connection)


def _rights(login: Login, *, is_embedded: bool) -> Finding:
    about = "Tài khoản kho"
    if is_embedded:
        return good(about, f"{login.name}: chủ kho nhúng")
    if login.is_owner:
        advice = "lượt đêm chỉ cần một tài khoản có vai trò bakhong_etl; tài khoản này để dành cho bakhong warehouse upgrade"
        return to_know(about, f"{login.name}: chủ kho", advice)
    if LOADER in login.roles:
        return good(about, f"{login.name}: có vai trò {LOADER}")
    advice = f"nhờ người quản trị PostgreSQL chạy: GRANT {LOADER} TO {login.name};"
    return to_do(about, f"{login.name}: không có vai trò {LOADER}, không chạy được lượt đêm", advice)


def _protected(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """What anybody could listen to on the way, or fill the disk by: told where it is so, since the way and the server may be trusted."""
    if words := unprotected(settings):
        yield to_know("Đường tới kho", words)
    if still_open := open_doors(connection):
        advice = f"người quản trị PostgreSQL chạy trong cơ sở dữ liệu của kho: {'; '.join(still_open)};"
        yield to_know("Quyền ghi của người đọc", "người đọc còn ghi được vào máy chủ (bảng tạm, large object)", advice)


def _key_of(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Whether the key is the one that the warehouse is held to."""
    about, path = "Khóa của kho", settings.home / KEY_FILE
    known = keys(connection)
    held = given_key() or (path.read_bytes().strip() if path.is_file() else b"")
    if not known:
        yield good(about, "kho chưa có khóa: lượt đêm đầu tiên sẽ nhận khóa này")
    elif held and known_as(known, held) == known[-1]:
        yield good(about, f"đúng khóa của kho (khóa số {known[-1].number})")
    elif held:
        yield to_do(about, f"không phải khóa mà kho đang dùng (khóa số {known[-1].number})", "đặt lại đúng khóa: docs/rotate-the-key.md")


def _last_night(connection: Connection) -> Iterator[Finding]:
    """When the last run was and what became of it, as `bakhong status` and /healthz judge it."""
    about, run = "Lượt chạy cuối", last_run(connection)
    if run is None:
        yield to_know(about, "chưa có lượt nào")
        return
    found = of_nights(connection, datetime.now(UTC))
    for trouble in found:
        yield to_do(about, trouble.words, moment=run.started_at)
    if not found:
        yield good(about, f"số {run.run_id}, {vi.moment(run.started_at)}, {vi.RUN_STATUS[run.status]}", run.started_at)


def disk(settings: Settings) -> Iterator[Finding]:
    """Room for what a night lands, spools and writes."""
    home = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    spool = Path(tempfile.gettempdir())
    for about, place in (("Chỗ trống", home), ("Chỗ trống tạm", spool)):
        if place == home or place.stat().st_dev != home.stat().st_dev:
            yield _room(about, place)


def _room(about: str, place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    told = f"{_bytes(free)} ở {place}"
    return good(about, told) if free >= LEAST_FREE else to_do(about, told, f"cần ít nhất {_bytes(LEAST_FREE)}: dọn bớt hoặc thêm đĩa")


def _disk_of(connection: Connection, host: str) -> Iterator[Finding]:
    """Room of the database, where it is on this machine and lets this login know where."""
    folder = connection.scalar(text("SELECT setting FROM pg_settings WHERE name = 'data_directory'"))
    if host in ("127.0.0.1", "::1", "localhost") and folder and Path(folder).exists():
        yield _room("Chỗ trống của kho", Path(folder))
    else:
        yield to_know("Chỗ trống của kho", "máy chủ PostgreSQL không cho biết", "hỏi người quản trị máy chủ ấy")


def _bytes(count: int) -> str:
    return f"{vi.number(Decimal(count) / (1 << 30), 1)} GB" if count >= 1 << 30 else f"{vi.number(count >> 20)} MB"


def _clock(about: str, theirs: datetime) -> Iterator[Finding]:
    apart = datetime.now(UTC) - theirs
    if abs(apart) > APART:
        yield to_do(about, f"lệch {vi.number(round(abs(apart).total_seconds()))} giây so với máy này", "bật đồng bộ giờ (NTP) ở cả hai máy")


def source_there(source: Source) -> Iterator[Finding]:
    """Whether a source lets us in; nothing is taken."""
    about = f"Nguồn {source.name}"
    try:
        files = reach(source)
    except Refusal as refusal:
        yield to_do(about, str(refusal).removeprefix(f"{source.name}: "), FOR_A_SOURCE)
    except Unreadable as why:
        yield to_do(about, why.lines[0].removeprefix(f"{source.name}: "), FOR_A_SOURCE)
    else:
        place = source.url.removeprefix(f"{Path.cwd()}/")
        yield good(about, "trả lời" if files is None else f"{vi.number(files)} tệp ở {place}")


def workers(settings: Settings) -> Iterator[Finding]:
    """Who of the cluster that nights are spread over can take part."""
    from flows.cluster import SCHEDULER, cluster  # noqa: PLC0415  # Prefect takes a second to import

    about = "Cụm Dask"
    if not os.environ.get(SCHEDULER):
        yield good(about, f"của riêng máy này, lập cho từng lượt ({SCHEDULER} không đặt)")
        return
    with read_warehouse(settings) as engine, cluster(settings) as found:
        fit = found.fit(engine)
    yield good(about, f"{vi.number(len(fit))} worker làm được, ở {found.address}")
    yield from (to_do(about, line) for line in found.left_out)


def schedule() -> Iterator[Finding]:
    """Who starts the night, and when it is planned next."""
    about, clock = "Máy chủ Prefect", datetime.now().astimezone()
    plan = planned(SECONDS)
    if plan is None:
        yield to_know(about, "không dùng (PREFECT_API_URL không đặt): lượt đêm do cron hay systemd timer gọi")
        yield _zone_of_host(clock)
        return
    place, ours = urlsplit(os.environ["PREFECT_API_URL"]), version("prefect")
    told = f"Prefect {plan.version}, {place.hostname}:{place.port or place.scheme}"
    if plan.version.split(".")[:2] == ours.split(".")[:2]:
        yield good(about, told)
    else:
        yield to_do(about, told, f"chương trình này dùng Prefect {ours}: chạy máy chủ cùng bản")
    yield from _clock("Đồng hồ của Prefect", plan.clock)
    yield from _planned_night(plan)
    if plan.workers:
        yield good("Worker", f"{vi.number(len(plan.workers))} đang trực: {vi.some(plan.workers)}")
    else:
        yield to_do("Worker", "không có ai trực: đến giờ sẽ không có ai chạy", "khởi động: prefect worker start --pool bakhong")


def _planned_night(plan: Plan) -> Iterator[Finding]:
    deploy, here = "gõ trong thư mục này: prefect --no-prompt deploy --all", str(Path.cwd())
    if not plan.is_deployed:
        yield to_do("Lịch chạy đêm", "chưa có trên máy chủ", deploy)
        return
    if plan.folder != here:
        yield to_do("Lịch chạy đêm", f"chạy trong thư mục khác: {plan.folder or 'không nói'}", deploy)
    elif others := sorted({*plan.zones} - {TIME_ZONE}):
        yield to_do("Lịch chạy đêm", f"tính theo múi giờ {', '.join(others)}", f"ghi timezone: {TIME_ZONE} trong prefect.yaml rồi {deploy}")
    else:
        yield good("Lịch chạy đêm", f"theo giờ {TIME_ZONE}, trong {here}")
    about = "Lượt đêm tới"
    if plan.next_night is None and plan.is_paused:
        yield to_do(about, "lịch đang tạm dừng", "mở lại: prefect deployment schedule resume, hoặc trên trang của Prefect")
    elif plan.next_night is None:
        advice = "mới triển khai thì chờ một phút; không thì khởi động lại máy chủ Prefect và đọc nhật ký của nó"
        yield to_do(about, "không có lượt nào được xếp: bộ xếp lịch của máy chủ không làm việc", advice)
    elif plan.is_overdue:
        yield to_do(about, f"đã đến giờ từ {vi.moment(plan.next_night)} mà chưa ai chạy", "xem worker", plan.next_night)
    else:
        yield good(about, vi.moment(plan.next_night), plan.next_night)


def _zone_of_host(clock: datetime) -> Finding:
    """What 02:00 in Vietnam is in the zone in which cron reads its hours."""
    about, two = "Múi giờ của máy", datetime(2026, 1, 1, 2, tzinfo=vi.VIETNAM).astimezone(clock.tzinfo)
    if clock.utcoffset() == timedelta(hours=7):
        return good(about, f"{clock.tzname()}, như ở Việt Nam")
    return to_know(
        about, f"{clock.tzname()}: 02:00 ở Việt Nam là {two:%H:%M} của máy này", "crontab ghi giờ của máy; systemd timer không cần"
    )


def message(settings: Settings) -> Iterator[Finding]:
    """Whether those who look after the night can be told; nothing is sent."""
    about = "Báo tin"
    if settings.message_to is None:
        yield to_know(about, "chưa đặt BAKHONG_MESSAGE_TO: khi có sự cố không ai được báo", "đặt máy chủ thư hay webhook trong .env")
        return
    check_address(settings.message_to)
    parts = urlsplit(settings.message_to)
    place = f"{parts.scheme}://{parts.hostname}"
    try:
        greet(settings.message_to)
    except FAILURES as problem:
        yield to_do(about, f"{place} không nhận: {reason(problem)}", "xem BAKHONG_MESSAGE_TO, và máy chủ ấy")
    else:
        yield good(about, f"{place} trả lời (chưa gửi gì)")
