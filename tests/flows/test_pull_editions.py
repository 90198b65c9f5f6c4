"""A province's signed editions, from a folder, over HTTP and SFTP: each once, the same bytes from everywhere, and nothing beside them."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tasks.deliveries.edition_folder import CATALOGUE, SUMS
from tasks.deliveries.ledger import pending
from tasks.deliveries.source import Source
from tasks.open_data.declaration import Licence, OpenData
from tasks.open_data.files import files_of, sums
from tasks.open_data.kinds import KINDS
from tasks.open_data.shelf import find, refresh
from tasks.pull import editions
from tasks.pull.landing import Unreadable, pull, reach
from tests.certificates import Authority
from tests.editions import SIGNED, edition, put
from tests.flows.test_sftp import Sshd, sshd  # noqa: F401  # a fixture

TOKEN = "s3cret-of-the-province"
ONE = edition()
TWO = edition({("K2g", "38"): (720, 2000)}, number="2", created=SIGNED + timedelta(days=30))
FEBRUARY = edition(period="2024-02")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The editions of a province, of which one is signed; beside it a provisional one."""
    folder = tmp_path / "open-data"
    put(folder, ONE)
    put(folder, edition(period="2024-02", number="provisional"))
    age(folder)
    return folder


def age(folder: Path, seconds: int = 3600) -> None:
    """As if nothing there had changed for a while."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - seconds, time.time() - seconds), follow_symlinks=False)


def source(where: Path | str, **more: Any) -> Source:
    return Source("thanh-hoa", "editions", "open_data", "38", str(where), "monthly", **more)


def taken(engine: Engine, home: Path) -> list[str]:
    return [delivery.file_name for delivery in pending(engine, home)]


def told(engine: Engine, home: Path, of: Source) -> str:
    """The one line about what could not be taken."""
    with pytest.raises(Unreadable) as unreadable:
        pull(engine, of, home)
    (line,) = unreadable.value.lines
    return line


# From a folder ----------------------------------------------------------------------------------------------------------


def test_a_signed_edition_is_one_delivery_and_what_lies_beside_it_is_none(engine: Engine, home: Path, shelf: Path) -> None:
    assert {path.name for path in (shelf / "2024-01").iterdir()} == {"1", "latest"}
    assert reach(source(shelf)) == 1
    assert pull(engine, source(shelf), home).landed == 1
    (delivery,) = pending(engine, home)
    assert (delivery.file_name, delivery.exported_at, delivery.is_declared) == ("2024-01/1.zip", SIGNED, True)
    assert delivery.covers is not None
    assert delivery.covers.text == "2024-01"
    with zipfile.ZipFile(delivery.path) as archive:
        assert archive.namelist() == sorted(KINDS)
        assert {name: archive.read(name) for name in KINDS} == files_of(ONE, OpenData())


def test_what_was_taken_is_not_read_again(engine: Engine, home: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pull(engine, source(shelf), home)
    monkeypatch.setattr(editions.Shelf, "_packed", lambda *_: pytest.fail("read again"))
    assert pull(engine, source(shelf), home).landed == 0


def test_equal_folders_are_equal_zips_whenever_and_wherever_they_were_written(tmp_path: Path) -> None:
    made = []
    for number, place in enumerate(("a", "b")):
        put(tmp_path / place, ONE)
        copied = tmp_path / f"copy-{place}"
        for path in sorted((tmp_path / place).rglob("*"), reverse=bool(number)):  # in another order
            if path.is_file() and not path.parent.is_symlink() and "latest" not in path.parts:
                target = copied / path.relative_to(tmp_path / place)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
                target.chmod(0o600 if number else 0o644)
        age(copied, 3600 * (number + 1))
        (one,) = folder(copied).offered(lambda _: None)
        assert one.opening is not None
        with one.opening() as packed:
            made.append(sha256(packed.read()).hexdigest())
    assert made[0] == made[1]


def folder(root: Path) -> editions.Folder:
    import fsspec

    return editions.Folder(fsspec.filesystem("file"), str(root))


def test_an_edition_signed_after_the_night_waits_for_its_own(engine: Engine, home: Path, shelf: Path) -> None:
    put(shelf, TWO)
    night = pull(engine, source(shelf), home, until=SIGNED.date() + timedelta(days=1))
    assert (night.landed, night.ahead, taken(engine, home)) == (1, ["2024-01/2.zip"], ["2024-01/1.zip"])
    assert pull(engine, source(shelf), home).landed == 1
    assert taken(engine, home) == ["2024-01/1.zip", "2024-01/2.zip"]


def test_a_folder_that_is_still_being_copied_is_told_and_taken_when_it_is_whole(engine: Engine, home: Path, shelf: Path) -> None:
    target = shelf / "2024-01" / "1"
    whole = {path.name: path.read_bytes() for path in target.iterdir() if path.is_file()}
    (target / "unit.csv").unlink()
    line = told(engine, home, source(shelf))
    assert line == "thanh-hoa: 2024-01/1.zip: còn thiếu tệp: chưa chép xong, hoặc đã bị xóa bớt; khi đủ thì nhận"
    (target / "unit.csv").write_bytes(whole["unit.csv"][:100])
    assert "unit.csv khác với mã kiểm tra trong SHA256SUMS" in told(engine, home, source(shelf))
    (target / "unit.csv").write_bytes(whole["unit.csv"])
    (target / "datapackage.json").write_bytes(whole["datapackage.json"][:100])
    assert "datapackage.json không phải bản mô tả" in told(engine, home, source(shelf))
    assert taken(engine, home) == []
    (target / "datapackage.json").write_bytes(whole["datapackage.json"])
    assert pull(engine, source(shelf), home).landed == 1


def test_a_folder_without_its_checksums_is_not_begun_with(engine: Engine, home: Path, shelf: Path) -> None:
    (shelf / "2024-01" / "1" / SUMS).unlink()
    assert "còn thiếu tệp" in told(engine, home, source(shelf))


def test_what_changes_while_it_is_read_waits(engine: Engine, home: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = editions.Folder.read

    def while_written(self: editions.Folder, name: str, most: int) -> bytes:
        if name.endswith("unit.csv"):
            os.utime(shelf / "2024-01" / "1" / "indicator.csv")
        return read(self, name, most)

    monkeypatch.setattr(editions.Folder, "read", while_written)
    assert "vừa thay đổi khi đang đọc" in told(engine, home, source(shelf))
    assert list((home / "landing" / "thanh-hoa").iterdir()) == []


def test_an_edition_that_was_taken_and_is_altered_is_told_each_night_and_not_taken(engine: Engine, home: Path, shelf: Path) -> None:
    pull(engine, source(shelf), home)
    target = shelf / "2024-01" / "1"
    before = (target / "indicator.csv").read_bytes()
    (target / "indicator.csv").write_bytes(before.replace(b"40.0", b"41.0"))
    for _ in range(2):
        assert "indicator.csv khác với mã kiểm tra" in told(engine, home, source(shelf))
    (target / SUMS).write_bytes(sums({n: (target / n).read_bytes() for n in KINDS if n != SUMS}))  # as who forges would
    for _ in range(2):
        assert "bản đã ký, đã nhận ngày" in (line := told(engine, home, source(shelf)))
        assert "nay có nội dung khác" in line
    assert taken(engine, home) == ["2024-01/1.zip"]
    assert [path.name for path in (home / "landing" / "thanh-hoa").iterdir()] == [pending(engine, home)[0].sha256]
    shutil.rmtree(target)
    put(shelf, ONE)
    assert pull(engine, source(shelf), home).landed == 0, "as it was"


def test_a_folder_written_again_with_a_licence_tells_the_same_figures_and_is_no_delivery(engine: Engine, home: Path, site: Site) -> None:
    pull(engine, source(site.shelf), home)
    put(site.shelf, ONE, OpenData(licence=Licence(name="Giấy phép thử nghiệm")))
    site.since()
    assert pull(engine, source(site.url), home).landed == 0
    assert site.since() == [CATALOGUE]
    for _ in range(2):
        assert pull(engine, source(site.shelf), home).landed == 0
    assert taken(engine, home) == ["2024-01/1.zip"]


def test_what_was_refused_is_taken_when_it_is_another(engine: Engine, home: Path, shelf: Path) -> None:
    pull(engine, source(shelf), home)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET status = 'rejected'"))
    shutil.rmtree(shelf / "2024-01" / "1")
    put(shelf, edition({("K2g", "38"): (701, 2000)}))
    assert pull(engine, source(shelf), home).landed == 1


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda place: (place / SUMS).write_bytes(b"0" * (editions.MOST_SUMS + 1)), "SHA256SUMS quá lớn"),
        (lambda place: (place / SUMS).write_text("".join(f"{n:064x}  f{n}\n" for n in range(editions.MOST_FILES + 1))), "ghi hơn 50 tệp"),
        (lambda place: (place / SUMS).write_text(f"{0:064x}  ../../../etc/passwd\n"), "có dòng không phải là mã SHA-256 và tên tệp"),
        (lambda place: linked(place / "unit.csv", Path("/etc/passwd")), "unit.csv không phải là tệp"),
        (lambda place: piped(place / "unit.csv"), "unit.csv không phải là tệp"),
        (lambda place: os.truncate(place / "unit.csv", editions.MOST_BYTES + 1), "lớn hơn 64 MB"),
        (lambda place: os.truncate(place / "datapackage.json", editions.MOST_DESCRIPTOR + 1), "datapackage.json quá lớn"),
    ],
)
def test_what_would_fill_the_disk_or_lead_elsewhere_is_told_and_left(
    what: Callable[[Path], Any], why: str, engine: Engine, home: Path, shelf: Path
) -> None:
    put(shelf, FEBRUARY)
    what(shelf / "2024-01" / "1")
    assert why in told(engine, home, source(shelf))
    assert taken(engine, home) == ["2024-02/1.zip"], "the others are taken"


def linked(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def test_a_night_takes_no_more_of_a_source_than_it_may(engine: Engine, home: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shelf, FEBRUARY)
    monkeypatch.setattr(editions, "BYTES_A_NIGHT", sum(map(len, files_of(ONE, OpenData()).values())) + 10_000)
    told(engine, home, source(shelf))
    assert taken(engine, home) == ["2024-01/1.zip"]
    assert pull(engine, source(shelf), home).landed == 1


def test_what_says_it_was_signed_in_the_future_waits(engine: Engine, home: Path, tmp_path: Path) -> None:
    put(tmp_path, edition(created=datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)))
    assert "ở tương lai" in told(engine, home, source(tmp_path))


# Over HTTP --------------------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """A web server over a province's editions, which gives a file's checksum as its tag; it remembers what it was asked."""

    shelf: Path
    url: str = ""
    token: str | None = None
    asked: list[str] = field(default_factory=list)
    sent: int = 0
    instead: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """Address → another answer."""

    def since(self) -> list[str]:
        """What it was asked since it was asked that last."""
        asked, self.asked = self.asked, []
        return asked


def serve(site: Site, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.removeprefix("/open-data/")
            site.asked.append(name)
            found = find(site.shelf, name)
            if site.token is not None and self.headers["Authorization"] != f"Bearer {site.token}":
                answer: tuple[int, dict[str, str], bytes] = (401, {}, b"")
            elif name in site.instead:
                answer = site.instead[name]
            elif found is None or found.is_dir() or not self.path.startswith("/open-data/"):
                answer = (404, {}, b"")
            else:
                tag = f'"{sha256(found.read_bytes()).hexdigest()}"'
                is_known = self.headers["If-None-Match"] == tag
                answer = (304 if is_known else 200, {"ETag": tag}, b"" if is_known else found.read_bytes())
            status, headers, body = answer
            self.send_response(status)
            for header, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)
            site.sent += len(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    site.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/open-data"
    return server


@pytest.fixture
def site(shelf: Path) -> Iterator[Site]:
    made = Site(shelf)
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


FILES = sorted(KINDS)
"""Of an edition's folder."""


