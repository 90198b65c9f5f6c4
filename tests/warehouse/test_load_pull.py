"""Each delivery lands once, by its content."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import time
from contextlib import chdir
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tasks.deliveries.batches import batches
from tasks.deliveries.coverage import Stretch
from tasks.deliveries.ledger import delivered, pending
from tasks.deliveries.source import Source
from tasks.pull import landing as module
from tasks.pull.landing import Pulled, Unreadable, pull
from tasks.words.vietnamese import VIETNAM


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def source(inbox: Path, name: str = "one-stop-shop", feed: str = "dossiers", layout: str = "dvcqg_csv") -> Source:
    return Source(name, feed, layout, "td", f"{inbox}/*.csv", "daily")


def put(inbox: Path, name: str, content: str, *, age: int = 3600) -> Path:
    path = inbox / name
    path.write_text(content)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_bytes_land_unchanged_and_for_our_eyes_only_under_their_hash(engine: Engine, home: Path, inbox: Path) -> None:
    put(inbox, "td_20240315.csv", "MaHoSo\n1\n")
    assert pull(engine, source(inbox), home).landed == 1
    (delivery,) = pending(engine, home)
    assert delivery.sha256 == hashlib.sha256(b"MaHoSo\n1\n").hexdigest()
    assert delivery.path.read_bytes() == b"MaHoSo\n1\n"
    assert stat.S_IMODE(delivery.path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in delivery.path.parents[:2]} == {0o700}
    assert (delivery.file_name, delivery.covers) == ("td_20240315.csv", Stretch.of("2024-03-15"))
    assert delivery.exported_at.isoformat() == "2024-03-15T23:59:59+07:00"
    assert [path.name for path in delivery.path.parent.iterdir()] == [delivery.sha256]


def test_the_last_word_said_again_makes_no_delivery_under_whatever_name(engine: Engine, home: Path, inbox: Path) -> None:
    put(inbox, "td_20240315.csv", "x")
    pull(engine, source(inbox), home)
    put(inbox, "td_20240315_copy.csv", "x")
    put(inbox, "td_20240316.csv", "x")
    put(inbox, "td_20240315.csv", "x", age=60)
    assert pull(engine, source(inbox), home).landed == 0


def test_the_same_bytes_of_another_day_are_another_delivery_where_names_say_what_is_covered(
    engine: Engine, home: Path, inbox: Path
) -> None:
    for name in ("p_20240315.csv", "p_20240316.csv"):
        put(inbox, name, "no rows")
    assert pull(engine, source(inbox, "pay", "payments", "ecpay_csv"), home).landed == 2


def test_what_was_said_before_the_last_word_is_a_delivery_when_it_comes_back(engine: Engine, home: Path, inbox: Path) -> None:
    for content in ("100", "120", "100"):
        put(inbox, "td_20240315.csv", content)
        assert pull(engine, source(inbox), home).landed == 1
    assert pull(engine, source(inbox), home).landed == 0
    assert [delivery.path.read_text() for delivery in pending(engine, home)] == ["100", "120", "100"]


def test_a_file_rewritten_with_its_size_and_time_kept_is_seen(engine: Engine, home: Path, inbox: Path) -> None:
    moment = put(inbox, "td_20240315.csv", "100", age=864_000).stat().st_mtime
    pull(engine, source(inbox), home)
    put(inbox, "td_20240315.csv", "999")
    os.utime(inbox / "td_20240315.csv", (moment, moment))
    assert pull(engine, source(inbox), home).landed == 1


def test_of_two_sources_of_one_moment_the_later_in_sources_yaml_has_the_last_word(engine: Engine, home: Path, tmp_path: Path) -> None:
    for name, rank in (("b", 1), ("a", 0)):
        folder = tmp_path / name
        folder.mkdir()
        put(folder, "x_20240315.csv", name)
        pull(engine, replace(source(folder, name), rank=rank), home)
    assert [delivery.source for delivery in pending(engine, home)] == ["a", "b"]


def test_a_night_without_a_date_takes_what_there_is_of_today_and_of_this_month(engine: Engine, home: Path, inbox: Path) -> None:
    now = datetime.now(VIETNAM)
    put(inbox, f"td_{now:%Y%m%d}.csv", "a")
    put(inbox, f"td_{now:%Y%m}.csv", "b")
    assert pull(engine, source(inbox), home, as_of=now).landed == 2
    assert max(delivery.exported_at for delivery in pending(engine, home)) <= now + timedelta(seconds=1)


def test_a_name_in_the_future_or_not_of_its_pattern_is_named_with_the_reason(engine: Engine, home: Path, inbox: Path) -> None:
    put(inbox, "td_20990131.csv", "a")
    with pytest.raises(Unreadable, match=r"td_20990131\.csv: tên tệp nói ngày 31/01/2099, ở tương lai"):
        pull(engine, source(inbox), home)
    declared = replace(source(inbox), url=f"{inbox}/td_{{period:%Y-%m}}.csv")
    with pytest.raises(Unreadable, match=r"td_20990131\.csv: tên không theo mẫu của nguồn"):
        pull(engine, declared, home)


def test_the_pattern_of_a_source_says_what_a_file_covers(engine: Engine, home: Path, inbox: Path) -> None:
    put(inbox, "bieu_15655_2024-Q1.csv", "a")
    put(inbox, "w20240301-20240307.csv", "b")
    pull(engine, replace(source(inbox, "x"), url=f"{inbox}/bieu_{{unit}}_{{period:%Y-Q%q}}.csv"), home)
    pull(engine, replace(source(inbox, "y"), url=f"{inbox}/w{{from:%Y%m%d}}-{{to:%Y%m%d}}.csv"), home)
    week, quarter = pending(engine, home)
    assert (week.covers, week.named_unit, week.is_declared) == (Stretch.of("2024-03-01/2024-03-07"), None, True)
    assert (quarter.covers, quarter.named_unit, quarter.is_declared) == (Stretch.of("2024-Q1"), "15655", True)


def test_a_corrected_file_of_the_same_name_is_a_new_delivery_and_a_younger_one(engine: Engine, home: Path, inbox: Path) -> None:
    put(inbox, "td_20240315.csv", "wrong")
    pull(engine, source(inbox), home)
    put(inbox, "td_20240315.csv", "right", age=1800)
    assert pull(engine, source(inbox), home).landed == 1
    first, second = pending(engine, home)
    assert first.exported_at < second.exported_at
    assert first.exported_at.date() == second.exported_at.date()


def test_a_file_that_did_not_change_is_not_read_again(engine: Engine, home: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(inbox, "td_20240315.csv", "x")
    pull(engine, source(inbox), home)
    monkeypatch.setattr(module, "_copy", lambda *_: pytest.fail("read again"))
    assert pull(engine, source(inbox), home).landed == 0


def test_a_file_that_is_still_young_is_read_again(engine: Engine, home: Path, inbox: Path) -> None:
    path = put(inbox, "td_20240315.csv", "old", age=0)
    pull(engine, source(inbox), home)
    moment = path.stat().st_mtime
    path.write_text("new")
    os.utime(path, (moment, moment))
    assert pull(engine, source(inbox), home).landed == 1


def test_files_exported_after_the_day_asked_for_stay_where_they_are(engine: Engine, home: Path, inbox: Path) -> None:
    put(inbox, "td_20240315.csv", "a")
    put(inbox, "td_20240316.csv", "b")
    taken = pull(engine, source(inbox), home, date(2024, 3, 15))
    assert (taken.landed, taken.ahead) == (1, ["td_20240316.csv"])
    assert pull(engine, source(inbox), home, date(2024, 3, 16)).landed == 1


def test_what_is_no_file_is_named_and_the_others_land(engine: Engine, home: Path, inbox: Path) -> None:
    (inbox / "a_20240314.csv").mkdir()
    os.mkfifo(inbox / "b_20240314.csv")
    for name, target in {"c": "/dev/zero", "d": "b_20240314.csv", "e": "a_20240314.csv", "f": "nowhere", "g": "g_20240314.csv"}.items():
        (inbox / f"{name}_20240314.csv").symlink_to(target)
    with socket.socket(socket.AF_UNIX) as listening, chdir(inbox):  # the path of a socket must be short
        listening.bind("h_20240314.csv")
    put(inbox, "td_20240315.csv", "x")
    put(inbox.parent, "outside.csv", "y")
    (inbox / "td_20240316.csv").symlink_to("../outside.csv")
    with pytest.raises(Unreadable) as unreadable:
        pull(engine, source(inbox), home)
    for line, said in zip(
        sorted(unreadable.value.lines),
        ["là thư mục", "là ống dẫn", "tới thiết bị", "tới ống dẫn", "tới thư mục", "một tệp không có", "không tới đâu cả", "là ổ cắm"],
        strict=True,
    ):
        assert line.startswith("one-stop-shop: ")
        assert said in line
    assert [delivery.path.read_text() for delivery in pending(engine, home)] == ["x", "y"]


def test_a_mark_that_somebody_has_a_file_open_is_no_delivery_and_no_trouble(engine: Engine, home: Path, inbox: Path) -> None:
    put(inbox, "td_20240315.csv", "x")
    for name in ("~$td_20240315.csv", ".~lock.td_20240315.csv#", "Thumbs.db"):
        put(inbox, name, "Lan")
    assert pull(engine, replace(source(inbox), url=f"{inbox}/*"), home) == Pulled(1, [])
    assert [delivery.file_name for delivery in pending(engine, home)] == ["td_20240315.csv"]


def test_a_name_that_may_not_be_shown_is_named_without_what_it_hides_and_the_others_land(
    engine: Engine, home: Path, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.close(os.open(bytes(inbox) + b"/d\xe2n_cu_20240314.csv", os.O_CREAT))
    for name in ("a\x1b[2J\n.csv", "b\u202evsc.csv", "c_001099012345.csv"):
        put(inbox, name, "x")
    put(inbox, "x" * 238 + "_td_20240315.csv", "y")
    with caplog.at_level("INFO"), pytest.raises(Unreadable) as unreadable:
        pull(engine, source(inbox), home)
    shown = [line.removeprefix("one-stop-shop: ").partition(": ")[0] for line in unreadable.value.lines]
    assert sorted(shown) == ["a\ufffd[2J\ufffd.csv", "b\ufffdvsc.csv", "c_••••••••••••.csv", "d\ufffdn_cu_20240314.csv"]
    assert "001099012345" not in caplog.text
    assert [delivery.path.read_text() for delivery in pending(engine, home)] == ["y"]


def test_a_folder_full_of_what_is_no_delivery_is_told_in_bounded_lines(engine: Engine, home: Path, inbox: Path) -> None:
    for number in range(module.MOST_LINES + 7):
        (inbox / f"{number}.csv").mkdir()
    with pytest.raises(Unreadable) as unreadable:
        pull(engine, source(inbox), home)
    assert unreadable.value.lines[-1] == "one-stop-shop: và 7 tệp khác"
    assert len(unreadable.value.lines) == module.MOST_LINES + 1
    assert len(str(unreadable.value)) < 1000


def test_a_file_that_cannot_be_read_or_is_another_thing_by_then_is_named_and_the_others_land(
    engine: Engine, home: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "broken_20240313.csv").symlink_to("/proc/self/mem")  # a file, of which no one can read the first byte
    for name in ("gone_20240314.csv", "pipe_20240314.csv", "td_20240315.csv"):
        put(inbox, name, "y")
    put(inbox, "year_10000.csv", "z", age=-(10**12))

    def meanwhile(*_: object) -> bool:
        (inbox / "gone_20240314.csv").unlink(missing_ok=True)
        (inbox / "pipe_20240314.csv").unlink(missing_ok=True)
        os.mkfifo(inbox / "pipe_20240314.csv")
        return False

    monkeypatch.setattr(module, "_is_unchanged", meanwhile)
    with pytest.raises(Unreadable) as unreadable:
        pull(engine, source(inbox), home)
    broken, gone, pipe = unreadable.value.lines
    assert "broken_20240313.csv: không đọc được (cannot be read: Input/output error" in broken
    assert "gone_20240314.csv: không còn ở nguồn khi đọc" in gone
    assert "pipe_20240314.csv: không còn là tệp khi đọc" in pipe
    assert sorted(delivery.file_name for delivery in pending(engine, home)) == ["td_20240315.csv", "year_10000.csv"]
    assert [path for path in (home / "landing" / "one-stop-shop").iterdir() if path.name.startswith(".")] == []


def test_a_link_is_read_again_when_its_file_changes(engine: Engine, home: Path, inbox: Path) -> None:
    moment = put(inbox.parent, "outside.csv", "100", age=864_000).stat().st_mtime
    (inbox / "td_20240315.csv").symlink_to("../outside.csv")
    assert pull(engine, source(inbox), home).landed == 1
    put(inbox.parent, "outside.csv", "999")
    os.utime(inbox.parent / "outside.csv", (moment, moment))
    assert pull(engine, source(inbox), home).landed == 1


def test_a_pull_killed_before_its_row_was_written_is_made_good_by_the_next(
    engine: Engine, home: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox, "td_20240315.csv", "x")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "_record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        pull(engine, source(inbox), home)
    assert pending(engine, home) == []
    assert pull(engine, source(inbox), home).landed == 1
    assert len(pending(engine, home)) == 1


def test_what_others_refer_to_is_ingested_first_then_as_exported(engine: Engine, home: Path, tmp_path: Path) -> None:
    for name, feed, layout, day in [
        ("pay", "payments", "ecpay_csv", "20240101"),
        ("counts", "unit_counts", "unit_counts_csv", "20240101"),
        ("bills", "bills", "evn_csv", "20240102"),
        ("list", "agencies", "agencies_csv", "20240105"),
    ]:
        folder = tmp_path / name
        folder.mkdir()
        put(folder, f"{name}_{day}.csv", name)
        pull(engine, source(folder, name, feed, layout), home)
    folder = tmp_path / "bills"
    put(folder, "bills_20240101.csv", "older")
    pull(engine, source(folder, "bills", "bills", "evn_csv"), home)
    waiting = pending(engine, home)
    ordered = [[delivery.file_name for delivery in batch.deliveries] for batch in batches(waiting)]
    assert ["bills_20240101.csv", "bills_20240102.csv"] in ordered
    assert ordered[-1] == ["pay_20240101.csv"]
    assert delivered(engine, home, [waiting[0].delivery_id]) == waiting[:1]


def test_what_was_ingested_is_pending_no_more(engine: Engine, home: Path, inbox: Path) -> None:
    put(inbox, "td_20240315.csv", "x")
    pull(engine, source(inbox), home)
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE ops.delivery SET status = 'loaded', rows_received = 0, "
                "rows_loaded = 0, rows_unchanged = 0, rows_quarantined = 0, rows_ignored = 0"
            )
        )
    assert pending(engine, home) == []
