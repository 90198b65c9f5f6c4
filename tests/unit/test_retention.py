"""The rules of retention say how long, and who says so; what was landed is read alike whichever way it lies there."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.deliveries import landed
from tasks.keep.prune import read_rules
from tasks.words.vietnamese import VIETNAM
from tests.nights import ROOT
from warehouse.retention import Rule, Term, retention, rules_on
from warehouse.settings import Refusal

CONTENT = b"MA_HDON;SO_TIEN\n" + b"HD-1;100000\n" * 200_000
NOW = datetime(2026, 7, 1, 2, tzinfo=VIETNAM)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / hashlib.sha256(CONTENT).hexdigest()
    path.write_bytes(CONTENT)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_rule_says_how_long_by_whose_word_and_why() -> None:
    for name, kept in rules_on(date(2026, 7, 1)).items():
        assert kept.term.source, name
        assert kept.term.reason, name
    assert rules_on(date(2025, 12, 31))["landing_personal"].term.source.startswith("Nghị định 13/2023/NĐ-CP")
    assert rules_on(date(2026, 1, 1))["landing_personal"].term.source.startswith("Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15")
    assert retention().landing.terms[0].told == "10 năm"


def test_years_are_counted_by_the_calendar() -> None:
    five = Term(years=5, source="s", reason="r")
    assert five.before(datetime(2029, 7, 1)) == datetime(2024, 7, 1)
    assert five.before(datetime(2028, 2, 29)) == datetime(2023, 2, 28)
    assert Term(days=30, source="s", reason="r").before(datetime(2024, 3, 31)) == datetime(2024, 3, 1)


def test_a_term_is_of_one_unit_and_terms_leave_no_day_between_them() -> None:
    with pytest.raises(ValidationError):
        Term(days=1, years=1, source="s", reason="r")
    first = Term(days=1, valid_to=date(2025, 12, 31), source="s", reason="r")
    with pytest.raises(ValidationError, match="one after the other"):
        Rule(title="t", terms=(first, Term(days=2, valid_from=date(2026, 1, 2), source="s", reason="r")))


def test_an_installation_decides_otherwise_in_the_unit_of_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text("sources: []\nretention: {landing: 20, landing_plain: 7}\n", "utf-8")
    found = read_rules(path, NOW)
    assert (found["landing"].term.told, found["landing_plain"].term.told) == ("20 năm", "7 ngày")
    assert found["landing"].term.source == "sources.yaml của đơn vị"
    assert found["landing_personal"].term.told == "5 năm"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{landings: 3}", "retention: không có 'landings'. Ý là landing"),
        ("{data_docs: 3}", "retention: không có 'data_docs'"),
        ("{landing: 0}", "retention: landing phải là số nguyên từ 1 trở lên, không phải 0"),
        ("[landing]", "`retention` phải gồm các dòng"),
    ],
)
def test_a_mistake_there_is_one_line(tmp_path: Path, given: str, told: str) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(f"sources: []\nretention: {given}\n", "utf-8")
    with pytest.raises(Refusal) as refused:
        read_rules(path, NOW)
    assert told.split("'. ", maxsplit=1)[0] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_compressed_file_is_read_as_the_plain_one_and_frees_what_was_foreseen(file: Path) -> None:
    foreseen = landed.compress(file, tries=True)
    assert names(file.parent) == [file.name]
    assert landed.compress(file) == foreseen == len(CONTENT) - landed.compressed(file).stat().st_size
    assert foreseen > len(CONTENT) * 0.9
    assert names(file.parent) == [f"{file.name}.zst"]
    assert landed.compressed(file).stat().st_mode & 0o777 == 0o600
    assert b"".join(landed.blocks(file)) == CONTENT
    with landed.at_hand(file) as plain:
        assert plain.read_bytes() == CONTENT
        assert plain.stat().st_mode & 0o777 == 0o600
    assert names(file.parent) == [f"{file.name}.zst"]


def test_a_plain_file_that_is_not_what_it_was_is_not_compressed(file: Path) -> None:
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(landed.Damaged):
        landed.compress(file)
    assert names(file.parent) == [file.name]


@pytest.mark.parametrize(
    "harm", [lambda packed: packed[:-40], lambda packed: packed[:60] + b"\x00" * 8 + packed[68:]], ids=["cut", "other"]
)
def test_a_compressed_file_that_is_damaged_is_the_fault_of_the_disk(file: Path, harm: object) -> None:
    landed.compress(file)
    packed = landed.compressed(file)
    packed.write_bytes(harm(packed.read_bytes()))  # type: ignore[operator]
    with pytest.raises(landed.Damaged), landed.at_hand(file):
        pass
    assert names(file.parent) == [packed.name]


BEFORE = {
    "while it is written": "from tasks.deliveries import landed as module; name = '_squeeze'",
    "before it is put in its place": "import pathlib; module = pathlib.Path; name = 'replace'",
    "before the plain one goes": "import pathlib; module = pathlib.Path; name = 'unlink'",
}


@pytest.mark.parametrize("step", BEFORE.values(), ids=BEFORE.keys())
def test_killed_in_the_middle_of_compressing_nothing_is_lost_and_again_is_harmless(file: Path, step: str) -> None:
    program = f"""
import os, signal, sys
from pathlib import Path
from tasks.deliveries import landed
{step}
setattr(module, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
landed.compress(Path(sys.argv[1]))
"""
    done = subprocess.run([sys.executable, "-c", program, str(file)], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert b"".join(landed.blocks(file)) == CONTENT
    landed.compress(file)
    assert landed.compressed(file).name in names(file.parent)
    assert file.name not in names(file.parent)
    assert b"".join(landed.blocks(file)) == CONTENT
