"""One night with every broken delivery in its inbox: each is judged once, and costs nobody anything (`hostile/deliveries.py`)."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
import zipfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text
from typer import Exit

from desk.cli import _tell_nights
from expectations.contract import contract
from flows.nightly import Night, night
from tasks.read.file import Rejected, read
from tasks.read.limits import Limits
from tests.golden.hostile.deliveries import CASES, LIVE, SECRETS, WATER, Case, written
from tests.golden.hostile.forms import FORMS, PAID, ROWS, bill, rows, sound, table
from tests.golden.hostile.workbooks import bomb
from tests.nights import KEY, url_of
from warehouse.settings import Settings

LONGEST = 600
"""Characters of what a sender is told of one file."""
PROGRAM = re.compile(r"Traceback|\b\w*(?:Error|Exception|Failed|Panic\w*)\b|\.(?:py|rs):\d+")
VIETNAMESE = re.compile("[ạảãáâấầẩẫậăắằẳẵặđếềểễệẻẽẹỉĩịỏõọốồổỗộơớờởỡợủũụưứừửữựỳỷỹỵ]", re.IGNORECASE)

GOOD = {
    "good-procedures": ("procedures_csv", "2.000815|Chứng thực bản sao từ bản chính|CT|Chứng thực|3|1|xa|2023-01-01|"),
    "good-agencies": ("agencies_csv", "H56.38.14|UBND xã Ngọc Phụng|15655|2021-01-01|"),
    "good-bills": ("evn_csv", *(bill(n, PAID) for n in range(1, ROWS + 1))),
    "good-survey": ("surveys_csv", *("|".join(["KHAO-SAT-TOT", *row[1:]]) for row in rows("surveys_csv"))),
}
"""Sound deliveries beside the broken ones: source → layout and lines."""


@dataclass(frozen=True)
class Trial:
    """What became of the inbox in two nights."""

    engine: Engine
    home: Path
    nights: list[Night]
    terminal: str
    log: str

    def ask(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of the warehouse."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]

    def outcome(self, case: Case) -> tuple[str, list[str]]:
        """What became of a delivery, and what its sender is told of it."""
        deliveries = self.ask("SELECT * FROM ops.delivery WHERE source = :source", source=case.name)
        if not deliveries:
            named = [line for line in self.nights[0].shortcomings if re.match(rf"{case.name}\b(?!-)", line)]
            return ("named" if named else "ignored"), named
        if any(delivery["status"] == "landed" for delivery in deliveries):
            return "unjudged", [line for line in self.nights[0].problems if line.startswith(f"{case.name}/")]
        if all(delivery["status"] == "rejected" for delivery in deliveries):
            return "rejected", [delivery["message_vi"] for delivery in deliveries]
        aside = self.ask(
            "SELECT DISTINCT quarantine.message_vi FROM ops.quarantine JOIN ops.delivery USING (delivery_id) "
            "WHERE source = :source AND severity = 'critical'",
            source=case.name,
        )
        return ("set_aside", [row["message_vi"] for row in aside]) if aside else ("accepted", [])

    def shown(self) -> dict[str, str]:
        """Every text that people get to see: terminal, log, pages, workbooks, what can be asked."""
        found = {"terminal": self.terminal, "log": self.log}
        for path in (*self.home.rglob("*.html"), *self.home.rglob("*.json"), *self.home.rglob("*.csv")):
            found[path.name] = path.read_text("utf-8")
        for path in self.home.rglob("*.xlsx"):
            with zipfile.ZipFile(path) as book:
                found |= {f"{path.name}/{part}": book.read(part).decode() for part in book.namelist() if part.endswith(".xml")}
        views = self.ask("SELECT schemaname || '.' || viewname AS name FROM pg_views WHERE schemaname = 'mart'")
        for name in (*(view["name"] for view in views), "ops.delivery", "ops.quarantine", "ops.verdict", "ops.run"):
            found[name] = "\n".join(row["line"] for row in self.ask(f"SELECT t::text AS line FROM {name} t"))
        return found


@pytest.fixture(scope="module")
def trial(request: pytest.FixtureRequest, engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Two nights over the inbox; where single cases are asked for, it holds no other."""
    asked = [item.callspec.params["name"] for item in request.session.items if hasattr(item, "callspec") and item.path == request.path]
    cases = [CASES[name] for name in asked]
    place = tmp_path_factory.mktemp("hostile")
    written(place / "inbox", cases)
    sources = [_source(case.name, case.layout) for case in cases]
    for name, (layout, *lines) in GOOD.items():
        path = place / "inbox" / name / FORMS[layout].file
        path.parent.mkdir(parents=True)
        path.write_bytes(sound(layout, [line.split("|") for line in lines]))
        sources.append(_source(name, layout))
    (place / "sources.yaml").write_text(yaml.safe_dump({"sources": sources}), "utf-8")
    (place / "home").mkdir()
    settings = Settings(place / "home", url_of(engine_of_module), place / "sources.yaml", KEY.encode())
    log, terminal = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        nights = [night(settings, engine_of_module, None) for _ in range(2)]
        with redirect_stdout(terminal), redirect_stderr(terminal), suppress(Exit):
            _tell_nights(settings, nights)
    finally:
        logging.getLogger().removeHandler(handler)
    return Trial(engine_of_module, place / "home", nights, terminal.getvalue(), log.getvalue())


