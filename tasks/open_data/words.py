"""What an edition is called and described as, in both languages: the same in every file of its folder."""

from __future__ import annotations

import re

from tasks.open_data.declaration import OpenData
from tasks.open_data.edition import Edition
from tasks.words import vietnamese as vi
from warehouse.views import Words

MODEL = Words("Bộ chỉ tiêu mô hình “3 không”", "Indicators of the “3 no” model")
UNDECLARED = Words("chưa khai báo", "not declared")
"""Where the province has not said something, as the licence."""
MISSING = Words(
    "Ô trống là không có số, không phải bằng 0: obs_status và obs_reason cho biết vì sao (L chưa thu thập; M không thể có, như không áp "
    "dụng hoặc không phát sinh; Q giữ kín, trên các trang in là …)",
    "An empty cell is no number, and not zero: obs_status and obs_reason tell why (L not collected; M cannot exist, as not applicable or "
    "no cases; Q withheld, printed as … on the pages)",
)


def publisher(edition: Edition, declared: OpenData) -> str:
    """Who answers for the data."""
    return declared.publisher or ", ".join(unit.name for unit in edition.area) or "Ba Không"


def licence(declared: OpenData) -> Words:
    """Under what others may use the data, in words."""
    if declared.licence is None:
        return UNDECLARED
    told = f"{declared.licence.name} ({declared.licence.url})" if declared.licence.url else declared.licence.name
    return Words(told, told)


def title(edition: Edition) -> Words:
    """The edition in a line."""
    standing = (
        Words("tạm tính, chưa ký", "provisional, not signed")
        if edition.is_provisional
        else Words(f"bản ký số {edition.name}", f"signed edition {edition.name}")
    )
    sample = Words(f" ({vi.SAMPLE})", " (sample data, no real figures)") if edition.is_sample else Words("", "")
    where = ", ".join(unit.name for unit in edition.area)
    return Words(
        f"{MODEL.vi}, {where}, {vi.in_text(edition.period)}, {standing.vi}{sample.vi}",
        f"{MODEL.en}, {where}, {edition.period}, {standing.en}{sample.en}",
    )


def description(edition: Edition) -> Words:
    """What is in it."""
    rests_on = _rests_on(edition)
    return Words(
        f"{vi.number(len(edition.lines))} giá trị của các chỉ tiêu, từng đơn vị hành chính, kèm tử số, mẫu số và tình trạng. Số liệu đến "
        f"{vi.moment(edition.as_of)}.{rests_on.vi} Số đếm nhỏ, và số làm lộ số đếm nhỏ, được giữ kín. {MISSING.vi}.",
        f"{len(edition.lines)} values of the indicators, by administrative unit, with numerator, denominator and status, as known at "
        f"{edition.as_of.astimezone(vi.VIETNAM).isoformat(timespec='minutes')}.{rests_on.en} Small counts, and what would give them away, "
        f"are withheld. {MISSING.en}.",
    )


def _rests_on(edition: Edition) -> Words:
    """Of the country, how many provinces it adds up and which are missing."""
    there, missing = len(edition.annex.sources), edition.annex.missing
    if missing is None:
        return Words("", "")
    without = Words(f", còn thiếu: {', '.join(missing)}", f"; missing: {', '.join(missing)}") if missing else Words("", "")
    return Words(
        f" Số của cả nước cộng từ bản ký của {there}/{there + len(missing)} tỉnh{without.vi}.",
        f" The country's values add up the signed editions of {there} of {there + len(missing)} provinces{without.en}.",
    )


def slug(name: str) -> str:
    """A name as part of an identifier: letters without accents, numbers and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", vi.plain(name)).strip("-")
