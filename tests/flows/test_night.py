"""The night as plain functions: its order, what a broken delivery does to the others, and the range of nights."""

from __future__ import annotations

import resource
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from prefect.states import Failed
from sqlalchemy import Engine, text

from flows.backfill import nights
from flows.nightly import night
from flows.steps import WITHOUT_PREFECT, is_worth_another_try
from tasks.ask import questions
from tasks.ask.scope import WHOLE
from tasks.deliveries.batches import Batch, batches
from tasks.deliveries.ledger import Delivery
from tasks.one_stop_shop import form_06a
from tasks.one_stop_shop.form_06a import CONTROLS
from tasks.pull.landing import Pulled
from tasks.pull.writing import Unwritable
from tasks.report.edition import Report
from tasks.words.vietnamese import VIETNAM
from tests.nights import KEY, bakhong, environment, few_sources, url_of
from warehouse.scores.form_06a import _MEASURES
from warehouse.scores.form_06a import form_06a as counted_form
from warehouse.settings import Refusal, Settings

NIGHT = date(2025, 5, 5)


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, warehouse_url=None, sources=few_sources(home), secret_key=KEY.encode())


def delivery(number: int, feed: str, day: int) -> Delivery:
    moment = datetime(2024, 1, day, tzinfo=VIETNAM)
    return Delivery(number, feed, feed, "any", "td", f"{feed}-{day}", "0", Path("nowhere"), moment, None)


def test_what_others_refer_to_comes_first_and_what_refers_to_others_last() -> None:
    found = [
        delivery(1, "payments", 1),
        delivery(2, "dossiers", 2),
        delivery(3, "dossiers", 1),
        delivery(4, "agencies", 5),
        delivery(5, "bills", 9),
    ]
    ordered = batches(found)
    places = {tuple(d.delivery_id for d in batch.deliveries): place for place, batch in enumerate(ordered)}
    assert sorted(places) == [(1,), (3, 2), (4,), (5,)]
    assert ordered[places[3, 2]].after == (places[4,],)
    assert sorted(ordered[places[1,]].after) == sorted([places[4,], places[5,], places[3, 2]])


def test_a_delivery_that_breaks_the_program_stops_no_other_and_the_run_ends_failed(engine: Engine, settings: Settings) -> None:
    def ingest(engine: Engine, batch: Batch, *rest: object) -> None:
        if batch.deliveries[0].feed == "bills":
            raise ZeroDivisionError("secret cell")
        WITHOUT_PREFECT.ingest(engine, batch, *rest)

    (problem,) = night(settings, engine, NIGHT, steps=replace(WITHOUT_PREFECT, ingest=ingest)).problems
    assert problem.startswith("evn-bills/")
    with engine.connect() as connection:
        status, message = connection.execute(text("SELECT status, message FROM ops.run")).one()
        by_feed = dict(connection.execute(text("SELECT feed, min(status) FROM ops.delivery GROUP BY feed")).all())
        assert connection.scalar(text("SELECT count(*) FROM mart.indicator")) > 0
    assert status == "failed"
    assert "secret cell" not in message
    assert by_feed["bills"] == "landed"
    assert by_feed["dossiers"] == "loaded"
    assert not night(settings, engine, NIGHT).unreachable  # the next night does the rest
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ops.delivery WHERE status = 'landed'")) == 0


def test_payments_wait_for_their_bills_and_go_in_when_those_come(engine: Engine, settings: Settings) -> None:
    def without_bills(engine: Engine, source: object, *rest: object) -> Pulled:
        return Pulled(0, []) if source.name == "evn-bills" else WITHOUT_PREFECT.pull(engine, source, *rest)  # type: ignore[attr-defined]

    night(settings, engine, NIGHT, steps=replace(WITHOUT_PREFECT, pull=without_bills, report=None))
    waiting = text("SELECT count(*) FROM ops.quarantine WHERE status = 'waiting'")
    with engine.connect() as connection:
        before = connection.scalar(waiting)
    night(settings, engine, NIGHT, steps=replace(WITHOUT_PREFECT, report=None))
    with engine.connect() as connection:
        after = connection.scalar(waiting)
        paid = connection.scalar(text("SELECT count(*) FROM warehouse.fact_payment WHERE bill_key IS NOT NULL"))
    assert paid > 800
    assert before - after == paid


def test_files_of_later_days_wait_for_their_night(engine: Engine, settings: Settings) -> None:
    steps = replace(WITHOUT_PREFECT, report=None)
    night(settings, engine, date(2024, 1, 31), steps=steps)
    files = text("SELECT count(*) FROM ops.delivery WHERE feed = 'dossiers'")
    with engine.connect() as connection:
        assert connection.scalar(files) == 1
    night(settings, engine, date(2024, 2, 29), steps=steps)
    with engine.connect() as connection:
        assert connection.scalar(files) == 2