def _source(name: str, layout: str) -> dict[str, str]:
    url = f"inbox/{name}/{'*/*/*/*' if layout == 'portal_766_json' else '*'}"
    return {"name": name, "feed": FORMS[layout].feed, "layout": layout, "provider": name, "url": url, "expected": "once"}


@pytest.mark.parametrize("name", [pytest.param(case.name, marks=[pytest.mark.large] * case.is_large) for case in CASES.values()])
def test_a_broken_delivery_is_judged_as_it_should_and_its_sender_is_told_why(trial: Trial, name: str) -> None:
    case = CASES[name]
    outcome, told = trial.outcome(case)
    wrong = [] if outcome in case.must else [f"{outcome}, wanted {' or '.join(case.must)}"]
    if outcome in ("rejected", "named") and len(told) != 1:
        wrong.append(f"told in {len(told)} lines")
    for line in told:
        wrong += _wrong_with(line, case)
        if outcome in ("rejected", "named") and _letters(case.file.split("/")[-1]) not in _letters(line) and not case.secrets:
            wrong.append("the file is not named")
    assert not wrong, (wrong, [line[:LONGEST] for line in told])


def _wrong_with(line: str, case: Case) -> list[str]:
    """What nobody should be told in such words."""
    wrong = [] if len(line) < LONGEST else [f"{len(line)} characters"]
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in line):
        wrong.append("signs that cannot be seen")
    if not VIETNAMESE.search(line):
        wrong.append("not in Vietnamese")
    if PROGRAM.search(line):
        wrong.append("a program's words")
    if case.unsaid and case.unsaid in line:
        wrong.append(f"misleading: {case.unsaid}")
    return wrong + [f"quotes {secret}" for secret in SECRETS if secret in line]


def _letters(words: str) -> str:
    """Letters and digits, by which a file is found however its name was made harmless."""
    return "".join(letter for letter in unicodedata.normalize("NFC", words) if letter.isalnum())


def test_the_sound_deliveries_beside_them_are_loaded_and_published(trial: Trial) -> None:
    loaded = trial.ask("SELECT source, status, rows_loaded FROM ops.delivery WHERE source LIKE 'good-%' ORDER BY 1")
    assert loaded == [{"source": name, "status": "loaded", "rows_loaded": len(lines)} for name, (_, *lines) in sorted(GOOD.items())]
    assert trial.nights[0].problems == []
    assert trial.ask("SELECT unit_code FROM mart.indicator WHERE indicator_code = 'K1b' AND numerator IS NOT NULL")


def test_what_was_judged_is_not_tried_again_until_it_changes(trial: Trial) -> None:
    first, second = trial.nights
    assert second.outcomes == []
    assert sorted(second.unreachable) == sorted(first.unreachable), "several sources are asked at once, whichever answers first"


def test_no_personal_data_of_any_delivery_is_seen_anywhere(trial: Trial) -> None:
    seen = {(secret, SECRETS[secret], place) for place, words in trial.shown().items() for secret in SECRETS if secret in words}
    assert not seen, sorted(seen)


def test_nothing_that_came_acts_on_a_page_in_a_workbook_or_on_a_terminal(trial: Trial) -> None:
    shown = trial.shown()
    assert [(name, live) for name, words in shown.items() if name.endswith(".html") for live in LIVE if live in words] == []
    assert [name for name, words in shown.items() if re.search(r"<f>[^<]*(?:cmd\||HYPERLINK|may-chu)", words)] == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e]", trial.terminal)
    assert "Traceback" not in trial.terminal + trial.log


def test_a_workbook_that_unpacks_to_more_than_agreed_is_refused_by_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "nuoc_202401.xlsx"
    path.write_bytes(bomb(table(WATER), 20_000))
    with pytest.raises(Rejected) as refused:
        list(read(path, contract("bills"), WATER, KEY.encode(), path.name, limits=Limits(unpacked_mb=20)))
    assert refused.value.rule_code == "STR-022"
