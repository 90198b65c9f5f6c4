"""What BI tools need of the views: time axes, fractions, places, open ends that are null, counts that add up, words in two languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from tasks.deliveries.ledger import know_sources, note_unreachable
from tasks.deliveries.source import Source
from tests.warehouse import facts
from tests.warehouse.facts import LUAN_KHE, NGOC_PHUNG, THANH_HOA, unit_key
from warehouse import indicators as declared
from warehouse import views
from warehouse.database import upgrade
from warehouse.periods import PERIOD, VIETNAM, days, parts
from warehouse.settings import Refusal
from warehouse.standing import require_current
from warehouse.tables import delivery as deliveries
from warehouse.tables import fact_form_06a, quarantine, verdict


def ask(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


# Periods ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "told"),
    [
        ("2024", ("year", "2024-01-01", "2024-12-31", 2024123, "2023")),
        ("2024-Q1", ("quarter", "2024-01-01", "2024-03-31", 2024032, "2023-Q4")),
        ("2024-Q4", ("quarter", "2024-10-01", "2024-12-31", 2024122, "2024-Q3")),
        ("2024-02", ("month", "2024-02-01", "2024-02-29", 2024021, "2024-01")),
        ("2024-12", ("month", "2024-12-01", "2024-12-31", 2024121, "2024-11")),
        ("2025-01", ("month", "2025-01-01", "2025-01-31", 2025011, "2024-12")),
        (None, (None, None, None, None, None)),
    ],
)
def test_a_period_has_days_an_order_and_one_before(engine_of_module: Engine, period: str | None, told: tuple[Any, ...]) -> None:
    of = PERIOD.format(period="asked.period")
    query = (
        "SELECT CASE WHEN asked.period IS NOT NULL THEN period_type END, period_start::text, period_end::text, period_sort, period_before "
        f"FROM (SELECT CAST(:period AS text) AS period) asked CROSS JOIN LATERAL ({of}) AS span"
    )
    assert ask(engine_of_module, query, period=period) == [told]


def test_sql_and_python_mean_the_same_days_and_a_month_comes_before_its_quarter_and_year(engine_of_module: Engine) -> None:
    every = [period for year in range(2023, 2026) for period in parts(str(year))]
    query = (
        "SELECT asked.period, period_start, period_end FROM unnest(CAST(:periods AS text[])) asked (period) "
        f"CROSS JOIN LATERAL ({PERIOD.format(period='asked.period')}) AS span ORDER BY period_sort"
    )
    found = ask(engine_of_module, query, periods=every)
    assert {period: (first, last) for period, first, last in found} == {period: days(period) for period in every}
    quarters = ("01 02 03 Q1", "04 05 06 Q2", "07 08 09 Q3", "10 11 12 Q4")
    in_order = [f"2024-{part}" for quarter in quarters for part in quarter.split()]
    assert [period for period, _, _ in found if period.startswith("2024")] == [*in_order, "2024"]


def _columns(engine: Engine) -> dict[str, set[str]]:
    """View → its columns, of both schemas."""
    found: dict[str, set[str]] = {}
    query = "SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns WHERE table_schema IN ('mart', 'star')"
    for view, column in ask(engine, query):
        found.setdefault(view, set()).add(column)
    return found


def test_every_view_that_tells_of_a_period_or_a_unit_says_when_and_where(engine_of_module: Engine) -> None:
    mart = {view: columns for view, columns in _columns(engine_of_module).items() if view.startswith("mart.")}
    of_periods = {view for view, columns in mart.items() if columns & {"period", "month"}}
    of_units = {view for view, columns in mart.items() if "unit_code" in columns}
    assert len(of_periods) >= 15
    assert len(of_units) >= 13
    assert [view for view in of_periods if not mart[view] >= {"period_start", "period_end", "period_sort"}] == []
    place = {"unit_key", "unit_name", "unit_level", "parent_code", "parent_name", "province_code", "province_name"}
    assert [view for view in of_units if not mart[view] >= place] == []


def test_a_form_by_decree_09_begins_on_the_15th_of_the_month_before(engine: Engine) -> None:
    line = {f"c{number}": 0 for number in range(3, 14)} | {"section": "commune", "sector_code": "HT", "sector_name": "Hộ tịch"}
    line |= {"revision": 1, "known_from": "2024-04-01", "publication_id": 1}
    with engine.begin() as connection:
        key = unit_key(connection, NGOC_PHUNG)
        both = [{**line, "unit_key": key, "period": "2024-03", "reporting_calendar": calendar} for calendar in ("lich", "nghi_dinh_09")]
        connection.execute(insert(fact_form_06a), both)
    query = "SELECT period_start::text, period_end::text, period_sort, parent_name FROM mart.form_06a"
    assert ask(engine, query) == [("2024-03-01", "2024-03-31", 2024031, "Huyện Thường Xuân")]
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO ops.installation (item, value) VALUES ('reporting_calendar form_06a', 'nghi_dinh_09')"))
    assert ask(engine, query) == [("2024-02-15", "2024-03-14", 2024031, "Huyện Thường Xuân")]


# Values -----------------------------------------------------------------------------------------------------------------


def test_percentages_stand_beside_their_fractions_and_counts_have_none(engine: Engine) -> None:
    with engine.begin() as connection:
        facts.unit_counts(
            connection, NGOC_PHUNG, "2024", {"safety_software_users": 2660, "smartphone_subscribers": 3798, "digital_teams": 7}
        )
    facts.publish(engine)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO warehouse.dim_target "
                "(indicator_key, known_from, kind, valid_from, valid_to, target, population, legal_source) "
                "SELECT indicator_key, known_from, 'target', '2020-01-01', '2025-12-31', 80, 'x', 'x' FROM warehouse.dim_indicator "
                "WHERE indicator_code = 'ND7'"
            )
        )
    query = (
        "SELECT value, value_fraction, target, target_fraction FROM mart.indicator "
        "WHERE unit_code = :unit AND period = '2024' AND indicator_code = :code"
    )
    assert ask(engine, query, unit=NGOC_PHUNG, code="ND7") == [(Decimal("70.0"), Decimal("0.700"), 80, Decimal("0.80"))]
    assert ask(engine, query, unit=NGOC_PHUNG, code="ST2") == [(7, None, None, None)]
    wide = "SELECT nd7, nd7_fraction, nd7_status, nd8, nd8_status FROM mart.wide_xa_hoi_so WHERE unit_code = '15655' AND period = '2024'"
    assert ask(engine, wide) == [(Decimal("70.0"), Decimal("0.700"), "A", None, "L")]


def test_a_revision_in_force_has_no_end_and_one_that_was_replaced_has(engine: Engine) -> None:
    with engine.begin() as connection:
        facts.unit_counts(connection, NGOC_PHUNG, "2024", {"safety_software_users": 2666, "smartphone_subscribers": 3798})
    first, second = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
    facts.publish(engine, first)
    with engine.begin() as connection:
        facts.unit_counts(connection, NGOC_PHUNG, "2024", {"safety_software_users": 2660}, exported_at=datetime(2025, 5, 10, tzinfo=UTC))
        connection.execute(text("UPDATE warehouse.fact_unit_count SET known_to = '2025-05-10', ended_by = 2 WHERE value = 2666"))
    facts.publish(engine, second)
    query = (
        "SELECT numerator, known_from, known_to, is_current FROM mart.indicator_vintage "
        "WHERE indicator_code = 'ND7' AND unit_code = '15655' AND period = '2024' ORDER BY revision"
    )
    assert ask(engine, query) == [(2666, first, second, False), (2660, second, None, True)]


def test_a_unit_lies_where_it_lay_when_it_was_last_there(engine: Engine) -> None:
    query = (
        "SELECT unit_code, parent_code, parent_name, province_code, province_name FROM mart.unit "
        "WHERE unit_code = :unit AND :day BETWEEN valid_from AND valid_to"
    )
    here = {"province_code": "38", "province_name": "Tỉnh Thanh Hóa"}
    assert ask(engine, query, unit=NGOC_PHUNG, day=date(2024, 6, 1)) == [(NGOC_PHUNG, "396", "Huyện Thường Xuân", *here.values())]
    assert ask(engine, query, unit="15646", day=date(2025, 8, 1)) == [("15646", "38", "Tỉnh Thanh Hóa", *here.values())]
    assert ask(engine, query, unit=THANH_HOA, day=date(2024, 6, 1)) == [(THANH_HOA, None, None, *here.values())]


# Sums -------------------------------------------------------------------------------------------------------------------

RATE = "100.0 * sum(numerator) / nullif(sum(denominator), 0)"
"""As the comment of the view says it."""


def test_the_rate_of_a_group_is_that_of_its_sums_and_not_the_mean_of_rates(engine: Engine) -> None:
    with engine.begin() as connection:
        small, large = unit_key(connection, NGOC_PHUNG), unit_key(connection, LUAN_KHE)
        facts.dossiers(connection, [{"unit_key": small, "channel_key": 2 if number < 1 else 1} for number in range(10)])
        facts.dossiers(connection, [{"unit_key": large, "channel_key": 2 if number < 90 else 1} for number in range(100)])
    facts.publish(engine)
    of_march = "FROM mart.indicator_rate WHERE indicator_code = 'CQ4' AND period = '2024-03'"
    rate = f"round({RATE}, 1)"
    # 1 of 10 and 90 of 100: 91 of 110 are 82,7 %, while the mean of 10 % and 90 % is 50 %
    assert ask(engine, f"SELECT {rate}, round(avg(rate), 1) {of_march} AND parent_code = '396'") == [(Decimal("82.7"), Decimal("50.0"))]
    published = f"SELECT rate, is_additive, numerator {of_march} AND unit_code = '396'"
    assert ask(engine, published) == [(Decimal("82.7"), False, None)]
    assert ask(engine, f"SELECT {rate} {of_march}") == [(Decimal("82.7"),)], "whatever is grouped together, no unit is in it twice"


def test_what_is_counted_once_is_not_added_and_its_total_is_the_published_one(engine: Engine) -> None:
    person = {"customer_hash": facts.person(1), "is_household": True}
    with engine.begin() as connection:
        homes = [{"customer_hash": facts.person(number), "is_household": True} for number in range(2, 8)]
        facts.bills(connection, [{**one, "billing_month": month} for one in (person, *homes) for month in ("2024-03-01", "2024-04-01")])
    facts.publish(engine)
    query = (
        "SELECT period, unit_level, numerator, denominator, rate, is_additive FROM mart.indicator_rate "
        "WHERE indicator_code = 'K2a' AND unit_code IN ('15655', '396') AND period IN ('2024-03', '2024-Q2', '2024') ORDER BY 2, 1"
    )
    rows = [
        (period, level, None, None, Decimal("0.0"), False) for level in ("commune", "district") for period in ("2024", "2024-03", "2024-Q2")
    ]
    assert ask(engine, query) == rows
    assert facts.value(engine, "K2a", NGOC_PHUNG, "2024")[:2] == (0, 7)  # type: ignore[index]  # seven households, though fourteen bills


def test_how_many_there_are_at_the_end_is_not_added_of_a_unit_that_went_before(engine: Engine) -> None:
    counted = {"safety_software_users": 6, "smartphone_subscribers": 10}
    with engine.begin() as connection:
        facts.unit_counts(connection, NGOC_PHUNG, "2025-Q2", counted, date(2025, 6, 30))
        facts.unit_counts(connection, "15646", "2025-Q4", counted, date(2025, 12, 31))
    facts.publish(engine, datetime(2026, 2, 1, tzinfo=UTC))
    query = (
        "SELECT unit_code, period, is_additive, is_stock FROM mart.indicator_rate WHERE indicator_code = 'ND7' AND unit_level = 'commune' "
        "AND rate IS NOT NULL AND period IN ('2025-Q2', '2025') ORDER BY 1, 2"
    )
    assert ask(engine, query) == [("15646", "2025", True, True), (NGOC_PHUNG, "2025", False, True), (NGOC_PHUNG, "2025-Q2", True, True)]


def test_which_indicators_add_up_follows_from_how_they_are_counted() -> None:
    """Customers, shops and holders once each; surveys are samples; a list of units is of no commune."""
    assert {one.code for one in declared.indicators() if not one.is_additive} == {"K1b", "K2a", "K2h", "K2s", "ND5", "ST1"}


# Indicators that come and go ----------------------------------------------------------------------------------------------


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Declares another indicator of the table of `ba_khong.yaml`."""
    tables = deepcopy(declared._files())
    monkeypatch.setattr(declared, "_files", lambda: tables)

    def appended(entry: dict[str, Any]) -> None:
        next(table for table in tables if table["file"] == "ba_khong")["indicators"].append(entry)
        declared.indicators.cache_clear()

    yield appended
    monkeypatch.undo()
    declared.indicators.cache_clear()


