"""`python -m tests.bench [--scale 1]`: the night against a bare COPY, the second night, ten times the history, memory;
then a province's year of dossiers with its official tables, and a night of changes upon it; first of all, large files read and checked.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests.bench import bare_copy, data, memory, reading
from warehouse.database import open_warehouse
from warehouse.settings import Settings

MILLION = 1_000_000
GIBI = 1 << 30


@dataclass(frozen=True)
class Home:
    """A BAKHONG_HOME of the benchmark with an inbox beside it."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a night in this home is told."""
        return {
            **os.environ,
            "BAKHONG_HOME": str(self.folder / "home"),
            "BAKHONG_SOURCES": str(self.folder / "sources.yaml"),
            "BAKHONG_SECRET_KEY": "a key for the benchmark, only for it",
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "GX_ANALYTICS_ENABLED": "false",
        }

    @contextmanager
    def open(self) -> Iterator[Engine]:
        """Its warehouse, ready and running, so that no night pays for setting it up."""
        data.catalogues(self.folder)
        environment = self.environment
        settings = Settings(
            home=Path(environment["BAKHONG_HOME"]),
            warehouse_url=None,
            sources=Path(environment["BAKHONG_SOURCES"]),
            secret_key=environment["BAKHONG_SECRET_KEY"].encode(),
        )
        settings.home.mkdir(parents=True, exist_ok=True)
        with open_warehouse(settings) as engine:
            yield engine

    def night(self, what: str, arriving: data.Night) -> dict[str, Any]:
        """Writes what arrives, runs the night and returns what it took."""
        size = arriving.write(self.folder)
        say(f"{what}: {arriving.rows:,} payments, {arriving.rows:,} bills, {arriving.dossiers:,} dossiers, {size / 1e6:,.0f} MB")
        return self.run(arriving.exported)

    def run(self, until: date) -> dict[str, Any]:
        """Runs the night of that day in a process of its own."""
        command = [sys.executable, "-m", "tests.bench.one_night", until.isoformat()]
        postmaster = self.folder / "home" / "postgres" / "data" / "postmaster.pid"
        output, peak = memory.run(command, self.environment, postmaster)
        taken: dict[str, Any] = json.loads(output.splitlines()[-1])
        taken["peak"] = peak
        rows = taken["rows"]
        say(f"  {taken['seconds']:.1f} s; rows " + ", ".join(f"{count:,} {name}" for name, count in rows.items() if count))
        say("  " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(taken["steps"].items(), key=lambda step: -step[1])))
        if rows["received"] != sum(count for name, count in rows.items() if name != "received") or taken["unreachable"]:
            raise SystemExit(f"the night did not do its work: {taken}")
        return taken


def say(line: str) -> None:
    """Tells how far the benchmark is."""
    print(line, file=sys.stderr, flush=True)


Line = tuple[str, str, str, str]
"""What, measured, ratio, aim."""


def large_files(folder: Path, scale: float) -> list[Line]:
    """A million rows of CSV and of .xlsx, read and checked without a database: in one process, and as a night reads them."""
    rows = int(MILLION * scale)
    folder.mkdir(exist_ok=True)
    data.first_night(rows).write(folder)
    (bills,) = (folder / "inbox").glob("evn_*.csv")
    book = folder / "water_202403.xlsx"
    reading.workbook(book, min(rows, 1_000_000))
    lines: list[Line] = []
    for path, layout in ((bills, "evn_csv"), (book, "utility_xlsx")):
        kind = path.suffix.removeprefix(".")
        say(f"{rows:,} rows of {kind}, {path.stat().st_size / 1e6:,.0f} MB")
        rounds = [{way: reading.measure(way, path, "bills", layout) for way in reading.WAYS} for _ in range(3)]
        took = {way: min((one[way] for one in rounds), key=lambda one: one["seconds"]) for way in reading.WAYS}
        if {one["rows"] for one in took.values()} != {rows}:
            raise SystemExit(f"rows were lost: {took}")
        bare, plain, bounded = (took[way] for way in reading.WAYS)
        lines += [
            (f"{rows:,} rows of {kind} read and checked", f"{rows / bounded['seconds']:,.0f} rows/s", "", ""),
            ("  against one process", f"{bounded['seconds']:.1f} s", f"{bounded['seconds'] / plain['seconds']:.2f} x", "<= 1.10 x"),
            ("  against the bare parser", f"{bare['seconds']:.1f} s", f"{bounded['seconds'] / bare['seconds']:.2f} x", ""),
            ("  peak memory, reader", f"{bounded['reader'] / GIBI:.2f} GiB", "", "<= 2.00 GiB"),
            ("  peak memory, checks", f"{bounded['own'] / GIBI:.2f} GiB", f"{bounded['own'] / plain['own']:.2f} of one process", ""),
        ]
    return lines


