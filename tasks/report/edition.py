"""What the night leaves for people: workbook, steward site, Prefect artifacts."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from tasks.ask import official_table, questions
from tasks.ask.scope import WHOLE
from tasks.count.revisions import last_publication
from tasks.report.reconciled_fees import write_fees
from tasks.report.site import write_site
from tasks.report.yearly import workbook_name, write_years
from tasks.validate.data_docs import DataDocs
from tasks.words import vietnamese as vi
from warehouse.retention import rules_on
from warehouse.seed import is_country

OPEN_DATA = "open-data"
"""Beside the report: the editions that others take."""


@dataclass(frozen=True)
class Report:
    """Where the night's report lies."""

    site: Path
    """The start page of the steward site."""
    workbooks: list[Path]
    """The official tables, a workbook a year, the latest first."""


def report(engine: Engine, home: Path, run_id: int, docs: DataDocs) -> Report:
    """Makes the workbooks and the steward site as a new edition, then swaps it in at once; readers never see half of it.

    The tables of a year that come out as before are taken over from the edition that is there.
    """
    editions = home / "report" / "editions"
    edition = editions / f"{run_id:06}"
    shutil.rmtree(edition, ignore_errors=True)
    edition.mkdir(parents=True)
    (edition / OPEN_DATA).symlink_to(os.path.relpath(home / OPEN_DATA, edition), target_is_directory=True)
    with engine.connect() as connection:
        run, published = questions.find_run(connection, run_id), last_publication(connection)
        # A night of an earlier day leaves in force what the last one published.
        as_of = run.as_of if published is None else max(run.as_of, published.as_of)
        made = write_years(connection, home / "site", edition)
        if not is_country(connection):  # which has no payments
            write_fees(connection, as_of, home / "site", edition)
        start = docs.build(run.started_at.astimezone(vi.VIETNAM))
        (edition / "data_docs").symlink_to(os.path.relpath(start.parent, edition), target_is_directory=True)
        write_site(connection, edition)
    _swap(home / "site", edition)
    for old in outlived(editions, run.started_at.astimezone(vi.VIETNAM).date()):
        shutil.rmtree(old, ignore_errors=True)
    return Report(home / "site" / "index.html", [home / "site" / workbook_name(year.name) for year in made])


def outlived(editions: Path, day: date) -> list[Path]:
    """Editions that the rules of a day let go; those that stay are there so that a page someone is reading does not vanish."""
    return sorted(editions.iterdir())[: -rules_on(day)["editions"].term.number] if editions.is_dir() else []


def artifacts(engine: Engine, run_id: int, made: Report | None, desk_url: str | None) -> None:
    """Shows the night in Prefect: quality of each delivery, the indicators of the latest year, where the report is."""
    from prefect.artifacts import (  # noqa: PLC0415  # the command line reads this module too
        create_link_artifact,
        create_markdown_artifact,
        create_table_artifact,
    )

    with engine.connect() as connection:
        run = questions.find_run(connection, run_id)
        broken: dict[int, list[str]] = {}
        for rule in questions.broken_rules(connection, since=run.started_at):
            broken.setdefault(rule.delivery_id, []).append(f"{rule.rule_code}: {rule.observed or rule.unexpected_count}")
        quality = [
            {
                "source": row.source,
                "file": vi.safe(row.file_name),
                "status": row.status,
                "verdict": row.verdict or "",
                "received": row.rows_received or 0,
                "loaded": row.rows_loaded or 0,
                "unchanged": row.rows_unchanged or 0,
                "quarantined": row.rows_quarantined or 0,
                "ignored": row.rows_ignored or 0,
                "why": vi.one_line(row.message_vi or "; ".join(broken.get(row.delivery_id, []))),
            }
            for row in questions.deliveries(connection, since=run.started_at)
        ]
        years = official_table.years(connection)
        levels = ("country",) if is_country(connection) else ("province", "district")
        lines = official_table.of_period(connection, years[0], WHOLE, levels=levels) if years else []
    create_table_artifact(quality, key="quality", description="Deliveries of the night")
    indicators = [
        {
            "indicator": line.indicator_code,
            "unit": line.unit_shown,
            "period": line.period,
            "value": line.printed,
            "status": line.status,
            "covers": line.covers,
            "data until": vi.day(line.data_until),
            "next due": vi.day(line.next_due),
            "met": line.met,
        }
        for line in lines
    ]
    create_table_artifact(indicators, key="indicators", description=f"Indicators of {years[0] if years else 'no period yet'}")
    if made is not None:
        if desk_url is not None:
            create_link_artifact(desk_url, link_text="Trang kiểm soát", key="site")
        else:
            create_markdown_artifact(_to_copy("Trang kiểm soát: `bakhong serve`, hoặc mở trong trình duyệt", made.site), key="site")
        for workbook in made.workbooks[:1]:
            create_markdown_artifact(_to_copy("Biểu chính thức: mở bằng Excel", workbook), key="workbook")


def _to_copy(words: str, path: Path) -> str:
    """What to do with a file on the machine of the night: no browser follows a link to one from Prefect's pages."""
    return f"{words}, trên máy chạy lượt đêm (chép đường dẫn):\n\n```\n{path}\n```"


def _swap(link: Path, edition: Path) -> None:
    """Points the link at the new edition in one step of the file system."""
    draft = link.with_name(".site-next")
    draft.unlink(missing_ok=True)
    draft.symlink_to(os.path.relpath(edition, link.parent), target_is_directory=True)
    draft.replace(link)
