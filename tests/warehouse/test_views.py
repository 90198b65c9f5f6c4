from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine, select, text

from warehouse import views
from warehouse.database import upgrade
from warehouse.tables import dim_indicator, dim_target, dim_unit, fact_indicator, fact_published_figure, publication, run
from warehouse.views import declared

INDICATOR = (
    "indicator_code, indicator_name, official_table, pillar, unit_code, unit_name, unit_level, unit_valid_from, period, period_type, "
    "numerator, denominator, value, decimals, unit_measure, target, is_met, obs_status, revision, known_from"
)
MORE = "obs_reason, definition, legal_source, sort_order"
COVERS = "units_counted, units_expected, data_until, next_due, awaited, target_population, target_source, full_marks, full_marks_source"
DAYS = "first_day, last_day"
PLACE = "parent_code, parent_name, province_code, province_name, unit_key"
PERIOD = "period_start, period_end, period_sort"
BEHIND = f"{PLACE}, {PERIOD}, value_fraction, target_fraction, full_marks_fraction"
ALWAYS = "-infinity"
"""From when a first state is known."""
COLUMNS = {
    "indicator": f"{INDICATOR}, {MORE}, {COVERS}, {DAYS}, obs_note, {BEHIND}, conf_status",
    "indicator_public": f"{INDICATOR}, {MORE}, {COVERS}, {DAYS}, obs_note, {BEHIND}, conf_status",
    "indicator_vintage": f"{INDICATOR}, known_to, {MORE}, is_current, {COVERS}, {DAYS}, obs_note, {BEHIND}",
    "indicator_restated": f"{INDICATOR}, {MORE}, {COVERS}, {DAYS}, is_restated, "
    f"predecessors, predecessors_counted, predecessors_all, obs_note, {BEHIND}, conf_status",
    "published_check": "unit_code, period, indicator_code, printed, printed_value, recomputed, verdict, source_document, "
    f"note, unit_valid_from, indicator_name, unit_name, unit_level, {PLACE}, {PERIOD}, printed_fraction, recomputed_fraction",
}


@pytest.mark.parametrize("view", COLUMNS)
def test_the_mart_has_the_columns_others_rely_on(engine: Engine, view: str) -> None:
    with engine.connect() as connection:
        columns = (
            connection.execute(
                text("SELECT attname FROM pg_attribute WHERE attrelid = CAST('mart.' || :view AS regclass) AND attnum > 0 ORDER BY attnum"),
                {"view": view},
            )
            .scalars()
            .all()
        )
    assert columns == COLUMNS[view].split(", ")


def _unit(connection: Connection, code: str, day: date) -> int:
    return connection.execute(
        select(dim_unit.c.unit_key).where(dim_unit.c.unit_code == code, dim_unit.c.valid_from <= day, dim_unit.c.valid_to >= day)
    ).scalar_one()


def _publish(connection: Connection, *values: tuple[str, str, str, int | None, int | None, str | None], status: str = "A") -> None:
    """Publishes (indicator, unit, period, numerator, denominator, value) at the end of April 2025."""
    if connection.execute(select(run.c.run_id)).first() is None:
        moment = "2025-04-30 23:00+07"
        connection.execute(run.insert().values(flow="nightly", as_of=moment, started_at=moment, status="completed", host="h", process_id=1))
        connection.execute(publication.insert().values(run_id=1, published_at=moment, load_id=0, as_of=moment))
    for code, unit, period, numerator, denominator, value in values:
        key = connection.execute(select(dim_indicator.c.indicator_key).where(dim_indicator.c.indicator_code == code)).scalar()
        if key is None:
            key = connection.execute(
                dim_indicator.insert()
                .values(
                    known_from=ALWAYS,
                    indicator_code=code,
                    version=1,
                    indicator_name=f"Chỉ tiêu {code}",
                    official_table="Bảng",
                    pillar="xa_hoi_so",
                    definition="a / b",
                    legal_source="Kế hoạch",
                    unit_measure="PERCENT",
                    decimals=1,
                    sort_order=1,
                    valid_from=date(1, 1, 1),
                    valid_to=date(9999, 12, 31),
                    counted_as="",
                    counted_since="2025-01-01 00:00+07",
                )
                .returning(dim_indicator.c.indicator_key)
            ).scalar_one()
        connection.execute(
            fact_indicator.insert().values(
                indicator_key=key,
                unit_key=_unit(connection, unit, date(int(period[:4]), 3, 1)),
                period=period,
                revision=1,
                numerator=numerator,
                denominator=denominator,
                value=value,
                obs_status=status,
                known_from="2025-04-30 23:00+07",
                publication_id=1,
            )
        )