def test_an_indicator_declared_anew_has_a_column_once_the_owner_comes_and_stops_nobody_until_then(
    engine: Engine, add: Callable[[dict[str, Any]], None]
) -> None:
    add(
        {
            "code": "K9",
            "name": "Buổi họp tổ",
            "definition": "x",
            "legal_source": "x",
            "unit_measure": "buổi",
            "fact": "unit_count",
            "numerator": "training_sessions",
        }
    )
    wide = "SELECT column_name FROM information_schema.columns WHERE table_name = 'wide_ba_khong' AND column_name LIKE 'k9%' ORDER BY 1"
    with engine.connect() as connection:
        require_current(connection)  # as every login but the owner's
    assert ask(engine, wide) == []
    upgrade(engine)
    assert ask(engine, wide) == [("k9",), ("k9_status",)]
    said = "SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = 'mart.wide_ba_khong'::regclass AND attname = 'k9'"
    assert ask(engine, said) == [("K9, Buổi họp tổ: số buổi | K9: the count",)]
    with engine.begin() as connection:
        facts.unit_counts(connection, NGOC_PHUNG, "2024", {"training_sessions": 4})
    facts.publish(engine)
    assert ask(engine, "SELECT k9, st4 FROM mart.wide_ba_khong WHERE unit_code = '15655' AND period = '2024'") == [(4, 4)]


