"""Who waits for large files sees how far they are read, how fast, and how long it will take."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect.states import Failed
from rich.console import Console

from desk import terminal
from desk.terminal import pace
from expectations.contract import contract
from flows.progress import Meter, Stand, each, listening, note, tell
from flows.steps import try_again
from tasks.pull.landing import Unreadable
from tasks.read.file import read
from warehouse.settings import Refusal


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


def test_what_is_at_work_is_named_and_what_is_done_is_not() -> None:
    told: list[Stand] = []
    with listening(told.append):
        each("Nhận tệp", len, ["evn", "ecpay"], workers=1, name=str)
    assert [(stand.stage, stand.done) for stand in told] == [
        ("Nhận tệp", 0),
        ("Nhận tệp: evn", 0),
        ("Nhận tệp", 1),
        ("Nhận tệp: ecpay", 1),
        ("Nhận tệp", 2),
    ]


def tried(times: int, why: Exception) -> tuple[bool, list[str]]:
    """Whether a pull that failed so often is tried again, and what is told of it."""
    told: list[Stand] = []
    with listening(told.append):
        again = try_again(None, SimpleNamespace(name="pull-tinh-sftp", run_count=times), Failed(data=why))
    return again, [stand.note for stand in told]


@pytest.mark.parametrize(("times", "which", "wait"), [(1, "2/4", 10), (2, "3/4", 60), (3, "4/4", 180)])
def test_a_new_try_is_told_with_the_reason_its_number_and_when_it_is(times: int, which: str, wait: int) -> None:
    why = ConnectionError("máy chủ sftp.tinh.vn:22 từ chối kết nối (Connection refused)")
    assert tried(times, why) == (True, [f"tinh-sftp: {why}. Thử lại lần {which} sau khoảng {wait} giây."])


@pytest.mark.parametrize("why", [Refusal("no key"), FileNotFoundError(2, "gone"), PermissionError(13, "closed"), Unreadable("td", ["x"])])
def test_what_stays_what_it_is_is_neither_tried_again_nor_told(why: Exception) -> None:
    assert tried(1, why) == (False, [])


def test_a_person_sees_what_happens_on_the_way_as_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(terminal, "err", Console(file=screen, force_terminal=True, width=120))
    with terminal.progress():
        tell("Nhận tệp: tinh-sftp", 0, 1)
        note("tinh-sftp: máy chủ từ chối kết nối. Thử lại lần 2/4 sau khoảng 10 giây.")
    assert "Thử lại lần 2/4 sau khoảng 10 giây.\x1b[0m\n" in screen.getvalue()


def test_the_log_keeps_it(caplog: pytest.LogCaptureFixture) -> None:
    tried(1, ConnectionError("refused"))
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "pull is tried again: refused")
    assert {name: getattr(record, name) for name in ("source", "try", "wait_seconds")} == {
        "source": "tinh-sftp", "try": "2/4", "wait_seconds": 10,
    }  # fmt: skip


@pytest.mark.parametrize(("layout", "name"), [("ecpay_csv", "ecpay.csv"), ("momo_jsonl", "momo.jsonl"), ("napas_dat", "napas.dat")])
def test_a_streamed_file_says_how_much_of_it_is_read(layout: str, name: str) -> None:
    path = Path(__file__).parents[1] / "fixtures" / "providers" / name
    last = list(read(path, contract("payments"), layout, b"key", name))[-1]
    assert last.read_bytes == path.stat().st_size
