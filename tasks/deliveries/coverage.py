"""What a delivery says it speaks for, and when it was made: what its path says, by the pattern of its source or as names are written.

A source that wants to be understood exactly writes placeholders into its url: `{period:%Y%m}` (or `%Y`, `%Y-Q%q`, `%Y%m%d`),
`{from:%Y%m%d}` and `{to:%Y%m%d}`, `{unit}`. Without them the usual names are understood: a month 202403, a day 20240315 with or
without a time of day, two days 20240301-20240307, the folders of a capture of the portal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from tasks.words.vietnamese import VIETNAM
from warehouse.periods import days, is_period


@dataclass(frozen=True)
class Stretch:
    """A stretch of days that a delivery speaks for."""

    first: date
    last: date

    @classmethod
    def of(cls, period: str) -> Stretch:
        """The stretch of a year, quarter, month, day, or of two days joined by a slash; ValueError where the text is none."""
        if is_period(period):
            return cls(*days(period))
        first, _, last = period.partition("/")
        return cls(date.fromisoformat(first), date.fromisoformat(last or first))

    @property
    def text(self) -> str:
        """As `2024`, `2024-Q1`, `2024-03`, `2024-03-15`, or `2024-03-01/2024-03-07` where it is none of these."""
        if self.first == self.last:
            return self.first.isoformat()
        year, month = self.first.year, self.first.month
        periods = (f"{year}", f"{year}-Q{(month + 2) // 3}", f"{year}-{month:02}")
        return next((period for period in periods if days(period) == (self.first, self.last)), f"{self.first}/{self.last}")

    @property
    def is_day(self) -> bool:
        """Whether it is a single day."""
        return self.first == self.last


@dataclass(frozen=True)
class Said:
    """What the path of a file says."""

    covers: Stretch | None = None
    is_declared: bool = False
    """Whether the source's pattern says what the name means; else it was understood as names usually are."""
    unit: str | None = None
    made_at: datetime | None = None
    """When the file was made, where a time of day, a capture or the end of the stretch says so."""
    about: str = ""
    """What the path says and the bytes do not, where that tells deliveries of the same bytes apart."""


class NotSaid(Exception):
    """The name does not fit the pattern of its source, or names no real day; the message is in Vietnamese."""


# A pattern of sources.yaml ----------------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"\{(?P<name>\w+)(?::(?P<format>[^{}]*))?\}")
_DIGITS = {"Y": r"\d{4}", "m": r"\d{2}", "d": r"\d{2}", "q": "[1-4]", "H": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}"}


def as_glob(url: str) -> str:
    """The url with its placeholders as wildcards."""
    return _PLACEHOLDER.sub("*", url)


def check_pattern(url: str) -> str | None:
    """What is wrong with the placeholders of a url, in one line; nothing where nothing is."""
    names = [found["name"] for found in _PLACEHOLDER.finditer(url)]
    for found in _PLACEHOLDER.finditer(url):
        name, written = found["name"], found["format"] or ""
        if name not in ("period", "from", "to", "unit"):
            return f"không có chỗ điền {{{name}}}; có: {{period:…}}, {{from:…}}, {{to:…}}, {{unit}}"
        if name == "unit" and written:
            return "{unit} không kèm định dạng"
        directives = re.findall("%(.)", written)
        if name != "unit" and ("Y" not in directives or set(directives) - _DIGITS.keys()):
            return f"{{{name}:…}} cần định dạng có %Y, có thể thêm %m, %d, %q, %H, %M, %S"
    if ("from" in names) != ("to" in names):
        return "{from:…} và {to:…} phải đi cùng nhau"
    if "period" in names and "from" in names:
        return "chỉ dùng {period:…}, hoặc {from:…} và {to:…}"
    return None


def said(name: str, url: str = "") -> Said:
    """What the name of a file below its source's first folder says, by the url's placeholders or as names are usually written."""
    if not _PLACEHOLDER.search(url):
        return _understood(name)
    pattern, parts = _compiled(url)
    found = pattern.fullmatch(name)
    if found is None:
        raise NotSaid("tên không theo mẫu của nguồn")
    values: dict[str, dict[str, int]] = {}
    for group, (placeholder, directive) in parts.items():
        values.setdefault(placeholder, {})[directive] = int(found[group])
    try:
        covers = _stretch(values["period"]) if "period" in values else None
        if "from" in values:
            covers = Stretch(_stretch(values["from"]).first, _stretch(values["to"]).last)
    except ValueError:
        raise NotSaid("tên không nói một ngày hay kỳ có thật") from None
    if covers is not None and covers.last < covers.first:
        raise NotSaid("ngày cuối trong tên đứng trước ngày đầu")
    unit = found.groupdict().get("unit")
    if covers is None:
        usual = _understood(name)
        return Said(usual.covers, False, unit, usual.made_at, usual.about)
    clock = values.get("period", values.get("to", {}))
    return Said(covers, True, unit, _end(covers, clock))