def test_a_view_that_the_program_writes_otherwise_is_the_owners_to_renew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "columns.yaml").write_text("unit_code: {vi: Mã, en: Code}\n", encoding="utf-8")
    monkeypatch.setattr(views, "FOLDER", tmp_path)
    with engine.connect() as connection, pytest.raises(Refusal, match="warehouse upgrade"):
        require_current(connection)


# Names ------------------------------------------------------------------------------------------------------------------


def test_scores_of_decision_766_are_told_by_name(engine: Engine) -> None:
    with engine.begin() as connection:
        for code, score in ((NGOC_PHUNG, 12), (LUAN_KHE, 15)):
            line = {"unit_key": unit_key(connection, code), "period": "2024-Q1", "score": score}
            for component in ("", "ON_TIME"):
                connection.execute(
                    text(
                        "INSERT INTO warehouse.fact_score_766 "
                        "(counted_by, agency_key, unit_key, period, group_code, component_code, revision, "
                        "ratio, score, max_score, obs_status, is_computed, known_from, publication_id) "
                        "VALUES ('pipeline', 0, :unit_key, :period, 'TDGQ', :component, 1, 62.5, :score, 20, 'A', true, now(), 1)"
                    ),
                    {**line, "component": component},
                )
    query = (
        "SELECT name, level_name, group_name, component_name, rank, ranked, rank_name, ratio_fraction, period_start::text, parent_name "
        "FROM mart.score_766 WHERE unit_code = '15655' ORDER BY component_code NULLS FIRST"
    )
    row = ("Xã Ngọc Phụng", "cấp xã", "Tiến độ giải quyết")
    place = (2, 2, "Hạng 2 trong 2 đơn vị cấp xã", Decimal("0.625"), "2024-01-01", "Huyện Thường Xuân")
    assert ask(engine, query) == [(*row, None, *place), (*row, "Hồ sơ xử lý đúng hạn", *place)]
    total = "SELECT name, rank_name, period_before, portal_code FROM mart.score_766_total ORDER BY rank"
    assert ask(engine, total) == [
        ("Xã Luận Khê", "Hạng 1 trong 2 đơn vị cấp xã", "2023-Q4", None),
        ("Xã Ngọc Phụng", "Hạng 2 trong 2 đơn vị cấp xã", "2023-Q4", None),
    ]


