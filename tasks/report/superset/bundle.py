"""The zip that Superset imports: database, datasets, charts, dashboards, each with the id of its name: importing again updates."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml
from sqlalchemy import URL, Connection, make_url, text

from tasks.words import vietnamese as vi
from warehouse.seed import is_sample
from warehouse.views import literal

DECLARED = Path(__file__).with_name("dashboards.yaml")
FOLDER = "bakhong"
VERSION = "1.0.0"
"""Of Superset's format."""
ASKED_FOR = "XXXXXXXXXX"
"""What Superset itself writes for a password: whoever imports the bundle is asked for it."""
NAMESPACE = UUID("5c2bb2a0-5f5e-5d0e-9c7e-3b6b0d0a3a11")
NO_DATE = "unit_valid_from"
"""A key that says 0001-01-01 where the day is not known, which no tool takes for a date."""
WRITTEN_ON = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can tell: the bundle tells of no other."""
ROW_HEIGHT = {"table": 60}
FLEXIBLE_HEIGHT = 50


@dataclass(frozen=True)
class Column:
    """A column of a view, as the database tells of it."""

    name: str
    type: str
    meaning: str

    @property
    def label(self) -> str:
        """The beginning of what it means."""
        return _until(self.meaning, ",;:.(") or self.name


@dataclass(frozen=True)
class Shown:
    """What is written for whom: the views of the house, or those that anybody may see."""

    declared: Mapping[str, Any]
    is_public: bool
    note: str
    """Stands above every dashboard, as that the data are samples."""

    def id(self, *names: str) -> str:
        """The id of something: the same name, the same id."""
        return str(uuid5(NAMESPACE, "/".join(["public" if self.is_public else "mart", *names])))

    def view(self, dataset: str) -> str | None:
        """The view that a dataset is of; nothing where there is none for who it is shown to."""
        view: str | None = self.declared["datasets"][dataset].get("public" if self.is_public else "view")
        return view

    def named(self, name: str) -> str:
        """The name of a chart or dashboard, as Superset lists it beside others."""
        return f"{name}{' (công khai)' if self.is_public else ''}"


def bundle(connection: Connection, address: str, *, is_public: bool) -> bytes:
    """The zip for a warehouse with an address; for the public over the views that withhold small groups."""
    shown = Shown(_declared(), is_public, vi.SAMPLE if is_sample(connection) else "")
    files = {"metadata.yaml": {"version": VERSION}, "databases/Ba_Khong.yaml": _database(shown, address)}
    for name in shown.declared["datasets"]:
        if view := shown.view(name):
            files[f"datasets/Ba_Khong/{view}.yaml"] = _dataset(connection, shown, name, view)
    for level in shown.declared["dashboards"]:
        placed = list(_charts(shown, level))
        files |= {f"charts/{level}_{chart['key']}.yaml": chart["file"] for row in placed for chart in row}
        files[f"dashboards/{level}.yaml"] = _dashboard(shown, level, placed)
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", WRITTEN_ON)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000))
    return told.getvalue()


@cache
def _declared() -> Mapping[str, Any]:
    words = " ".join(f"WHEN {literal(letter)} THEN {literal(name)}" for letter, name in vi.OBS_STATUS.items())
    declared: Mapping[str, Any] = yaml.safe_load(DECLARED.read_text("utf-8").replace("{OBS_STATUS}", words))
    return declared


def _database(shown: Shown, address: str) -> dict[str, Any]:
    url = make_url(address)
    query = {name: value for name, value in url.query.items() if name == "sslmode"}
    reader = URL.create("postgresql+psycopg2", "bakhong_reader", ASKED_FOR, url.host, url.port, url.database, query)
    return {
        "database_name": "Ba Không",
        "sqlalchemy_uri": reader.render_as_string(hide_password=False),
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {},
        "uuid": Shown(shown.declared, False, "").id("database"),
        "version": VERSION,
    }


def _dataset(connection: Connection, shown: Shown, name: str, view: str) -> dict[str, Any]:
    declared = shown.declared["datasets"][name]
    columns = [
        {
            "column_name": column.name,
            "verbose_name": shown.declared["labels"].get(column.name, column.label),
            "description": column.meaning,
            "type": column.type,
            "is_dttm": column.type.startswith(("DATE", "TIMESTAMP")),
            "groupby": True,
            "filterable": True,
        }
        for column in _columns(connection, view)
        if column.name != NO_DATE
    ]
    computed = [
        {"column_name": name, "verbose_name": one["label"], "expression": one["sql"], "type": "TEXT", "groupby": True, "filterable": True}
        for name, one in declared["computed"].items()
    ]
    metrics = [
        {"metric_name": name, "verbose_name": one["label"], "expression": one["sql"], "d3format": one["format"], "metric_type": None}
        for name, one in declared["metrics"].items()
    ]
    return {
        "table_name": view,
        "main_dttm_col": declared["time"],
        "description": connection.scalar(text(_ROW), {"view": f"mart.{view}"}),
        "schema": "mart",
        "sql": None,
        "filter_select_enabled": True,
        "uuid": shown.id("dataset", name),
        "metrics": metrics,
        "columns": [*columns, *computed],
        "version": VERSION,
        "database_uuid": Shown(shown.declared, False, "").id("database"),
    }


def _charts(shown: Shown, level: str) -> Iterator[list[dict[str, Any]]]:
    """The charts of a dashboard, row by row: how each is placed, and its file."""
    number = 0
    for row in shown.declared["dashboards"][level]["rows"]:
        placed = []
        for place in row:
            declared = shown.declared["charts"][place["chart"]]
            if shown.view(declared["dataset"]) is None:
                continue
            number += 1
            is_own = "sql" not in place and declared["dataset"] == "indicator"
            where = {**({"unit_level": level} if is_own else {}), **declared.get("where", {})}
            filters = [*map(_is, where, where.values()), *([_sql(place["sql"])] if "sql" in place else [])]
            key, viz = place["chart"], declared["type"]
            file = {
                "slice_name": shown.named(declared["name"]),
                "viz_type": viz,
                "params": {"viz_type": viz, "adhoc_filters": filters, "row_limit": 1000, **declared["params"]},
                "uuid": shown.id("chart", level, key),
                "version": VERSION,
                "dataset_uuid": shown.id("dataset", declared["dataset"]),
            }
            placed.append({"key": key, "number": number, "width": place["width"], "declared": declared, "file": file})
        yield _stretched(placed)


def _stretched(row: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row in which what is left out leaves no gap: its last chart takes the room."""
    if row:
        row[-1]["width"] += 12 - sum(chart["width"] for chart in row)
    return row


