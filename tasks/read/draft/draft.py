"""The layout by which an unknown file could be read for a feed, as YAML with what was found and how sure it is.

Nothing is guessed where two readings are possible, and no cell of the file is ever written down.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from expectations.contract import Contract, Layout
from tasks.read import bounded
from tasks.read.cells import Numbers, integers
from tasks.read.draft.cells import WAYS, Cells
from tasks.read.draft.columns import Proposal, allowed, month_and_year, propose, translated
from tasks.read.draft.first_rows import FirstRows, first_rows, not_understood
from tasks.read.draft.names import Names, words
from tasks.read.draft.table import Headed, tidied
from tasks.read.rows import File
from tasks.words.vietnamese import number

NAME = "new_layout"
"""What a draft calls its layout until somebody names it."""
_UNSURE = "chưa rõ"
_JOINED = "%m/%Y"
_MOST = 0.5
"""A way of writing that reads less than this of the cells is none."""


@dataclass(frozen=True)
class Drafted:
    """A draft, and how much of the file it explains."""

    text: str
    """YAML: the feed's and the layout's name, then the keys of `expectations.contract.Layout`."""
    headers: int
    placed: int
    """Headers for which a column is proposed, or that are known to be left out."""
    unsaid: list[str]
    """Required columns of the feed for which nothing was found."""


def draft_apart(path: Path, feed: Contract) -> Drafted:
    """As `draft`, in a process of its own: Rejected also where the file costs too much, bounded.Broke where it kills the reader."""
    [drafted] = bounded.run("tasks.read.draft.draft:drafts", {"path": path.absolute(), "feed": feed}, File(path, path.name, feed, ""))
    return drafted  # type: ignore[no-any-return]  # what the function named there yields


def drafts(path: Path, feed: Contract) -> Iterator[Drafted]:
    """The draft, as what runs in a process of its own gives it."""
    yield draft(path, feed)


def draft(path: Path, feed: Contract) -> Drafted:
    """Drafts the layout of a file for a feed; Rejected where no table with a header is found in it."""
    found = first_rows(path, feed)
    names = Names(feed)
    tables = [Headed(table, names, place) for place, table in enumerate(found.tables, 1)]
    best = max(tables, key=lambda table: table.score, default=None)
    if best is None or not best.score or not best.headers:
        raise not_understood("Không tìm thấy dòng tiêu đề nào trong các dòng đầu của tệp.")
    drafting = _Drafting(feed, found, best, names)
    text = "\n".join(drafting.lines()) + "\n"
    as_layout(text)
    known = [header for header in best.headers if drafting.is_known(header)]
    return Drafted(text, len(best.headers), len(known), drafting.unsaid)


def as_layout(text: str) -> tuple[str, str, Layout]:
    """Feed, name and layout that a YAML as of `draft` holds; ValueError where it holds something else."""
    entries = yaml.safe_load(text)
    if not isinstance(entries, dict) or not {"feed", "name"} <= entries.keys():
        raise ValueError("thiếu `feed` và `name` bên cạnh các khóa của bố cục")
    return str(entries.pop("feed")), str(entries.pop("name")), Layout(**entries)


class _Drafting:
    """What was found in the file, put together."""

    def __init__(self, feed: Contract, found: FirstRows, table: Headed, names: Names) -> None:
        self.feed, self.found, self.table, self.names = feed, found, table, names
        there = {tidied(cell) for header in table.headers for cell in table.cells(header)}
        self.missing = [word for word in words()["missing"] if word in there]
        self.cells = {header: Cells(table.cells(header), ["", *self.missing]) for header in table.headers}
        self.proposed = propose(feed, names, self.cells)
        self.joined = self._joined()

    def _joined(self) -> dict[str, list[str]]:
        """A required day or period that the file writes in two columns, month and year, unless it is read from one."""
        parts = month_and_year(self.cells, self.proposed)
        read = {one.column: header for header, one in self.proposed.items()}
        for name, column in self.feed.columns.items():
            if not parts or not column.required or column.type not in ("date", "period"):
                continue
            if name not in read:
                return {name: parts}
            if not self.proposed[read[name]].fit:
                del self.proposed[read[name]]
                return {name: parts}
        return {}

    @property
    def unsaid(self) -> list[str]:
        """Required columns that nothing says."""
        said = {*self.joined, *(proposal.column for proposal in self.proposed.values())}
        return [name for name, column in self.feed.columns.items() if column.required and name not in said]

    def is_known(self, header: str) -> bool:
        """Whether anything is known of a header."""
        is_part = any(header in parts for parts in self.joined.values())
        return is_part or header in self.proposed or self.names.left_out_by(header) is not None

    @cached_property
    def titled(self) -> re.Match[str] | None:
        """What a cell above the header says of the period."""
        found = (re.search(pattern, cell, re.IGNORECASE) for pattern in words()["titles"] for cell in self.table.titles)
        return next(filter(None, found), None)

    @cached_property
    def months(self) -> set[str]:
        """Months that the file names elsewhere than in its days: above the header, in a column of months, or of months and years."""
        columns = [self.cells[header] for header in self.of_type("date", "period")]
        for month, year in self.joined.values():
            pairs = zip(self.table.cells(month), self.table.cells(year), strict=True)
            columns.append(Cells([f"{tidied(first)}/{tidied(second)}" for first, second in pairs], [""]))
        said = self.titled.groupdict() if self.titled is not None else {}
        of_title = {f"{said['year']}-{int(said['month']):02}"} if said.get("month") else set()
        return of_title.union(*(cells.months for cells in columns))

    def of_type(self, *types: str) -> dict[str, str]:
        """Header → column, of those types."""
        return {header: one.column for header, one in self.proposed.items() if self.feed.columns[one.column].type in types}

    def lines(self) -> Iterator[str]:
        """The YAML, line by line."""
        rows, where = len(self.table.body), {"xlsx": "trang tính", "html": "bảng"}.get(self.found.kind)
        place = f" của {where} thứ {self.table.place} (không tính trang ẩn)" if where else ""
        yield f"# Phác thảo từ {number(rows)} dòng số liệu đầu; tiêu đề ở dòng {self.table.at + 1}{place}. Xem lại từng dòng, rồi chạy thử:"
        yield "#   bakhong layout try TỆP-NÀY.yaml TỆP-SỐ-LIỆU"
        yield from (f"# {remark}" for remark in self._remarks())
        yield _pair("feed", self.feed.feed)
        yield _pair("name", NAME, "đặt tên, rồi chép phần dưới vào layouts: của expectations/" + self.feed.feed + ".yaml")
        yield _pair("kind", self.found.kind)
        yield _pair("description", f"Drafted from a file; header in row {self.table.at + 1}")
        if self.found.is_nested:
            yield self._reader()
        if self.found.kind in ("csv", "html"):
            yield _pair("encoding", self.found.encoding)
        if self.found.delimiter:
            yield _pair("delimiters", [self.found.delimiter])
        if self.missing:
            yield _pair("missing", ["", *self.missing])
        yield from self._title()
        yield "headers:"
        yield from (self._header(header) for header in self.table.headers)
        for name, parts in self.joined.items():
            yield _pair("joined", {name: parts}, "tháng và năm ở hai cột")
        yield from self._constants()
        yield from self._days()
        yield from self._numbers()
        yield from self._values()
        yield from self._totals()

    def _remarks(self) -> Iterator[str]:
        yield from self.table.remarks
        if self.found.kind == "csv" and self.table.at:
            yield f"Có {number(self.table.at)} dòng trên tiêu đề: kiểm tra bằng bakhong layout try."
        if not self.table.body:
            yield "Tệp chỉ có dòng tiêu đề: các dạng ngày, số chưa thử được."

    def _reader(self) -> str:
        known = (layout.reader for layout in self.feed.layouts.values() if layout.kind == "json" and layout.reader)
        reader = next(known, None)
        if reader is None:
            return f"# reader: …  # {_UNSURE}: không phải một danh sách bản ghi đơn giản; cần một hàm trong READERS của tasks/read/file.py"
        return _pair("reader", reader, "như bố cục JSON đã có của feed này")

    def _title(self) -> Iterator[str]:
        if self.titled is not None:
            yield _pair("title", self.titled.re.pattern, "một ô trên tiêu đề nói kỳ")

    def _header(self, header: str) -> str:
        proposal = self.proposed.get(header)
        return f"  {_pair(header, proposal.column if proposal else None, self._sure(header, proposal))}"

    def _sure(self, header: str, proposal: Proposal | None) -> str:
        cells = self.cells[header]
        if proposal is None:
            if any(header in parts for parts in self.joined.values()):
                return "gộp bên dưới"
            if self.names.left_out_by(header):
                return f"không đọc, như {self.names.left_out_by(header)}"
            return f"{_UNSURE}; trông như dữ liệu cá nhân" if cells.are_personal else _UNSURE
        said = [f"{_decimal(proposal.sure)} theo {'tên' if proposal.by_name else 'nội dung'}"]
        if proposal.fit is not None:
            said.append(f"{_percent(proposal.fit)} ô đúng dạng")
        if cells.empty:
            said.append(f"{_percent(cells.empty)} ô trống")
        return "; ".join(said)

    def _constants(self) -> Iterator[str]:
        for name in self.unsaid:
            values = allowed(self.feed, name)
            of = f", một trong {', '.join(values)}" if values else ""
            yield f"# constants: {{{name}: …}}  # cột bắt buộc, không thấy trong tệp: chỉ cột của nó ở trên, hoặc ghi giá trị chung{of}"

    def _days(self) -> Iterator[str]:
        """The format most days have as the layout's own, the others by column; what can be read in two ways is left open."""
        apart: dict[str, str] = {}
        for key, kind in (("date_format", "date"), ("timestamp_format", "timestamp")):
            formats = {name: _JOINED for name in self.joined if self.feed.columns[name].type == kind}
            for header, name in self.of_type(kind).items():
                cells, ways = self.cells[header], self._agreed(header)
                if len(ways) == 1:
                    formats[name] = ways[0]
                elif ways:
                    both = " hay ".join(ways)
                    yield f"# date_formats: {{{name}: …}}  # {_UNSURE}: {both} đều đọc được {_percent(cells.days.share)} ô; hỏi bên gửi"
                elif cells.empty < 1 and not cells.are_typed_days:
                    yield f"# date_formats: {{{name}: …}}  # {_UNSURE}: không dạng ngày nào đọc được"
            if formats:
                own = Counter(formats.values()).most_common(1)[0][0]
                apart |= {name: written for name, written in formats.items() if written != own}
                yield _pair(key, own)
        if apart:
            yield _pair("date_formats", apart)

    def _agreed(self, header: str) -> list[str]:
        """The formats by which the days can be read, narrowed by the other columns of days, since one program writes them all
        alike, and by the months that the file names."""
        own = self.cells[header]
        if own.are_typed_days or own.days.share < _MOST:
            return []
        ways = list(own.days.ways)
        for cells in self.cells.values():
            if len(ways) > 1 and cells.days.share == 1 and len(cells.days.ways) == 1 and not cells.are_typed_days:
                order = re.findall("%(.)", cells.days.ways[0])[:3]
                ways = [way for way in ways if re.findall("%(.)", way)[:3] == order] or ways
        within = {way: self.cells[header].share_within(way, self.months) for way in ways}
        surest = max(within, key=lambda way: within[way])
        others = [share for way, share in within.items() if way != surest]
        return [surest] if others and within[surest] >= 0.9 and max(others) < 0.5 else ways

    def _numbers(self) -> Iterator[str]:
        """The one way of writing numbers by which all their columns are read."""
        of = self.of_type("integer", "decimal")
        tried = {name: self.cells[header].numbers(self.feed.columns[name].type) for header, name in of.items()}
        unread = [name for header, name in of.items() if tried[name].share < _MOST and self.cells[header].empty < 1]
        read = [one for one in tried.values() if one.share >= _MOST]
        if unread:
            yield f"# Không cách viết số nào đọc được {', '.join(unread)}: có ký hiệu tiền tệ, dấu cách, hay dấu phẩy hàng nghìn?"
        if not read:
            return
        common = [way for way in WAYS if all(way in one.all_ways for one in read)]
        different = [way for way in common if any(way in one.ways for one in read)]
        if not common:
            yield f"# numbers: …  # {_UNSURE}: các cột số không viết cùng một cách"
        elif "plain" in common or len(different) < 2:
            way = "plain" if "plain" in common else (different or common)[0]
            yield _pair("numbers", way, f"đọc được {_percent(min(one.share for one in read))} ô số")
        else:
            yield f"# numbers: …  # {_UNSURE}: {' hay '.join(different)} đều đọc được mà ra số khác nhau; hỏi bên gửi"

    def _values(self) -> Iterator[str]:
        values = {one.column: translated(self.feed, one.column, self.cells[header]) for header, one in self.proposed.items()}
        values = {name: labels for name, labels in values.items() if labels}
        if values:
            yield from yaml.safe_dump({"values": values}, allow_unicode=True, width=1_000_000, sort_keys=False).splitlines()

    def _totals(self) -> Iterator[str]:
        if self.table.totals is None:
            return
        begins, row = self.table.totals
        found: dict[str, Any] = {"label": begins}
        sums = {name: header for header, name in self.of_type("integer").items() if self._is_sum(header, row)}
        if sums:
            found["sums"] = sums
        counts = [
            header for header in self.table.headers if header not in sums.values() and self._read(header, row) == len(self.table.body)
        ]
        if counts and self.table.is_whole:
            found["count"] = counts[0]
        yield _pair("totals", found, "" if self.table.is_whole else "tệp dài nên chưa cộng thử")

    def _is_sum(self, header: str, row: list[Any]) -> bool:
        written = self._read(header, row)
        if not self.table.is_whole:
            return written is not None
        ways = self.cells[header].numbers("integer").all_ways
        return written is not None and any(self.cells[header].sum("integer", way) == written for way in WAYS if way in ways)

    def _read(self, header: str, row: list[Any]) -> int | None:
        """The whole number that a row has under a header, whichever way it is written."""
        place = self.table.headers[header]
        if place >= len(row):
            return None
        ways: tuple[Numbers, ...] = ("vietnamese", "decimal_point")
        texts = ((way, Cells([row[place]], [""]).texts(way)) for way in ways)
        read = (integers(text, way)[0].as_py() for way, text in texts if len(text))
        return next((value for value in read if value is not None), None)


def _pair(key: str, value: Any, comment: str = "") -> str:
    """A key and its value as a line of YAML, with what is to be said of it."""
    line = f"{_flow(key)}: {'~' if value is None else _flow(value)}"
    return f"{line}  # {comment}" if comment else line


def _flow(value: Any) -> str:
    """One line, in which nothing acts on whoever looks at it: signs that have no shape of their own are written by their number."""
    written = yaml.safe_dump([value], allow_unicode=True, default_flow_style=True, width=1_000_000, sort_keys=False)
    if not all(sign.isprintable() or sign == "\n" for sign in written):
        written = yaml.safe_dump([value], default_flow_style=True, width=1_000_000, sort_keys=False)
    return written[1:-2]


def _decimal(sure: float) -> str:
    return f"{sure:.2f}".replace(".", ",")


def _percent(share: float) -> str:
    """Rounded down: only all is 100%."""
    return "dưới 1%" if 0 < share < 0.01 else f"{int(100 * share)}%"
