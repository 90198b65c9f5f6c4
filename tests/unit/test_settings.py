import os
import stat
from pathlib import Path

import pytest

from tests.nights import ROOT, SAMPLES
from warehouse.settings import SECRETS, Refusal, Settings, keep_private, secret


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*SECRETS, "BAKHONG_SOURCES", "BAKHONG_DESK_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BAKHONG_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # what a `.env` adds goes with the test


def test_the_sample_run_makes_its_own_key_once_and_keeps_it_private(tmp_path: Path) -> None:
    first, second = Settings.from_environment(), Settings.from_environment()
    assert first == second
    assert len(first.secret_key) >= 32
    assert stat.S_IMODE((tmp_path / "home" / "secret_key").stat().st_mode) == 0o600


def test_a_given_warehouse_refuses_to_work_without_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://db.example/bakhong")
    with pytest.raises(Refusal, match="Chưa đặt BAKHONG_SECRET_KEY"):
        Settings.from_environment()
    assert not (tmp_path / "home" / "secret_key").exists()


def test_a_key_that_is_too_short_to_protect_anyone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_SECRET_KEY", "secret")
    with pytest.raises(Refusal, match="quá ngắn") as refusal:
        Settings.from_environment()
    assert "'secret'" not in str(refusal.value)


def test_a_home_that_is_a_file_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BAKHONG_HOME", str(tmp_path / "file"))
    with pytest.raises(Refusal, match=r"Không dùng được BAKHONG_HOME .*file"):
        Settings.from_environment()


def test_places_are_taken_from_the_environment_or_the_folder_or_are_the_samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as checkout:
        checkout.chdir(ROOT)
        assert Settings.from_environment().sources == SAMPLES
    (tmp_path / "sources.yaml").write_text("sources: []")
    assert Settings.from_environment().sources == tmp_path / "sources.yaml"
    monkeypatch.setenv("BAKHONG_SOURCES", str(tmp_path / "mine.yaml"))
    assert Settings.from_environment().sources == tmp_path / "mine.yaml"
    assert Settings.from_environment().home == tmp_path / "home"


def test_the_sources_of_the_home_are_found_from_any_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "sources.yaml").write_text("sources: []")
    monkeypatch.chdir("/")
    assert Settings.from_environment().sources == tmp_path / "home" / "sources.yaml"
    monkeypatch.setenv("BAKHONG_SOURCES", str(tmp_path / "mine.yaml"))
    assert Settings.from_environment().sources == tmp_path / "mine.yaml"


