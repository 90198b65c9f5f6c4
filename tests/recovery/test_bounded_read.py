"""Whatever a file does to its reader costs that file and nothing else: not the night, not the machine, not what others may see."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import Engine, text

from expectations.contract import contract
from flows.nightly import Night, night
from flows.steps import WITHOUT_PREFECT
from tasks.read import bounded
from tasks.read.bounded import Broke
from tasks.read.file import Chunk, Rejected
from tasks.read.file import read as read_here
from tasks.read.limits import Limits
from tests.nights import KEY, ROOT, few_sources, started
from tests.recovery.odd_readers import CELL, WAYS
from warehouse.settings import Settings

NIGHT = date(2025, 5, 5)
ODD = "tests.recovery.odd_readers"
GOOD = sorted((ROOT / "samples" / "inbox" / "evn").glob("evn_*.csv"))[0]
PATIENT = 60


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str], Path]:
    def written(way: str) -> Path:
        path = tmp_path / "evn.csv"
        path.write_text(f"{way}\n{CELL}\n", "utf-8")
        return path

    return written


def read(path: Path, limits: Limits | None = None, reader: str = "read") -> list[Chunk]:
    given = limits or Limits(memory_mb=256, silent_seconds=60)
    return list(bounded.read(path, contract("bills"), "evn_csv", KEY.encode(), path.name, limits=given, reader=f"{ODD}:{reader}"))


def is_there(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def wait_for(what: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENT
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def asleep(path: Path) -> list[int]:
    """Numbers of the reader that sleeps over the file, and of the process that forked it."""
    told = Path(f"{path}.pid")
    return [int(number) for number in wait_for(lambda: told.exists() and told.read_text()).split()]


def test_what_is_read_is_what_is_read_without_bounds() -> None:
    given = (GOOD, contract("bills"), "evn_csv", KEY.encode(), GOOD.name)
    assert list(bounded.read(*given)) == list(read_here(*given))
    empty = (ROOT / "tests" / "bench" / "__init__.py", *given[1:4], "")
    assert [type(problem) for problem in (refusal(empty, bounded.read), refusal(empty, read_here))] == [Rejected, Rejected]
    assert str(refusal(empty, bounded.read)) == str(refusal(empty, read_here))
    with pytest.raises(FileNotFoundError):
        list(bounded.read(Path("/nowhere"), *given[1:]))


def refusal(given: tuple[Any, ...], reader: Callable[..., Any]) -> Rejected:
    with pytest.raises(Rejected) as refused:
        list(reader(*given))
    return refused.value


@pytest.mark.parametrize("way", ["panic", "break", "segfault", "abort", "leave"])
def test_a_reader_that_dies_of_a_file_is_named_by_its_kind_and_place_and_quotes_nothing(
    way: str, put: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Broke) as broke:
        read(put(way))
    kind = {"panic": "PanicException", "break": "KeyError", "segfault": "SIGSEGV", "abort": "SIGABRT", "leave": "exit 3"}[way]
    assert broke.value.kind == kind
    if way != "leave":
        assert {Path(name).name for name, _, _ in broke.value.frames} >= {"odd_readers.py", "bounded.py"}
    assert CELL not in repr(broke.value)
    assert CELL not in "".join(capfd.readouterr())
    assert read(GOOD)  # the next one is read as ever


def test_a_reader_that_takes_too_much_memory_is_refused_and_told_so(put: Callable[[str], Path], tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "evn.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "x")
        sheet.write(1_048_575, 16_383, "x")
    for way in ("eat", "eat slowly", "eat secretly", "far corner", "killed"):
        with pytest.raises(Rejected, match=r"STR-022: Tệp evn\.csv .* cần hơn 256 MB bộ nhớ để đọc"):
            read(put(way))


def test_a_reader_that_says_nothing_for_too_long_is_ended_and_its_file_refused(put: Callable[[str], Path]) -> None:
    path = put("sleep")
    with pytest.raises(Rejected, match=r"STR-022: .* đọc quá 1 giây không xong"):
        read(path, Limits(silent_seconds=1))
    assert not is_there(asleep(path)[0])


def test_time_in_which_the_chunks_are_not_asked_for_does_not_count() -> None:
    given = (GOOD, contract("bills"), "evn_csv", KEY.encode(), GOOD.name)
    chunks = bounded.read(*given, limits=Limits(silent_seconds=1), reader=f"{ODD}:read_by_tens")
    first = next(chunks)
    time.sleep(1.5)
    assert first.received + sum(chunk.received for chunk in chunks) == sum(chunk.received for chunk in read(GOOD))


def test_a_reader_that_nobody_listens_to_any_more_is_ended(put: Callable[[str], Path]) -> None:
    path = put("sleep")
    chunks = bounded.read(path, contract("bills"), "evn_csv", b"", path.name, reader=f"{ODD}:read")
    ended: list[BaseException] = []

    def listen() -> None:
        try:
            list(chunks)
        except ChildProcessError as end:
            ended.append(end)

    listener = Thread(target=listen)
    listener.start()
    reader, nursery = asleep(path)
    os.kill(nursery, signal.SIGKILL)
    listener.join(PATIENT)
    assert ended, "who starts readers was killed: that is the machine's fault, not the file's"
    wait_for(lambda: not is_there(reader))
    assert read(GOOD)  # another one is started


def test_no_reader_outlives_a_night_that_was_killed(put: Callable[[str], Path]) -> None:
    path = put("sleep")
    script = f"""