def _dashboard(shown: Shown, level: str, rows: Sequence[Sequence[dict[str, Any]]]) -> dict[str, Any]:
    declared = shown.declared["dashboards"][level]
    charts = [chart for row in rows for chart in row]
    title = f"{shown.named(declared['name'])}{f' – {shown.note}' if shown.note else ''}"
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [f"ROW-{n}" for n in range(len(rows))], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
    }
    for number, row in enumerate(rows):
        of_row = f"ROW-{number}"
        inside = [f"CHART-{chart['number']}" for chart in row]
        position[of_row] = {
            "type": "ROW",
            "id": of_row,
            "children": inside,
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for place, chart in zip(inside, row, strict=True):
            position[place] = {
                "type": "CHART",
                "id": place,
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID", of_row],
                "meta": {
                    "chartId": chart["number"],
                    "uuid": chart["file"]["uuid"],
                    "width": chart["width"],
                    "height": ROW_HEIGHT.get(chart["file"]["viz_type"], FLEXIBLE_HEIGHT),
                    "sliceName": chart["file"]["slice_name"],
                },
            }
    of_months = [chart["number"] for chart in charts if chart["declared"].get("where", {}).get("period_type") == "month"]
    of_all = [chart["number"] for chart in charts if chart["key"] in ("met", "unmet", "against", "table")]
    unit, dataset = declared["unit"], shown.id("dataset", "indicator")
    filters = [
        _filter(dataset, unit["label"], unit["column"], [_is("unit_level", level)]),
        _filter(dataset, "Kỳ", "period", [_sql("value IS NOT NULL")], excluded=of_months, highest="last_year_first"),
        _filter(dataset, "Chỉ tiêu", "indicator_title", [], excluded=of_all, highest="most_told"),
    ]
    return {
        "dashboard_title": title,
        "description": "Do bakhong superset bundle lập; nhập lại thì thay.",
        "css": "",
        "slug": f"bakhong-{level}{'-public' if shown.is_public else ''}",
        "uuid": shown.id("dashboard", level),
        "published": True,
        "position": position,
        "metadata": {
            "native_filter_configuration": filters,
            "cross_filters_enabled": True,
            "color_scheme": "supersetColors",
            "label_colors": {},
            "refresh_frequency": 0,
            "timed_refresh_immune_slices": [],
            "expanded_slices": {},
            "default_filters": "{}",
        },
        "version": VERSION,
    }


def _filter(
    dataset: str,
    label: str,
    column: str,
    among: Sequence[Mapping[str, Any]],
    *,
    excluded: Sequence[int] = (),
    highest: str | None = None,
) -> dict[str, Any]:
    """A filter of a dashboard that always chooses one value: at first the first, or that of which a metric is the highest."""
    return {
        "id": f"NATIVE_FILTER-{column}",
        "name": label,
        "filterType": "filter_select",
        "targets": [{"column": {"name": column}, "datasetUuid": dataset}],
        "adhoc_filters": list(among),
        "requiredFirst": {"defaultToFirstItem": True},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
        **({"sortMetric": highest} if highest else {}),
        "scope": {"rootPath": ["ROOT_ID"], "excluded": list(excluded)},
        "controlValues": {
            "enableEmptyFilter": True,
            "defaultToFirstItem": True,
            "multiSelect": False,
            "searchAllOptions": False,
            "inverseSelection": False,
            "sortAscending": highest is None,
        },
        "type": "NATIVE_FILTER",
        "description": "",
    }


def _is(column: str, value: object) -> dict[str, Any]:
    return {"clause": "WHERE", "expressionType": "SIMPLE", "subject": column, "operator": "==", "comparator": value}


def _sql(condition: str) -> dict[str, Any]:
    return {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": condition}


def _columns(connection: Connection, view: str) -> list[Column]:
    rows = connection.execute(text(_COLUMNS), {"view": f"mart.{view}"})
    return [Column(row.name, row.type.upper(), row.meaning or "") for row in rows]


def _until(words: str, signs: str) -> str:
    places = [place for sign in signs if (place := words.find(sign)) >= 0]
    return words[: min(places, default=len(words))].strip()


# A comment says the same in Vietnamese and in English (warehouse.views.Words).
_ROW = "SELECT split_part(obj_description(CAST(:view AS regclass), 'pg_class'), ' | ', 1)"
_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    split_part(col_description(a.attrelid, a.attnum), ' | ', 1) AS meaning
FROM pg_attribute a WHERE a.attrelid = CAST(:view AS regclass) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
