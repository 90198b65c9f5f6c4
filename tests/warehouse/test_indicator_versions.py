"""An indicator is renamed, aimed elsewhere, counted otherwise from a day on, or retired by its YAML alone; the past stays what it was."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

import warehouse.indicators as declared
from tests.warehouse.facts import NGOC_PHUNG, THUONG_XUAN, dossiers, publish
from warehouse.indicators import Indicator, in_force, indicators

THEN, NOW, LATER = (datetime(2025, month, 1, tzinfo=UTC) for month in (2, 3, 4))
Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Changes the entry of an indicator in the YAML, or takes it out."""
    tables = copy.deepcopy(declared._files())
    monkeypatch.setattr(declared, "_files", lambda: tables)

    def change(code: str, **keys: Any) -> None:
        (entry,) = [entry for table in tables for entry in table.get("indicators", []) if entry["code"] == code]
        entry |= keys
        indicators.cache_clear()

    def take_out(code: str) -> None:
        for table in (table for table in tables if "indicators" in table):
            table["indicators"] = [entry for entry in table["indicators"] if entry["code"] != code]
        indicators.cache_clear()

    change.take_out = take_out  # type: ignore[attr-defined]
    yield change
    monkeypatch.undo()
    indicators.cache_clear()


def shown(engine: Engine, what: str, code: str = "CQ4", at: datetime | None = None, period: str = "2024") -> list[Any]:
    """A column of an indicator of Ngọc Phụng as it is shown, or as it was known at a time."""
    view = "indicator" if at is None else "indicator_vintage"
    known = "" if at is None else "AND known_from <= :at AND coalesce(known_to, 'infinity') > :at"
    query = f"SELECT {what} FROM mart.{view} WHERE indicator_code = :code AND unit_code = :unit AND period = :period {known}"
    with engine.connect() as connection:
        return list(connection.scalars(text(query), {"code": code, "unit": NGOC_PHUNG, "period": period, "at": at}))


@pytest.fixture
def published(engine: Engine) -> Engine:
    """Two dossiers of 2024, one of them online, published."""
    with engine.begin() as connection:
        dossiers(connection, [{}, {"channel_key": 1}])
    publish(engine, THEN)
    return engine


def test_a_new_name_is_shown_from_the_night_on_and_the_old_one_in_what_was_known_before(published: Engine, edit: Any) -> None:
    old = shown(published, "indicator_name")
    edit("CQ4", name="Tên mới")
    assert publish(published, NOW).publication_id is not None, "what readers see has changed"
    assert shown(published, "indicator_name") == ["Tên mới"]
    assert shown(published, "indicator_name", at=THEN) == old != ["Tên mới"]
    assert shown(published, "indicator_name", at=NOW) == ["Tên mới"]
    assert shown(published, "revision") == [1], "the number is what it was"
    assert publish(published, LATER).is_nothing


def test_another_target_is_met_or_not_from_the_night_on(published: Engine, edit: Any) -> None:
    edit("CQ4", targets=[{"valid_from": date(2024, 1, 1), "value": 40, "population": "dossiers", "source": "Kế hoạch"}])
    publish(published, NOW)
    assert (shown(published, "target"), shown(published, "is_met")) == ([40], [True])
    assert (shown(published, "target", at=THEN), shown(published, "is_met", at=THEN)) == ([None], [None])
    edit("CQ4", targets=[{"valid_from": date(2024, 1, 1), "value": 60, "population": "dossiers", "source": "Kế hoạch"}])
    publish(published, NOW)
    assert (shown(published, "target", at=NOW), shown(published, "is_met")) == ([60], [False]), "corrected the same night"


def test_an_indicator_that_was_taken_out_ends_and_is_there_in_what_was_known_before(published: Engine, edit: Any) -> None:
    edit.take_out("CQ4")
    done = publish(published, NOW)
    assert (done.added, done.revised, done.ended > 0) == (0, 0, True)
    assert shown(published, "value") == []
    assert shown(published, "value", at=THEN) == [Decimal("50.0")]
    assert shown(published, "value", code="CQ7") == [Decimal("100.0")]
    with published.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM warehouse.dim_indicator WHERE indicator_code = 'CQ4'")) == 1
    assert publish(published, LATER).is_nothing


