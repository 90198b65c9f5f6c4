"""What else is published of a unit, seen from its tables of a period: shorter periods, those to compare with, form 06a, score 766."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from warehouse.periods import before, parts, year_before

_FOUND = """
SELECT ARRAY(SELECT DISTINCT period FROM mart.indicator WHERE unit_code = :code AND period = ANY(:periods)) AS periods,
    EXISTS (SELECT FROM mart.form_06a WHERE unit_code = :code AND period = :period) AS has_form,
    EXISTS (SELECT FROM mart.score_766 WHERE unit_code = :code AND period = :period) AS has_scores
"""


@dataclass(frozen=True)
class Around:
    """What else there is of a unit."""

    within: list[str]
    """Shorter periods of which anything is published, in the order of time."""
    earlier: dict[str, str]
    """Earlier periods to compare with, each with what it is: the one before, the same of the year before."""
    has_form: bool
    has_scores: bool


def around(connection: Connection, code: str, period: str) -> Around:
    """What else is published of a unit, whichever version bore its code."""
    within, earlier = parts(period)[1:], {before(period): "kỳ trước", year_before(period): "cùng kỳ năm trước"}
    if period == period[:4]:
        earlier = {before(period): "năm trước"}
    found = connection.execute(text(_FOUND), {"code": code, "period": period, "periods": [*within, *earlier]}).one()
    there = set(found.periods)
    return Around(
        [one for one in within if one in there],
        {one: words for one, words in earlier.items() if one in there},
        found.has_form,
        found.has_scores,
    )
