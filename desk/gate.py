"""`bakhong gate …`, `release`, `diff`: an edition that is held is decided on, a period is signed, and what changed since is told."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine

from desk import terminal
from desk.script import answer
from tasks.ask.gate import alike, findings, held_edition, held_values, numbers, understood
from tasks.ask.releases import signed as signatures
from tasks.ask.scope import WHOLE
from tasks.indicators.edition import judge, take_back
from tasks.words import vietnamese as vi
from warehouse.gate import gate
from warehouse.seed import is_sample
from warehouse.settings import Refusal, Settings

if TYPE_CHECKING:
    from tasks.report.signing import Difference

SHOWN = 30
"""Values that a held edition would change, shown; the rest is counted."""


def listed(connection: Connection, *, each: bool, with_values: bool) -> bool:
    """Shows whether an edition is held, what is out of line, and what it would change; whether anything waits for a decision."""
    held, rows = held_edition(connection), findings(connection, WHOLE)
    if held is None:
        terminal.say("Không có bản công bố nào đang chờ quyết định.")
    else:
        would = f"{vi.number(held.values_added)} giá trị mới, {vi.number(held.values_revised)} sửa đổi"
        ended = f", {vi.number(held.values_ended)} thôi công bố" if held.values_ended else ""
        terminal.complain(f"Chưa công bố từ {vi.moment(held.since)}, chờ quyết định: {would}{ended}. Số đã công bố trước giữ nguyên.")
    if rows:
        header = ["Số", "Điểm bất thường", "Ở đâu", "Nội dung", "Tệp làm thay đổi", "Từ ngày", "Quyết định"]
        terminal.table(
            header, [_told(same) for same in ([[row] for row in rows] if each else alike(rows))], "Khác thường so với số đã công bố"
        )
    if with_values and (values := held_values(connection, WHOLE)):
        header = ["Chỉ tiêu", "Đơn vị", "Kỳ", "Đã công bố", "Chờ công bố", "Tệp làm thay đổi"]
        terminal.table(header, [_value(row) for row in values[:SHOWN]], f"Sẽ thay đổi: {vi.number(len(values))} giá trị")
        if len(values) > SHOWN:
            terminal.say(f"và {vi.number(len(values) - SHOWN)} giá trị khác, ít thay đổi hơn.")
    if any(row.decision is None for row in rows):
        terminal.say('Quyết định: bakhong gate accept SỐ … --reason "…", hoặc reject; --all cho tất cả.')
        return True
    return held is not None


def answered(connection: Connection, *, with_values: bool) -> bool:
    """The same for a program, each finding by itself."""
    held, rows = held_edition(connection), findings(connection, WHOLE)
    values = {"values": held_values(connection, WHOLE)} if with_values else {}
    answer(is_sample=is_sample(connection), held_edition=held, findings=rows, **values)
    return held is not None or any(row.decision is None for row in rows)


def _told(same: Sequence[Any]) -> list[Any]:
    """Findings that are alike in one line: of several the first, which is of the largest unit."""
    row = same[0]
    decided = f"{row.decided_by} {vi.DECISION[row.decision]}: {row.reason}" if row.decision else "chờ"
    where = row.source or f"{row.indicator_code}, {row.unit_name} ({row.unit_code}), {vi.in_text(row.period)}"
    if len(same) > 1:
        where += f"; và {vi.number(len(same) - 1)} chỗ khác"
    title, files = gate().titled(row.check_code), vi.some(row.file_names or [])
    return [numbers(same), title, where, row.message_vi, files, vi.day(row.since), decided]


def _value(row: Any) -> list[Any]:
    def written(value: Any, numerator: Any, denominator: Any, obs_status: str | None) -> str:
        shown = vi.measure(value, row.decimals, row.unit_measure)
        return "chưa có" if obs_status is None else _written(shown, numerator, denominator, vi.status(obs_status))

    old = written(row.old_value, row.old_numerator, row.old_denominator, row.old_obs_status)
    now = written(row.value, row.numerator, row.denominator, row.obs_status)
    return [row.indicator_code, f"{row.unit_name} ({row.unit_code})", vi.period(row.period), old, now, vi.some(row.file_names or [])]


def decided(connection: Connection, words: Sequence[str], everything: bool, decision: str, reason: str) -> None:
    """Writes a decision down, in the name of who is logged in."""
    if everything == bool(words):
        raise Refusal("Cần số của từng điểm bất thường (bakhong gate list), hoặc --all.")
    chosen = [row.alarm_id for row in findings(connection, WHOLE, undecided=True)] if everything else understood(words)
    if not chosen:
        raise Refusal("Không có điểm bất thường nào đang chờ quyết định.")
    done = judge(connection, chosen, decision, reason, getpass.getuser())
    waits = len(findings(connection, WHOLE, undecided=True))
    rest = f"Còn {vi.number(waits)} điểm chờ quyết định." if waits else terminal.NEXT
    terminal.say(f"{vi.number(done)} điểm bất thường: {vi.DECISION[decision]}. {rest}")


def undone(connection: Connection, words: Sequence[str]) -> None:
    """Takes decisions back that have not taken effect."""
    done = take_back(connection, understood(words))
    if not done:
        raise Refusal("Không có quyết định nào như vậy còn rút lại được.")
    terminal.say(f"Đã rút {vi.number(done)} quyết định; các điểm ấy lại chờ.")


def signed(connection: Connection, period: str, note: str | None) -> None:
    """Signs a period."""
    from tasks.report.signing import sign  # noqa: PLC0415  # what writes workbooks

    row = sign(connection, period, getpass.getuser(), note)
    terminal.say(
        f"Đã ký {vi.in_text(period)}: bản ký số {row.release_id}, công bố số {row.publication_id}, "
        f"{vi.number(row.values_signed)} giá trị.\nMã kiểm tra số liệu (SHA-256): {row.checksum}"
    )


def opened(engine: Engine, settings: Settings, period: str) -> None:
    """Writes the open data of what was just signed; where that cannot be done, the next night does it."""
    from tasks.open_data.declaration import read_open_data  # noqa: PLC0415  # as of what writes workbooks
    from tasks.open_data.shelf import write_signed  # noqa: PLC0415

    try:
        with engine.connect() as connection:
            place = write_signed(connection, settings.home, read_open_data(settings.sources), next(iter(signatures(connection, period))))
        terminal.where({"Dữ liệu mở": place})
    except (OSError, Refusal) as error:
        terminal.complain(f"Chưa ghi được dữ liệu mở ({error}); lượt đêm sau sẽ ghi.")


def rebuilt(connection: Connection, period: str, path: Path) -> None:
    """Writes the signed workbook of a period again."""
    from tasks.report.signing import rebuild  # noqa: PLC0415

    row = rebuild(connection, period, path)
    terminal.say(f"Bản ký số {row.release_id} của {row.signed_by}, {vi.moment(row.signed_at)}: {path.absolute()}, đúng từng byte.")


def changed(connection: Connection, period: str, *, as_json: bool) -> bool:
    """Shows what is published of a period otherwise than it was signed, or answers a program; whether anything is."""
    from tasks.report.signing import differences  # noqa: PLC0415

    row, found = differences(connection, period, WHOLE)
    if as_json:
        answer(is_sample=is_sample(connection), period=period, release=row, differences=found)
        return bool(found)
    terminal.say(f"Bản ký số {row.release_id}: {row.signed_by}, {vi.moment(row.signed_at)}, công bố số {row.publication_id}.")
    if not found:
        terminal.say("Số đang công bố đúng như bản đã ký.")
        return False
    header = ["Chỉ tiêu", "Đơn vị", "Đã ký", "Đang công bố"]
    told = [[one.line.indicator_code, f"{one.line.unit_shown} ({one.line.unit_code})", *_both(one)] for one in found]
    terminal.table(header, told, f"Khác bản đã ký: {vi.number(len(found))} giá trị")
    return True


def _both(one: Difference) -> list[str]:
    def written(line: Any) -> str:
        return "không có" if line is None else _written(line.printed, line.numerator, line.denominator, line.status)

    return [written(one.signed), written(one.now)]


def _written(value: str, numerator: Any, denominator: Any, status: str) -> str:
    counts = f" ({vi.number(numerator)}/{vi.number(denominator)})" if denominator is not None else ""
    return f"{value}{counts}, {status}"
