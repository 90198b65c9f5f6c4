"""`bakhong …`: the flows and the questions from a terminal.

Exit codes: 0 done, 1 done but something was rejected, held back or late, 2 could not run.
"""

from __future__ import annotations

import csv
import getpass
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from typer.exceptions import TyperException

from desk import gate as desk_gate
from desk import terminal
from desk.account_commands import account
from desk.consent import require_consent
from desk.installation_commands import doctor, init, version
from desk.keeping_commands import backup, downgrade, restore
from desk.open_data_commands import open_data
from desk.prefect_server import prefect_server, quiet, require_answer
from desk.profile import profiled
from desk.prune_command import prune
from desk.script import answer
from desk.service_commands import alert, worker
from desk.superset_commands import superset
from desk.watch import watch
from flows.logs import log_to_file
from flows.stopping import Stopped, stoppable
from tasks.ask import official_table, questions
from tasks.ask.explain import explain as explain_value
from tasks.ask.gate import held_edition
from tasks.ask.health import Trouble, of_nights
from tasks.ask.notes import notes_of
from tasks.ask.province_editions import gathered, latest
from tasks.ask.scope import WHOLE
from tasks.ask.score_card import score_card
from tasks.ask.to_do import refused
from tasks.count.revisions import last_publication
from tasks.deliveries.coverage import Stretch
from tasks.deliveries.ledger import complete as close_period
from tasks.deliveries.ledger import lost_originals
from tasks.deliveries.run_lock import in_one_line, is_ours, require_free
from tasks.load import decisions
from tasks.load.chosen import Chosen
from tasks.words import vietnamese as vi
from warehouse.database import open_warehouse, read_warehouse, unprotected, upgrade_warehouse, url
from warehouse.embedded import is_running
from warehouse.seed import is_sample
from warehouse.settings import Refusal, Settings
from warehouse.standing import ONLY_READ, READ_ONLY

if TYPE_CHECKING:
    from flows.nightly import Night

SAMPLE_NIGHT = date(2026, 9, 30)
"""The night of the samples: days after the last of their files was exported."""
SAMPLE_UNITS = ("15655", "396")
SAMPLE_PERIOD = "2024"

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Ba Không: kho số liệu và biểu chỉ tiêu “3 không”."
)
quarantine = typer.Typer(no_args_is_help=True, help="Những dòng được để riêng, và vì sao.")
warehouse = typer.Typer(no_args_is_help=True, help="Kho số liệu.")
gate = typer.Typer(no_args_is_help=True, help="Bản công bố bị giữ lại vì khác thường: xem, chấp nhận, không chấp nhận.")
layout = typer.Typer(no_args_is_help=True, help="Bố cục tệp của một đơn vị cung cấp mới: phác thảo, chạy thử.")
app.add_typer(quarantine, name="quarantine")
app.add_typer(gate, name="gate")
app.add_typer(warehouse, name="warehouse")
app.add_typer(layout, name="layout")
app.add_typer(account, name="account")
app.command()(init)
app.command()(doctor)
app.add_typer(open_data, name="open-data")
app.add_typer(superset, name="superset")
app.command()(backup)
app.command()(restore)
warehouse.command()(downgrade)
app.command()(worker)
app.command()(watch)
app.command()(alert)
app.callback()(version)
app.command()(prune)

UnitArgument = Annotated[
    str, typer.Argument(metavar="UNIT", help="Mã hoặc tên đơn vị: 15655, “Ngọc Phụng”; 15661@2025-06-30: của ngày ấy.")
]
PeriodArgument = Annotated[
    str,
    typer.Argument(metavar="PERIOD", help="2024, “quý 1/2024” (2024-Q1) hoặc 3/2024 (2024-03).", callback=official_table.meant_period),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Trả lời bằng JSON, cho chương trình khác đọc.")]


@app.command()
def nightly(
    day: Annotated[str | None, typer.Option("--date", help="Chỉ nhận các tệp đến hết ngày này (2024-12-31).")] = None,
    pull: Annotated[bool, typer.Option("--pull/--no-pull", help="--no-pull: không lấy tệp mới, chỉ tính lại và công bố.")] = True,
    profile: Annotated[bool, typer.Option("--profile", help="Cuối cùng cho biết từng bước mất bao lâu.")] = False,
) -> None:
    """Chạy lượt đêm ngay bây giờ."""
    settings = Settings.from_environment()
    with profiled(terminal.profile_table) if profile else nullcontext():
        _tell_nights(settings, [_nightly(settings, _day(day) if day else None, pulls=pull)])


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", help="Ngày đầu (2024-01-31), hoặc kỳ đầu (2024-01) để chạy theo tháng.")],
    last: Annotated[str, typer.Option("--to", help="Ngày cuối hoặc kỳ cuối.")],
) -> None:
    """Chạy lượt đêm cho từng đêm của một khoảng; chạy lại thì chỉ làm phần còn lại."""
    settings = Settings.from_environment()

    def flow() -> Callable[[], Any]:
        from flows.backfill import backfill as backfill_flow  # noqa: PLC0415  # Prefect takes a second to import

        return partial(backfill_flow, first, last, return_state=True)

    nights: list[Night] = _with_prefect(settings, flow)
    terminal.say(f"Đã chạy {vi.number(len(nights))} đêm.")
    _tell_nights(settings, nights)