def _print(
    connection: Connection,
    code: str,
    printed: str,
    number: str | None,
    decimals: int | None,
    unit: str = "15655",
    period: str = "2024",
    **more: object,
) -> None:
    connection.execute(
        fact_published_figure.insert().values(
            source_document="Báo",
            unit_key=_unit(connection, unit, date(2024, 12, 31)),
            period=period,
            indicator_code=code,
            printed=printed,
            printed_value=number,
            printed_decimals=decimals,
            row_key=hash((code, printed)),
            row_hash=1,
            known_from="2025-04-30 23:00+07",
            loaded_by=1,
            delivery_id=1,
            row_number=1,
            **more,
        )
    )


@pytest.mark.parametrize(
    ("numerator", "denominator", "printed", "number", "decimals", "recomputed", "verdict"),
    [
        (2660, 3798, "70,2%", "70.2", 1, "70.0", "differs"),  # the article's own slip
        (4795, 5205, "92,1%", "92.1", 1, "92.1", "holds"),
        (4575, 5648, "81%", "81", 0, "81", "holds"),
        (4342, 4357, "99,66%", "99.66", 2, "99.66", "holds"),
        (1, 8, "12,5%", "12.5", 1, "12.5", "holds"),
        (1, 800, "0,13%", "0.13", 2, "0.13", "holds"),  # 0.125: a half goes up
        (16, 16, "16/16", "16", 0, "16", "holds"),
        (15, 16, "16/16", "16", 0, "15", "differs"),
        (None, None, "khoảng 30%", "30", 0, None, "not_computable"),
        (0, 0, "30%", "30", 0, None, "not_computable"),
    ],
)
def test_a_printed_figure_is_held_against_the_counts(
    engine: Engine,
    numerator: int | None,
    denominator: int | None,
    printed: str,
    number: str,
    decimals: int,
    recomputed: str | None,
    verdict: str,
) -> None:
    with engine.begin() as connection:
        _publish(connection, ("ND7", "15655", "2024", numerator, denominator, None))
        _print(connection, "ND7", printed, number, decimals)
        row = connection.execute(
            text("SELECT unit_code, period, indicator_code, printed, printed_value, recomputed, verdict FROM mart.published_check")
        ).one()
    assert row == ("15655", "2024", "ND7", printed, Decimal(number), recomputed and Decimal(recomputed), verdict)
    assert recomputed is None or str(row.recomputed) == recomputed


@pytest.mark.parametrize(
    ("printed_as", "number", "decimals", "numerator", "verdict"),
    [  # the rate of numerator / 1.000, worked out by hand
        ("above", "98", 0, 976, "differs"),  # 97,6 % rounds to 98 and is not above it
        ("above", "98", 0, 980, "differs"),  # no more than 98
        ("above", "98", 0, 981, "holds"),
        ("at_least", "98", 0, 980, "holds"),
        ("at_least", "98", 0, 979, "differs"),
        ("below", "98", 0, 980, "differs"),
        ("below", "98", 0, 979, "holds"),
        ("at_most", "98", 0, 980, "holds"),
        ("at_most", "98", 0, 981, "differs"),
        ("about", "30", 0, 304, "holds"),
        ("about", "30", 0, 295, "holds"),
        ("about", "30", 0, 305, "differs"),  # 30,5 rounds to 31
        ("nearly", "90", 0, 895, "holds"),
        ("nearly", "90", 0, 900, "differs"),  # not below
        ("nearly", "90", 0, 894, "differs"),  # rounds to 89
        ("exact", "70.2", 1, 702, "holds"),
        ("exact", "70.2", 1, 701, "differs"),
    ],
)
def test_the_word_before_a_figure_says_how_it_is_held_against_the_exact_rate(
    engine: Engine, printed_as: str, number: str, decimals: int, numerator: int, verdict: str
) -> None:
    with engine.begin() as connection:
        _publish(connection, ("ND7", "15655", "2024", numerator, 1000, None))
        _print(connection, "ND7", f"{number}%", number, decimals, printed_as=printed_as)
        assert connection.scalar(text("SELECT verdict FROM mart.published_check")) == verdict