@pytest.mark.parametrize("dotenv", [None, "TD_TOKEN=x\n"])
def test_in_a_folder_of_no_installation_nothing_is_made_and_the_way_out_is_told(
    dotenv: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BAKHONG_HOME")
    if dotenv is not None:
        (tmp_path / ".env").write_text(dotenv)
    with pytest.raises(Refusal) as refusal:
        Settings.from_environment()
    said = f"Không có tệp nguồn {tmp_path}/sources.yaml (thư mục đang làm việc: {tmp_path}, {'có' if dotenv else 'không có'} .env)"
    assert str(refusal.value).startswith(said)
    assert "đặt BAKHONG_SOURCES là đường dẫn đầy đủ" in str(refusal.value)
    assert not (tmp_path / ".bakhong").exists()


@pytest.mark.parametrize(("said", "taken"), [("https://bakhong.tinh.vn/", "https://bakhong.tinh.vn/"), ("", None)])
def test_the_address_of_the_desk_is_taken_from_the_environment(said: str, taken: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_DESK_URL", said)
    assert Settings.from_environment(reading=True).desk_url == taken


@pytest.mark.parametrize("said", ["bakhong.tinh.vn", "javascript:alert(1)", "file:///var/lib/bakhong/site/index.html"])
def test_what_is_no_address_of_a_desk_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_DESK_URL", said)
    with pytest.raises(Refusal, match="BAKHONG_DESK_URL"):
        Settings.from_environment(reading=True)


def test_what_is_not_in_the_environment_is_taken_from_dotenv_in_the_working_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BAKHONG_HOME")
    monkeypatch.setenv("BAKHONG_SOURCES", str(tmp_path / "of the environment.yaml"))
    (tmp_path / ".env").write_text(
        "# của tỉnh\n"
        f"BAKHONG_HOME={tmp_path}/nhà\n"
        "BAKHONG_SOURCES=of-the-file.yaml\n"
        "export BAKHONG_WAREHOUSE_URL='postgresql://a:b$c@db.example/bakhong'  # mật khẩu có dấu $\n"
        "BAKHONG_SECRET_KEY=0123456789 abcdef 0123456789\n"
        "TD_TOKEN=abc\n",
        "utf-8",
    )
    settings = Settings.from_environment()
    assert settings.home == tmp_path / "nhà"
    assert settings.sources == tmp_path / "of the environment.yaml"
    assert settings.warehouse_url == "postgresql://a:b$c@db.example/bakhong"
    assert settings.secret_key == b"0123456789 abcdef 0123456789"
    assert os.environ["TD_TOKEN"] == "abc", "what sources.yaml names is there too"


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"A=1\nBAKHONG_HOME\n", "dòng 2"), (b"A=1\n\nB='x\n", "dòng 3"), (b"A=\xff\xfe\n", "UTF-8")],
    ids=["no value", "no closing quote", "not UTF-8"],
)
def test_a_dotenv_that_cannot_be_read_is_named_with_its_line(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(Refusal, match=told) as refusal:
        Settings.from_environment()
    assert str(tmp_path / ".env") in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("BAKHONG_WAREHOSE_URL", "có phải BAKHONG_WAREHOUSE_URL"),
        ("BAKHONG_SOURCE", "có phải BAKHONG_SOURCES"),
        ("BAKHONG_SECRETKEY", "có phải BAKHONG_SECRET_KEY"),
        ("BAKHONG_PASSWORD", "các biến có nghĩa"),
    ],
)
@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_misspelt_variable_is_named(where: str, name: str, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_bytes(SAMPLES.read_bytes())  # whose remarks name a variable of ours
    monkeypatch.setenv("BAKHONG_SOURCES", str(tmp_path / "sources.yaml"))
    if where == "file":
        (tmp_path / ".env").write_text(f"{name}=x\n")
    else:
        monkeypatch.setenv(name, "x")
    with pytest.raises(Refusal, match=told) as refusal:
        Settings.from_environment()
    assert name in str(refusal.value)


def test_a_variable_that_the_sources_name_for_a_secret_is_not_misspelt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("sources: [{name: td, token: BAKHONG_TD_TOKEN}]\n")
    monkeypatch.setenv("BAKHONG_SOURCES", str(tmp_path / "sources.yaml"))
    monkeypatch.setenv("BAKHONG_TD_TOKEN", "x")
    Settings.from_environment()


def test_a_token_of_the_sources_may_be_given_by_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("sources: [{name: td, token: BAKHONG_TD_TOKEN}]\n")
    (tmp_path / "token").write_text("abc\n")
    monkeypatch.setenv("BAKHONG_SOURCES", str(tmp_path / "sources.yaml"))
    monkeypatch.setenv("BAKHONG_TD_TOKEN_FILE", str(tmp_path / "token"))
    Settings.from_environment()
    assert secret("BAKHONG_TD_TOKEN") == "abc"


def test_secrets_are_taken_from_files_as_a_container_gives_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, content in {
        "BAKHONG_WAREHOUSE_URL": "postgresql://etl:p%20w@db.example/bakhong\n",
        "BAKHONG_SECRET_KEY": "0123456789abcdef of a file\n",
        "BAKHONG_MESSAGE_SECRET": " with its spaces \r\n",
    }.items():
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o444)
        monkeypatch.setenv(name, "")  # as a .env leaves it that nobody filled in
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    settings = Settings.from_environment()
    assert settings.warehouse_url == "postgresql://etl:p%20w@db.example/bakhong"
    assert settings.secret_key == b"0123456789abcdef of a file"
    assert settings.message_secret == " with its spaces "


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "No such file"), (b"", "trống"), (b"\n \n", "trống"), (b"\xff\xfe", "UTF-8")],
    ids=["missing", "empty", "blank", "not text"],
)
def test_a_file_that_gives_no_secret_is_refused_and_nothing_of_it_said(
    content: bytes | None, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    monkeypatch.setenv("BAKHONG_SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(Refusal, match=told) as refusal:
        Settings.from_environment()
    assert f"BAKHONG_SECRET_KEY_FILE: {'không đọc được' if told != 'trống' else 'tệp'} {tmp_path}/key" in str(refusal.value)
    assert not (tmp_path / "home" / "secret_key").exists(), "no other key is made instead"


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://db.example/bakhong")
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://other.example/bakhong")
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(Refusal, match="Đặt cả BAKHONG_WAREHOUSE_URL và BAKHONG_WAREHOUSE_URL_FILE") as refusal:
        Settings.from_environment(reading=True)
    assert "example" not in str(refusal.value)


def test_what_the_environment_says_goes_before_a_file_that_dotenv_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the owner upgrades in the folder of an installation whose nights have a login of their own."""
    (tmp_path / "night").write_text("postgresql://night@db.example/bakhong")
    (tmp_path / ".env").write_text(f"BAKHONG_WAREHOUSE_URL_FILE={tmp_path}/night\n")
    assert Settings.from_environment(reading=True).warehouse_url == "postgresql://night@db.example/bakhong"
    os.environ.pop("BAKHONG_WAREHOUSE_URL_FILE")
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://owner@db.example/bakhong")
    assert Settings.from_environment(reading=True).warehouse_url == "postgresql://owner@db.example/bakhong"


def test_who_only_reads_needs_no_secret_but_the_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The desk's own user cannot open the files of the night's."""
    for name in ("BAKHONG_SECRET_KEY", "BAKHONG_MESSAGE_SECRET"):
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "closed to others"))
    assert Settings.from_environment(reading=True).message_secret is None


def test_who_only_reads_makes_nothing_and_needs_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", "postgresql://db.example/bakhong")
    assert Settings.from_environment(reading=True).secret_key == b""
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("reading", [True, False])
def test_whatever_a_command_writes_is_closed_to_others(reading: bool, tmp_path: Path) -> None:
    Settings.from_environment(reading=reading)
    (tmp_path / "quarantine.csv").write_text("")
    assert stat.S_IMODE((tmp_path / "quarantine.csv").stat().st_mode) == 0o600


def test_what_lies_open_in_the_home_is_closed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("landing/td/0a1b", "faults/12-abc.txt", "prefect/prefect.db", "report/editions/000001/index.html", "data_docs/index.html"):
        (home / name).parent.mkdir(parents=True, mode=0o755)
        (home / name).write_text("")
        (home / name).chmod(0o444)
    (home / "last-error.log").write_text("")
    (home / "site").symlink_to("report/editions/000001")
    keep_private(home)
    kept = [path for name in ("landing", "faults", "prefect", "report", "data_docs") for path in (home / name, *(home / name).rglob("*"))]
    kept.append(home / "last-error.log")
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept if path.is_file()} == {0o600}