@app.command()
def demo() -> None:
    """Chạy lượt đêm trên dữ liệu mẫu rồi in các biểu của xã Ngọc Phụng và huyện Thường Xuân năm 2024."""
    settings = Settings.from_environment()
    if settings.warehouse_url is not None:
        raise Refusal("Dữ liệu mẫu không vào kho thật: bỏ BAKHONG_WAREHOUSE_URL khỏi môi trường và .env rồi chạy lại.")
    _require_samples(settings)
    with open_warehouse(settings) as engine:
        night = _nightly(settings, SAMPLE_NIGHT)
        with engine.connect() as connection:
            for code in SAMPLE_UNITS:
                unit = official_table.find_unit(connection, code, SAMPLE_PERIOD)
                lines = official_table.of_unit(connection, unit, SAMPLE_PERIOD, WHOLE)
                terminal.official_tables(unit, SAMPLE_PERIOD, lines, is_sample=is_sample(connection))
            terminal.rejected_table(refused(connection))
            terminal.set_aside_table(questions.set_aside(connection))
            terminal.printed_table(
                [row for row in questions.published_check(connection, WHOLE) if row.verdict in ("impossible", "differs")]
            )
    terminal.night_line(night)
    _tell_report(night)


def _require_samples(settings: Settings) -> None:
    """Refusal where the sources are no samples: those come with the project's code, not with what is installed of it."""
    from tasks.deliveries.source import read_sample  # noqa: PLC0415

    if not read_sample(settings.sources):
        raise Refusal(f"{settings.sources} không phải dữ liệu mẫu: bakhong demo chạy trong thư mục mã nguồn, nơi có samples/.")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Các nguồn: lần gửi cuối, đánh giá, chậm hay không; giao dịch chờ hóa đơn; lượt chạy và lần công bố cuối."""
    from flows.health import of_schedule  # noqa: PLC0415  # what else only nights need

    settings, now = _to_read(), datetime.now(vi.VIETNAM)
    with _reading(settings) as connection:
        states = questions.source_states(connection, _sources(settings), now)
        run, publication = questions.last_run(connection), last_publication(connection)
        held_back, waiting = questions.held_back(connection, WHOLE), questions.waiting(connection)
        held, sample, not_sent_again = held_edition(connection), is_sample(connection), refused(connection)
        found = [*of_nights(connection, now), *of_schedule()]
        provinces = latest(gathered(connection))
    if as_json:
        answer(
            is_sample=sample,
            is_silent=any(trouble.kind in ("silent", "never") for trouble in found),
            troubles=found,
            run=run,
            publication=publication,
            sources=[
                {"source": one.source.name, "standing": one.standing, "last": one.last, "is_late": one.is_late, "due": one.due}
                for one in states
            ],
            provinces=[{"period": one.period, "editions": one.editions, "missing": one.missing} for one in provinces],
            refused=not_sent_again,
            waiting=waiting,
            held_edition=held,
            held_back=held_back,
        )
    else:
        if sample:
            terminal.sample_line()
        terminal.source_table(states)
        terminal.gathered_table(provinces)
        terminal.waiting_table(waiting, now)
        terminal.rejected_table(not_sent_again)
        _tell_runs(run, publication, held, found)
        terminal.held_back_table(held_back)
    if found or held is not None or held_back or not_sent_again or any(state.is_late for state in states):
        raise typer.Exit(1)


def _tell_runs(run: Any, publication: Any, held: Any, found: Sequence[Trouble]) -> None:
    if run is not None and not any(trouble.kind in ("failed", "killed") for trouble in found):
        terminal.say(f"Lượt chạy cuối: số {run.run_id} ({run.flow}), {vi.moment(run.started_at)}, {vi.RUN_STATUS[run.status]}")
    for trouble in found:
        terminal.complain(trouble.words)
    if publication is None:
        terminal.say("Chưa công bố lần nào.")
    else:
        terminal.say(
            f"Công bố cuối: số {publication.publication_id}, {vi.moment(publication.published_at)}, "
            f"số liệu đến {vi.moment(publication.as_of)}"
        )
    if held is not None:
        terminal.complain(f"Chưa công bố từ {vi.moment(held.since)}, chờ quyết định: bakhong gate list.")


@app.command()
def indicators(
    unit: UnitArgument,
    period: PeriodArgument,
    as_now: Annotated[
        bool, typer.Option("--as-now", help="Tính lại cho đơn vị hiện nay từ các đơn vị đã nhập vào, cả khi kỳ nằm trước ngày thành lập.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Biểu chính thức của một đơn vị trong một kỳ."""
    from tasks.ask.restated import find_unit_of_today, restated_of_unit  # noqa: PLC0415

    lines: Sequence[official_table.Line]
    with _reading(_to_read()) as connection:
        if as_now:
            found = find_unit_of_today(connection, unit)
            lines = restated = restated_of_unit(connection, found, period, WHOLE)
        else:
            found = official_table.find_unit(connection, unit, period)
            lines = official_table.of_unit(connection, found, period, WHOLE)
        notes = [note for note in notes_of(connection, period, WHOLE) if note.unit_code in (None, found.code)]
        sample, of_provinces = is_sample(connection), gathered(connection).get(period) if found.level == "country" else None
    if not lines:
        raise Refusal(f"Chưa công bố chỉ tiêu nào của {found.version} cho kỳ {period}. {found.others}".strip())
    if as_json:
        missing = {"missing": of_provinces.missing} if of_provinces is not None else {}
        answer(is_sample=sample, unit=found, period=period, lines=lines, notes=[note.words for note in notes], **missing)
    elif as_now:
        terminal.restated_tables(found, period, restated, is_sample=sample)
    else:
        terminal.official_tables(found, period, lines, is_sample=sample)
        if of_provinces is not None:
            terminal.say(f"Có bản ký của {of_provinces.told()}.")
        terminal.notes(notes)