from pathlib import Path
from expectations.contract import contract
from tasks.read import bounded
list(bounded.read(Path({str(path)!r}), contract("bills"), "evn_csv", b"", "evn.csv", reader="{ODD}:read"))
"""
    with started([sys.executable, "-c", script], cwd=ROOT) as process:
        left = asleep(path)
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: not any(map(is_there, left)))


def test_a_fork_of_a_process_that_has_read_reads_too() -> None:
    script = f"""
import os
from pathlib import Path
from expectations.contract import contract
from tasks.read import bounded
def rows():
    path = Path({str(GOOD)!r})
    return sum(chunk.received for chunk in bounded.read(path, contract("bills"), "evn_csv", b"", path.name))
before = rows()
child = os.fork()
if child == 0:
    os._exit(rows() != before)
assert os.waitpid(child, 0)[1] == 0
assert rows() == before > 0
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=PATIENT)


@pytest.fixture
def odd_night(engine: Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Night]:
    """A night of the sample's sources and of one whose files do odd things to their readers."""
    inbox = tmp_path / "odd"
    inbox.mkdir()
    sources = few_sources(home)
    told = f"- {{name: odd, feed: bills, layout: evn_csv, provider: evn, url: {inbox}/*.csv, expected: daily}}\n"
    sources.write_text(sources.read_text("utf-8") + told + "limits: {memory_mb: 256, silent_seconds: 3}\n", "utf-8")
    settings = Settings(home=home, warehouse_url=None, sources=sources, secret_key=KEY.encode())

    def run(files: dict[str, str], reader: str = "read") -> Night:
        for name, content in files.items():
            (inbox / name).write_text(content, "utf-8")
        monkeypatch.setattr("flows.ingest.read", partial(bounded.read, reader=f"{ODD}:{reader}"))
        return night(settings, engine, NIGHT, steps=replace(WITHOUT_PREFECT, report=None))

    return run