def test_a_rate_is_compared_before_it_is_rounded(engine: Engine) -> None:
    with engine.begin() as connection:
        _publish(connection, ("ND7", "15655", "2024", 7999, 10000, None))  # 79,99 %: 80,0 once rounded, and not above 79,99
        _print(connection, "ND7", "hơn 79,99%", "79.99", 2, printed_as="above")
        assert connection.execute(text("SELECT recomputed, verdict FROM mart.published_check")).one() == (Decimal("79.99"), "differs")


def test_a_figure_of_something_never_counted_is_not_computable(engine: Engine) -> None:
    with engine.begin() as connection:
        _print(connection, "XX1", "50%", "50", 0)
        assert connection.execute(text("SELECT verdict FROM mart.published_check")).scalars().all() == ["not_computable"]


def test_a_suppressed_rate_cannot_be_learned_from_the_check_or_the_counts(engine: Engine) -> None:
    with engine.begin() as connection:
        _publish(connection, ("K2a", "15655", "2024", 2, 3, None), status="Q")
        _print(connection, "K2a", "66,7%", "66.7", 1)
        assert connection.execute(text("SELECT recomputed, verdict FROM mart.published_check")).one() == (None, "not_computable")
        assert connection.execute(text("SELECT numerator, denominator, value, obs_status FROM mart.indicator")).one() == (
            None,
            None,
            None,
            "Q",
        )


def test_the_target_is_the_one_in_force_at_the_end_of_the_period(engine: Engine) -> None:
    with engine.begin() as connection:
        periods = ["2024", "2025", "2025-Q1", "2025-Q2", "2025-03", "2025-04", "2026-01"]
        _publish(connection, *[("CQ4", "38", period, 7, 10, "70.0") for period in periods])
        key = connection.execute(select(dim_indicator.c.indicator_key)).scalar_one()
        for first, last, target in [(date(2024, 1, 1), date(2025, 3, 31), 70), (date(2025, 4, 1), date(2025, 12, 31), 80)]:
            connection.execute(
                dim_target.insert().values(
                    indicator_key=key,
                    known_from=ALWAYS,
                    kind="target",
                    valid_from=first,
                    valid_to=last,
                    target=target,
                    population="dossiers",
                    legal_source="Kế hoạch",
                )
            )
        rows = connection.execute(text("SELECT period, period_type, target, is_met FROM mart.indicator ORDER BY period")).all()
    assert rows == [
        ("2024", "year", 70, True),
        ("2025", "year", 80, False),
        ("2025-03", "month", 70, True),
        ("2025-04", "month", 80, False),
        ("2025-Q1", "quarter", 70, True),
        ("2025-Q2", "quarter", 80, False),
        ("2026-01", "month", None, None),
    ]


@pytest.mark.parametrize(
    ("numerator", "denominator", "value", "is_met"),
    [(7999, 10000, "80.0", False), (8000, 10000, "80.0", True), (80001, 100000, "80.0", True), (0, 0, None, None)],
)
def test_a_target_is_met_by_the_exact_fraction_not_by_the_printed_one(
    engine: Engine, numerator: int, denominator: int, value: str | None, is_met: bool | None
) -> None:
    with engine.begin() as connection:
        _publish(connection, ("ND2", "15655", "2024", numerator, denominator, value))
        key = connection.execute(select(dim_indicator.c.indicator_key)).scalar_one()
        line = {"indicator_key": key, "known_from": ALWAYS, "valid_from": date(2024, 1, 1), "valid_to": date(2024, 12, 31), "target": 80}
        line |= {"population": "people_15plus", "legal_source": "Kế hoạch"}
        connection.execute(dim_target.insert(), [{**line, "kind": "target"}, {**line, "kind": "full_marks", "target": 90}])
        assert connection.execute(text("SELECT target, is_met, full_marks FROM mart.indicator")).one() == (80, is_met, 90)


