"""A fault that came last night stands apart from one that comes every night, with since when and how many more or fewer."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from tasks.ask import questions, to_do
from tasks.ask.overview import Overview
from tasks.ask.problems import problems
from tasks.report.pages.tonight import tonight
from tasks.words.vietnamese import VIETNAM

FIRST = datetime(2026, 9, 1, 2, tzinfo=VIETNAM)


def night(engine: Engine, number: int, found: dict[str, int] | None, source: str = "a", missed: str = "") -> None:
    """A night in which a source sent a file that broke rules in so many rows; or nothing, or could not be reached."""
    at = FIRST + timedelta(days=number)
    with engine.begin() as connection:
        run_id = connection.scalar(
            text(
                "INSERT INTO ops.run (flow, as_of, started_at, finished_at, status, host, process_id) "
                "VALUES ('nightly', :at, :at, :at + interval '1 hour', 'completed', 'here', 1) RETURNING run_id"
            ),
            {"at": at},
        )
        if missed:
            connection.execute(
                text("INSERT INTO ops.unreachable VALUES (:run_id, :source, :why)"), {"run_id": run_id, "source": source, "why": missed}
            )
        if found is None:
            return
        delivery = connection.scalar(
            text(
                "INSERT INTO ops.delivery (source, feed, layout, provider, file_name, sha256, exported_at, received_at, loaded_at, status, "
                "rows_received, rows_loaded, rows_unchanged, rows_quarantined, rows_ignored, verdict) "
                "VALUES (:source, 'bills', 'evn_csv', 'evn', 'a.csv', :sha, :at, :at, :at + interval '1 minute', 'loaded', "
                "9, 9, 0, 0, 0, 'accept') RETURNING delivery_id"
            ),
            {"source": source, "sha": f"{source}{number}", "at": at},
        )
        for rule, rows in {"BIL-009": 0, **found}.items():
            connection.execute(
                text("INSERT INTO ops.verdict VALUES (:delivery, :rule, 'critical', 'row', :held, NULL, :rows, :at)"),
                {"delivery": delivery, "rule": rule, "held": not rows, "rows": rows, "at": at},
            )


def found_in(engine: Engine) -> dict[tuple[str, str], tuple[int, int | None, int, datetime]]:
    with engine.connect() as connection:
        return {(one.source, one.rule_code): (one.found, one.found_before, one.nights, one.first_seen) for one in problems(connection)}


def test_a_new_fault_stands_apart_from_one_of_every_night(engine: Engine) -> None:
    for number, rows in enumerate((5, 5, 7)):
        night(engine, number, {"BIL-001": rows})
    night(engine, 3, {"BIL-001": 6, "BIL-002": 1})
    assert found_in(engine) == {
        ("a", "BIL-001"): (6, 7, 4, FIRST),
        ("a", "BIL-002"): (1, None, 1, FIRST + timedelta(days=3)),
    }
    with engine.connect() as connection:
        shown = tonight(Overview(connection)).content
    assert [one.rule_code for one in shown["new"]] == ["BIL-002"]
    assert [one.rule_code for one in shown["known"]] == ["BIL-001"]


def test_a_fault_that_went_and_came_again_is_new(engine: Engine) -> None:
    for number, rows in enumerate((5, 0, 3)):
        night(engine, number, {"BIL-001": rows})
    assert found_in(engine) == {("a", "BIL-001"): (3, None, 1, FIRST + timedelta(days=2))}


def test_what_was_repaired_is_no_problem_any_more(engine: Engine) -> None:
    night(engine, 0, {"BIL-001": 5})
    night(engine, 1, {"BIL-001": 0})
    assert found_in(engine) == {}


def test_a_night_without_a_delivery_neither_ends_a_fault_nor_makes_it_new(engine: Engine) -> None:
    night(engine, 0, {"BIL-001": 5})
    night(engine, 1, None)
    night(engine, 2, {"BIL-001": 4}, source="b")
    with engine.connect() as connection:
        shown = tonight(Overview(connection)).content
    assert [(one.source, one.found) for one in shown["known"]] == [("a", 5)]
    assert [(one.source, one.found) for one in shown["new"]] == [("b", 4)]


def test_a_source_that_cannot_be_reached_or_was_refused_is_never_in_time(engine: Engine) -> None:
    for number, missed in enumerate(("", "a: no answer", "a: no answer")):
        night(engine, number, {} if number == 0 else None, missed=missed)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO ops.source (source, feed, layout, expected, title) VALUES ('a', 'bills', 'evn_csv', 'once', 'A')")
        )
        (state,) = questions.source_states(connection, questions.known_sources(connection), FIRST + timedelta(days=2))
        assert (state.standing, state.unreachable.nights, state.unreachable.since) == ("unreachable", 2, FIRST + timedelta(days=1))  # type: ignore[union-attr]
        connection.execute(text("DELETE FROM ops.unreachable"))
        (state,) = questions.source_states(connection, questions.known_sources(connection), FIRST + timedelta(days=2))
        assert state.standing == "in_time"
        connection.execute(text("UPDATE ops.delivery SET status = 'rejected'"))
        (state,) = questions.source_states(connection, questions.known_sources(connection), FIRST + timedelta(days=2))
        assert state.standing == "rejected"


def test_silence_is_told_with_the_day_it_was_due_and_how_long_ago_that_was(engine: Engine) -> None:
    night(engine, 0, {})
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO ops.source (source, feed, layout, expected) VALUES ('a', 'bills', 'evn_csv', 'daily')"))
        sources = questions.known_sources(connection)
        (state,) = questions.source_states(connection, sources, FIRST + timedelta(days=2))
        assert (state.standing, f"{state.due:%d/%m}", state.days_late) == ("in_time", "03/09", 0)  # a day, and one to write it
        (state,) = questions.source_states(connection, sources, FIRST + timedelta(days=12))
        assert (state.standing, state.days_late) == ("late", 10)


def test_a_file_that_was_refused_ends_no_silence(engine: Engine) -> None:
    night(engine, 0, {})
    night(engine, 3, {})
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO ops.source (source, feed, layout, expected) VALUES ('a', 'bills', 'evn_csv', 'daily')"))
        connection.execute(text("UPDATE ops.delivery SET status = 'rejected' WHERE delivery_id = 2"))
        (state,) = questions.source_states(connection, questions.known_sources(connection), FIRST + timedelta(days=4))
    assert (state.standing, f"{state.due:%d/%m}", state.is_late, state.days_late) == ("rejected", "03/09", True, 2)


def test_a_delivery_refused_is_work_and_a_problem_until_another_comes_in_its_place(engine: Engine) -> None:
    night(engine, 0, {})
    night(engine, 1, {"BIL-001": 9})
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET status = 'rejected' WHERE delivery_id = 2"))
        assert [row.delivery_id for row in to_do.refused(connection)] == [2]
        assert [one.rule_code for one in problems(connection)] == ["BIL-001"]
        connection.execute(text("UPDATE ops.delivery SET corrected_by = 1 WHERE delivery_id = 2"))
        assert to_do.refused(connection) == problems(connection) == []


def test_a_night_that_is_missing_is_told_by_whoever_knows_the_time(engine: Engine) -> None:
    night(engine, 0, {})
    with engine.connect() as connection:
        overview = Overview(connection)
        silent = [tonight(overview, now).content["is_silent"] for now in (None, FIRST + timedelta(hours=26), FIRST + timedelta(hours=27))]
    assert silent == [False, False, True]
