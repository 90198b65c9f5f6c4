"""Where the time of a night goes: told by step, by feed and by function; what waits or is loaded is nobody's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from desk import profile, terminal
from desk.profile import Profile, profiled


def of(module: str, source: str, **given: Any) -> Callable[..., None]:
    """A function `act` that is written in a module."""
    names: dict[str, Any] = {"__name__": module, **given}
    exec(source, names)
    act: Callable[..., None] = names["act"]
    return act


def seen(act: Callable[[], None]) -> dict[str, dict[str, float]]:
    told: list[Profile] = []
    with profiled(told.append):
        act()
    (found,) = told
    assert found.seconds > sum(found.steps[profile.STEPS["desk"]].values()), "the time before the block is part of it"
    return {step: dict(functions) for step, functions in found.steps.items() if step != profile.STEPS["desk"]}


def test_a_moment_is_that_of_the_innermost_function_of_ours() -> None:
    helper = of("warehouse.bulk", "def act(): sleep(0.3)", sleep=time.sleep)
    load = of("tasks.load.facts", "def act(): helper()", helper=helper)
    found = seen(of("flows.ingest", "def act(): load()", load=load))
    assert list(found) == ["Nạp"]
    assert 0.15 < found["Nạp"]["load.facts.act"] < 3


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("bills", "Hóa đơn điện, nước, vệ sinh môi trường"),
        ("bills_0", "Hóa đơn điện, nước, vệ sinh môi trường"),
        ("portal_766", "Bộ chỉ số 766 do Cổng Dịch vụ công quốc gia công bố"),
    ],
)
def test_a_thread_that_takes_a_feed_in_says_so(name: str, title: str) -> None:
    load = of("tasks.load.facts", "def act(): sleep(0.3)", sleep=time.sleep)

    def side_by_side() -> None:
        taking = threading.Thread(target=load, name=name)
        taking.start()
        taking.join()

    assert list(seen(side_by_side)) == [f"Nạp · {title}"]


def test_who_waits_for_others_does_nothing() -> None:
    assert seen(of("flows.progress", "def act(): sleep(0.2)", sleep=time.sleep)) == {}


def test_what_is_imported_is_loaded_for_whoever_asked_for_it() -> None:
    body = "class Model: sleep(0.3)"
    report = of("tasks.report.site", "def act(): exec(body, {'__name__': 'tasks.load.facts', 'sleep': sleep})", body=body, sleep=time.sleep)
    assert list(seen(report)) == ["Trang kiểm soát, biểu Excel"]


def test_prefect_has_what_goes_on_in_it() -> None:
    engine = of("prefect.engine", "def act(step=None): step() if step else sleep(0.3)", sleep=time.sleep)
    step = of("tasks.count.kept", "def act(): sleep(0.3)", sleep=time.sleep)
    assert list(seen(of("flows.nightly", "def act(): engine()", engine=engine))) == ["Prefect"]
    assert list(seen(of("flows.nightly", "def act(): engine(step)", engine=engine, step=step))) == ["Đếm"]


def test_the_table_names_steps_and_their_dearest_functions(capsys: Any) -> None:
    terminal.profile_table(Profile(12.34, {"Nạp": {"load.a": 1.0, "load.b": 2.25, "load.c": 0.01}, "Đọc": {"read.a": 0.02}}))
    said = capsys.readouterr().out
    assert "12,3 giây" in said
    assert "load.b 2,3, load.a 1,0" in said
    assert "3,3" in said
    assert "load.c" not in said
    assert "Đọc" not in said
