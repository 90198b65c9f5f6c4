"""What views show of what YAML and CSV declare: which counts add up, the names of decision 766, and a wide view for each official table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from warehouse.confidentiality import confidentiality
from warehouse.indicators import Indicator, facts, indicators, measures, official_tables
from warehouse.scores.reporting_calendars import reporting_calendars
from warehouse.scores.rules_766 import versions
from warehouse.views import IN_COMMON as OF_ALL
from warehouse.views import View, Words, fill, literal, meanings, relation


def _adding_up() -> str:
    columns = "indicator_code text, listed_from date, listed_to date, is_additive boolean, is_stock boolean"
    return relation(columns, ((i.code, i.listed_from, i.listed_to, i.is_additive, i.is_stock) for i in indicators()))


def _parts_766() -> str:
    columns = "group_code text, component_code text, group_name text, component_name text, valid_from date, valid_to date"
    parts = (
        (group_code, component_code, group.name_vi, component and component.name_vi, rules.valid_from, rules.valid_to)
        for rules in versions()
        for group_code, group in rules.groups.items()
        for component_code, component in {"": None, **group.components}.items()
    )
    return relation(columns, parts)


def _measures() -> str:
    return relation(
        "measure text, measure_name text, is_stock boolean", ((name, one.name_vi, not one.is_flow) for name, one in measures().items())
    )


def _fewest_asked() -> str:
    return str(max(i.suppress_below or 0 for i in indicators() if i.is_sample))


def _confidential(shown: str, is_restated: str) -> str:
    exempt = ", ".join(map(literal, confidentiality().exempt))
    judged = "EXISTS (SELECT FROM ops.mark WHERE item = 'confidentiality ' || left({0}.period, 4) AND fingerprint = {1})"
    return f"""CASE
           WHEN {shown}.indicator_code IN ({exempt}) OR {shown}.numerator IS NULL AND {shown}.obs_status <> 'Q' THEN 'F'
           WHEN {judged.format(shown, literal(confidentiality().fingerprint))} THEN coalesce((
               SELECT secret.conf_status::text FROM warehouse.indicator_confidentiality AS secret
               WHERE secret.period = {shown}.period AND secret.indicator_code = {shown}.indicator_code
                 AND secret.unit_key = {shown}.unit_key AND secret.is_restated = {is_restated}
           ), 'F')
       END"""


IN_COMMON: Mapping[str, Callable[[str], str]] = {
    "ADDING_UP": lambda _: _adding_up(),
    "CALENDARS": lambda _: " UNION ALL ".join(calendar.periods() for calendar in reporting_calendars()),
    "CONFIDENTIAL": lambda of: _confidential(*of.split()),
    "DOSSIERS": lambda _: facts()["dossier"].select().replace("{states}", "states"),
    "FEWEST_ASKED": lambda _: _fewest_asked(),
    "MEASURES": lambda _: _measures(),
    "PARTS_766": lambda _: _parts_766(),
}
"""Name → SQL: whose counts may be added; periods by reporting calendar; of a value shown (and whether it is restated) its conf_status;
dossiers over `states`, as indicators count them; how many must have answered a question; what offices count, by name; groups and
components of decision 766, by name."""


# Wide views -------------------------------------------------------------------------------------------------------------


def wide_views() -> list[View]:
    """One an official table: its indicators side by side, each in columns of its own."""
    status = meanings()["obs_status"]
    return [_wide(name, title, status) for name, title in official_tables().items()]


def _wide(name: str, title: str, status: Words) -> View:
    shown = {i.code: i for i in indicators() if i.official_table == title}  # of several versions, the last
    of_one = [
        f"max({of}) FILTER (WHERE indicator_code = {literal(code)}) AS {column}"
        for code in shown
        for of, column in (("fact.value", code.lower()), ("fact.obs_status", f"{code.lower()}_status"))
    ]
    columns = {column: words for i in shown.values() for column, words in _columns(i, status)}
    given = {
        "codes": ", ".join(map(literal, shown)),
        "of_one": ",\n           ".join(of_one),
        "columns": ", ".join(f"0.01 * {c.removesuffix('_fraction')} AS {c}" if c.endswith("_fraction") else c for c in columns),
    }
    row = Words(
        f"Mỗi dòng là một đơn vị và kỳ của bảng {title}: giá trị đang công bố của mỗi chỉ tiêu ở một cột, kèm phân số và tình trạng. "
        "Không lấy trung bình giá trị của nhiều đơn vị: mart.indicator_rate có các số đếm cộng được.",
        f"One row per unit and period of the official table {title}: each indicator's value published now in a column of its own, with its "
        "fraction and status. Values of several units are not to be averaged: mart.indicator_rate has the counts that add up.",
    )
    return View("mart", f"wide_{name}", row, fill(_WIDE, OF_ALL).format(**given), columns)


_WIDE = """
SELECT unit.unit_code, unit.unit_name, unit.unit_level, unit.valid_from AS unit_valid_from, line.period, span.period_type,
       {columns},
       {PLACE},
       span.period_start, span.period_end, span.period_sort
FROM (
    SELECT fact.unit_key, fact.period,
           {of_one}
    FROM warehouse.fact_indicator AS fact
    JOIN warehouse.dim_indicator AS indicator ON indicator.indicator_key = fact.indicator_key AND indicator.known_to = 'infinity'
    WHERE fact.known_to = 'infinity' AND indicator.indicator_code IN ({codes})
    GROUP BY fact.unit_key, fact.period
) AS line
JOIN warehouse.dim_unit AS unit USING (unit_key)
CROSS JOIN LATERAL ({PERIOD line.period}) AS span
"""


def _columns(i: Indicator, status: Words) -> Iterator[tuple[str, Words]]:
    """The columns of an indicator, and what they mean."""
    column = i.code.lower()
    if i.is_count:
        yield column, Words(f"{i.code}, {i.name}: số {i.unit_measure}", f"{i.code}: the count")
    else:
        yield column, Words(f"{i.code}, {i.name}: tỷ lệ phần trăm", f"{i.code}: the rate in percent")
        yield f"{column}_fraction", Words(f"{i.code}: tỷ lệ dưới dạng phân số (0,5 là 50 %)", f"{i.code}: as a fraction (0.5 is 50 %)")
    yield f"{column}_status", Words(f"{i.code}: {status.vi}", f"{i.code}: {status.en}")