def test_a_night_fetches_what_the_catalogue_lists_as_signed_and_the_next_asks_once(engine: Engine, home: Path, site: Site) -> None:
    assert reach(source(site.url)) == 1
    site.since()
    assert pull(engine, source(site.url), home).landed == 1
    first = site.since()
    assert first[0] == CATALOGUE
    assert set(first[1:]) == {f"2024-01/1/{name}" for name in FILES}
    sent = site.sent
    for _ in range(2):
        assert pull(engine, source(f"{site.url}/"), home).landed == 0
        assert site.since() == [CATALOGUE]
    assert site.sent == sent, "not a byte"


def test_what_is_only_provisional_changes_the_catalogue_and_nothing_is_fetched(engine: Engine, home: Path, site: Site) -> None:
    pull(engine, source(site.url), home)
    site.since()
    put(site.shelf, edition({("K2g", "38"): (1, 10)}, period="2024-02", number="provisional"))
    assert pull(engine, source(site.url), home).landed == 0
    assert site.since() == [CATALOGUE]


def test_of_what_is_new_alone_the_files_are_fetched(engine: Engine, home: Path, site: Site) -> None:
    pull(engine, source(site.url), home)
    site.since()
    put(site.shelf, TWO)
    assert pull(engine, source(site.url), home).landed == 1
    assert {name.rpartition("/")[0].removesuffix("/sdmx") for name in site.since()} == {"", "2024-01/2"}
    assert [delivery.exported_at for delivery in pending(engine, home)] == [ONE.created, TWO.created]