@app.command("form-06a")
def form_06a(
    unit: UnitArgument,
    period: PeriodArgument,
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Ghi biểu ra tệp Excel này (.xlsx), để in và gửi.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Biểu 06a: tình hình, kết quả giải quyết thủ tục hành chính (Thông tư 01/2020/TT-VPCP)."""
    from tasks.report.form_06a_sheet import rows_of, write_form_06a  # noqa: PLC0415

    if sheet is not None:
        _require_workbook(sheet)
    with _reading(_to_read()) as connection:
        found = official_table.find_unit(connection, unit, period)
        rows, sample = rows_of(connection, found, period), is_sample(connection)
    if not rows:
        raise Refusal(f"Chưa có hồ sơ nào của {found.version} cho kỳ {period}. {found.others}".strip())
    if sheet is not None:
        write_form_06a(rows, found, period, sheet, is_sample=sample)
    if as_json:
        answer(is_sample=sample, unit=found, period=period, rows=[row.named for row in rows])
        return
    terminal.form_06a(found, period, rows, is_sample=sample)
    if sheet is not None:
        terminal.where({"Biểu Excel": sheet})


def _require_workbook(path: Path) -> None:
    if path.suffix.lower() != ".xlsx" or not path.absolute().parent.is_dir():
        raise Refusal(f"Không ghi được {path}: cần tên tệp .xlsx trong một thư mục đã có.")


@app.command("score-766")
def score_766(
    unit: Annotated[
        str, typer.Argument(metavar="UNIT", help="Mã hoặc tên đơn vị, hoặc mã cơ quan trên Cổng Dịch vụ công: 15655, H44.100.")
    ],
    period: PeriodArgument,
    counted_by: Annotated[
        Literal["pipeline", "portal"] | None,
        typer.Option("--counted-by", help="Tính từ hồ sơ trong kho (pipeline) hay từ số đếm của Cổng (portal)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bộ chỉ số phục vụ người dân, doanh nghiệp (Quyết định 766/QĐ-TTg): từng nhóm, tổng điểm, xếp hạng."""
    with _reading(_to_read()) as connection:
        card, sample = score_card(connection, unit, period, counted_by), is_sample(connection)
    if as_json:
        answer(is_sample=sample, score=card)
    else:
        terminal.score_card(card, is_sample=sample)


@app.command()
def explain(
    indicator: Annotated[str, typer.Argument(metavar="INDICATOR", help="Mã chỉ tiêu: ND3.")],
    unit: UnitArgument,
    period: PeriodArgument,
    as_json: JsonOption = False,
) -> None:
    """Một con số từ đâu mà có: cách tính, số đếm, tệp nguồn, dòng để riêng, các bản đã công bố."""
    settings = _to_read()
    with _reading(settings) as connection:
        found = official_table.find_unit(connection, unit, period)
        told, sample = explain_value(connection, indicator, found, period, WHOLE), is_sample(connection)
        lost = lost_originals(connection, settings.home, [file.delivery_id for file in told.files])
    if as_json:
        answer(is_sample=sample, explanation=told, lost_originals=lost)
    else:
        terminal.explanation(told, lost, is_sample=sample)


@app.command()
def verify(as_json: JsonOption = False) -> None:
    """Đối chiếu số đếm đang giữ với số đếm lại từ đầu trên mọi dữ liệu; chỉ đọc, không sửa gì."""
    from tasks.count.kept import verify as verified  # noqa: PLC0415  # what only nights need

    with _reading(_to_read()) as connection:
        found = verified(connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True))
    if as_json:
        answer(counted=found)
    else:
        terminal.verified_table(found)
    if any(counted.differences for counted in found):
        raise typer.Exit(1)