def test_every_view_and_column_says_what_it_is_in_vietnamese_and_in_english(engine_of_module: Engine) -> None:
    ours = "c.relnamespace IN ('mart'::regnamespace, 'star'::regnamespace) AND c.relkind = 'v'"
    said = ask(
        engine_of_module,
        f"SELECT c.oid::regclass::text, obj_description(c.oid, 'pg_class') FROM pg_class c WHERE {ours} UNION ALL "
        "SELECT c.oid::regclass || '.' || a.attname, col_description(c.oid, a.attnum) "
        f"FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE {ours} AND a.attnum > 0",
    )
    assert len(said) > 600
    halves = {thing: (words or "").split(" | ") for thing, words in said}
    assert [thing for thing, words in halves.items() if len(words) != 2 or not all(words) or words[0] == words[1]] == []
    vietnamese = set("àáảãạăắằẳẵặâấầẩẫậèéẻẽẹêếềểễệìíỉĩịòóỏõọôốồổỗộơớờởỡợùúủũụưứừửữựỳýỷỹỵđ")
    assert [thing for thing, words in halves.items() if not vietnamese & set(words[0].lower())] == []


def test_nothing_is_explained_that_no_view_has(engine_of_module: Engine) -> None:
    assert views.meanings().keys() - set().union(*_columns(engine_of_module).values()) == set()


