"""What others wrote steers no terminal."""

from __future__ import annotations

import pytest

from desk import terminal

NAME = "[red]x:smile:\x1b[2J\u202ey\n.csv"
SHOWN = "[red]x:smile:<U+001B>[2J<U+202E>y .csv"


def test_a_name_is_printed_as_it_is_and_hides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(NAME)
    terminal.complain(NAME)
    terminal.table(["Tệp"], [[NAME]])
    said = capsys.readouterr()
    assert [line.strip() for line in said.out.splitlines() if ".csv" in line] == [SHOWN, SHOWN]
    assert said.err.splitlines() == [SHOWN]
    assert "\x1b[2J" not in said.out + said.err