@app.command()
def complete(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Tên nguồn trong sources.yaml.")],
    period: PeriodArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Bỏ xác nhận: nguồn vẫn còn phải gửi.")] = False,
) -> None:
    """Xác nhận một nguồn không còn gửi gì thêm cho một kỳ; số của kỳ không chờ nguồn này nữa."""
    with read_warehouse(_to_read()) as engine, engine.begin() as connection:
        close_period(connection, source, period, getpass.getuser(), undone=undo)
    words = "còn phải gửi" if undo else "không còn gửi gì thêm"
    terminal.say(f"Nguồn {source} {words} cho {vi.in_text(period)}. {terminal.NEXT}")


@app.command()
def differences(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Mã đơn vị thu hộ: ecpay.")],
    period: PeriodArgument,
    as_json: JsonOption = False,
) -> None:
    """Giao dịch mà tệp tháng và các tệp ngày của một đơn vị thu hộ nói khác nhau, ở những ngày đã có cả hai (quy tắc PAY-022)."""
    from tasks.load.beside_days import differences as found  # noqa: PLC0415  # what else only nights need

    with _reading(_to_read()) as connection:
        rows, sample = found(connection, provider, Stretch.of(period)), is_sample(connection)
    if rows is None:
        raise Refusal(f"Không có ngày nào của {vi.in_text(period)} mà {provider} đã gửi cả tệp ngày và tệp tháng.")
    if as_json:
        answer(is_sample=sample, provider=provider, period=period, differences=rows)
    else:
        terminal.difference_table(rows)


@app.command("rotate-key")
def rotate_key(yes: Annotated[bool, typer.Option("--yes", help="Đổi ngay, không hỏi lại.")] = False) -> None:
    """Đổi khóa bút danh: từ nay băm bằng khóa khác; khóa cũ thôi dùng. Việc của chủ kho (docs/rotate-the-key.md)."""
    from tasks.deliveries.rotation import key_to_leave, rotate  # noqa: PLC0415
    from warehouse.indicators import indicators as declared  # noqa: PLC0415

    settings = Settings.from_environment()
    with read_warehouse(settings) as engine:
        left = key_to_leave(engine, settings)
        if left is None:
            terminal.say("Khóa đã đổi rồi và từ đó chưa nạp tệp nào: không đổi gì thêm.")
            return
        terminal.what_a_new_key_means(left, dict.fromkeys(i.code for i in declared() if i.counts_persons))
        require_consent("doi", yes)
        begun = rotate(engine, settings)
    if begun is not None:
        terminal.say(f"Khóa số {begun.number} vào dùng từ {vi.moment(begun.used_from)}; khóa số {left.number} thôi dùng.")


@app.command("forget-key")
def forget_key(
    number: Annotated[int, typer.Argument(metavar="KEY", help="Số của khóa đã thôi dùng.")],
    yes: Annotated[bool, typer.Option("--yes", help="Làm ngay, không hỏi lại.")] = False,
) -> None:
    """Quên một khóa bút danh đã thôi dùng: số băm của khóa ấy không còn dẫn đến ai. Việc của chủ kho (docs/rotate-the-key.md)."""
    from tasks.load.forget import forget, require_forgettable  # noqa: PLC0415

    with read_warehouse(_to_read()) as engine:
        require_forgettable(engine, number)
        terminal.what_forgetting_means(number)
        require_consent("quen", yes)
        changed = forget(engine, number)
    terminal.say(
        f"Khóa số {number}: đã thay số băm ở {vi.number(changed)} dòng." if changed else f"Khóa số {number} đã được quên từ trước."
    )


RuleOption = Annotated[str | None, typer.Option("--rule", help="Chỉ quy tắc này, ví dụ DOS-003.", callback=questions.meant_rule)]
DeliveryOption = Annotated[int | None, typer.Option("--delivery", help="Chỉ lần gửi số này.")]