# Deliveries -------------------------------------------------------------------------------------------------------------


def _source(name: str, expected: str) -> Source:
    return Source(name=name, feed="bills", layout="evn_csv", provider="evn", url="inbox/*", expected=expected)


def _delivered(engine: Engine, source: str, status: str, exported_at: datetime, quarantined: int = 0) -> int:
    row = {
        "source": source, "feed": "bills", "layout": "evn_csv", "provider": "evn", "file_name": f"{source}.csv",
        "sha256": f"{source}{exported_at}", "exported_at": exported_at, "received_at": exported_at, "loaded_at": exported_at,
        "status": status, "business_period": "2024-03", "verdict": "reject" if status == "rejected" else "accept",
        "rows_received": 100, "rows_loaded": 100 - quarantined, "rows_unchanged": 0, "rows_quarantined": quarantined, "rows_ignored": 0,
    }  # fmt: skip
    with engine.begin() as connection:
        return int(connection.execute(insert(deliveries).values(row).returning(deliveries.c.delivery_id)).scalar_one())


def test_a_source_is_late_by_its_rhythm_and_a_refused_delivery_is_none(engine: Engine) -> None:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        know_sources(
            connection, [_source(name, "monthly") for name in ("on-time", "late", "refused", "silent")] + [_source("all-there", "once")]
        )
    _delivered(engine, "on-time", "loaded", now - timedelta(days=40))  # 31 days of the longest month, and 10 to write the report
    _delivered(engine, "late", "loaded", now - timedelta(days=43))
    _delivered(engine, "refused", "loaded", now - timedelta(days=43))
    _delivered(engine, "refused", "rejected", now - timedelta(days=1), quarantined=100)
    _delivered(engine, "all-there", "loaded", now - timedelta(days=4000))
    due = (now - timedelta(days=2)).astimezone(VIETNAM).date()
    assert ask(
        engine, "SELECT source, delivery_status, source_state, is_late, days_late, next_due FROM mart.freshness ORDER BY source"
    ) == [
        ("all-there", "loaded", "on_time", False, None, None),
        ("late", "loaded", "late", True, 2, due),
        ("on-time", "loaded", "on_time", False, None, due + timedelta(days=3)),
        ("refused", "rejected", "rejected", True, 2, due),
        ("silent", None, "never", True, None, None),
    ]
    with engine.begin() as connection:
        begun = (
            "INSERT INTO ops.run (flow, as_of, started_at, status, host, process_id) "
            "VALUES ('nightly', now(), now(), 'completed', '', 1) RETURNING run_id"
        )
        note_unreachable(connection, connection.execute(text(begun)).scalar_one(), [("on-time", "không có thư mục")])
    assert ask(engine, "SELECT source_state, is_late FROM mart.freshness WHERE source = 'on-time'") == [("unreachable", False)]


