"""Who waits for large files sees how far they are read, how fast, and how long it will take."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.terminal import pace
from expectations.contract import contract
from flows.progress import Meter, Stand, listening
from tasks.read.file import read


def test_half_of_the_bytes_in_a_minute_leaves_a_minute() -> None:
    stand = Stand("Kiểm tra và nạp", 3, 12, rows=6_000_000, share=0.5, seconds=60)
    assert (stand.rows_per_second, stand.seconds_left) == (100_000, 60)
    assert pace(stand) == "3/12 · 100.000 dòng/giây · còn 60 giây"


def test_a_long_time_is_told_in_minutes() -> None:
    assert pace(Stand("Kiểm tra và nạp", 0, 1, rows=3_000_000, share=0.25, seconds=60)) == "0/1 · 50.000 dòng/giây · còn 3 phút"


@pytest.mark.parametrize(
    "stand", [Stand("x", 0, 2, rows=100, share=0.5, seconds=1), Stand("x", 0, 2), Stand("x", 2, 2, share=1.0, seconds=9)]
)
def test_nothing_is_foretold_from_too_little(stand: Stand) -> None:
    assert stand.seconds_left is None
    assert "còn" not in pace(stand)


def test_what_is_read_of_all_files_is_one_share_and_what_is_done_counts_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("flows.progress.monotonic", lambda: next(clock))
    told: list[Stand] = []
    with listening(told.append):
        meter = Meter({1: 300, 2: 100, 3: 0})
        meter.tell("Kiểm tra và nạp", 0, 3)
        meter.read(1, 5, 150)
        meter.done(1)  # refused in its middle: nothing more is to be read of it
        meter.read(2, 7, 1000)  # what a reader was given beyond the end is no more than the end
        meter.tell("Kiểm tra và nạp", 3, 3)
    assert [(stand.done, stand.rows, stand.share) for stand in told] == [(0, 0, 0), (0, 5, 0.375), (0, 12, 1), (3, 12, 1)]


@pytest.mark.parametrize(("layout", "name"), [("ecpay_csv", "ecpay.csv"), ("momo_jsonl", "momo.jsonl"), ("napas_dat", "napas.dat")])
def test_a_streamed_file_says_how_much_of_it_is_read(layout: str, name: str) -> None:
    path = Path(__file__).parents[1] / "fixtures" / "providers" / name
    last = list(read(path, contract("payments"), layout, b"key", name))[-1]
    assert last.read_bytes == path.stat().st_size