@quarantine.command("list")
def quarantine_list(
    rule: RuleOption = None,
    delivery: DeliveryOption = None,
    status: Annotated[
        Literal["open", "waiting", "released", "dismissed", "corrected", "rejected"] | None,
        typer.Option("--status", help="Chỉ tình trạng này."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Các dòng được để riêng: gộp theo quy tắc, hoặc từng dòng khi chọn quy tắc, lần gửi hay tình trạng."""
    grouped = rule is None and delivery is None and status is None
    with _reading(_to_read()) as connection:
        rows = questions.set_aside(connection) if grouped else questions.quarantined(connection, delivery, rule, status)
        if as_json:
            answer(is_sample=is_sample(connection), **{"groups" if grouped else "rows": rows})
        elif grouped:
            terminal.set_aside_table(rows)
            terminal.say(
                f"Tổng cộng {vi.number(sum(row.rows for row in rows))} lỗi. "
                "Từng dòng: bakhong quarantine list --rule MÃ, hoặc bakhong quarantine export."
            )
        else:
            terminal.quarantine_table(rows)


@quarantine.command("export")
def quarantine_export(
    to: Annotated[Path, typer.Option("--to", help="Tệp CSV để gửi lại cho đơn vị cung cấp.")] = Path("quarantine.csv"),
    rule: RuleOption = None,
    delivery: DeliveryOption = None,
) -> None:
    """Ghi các dòng được để riêng ra tệp CSV; trong đó không có dữ liệu cá nhân."""
    with _reading(_to_read()) as connection:
        rows = questions.quarantined(connection, delivery, rule)
    with to.open("w", encoding="utf-8-sig", newline="") as file:  # Excel reads UTF-8 only with its mark
        writer = csv.writer(file)
        writer.writerow(questions.QUARANTINE_COLUMNS)
        writer.writerows([_harmless(cell) for cell in row] for row in rows)
    terminal.say(f"Đã ghi {vi.number(len(rows))} dòng vào {to.absolute()}.")


RowsOption = Annotated[list[int] | None, typer.Option("--row", help="Chỉ dòng số này của tệp; lặp lại được.")]


ColumnOption = Annotated[str | None, typer.Option("--column", help="Chỉ cột này, ghi như trong tệp.")]
DecidedOption = Annotated[
    Literal["open", "waiting", "released", "dismissed"] | None,
    typer.Option("--status", help="Các dòng đang ở tình trạng này; không ghi: các dòng chưa ai quyết định."),
]
OwnDelivery = Annotated[int, typer.Argument(metavar="DELIVERY", help="Số của lần gửi.")]


@quarantine.command("release")
def quarantine_release(
    delivery: OwnDelivery,
    row: RowsOption = None,
    rule: RuleOption = None,
    column: ColumnOption = None,
    status: DecidedOption = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Lý do.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ xem trước: bao nhiêu dòng sẽ được nạp; không ghi gì.")] = False,
) -> None:
    """Cho nạp lại các dòng của một lần gửi, hoặc cả lần gửi bị từ chối vì khác mức thường (kèm --rule); lượt đêm sau sẽ nạp."""
    from tasks.load.foreseen import foreseen  # noqa: PLC0415  # loads pandas

    settings, chosen = _to_read(), Chosen(delivery, rule, column, tuple(row or ()), status)
    with read_warehouse(settings) as engine:
        found = foreseen(engine, settings, chosen)
        if dry_run:
            terminal.say(found.told)
            return
        with engine.begin() as connection:
            touched = decisions.release(connection, chosen, getpass.getuser(), reason, found)
    if found.rows:
        terminal.say(found.told)
    _say_decided(touched, "released")


@quarantine.command("dismiss")
def quarantine_dismiss(
    delivery: OwnDelivery,
    row: RowsOption = None,
    rule: RuleOption = None,
    column: ColumnOption = None,
    status: DecidedOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Lý do; phải ghi.")] = "",
) -> None:
    """Bỏ hẳn các dòng của một lần gửi (chúng vẫn được đếm là để riêng), hoặc cả một lần gửi bị từ chối không chờ gửi lại nữa."""
    with read_warehouse(_to_read()) as engine, engine.begin() as connection:
        touched = decisions.dismiss(connection, Chosen(delivery, rule, column, tuple(row or ()), status), getpass.getuser(), reason)
    _say_decided(touched, "dismissed")


def _say_decided(touched: int, status: str) -> None:
    terminal.say(f"{vi.number(touched)} dòng: {vi.QUARANTINE_STATUS[status]}. {terminal.NEXT}")


@quarantine.command("assign")
def quarantine_assign(
    delivery: OwnDelivery,
    to: Annotated[str, typer.Argument(metavar="PERSON", help="Người phụ trách; để trống “” thì thôi giao.")],
    row: RowsOption = None,
    rule: RuleOption = None,
    column: ColumnOption = None,
) -> None:
    """Giao cho một người theo dõi các dòng để riêng của một lần gửi, hoặc một lần gửi bị từ chối."""
    with read_warehouse(_to_read()) as engine, engine.begin() as connection:
        decisions.assign(connection, Chosen(delivery, rule, column, tuple(row or ())), to, getpass.getuser())
    terminal.say(f"Đã giao cho {to.strip()}." if to.strip() else "Đã thôi giao.")


@quarantine.command("comment")
def quarantine_comment(
    delivery: OwnDelivery,
    words: Annotated[str, typer.Argument(metavar="WORDS", help="Ghi chú, trong ngoặc kép.")],
    row: RowsOption = None,
    rule: RuleOption = None,
    column: ColumnOption = None,
) -> None:
    """Thêm một ghi chú vào các dòng để riêng của một lần gửi, hoặc vào một lần gửi bị từ chối."""
    with read_warehouse(_to_read()) as engine, engine.begin() as connection:
        decisions.comment(connection, Chosen(delivery, rule, column, tuple(row or ())), words, getpass.getuser())
    terminal.say("Đã ghi.")


@quarantine.command("letter")
def quarantine_letter(
    to: Annotated[Path, typer.Option("--to", help="Ghi thư ra tệp Excel này (.xlsx).")],
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help="Tên nguồn trong sources.yaml.")] = None,
    delivery: DeliveryOption = None,
    deadline: Annotated[str | None, typer.Option("--deadline", help="Hạn gửi lại (2024-12-31); không ghi: bảy ngày nữa.")] = None,
) -> None:
    """Thư cho đơn vị cung cấp: tệp nào, ô nào sai, cần làm gì, và cột để họ điền giá trị đúng; điền xong thì nhận lại bằng correct."""
    from tasks.report.letter import write_letter  # noqa: PLC0415

    if (source is None) == (delivery is None):
        raise Refusal("Nêu tên nguồn, hoặc một lần gửi bằng --delivery.")
    _require_workbook(to)
    settings, until = _to_read(), _day(deadline) if deadline else None
    with _reading(settings) as connection:
        cells = write_letter(connection, to, _sources(settings), source=source, delivery_id=delivery, deadline=until)
    terminal.say(f"{vi.number(cells)} ô cần sửa.")
    terminal.where({"Thư": to.absolute()})


@quarantine.command("correct")
def quarantine_correct(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Thư mà đơn vị cung cấp đã điền (.xlsx).")],
    reason: Annotated[str | None, typer.Option("--reason", help="Lý do, hoặc công văn kèm theo.")] = None,
) -> None:
    """Nhận thư mà đơn vị cung cấp đã điền: tất cả, hoặc không ô nào; lượt đêm sau đọc lại các dòng ấy theo giá trị đúng."""
    from tasks.load.corrections import take_corrections  # noqa: PLC0415

    settings = _to_read()
    if not file.is_file():
        raise Refusal(f"Không có tệp {file}.")
    with read_warehouse(settings) as engine, engine.begin() as connection:
        cells = take_corrections(connection, file, getpass.getuser(), _sources(settings), reason)
    terminal.say(f"Đã nhận {vi.number(cells)} ô. {terminal.NEXT}")


@quarantine.command("history")
def quarantine_history(delivery: OwnDelivery, rule: RuleOption = None, column: ColumnOption = None, as_json: JsonOption = False) -> None:
    """Ai đã quyết định, giao việc, ghi chú gì về một lần gửi, theo thứ tự thời gian."""
    from tasks.ask.worklist import history  # noqa: PLC0415

    with _reading(_to_read()) as connection:
        notes, sample = history(connection, delivery, rule, column), is_sample(connection)
    if as_json:
        answer(is_sample=sample, delivery_id=delivery, notes=notes)
    else:
        terminal.history_table(notes)


NumbersArgument = Annotated[list[str] | None, typer.Argument(metavar="NUMBER …", help="Số của điểm bất thường, theo gate list: 12, 14-40.")]
AllOption = Annotated[bool, typer.Option("--all", help="Mọi điểm đang chờ.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Lý do; được in kèm bảng số liệu.")]


@gate.command("list")
def gate_list(
    each: Annotated[bool, typer.Option("--each", help="Từng điểm một, không gộp.")] = False,
    values: Annotated[bool, typer.Option("--values", help="Cả những giá trị sẽ thay đổi, cũ và mới.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Có bản công bố nào bị giữ không, vì những điểm bất thường nào, tệp nào làm thay đổi."""
    with _reading(_to_read()) as connection:
        if as_json:
            waits = desk_gate.answered(connection, with_values=values)
        else:
            waits = desk_gate.listed(connection, each=each, with_values=values)
    if waits:
        raise typer.Exit(1)


@gate.command("accept")
def gate_accept(reason: ReasonOption, numbers: NumbersArgument = None, everything: AllOption = False) -> None:
    """Chấp nhận: số đúng như vậy, cho công bố."""
    with read_warehouse(_to_read()) as engine, engine.begin() as connection:
        desk_gate.decided(connection, numbers or [], everything, "accepted", reason)


@gate.command("reject")
def gate_reject(reason: ReasonOption, numbers: NumbersArgument = None, everything: AllOption = False) -> None:
    """Không chấp nhận: giữ lại riêng các giá trị ấy, công bố phần còn lại."""
    with read_warehouse(_to_read()) as engine, engine.begin() as connection:
        desk_gate.decided(connection, numbers or [], everything, "rejected", reason)


@gate.command("undo")
def gate_undo(numbers: Annotated[list[str], typer.Argument(metavar="NUMBER …", help="Số của điểm bất thường.")]) -> None:
    """Rút lại quyết định chưa áp dụng."""
    with read_warehouse(_to_read()) as engine, engine.begin() as connection:
        desk_gate.undone(connection, numbers)


@app.command()
def release(
    period: PeriodArgument,
    note: Annotated[str | None, typer.Option("--note", help="Ghi chú của người ký, in trên bìa.")] = None,
    workbook: Annotated[
        Path | None, typer.Option("--workbook", help="Không ký: ghi lại tệp Excel đã ký ra tệp này, đúng từng byte.")
    ] = None,
) -> None:
    """Ký số liệu đã công bố của một kỳ: ai, lúc nào, bản nào, mã kiểm tra; những thay đổi về sau là sửa đổi so với bản ký."""
    settings = _to_read()
    with read_warehouse(settings) as engine:
        with engine.begin() as connection:
            if workbook is None:
                desk_gate.signed(connection, period, note)
            else:
                _require_workbook(workbook)
                desk_gate.rebuilt(connection, period, workbook)
        if workbook is None:
            desk_gate.opened(engine, settings, period)


@app.command()
def diff(period: PeriodArgument, as_json: JsonOption = False) -> None:
    """Số đang công bố của một kỳ khác gì bản đã ký."""
    with _reading(_to_read()) as connection:
        if desk_gate.changed(connection, period, as_json=as_json):
            raise typer.Exit(1)


@warehouse.command("url")
def warehouse_url(
    role: Annotated[Literal["reader", "steward", "etl", "owner"], typer.Option("--role", help="Vai trò.")] = "reader",
    as_json: JsonOption = False,
) -> None:
    """Địa chỉ kết nối của kho, cho công cụ phân tích."""
    settings = _to_read()
    address, is_open = url(settings, role), is_running(settings.home) if settings.warehouse_url is None else None
    if as_json:
        answer(role=role, url=address, is_open=is_open)
    else:
        typer.echo(address)
    if is_open is False:
        terminal.complain("Kho đang đóng: địa chỉ này chỉ kết nối được trong khi `bakhong serve` (hoặc một lượt chạy) mở kho.")


@warehouse.command("upgrade")
def warehouse_upgrade() -> None:
    """Đưa kho lên bản của chương trình này: bảng, khung nhìn, danh mục. Việc của chủ kho."""
    settings = _to_read()
    done = upgrade_warehouse(settings)
    terminal.say(f"Kho số liệu ở bản {done.revision}.")
    if done.still_open:
        terminal.complain(
            "Người đọc còn ghi được vào máy chủ (bảng tạm, large object); tài khoản này không đóng được: người quản trị PostgreSQL "
            f"chạy trong cơ sở dữ liệu của kho: {'; '.join(done.still_open)};"
        )
    if words := unprotected(settings):
        terminal.complain(words)


FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Tệp mà đơn vị cung cấp gửi.")]


@layout.command("draft")
def layout_draft(
    file: FileArgument,
    feed: Annotated[str, typer.Option("--feed", help="Nguồn dữ liệu: bills, payments, dossiers…")],
    out: Annotated[Path | None, typer.Option("--out", help="Ghi ra tệp YAML này thay vì ra màn hình.")] = None,
) -> None:
    """Phác thảo bố cục của một tệp chưa ai mô tả: loại tệp, bảng mã, dấu phân cách, tiêu đề, ngày, số, cột nào là cột nào."""
    from desk.layouts import drafted  # noqa: PLC0415

    drafted(file, feed, out)


@layout.command("try")
def layout_try(
    layout_words: Annotated[str, typer.Argument(metavar="LAYOUT", help="Tệp YAML của layout draft, hoặc bố cục đã có: bills/evn_csv.")],
    file: FileArgument,
    rows: Annotated[int, typer.Option("--rows", min=0, max=1000, help="Số dòng đầu cho xem.")] = 10,
) -> None:
    """Đọc một tệp theo bố cục như lượt đêm sẽ đọc: các dòng đầu, và những gì sẽ bị để riêng hay từ chối. Không cần kho."""
    from desk.layouts import tried  # noqa: PLC0415

    if not tried(layout_words, file, rows):
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="Địa chỉ nghe; 0.0.0.0: mọi địa chỉ của máy.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Cổng.")] = 8766,
    root_path: Annotated[str, typer.Option("--root-path", metavar="/X", help="Đường dẫn sau reverse proxy, ví dụ /ba-khong.")] = "",
    proxy: Annotated[
        list[str] | None, typer.Option("--proxy", metavar="ADDRESS", help="Reverse proxy được tin X-Forwarded-For, -Proto; lặp lại được.")
    ] = None,
) -> None:
    """Mở trang kiểm soát và kho cho đến khi bấm Ctrl-C; tài khoản: bakhong account."""
    from desk.web.serve import serve as serve_desk  # noqa: PLC0415  # the web server takes long to import

    serve_desk(_to_read(), host, port, root_path, proxy or [])


