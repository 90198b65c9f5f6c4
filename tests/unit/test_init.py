"""`bakhong init`: an installation is laid down whole, once, and nothing that is there is touched."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
import yaml

from desk.installation.init import lay_down
from tasks.deliveries.source import EDITIONS, read_provinces, read_sources
from tests.nights import ROOT
from warehouse.settings import VARIABLES, Refusal, Settings

FILES = ROOT / "desk" / "installation" / "files"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BAKHONG_", "PREFECT_"))}
    monkeypatch.setattr(os, "environ", kept)  # what a `.env` adds goes with the test


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for an installation, in which commands are given."""
    (tmp_path / "place").mkdir()
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_laid_down_is_an_installation_that_can_be_read_as_it_is(place: Path) -> None:
    done = lay_down(place, ["38", "25"])
    assert {".env", "prefect.yaml", "sources.yaml"} <= set(done.written)
    assert done.kept == []
    settings = Settings.from_environment(reading=True)
    assert (settings.home, settings.sources, settings.warehouse_url) == (place / ".bakhong", place / "sources.yaml", None)
    assert read_provinces(settings.sources) == ["38", "25"]
    assert all((place / Path(source.url).relative_to(place).parent).is_dir() for source in read_sources(settings.sources))
    assert yaml.safe_load((place / "prefect.yaml").read_text("utf-8")) == yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))


def test_nothing_of_it_is_for_other_users_that_is_secret_or_names_people(place: Path) -> None:
    lay_down(place, ["38"])
    assert mode(place / ".env") == 0o600
    assert {mode(folder) for folder in (place / ".bakhong", place / "inbox", *(place / "inbox").iterdir())} == {0o700}


def test_every_installation_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        lay_down(tmp_path / name, ["38"])
        keys |= set(re.findall(r"^BAKHONG_SECRET_KEY=([0-9a-f]{64})$", (tmp_path / name / ".env").read_text("utf-8"), re.M))
    assert len(keys) == 2


def test_a_warehouse_that_is_there_keeps_the_key_it_was_made_with(place: Path) -> None:
    (place / ".bakhong").mkdir()
    (place / ".bakhong" / "secret_key").write_text("0123456789abcdef made before")
    lay_down(place, ["38"])
    assert Settings.from_environment().secret_key == b"0123456789abcdef made before"


def test_what_is_there_stays_and_is_named_and_what_is_missing_is_laid_down(place: Path) -> None:
    (place / "sources.yaml").write_text("sources: []  # mine\n")
    first = lay_down(place, ["38"])
    assert first.kept == ["sources.yaml"]
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    again = lay_down(place, ["25"])
    assert again.written == []
    assert set(again.kept) == {*first.written, "sources.yaml"}
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_without_a_province_the_night_asks_for_one(place: Path) -> None:
    lay_down(place, [])
    with pytest.raises(Refusal, match=r'danh sách mã tỉnh .* như \["38"\]'):
        read_provinces(place / "sources.yaml")


def test_a_province_that_is_none_is_refused_before_anything_is_made(place: Path) -> None:
    with pytest.raises(Refusal, match="'99'"):
        lay_down(place, ["99"])
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", ["ba khong", "ba$khong", "ba:khong", "ba'khong", "ba%khong", "ba#khong"])
def test_a_folder_is_refused_whose_name_means_something_to_a_shell_or_a_unit(name: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="đường dẫn có ký tự"):
        lay_down(tmp_path / name, ["38"])
    assert list(tmp_path.iterdir()) == []


def test_sources_that_wait_behind_a_sign_are_right_once_it_is_taken_away(place: Path) -> None:
    lay_down(place, ["38"])
    path = place / "sources.yaml"
    declared = len(read_sources(path))
    path.write_text(path.read_text("utf-8").replace("  #- ", "  - ").replace("  #  ", "    "), "utf-8")
    sources = read_sources(path)
    assert len(sources) > declared
    assert {source.feed for source in sources} == {path.stem for path in (ROOT / "expectations").glob("*.yaml")} - {"structure", EDITIONS}
    assert all(Path(source.url.split("/inbox/")[0], "inbox", source.url.split("/inbox/")[1].split("/")[0]).is_dir() for source in sources)


def test_the_settings_laid_down_tell_of_every_variable_that_means_something() -> None:
    told = set(re.findall(r"^#?(BAKHONG_\w+)=", (FILES / "dot-env").read_text("utf-8"), re.M))
    assert told == {name for name in VARIABLES if not name.endswith("_FILE")}


def test_an_installation_of_the_country_has_a_source_for_each_province_and_a_place_for_it(place: Path) -> None:
    lay_down(place, [], of_country=True)
    sources = read_sources(place / "sources.yaml")
    assert read_provinces(place / "sources.yaml")[0] == "VN"
    assert len({source.provider for source in sources}) == len(sources) == 34
    assert {(source.feed, source.layout, source.expected) for source in sources} == {("editions", "open_data", "monthly")}
    assert all(Path(source.url).is_dir() for source in sources)
    assert next(source.title for source in sources if source.provider == "38") == "Tỉnh Thanh Hóa"


def test_an_installation_is_of_provinces_or_of_the_country(place: Path) -> None:
    with pytest.raises(Refusal, match="bỏ --province"):
        lay_down(place, ["38"], of_country=True)