def test_what_was_not_collected_is_neither_met_nor_missed(engine: Engine) -> None:
    with engine.begin() as connection:
        _publish(connection, ("ND8", "15655", "2024", None, None, None), status="L")
        key = connection.execute(select(dim_indicator.c.indicator_key)).scalar_one()
        connection.execute(
            dim_target.insert().values(
                indicator_key=key,
                known_from=ALWAYS,
                kind="target",
                population="people",
                valid_from=date(2024, 1, 1),
                valid_to=date(2024, 12, 31),
                target=80,
                legal_source="Kế hoạch",
            )
        )
        assert connection.execute(text("SELECT value, target, is_met FROM mart.indicator")).one() == (None, 80, None)


def test_an_older_revision_answers_as_known_then_and_only_the_last_is_current(engine: Engine) -> None:
    with engine.begin() as connection:
        _publish(connection, ("ND7", "15655", "2024", 2666, 3798, "70.2"))
        connection.execute(text("UPDATE warehouse.fact_indicator SET known_to = '2025-05-10 23:00+07'"))
        connection.execute(
            text(
                """
                INSERT INTO warehouse.fact_indicator
                    (indicator_key, unit_key, period, revision, numerator, denominator, value, obs_status, known_from, publication_id)
                SELECT indicator_key, unit_key, period, 2, 2660, 3798, 70.0, 'A', known_to, 1 FROM warehouse.fact_indicator
                """
            )
        )
        known = text("SELECT value FROM mart.indicator_vintage WHERE known_from <= :day AND (known_to IS NULL OR :day < known_to)")
        assert connection.execute(known, {"day": "2025-05-01"}).scalars().all() == [Decimal("70.2")]
        assert connection.execute(known, {"day": "2025-06-01"}).scalars().all() == [Decimal("70.0")]
        assert connection.execute(text("SELECT revision, numerator, value FROM mart.indicator")).all() == [(2, 2660, Decimal("70.0"))]


def test_a_value_belongs_to_the_unit_of_its_time(engine: Engine) -> None:
    with engine.begin() as connection:
        _publish(connection, ("ND7", "15646", "2024", 1, 2, "50.0"))
        row = connection.execute(text("SELECT unit_code, unit_name, unit_level, unit_valid_from FROM mart.indicator")).one()
    assert row == ("15646", "Thị trấn Thường Xuân", "commune", date(1, 1, 1))


def test_views_that_changed_are_replaced_and_stay_readable(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "views"
    (folder / "mart").mkdir(parents=True)
    (folder / "columns.yaml").write_text("greeting: {vi: Lời chào, en: A word}\n", encoding="utf-8")
    hello = "-- One row: it's 100 % a greeting.\n-- Mỗi dòng là một lời chào.\nSELECT 'xin chào %' AS greeting\n"
    (folder / "mart" / "10_hello.sql").write_text(hello, encoding="utf-8")
    monkeypatch.setattr(views, "FOLDER", folder)
    monkeypatch.setattr(declared, "wide_views", list)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE bakhong_reader"))
        assert connection.execute(text("SELECT greeting FROM mart.hello")).scalar() == "xin chào %"
        said = "SELECT obj_description('mart.hello'::regclass), col_description('mart.hello'::regclass, 1)"
        assert connection.execute(text(said)).one() == (
            "Mỗi dòng là một lời chào. | One row: it's 100 % a greeting.",
            "Lời chào | A word",
        )
        assert connection.execute(text("SELECT string_agg(viewname, ',') FROM pg_views WHERE schemaname = 'mart'")).scalar() == "hello"
    monkeypatch.undo()
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM mart.indicator")).scalar() == 0