def _nightly(settings: Settings, until: date | None, *, pulls: bool = True) -> Night:
    def flow() -> Callable[[], Any]:
        from flows.nightly import nightly as nightly_flow  # noqa: PLC0415  # Prefect takes a second to import

        return partial(nightly_flow, until, pulls, return_state=True)

    done: Night = _with_prefect(settings, flow)
    return done


def _with_prefect(settings: Settings, flow: Callable[[], Callable[[], Any]]) -> Any:
    """The result of a flow, whatever its state, run against Prefect's server.

    That starts while the warehouse is opened and the flow imported.
    """
    _sources(settings)  # a mistake in them is told before anything is started
    if words := unprotected(settings):
        terminal.complain(words)
    log_to_file(settings)
    quiet(settings.home)
    require_answer()
    idle = stoppable(lambda: "Không có lượt chạy nào dở dang.")
    with idle, terminal.progress(), open_warehouse(settings) as engine:
        require_free(engine)  # the run itself takes the lock; who finds it taken is told before anything else is loaded
        with prefect_server() as server:
            from tasks.read.bounded import get_ready  # noqa: PLC0415
            from tasks.validate.gx import great_expectations  # noqa: PLC0415  # pandas takes half a second to import

            run = flow()
            if server is not None:
                import fastapi.encoders  # noqa: PLC0415, F401  # Prefect would load it once the server is there

                if server.is_new:  # its first start takes long: time enough to load what the night will need
                    get_ready()
                    great_expectations()
                server.ready()
            result = run().result(raise_on_failure=False)
    from flows.ending import NotAllTaken  # noqa: PLC0415

    if isinstance(result, NotAllTaken):
        return result.result
    if isinstance(result, BaseException):
        raise result
    return result


