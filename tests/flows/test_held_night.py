"""A file of four times the usual rows: the night takes it, holds what it would publish, and publishes once a steward accepts."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import yaml
from sqlalchemy import Engine, text

from flows.ending import NotAllTaken, state_of
from flows.nightly import Night, night
from flows.steps import WITHOUT_PREFECT
from tasks.ask.gate import findings, held_edition, held_values
from tasks.ask.notes import notes_of
from tasks.ask.scope import WHOLE
from tasks.indicators.edition import judge
from tests.nights import KEY, SAMPLES
from warehouse.settings import Settings

PUBLISHED = "SELECT unit_code, period, indicator_code, numerator, denominator FROM mart.indicator ORDER BY 1, 2, 3"


def put(inbox: Path, name: str, times: int = 1) -> None:
    """A sample file of electricity bills, each bill so many times under other numbers."""
    with (SAMPLES.parent / "inbox" / "evn" / name).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with (inbox / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for n in range(times):
            writer.writerows({**row, "ID_HDON": f"{row['ID_HDON']}{n or ''}", "MA_KHANG": f"{row['MA_KHANG']}{n or ''}"} for row in rows)


def test_readers_keep_what_was_published_until_somebody_accepts_the_rest(engine: Engine, home: Path) -> None:
    inbox = home / "inbox"
    inbox.mkdir()
    source = {
        "name": "evn-bills",
        "feed": "bills",
        "layout": "evn_csv",
        "provider": "evn",
        "url": f"{inbox}/*.csv",
        "expected": "quarterly",
    }
    (home / "sources.yaml").write_text(yaml.safe_dump({"sources": [source]}), "utf-8")
    steps = replace(WITHOUT_PREFECT, report=None)

    def a_night(day: date, steps: object = steps) -> Night:
        return night(Settings(home, None, home / "sources.yaml", KEY.encode()), engine, day, steps=steps)  # type: ignore[arg-type]

    def published() -> list[tuple[object, ...]]:
        with engine.connect() as c:
            return [tuple(row) for row in c.execute(text(PUBLISHED))]

    for month in ("202403", "202406", "202409"):
        put(inbox, f"evn_mau_{month}.csv")
    first = a_night(date(2024, 12, 1))
    assert not first.published.is_held
    assert state_of([first], first) is first
    before = published()

    put(inbox, "evn_mau_202412.csv", times=4)
    held = a_night(date(2025, 1, 2))
    assert [(one.status, one.loaded) for one in held.outcomes] == [("loaded", 4 * 1152)]
    assert published() == before
    (alarm,) = held.published.alarms
    assert alarm.message_vi == "evn_mau_202412.csv: 4.608 dòng, thường 1.152 dòng"
    assert held.shortcomings == [
        "Giữ lại, chưa công bố, chờ quyết định (bakhong gate list): evn-bills, số dòng khác thường: "
        "evn_mau_202412.csv: 4.608 dòng, thường 1.152 dòng"
    ]
    state = state_of([held], held)
    assert (state.type.value, state.name, state.message) == ("FAILED", "Held", held.shortcomings[0])  # type: ignore[union-attr]
    assert isinstance(state.result(raise_on_failure=False), NotAllTaken)  # type: ignore[union-attr]

    again = a_night(date(2025, 1, 3))
    assert (again.outcomes, again.published.is_held) == ([], True), "nothing came, and it is held as before"
    with engine.begin() as c:
        of_october = {(row.period, row.old_value is None) for row in held_values(c, WHOLE) if row.unit_level == "commune"}
        assert ("2024-10", True) in of_october, "what the edition would add is there to be looked at"
        (moved,) = (
            row for row in held_values(c, WHOLE) if (row.indicator_code, row.unit_level, row.period) == ("K2b", "district", "2024-12")
        )
        assert moved.file_names == ["evn_mau_202412.csv"]
        (row,) = findings(c, WHOLE, undecided=True)
        assert row.file_names == ["evn_mau_202412.csv"]
        judge(c, [row.alarm_id], "accepted", "ba huyện mới về một mối", "Lan")
    (inbox / "evn_mau_202412.csv").unlink()
    done = a_night(date(2025, 1, 4), replace(steps, pull=None))
    assert not done.published.is_held
    assert len(published()) > len(before)
    with engine.connect() as c:
        assert (held_edition(c), held_values(c, WHOLE)) == (None, [])
        (note,) = notes_of(c, "2024", WHOLE)
        assert notes_of(c, "2023", WHOLE) == []
    assert note.official_tables == ('Chỉ tiêu mô hình "3 không"',)
    assert note.words.startswith("Nguồn evn-bills, số dòng khác thường: evn_mau_202412.csv: 4.608 dòng, thường 1.152 dòng; Lan chấp nhận")
