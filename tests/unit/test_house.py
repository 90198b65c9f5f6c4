"""The house stands as it was drawn: layers, documentation, nothing that names where it was built."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from docs.generate import PAGES, ROOMS, ROOT, imports
from warehouse.tables import metadata

LAYERS = {
    "desk": {"desk", "flows", "tasks", "expectations", "warehouse"},
    "flows": {"flows", "tasks", "expectations", "warehouse"},
    "tasks": {"tasks", "expectations", "warehouse"},
    "expectations": {"expectations"},
    "warehouse": {"warehouse"},
}


def modules(top: str) -> list[Path]:
    return sorted((ROOT / top).rglob("*.py"))


@pytest.mark.parametrize("path", [p for top in LAYERS for p in modules(top)], ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_between_layers_point_one_way(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    used = {name.split(".")[0] for name in imports(path)} & (LAYERS.keys() | {"samples", "tests", "docs"})
    assert used <= LAYERS[own]


def test_every_room_of_tasks_is_on_the_way_of_a_row() -> None:
    assert sorted(ROOMS) == sorted(p.name for p in (ROOT / "tasks").iterdir() if (p / "__init__.py").exists())


@pytest.mark.parametrize("path", modules("tasks"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_of_tasks_knows_only_those_before_it(path: Path) -> None:
    parts = path.relative_to(ROOT / "tasks").parts
    known = ROOMS[: ROOMS.index(parts[0]) + 1] if len(parts) > 1 else ()
    used = {name.split(".")[1] for name in imports(path) if name.startswith("tasks.")}
    assert used <= set(known)


@pytest.mark.parametrize("top", ["expectations", "warehouse"])
def test_what_holds_and_what_is_kept_know_nothing_of_prefect(top: str) -> None:
    assert not [p for p in modules(top) if any(name.split(".")[0] == "prefect" for name in imports(p))]


@pytest.mark.parametrize("top", ["desk", "flows"])
def test_flows_hold_no_sql_and_no_pandas(top: str) -> None:
    used = {name.split(".")[0] for p in modules(top) for name in imports(p)}
    assert not used & {"pandas", "pyarrow", "numpy", "great_expectations"}


@pytest.mark.parametrize("page", PAGES)
def test_reference_pages_are_up_to_date(page: str) -> None:
    assert (ROOT / "docs" / page).read_text("utf-8") == PAGES[page](), "run `make docs`"


def test_every_table_and_column_says_what_it_is() -> None:
    silent = [t.fullname for t in metadata.tables.values() if not t.comment]
    silent += [f"{t.fullname}.{c.name}" for t in metadata.tables.values() for c in t.columns if not c.comment]
    assert not silent


def test_lock_file_names_no_index_address() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text("utf-8")


def test_nightly_deployment_runs_every_night_in_vietnam() -> None:
    deployments = {d["name"]: d for d in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]}
    (schedule,) = deployments["nightly"]["schedules"]
    assert schedule["timezone"] == "Asia/Ho_Chi_Minh"
    assert schedule["active"] is True
    assert schedule["slug"]
    assert not any("concurrency_limit" in each for each in deployments.values()), "runs are kept apart by PostgreSQL (ADR 0038)"


def test_starting_the_command_line_loads_neither_prefect_nor_great_expectations() -> None:
    code = "import sys, desk.cli; print([m for m in ('prefect', 'great_expectations', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_great_expectations_comes_without_what_no_contract_needs_until_something_asks_for_it() -> None:
    code = (
        "import sys; from tasks.validate.gx import NOT_NEEDED, great_expectations; great_expectations(); "
        "print([sys.modules[name].__spec__ for name in NOT_NEEDED], 'scipy.stats._stats_py' in sys.modules); "
        "import altair, scipy.stats; print(altair.Chart.__name__, scipy.stats.norm.cdf(0), sys.modules['scipy.stats'].__spec__.name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines() == ["[None, None] False", "Chart 0.5 scipy.stats"]
