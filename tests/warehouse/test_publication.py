"""What is computed becomes revisions: one number a publication, nothing overwritten, and no night that turns back what was published."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, text

from tasks.count.revisions import NOTHING, Revised, last_publication, revise
from tests.warehouse.facts import NGOC_PHUNG, begin, unit_key
from warehouse.tables import fact_form_06a, fact_indicator

MONTHS = JANUARY, FEBRUARY, MARCH, APRIL = tuple(datetime(2024, month, 28, tzinfo=UTC) for month in (1, 2, 3, 4))
Counts = dict[str, int]


OF_INDICATOR = ("indicator_key", "unit_key", "period")
VALUE = ("numerator", "denominator", "value", "obs_status", "obs_reason")
FORM = ("sector_name", *(f"c{number}" for number in range(3, 14)))


def told(connection: Connection, as_of: datetime, counts: Counts) -> Revised:
    """Publishes numerators over 100 of one indicator and unit by period; what is not among them ends."""
    rows = ", ".join(f"(1, 1, '{period}', {numerator}, 100, {numerator}, 'A', NULL)" for period, numerator in counts.items())
    candidates(connection, fact_indicator, (*OF_INDICATOR, *VALUE), rows)
    return revise(
        connection,
        begin(connection, as_of),
        fact_indicator,
        "candidate",
        keys=OF_INDICATOR,
        values=VALUE,
        counted_as="values",
        ends="TRUE",
    )


def candidates(connection: Connection, table: Table, columns: Sequence[str], rows: str) -> None:
    made = f"CREATE TEMPORARY TABLE candidate AS SELECT {', '.join(columns)} FROM {table.fullname} LIMIT 0"
    connection.execute(text(f"DROP TABLE IF EXISTS candidate; {made}"))
    if rows:
        connection.execute(text(f"INSERT INTO candidate VALUES {rows}"))


def known(connection: Connection, at: datetime | str) -> Counts:
    """What was in force at a time; two revisions of a line at once would be an error."""
    rows = connection.execute(
        text(
            "SELECT period, numerator FROM warehouse.fact_indicator "
            "WHERE known_from <= CAST(:at AS timestamptz) AND known_to > CAST(:at AS timestamptz)"
        ),
        {"at": str(at)},
    ).all()
    assert len(rows) == len({period for period, _ in rows})
    return {row.period: row.numerator for row in rows}


def lines(connection: Connection) -> Sequence[Any]:
    return connection.execute(
        text("SELECT period, revision, numerator, publication_id FROM warehouse.fact_indicator ORDER BY period, revision")
    ).all()


def test_what_differs_is_revised_what_is_gone_ends_and_what_is_back_goes_on_counting(engine: Engine) -> None:
    with engine.begin() as c:
        assert told(c, JANUARY, {"2023": 50, "2024": 10}) == Revised(added=2)
        assert told(c, FEBRUARY, {"2023": 50, "2024": 20}) == Revised(revised=1)
        assert told(c, MARCH, {"2023": 50}) == Revised(ended=1)
        assert told(c, APRIL, {"2023": 50, "2024": 20}) == Revised(added=1)
        assert [tuple(row) for row in lines(c)] == [("2023", 1, 50, 1), ("2024", 1, 10, 1), ("2024", 2, 20, 2), ("2024", 3, 20, 4)]
        assert known(c, JANUARY) == {"2023": 50, "2024": 10}
        assert known(c, MARCH) == {"2023": 50}
        counted = c.execute(text("SELECT values_added, values_revised, values_ended FROM ops.publication ORDER BY publication_id")).all()
        assert [tuple(row) for row in counted] == [(2, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0)]


def test_without_a_change_there_is_no_publication(engine: Engine) -> None:
    with engine.begin() as c:
        told(c, JANUARY, {"2023": 50})
        assert told(c, FEBRUARY, {"2023": 50}) == NOTHING
        assert c.scalar(text("SELECT count(*) FROM ops.publication")) == 1


def test_indicators_forms_and_scores_are_published_under_one_number(engine: Engine) -> None:
    with engine.begin() as c:
        publication, unit = begin(c, JANUARY), unit_key(c, NGOC_PHUNG)
        candidates(c, fact_indicator, (*OF_INDICATOR, *VALUE), f"(1, {unit}, '2024', 1, 1, 100, 'A', NULL)")
        revise(c, publication, fact_indicator, "candidate", keys=OF_INDICATOR, values=VALUE, counted_as="values")
        sector = ("unit_key", "period", "reporting_calendar", "section", "sector_code")
        candidates(
            c, fact_form_06a, (*sector, *FORM), f"({unit}, '2024', 'lich', 'commune', 'HT', 'Hộ tịch', 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0)"
        )
        revise(c, publication, fact_form_06a, "candidate", keys=sector, values=FORM, counted_as="lines")
        numbers = "SELECT publication_id FROM warehouse.fact_indicator UNION ALL SELECT publication_id FROM warehouse.fact_form_06a"
        assert c.scalars(text(numbers)).all() == [publication.publication_id] * 2
        assert c.execute(text("SELECT values_added, lines_added FROM ops.publication")).one() == (1, 1)


def test_a_night_of_an_earlier_day_adds_what_was_missing_then_and_touches_nothing_else(engine: Engine) -> None:
    with engine.begin() as c:
        told(c, FEBRUARY, {"2023": 50})
        told(c, APRIL, {"2023": 60, "2024": 70})
        assert told(c, MARCH, {"2023": 55, "2024": 7}) == Revised(added=1)
        assert known(c, FEBRUARY) == {"2023": 50}
        assert known(c, MARCH) == {"2023": 50, "2024": 7}, "what was published and in force then stays"
        assert known(c, APRIL) == known(c, "2100-01-01") == {"2023": 60, "2024": 70}
        assert told(c, MARCH, {"2023": 55, "2024": 8}) == NOTHING
        assert ("2024", 2, 7, 3) in [tuple(row) for row in lines(c)], "revisions count publications in the order they were made"
        assert told(c, APRIL, {"2023": 61, "2024": 70}) == Revised(revised=1), "what is in force goes on"


def test_what_the_last_publication_no_longer_knew_does_not_come_back_with_an_earlier_day(engine: Engine) -> None:
    with engine.begin() as c:
        told(c, APRIL, {"2023": 60})
        assert told(c, JANUARY, {"2022": 10, "2023": 5}) == Revised(added=2)
        assert known(c, JANUARY) == {"2022": 10, "2023": 5}
        assert known(c, APRIL) == known(c, "2100-01-01") == {"2023": 60}


def test_a_night_of_an_earlier_day_leaves_the_news_to_the_next_one(engine: Engine) -> None:
    with engine.begin() as c:
        told(c, APRIL, {"2023": 60})
        counted = last_publication(c)
        c.execute(text("INSERT INTO ops.load (delivery_id) VALUES (NULL)"))
        told(c, JANUARY, {"2023": 5})
        assert last_publication(c) == counted
        assert c.scalar(text("SELECT max(load_id) FROM ops.publication")) == counted.load_id  # type: ignore[union-attr]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nights=st.lists(
        st.tuples(
            st.sampled_from([JANUARY, FEBRUARY, MARCH, APRIL]), st.dictionaries(st.sampled_from(["2022", "2023"]), st.integers(0, 3))
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_the_order_of_nights_the_latest_day_is_in_force_and_a_line_has_one_answer_at_a_time(
    engine: Engine, nights: list[tuple[datetime, Counts]]
) -> None:
    with engine.connect() as c:
        latest, shown = JANUARY, Counts()
        for as_of, counts in nights:
            done = told(c, as_of, counts)
            if as_of >= latest:
                latest, shown = latest if done == NOTHING else as_of, counts
            for at in MONTHS:
                known(c, at)
            assert known(c, "2100-01-01") == shown
        c.rollback()