def test_a_source_out_of_reach_is_named_and_the_others_are_taken(engine: Engine, settings: Settings) -> None:
    def pull(engine: Engine, source: object, *rest: object) -> Pulled:
        if source.name == "ecpay-payments":  # type: ignore[attr-defined]
            raise ConnectionRefusedError(111, "Connection refused")
        return WITHOUT_PREFECT.pull(engine, source, *rest)

    done = night(settings, engine, NIGHT, steps=replace(WITHOUT_PREFECT, pull=pull, report=None))
    assert len(done.unreachable) == 1
    assert done.unreachable[0].startswith("ecpay-payments: ")
    assert done.published.indicators.added > 0


def test_no_source_in_reach_is_no_night(engine: Engine, settings: Settings) -> None:
    settings.sources.write_text(settings.sources.read_text().replace("samples/inbox", "samples/no-inbox"))
    with pytest.raises(Refusal, match="no-inbox"):
        night(settings, engine, NIGHT)


def test_a_disk_that_takes_no_more_ends_the_night_and_blames_no_file(engine: Engine, settings: Settings) -> None:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, unlimited[1]))
    try:
        with pytest.raises(Unwritable, match=r"^Không ghi được vào \S+/landing/\S+ \(cannot be written: File too large\)\. Dọn") as full:
            night(settings, engine, NIGHT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert not is_worth_another_try(None, None, Failed(data=full.value))
    assert [file for file in (settings.home / "landing").rglob("*") if file.is_file() and file.stat().st_size >= 1_000] == []
    assert list((settings.home / "landing").rglob(".part*")) == []


def test_a_count_that_is_not_found_another_way_holds_back_the_whole_form_and_nothing_else(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_MEASURES, "late", ("0", "TRUE"))
    monkeypatch.setattr(form_06a, "form_06a", counted_form.__wrapped__)
    steps = replace(WITHOUT_PREFECT, report=None)
    done = night(settings, engine, NIGHT, steps=steps)
    assert [line for line in done.shortcomings if "Không tính được 06a" in line and "không cân đối" in line]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.form_06a")) == 0
        assert connection.scalar(text("SELECT count(*) FROM mart.indicator")) > 0
        assert connection.scalar(text("SELECT count(*) FROM mart.score_766 WHERE counted_by = 'pipeline'")) > 0
    monkeypatch.undo()
    night(settings, engine, NIGHT, steps=steps)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM mart.form_06a")) > 0, "the next night makes it good"


def test_a_form_that_does_not_add_up_is_held_back_alone(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    of_one = (
        "SELECT unit_key, period FROM form_candidate JOIN warehouse.dim_unit USING (unit_key) WHERE unit_code = '15655' AND period = '2024'"
    )
    monkeypatch.setitem(CONTROLS, "(3) = (4) + (5) + (6)", of_one)
    done = night(settings, engine, NIGHT)
    assert "Giữ lại, không công bố 06a: 15655 2024, biểu 06a không cân đối: (3) = (4) + (5) + (6)" in done.shortcomings
    with engine.connect() as connection:
        forms = "SELECT DISTINCT period FROM mart.form_06a WHERE unit_code = :unit AND length(period) = 4"
        assert connection.scalars(text(forms), {"unit": "15655"}).all() == []
        assert "2024" in connection.scalars(text(forms), {"unit": "396"}).all()
        assert connection.scalar(text("SELECT count(*) FROM mart.indicator WHERE unit_code = '15655' AND period = '2024'"))
        assert [row.unit_code for row in questions.held_back(connection, WHOLE)] == ["15655"]
    assert isinstance(done.report, Report)
    assert "biểu 06a không cân đối: (3) = (4) + (5) + (6)" in done.report.site.read_text("utf-8")


def test_the_report_is_swapped_in_whole(engine: Engine, settings: Settings) -> None:
    made = night(settings, engine, NIGHT).report
    assert isinstance(made, Report)
    assert made.site.is_file()
    first = made.site.resolve()

    def broken(*_: object) -> Report:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        night(settings, engine, NIGHT, steps=replace(WITHOUT_PREFECT, report=broken))
    assert made.site.resolve() == first
    assert night(settings, engine, NIGHT).report == made
    assert made.site.resolve() != first


def test_a_backfill_makes_the_nights_one_by_one_and_again_there_is_nothing_to_do(
    engine: Engine, settings: Settings, prefect_home: Path
) -> None:
    env = environment(settings.home, settings.sources, url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}
    first = bakhong("backfill", "--from", "2024-01", "--to", "2024-03", env=env)
    assert first.returncode in (0, 1), first.stderr
    with engine.connect() as connection:
        made = connection.execute(text("SELECT flow, status, as_of::date, deliveries FROM ops.run ORDER BY run_id")).all()
        values = connection.scalar(text("SELECT count(*) FROM warehouse.fact_indicator"))
    assert [tuple(one)[:3] for one in made] == [
        ("backfill", "completed", date(2024, 1, 31)),
        ("backfill", "completed", date(2024, 2, 29)),
        ("backfill", "completed", date(2024, 3, 31)),
    ]
    assert [one.deliveries > 0 for one in made] == [True, True, True]
    again = [night(settings, engine, day, "backfill", replace(WITHOUT_PREFECT, report=None)) for day in nights("2024-01", "2024-03")]
    assert not [outcome for done in again for outcome in done.outcomes]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM warehouse.fact_indicator")) == values
