"""`bakhong layout …`: a new supplier's file described, and the description tried, in words and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from desk import terminal
from expectations.contract import NAMES_A_PERSON, PERSONAL, ROW_NUMBER, Contract, Layout, contract, feeds
from tasks.deliveries.source import known_feed, require_layout
from tasks.words import vietnamese as vi
from tasks.words.understood import did_you_mean
from warehouse.settings import Refusal

if TYPE_CHECKING:
    from tasks.validate.trial import Trial

_SHORT_HASH = 8
_DROPPED, _HIDDEN = "(bỏ)", "(giấu)"


def drafted(file: Path, feed: str, to: Path | None) -> None:
    """Drafts the layout of a file and writes it, or shows it."""
    from tasks.read.bounded import Broke  # noqa: PLC0415  # what only this command needs
    from tasks.read.draft.draft import draft_apart  # noqa: PLC0415
    from tasks.read.rows import Rejected  # noqa: PLC0415

    terms = known_feed(feed)
    _is_there(file)
    if to is not None and to.exists():
        raise Refusal(f"{to} đã có; chọn tên khác để không ghi đè.")
    try:
        found = draft_apart(file, terms)
    except Rejected as problem:
        raise Refusal(f"{file.name}: {problem.message_vi}") from None
    except Broke as problem:
        raise Refusal(f"{file.name}: không phác thảo được bố cục của tệp này ({problem}).") from None
    if to is None:
        terminal.out.print(found.text, end="", markup=False, soft_wrap=True)
        return
    to.write_text(found.text, "utf-8")
    missing = f" Cột bắt buộc chưa thấy: {', '.join(found.unsaid)}." if found.unsaid else ""
    terminal.say(f"Đã ghi {to}: {vi.number(found.placed)}/{vi.number(found.headers)} cột đã rõ.{missing}")


def tried(layout: str, file: Path, rows: int) -> bool:
    """Reads a file by a layout, shows what a night would make of it, and says whether all of it would go on."""
    from tasks.validate.trial import try_layout  # noqa: PLC0415  # pandas and Great Expectations take seconds

    terms, name = _layout(layout)
    _is_there(file)
    try:
        trial = try_layout(file, terms, name, rows)
    except OSError:
        raise
    except Exception as problem:  # its words may quote a cell
        raise Refusal(f"{file.name}: không chạy thử được ({type(problem).__name__}).") from None
    _show(trial, terms)
    return trial.is_accepted


def _is_there(file: Path) -> None:
    if not file.is_file():
        raise Refusal(f"Không có tệp {file}.")
    with file.open("rb"):
        pass


def _layout(words: str) -> tuple[Contract, str]:
    """The contract and the name of a layout: one declared, as `bills/evn_csv`, or one of a YAML file."""
    from tasks.read.draft.draft import as_layout  # noqa: PLC0415
    from tasks.validate.trial import with_layout  # noqa: PLC0415

    path = Path(words)
    feed, _, name = words.partition("/")
    if feed in feeds() and name and not path.is_file():
        terms = contract(feed)
        require_layout(terms, name)
        return terms, name
    try:
        feed, name, layout = as_layout(path.read_text("utf-8"))
        terms = known_feed(feed)
        return with_layout(terms, name, layout), name
    except OSError:
        declared = [f"{name}/{layout}" for name in feeds() for layout in contract(name).layouts]
        raise Refusal(
            f"Không đọc được {words}: cần một tệp YAML của `bakhong layout draft`, hoặc nguồn/bố cục như bills/evn_csv."
            f"{did_you_mean(words, declared)}"
        ) from None
    except ValidationError as mistakes:
        raise Refusal(f"{words}: {'; '.join(map(_mistake, mistakes.errors()))}") from None
    except yaml.YAMLError as mistake:
        raise Refusal(f"{words}: không phải YAML ({' '.join(str(mistake).split())}).") from None
    except (ValueError, TypeError) as mistake:
        raise Refusal(f"{words}: {' '.join(str(mistake).split())}") from None


def _mistake(found: ErrorDetails) -> str:
    """What is wrong with a part of a layout; pydantic's own words are a programmer's."""
    part = ".".join(map(str, found["loc"]))
    match found["type"]:
        case "missing":
            return f"thiếu {part!r}"
        case "extra_forbidden":
            return f"không có khóa {part!r}.{did_you_mean(part, Layout.model_fields)}"
        case "literal_error":
            return f"{part!r} là một trong: {found['ctx']['expected'].replace(' or ', ', ')}"
        case "value_error":
            return str(found["ctx"]["error"])
    return f"{part!r}: {found['msg']}"


def _show(trial: Trial, terms: Contract) -> None:
    shown = [name for name in trial.columns if name in terms.columns]
    heads = ["Dòng", *(f">{name}" if terms.columns[name].type in ("integer", "decimal") else name for name in shown)]
    lines = [[str(row[ROW_NUMBER]), *(_cell(row, name, terms) for name in shown)] for row in trial.rows]
    if lines:
        terminal.table(heads, lines, "Các dòng đầu, đọc theo bố cục")
    if trial.faults:
        terminal.table(
            ["Quy tắc", "Cột", ">Số dòng", "Dòng đầu tiên", "Vì sao"],
            [
                [fault.rule_code, fault.column, vi.number(fault.rows), ", ".join(map(str, fault.first)), fault.message_vi]
                for fault in trial.faults
            ],
            "Các dòng sẽ bị để riêng",
        )
    for warning in trial.warnings:
        rule = terms.rule(warning.rule_code)
        column = rule.columns[0] if rule.columns else ""
        message = rule.message_vi.format(file="", column=column, observed=warning.observed or f"{vi.number(warning.unexpected_count)} dòng")
        terminal.say(f"Cảnh báo {warning.rule_code} ({vi.number(warning.unexpected_count)} dòng): {message}")
    if trial.refused is not None:
        terminal.say(f"Cả tệp sẽ bị từ chối. {trial.refused}")
    else:
        terminal.say(
            f"{vi.number(trial.received)} dòng: {vi.number(trial.accepted)} được nhận, "
            f"{vi.number(trial.set_aside)} để riêng, {vi.number(trial.ignored)} bỏ qua."
        )
    if trial.unsaid:
        terminal.say(f"Bố cục chưa nói cột bắt buộc: {', '.join(trial.unsaid)}. Các quy tắc của nguồn chưa được thử.")
    if trial.not_checked:
        terminal.say(f"Không có kho nên chưa đối chiếu: {', '.join(trial.not_checked)}.")


def _cell(row: Mapping[str, Any], name: str, terms: Contract) -> str:
    """A typed cell; a person's is its hash's beginning or not there, and what looks like one is hidden."""
    column, value = terms.columns[name], row.get(name)
    kind = column.type
    if kind == "dropped":
        return _DROPPED
    if value is None:
        return vi.NOTHING
    if kind == "hash":
        return str(value)[:_SHORT_HASH]
    is_code = kind != "text" or (column.quoted or column.pattern) is not None
    if re.search(PERSONAL if is_code else NAMES_A_PERSON, str(value)):
        return _HIDDEN
    if isinstance(value, datetime):
        return f"{value:%d/%m/%Y %H:%M:%S}"
    if isinstance(value, date):
        return vi.day(value)
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, int):
        return vi.number(value)
    return f"{value.normalize():f}".replace(".", ",") if isinstance(value, Decimal) else str(value)