def test_the_bytes_are_those_of_the_folder_so_that_a_source_may_move(engine: Engine, home: Path, site: Site) -> None:
    pull(engine, source(site.shelf), home)
    assert pull(engine, source(site.url), home).landed == 0
    assert site.since() == [CATALOGUE], "the catalogue tells that it is the same"
    assert pull(engine, source(site.shelf), home).landed == 0


def test_an_edition_of_which_the_night_before_died_is_fetched_whole(engine: Engine, home: Path, site: Site) -> None:
    site.instead["2024-01/1/unit.csv"] = (500, {}, b"")
    with pytest.raises(Unreadable, match=r"2024-01/1\.zip: không đọc được"):
        pull(engine, source(site.url), home)
    site.instead.clear()
    assert pull(engine, source(site.url), home).landed == 1


def test_a_warehouse_put_back_to_what_it_was_is_given_what_it_lost(engine: Engine, home: Path, site: Site) -> None:
    pull(engine, source(site.url), home)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM ops.delivery"))
    assert pull(engine, source(site.url), home).landed == 1


def test_an_altered_edition_is_noticed_by_its_checksums_in_the_catalogue(engine: Engine, home: Path, site: Site) -> None:
    pull(engine, source(site.url), home)
    shutil.rmtree(site.shelf / "2024-01" / "1")
    put(site.shelf, edition({("K2g", "38"): (701, 2000)}))
    assert "nay có nội dung khác" in told(engine, home, source(site.url))
    assert taken(engine, home) == ["2024-01/1.zip"]