def test_rows_of_a_refused_file_are_no_quarantined_ones_and_each_is_counted_once(engine: Engine) -> None:
    day = datetime(2024, 3, 31, 23, 59, 59, tzinfo=UTC)  # in Vietnam it is April already
    taken = _delivered(engine, "evn", "loaded", day, quarantined=3)
    _delivered(engine, "water", "rejected", day, quarantined=100)
    with engine.begin() as connection:
        usual = {"delivery_id": taken, "severity": "critical", "message_vi": "Sai"}
        rows = [(1, "BIL-001", "open"), (1, "BIL-002", "open"), (2, "BIL-001", "dismissed"), (3, "BIL-001", "waiting")]
        connection.execute(
            insert(quarantine),
            [{**usual, "row_number": row, "rule_code": rule, "column_name": "", "status": status} for row, rule, status in rows],
        )
        judged = {"delivery_id": taken, "severity": "critical", "scope": "row", "checked_at": day}
        connection.execute(
            insert(verdict),
            [
                {**judged, "rule_code": "BIL-001", "success": False, "unexpected_count": 3, "observed": "3 dòng"},
                {**judged, "rule_code": "BIL-002", "success": False, "unexpected_count": 1, "observed": None},
                {**judged, "rule_code": "BIL-003", "success": True, "unexpected_count": 0, "observed": None},
            ],
        )
    whole = "rows_received, rows_loaded + rows_unchanged + rows_quarantined + rows_ignored + rows_rejected"
    told = f"source, month, provider_name, {whole}, rows_quarantined, rows_rejected, rows_open, period_start::text"
    query = f"SELECT {told} FROM mart.quality ORDER BY 1"
    assert ask(engine, query) == [
        ("evn", "2024-04", "Công ty Điện lực", 100, 100, 3, 0, 2, "2024-04-01"),
        ("water", "2024-04", "Công ty Điện lực", 100, 100, 0, 100, 0, "2024-04-01"),
    ]
    rules = "SELECT rule_code, rows_broken, rows_open, observed FROM mart.quality_rule ORDER BY 1"
    assert ask(engine, rules) == [("BIL-001", 3, 2, "3 dòng"), ("BIL-002", 1, 1, None)]


def test_the_last_night_keeps_up_to_which_day_a_source_has_spoken(engine: Engine) -> None:
    with engine.begin() as connection:
        know_sources(connection, [_source("evn", "monthly"), _source("other", "monthly")])
    _delivered(engine, "evn", "loaded", datetime(2024, 4, 5, tzinfo=UTC))  # a file of March
    facts.publish(engine)
    query = "SELECT source, data_until::text FROM mart.freshness ORDER BY 1"
    assert ask(engine, query) == [("evn", "2024-03-31"), ("other", None)]
    with engine.begin() as connection:
        know_sources(connection, [_source("evn", "quarterly")])  # the next night begins: what was known stays
    assert ask(engine, query) == [("evn", "2024-03-31")]
