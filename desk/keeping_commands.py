"""`bakhong backup`, `bakhong restore` and `bakhong warehouse downgrade`: a copy elsewhere, and the way back."""

from __future__ import annotations

import shlex
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desk import terminal
from desk.consent import require_consent
from flows.progress import tell
from flows.stopping import stoppable
from tasks.words import vietnamese as vi
from tasks.words.vietnamese import VIETNAM
from warehouse.database import downgrade as step_back
from warehouse.database import open_as_it_is
from warehouse.pseudonym_key import fingerprint
from warehouse.settings import Refusal, Settings, write_private
from warehouse.standing import revision

if TYPE_CHECKING:
    from tasks.keep.backup import Done
    from tasks.keep.restore import Restored

KEPT = 14
"""So many backups stay in a folder where nobody says otherwise, the last ones."""
SHOWN = 5
"""Lost files that are named."""

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Thư mục bản sao, ở ổ đĩa hay máy khác.")]


def backup(
    folder: FolderArgument,
    keeps: Annotated[int, typer.Option("--keep", min=1, help="Giữ lại bao nhiêu bản sao cuối.")] = KEPT,
    rereads: Annotated[bool, typer.Option("--verify", help="Đọc lại cả các tệp đã sao từ trước; tệp hỏng thì sao lại.")] = False,
    with_key: Annotated[
        Path | None, typer.Option("--with-key", metavar="FILE", help="Ghi khóa bút danh ra tệp này, cất riêng, không cùng bản sao.")
    ] = None,
) -> None:
    """Sao lưu kho, các tệp đã nhận và cấu hình vào một thư mục; lần sau chỉ sao thêm những gì mới (docs/backup.md)."""
    from tasks.keep.backup import back_up  # noqa: PLC0415  # what only keeping needs

    settings = Settings.from_environment(reading=with_key is None)
    folder = folder.absolute()
    with (
        stoppable(lambda: "Bản sao chưa xong; các bản sao trước vẫn nguyên. Chạy lại là sao tiếp."),
        terminal.progress(),
        open_as_it_is(settings) as engine,
    ):
        done = back_up(engine, settings, folder, tell, keeps=keeps, rereads=rereads)
        if with_key is not None:
            _keep_key(settings, with_key.absolute(), folder)
    _tell_backup(done, settings, with_key)
    if done.backup.told.missing:
        raise typer.Exit(1)


def _keep_key(settings: Settings, path: Path, folder: Path) -> None:
    if path.resolve().is_relative_to(folder.resolve()):
        raise Refusal(f"Khóa bút danh không để cùng bản sao: chọn tệp ngoài {folder}. Bản sao thì đã xong.")
    if path.exists() and path.read_bytes().strip() != settings.secret_key:
        raise Refusal(f"{path} đã có và không phải khóa này: chọn tệp khác. Bản sao thì đã xong.")
    if not path.exists():
        write_private(path, f"{settings.secret_key.decode()}\n")


def _tell_backup(done: Done, settings: Settings, with_key: Path | None) -> None:
    told = done.backup.told
    size = sum(file.size for file in told.files.values())
    terminal.say(
        f"Đã sao lưu: {vi.number(told.counts.deliveries)} lần gửi, {vi.number(told.counts.publications)} lần công bố, "
        f"{vi.number(sum(told.counts.facts.values()))} dòng dữ liệu; {vi.number(len(told.files))} tệp, {vi.number(size // 1_000_000)} MB, "
        f"trong đó {vi.number(done.copied)} tệp nhận mới được sao thêm."
    )
    if done.pruned:
        terminal.say(f"Bỏ {vi.number(len(done.pruned))} bản sao cũ: {vi.some([path.name for path in done.pruned])}.")
    if done.others:
        terminal.say(f"Không sao các lược đồ của người khác trong cùng cơ sở dữ liệu: {vi.some(done.others)}.")
    if lost := sorted(set(told.missing) - set(done.damaged)):
        terminal.complain(f"Không còn trên máy này nên không sao được {vi.number(len(lost))} tệp đã nhận: {vi.some(lost, SHOWN)}.")
    if done.damaged:
        terminal.complain(f"Không sao {vi.number(len(done.damaged))} tệp đã nhận bị hỏng (khác mã băm): {vi.some(done.damaged, SHOWN)}.")
    lies = with_key or (settings.home / "secret_key" if (settings.home / "secret_key").exists() else "biến BAKHONG_SECRET_KEY của máy này")
    terminal.say(
        f"Khóa bút danh không nằm trong bản sao, nó ở {lies}: cất riêng một bản. Mất khóa thì không nối được người cũ với người mới."
    )
    terminal.where({"Bản sao": done.backup.folder})