@contextmanager
def _reading(settings: Settings) -> Iterator[Connection]:
    with read_warehouse(settings) as engine, engine.connect() as connection:
        yield connection


def _to_read() -> Settings:
    return Settings.from_environment(reading=True)


def _sources(settings: Settings) -> Sequence[Any]:
    from tasks.deliveries.source import read_sources  # noqa: PLC0415

    return read_sources(settings.sources)


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError as error:
        raise Refusal(f"Ngày {words!r} không hợp lệ: viết năm-tháng-ngày, như 2024-12-31.") from error


def _harmless(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula, marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell


def _tell_nights(settings: Settings, nights: Sequence[Night]) -> None:
    """Tells what nights did, and leaves with 1 where something broke, was rejected, out of reach or late."""
    last = nights[-1]
    with _reading(settings) as connection:
        since = questions.find_run(connection, nights[0].run_id).started_at
        broken = questions.broken_rules(connection, since)
    for line in nights[-1].ahead:
        terminal.say(f"Chưa lấy vì là của ngày sau: {line}")
    shortcomings = [line for night in nights for line in night.shortcomings]
    late = [state.source.name for state in last.late]
    terminal.night_line(last, [outcome for night in nights for outcome in night.outcomes])
    terminal.taken_lines(broken)
    for line in shortcomings:
        terminal.complain(line)
    if late:
        terminal.complain(f"Nguồn chậm: {', '.join(late)}")
    _tell_report(last)
    if shortcomings or late:
        raise typer.Exit(1)


def _tell_report(night: Night) -> None:
    if night.report is not None:
        books = {f"Biểu Excel {vi.in_text(book.stem[-4:])}": book for book in night.report.workbooks}
        terminal.where({"Trang kiểm soát": night.report.site, **books, "Xem trong trình duyệt": "bakhong serve"})


def main() -> None:
    """Runs a command; what goes wrong becomes one line and exit code 2, a request to end one line and the code of its signal."""
    try:
        with stoppable():
            code = app(standalone_mode=False) or 0
    except Stopped as stopped:
        terminal.complain(str(stopped))
        sys.stdout.flush()
        os._exit(stopped.exit_code)  # steps under way may not hold it up
    except TyperException as wrong:
        said = wrong.format_message() if hasattr(wrong, "format_message") else str(wrong)
        terminal.complain(f"Lệnh gõ chưa đúng, xem --help: {said}")
        code = 2
    except Refusal as refusal:
        terminal.complain(str(refusal))
        code = 2
    except DBAPIError as error:
        terminal.complain(_not_allowed(error) or f"Kho số liệu báo lỗi: {in_one_line(error)}")
        code = 2
    except OSError as error:
        terminal.complain(f"{error.strerror}: {error.filename}" if error.filename else str(error))
        code = 2
    except Exception as error:
        terminal.complain(str(error) if is_ours(error) else f"{type(error).__name__}: {error}{_kept_trace()}")
        code = 2
    sys.exit(code)


def _not_allowed(error: DBAPIError) -> str | None:
    """What to say where the login lacks a right, or nobody can write; nothing for any other error."""
    state = getattr(error.orig, "sqlstate", None)
    if state == READ_ONLY:
        return str(ONLY_READ)
    if state != "42501":
        return None
    return (
        "Tài khoản này không có quyền làm việc này trong kho: cần vai trò bakhong_etl để chạy, bakhong_steward để xem và quyết định "
        "(người quản trị PostgreSQL chạy GRANT … TO …; nếu đã có vai trò thì chủ kho chạy `bakhong warehouse upgrade`)."
    )


def _kept_trace() -> str:
    """Keeps the trace of an unexpected error for whoever looks into it, and says where."""
    os.umask(0o077)  # it may quote what it stumbled over
    with suppress(Refusal, OSError):
        path = _to_read().home / "last-error.log"
        path.write_text(traceback.format_exc(), "utf-8")
        return f" (chi tiết: {path})"
    return ""
