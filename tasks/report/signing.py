"""Signed editions of a period: who signed what, with a checksum over its values, and the signed workbook rebuilt byte for byte.

All that the workbook shows is kept with the signature, so that no later change, of a value or of a name, reaches it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, text

from tasks.ask.annex import Annex, annex_of, different
from tasks.ask.gate import held_edition
from tasks.ask.notes import Note, notes_of
from tasks.ask.official_table import Line, check_period, of_period
from tasks.ask.releases import checksum, kept, signed
from tasks.ask.restated import RestatedLine, restated_of_period
from tasks.ask.scope import PUBLIC, WHOLE, Scope
from tasks.count.revisions import last_publication
from tasks.report.one_stop_shop import OneStopShop, one_stop_shop
from tasks.report.workbook import Signature, write_workbook
from tasks.words import vietnamese as vi
from warehouse.periods import VIETNAM, days
from warehouse.seed import is_sample, publisher
from warehouse.settings import Refusal
from warehouse.tables import release


@dataclass(frozen=True)
class Content:
    """All that a signed workbook shows."""

    period: str
    as_of: datetime
    lines: list[Line]
    one_stop_shop: OneStopShop | None
    restated: list[RestatedLine]
    notes: list[Note]
    signature: Signature
    is_sample: bool
    public_notes: list[Note] = field(default_factory=list)
    """The notes without the values that they quote; none in what was signed before these were kept apart."""
    annex: Annex | None = None
    """What the open data say beside the values; nothing in what was signed before there were any."""
    publisher: str = ""
    """Who answers for it; nothing in what was signed before that was kept."""


@dataclass(frozen=True)
class Difference:
    """A value that is no longer as it was signed."""

    signed: Line | None
    """Nothing where there was none."""
    now: Line | None
    """Nothing where there is none any more."""

    @property
    def line(self) -> Line:
        """The one that is there, of both the newer."""
        return self.now or self.signed  # type: ignore[return-value]


_CONTENT = TypeAdapter(Content)


@dataclass(frozen=True)
class Unsigned:
    """A period that could be signed."""

    period: str
    is_signed_before: bool
    """Whether it was, and something has been published of it since."""


def unsigned(connection: Connection) -> list[Unsigned]:
    """Periods that have ended in what is published and of which something was published since they were signed, the latest first."""
    published = last_publication(connection)
    if published is None:
        return []
    last_day = published.as_of.astimezone(VIETNAM).date()
    rows = connection.execute(text(_UNSIGNED)).all()
    ended = [Unsigned(row.period, row.is_signed_before) for row in rows if days(row.period)[1] <= last_day]
    return sorted(ended, key=lambda one: (days(one.period)[1], len(one.period) == 4, "Q" in one.period), reverse=True)


def sign(connection: Connection, period: str, who: str, words: str | None = None) -> Row[Any]:
    """Signs the values published of a period and returns the signature; Refusal where it has not ended, or nothing new is to be signed."""
    check_period(period)
    published, lines = last_publication(connection), of_period(connection, period, WHOLE)
    if published is None or not lines:
        raise Refusal(f"Chưa công bố số liệu nào của {vi.in_text(period)} để ký.")
    if published.as_of.astimezone(VIETNAM).date() < days(period)[1]:
        raise Refusal(f"Chưa ký được {vi.in_text(period)}: kỳ chưa kết thúc trong số liệu công bố đến {vi.moment(published.as_of)}.")
    if held_edition(connection) is not None:
        raise Refusal("Chưa ký được: một bản công bố đang chờ quyết định (bakhong gate list).")
    taken = checksum(lines)
    last = next(iter(signed(connection, period)), None)
    if last is not None and last.checksum == taken:
        raise Refusal(f"Số liệu {vi.in_text(period)} đã được {last.signed_by} ký lúc {vi.moment(last.signed_at)}, từ đó không đổi.")
    signature = Signature(published.publication_id, who, datetime.now(UTC).replace(microsecond=0), taken, words or None)
    before = [] if last is None else _content(connection, last.release_id).lines
    content = Content(
        period,
        published.as_of,
        lines,
        one_stop_shop(connection, lines, period),
        restated_of_period(connection, period, WHOLE) if connection.scalar(text(_IS_RESTATED), {"period": period}) else [],
        notes_of(connection, period, WHOLE),
        signature,
        is_sample(connection),
        notes_of(connection, period, PUBLIC),
        annex_of(connection, lines, period, published.as_of, before, loads_between(connection, last, published.load_id)),
        publisher=publisher(connection),
    )
    row = {
        "period": period,
        "publication_id": published.publication_id,
        "as_of": published.as_of,
        "signed_by": who,
        "signed_at": signature.signed_at,
        "note": signature.note,
        "values_signed": len(lines),
        "checksum": taken,
        "workbook_sha256": sha256(_workbook(content)).hexdigest(),
        "content": zlib.compress(_CONTENT.dump_json(content), 9),
    }
    release_id = connection.execute(insert(release).values(row).returning(release.c.release_id)).scalar_one()
    return next(one for one in signed(connection, period) if one.release_id == release_id)


def rebuild(connection: Connection, period: str, path: Path) -> Row[Any]:
    """Writes the signed workbook again and returns its signature; Refusal where it does not come out byte for byte."""
    found = _chosen(connection, period, None)
    path.write_bytes(signed_workbook(connection, found, WHOLE))
    return found


def signed_workbook(connection: Connection, signature: Row[Any], scope: Scope) -> bytes:
    """The workbook that was signed, for the public without what is confidential; Refusal where it does not come out byte for byte."""
    content = _content(connection, signature.release_id)
    if scope.is_public:
        return _workbook(_for_public(content), is_public=True)
    book = _workbook(content)
    if sha256(book).hexdigest() != signature.workbook_sha256:
        raise Refusal(f"Bản ký số {signature.release_id}: chương trình này ghi ra tệp khác với tệp đã ký; dùng bản chương trình lúc ký.")
    return book


def differences(connection: Connection, period: str, scope: Scope, release_id: int | None = None) -> tuple[Row[Any], list[Difference]]:
    """A signature under a period, the last where none is named, and what is published otherwise now, as far as one may see it."""
    found = _chosen(connection, period, release_id)
    changed = different(_content(connection, found.release_id).lines, of_period(connection, period, WHOLE))
    return found, [Difference(_seen(before, scope), _seen(now, scope)) for before, now in changed]


def for_public(connection: Connection, release_id: int) -> Content:
    """What was signed, as anybody may see it."""
    return _for_public(_content(connection, release_id))


def loads_between(connection: Connection, signature: Row[Any] | None, until: int) -> tuple[int, int]:
    """The last load that was counted in a signature, and another; both the same where nothing was signed."""
    if signature is None:
        return until, until
    since = connection.scalar(
        text("SELECT load_id FROM ops.publication WHERE publication_id = :number"), {"number": signature.publication_id}
    )
    return since or 0, until


def _seen(line: Line | None, scope: Scope) -> Line | None:
    return line.for_public() if line is not None and scope.is_public else line


def _for_public(content: Content) -> Content:
    lines = [line.for_public() for line in content.lines]
    return replace(
        content,
        lines=lines,
        one_stop_shop=content.one_stop_shop and content.one_stop_shop.seen_by(PUBLIC, content.period),
        restated=[line.for_public() for line in content.restated],
        notes=content.public_notes,
        signature=replace(content.signature, checksum=checksum(lines)),
    )


def _chosen(connection: Connection, period: str, release_id: int | None) -> Row[Any]:
    found = [row for row in signed(connection, period) if release_id in (None, row.release_id)]
    if not found:
        which = "" if release_id is None else f" số {release_id}"
        raise Refusal(f"Chưa có bản ký{which} nào của {vi.in_text(period)}: bakhong release {period}.")
    return found[0]


def _content(connection: Connection, release_id: int) -> Content:
    return _CONTENT.validate_json(kept(connection, release_id))


def _workbook(content: Content, *, is_public: bool = False) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "signed.xlsx"
        write_workbook(
            content.lines,
            content.period,
            content.as_of,
            path,
            lambda: (content.one_stop_shop, content.restated),
            content.notes,
            content.signature,
            publisher=content.publisher,
            is_sample=content.is_sample,
            is_public=is_public,
        )
        return path.read_bytes()


# Whether units of today are told of a period otherwise than the units of its time.
_IS_RESTATED = "SELECT EXISTS (SELECT FROM mart.indicator_restated WHERE period = :period AND is_restated)"

_UNSIGNED = """
SELECT f.period, bool_or(r.period IS NOT NULL) AS is_signed_before
FROM warehouse.fact_indicator f LEFT JOIN (SELECT period, max(as_of) AS as_of FROM ops.release GROUP BY period) r USING (period)
WHERE f.known_to = 'infinity' GROUP BY f.period HAVING bool_or(r.as_of IS NULL OR f.known_from > r.as_of)
"""
