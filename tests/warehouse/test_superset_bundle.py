"""The bundle for Superset holds together, says what the views say, and keeps its ids; how it is drawn is tried in tests/superset."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text

from tasks.report.superset.bundle import NO_DATE, bundle
from warehouse.seed import mark_sample

ADDRESS = "postgresql://bakhong_reader:s3cret@db.tinh.vn:5432/bakhong?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem"


def files(zipped: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        return {name.split("/", 1)[1]: yaml.safe_load(archive.read(name)) for name in archive.namelist()}


def written(engine: Engine, address: str = ADDRESS, *, is_public: bool = False) -> bytes:
    with engine.connect() as connection:
        return bundle(connection, address, is_public=is_public)


def of(found: dict[str, Any], folder: str) -> list[Any]:
    return [content for name, content in found.items() if name.startswith(f"{folder}/")]


def ids(found: dict[str, Any], folder: str) -> set[str]:
    return {content["uuid"] for content in of(found, folder)}


def test_it_comes_out_byte_for_byte_and_holds_no_password(engine_of_module: Engine) -> None:
    first = written(engine_of_module)
    assert first == written(engine_of_module)
    (database,) = of(files(first), "databases")
    assert database["sqlalchemy_uri"] == "postgresql+psycopg2://bakhong_reader:XXXXXXXXXX@db.tinh.vn:5432/bakhong?sslmode=verify-full"
    assert database["extra"] == {}
    assert "s3cret" not in str(files(first))


def test_its_ids_stay_wherever_the_warehouse_stands(engine_of_module: Engine) -> None:
    here, there = files(written(engine_of_module)), files(written(engine_of_module, "postgresql://x@elsewhere/other"))
    for folder in ("databases", "datasets", "charts", "dashboards"):
        assert ids(here, folder) == ids(there, folder) != set()
    assert [len(ids(here, folder)) for folder in ("datasets", "charts", "dashboards")] == [2, 19, 3]


def test_what_anybody_may_see_stands_beside_it_over_the_public_views(engine_of_module: Engine) -> None:
    house, public = files(written(engine_of_module)), files(written(engine_of_module, is_public=True))
    assert {dataset["table_name"] for dataset in of(public, "datasets")} == {"indicator_public"}
    assert ids(house, "databases") == ids(public, "databases")
    for folder in ("datasets", "charts", "dashboards"):
        assert not ids(house, folder) & ids(public, folder)
    assert all("(công khai)" in dashboard["dashboard_title"] for dashboard in of(public, "dashboards"))
    for dashboard in of(public, "dashboards"):
        placed = dashboard["position"]
        rows = [place["children"] for place in placed.values() if isinstance(place, dict) and place["type"] == "ROW"]
        assert {sum(placed[chart]["meta"]["width"] for chart in row) for row in rows} == {12}, "what is left out leaves no gap"


def test_columns_are_those_of_the_view_and_are_called_and_explained_in_vietnamese(engine_of_module: Engine) -> None:
    dataset = next(one for one in of(files(written(engine_of_module)), "datasets") if one["table_name"] == "indicator")
    with engine_of_module.connect() as connection:
        query = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'mart' AND table_name = 'indicator'"
        there = set(connection.scalars(text(query))) - {NO_DATE}
    stored = {column["column_name"]: column for column in dataset["columns"] if "expression" not in column}
    assert set(stored) == there
    assert stored["numerator"]["verbose_name"] == "Tử số"
    assert stored["period"]["description"] == "Kỳ, như 2024, 2024-Q1 hoặc 2024-03"
    assert {name for name, column in stored.items() if column["is_dttm"]} >= {"period_start", "period_end", "known_from"}
    assert all(column["verbose_name"] and column["description"] for column in stored.values())
    assert dataset["description"].startswith("Mỗi dòng là một chỉ tiêu, đơn vị và kỳ")


@pytest.mark.parametrize("is_public", [False, True])
def test_whatever_is_computed_is_sql_of_its_view_and_no_rate_is_averaged(engine_of_module: Engine, is_public: bool) -> None:
    for dataset in of(files(written(engine_of_module, is_public=is_public)), "datasets"):
        computed = [column["expression"] for column in dataset["columns"] if "expression" in column]
        metrics = [metric["expression"] for metric in dataset["metrics"]]
        assert not [sql for sql in metrics if "AVG" in sql.upper()]
        with engine_of_module.connect() as connection:
            for sql in (*computed, ", ".join(metrics)):
                connection.execute(text(f"SELECT {sql} FROM mart.{dataset['table_name']}"))


def test_charts_and_filters_ask_for_what_their_dataset_has(engine_of_module: Engine) -> None:
    found = files(written(engine_of_module))
    names = {
        dataset["uuid"]: {one.get("column_name") or one["metric_name"] for one in (*dataset["columns"], *dataset["metrics"])}
        for dataset in of(found, "datasets")
    }
    for chart in of(found, "charts"):
        params = chart["params"]
        asked = [params.get("metric"), params.get("x_axis"), *params.get("metrics", ()), *params.get("groupby", ())]
        asked += [*params.get("all_columns", ()), *(one.get("subject") for one in params["adhoc_filters"])]
        assert set(filter(None, asked)) <= names[chart["dataset_uuid"]], chart["slice_name"]
        assert params.get("y_axis_format") or chart["viz_type"] == "table", "a chart does not take it from its metric"
    charts = ids(found, "charts")
    for dashboard in of(found, "dashboards"):
        placed = [place["meta"] for place in dashboard["position"].values() if isinstance(place, dict) and place["type"] == "CHART"]
        assert {place["uuid"] for place in placed} <= charts
        filters = dashboard["metadata"]["native_filter_configuration"]
        assert [one["name"] for one in filters][1:] == ["Kỳ", "Chỉ tiêu"]
        for one in filters:
            assert one["targets"][0]["column"]["name"] in names[one["targets"][0]["datasetUuid"]]
            assert set(one["scope"]["excluded"]) < {place["chartId"] for place in placed}


def test_sample_data_are_called_so_above_every_dashboard(engine: Engine) -> None:
    with engine.begin() as connection:
        mark_sample(connection, True)
    assert all("Dữ liệu mẫu" in dashboard["dashboard_title"] for dashboard in of(files(written(engine)), "dashboards"))