def test_an_indicator_that_is_put_back_goes_on(published: Engine, edit: Any) -> None:
    (entry,) = [entry for table in declared._files() for entry in table.get("indicators", []) if entry["code"] == "CQ4"]
    edit.take_out("CQ4")
    publish(published, NOW)
    next(table for table in declared._files() if "indicators" in table)["indicators"].append(entry)
    indicators.cache_clear()
    publish(published, LATER)
    assert (shown(published, "value"), shown(published, "revision")) == ([Decimal("50.0")], [2])
    assert shown(published, "value", at=NOW) == []


def test_a_version_counts_and_is_called_as_declared_for_the_periods_that_end_while_it_holds(engine: Engine, edit: Any) -> None:
    both = {"channel_key": 1}, {"service_level": 4}
    with engine.begin() as connection:
        dossiers(connection, [{**row, "received_at": f"{year}-03-15 08:00:00"} for year in (2023, 2024) for row in (both[0], both[1], {})])
    publish(engine, THEN)
    assert shown(engine, "numerator", period="2024") == [2]
    edit("CQ4", versions=[{}, {"valid_from": date(2024, 1, 1), "name": "Toàn trình", "numerator": "service_level = 4"}])
    publish(engine, NOW)
    assert (shown(engine, "numerator", period="2023"), shown(engine, "numerator", period="2024")) == ([2], [1])
    assert shown(engine, "indicator_name", period="2024-03") == ["Toàn trình"]
    assert shown(engine, "indicator_name", period="2023-03") == shown(engine, "indicator_name", at=THEN) != ["Toàn trình"]
    assert shown(engine, "numerator", at=THEN) == [2]
    assert shown(engine, "revision", period="2024") == [2], "the same line, published again"
    with engine.connect() as connection:
        lines = "SELECT count(*) FROM mart.indicator WHERE indicator_code = 'CQ4' AND unit_code = :unit AND period = '2024'"
        assert connection.scalar(text(lines), {"unit": THUONG_XUAN}) == 1


def test_a_night_of_an_earlier_day_does_not_put_a_version_beside_the_one_that_was_shown_then(published: Engine, edit: Any) -> None:
    edit("CQ4", versions=[{}, {"valid_from": date(2024, 1, 1), "numerator": "service_level = 4"}])
    publish(published, LATER)
    with published.begin() as connection:
        dossiers(connection, [{"channel_key": 1}])
    publish(published, NOW)
    assert shown(published, "value", at=NOW) == [Decimal("50.0")]
    assert shown(published, "value") == [Decimal("0.0")]


def test_versions_follow_each_other_without_a_gap_and_do_not_overlap(edit: Any) -> None:
    edit("CQ4", versions=[{}, {"valid_from": date(2024, 1, 1), "decimals": 2}])
    assert [(i.version, i.valid_from, i.valid_to) for i in indicators() if i.code == "CQ4"] == [
        (1, date.min, date(2023, 12, 31)),
        (2, date(2024, 1, 1), date.max),
    ]
    assert in_force("cq4", date(2023, 12, 31)).version == 1  # type: ignore[union-attr]
    edit("CQ4", versions=[{"valid_to": date(2024, 6, 30)}, {"valid_from": date(2024, 1, 1)}])
    with pytest.raises(ValueError, match="CQ4: the version valid from 0001-01-01 overlaps the next one"):
        indicators()


def test_the_name_of_a_later_version_is_its_own() -> None:
    usual = {"code": "X1", "name": "x", "definition": "x", "legal_source": "x", "pillar": "xa_hoi_so", "official_table": "x"}
    assert [Indicator(**usual, sort_order=1, fact="dossier", version=n).version_name for n in (1, 2)] == ["X1", "X1_2"]
