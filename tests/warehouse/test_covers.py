"""A value says whom it covers, and is official only when all that was expected has come or a steward says that no more will."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from tasks.deliveries.ledger import complete
from tests.warehouse.facts import LUAN_KHE, NGOC_PHUNG, THANH_HOA, THUONG_XUAN, dossiers, publish, signatures, unit_counts, unit_key, value
from tests.warehouse.test_indicator_versions import edit  # noqa: F401
from warehouse.settings import Refusal
from warehouse.tables import source

SHOPS = {"shops_qr": 3, "shops_total": 12}


def covered(engine: Engine, indicator: str, unit: str, period: str = "2024") -> tuple[Any, ...]:
    """Status, and of how many of the communes that must send it."""
    query = """
        SELECT obs_status, units_counted, units_expected FROM mart.indicator
        WHERE indicator_code = :indicator AND unit_code = :unit AND period = :period
    """
    with engine.connect() as connection:
        return tuple(connection.execute(text(query), {"indicator": indicator, "unit": unit, "period": period}).one())


# Of whom ---------------------------------------------------------------------------------------------------------------


def test_a_sum_of_some_communes_says_of_how_many_at_every_level(engine: Engine) -> None:
    with engine.begin() as c:
        for unit in (NGOC_PHUNG, LUAN_KHE):
            unit_counts(c, unit, "2024", SHOPS)
    publish(engine)
    assert covered(engine, "K2g", NGOC_PHUNG) == ("A", None, None)
    assert covered(engine, "K2g", THUONG_XUAN) == ("P", 2, 16)  # domain.md G: 16 communes; 558 in the province before 1/7/2025
    assert covered(engine, "K2g", THANH_HOA) == ("P", 2, 558)
    assert covered(engine, "K3a", THUONG_XUAN) == ("L", 0, 16)


def test_a_districts_own_figure_speaks_for_all_of_its_communes(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, THUONG_XUAN, "2024", SHOPS)
    publish(engine)
    assert covered(engine, "K2g", THUONG_XUAN) == ("A", 16, 16)
    assert covered(engine, "K2g", THANH_HOA) == ("P", 16, 558)


def test_only_those_on_its_list_must_send_an_indicator_that_has_one(engine: Engine, edit: Any) -> None:  # noqa: F811
    edit("K2g", sent_by="mo_hinh_3_khong")
    with engine.begin() as c:
        on_it = c.scalars(text("SELECT unit_code FROM warehouse.dim_unit WHERE parent_code = '396'")).all()
        for unit in on_it:
            unit_counts(c, unit, "2024", SHOPS)
        dossiers(c, [{"unit_key": unit_key(c, "14767")}])
    publish(engine)
    assert covered(engine, "K2g", THANH_HOA) == ("A", 16, 16)
    assert covered(engine, "K2g", "14767")[0] == "M", "it is on no list"


def test_who_runs_the_model_is_on_the_list_whoever_sends_data(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{}, {"received_at": "2024-09-03 08:00:00"}])
    publish(engine)
    assert value(engine, "ST1", THUONG_XUAN, "2024")[:2] == (16, 16)  # type: ignore[index]  # the article: August 2024, 16/16
    assert covered(engine, "ST1", THUONG_XUAN) == ("A", 1, 16), "one of the sixteen sends data"
    assert value(engine, "ST1", THUONG_XUAN, "2024-03")[:2] == (0, 16), "before the decision"  # type: ignore[index]
    assert value(engine, "ST1", THANH_HOA, "2024")[:2] == (16, 558)  # type: ignore[index]


def test_the_list_names_the_units_of_its_time(engine: Engine) -> None:
    with engine.begin() as c:
        dossiers(c, [{"received_at": "2025-08-03 08:00:00", "unit_key": unit_key(c, "15646", date(2025, 8, 1))}])
    publish(engine, datetime(2025, 10, 5, tzinfo=UTC))
    assert value(engine, "ST1", THANH_HOA, "2025-Q3")[:2] == (9, 166)  # type: ignore[index]  # the nine that the sixteen became


# Until when ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def office(engine: Engine) -> Engine:
    """An office that reports every quarter, and has reported on the third of 2024."""
    with engine.begin() as c:
        c.execute(insert(source).values(source="unit_counts", feed="unit_counts", layout="unit_counts_csv", expected="quarterly"))
        delivery = unit_counts(c, NGOC_PHUNG, "2024-Q3", SHOPS, exported_at=datetime(2024, 10, 5, tzinfo=UTC))
        c.execute(
            text("UPDATE ops.delivery SET business_period = '2024-Q3', tells = :tells WHERE delivery_id = :delivery"),
            {"tells": list(SHOPS), "delivery": delivery},
        )
    return engine


def reach(engine: Engine) -> tuple[Any, ...]:
    query = """
        SELECT obs_status, data_until::text, next_due::text, awaited FROM mart.indicator
        WHERE indicator_code = 'K2g' AND unit_code = '15655' AND period = '2024'
    """
    with engine.connect() as connection:
        return tuple(connection.execute(text(query)).one())


def test_a_year_that_rests_on_its_third_quarter_is_official_once_a_steward_says_that_no_more_will_come(office: Engine) -> None:
    publish(office, datetime(2025, 2, 1, tzinfo=UTC))
    assert reach(office) == ("P", "2024-09-30", "2025-01-15", "unit_counts")
    with office.begin() as c:
        complete(c, "unit_counts", "2024", "thu")
    publish(office, datetime(2025, 2, 2, tzinfo=UTC))
    assert reach(office) == ("A", "2024-09-30", None, None)
    with office.begin() as c:
        complete(c, "unit_counts", "2024", "thu", undone=True)
    publish(office, datetime(2025, 2, 3, tzinfo=UTC))
    assert reach(office) == ("P", "2024-09-30", "2025-01-15", "unit_counts")
    assert publish(office, datetime(2025, 2, 4, tzinfo=UTC)).is_nothing


def test_a_source_that_nobody_knows_cannot_be_closed(office: Engine) -> None:
    with office.begin() as c, pytest.raises(Refusal, match="unit_counts"):
        complete(c, "ofice", "2024", "thu")


def test_certificates_of_before_the_end_of_the_year_are_no_years_figure(engine: Engine) -> None:
    with engine.begin() as c:
        unit_counts(c, NGOC_PHUNG, "2024", {"population_adult": 10})
        signatures(c, [{"certificates_in_force": 3}, {"provider_key": 8, "month": "2024-09", "certificates_in_force": 2}])
    publish(engine)
    assert value(engine, "ND5C", NGOC_PHUNG, "2024")[0::3] == (5, "P")  # type: ignore[index]
