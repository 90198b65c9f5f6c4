"""What a supplier wrote into a letter as the right values is taken in, all of it or nothing, for the next night to read the rows by it.

Each line names what it expects to find: a row still set aside by that rule, in whose cell stands what stood there when the letter was made.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, text

from tasks.deliveries.source import Source, terms_of
from tasks.load.chosen import Chosen
from tasks.load.decisions import decide_alone, note
from tasks.read.bounded import run
from tasks.read.letter import ELSEWHERE, HEADERS, LETTER
from tasks.read.limits import DEFAULT, Limits
from tasks.read.rows import File, Rejected
from tasks.read.tellable import may_be_put
from tasks.words.vietnamese import QUARANTINE_STATUS, number, safe
from warehouse.settings import Refusal
from warehouse.tables import correction as corrections


@dataclass(frozen=True)
class Line:
    """One filled line of a letter."""

    number: int
    """Of its row in the sheet."""
    delivery_id: int
    row_number: int
    column_name: str
    rule_code: str
    cell_hash: str
    value: str


def take_corrections(
    connection: Connection, path: Path, who: str, sources: Sequence[Source], reason: str | None = None, limits: Limits = DEFAULT
) -> int:
    """Takes in the filled lines of a letter, and returns how many cells they put right; Refusal names the line that cannot be."""
    lines = [*_lines(path, limits)]
    if not lines:
        raise Refusal(f"{path.name}: cột “{HEADERS['value']}” không có ô nào được điền.")
    for delivery_id in sorted({line.delivery_id for line in lines}):
        decide_alone(connection, delivery_id)
    by_name = {source.name: source for source in sources}
    cells: dict[tuple[int, int, str], Line] = {}
    for line in lines:
        place = (line.delivery_id, line.row_number, line.column_name)
        if place in cells and cells[place].value != line.value:
            raise _refusal(path, line, f"ghi khác dòng {cells[place].number} của thư về cùng một ô")
        _require_as_expected(connection, path, line, by_name)
        cells.setdefault(place, line)
    about: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for line in cells.values():
        about[line.delivery_id, line.rule_code, line.column_name].append(line.row_number)
        said = {name: getattr(line, name) for name in ("delivery_id", "row_number", "column_name", "rule_code", "cell_hash", "value")}
        connection.execute(insert(corrections).values(said | {"reason": reason, "file_name": safe(path.name), "made_by": who}))
    for (delivery_id, rule_code, column), rows in about.items():
        words = ": ".join(part for part in (safe(path.name), reason) if part)
        note(connection, Chosen(delivery_id, rule_code, column, tuple(rows)), "correction", who, words, rows=len(rows))
    return len(cells)


def _lines(path: Path, limits: Limits) -> Iterator[Line]:
    file = File(path.absolute(), path.name, LETTER, "letter_xlsx", limits)
    try:
        for table, hidden in run("tasks.read.letter:read_letter", {"path": file.path, "file_name": path.name, "limits": limits}, file):
            if hidden:
                raise Refusal(
                    f"{path.name}: {number(hidden)} dòng đang bị ẩn hoặc lọc nên không đọc được. Bỏ lọc, lưu rồi gửi lại. Chưa ghi gì."
                )
            for one in table.to_pylist():
                if one["value"] not in (None, ELSEWHERE):
                    yield _line(path, one)
    except Rejected as refused:
        raise Refusal(f"{refused.message_vi} Chưa ghi gì.") from None


def _line(path: Path, told: dict[str, Any]) -> Line:
    kept: dict[str, Any] = {
        name: told[name] or "" for name in ("delivery_id", "row_number", "column_name", "rule_code", "cell_hash", "value")
    }
    are_numbers = all(re.fullmatch(r"[0-9]{1,9}", kept[name]) for name in ("delivery_id", "row_number"))
    if not are_numbers or not kept["column_name"] or not kept["rule_code"]:
        whole = ", ".join(f"“{HEADERS[name]}”" for name in kept if name != "value")
        raise Refusal(f"{path.name}, dòng {told['line']}: các cột {whole} phải giữ như trong thư. Chưa ghi gì của thư này.")
    numbers = {"delivery_id": int(kept["delivery_id"]), "row_number": int(kept["row_number"])}
    return Line(told["line"], **(kept | numbers))


_FOUND = """
SELECT q.status, q.cell_hash, q.corrected_by, q.decided_by, d.source, d.feed, d.layout, d.file_name
FROM ops.delivery AS d LEFT JOIN ops.quarantine AS q ON q.delivery_id = d.delivery_id
    AND q.row_number = :row_number AND q.column_name = :column_name AND q.rule_code = :rule_code
WHERE d.delivery_id = :delivery_id
"""


def _require_as_expected(connection: Connection, path: Path, line: Line, sources: dict[str, Source]) -> None:
    found = connection.execute(text(_FOUND), vars(line)).first()
    if found is None:
        raise _refusal(path, line, f"không có lần gửi số {line.delivery_id}")
    where = f"dòng {line.row_number} của {safe(found.file_name)}"
    if found.status is None:
        raise _refusal(path, line, f"{where} không còn được để riêng vì {line.rule_code}: đã nạp, hoặc đã gửi lại")
    if found.corrected_by is not None:
        raise _refusal(path, line, f"{where} đã có lần gửi số {found.corrected_by} thay")
    if found.status == "dismissed":
        raise _refusal(path, line, f"{where}: {found.decided_by} đã quyết định ({QUARANTINE_STATUS[found.status]})")
    if found.cell_hash is None:
        raise _refusal(
            path, line, f"cột “{safe(line.column_name)}” có dữ liệu cá nhân hoặc không có ô nào để sửa: sửa ở nguồn rồi gửi lại tệp"
        )
    if found.cell_hash != line.cell_hash:
        raise _refusal(path, line, f"ô ở {where} không còn như khi lập thư: lập thư mới")
    if not _may_be_put(line, found, sources.get(found.source)):
        advice = "giá trị mới có thể là dữ liệu cá nhân, hoặc là chữ mà cột này không có: sửa ở nguồn rồi gửi lại tệp"
        raise _refusal(path, line, f"cột “{safe(line.column_name)}”: {advice}")


def _may_be_put(line: Line, found: Row[Any], source: Source | None) -> bool:
    agreed = terms_of(found.feed, found.layout, source)
    is_plain = line.column_name in agreed.layouts[found.layout].headers
    return is_plain and may_be_put(line.value, agreed, found.layout, line.column_name)


def _refusal(path: Path, line: Line, why: str) -> Refusal:
    """What is wrong with a line; the value is not quoted, since it may be anything."""
    return Refusal(f"{path.name}, dòng {line.number}: {why}. Chưa ghi gì của thư này.")