def rejected(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return dict(
            connection.execute(text("SELECT file_name, message_vi FROM ops.delivery WHERE status = 'rejected' ORDER BY 1")).tuples().all()
        )


def test_a_night_goes_on_past_every_reader_that_breaks_and_tries_none_again(
    odd_night: Callable[..., Night], engine: Engine, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ways = ("panic", "segfault", "eat slowly", "sleep")
    names = {way: f"odd_2024030{number}.csv" for number, way in enumerate(ways, 1)}
    done = odd_night({names[way]: f"{way}\n{CELL}\n" for way in ways})
    assert not done.problems
    assert done.published.indicators.added
    told = rejected(engine)
    assert sorted(told) == sorted(names.values())
    assert sorted(done.shortcomings) == sorted(f"Bị từ chối: {message}" for message in told.values())
    assert "bộ nhớ" in told[names["eat slowly"]]
    assert "đọc quá 3 giây" in told[names["sleep"]]
    with engine.connect() as connection:
        status = dict(connection.execute(text("SELECT status, count(*) FROM ops.delivery WHERE source <> 'odd' GROUP BY 1")).tuples().all())
    assert status.keys() == {"loaded"}
    traces = {path.stem: path.read_text("utf-8") for path in (home / "faults").iterdir()}
    assert len(traces) == 2
    for reference, trace in traces.items():
        assert sum(reference in message for message in told.values()) == 1
        assert "of source odd, bills/evn_csv" in trace
        assert "odd_readers.py" in trace
        assert stat.S_IMODE((home / "faults" / f"{reference}.txt").stat().st_mode) == 0o600
    everything = "".join([*traces.values(), *told.values(), *capfd.readouterr(), *done.shortcomings])
    assert CELL not in everything
    again = odd_night({})
    assert [again.outcomes, again.problems] == [[], []]
    assert rejected(engine) == told


@pytest.mark.parametrize("reader", ["read_then_break", "read_twice"], ids=["in the reader, after rows", "in the checks"])
def test_a_fault_in_mid_load_rejects_the_delivery_alone_and_leaves_no_row(
    reader: str, odd_night: Callable[..., Night], engine: Engine, home: Path
) -> None:
    done = odd_night({"odd_20240301.csv": GOOD.read_text("utf-8")}, reader=reader)
    assert not done.problems
    assert {outcome.status for outcome in done.outcomes} == {"rejected"}
    assert len(list((home / "faults").iterdir())) == len(done.outcomes)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM warehouse.fact_bill")) == 0
        assert connection.scalar(text("SELECT bool_and(message_vi ~ 'tham chiếu [0-9]+-[0-9a-f]{6}\\.') FROM ops.delivery"))


def test_what_the_database_cannot_hold_rejects_the_delivery_and_a_database_that_is_full_does_not(
    odd_night: Callable[..., Night], engine: Engine, home: Path
) -> None:
    def raising(state: str) -> str:
        return (
            "CREATE OR REPLACE FUNCTION warehouse.odd() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '%%', NEW USING ERRCODE = '{state}'; END $$"
        )

    with engine.begin() as connection:
        connection.exec_driver_sql(raising("53100"))
        connection.exec_driver_sql("CREATE TRIGGER odd BEFORE INSERT ON warehouse.fact_bill FOR EACH ROW EXECUTE FUNCTION warehouse.odd()")
    done = odd_night({})
    assert [problem for problem in done.problems if "DiskFull" in problem]
    with engine.connect() as connection:
        bills = text("SELECT DISTINCT status FROM ops.delivery WHERE feed = 'bills'")
        assert connection.scalars(bills).all() == ["landed"]
    with engine.begin() as connection:
        connection.exec_driver_sql(raising("54000"))
    assert not odd_night({}).problems
    with engine.connect() as connection:
        assert connection.scalars(bills).all() == ["rejected"]
    (trace,) = (path.read_text("utf-8") for path in (home / "faults").iterdir())
    assert "ProgramLimitExceeded" in trace
    assert "RAISE" not in trace
    assert "PA07" not in trace, "the words of the error, which hold a row, are not kept"


def test_every_way_of_the_odd_reader_is_tried() -> None:
    tried = Path(__file__).read_text("utf-8")
    assert [way for way in WAYS if f'"{way}"' not in tried] == []


def test_who_stands_down_is_gone_and_is_there_again_when_something_is_read() -> None:
    given = (GOOD, contract("bills"), "evn_csv", KEY.encode(), GOOD.name)
    before = bounded.get_ready().process_id
    first = list(bounded.read(*given))
    bounded.stand_down()
    bounded.stand_down()  # of nothing
    assert not is_there(before)
    assert list(bounded.read(*given)) == first
    assert bounded.get_ready().process_id != before
