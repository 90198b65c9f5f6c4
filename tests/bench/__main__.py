"""`python -m tests.bench [--scale 1] [--rounds 3] [--only PART …]`: the night as users run it, measured against others in the same run.

compare: a first night, one more month, a night with nothing new, against a bare load and dbt + DuckDB on the same files, answers
compared; samples: the night of the samples; history: that one more month upon a tenth of the history; changed: a night of changes upon a
province's year of dossiers; reading: large files read and checked, without a database; volume: twenty times the first night at once;
country: the nights of the whole country, upon 36 months of its provinces' editions.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from statistics import median

from desk.cli import SAMPLE_NIGHT
from tests.bench import country, data, reading
from tests.bench.contenders import BareLoad, Cell, Contender, Dbt, Night, Server
from tests.bench.memory import Taken
from warehouse.embedded import serve

MILLION = 1_000_000
GIBI = 1 << 30
PROFILE = "Thời gian của lượt chạy"
"""How the table of `bakhong nightly --profile` begins, the last of what it says."""
SAMPLES = Path("samples/sources.yaml").absolute()

Line = tuple[str, str, str, str]
"""What, measured, ratio, aim."""


def say(line: str) -> None:
    """Tells how far the benchmark is."""
    print(line, file=sys.stderr, flush=True)


@dataclass
class Race:
    """What every round took: contender → night → one a round."""

    taken: dict[str, dict[str, list[Taken]]] = field(default_factory=dict)

    def add(self, name: str, night: str, taken: Taken) -> None:
        """Notes what one night of one round took."""
        self.taken.setdefault(name, {}).setdefault(night, []).append(taken)
        memory = f", {taken.peak / GIBI:.2f} GiB" if taken.peak else ""
        say(f"  {name}, {night}: {taken.seconds:.1f} s{memory}")
        for line in taken.output.splitlines():
            if line.startswith("Cảnh báo"):  # the data are meant to be without fault
                say(f"    {line}")

    def seconds(self, name: str, night: str) -> float:
        """The median of its rounds; nan where there were none."""
        rounds = self.taken.get(name, {}).get(night)
        return median(one.seconds for one in rounds) if rounds else float("nan")

    def line(self, name: str, night: str, against: float, aim: str) -> Line:
        """Median, spread and ratio."""
        rounds = [one.seconds for one in self.taken[name][night]]
        spread = f"  ({min(rounds):.1f} - {max(rounds):.1f})" if len(rounds) > 1 else ""
        ratio = self.seconds(name, night) / against
        return f"{night}: {name}", f"{self.seconds(name, night):.1f} s{spread}", "" if ratio != ratio else f"{ratio:.2f} x", aim


BARE, OURS, DBT = BareLoad.name, Night.name, Dbt.name
FIRST, SECOND, NOTHING, SAMPLE = "first night", "second night", "nothing new", "night of the samples"


class Bench:
    """One run of the benchmark in a folder, on a PostgreSQL of its own."""

    def __init__(self, folder: Path, server: Server, scale: float, rounds: int) -> None:
        self.folder, self.server, self.scale, self.rounds = folder, server, scale, rounds
        self.rows = int(MILLION * scale)
        self.changed_of, self.changed_now = int(2 * MILLION * scale), int(20_000 * scale)
        self.race = Race()

    def written(self, name: str, months: data.Months) -> Path:
        """The folder of the files of a night."""
        folder = self.folder / name
        if not folder.exists():
            size = months.write(folder)
            say(f"{name}: {months.rows:,} rows, {size / 1e6:,.0f} MB in {months.months} files a source")
        return folder / "inbox"

    def take(self, contender: Contender, night: str, months: data.Months, files: str) -> Taken:
        """One night of one contender."""
        arrived = self.written(files, months)
        self.server.settle()
        taken = contender.take(arrived, months.exported)
        self.race.add(contender.name, night, taken)
        return taken

    def compare(self) -> list[Line]:
        """The three, one after the other, in an order that moves on with each round."""
        first, second = data.first_night(self.rows), data.second_night(self.rows)
        for number in range(self.rounds):
            say(f"round {number + 1} of {self.rounds}")
            names = [BARE, OURS, DBT]
            answers: dict[str, list[set[Cell]]] = {}
            for name in names[number % 3 :] + names[: number % 3]:
                with self.server.database(f"round_{number}_{names.index(name)}") as url, self.room() as folder:
                    contender = Night(folder, url) if name == OURS else BareLoad(folder, url) if name == BARE else Dbt(folder)
                    self.take(contender, FIRST, first, "first")
                    answers[name] = [contender.answers()]
                    self.take(contender, SECOND, second, "second")
                    answers[name].append(contender.answers())
                    if isinstance(contender, Night):
                        self.race.add(OURS, NOTHING, contender.night(second.exported))
            require_same(answers)
        bare = {night: self.race.seconds(BARE, night) for night in (FIRST, SECOND)}
        lines = []
        for night in (FIRST, SECOND):
            dbt = self.race.seconds(DBT, night)
            lines += [
                self.race.line(BARE, night, bare[night], ""),
                self.race.line(DBT, night, bare[night], ""),
                self.race.line(OURS, night, bare[night], "<= 1.00 x" if night == FIRST else f"<= {dbt / bare[night]:.2f} x, that of {DBT}"),
            ]
        lines.append(self.race.line(OURS, NOTHING, bare[FIRST], f"<= 0.20 x the {FIRST} of the {BARE}"))
        return [*lines, self.peak("of these nights", OURS, FIRST, SECOND, NOTHING), self.peak("of these nights", DBT, FIRST, SECOND)]

    def samples(self) -> list[Line]:
        """The night of the samples, many small files."""
        for number in range(self.rounds):
            with self.server.database(f"samples_{number}") as url, self.room() as folder:
                night = Night(folder, url, sources=SAMPLES)
                self.server.settle()
                self.race.add(OURS, SAMPLE, night.night(SAMPLE_NIGHT, may_end_with=(1,)))  # of the samples some are there to be rejected
        return [self.race.line(OURS, SAMPLE, self.race.seconds(BARE, FIRST), f"<= 0.70 x the {FIRST} of the {BARE}")]

    def history(self) -> list[Line]:
        """The second night upon all months against the same upon the last one."""
        second, upon = data.second_night(self.rows), "the same upon a tenth of the history"
        last = data.Months(1, second.bills, second.dossiers, second.first - 1)
        for number in range(self.rounds):
            with self.server.database(f"tenth_{number}") as url, self.room() as folder:
                night = Night(folder, url)
                self.take(night, "a tenth of the history", last, "last")
                self.take(night, upon, second, "second")
        seconds, all_of_it = self.race.seconds(OURS, upon), self.race.seconds(OURS, SECOND)
        ratio = "" if all_of_it != all_of_it else f"{all_of_it / seconds:.2f} x with ten times"
        return [(f"{SECOND}: {upon}", f"{seconds:.1f} s", ratio, "<= 1.10 x")]

    def changed(self) -> list[Line]:
        """A province's year of dossiers from empty, then a night of changes upon it."""
        year, now = data.year_of_dossiers(self.changed_of), data.changed_dossiers(self.changed_of, self.changed_now)
        names = f"{year.rows:,} dossiers", f"{now.rows:,} changed upon them"
        with self.server.database("changed") as url, self.room() as folder:
            night = Night(folder, url, bills=False)
            for name, months in zip(names, (year, now), strict=True):
                self.take(night, name, months, name.replace(" ", "_"))
        first = self.race.seconds(OURS, names[0])
        return [
            self.race.line(OURS, names[0], float("nan"), ""),
            self.race.line(OURS, names[1], first, "<= 0.05 x the first load"),
            self.peak("of these nights", OURS, *names),
        ]

    def volume(self) -> list[Line]:
        """A year of twenty times as many bills and payments at once, and the month after it; both against the first night compared."""
        year = data.backfill(20 * self.rows)
        nights = {f"{year.rows:,} rows of a year at once": year, "the month after it": data.month_after(year)}
        first = data.first_night(self.rows).rows / self.race.seconds(OURS, FIRST)
        with self.server.database("volume") as url, self.room() as folder:
            night = Night(folder, url)
            for name, months in nights.items():
                self.take(night, name, months, name.replace(" ", "_"))
        lines = []
        for name, months in nights.items():
            speed = months.rows / self.race.seconds(OURS, name)
            ratio = "" if first != first else f"{speed / first:.2f} x the rows a second of the {FIRST}"
            lines.append((f"{name}: {OURS}", f"{self.race.seconds(OURS, name):.0f} s, {speed:,.0f} rows/s", ratio, ">= 1.00 x"))
        return [*lines, self.peak("of these nights", OURS, *nights)]

    def country(self) -> list[Line]:
        """What the provinces of the country sign in 36 months, and what comes after that."""
        codes = country.chosen(self.scale)
        nights, (before, again) = country.nights(codes), country.upon_a_tenth(codes)
        shelves = country.Shelves(self.folder / "provinces")
        shelves.write([*nights, before, again])
        lines: list[Line] = []
        for name, offers in (("country", nights), ("tenth", [before, again])):
            with self.server.database(name) as url, self.room() as folder:
                night = country.Country(folder, url, shelves, codes)
                for offer in offers:
                    self.server.settle()
                    self.race.add(OURS, offer.name, night.take_offer(offer))
                    sizes = ", ".join(f"{what} {size / GIBI:.2f} GiB" for what, size in night.sizes().items())
                    lines.append((f"after {offer.name}", sizes, "", ""))
        first, last, late, corrected, nothing = (offer.name for offer in nights)
        editions = len(nights[0].editions) / len(nights[1].editions)
        upon_a_tenth = self.race.seconds(OURS, again.name)
        return [
            self.race.line(OURS, first, editions * self.race.seconds(OURS, last), f"<= 1.00 x {editions:.0f} times the night of a month"),
            self.race.line(OURS, last, upon_a_tenth, "<= 1.10 x the same upon a tenth of the history"),
            *(self.race.line(OURS, name, self.race.seconds(OURS, last), "of the night of a month") for name in (late, corrected, nothing)),
            self.peak("of these nights", OURS, *(offer.name for offer in (*nights, before, again))),
            *lines,
        ]

    def reading(self) -> list[Line]:
        """A million rows of CSV and of .xlsx, read and checked without a database: in one process, and as a night reads them."""
        month = data.Months(1, self.rows, 0)
        (bills,) = self.written("large", month).glob("evn_*.csv")
        book = self.folder / "water_202401.xlsx"
        reading.workbook(book, min(self.rows, MILLION))
        lines: list[Line] = []
        for path, layout in ((bills, "evn_csv"), (book, "utility_xlsx")):
            kind = path.suffix.removeprefix(".")
            say(f"{self.rows:,} rows of {kind}, {path.stat().st_size / 1e6:,.0f} MB")
            rounds = [{way: reading.measure(way, path, "bills", layout) for way in reading.WAYS} for _ in range(self.rounds)]
            took = {way: min((one[way] for one in rounds), key=lambda one: one["seconds"]) for way in reading.WAYS}
            if {one["rows"] for one in took.values()} != {self.rows}:
                raise SystemExit(f"rows were lost: {took}")
            bare, plain, bounded = (took[way] for way in reading.WAYS)
            lines += [
                (f"{self.rows:,} rows of {kind} read and checked", f"{self.rows / bounded['seconds']:,.0f} rows/s", "", ""),
                ("  against one process", f"{bounded['seconds']:.1f} s", f"{bounded['seconds'] / plain['seconds']:.2f} x", "<= 1.10 x"),
                ("  against the bare parser", f"{bare['seconds']:.1f} s", f"{bounded['seconds'] / bare['seconds']:.2f} x", ""),
                ("  peak memory, reader", f"{bounded['reader'] / GIBI:.2f} GiB", "", "<= 1.00 GiB"),
                ("  peak memory, checks", f"{bounded['own'] / GIBI:.2f} GiB", f"{bounded['own'] / plain['own']:.2f} of one process", ""),
            ]
        return lines

    @contextmanager
    def room(self) -> Iterator[Path]:
        """A folder of one contender in one round, gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.folder) as made:
            yield Path(made)

    def profile(self, night: str) -> str:
        """Where the time of a night went, in its median round."""
        rounds = sorted(self.race.taken[OURS][night], key=attrgetter("seconds"))
        _, title, table = rounds[len(rounds) // 2].output.partition(PROFILE)
        return f"{night}: {title}{table}"

    def peak(self, of: str, name: str, *nights: str) -> Line:
        """The highest peak of memory in any round."""
        highest = max(one.peak for night in nights for one in self.race.taken[name][night])
        return f"peak memory {of}: {name}", f"{highest / GIBI:.2f} GiB", "", "<= 1.00 GiB" if name == OURS else ""


PARTS = {
    "compare": Bench.compare,
    "samples": Bench.samples,
    "history": Bench.history,
    "changed": Bench.changed,
    "reading": Bench.reading,
    "country": Bench.country,
    "volume": Bench.volume,
}


def require_same(answers: dict[str, list[set[Cell]]]) -> None:
    """SystemExit where two contenders say something else of any cell."""
    for name, nights in answers.items():
        for night, ours, theirs in zip((FIRST, SECOND), answers[BARE], nights, strict=True):
            if different := ours ^ theirs:
                shown = "\n".join(f"  {cell} says {BARE if cell in ours else name} only" for cell in sorted(different, key=str)[:10])
                raise SystemExit(f"{night}: {len(different):,} cells in which {BARE} and {name} differ:\n{shown}")
    say(f"  the same answers: {', '.join(f'{len(cells):,}' for cells in answers[BARE])} cells")


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="1 = a million bills and payments, a hundred thousand dossiers")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=[part for part in PARTS if part not in ("volume", "country")],  # they take an hour and 40 GB
        metavar="PART",
        help=f"of {', '.join(PARTS)}; ratios to the bare load need compare; without it all but volume and country",
    )
    parser.add_argument("--folder", type=Path, help="write the files here and keep them; else in a folder that is removed")
    given = parser.parse_args()
    busy = os.getloadavg()[0]
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="bakhong-bench-") as made:
        Path(made).chmod(0o755)  # PostgreSQL, which may run as another user, has to pass
        with serve(Path(made)) as server:
            bench = Bench(given.folder or Path(made), Server(server), given.scale, given.rounds)
            for part in given.only:
                lines += PARTS[part](bench)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for night in bench.race.taken.get(OURS, {}):
        print(bench.profile(night))
    print(f"\nscale {given.scale:g}, {os.cpu_count()} cores, load {busy:.1f} before it began; medians of the rounds, and their spread")
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