@cache
def _compiled(url: str) -> tuple[re.Pattern[str], dict[str, tuple[str, str]]]:
    """The part of a url that names are told apart by, as a regular expression; its groups, and what each means."""
    wild = re.search(r"[*?\[{]", url)
    tail = url[: wild.start() if wild else None].rpartition("/")[0]
    rest = url[len(tail) :].lstrip("/")
    parts: dict[str, tuple[str, str]] = {}
    written = ""
    for token in re.split(r"(\{[^{}]*\}|\*\*/?|\*|\?|\[[^\]]*\])", rest):
        placeholder = _PLACEHOLDER.fullmatch(token)
        if placeholder and placeholder["name"] == "unit":
            written += "(?P<unit>[^/]+?)"
        elif placeholder:
            for piece in re.split("(%.)", placeholder["format"] or ""):
                if piece.startswith("%"):
                    group = f"g{len(parts)}"
                    parts[group] = (placeholder["name"], piece[1])
                    written += f"(?P<{group}>{_DIGITS[piece[1]]})"
                else:
                    written += re.escape(piece)
        elif token.startswith("**"):
            written += ".*"
        elif token in ("*", "?"):
            written += {"*": "[^/]*", "?": "[^/]"}[token]
        else:
            written += token.replace("[!", "[^") if token.startswith("[") else re.escape(token)
    return re.compile(written), parts


def _stretch(value: dict[str, int]) -> Stretch:
    year = value["Y"]
    if "q" in value:
        return Stretch.of(f"{year}-Q{value['q']}")
    if "d" in value:
        return Stretch.of(date(year, value["m"], value["d"]).isoformat())
    return Stretch.of(f"{year}-{value['m']:02}" if "m" in value else f"{year}")


def _end(covers: Stretch, clock: dict[str, int]) -> datetime:
    if "H" in clock:
        return datetime.combine(covers.last, time(clock["H"], clock.get("M", 0), clock.get("S", 0)), VIETNAM)
    return datetime.combine(covers.last, time(23, 59, 59), VIETNAM)


# As names are usually written --------------------------------------------------------------------------------------------

_CAPTURE = re.compile(
    r"(?:^|/)(?P<province>[A-Z]\d{2})/(?P<period>\d{4}(?:-Q[1-4]|-(?:0[1-9]|1[0-2]))?)/"
    r"(?P<captured>\d{4}-\d{2}-\d{2}T\d{4}Z)/(?P<endpoint>[a-z-]+)-all\.json$"
)
_DAY = re.compile(r"(?<!\d)(?P<day>(?:19|20)\d{6})(?:[-_T ]?(?P<clock>\d{6}|\d{4}))?(?!\d)")
_MONTH = re.compile(r"(?<!\d)(?P<month>(?:19|20)\d{4})(?!\d)")


@dataclass(frozen=True)
class Capture:
    """What the path of an answer of the national portal says."""

    province: str
    period: str
    captured_at: datetime
    endpoint: str

    @property
    def about(self) -> str:
        """What tells this delivery from another of the same bytes."""
        return f"{self.province}/{self.period}/{self.captured_at:%Y-%m-%dT%H%MZ}/{self.endpoint}"


def capture(file_name: str) -> Capture | None:
    """Province, period, time of capture and endpoint from a path below the source; nothing where it has another shape."""
    found = _CAPTURE.search(file_name)
    if found is None:
        return None
    try:
        captured = datetime.strptime(found["captured"], "%Y-%m-%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Capture(found["province"], found["period"], captured, found["endpoint"])


def _understood(name: str) -> Said:
    captured = capture(name)
    if captured is not None:
        return Said(Stretch.of(captured.period), True, None, captured.captured_at.astimezone(VIETNAM), captured.about)
    found = list(_days(name))
    if len(found) > 1 and found[-2][2] + 1 == found[-1][1] and found[-2][0] < found[-1][0]:
        covers = Stretch(found[-2][0].date(), found[-1][0].date())  # the first and the last day, joined by one sign
    elif found:
        covers = Stretch(found[-1][0].date(), found[-1][0].date())
    else:
        months = [text for text in _MONTH.findall(name) if is_period(f"{text[:4]}-{text[4:]}")]
        if not months:
            return Said()
        covers = Stretch.of(f"{months[-1][:4]}-{months[-1][4:]}")
    clock = found[-1][0].time() if found else time()
    return Said(covers, made_at=datetime.combine(covers.last, clock, VIETNAM) if clock != time() else _end(covers, {}))


def _days(name: str) -> Iterator[tuple[datetime, int, int]]:
    """Real days in a name, with their time of day where it stands behind them (else midnight), and where they stand."""
    for found in _DAY.finditer(name):
        for clock in (found["clock"] or "", ""):
            try:
                yield datetime.strptime(found["day"] + clock, "%Y%m%d" + "%H%M%S"[: len(clock)]), found.start(), found.end()
            except ValueError:
                continue
            break


# When it was made --------------------------------------------------------------------------------------------------------


def exported_at(told: Said, modified: datetime | None, now: datetime) -> datetime:
    """When the source made the file: as its name says, else its time of change, else now.

    A name that speaks of a day or month still running was made before that ends: when the file last changed, if that lies in it.
    """
    if told.made_at is not None and told.made_at <= now:
        return told.made_at
    changed = (modified or now).astimezone(VIETNAM)
    if told.covers is not None and changed.date() < told.covers.first:
        changed = now
    return min(changed, now.astimezone(VIETNAM))


def last_day_over(exported_at: datetime) -> date:
    """The last day that was over when a file was made: of the days after it, it can tell no more than their beginning."""
    return (exported_at + timedelta(seconds=1)).astimezone(VIETNAM).date() - timedelta(days=1)