def official(folder: Path, scale: float) -> list[Line]:
    """A province's year of dossiers from empty, then a night of changes upon it, with form 06a and 766 for every unit and period."""
    dossiers, changed = int(2 * MILLION * scale), int(20_000 * scale)
    home = Home(folder / "province")
    with home.open():
        first = home.night("a province's year of dossiers", data.year_of_dossiers(dossiers))
        second = home.night("a night of changes upon it", data.changed_dossiers(dossiers, changed))
    ratio = second["seconds"] / first["seconds"]
    return [
        (f"{dossiers:,} dossiers from empty", f"{first['seconds']:.1f} s", "", ""),
        ("  of it: all official tables", f"{first['steps']['publish']:.1f} s", "", ""),
        (f"{changed:,} changed upon them", f"{second['seconds']:.1f} s", f"{ratio:.3f} of the first", "<= 0.05"),
        ("  of it: all official tables", f"{second['steps']['publish']:.1f} s", "", ""),
        ("  peak memory, pipeline", f"{first['peak']['pipeline'] / GIBI:.2f} GiB", "", "<= 1.5 GiB"),
    ]


def measure(folder: Path, scale: float, history: bool) -> list[Line]:
    """Runs the nights of payments, bills and dossiers and returns the lines of the table."""
    rows = int(MILLION * scale)
    home = Home(folder / "one")
    with home.open() as engine:
        first = home.night("first night", data.first_night(rows))
        copied = bare_copy.measure(engine, folder / "copied")
        bare = sum(copied.values())
        say("  bare COPY " + ", ".join(f"{table} {seconds:.1f} s" for table, seconds in copied.items()))
        second = home.night("second night, 10 % new", data.second_night(rows, rows // 10))
        say("the same night again, nothing new")
        nothing = home.run(data.second_night(rows, rows // 10).exported)
    lines = [
        ("first night", f"{first['seconds']:.1f} s", "", ""),
        ("bare COPY of the same rows", f"{bare:.1f} s", f"{first['seconds'] / bare:.2f} x", "night <= 2.5 x COPY"),
        ("second night, 10 % new", f"{second['seconds']:.1f} s", f"{second['seconds'] / first['seconds']:.2f} of the first", "<= 0.20"),
        ("the same again, nothing new", f"{nothing['seconds']:.1f} s", f"{nothing['seconds'] / first['seconds']:.2f} of the first", ""),
    ]
    if history:
        small = Home(folder / "tenth")
        with small.open():
            small.night("a tenth of the history", data.first_night(rows // 10))
            before = small.night("the same second night upon it", data.second_night(rows // 10, rows // 10))
        ratio = second["seconds"] / before["seconds"]
        lines.append(("second night on a tenth of the history", f"{before['seconds']:.1f} s", f"{ratio:.2f} x with ten times", "<= 1.20 x"))
    peak = first["peak"]
    lines.append(("peak memory, pipeline and children", f"{peak['pipeline'] / GIBI:.2f} GiB", "", "<= 1.5 GiB"))
    lines.append(("peak memory, PostgreSQL", f"{peak['PostgreSQL'] / GIBI:.2f} GiB", "", ""))
    steps = sorted(first["steps"].items(), key=lambda step: -step[1])
    lines += [(f"  first night: {name}", f"{seconds:.1f} s", "", "") for name, seconds in steps]
    lines += [
        (f"  second night: {name}", f"{seconds:.1f} s", "", "")
        for name, seconds in sorted(second["steps"].items(), key=lambda step: -step[1])
    ]
    return lines


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 = a million payments with their bills, a hundred thousand dossiers")
    parser.add_argument("--no-history", action="store_true", help="leave out the warehouse with a tenth of the history")
    parser.add_argument("--official-only", action="store_true", help="only a province's year of dossiers and its official tables")
    parser.add_argument("--reading-only", action="store_true", help="only large files, read and checked")
    parser.add_argument("--folder", type=Path, help="work here and keep everything; else in a folder that is removed")
    given = parser.parse_args()
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bakhong-bench-") as made:
        Path(made).chmod(0o755)
        folder = given.folder or Path(made)
        lines = [] if given.official_only else large_files(folder / "files", given.scale)
        if not (given.official_only or given.reading_only):
            lines += measure(folder, given.scale, not given.no_history)
        if not given.reading_only:
            lines += official(folder, given.scale)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\nscale {given.scale:g}, {os.cpu_count()} cores, load {busy:.1f} before it began")
    print("steps that ran side by side add up to more than the night")
    for line in lines:
        print(
            "  ".join(
                cell.rjust(width) if place == 1 else cell.ljust(width) for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
        )


if __name__ == "__main__":
    main()
