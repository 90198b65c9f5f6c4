import stat
from pathlib import Path

import pytest

from warehouse.settings import Refusal, Settings


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BAKHONG_WAREHOUSE_URL", "BAKHONG_SOURCES", "BAKHONG_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BAKHONG_HOME", str(tmp_path / "home"))


def test_the_sample_run_makes_its_own_key_once_and_keeps_it_private(tmp_path: Path) -> None:
    first, second = Settings.from_environment(), Settings.from_environment()
    assert first == second
    assert len(first.secret_key) >= 32
    assert stat.S_IMODE((tmp_path / "home" / "secret_key").stat().st_mode) == 0o600


def test_a_given_warehouse_refuses_to_work_without_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://db.example/bakhong")
    with pytest.raises(Refusal, match="BAKHONG_SECRET_KEY is not set"):
        Settings.from_environment()
    assert not (tmp_path / "home" / "secret_key").exists()


def test_a_key_that_is_too_short_to_protect_anyone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_SECRET_KEY", "secret")
    with pytest.raises(Refusal, match="too short") as refusal:
        Settings.from_environment()
    assert "'secret'" not in str(refusal.value)


def test_a_home_that_is_a_file_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BAKHONG_HOME", str(tmp_path / "file"))
    with pytest.raises(Refusal, match=r"BAKHONG_HOME .*cannot be used"):
        Settings.from_environment()


def test_places_are_taken_from_the_environment_or_are_the_samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Settings.from_environment().sources == Path("samples/sources.yaml").absolute()
    monkeypatch.setenv("BAKHONG_SOURCES", str(tmp_path / "mine.yaml"))
    assert Settings.from_environment().sources == tmp_path / "mine.yaml"
    assert Settings.from_environment().home == tmp_path / "home"
