"""The views as a BI tool reads them: pandas over psycopg, as bakhong_reader, on what a night has left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from flows.nightly import night
from flows.steps import WITHOUT_PREFECT
from tests.nights import KEY, ROOT, few_sources
from warehouse.database import connect
from warehouse.embedded import Server
from warehouse.settings import Settings

KEYS = {"unit_valid_from", "valid_from", "valid_to"}
"""Columns of a key, which has to have a value: as the reference files write it."""


@pytest.fixture(scope="module")
def reader(server: Server, engine_of_module: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A login that sees what BI tools see, after a night on a part of the samples."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, warehouse_url=None, sources=few_sources(home), secret_key=KEY.encode())
    night(settings, engine_of_module, date(2025, 5, 5), steps=replace(WITHOUT_PREFECT, report=None))
    with engine_of_module.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE bakhong_reader LOGIN PASSWORD '{server.passwords['reader']}'")
    opened = connect(server.url("reader", str(engine_of_module.url.database)))
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def frames(reader: Engine) -> dict[str, pd.DataFrame]:
    """Every view, whole."""
    with reader.connect() as connection:
        query = "SELECT schemaname || '.' || viewname FROM pg_views WHERE schemaname IN ('mart', 'star') ORDER BY 1"
        return {view: pd.read_sql(f"SELECT * FROM {view}", reader) for view in connection.scalars(text(query)).all()}


def test_every_view_is_read_and_most_of_them_tell_of_the_night(frames: dict[str, pd.DataFrame]) -> None:
    empty = {view for view, frame in frames.items() if frame.empty}
    of_sources_not_there = {
        "mart.fee_dossier",
        "mart.fee_payment",
        "mart.fee_reconciliation",
        "mart.signature_check",
        "mart.published_check",
        "mart.published_check_public",
        "mart.province_edition",
    }
    assert empty <= of_sources_not_there | {
        "mart.indicator_restated",
        "mart.indicator_restated_public",
        "mart.release",
        "mart.due_date_change",
        "star.fact_signature",
        "star.fact_survey",
    }
    assert len(frames) - len(empty) >= 25


def test_no_date_stands_for_always_or_for_ever(frames: dict[str, pd.DataFrame]) -> None:
    """Year 1, year 9999 and infinity are what tools stumble over."""
    found = [
        f"{view}.{column}"
        for view, frame in frames.items()
        for column in frame.columns.difference(KEYS)
        if frame[column].astype(str).str.match(r"(0001|9999)-\d\d-\d\d|-?inf").any()
    ]
    assert found == []


def test_nobody_is_in_what_a_tool_reads(frames: dict[str, pd.DataFrame]) -> None:
    star = {view: frame for view, frame in frames.items() if view.startswith("star.")}
    looks_like_a_hash = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{32}|\b0\d{11}\b|\b0[35789]\d{8}\b")
    for view, frame in star.items():
        for column in frame.select_dtypes(include=["object", "string"]):
            assert not frame[column].astype(str).str.contains(looks_like_a_hash).any(), f"{view}.{column}"


def test_a_line_over_time_has_one_point_a_month_in_order(frames: dict[str, pd.DataFrame]) -> None:
    indicator = frames["mart.indicator"]
    chosen = (indicator.indicator_code == "CQ4") & (indicator.unit_code == "15655") & (indicator.period_type == "month")
    line = indicator[chosen].sort_values("period_sort")
    days = pd.to_datetime(line.period_start)
    assert days.is_monotonic_increasing
    assert days.dt.strftime("%Y-%m").tolist() == line.period.tolist()
    assert len(line) >= 2


def test_what_adds_up_adds_up_to_what_was_published_of_the_unit_above(frames: dict[str, pd.DataFrame]) -> None:
    rate, published = frames["mart.indicator_rate"], frames["mart.indicator"]
    key = ["indicator_code", "period"]
    sums = rate[rate.parent_code == "396"].groupby(key)[["numerator", "denominator"]].sum(min_count=1).dropna()
    above = published[published.unit_code == "396"].set_index(key)[["numerator", "denominator"]]
    assert len(sums) > 20
    assert (sums == above.loc[sums.index]).all(axis=None)
    assert not rate[rate.indicator_code == "K2a"].is_additive.any()


def test_the_star_drilled_by_month_is_what_was_published(frames: dict[str, pd.DataFrame]) -> None:
    facts, units, days = frames["star.fact_dossier"], frames["star.dim_unit"], frames["star.dim_date"]
    drilled = facts.merge(units, on="unit_key").merge(days, on="date_key").merge(frames["star.dim_channel"], on="channel_key")
    assert len(drilled) == len(facts), "no key is without its member"
    here = drilled[(drilled.unit_code == "15655") & (drilled.month == "2024-01")]
    published = frames["mart.indicator"].set_index(["indicator_code", "unit_code", "period"]).loc[("CQ4", "15655", "2024-01")]
    assert here.dossiers.sum() == published.denominator
    assert here[here.channel_name == "Trực tuyến"].dossiers.sum() == published.numerator


def test_a_wide_view_says_what_the_long_one_says(frames: dict[str, pd.DataFrame]) -> None:
    wide = frames["mart.wide_chinh_quyen_so"].set_index(["unit_key", "period"])
    long = frames["mart.indicator"]
    long = long[long.indicator_code == "CQ5"].set_index(["unit_key", "period"])
    assert wide.cq5.dropna().to_dict() == long.value.dropna().to_dict() != {}
    assert wide.cq5_fraction.dropna().to_dict() == long.value_fraction.dropna().to_dict()
    assert wide.cq5_status.to_dict() == long.obs_status.to_dict()


def test_what_came_is_told_to_the_reader_who_sees_no_delivery(frames: dict[str, pd.DataFrame], reader: Engine) -> None:
    quality, freshness = frames["mart.quality"], frames["mart.freshness"].set_index("source")
    parts = quality[["rows_loaded", "rows_unchanged", "rows_quarantined", "rows_ignored", "rows_rejected"]].sum(axis=1)
    assert (parts == quality.rows_received).all()
    assert set(quality.source) == set(freshness.index)
    assert freshness.loc["evn-bills", ["source_state", "data_until"]].tolist() == ["late", date(2024, 3, 31)]
    assert Path(freshness.loc["evn-bills", "file_name"]).suffix == ".csv"
    assert frames["mart.quality_rule"].rows_broken.sum() > 0


ASKED = re.findall(r"```sql\n(.+?)```", (ROOT / "docs" / "bi-tools.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("question", ASKED, ids=[" ".join(words.split())[:60] for words in ASKED])
def test_a_question_of_the_page_has_an_answer(reader: Engine, question: str) -> None:
    assert not pd.read_sql(text(question), reader).empty
