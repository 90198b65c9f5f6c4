"""The official tables of each year as files, a workbook and pages: made where they say something else than those of the edition before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from tasks.ask import official_table
from tasks.ask.notes import Note, notes_of
from tasks.ask.overview import Overview
from tasks.ask.restated import restated_of_period
from tasks.ask.scope import PUBLIC
from tasks.report.beside import Beside
from tasks.report.drawn import Drawings
from tasks.report.kept import Made, fingerprint, made, programme, take_over, write_down, written_down
from tasks.report.one_stop_shop import one_stop_shop
from tasks.report.pages.tables import pages_of, together
from tasks.report.site import write_pages
from tasks.report.values_csv import write_values_file, write_values_packed
from warehouse.seed import is_sample, publisher

BY_UNIT = 3
"""Latest years of which each unit has a page; of those before, each indicator has one, and the desk has all."""
MANIFEST = "made.json"
"""What an edition's files are made of."""


@dataclass(frozen=True)
class _Published:
    """What is published of a year."""

    as_of: datetime
    """State of knowledge of the last publication that changed any of it."""
    is_restated: bool
    content: str
    """Fingerprint of all its lines."""


def workbook_name(year: str) -> str:
    """File name of the workbook of a year."""
    return f"ba-khong-{year}.xlsx"


def data_name(year: str, *, is_country: bool) -> str:
    """File name of all values of a year: of a whole country packed, since there are half a million."""
    return f"ba-khong-{year}.csv.zip" if is_country else f"ba-khong-{year}.csv"


def write_years(connection: Connection, before: Path, edition: Path) -> list[Made]:
    """Puts the files of every published year into an edition, the latest first.

    Those that would come out as they are in the edition before are taken over from there, unless someone altered them meanwhile.
    """
    published = {row.period: _Published(row.as_of, row.is_restated, row.content) for row in connection.execute(text(_PUBLISHED))}
    years, overview = official_table.years(connection), Overview(connection, PUBLIC)
    around = fingerprint(programme(), connection.execute(text(_NAMES)).one())
    # The scores of a year are compared with those of the year before.
    before_it = {year: published.get(str(int(year) - 1)) for year in years}
    notes = {year: notes_of(connection, year, PUBLIC) for year in years}
    withheld = {row.year: row.content for row in connection.execute(text(_WITHHELD))}
    has_open_data = {year: (edition / "open-data" / year / "latest").exists() for year in years}
    told = {
        year: (
            published[year],
            before_it[year],
            withheld.get(year),
            year in years[:BY_UNIT],
            notes[year],
            has_open_data[year],
            *([overview.gathered.get(year)] if overview.is_country else []),
        )
        for year in years
    }
    content = {year: fingerprint(around, *told[year]) for year in years}
    drawings = Drawings(before, edition)
    kept = [part for part in written_down(before, MANIFEST) if content.get(part.name) == part.content and take_over(part, before, edition)]
    found = {part.name: part for part in kept}
    for part in kept:
        drawings.keep(part.files)
    if missing := [year for year in years if year not in found]:
        with Beside() as beside:
            names = {
                year: _write(overview, year, published[year], notes[year], year in years[:BY_UNIT], edition, beside, drawings)
                for year in missing
            }
        found |= {year: made(year, content[year], edition, names[year]) for year in missing}
    drawings.write_down()
    write_down(edition, MANIFEST, [found[year] for year in years])
    return [found[year] for year in years]


def _write(
    overview: Overview,
    year: str,
    published: _Published,
    notes: list[Note],
    by_unit: bool,
    edition: Path,
    beside: Beside,
    drawings: Drawings,
) -> list[str]:
    """Writes the files of a year, workbook and charts beside, and returns their names."""
    connection, is_country = overview.connection, overview.is_country
    lines = official_table.of_period(connection, year, PUBLIC, levels=together(overview))
    sample, data = is_sample(connection), edition / data_name(year, is_country=is_country)
    rests_on = overview.gathered.get(year)
    told = (notes, publisher(connection), sample, rests_on.told(len(rests_on.missing)) if rests_on else "")
    beside.write_workbook(lines, year, published.as_of, edition / workbook_name(year), *told)
    restated = restated_of_period(connection, year, PUBLIC, levels=together(overview)) if published.is_restated else []
    beside.tell_rest(None if is_country else one_stop_shop(connection, lines, year), restated)
    if is_country:
        write_values_packed(data, official_table.values_of(connection, year))
    else:
        write_values_file(data, lines)
    pages = pages_of(overview, year, lines, restated, published.as_of, by_unit=by_unit)
    missing = () if by_unit else (f"bieu/{year}/don-vi/",)
    written = write_pages(pages, edition, missing=missing, is_sample=sample, is_country=is_country)
    return [workbook_name(year), data.name, *written, *drawings.put(pages, beside)]


_TABLES = ("fact_indicator", "fact_indicator_restated", "fact_reach", "fact_form_06a", "fact_score_766")
_IN_FORCE = "known_to = 'infinity'"
_LINES = " UNION ALL ".join(
    f"SELECT period, known_from, known_to, '{table}' AS told_by, CASE WHEN {_IN_FORCE} THEN hashtextextended(line::text, 0) END AS line "
    f"FROM warehouse.{table} AS line WHERE length(period) = 4"
    for table in _TABLES
)
_PUBLISHED = f"""
SELECT period, greatest(max(known_from), max(known_to) FILTER (WHERE isfinite(known_to))) AS as_of,
    bool_or(told_by = 'fact_indicator_restated' AND {_IN_FORCE}) AS is_restated, concat_ws(' ', count(line), sum(line)) AS content
FROM ({_LINES}) AS lines GROUP BY period
"""
_WITHHELD = """
SELECT right(m.item, 4) AS year, concat_ws(' ', m.fingerprint, count(c.period), sum(hashtextextended(c::text, 0))) AS content
FROM ops.mark m
LEFT JOIN warehouse.indicator_confidentiality c ON c.period = right(m.item, 4)
WHERE m.item ~ '^confidentiality [0-9]{4}$' GROUP BY m.item, m.fingerprint
"""
_BESIDE = (
    "warehouse.dim_indicator", "warehouse.dim_target", "warehouse.dim_unit", "warehouse.bridge_unit_lineage", "warehouse.dim_agency",
    "warehouse.dim_department", "ops.installation",
)  # fmt: skip
"""Tables of names, and of what is shown at all."""
_HASHED = ", ".join(f"(SELECT concat_ws(' ', count(*), sum(hashtextextended(row::text, 0))) FROM {table} AS row)" for table in _BESIDE)
_OF_TODAY = "SELECT sum(unit_key) FROM warehouse.dim_unit WHERE valid_to >= (SELECT max(as_of)::date FROM ops.publication)"
_NAMES = f"SELECT {_HASHED}, ({_OF_TODAY})"