def catalogue_of(site: Site, change: Callable[[dict[str, Any]], None]) -> None:
    """Has the server answer with another catalogue."""
    said = json.loads((site.shelf / CATALOGUE).read_text("utf-8"))
    change(said)
    site.instead[CATALOGUE] = (200, {}, json.dumps(said).encode())


@pytest.mark.parametrize(
    "identifier", ["ba-khong/../../etc", "ba-khong/2024-01/../1", "ba-khong/2024-13/1", "ba-khong/2024-01/01", "http://elsewhere.vn/1", ""]
)
def test_a_catalogue_leads_nowhere_but_below_its_own_address(identifier: str, engine: Engine, home: Path, site: Site) -> None:
    def elsewhere(said: dict[str, Any]) -> None:
        for one in said["dcat:dataset"]:
            one["@id"] = "http://127.0.0.1:1/2024-01/1/"
            one["dct:identifier"] = identifier
            for distribution in one["dcat:distribution"]:
                distribution["dcat:downloadURL"] = {"@id": "http://127.0.0.1:1/secret"}

    catalogue_of(site, elsewhere)
    assert pull(engine, source(site.url), home).landed == 0
    assert site.since() == [CATALOGUE]


def test_the_addresses_in_a_catalogue_are_not_followed(engine: Engine, home: Path, site: Site) -> None:
    refresh(site.shelf, OpenData(base_url="https://elsewhere.invalid/open-data/"))
    assert pull(engine, source(site.url), home).landed == 1
    assert {name for name in site.since() if not name.startswith(("2024-01/1/", CATALOGUE))} == set()


