"""Decision 766 in the warehouse: the portal's capture recomputed cell by cell, and our own dossiers beside it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from expectations.contract import contract
from tasks.ask.score_card import score_card
from tasks.ask.score_table import score_table
from tasks.count.counting import counting
from tasks.deliveries.ledger import pending
from tasks.deliveries.source import Source
from tasks.load.deliver import load
from tasks.one_stop_shop.scores import compute_scores
from tasks.pull.landing import pull
from tasks.read.file import Rejected, read
from tasks.validate.checks import validate
from tests.warehouse.facts import begin
from warehouse.seed import know_provinces

SAMPLES = Path("samples/portal-766")
BETWEEN = datetime.fromisoformat("2026-09-27T12:00:00+07:00")
NIGHT = datetime.fromisoformat("2026-09-30T23:59:59+07:00")


def ingest(engine: Engine, home: Path, folder: Path) -> int:
    """Pulls and loads every answer below a folder; returns how many were new."""
    source = Source("national-portal", "portal_766", "portal_766_json", "dvcqg", f"{folder}/*/*/*/*-all.json", "monthly")
    landed = pull(engine, source, home)
    terms = contract("portal_766")
    for delivery in pending(engine, home):
        chunks = read(delivery.path, terms, delivery.layout, b"key", delivery.file_name)
        load(engine, delivery, terms, validate(chunks, terms, delivery.layout, delivery.file_name))
    return landed


def compute(engine: Engine, as_of: datetime = NIGHT) -> Any:
    with engine.begin() as connection:
        night = counting(connection, as_of)
        return compute_scores(connection, night, begin(connection, night.as_of))


def ask(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def test_every_score_of_the_captured_month_holds(engine: Engine, home: Path) -> None:
    assert ingest(engine, home, SAMPLES).landed == 6
    compute(engine)
    verdicts = dict(ask(engine, "SELECT verdict, count(*) FROM mart.published_check WHERE indicator_code LIKE '766.%' GROUP BY verdict"))
    assert verdicts == {"holds": 2461, "not_computable": 163 + 164}
    assert ask(
        engine,
        "SELECT feed, sum(rows_received), sum(rows_loaded), sum(rows_quarantined), sum(rows_ignored) FROM ops.delivery GROUP BY feed",
    ) == [("portal_766", 4267, 4267, 0, 0)]
    assert ask(engine, "SELECT count(*) FROM warehouse.dim_department WHERE agency_key = 0 AND department_key <> 0") == [(0,)]


def test_the_portals_code_of_our_own_province_is_its_unit_though_no_list_names_it(engine: Engine, home: Path) -> None:
    with engine.begin() as connection:
        know_provinces(connection, ["25"])
    ingest(engine, home, SAMPLES)
    compute(engine)
    query = "SELECT DISTINCT unit_code, unit_valid_from::text FROM mart.score_766 WHERE department_code = 'H44'"
    assert ask(engine, query) == [("25", "2025-07-01")]


def test_departments_of_another_province_are_no_units_of_ours(engine: Engine, home: Path) -> None:
    ingest(engine, home, SAMPLES)
    compute(engine)
    assert ask(engine, "SELECT DISTINCT unit_code FROM mart.score_766 WHERE counted_by = 'portal'") == [("0",)]
    totals = (
        "SELECT group_code, score::float, max_score::int, obs_status FROM mart.score_766 "
        "WHERE department_code = 'H44' AND component_code IS NULL ORDER BY 1"
    )
    assert ask(engine, totals) == [
        ("CKMB", 7.96, 18, "P"), ("CLGQ", 8.83, 12, "A"), ("MDHL", 12.96, 18, "A"),
        ("MDSH", 8.24, 22, "A"), ("TDGQ", 15.68, 20, "A"), ("TTTT", 6.25, 10, "A"),
    ]  # fmt: skip


def test_null_zero_and_full_marks_stay_three_things(engine: Engine, home: Path) -> None:
    ingest(engine, home, SAMPLES)
    compute(engine)
    found = {
        code: (score, status)
        for code, score, status in ask(
            engine,
            "SELECT component_code, score::float, obs_status FROM mart.score_766 WHERE department_code = 'H44.01' AND component_code IN "
            "('REUSED_DIGITIZED_DATA', 'DOSSIER_RECEIVING_SATISFACTION', 'PETITION_HANDLING_SATISFACTION', 'DOSSIER_SYNC')",
        )
    }
    assert found == {
        "REUSED_DIGITIZED_DATA": (None, "M"),
        "DOSSIER_RECEIVING_SATISFACTION": (0, "A"),
        "PETITION_HANDLING_SATISFACTION": (6, "A"),
        "DOSSIER_SYNC": (None, "L"),
    }


def test_the_same_bytes_asked_for_another_period_are_another_answer(engine: Engine, home: Path, tmp_path: Path) -> None:
    for period in ("2026-08", "2026-Q3", "2026"):
        shutil.copytree(SAMPLES / "H44" / "2026-08", tmp_path / "portal" / "H44" / period)
    assert ingest(engine, home, tmp_path / "portal").landed == 18
    compute(engine)
    assert ask(engine, "SELECT period, count(*) FROM mart.published_check WHERE verdict = 'holds' GROUP BY period ORDER BY period") == [
        ("2026", 2461), ("2026-08", 2461), ("2026-Q3", 2461)
    ]  # fmt: skip


def _earlier_capture(folder: Path) -> None:
    """The answer of two days before, as far as its counts are known: province and 42 of 163 departments, no scores."""
    answer = json.loads((SAMPLES / "H44/2026-08/2026-09-28T1514Z/dossier-digitized-all.json").read_text("utf-8"))
    data = answer["data"]
    with Path("tests/fixtures/portal_766/recapture_2026-09-26_counts.csv").open(encoding="utf-8") as file:
        counts = {
            (row["departmentCode"], row["metric"]): (int(row["numerator"]), int(row["denominator"]))
            for row in csv.DictReader(file)
            if row["endpoint"] == "dossier-digitized"
        }
    known = {department for department, _ in counts}
    data["evaluation"] = [node for node in data["evaluation"] if node["departmentCode"] in known]
    data["pagination"]["total"] = len(data["evaluation"])
    for node in (data["overview"], *data["evaluation"]):
        node["metrics"] = [metric for metric in node["metrics"] if metric["numerator"] is not None]
        for metric in node["metrics"]:
            metric["numerator"], metric["denominator"] = counts[node["departmentCode"], metric["code"]]
            metric["ratio"] = metric["score"] = None
    folder.mkdir(parents=True)
    (folder / "dossier-digitized-all.json").write_text(json.dumps(answer), "utf-8")


@pytest.mark.parametrize("in_order", [True, False], ids=["in order", "the earlier one last"])
def test_a_later_capture_replaces_the_earlier_as_a_whole_and_shows_as_a_revision(
    engine: Engine, home: Path, tmp_path: Path, in_order: bool
) -> None:
    portal = tmp_path / "portal"
    month = portal / "H44" / "2026-08"
    arrivals = [
        lambda: _earlier_capture(month / "2026-09-26T1814Z"),
        lambda: shutil.copytree(SAMPLES / "H44/2026-08/2026-09-28T1514Z", month / "2026-09-28T1514Z"),
    ]
    for arrive in arrivals if in_order else reversed(arrivals):
        arrive()
        ingest(engine, home, portal)
        if in_order:
            compute(engine, BETWEEN if len(list(month.iterdir())) == 1 else NIGHT)
    told = (
        "SELECT f.numerator, f.denominator FROM warehouse.fact_portal_766 f JOIN warehouse.dim_department USING (department_key) "
        "JOIN warehouse.dim_agency USING (agency_key) WHERE agency_code = :code AND component_code = 'ORIGINAL_RESULT_AVAILABLE' "
        "AND f.known_from <= :day AND f.known_to > :day"
    )
    assert ask(engine, told, code="H44", day=BETWEEN) == [(133274, 184513)]
    assert ask(engine, told, code="H44", day=NIGHT) == [(133609, 184503)]
    current = "SELECT count(*) FROM warehouse.fact_portal_766 WHERE known_to = 'infinity' AND group_code = 'MDSH'"
    assert ask(engine, current) == [(164 * 8,)]
    if in_order:
        revisions = (
            "SELECT f.revision, f.numerator, f.denominator, f.score::float FROM warehouse.fact_score_766 f "
            "JOIN warehouse.dim_agency USING (agency_key) "
            "WHERE agency_code = 'H44' AND component_code = 'ORIGINAL_RESULT_AVAILABLE' ORDER BY revision"
        )
        assert ask(engine, revisions) == [(1, 133274, 184513, 4.33), (2, 133609, 184503, 4.34)]
        assert ask(engine, "SELECT count(*) FROM mart.published_check WHERE verdict = 'differs'") == [(0,)]


def test_the_table_ranks_departments_of_a_level_and_sums_the_groups(engine: Engine, home: Path) -> None:
    ingest(engine, home, SAMPLES)
    compute(engine)
    with engine.connect() as connection:
        table = score_table(connection, "2026-08", "portal")
    assert [(line.code, float(line.total or 0), line.rank) for line in table if line.level == "province"] == [("H44", 59.92, 1)]
    communes = [line for line in table if line.level == "commune"]
    assert len(communes) == 148
    for line in communes:
        assert line.rank == 1 + sum((other.total or 0) > (line.total or 0) for other in communes)
        assert line.max_score == 100


def test_a_night_without_news_computes_nothing(engine: Engine, home: Path) -> None:
    ingest(engine, home, SAMPLES)
    assert compute(engine).portal.added == 3939
    again = compute(engine)
    assert (again.portal.added, again.portal.revised, again.portal.ended) == (0, 0, 0)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda answer: answer.update(code="ERROR"), "P766-010"),
        (lambda answer: answer["data"]["evaluation"].pop(), "P766-010"),
        (lambda answer: answer["data"]["overview"].pop("metrics"), "P766-010"),
        (lambda answer: answer["data"]["overview"].update(departmentCode="H56"), "P766-009"),
    ],
)
def test_what_is_no_complete_answer_is_refused_whole(tmp_path: Path, spoil: Callable[[Any], None], code: str) -> None:
    answer = json.loads((SAMPLES / "H44/2026-08/2026-09-28T1514Z/dossier-digitized-all.json").read_text("utf-8"))
    spoil(answer)
    path = tmp_path / "bytes"
    path.write_text(json.dumps(answer), "utf-8")
    with pytest.raises(Rejected) as refusal:
        list(read(path, contract("portal_766"), "portal_766_json", b"key", "H44/2026-08/2026-09-28T1514Z/dossier-digitized-all.json"))
    assert refusal.value.rule_code == code


def test_a_path_that_does_not_say_the_period_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="P766-008"):
        list(
            read(
                SAMPLES / "H44/2026-08/2026-09-28T1514Z/dossier-digitized-all.json",
                contract("portal_766"),
                "portal_766_json",
                b"key",
                "dossier-digitized-all.json",
            )
        )


def scored(connection: Connection, code: str, period: str, score: int | None, as_of: datetime = NIGHT, group: str = "CKMB") -> None:
    """A score of one group of a commune, as published."""
    connection.execute(
        text(
            "INSERT INTO warehouse.fact_score_766 (counted_by, agency_key, unit_key, period, group_code, component_code, revision, score, "
            "max_score, obs_status, is_computed, known_from, publication_id) "
            "SELECT 'pipeline', 0, unit_key, :period, :group, '', 1, :score, 20, 'A', true, :as_of, 1 FROM warehouse.dim_unit "
            "WHERE unit_code = :code AND DATE '2024-06-30' BETWEEN valid_from AND valid_to"
        ),
        {"code": code, "period": period, "score": score, "as_of": as_of, "group": group},
    )


def test_equal_scores_share_a_place_and_who_has_none_has_no_place(engine: Engine) -> None:
    with engine.begin() as connection:
        for code, score in {"15655": 12, "15637": 15, "15640": 12, "15643": 9, "15646": None}.items():
            scored(connection, code, "2024-Q1", score)
    query = "SELECT unit_code, rank, ranked FROM mart.score_766_total WHERE period = '2024-Q1' ORDER BY rank NULLS LAST, unit_code"
    places = [("15637", 1, 4), ("15640", 2, 4), ("15655", 2, 4), ("15643", 4, 4), ("15646", None, 4)]
    assert ask(engine, query) == places


def test_units_are_ranked_and_compared_only_where_they_are_scored_on_the_same_groups(engine: Engine) -> None:
    with engine.begin() as connection:
        for code, groups in {"15655": {"CKMB": 12}, "15637": {"CKMB": 15}, "15640": {"CKMB": 9, "TDGQ": 20}}.items():
            for group, score in groups.items():
                scored(connection, code, "2024-Q1", score, group=group)
        scored(connection, "15640", "2023-Q4", 9)
    query = (
        "SELECT unit_code, score, groups, rank, ranked, change FROM mart.score_766_total WHERE period = '2024-Q1' "
        "ORDER BY ranked DESC, rank, unit_code"
    )
    assert ask(engine, query) == [
        ("15637", 15, "CKMB", 1, 2, None), ("15655", 12, "CKMB", 2, 2, None), ("15640", 29, "CKMB, TDGQ", 1, 1, None)
    ]  # fmt: skip


@pytest.mark.parametrize(("printed", "points"), [(2.5, 2.5), (2, 2), (None, 2)], ids=["above it", "at it", "not printed"])
def test_where_the_portal_leaves_a_maximum_open_its_own_total_decides(
    engine: Engine, home: Path, tmp_path: Path, printed: float | None, points: float
) -> None:
    capture = "2026-08/2026-09-26T1814Z/formality-online-payment-tree-all.json"
    answer = json.loads((SAMPLES / "H44" / capture).read_text("utf-8"))
    parent = answer["data"]["parent"]
    parent.update(totalDossierOnlinePaymentSuccess=0, totalDossierOnlineFormalityPaymentSuccess=0)
    parent.update(totalFeeDossierFormality=4, totalFeeFormality=4, totalScore=printed)
    path = tmp_path / "portal" / "H44" / capture
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(answer), "utf-8")
    ingest(engine, home, tmp_path / "portal")
    compute(engine)
    query = (
        "SELECT score::float FROM mart.score_766 WHERE department_code = 'H44' "
        "AND component_code IS NOT DISTINCT FROM CAST(:component AS text) AND group_code = 'TTTT'"
    )
    assert [ask(engine, query, component=component) for component in ("FEE_PROCEDURES_WITH_DOSSIERS", None)] == [[(points,)]] * 2
    with engine.connect() as connection:
        lines = score_card(connection, "H44", "2026-08").lines
    assert [line.component_code for line in lines if line.is_held_at_maximum] == ["FEE_PROCEDURES_WITH_DOSSIERS"] * (points == 2)


def test_ratios_are_the_portals_own_also_of_the_progress_group_and_of_the_certified_copy(engine: Engine, home: Path) -> None:
    ingest(engine, home, SAMPLES)
    compute(engine)
    printed = "SELECT count(*), count(*) FILTER (WHERE s.ratio IS DISTINCT FROM f.ratio) FROM warehouse.fact_portal_766 f "
    ours = (
        "JOIN warehouse.dim_department d USING (department_key) JOIN warehouse.fact_score_766 s ON s.agency_key = d.agency_key "
        "AND (s.period, s.group_code, s.component_code) = (f.period, f.group_code, f.component_code) AND s.counted_by = 'portal' "
        "WHERE s.component_code IN ('', 'ON_TIME', 'ELECTRONIC_CERTIFIED_COPY')"
    )
    assert ask(engine, printed + ours) == [(164 * (6 + 1 + 1), 0)]
    of_province = "SELECT ratio::float FROM mart.score_766 WHERE department_code = 'H44' AND group_code = 'TDGQ' AND component_code IS NULL"
    assert ask(engine, of_province) == [(78.38,)]  # 144625 of 184513; 15,68 of 20 points would be 78,40


@pytest.mark.parametrize(
    ("period", "before"),
    [("2024-01", "2023-12"), ("2024-10", "2024-09"), ("2024-Q1", "2023-Q4"), ("2024-Q3", "2024-Q2"), ("2024", "2023")],
)
def test_a_total_is_compared_with_the_period_before_of_the_same_kind(engine: Engine, period: str, before: str) -> None:
    with engine.begin() as connection:
        scored(connection, "15655", before, 9)
        scored(connection, "15655", period, 12)
    query = "SELECT period_before, score, change FROM mart.score_766_total WHERE period = :period"
    assert ask(engine, query, period=period) == [(before, 12, 3)]