def restore(
    folder: FolderArgument,
    at: Annotated[
        str | None, typer.Option("--at", metavar="WHEN", help="Bản sao cuối đến lúc này: 2024-12-31, hoặc 2024-12-31T02:00.")
    ] = None,
    with_key: Annotated[
        Path | None, typer.Option("--with-key", metavar="FILE", help="Khóa bút danh đã cất riêng; được đặt vào BAKHONG_HOME.")
    ] = None,
) -> None:
    """Đưa một bản sao về: vào BAKHONG_HOME mới, hoặc cơ sở dữ liệu trống của BAKHONG_WAREHOUSE_URL (docs/backup.md)."""
    from tasks.keep.restore import begin, chosen, damaged, finish  # noqa: PLC0415
    from tasks.keep.restore import restore as bring_back  # noqa: PLC0415

    settings, moment = Settings.from_environment(reading=True), _moment(at) if at else None
    folder = folder.absolute()
    found = chosen(folder, moment)
    key = _key(with_key, found.told.key, settings.home / "secret_key") if with_key else None
    again = f"bakhong restore {shlex.quote(str(folder))}" + (f" --at {at}" if at else "")
    with stoppable(lambda: f"Khôi phục chưa xong, cơ sở dữ liệu vẫn trống: chạy lại `{again}`."), terminal.progress():
        without = damaged(folder, found, tell)
        is_new = begin(settings, again)
        try:
            with open_as_it_is(settings, brings_back=True) as engine:
                done = bring_back(engine, settings, folder, found, without, tell)
        except Refusal:  # nothing was begun, or all of it was taken back
            if is_new:
                finish(settings)
            raise
        if key is not None:
            write_private(settings.home / "secret_key", key)
        finish(settings)
    _tell_restored(done, settings, has_key=key is not None)
    if done.lost:
        raise typer.Exit(1)


def _moment(words: str) -> datetime:
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        raise Refusal(f"{words!r} không phải thời điểm: viết 2024-12-31, hoặc 2024-12-31T02:00.") from None
    if len(words) <= len("2024-12-31"):
        found = datetime.combine(found.date(), time.max)
    return found if found.tzinfo else found.replace(tzinfo=VIETNAM)


def _key(path: Path, wanted: str | None, place: Path) -> str:
    if not path.is_file():
        raise Refusal(f"Không có tệp {path}.")
    key = path.read_text("utf-8").strip()
    if wanted is not None and fingerprint(key.encode()) != wanted:
        raise Refusal(f"{path} không phải khóa bút danh của bản sao này, chưa khôi phục gì.")
    if place.exists() and place.read_text("utf-8").strip() != key:
        raise Refusal(f"{place} đã có và là khóa khác, chưa khôi phục gì: chuyển tệp ấy đi chỗ khác trước.")
    return f"{key}\n"


def _tell_restored(done: Restored, settings: Settings, *, has_key: bool) -> None:
    told = done.backup.told
    terminal.say(
        f"Đã khôi phục kho như lúc {vi.moment(told.taken_at)}: {vi.number(told.counts.deliveries)} lần gửi, "
        f"{vi.number(told.counts.publications)} lần công bố, {vi.number(sum(told.counts.facts.values()))} dòng dữ liệu, "
        f"{vi.number(done.landed)} tệp đã nhận."
    )
    if done.laid_down:
        terminal.say(f"Đã đặt lại {vi.some([str(path) for path in done.laid_down])}: xem lại đường dẫn, đặt lại các bí mật.")
    if done.lost:
        terminal.complain(
            f"Không có trong bản sao {vi.number(len(done.lost))} tệp đã nhận: {vi.some(done.lost, SHOWN)}. Số liệu, số đếm, dòng để riêng "
            "và các lần công bố vẫn đủ; chỉ không đọc lại được các tệp ấy, trừ khi nguồn còn gửi lại."
        )
    if not has_key and told.key is not None:
        place = "biến BAKHONG_SECRET_KEY" if settings.warehouse_url else f"{settings.home / 'secret_key'}, hoặc biến BAKHONG_SECRET_KEY"
        terminal.complain(f"Khóa bút danh không có trong bản sao: đặt khóa cũ vào {place}; thiếu nó lượt đêm không chạy.")
    if has_key and settings.warehouse_url:
        terminal.say(f"Khóa bút danh ở {settings.home / 'secret_key'}: đặt BAKHONG_SECRET_KEY theo tệp ấy.")
    if told.members:
        terminal.say(f"Tài khoản PostgreSQL của người dùng không có trong bản sao, cấp lại vai trò cho: {vi.some(told.members, SHOWN)}.")
    if done.is_older:
        terminal.complain(f"Kho ở bản {told.revision}, cũ hơn chương trình này: chạy `bakhong warehouse upgrade` rồi mới dùng.")
    else:
        terminal.say("Rồi chủ kho chạy `bakhong warehouse upgrade` một lần: quyền ở mức cơ sở dữ liệu không có trong bản sao.")


def downgrade(
    to: Annotated[str, typer.Argument(metavar="REVISION", help="Bản của kho, ví dụ 0023.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ xem những gì sẽ mất; không đổi gì.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Làm ngay, không hỏi lại.")] = False,
) -> None:
    """Đưa kho về bản cũ hơn, cho chương trình cũ hơn: cho biết trước những gì sẽ mất. Việc của chủ kho; sao lưu trước đã."""
    from tasks.deliveries.run_lock import require_free  # noqa: PLC0415
    from warehouse.losses import losses, require_step_back  # noqa: PLC0415

    settings = Settings.from_environment(reading=True)
    with open_as_it_is(settings) as engine:
        require_step_back(engine, to)
        require_free(engine)
        with engine.connect() as connection:
            now = revision(connection)
        lost = losses(engine, to)
        terminal.loss_table(lost, str(now), to)
        if dry_run:
            return
        require_consent("lui", yes)
        require_free(engine)
        step_back(engine, to)
    terminal.say(f"Kho số liệu ở bản {to}: cài chương trình của bản ấy rồi chạy `bakhong warehouse upgrade`.")