@pytest.mark.parametrize("name", [CATALOGUE, f"2024-01/1/{SUMS}", "2024-01/1/indicator.csv"])
def test_nobody_is_sent_elsewhere(name: str, engine: Engine, home: Path, site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path)
    server = serve(other)
    site.instead[name] = (302, {"Location": f"{other.url}/{name}"}, b"")
    try:
        with pytest.raises((Unreadable, OSError)):
            pull(engine, source(site.url), home)
    finally:
        server.shutdown()
        server.server_close()
    assert other.asked == []
    assert taken(engine, home) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"dcat:dataset": 1}', b'{"dcat:dataset": [1]}', b"[" * 100_000, b"\xff"])
def test_what_is_no_catalogue_is_said_in_one_line(body: bytes, engine: Engine, home: Path, site: Site) -> None:
    site.instead[CATALOGUE] = (200, {}, body)
    assert told(engine, home, source(site.url)) == (
        "thanh-hoa: catalog.jsonld không phải danh mục các bản số liệu (no catalogue of editions)"
    )


def test_a_catalogue_or_a_file_without_end_is_not_read_to_it(
    engine: Engine, home: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editions, "MOST_BYTES", 100_000)
    site.instead["2024-01/1/indicator.csv"] = (200, {}, b"0" * 200_000)
    assert "indicator.csv quá lớn" in told(engine, home, source(site.url))
    monkeypatch.setattr(editions, "MOST_CATALOGUE", 1000)
    assert "catalog.jsonld lớn hơn" in told(engine, home, source(site.url))


def test_a_server_that_goes_away_is_not_waited_for_file_by_file(
    engine: Engine, home: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(site.shelf, FEBRUARY)
    site.instead |= {f"2024-0{month}/1/{SUMS}": (200, {"Content-Length": "999"}, b"") for month in (1, 2)}
    monkeypatch.setattr(editions, "TIMEOUT", 0.5)
    began = time.monotonic()
    with pytest.raises(Unreadable) as unreadable:
        pull(engine, source(site.url), home)
    assert len(unreadable.value.lines) == 2
    assert time.monotonic() - began < 5
    assert [name for name in site.since() if SUMS in name] == [f"2024-01/1/{SUMS}"]


def test_a_token_and_an_own_authority_are_asked_for_as_of_any_source(
    engine: Engine, home: Path, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    site = Site(shelf, token=TOKEN)
    server = serve(site, authority.context())
    monkeypatch.setenv("EDITIONS_TOKEN", TOKEN)
    try:
        of = source(site.url, token="EDITIONS_TOKEN", ca_file=str(authority.file))
        assert pull(engine, of, home).landed == 1
        with pytest.raises(OSError, match="401"):
            pull(engine, replace(of, name="other", token=None), home)
        with pytest.raises(OSError, match="không tin được chứng thư"):
            pull(engine, replace(of, name="third", ca_file=None), home)
    finally:
        server.shutdown()
        server.server_close()


# SFTP -------------------------------------------------------------------------------------------------------------------


def test_an_edition_on_an_sftp_server_is_taken_once_and_is_the_same(engine: Engine, home: Path, sshd: Sshd, shelf: Path) -> None:  # noqa: F811
    key = sshd.host_key("host")
    sshd.start(key)
    sshd.know(key)
    shutil.copytree(shelf, sshd.outbox / "open-data", symlinks=True)
    of = replace(sshd.source, name="thanh-hoa", feed="editions", layout="open_data", provider="38", url=f"{sshd.source.url[:-6]}/open-data")
    assert reach(of) == 1
    assert pull(engine, of, home).landed == 1
    assert pull(engine, of, home).landed == 0
    assert pull(engine, source(shelf), home).landed == 0, "the same bytes as from the folder itself"
    (sshd.outbox / "open-data" / "2024-01" / "1" / "unit.csv").write_bytes(b"x")
    assert "unit.csv khác với mã kiểm tra" in told(engine, home, of)
