"""Files from a web server, over real HTTP: fetched when they changed and not otherwise, and only from whom somebody vouches for."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine, text

from tasks.deliveries.ledger import pending
from tasks.deliveries.source import Source
from tasks.pull.landing import Unreadable, pull
from tests.certificates import Authority
from tests.nights import SAMPLES, bakhong, environment, url_of
from warehouse.settings import Refusal


@dataclass
class Site:
    """A web server with one file; it counts what it was asked and what it sent."""

    body: bytes = b"MaHoSo\n1\n"
    tag: str | None = '"v1"'
    changed: datetime | None = None
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    """Bytes of bodies."""

    def is_known(self, headers: dict[str, str]) -> bool:
        if self.tag is not None:
            return headers.get("If-None-Match") == self.tag
        since = headers.get("If-Modified-Since")
        return self.changed is not None and since is not None and self.changed <= parsedate_to_datetime(since)


def serve(site: Site, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = dict(self.headers.items())
            site.asked.append(headers)
            is_known = site.is_known(headers)
            self.send_response(304 if is_known else 200)
            if site.tag is not None:
                self.send_header("ETag", site.tag)
            if site.changed is not None:
                self.send_header("Last-Modified", format_datetime(site.changed, usegmt=True))
            if not is_known:
                self.send_header("Content-Length", str(len(site.body)))
            self.end_headers()
            if not is_known:
                self.wfile.write(site.body)
                site.sent += len(site.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    site.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/td_20240315.csv"
    return server


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


def source(site: Site, **more: Any) -> Source:
    return Source("one-stop-shop", "dossiers", "dvcqg_csv", "td", site.url, "daily", **more)


def age(engine: Engine, days: int) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.delivery SET received_at = received_at - make_interval(days => :days)"), {"days": days})


# What is fetched --------------------------------------------------------------------------------------------------------


def test_a_file_with_the_tag_of_last_night_is_not_sent_again(engine: Engine, home: Path, site: Site) -> None:
    assert pull(engine, source(site), home).landed == 1
    assert site.sent == len(site.body)
    for _ in range(2):
        assert pull(engine, source(site), home).landed == 0
    assert site.sent == len(site.body), "not a byte of it"
    assert [headers.get("If-None-Match") for headers in site.asked] == [None, '"v1"', '"v1"']


def test_a_file_with_another_tag_is_a_delivery_where_its_bytes_say_something_else(engine: Engine, home: Path, site: Site) -> None:
    pull(engine, source(site), home)
    site.tag = '"v2"'  # made again, with the same rows
    assert pull(engine, source(site), home).landed == 0
    sent = site.sent
    assert pull(engine, source(site), home).landed == 0
    assert site.sent == sent, "its new tag is kept"
    first = site.body
    for tag, body in (('"v3"', b"MaHoSo\n2\n"), ('"v4"', first)):
        site.tag, site.body = tag, body
        assert pull(engine, source(site), home).landed == 1, "what was said before the last word is a delivery when it comes back"
    assert [delivery.path.read_bytes() for delivery in pending(engine, home)] == [first, b"MaHoSo\n2\n", first]


def test_a_time_of_change_is_believed_after_some_days_for_an_exporter_may_set_it(engine: Engine, home: Path, site: Site) -> None:
    site.tag, site.changed = None, datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    pull(engine, source(site), home)
    site.body = b"MaHoSo\n9\n"  # with its time kept
    assert pull(engine, source(site), home).landed == 1
    assert {headers.get("If-Modified-Since") for headers in site.asked} == {None}
    age(engine, 4)
    sent = site.sent
    assert pull(engine, source(site), home).landed == 0
    assert site.sent == sent
    assert site.asked[-1]["If-Modified-Since"] == format_datetime(site.changed, usegmt=True)
    site.body, site.changed = b"MaHoSo\n10\n", site.changed + timedelta(hours=1)
    assert pull(engine, source(site), home).landed == 1


def test_a_time_of_change_of_this_minute_may_stand_for_two_states(engine: Engine, home: Path, site: Site) -> None:
    site.tag, site.changed = None, datetime.now(UTC).replace(microsecond=0)
    pull(engine, source(site), home)
    age(engine, 4)
    site.body = b"MaHoSo\n9\n"
    assert pull(engine, source(site), home).landed == 1


def test_a_server_that_says_neither_sends_its_bytes_and_they_are_judged(engine: Engine, home: Path, site: Site) -> None:
    site.tag = None
    assert [pull(engine, source(site), home).landed for _ in range(2)] == [1, 0]
    assert site.sent == 2 * len(site.body)
    site.body = b"MaHoSo\n9\n"
    assert pull(engine, source(site), home).landed == 1


def test_what_one_address_said_is_not_asked_of_another(engine: Engine, home: Path, site: Site) -> None:
    """Two servers may count their versions alike."""
    pull(engine, source(site), home)
    other = Site(body=b"MaHoSo\n2\n", tag=site.tag)
    server = serve(other)
    try:
        assert pull(engine, source(other), home).landed == 1
    finally:
        server.shutdown()
        server.server_close()


def test_a_landed_file_that_is_gone_is_fetched_again(engine: Engine, home: Path, site: Site) -> None:
    pull(engine, source(site), home)
    (delivery,) = pending(engine, home)
    delivery.path.unlink()
    pull(engine, source(site), home)
    assert delivery.path.read_bytes() == site.body


# Who is believed --------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def over_tls(context: ssl.SSLContext) -> tuple[Site, ThreadingHTTPServer]:
    site = Site()
    return site, serve(site, context)


def test_a_server_vouched_for_by_the_sources_own_authority_is_believed(engine: Engine, home: Path, authority: Authority) -> None:
    site, server = over_tls(authority.context())
    try:
        assert pull(engine, source(site, ca_file=str(authority.file)), home).landed == 1
        assert pull(engine, source(site, ca_file=str(authority.file)), home).landed == 0
        assert site.sent == len(site.body)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("layout", ["dvcqg_csv", "dvcqg_json"], ids=["a file", "pages"])
@pytest.mark.parametrize(
    ("host", "days", "believed", "told"),
    [
        ("127.0.0.1", 9, None, "unable to get local issuer certificate"),
        ("127.0.0.1", 9, "another", "unable to get local issuer certificate"),
        ("dichvu.example", 9, "authority", "IP address mismatch"),
        ("127.0.0.1", -2, "authority", "certificate has expired"),
    ],
    ids=["nobody's", "another's", "of another name", "run out"],
)
def test_a_certificate_that_does_not_hold_is_told_in_one_line_and_nothing_is_asked(
    engine: Engine, home: Path, tmp_path: Path, authority: Authority, layout: str, host: str, days: int, believed: str | None, told: str
) -> None:
    ca = {"authority": authority, "another": Authority(tmp_path, "another")}.get(believed or "")
    site, server = over_tls(authority.context(host, days=days))
    try:
        asked = replace(source(site, ca_file=ca and str(ca.file)), layout=layout)
        with pytest.raises(Unreadable) as unreadable:
            pull(engine, asked, home)
    finally:
        server.shutdown()
        server.server_close()
    (line,) = unreadable.value.lines
    assert "không tin được chứng thư của máy chủ" in line
    assert told in line
    assert "ca_file" in line
    assert "\n" not in line
    assert site.asked == []


@pytest.mark.parametrize(("content", "told"), [(None, "không đọc được `ca_file`"), ("nonsense", "không có chứng thư nào")])
def test_a_file_of_authorities_that_cannot_be_used_is_named(
    engine: Engine, home: Path, tmp_path: Path, site: Site, content: str | None, told: str
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(Refusal, match=f"one-stop-shop: {told}|one-stop-shop: `ca_file` .* {told}"):
        pull(engine, source(site, ca_file=str(tmp_path / "ca.pem")), home)
    assert site.asked == []


def test_a_night_asks_a_server_that_nobody_vouches_for_once_and_takes_the_others(
    engine: Engine, home: Path, prefect_home: Path, authority: Authority
) -> None:
    (procedures,) = (entry for entry in yaml.safe_load(SAMPLES.read_text("utf-8"))["sources"] if entry["name"] == "procedures")
    procedures["url"] = str(SAMPLES.parent / procedures["url"])
    site, server = over_tls(authority.context())
    tries, accept = [], server.get_request
    server.get_request = lambda: (tries.append(1), accept())[1]  # type: ignore[method-assign]
    entry = {"name": "td", "feed": "dossiers", "layout": "dvcqg_csv", "provider": "td", "url": site.url, "expected": "daily"}
    sources = home / "sources.yaml"
    sources.write_text(yaml.safe_dump({"sources": [procedures, entry]}), "utf-8")
    env = environment(home, sources, url_of(engine)) | {"PREFECT_HOME": str(prefect_home)}
    try:
        done = bakhong("nightly", "--date", "2025-05-05", env=env)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 1, done.stderr
    told = [line for line in done.stderr.splitlines() if "chứng thư của máy chủ" in line]
    assert len(told) == 1, done.stderr
    assert "td_20240315.csv" in told[0]
    assert (tries, site.asked) == ([1], []), "it is not tried again"
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT source FROM ops.delivery")).all() == ["procedures"]
