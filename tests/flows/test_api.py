"""Dossiers from the synchronisation endpoint, asked over real HTTP."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, text

from expectations.contract import contract
from tasks.deliveries.ledger import pending
from tasks.deliveries.source import Source, read_sources
from tasks.pull import api as pull_api
from tasks.pull.landing import Unreadable, pull
from tasks.read.file import read

TOKEN = "s3cret-of-the-province"
DAY = date(2024, 3, 15)
Answer = tuple[int, bytes]


def dossier(number: int, status: str = "4") -> dict[str, Any]:
    code = f"H56.38.14-240315-{number:04}"
    return {"MaHoSo": code, "MaTTHC": "2.000815", "NgayTiepNhan": "20240315080000", "TrangThaiHoSo": status}


def page(number: int, pages: int, *dossiers: dict[str, Any], error_code: str = "0", message: str = "") -> Answer:
    answer = {"error_code": error_code, "message": message, "page": number, "pages": pages, "result": list(dossiers)}
    return 200, json.dumps(answer, ensure_ascii=False).encode()


@dataclass
class Endpoint:
    """A server on this machine; `answers` decides what each request gets, `asked` remembers them all."""

    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    answers: Callable[[dict[str, str]], Answer] = lambda asked: page(int(asked["page"]), 1)


def serve(endpoint: Endpoint) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            endpoint.asked.append(asked)
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, body = 401, b"no such token"
            else:
                status, body = endpoint.answers(asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}/hoso"
    return server


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE_STOP_SHOP_TOKEN", TOKEN)
    monkeypatch.setattr(pull_api, "WAITS", (0.01, 0.01))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


def source(endpoint: Endpoint) -> Source:
    return Source("one-stop-shop", "dossiers", "dvcqg_json", "td", endpoint.url, "daily", "ONE_STOP_SHOP_TOKEN")


def codes(path: Path) -> list[str]:
    return [
        code
        for chunk in read(path, contract("dossiers"), "dvcqg_json", b"key", "td.json")
        for code in chunk.table["dossier_code"].to_pylist()
    ]


def refused(engine: Engine, endpoint: Endpoint, home: Path) -> str:
    """Why the endpoint could not be read; nothing may have landed, whole or in part."""
    with pytest.raises(Unreadable) as unreadable:
        pull(engine, source(endpoint), home)
    assert pending(engine, home) == []
    assert list((home / "landing" / "one-stop-shop").iterdir()) == []
    assert TOKEN not in str(unreadable.value)
    assert str(unreadable.value).startswith("one-stop-shop: ")
    return str(unreadable.value)


def test_all_pages_of_a_window_become_one_delivery(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    pages = {"1": page(1, 2, dossier(1), dossier(2)), "2": page(2, 2, dossier(3))}
    endpoint.answers = lambda asked: pages[asked["page"]]
    assert pull(engine, source(endpoint), home, DAY).landed == 1
    (delivery,) = pending(engine, home)
    assert codes(delivery.path) == [dossier(number)["MaHoSo"] for number in (1, 2, 3)]
    assert [asked["page"] for asked in endpoint.asked] == ["1", "2"]
    assert {asked["to"] for asked in endpoint.asked} == {"20240315235959"}
    assert delivery.exported_at.isoformat() == "2024-03-15T23:59:59+07:00"


def test_the_next_window_begins_where_the_last_delivery_ended(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    endpoint.answers = lambda asked: page(1, 1, dossier(1))
    pull(engine, source(endpoint), home, DAY)
    endpoint.answers = lambda asked: page(1, 1, dossier(1, "10"))
    assert pull(engine, source(endpoint), home, DAY + timedelta(days=1)).landed == 1
    assert [(asked["from"], asked["to"]) for asked in endpoint.asked] == [
        ("20000101000000", "20240315235959"),
        ("20240315235959", "20240316235959"),
    ]


def test_a_byte_order_mark_before_each_page_does_no_harm(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    endpoint.answers = lambda asked: (200, b"\xef\xbb\xbf" + page(int(asked["page"]), 2, dossier(int(asked["page"])))[1])
    pull(engine, source(endpoint), home)
    assert len(codes(pending(engine, home)[0].path)) == 2


def test_a_window_that_was_asked_for_is_not_asked_for_again(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    endpoint.answers = lambda asked: page(1, 1, dossier(1))
    pull(engine, source(endpoint), home, DAY)
    assert pull(engine, source(endpoint), home, DAY).landed == 0
    assert len(endpoint.asked) == 1


def test_a_window_never_ends_in_the_future(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    pull(engine, source(endpoint), home, date.today() + timedelta(days=9))
    assert endpoint.asked[0]["to"] <= (datetime.now(UTC) + timedelta(hours=7)).strftime("%Y%m%d%H%M%S")


def test_nothing_new_is_no_delivery_and_stays_in_the_next_window(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    assert pull(engine, source(endpoint), home, DAY).landed == 0
    assert pending(engine, home) == []
    pull(engine, source(endpoint), home, DAY + timedelta(days=1))
    assert endpoint.asked[1]["from"] == endpoint.asked[0]["from"]


def test_the_window_of_a_rejected_delivery_is_asked_for_again(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    endpoint.answers = lambda asked: page(1, 1, dossier(1))
    pull(engine, source(endpoint), home, DAY)
    with engine.begin() as connection:
        counts = "rows_received = 0, rows_loaded = 0, rows_unchanged = 0, rows_quarantined = 0, rows_ignored = 0"
        connection.execute(text(f"UPDATE ops.delivery SET status = 'rejected', {counts}"))
    endpoint.answers = lambda asked: page(1, 1, dossier(1, "10"))
    assert pull(engine, source(endpoint), home, DAY + timedelta(days=1)).landed == 1
    assert endpoint.asked[1]["from"] == "20000101000000"


def test_the_same_answers_are_the_same_delivery(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    endpoint.answers = lambda asked: page(1, 1, dossier(1))
    pull(engine, source(endpoint), home, DAY)
    assert pull(engine, source(endpoint), home, DAY + timedelta(days=1)).landed == 0
    assert len(pending(engine, home)) == 1


def test_a_refused_token_is_not_tried_again_and_not_told(
    engine: Engine, home: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONE_STOP_SHOP_TOKEN", "another-secret")
    words = refused(engine, endpoint, home)
    assert "HTTP 401" in words
    assert "another-secret" not in words
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("token", ["secret\n", "bí mật"])
def test_a_token_that_fits_in_no_header_is_not_quoted(
    engine: Engine, home: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("ONE_STOP_SHOP_TOKEN", token)
    assert token.strip() not in refused(engine, endpoint, home)
    assert endpoint.asked == []


def test_a_server_that_is_down_for_a_moment_is_asked_again(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    endpoint.answers = lambda asked: (503, b"busy") if len(endpoint.asked) == 1 else page(1, 1, dossier(1))
    assert pull(engine, source(endpoint), home).landed == 1
    assert len(endpoint.asked) == 2


def test_a_server_that_stays_down_is_given_up(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    endpoint.answers = lambda asked: page(1, 2, dossier(1)) if asked["page"] == "1" else (500, b"broken")
    assert "trang 2: HTTP 500" in refused(engine, endpoint, home)
    assert [asked["page"] for asked in endpoint.asked] == ["1", "2", "2", "2"]


def test_a_late_answer_is_asked_for_again(engine: Engine, home: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_api, "TIMEOUT", 1.0)
    asked_again = threading.Event()

    def late_once(_: dict[str, str]) -> Answer:
        if len(endpoint.asked) == 1:
            asked_again.wait()
        asked_again.set()
        return page(1, 1, dossier(1))

    endpoint.answers = late_once
    assert pull(engine, source(endpoint), home).landed == 1
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page(1, 1, error_code="-3", message=f"Sai tham số\ncủa {TOKEN}"), "error_code -3: Sai tham số của ***"),
        (page(1, 1, dossier(1), error_code="3"), "error_code 3"),
        ((200, page(1, 1, dossier(1))[1][:-20]), "không phải JSON"),
        ((200, b"<html>Login</html>"), "không phải JSON"),
        ((200, page(1, 1, dossier(1))[1].decode().encode("utf-16")), "không phải JSON"),
        ((200, b'{"result": []}'), "thiếu error_code"),
        (page(2, 2, dossier(1)), "thiếu page"),
        ((200, b'{"error_code": "0", "page": 1, "pages": 1, "result": null}'), "thiếu page"),
        ((302, b""), "HTTP 302"),
        ((404, b""), "HTTP 404"),
    ],
)
def test_an_answer_that_is_no_good_fails_at_once_with_its_reason(
    engine: Engine, home: Path, endpoint: Endpoint, answer: Answer, words: str
) -> None:
    endpoint.answers = lambda asked: answer
    assert words in refused(engine, endpoint, home)
    assert len(endpoint.asked) == 1


def test_pages_that_grow_while_they_are_read_are_not_taken(engine: Engine, home: Path, endpoint: Endpoint) -> None:
    endpoint.answers = lambda asked: page(int(asked["page"]), 1 + int(asked["page"]), dossier(1))
    assert "số trang thay đổi" in refused(engine, endpoint, home)


def test_a_server_that_is_not_there_fails_with_its_reason(engine: Engine, home: Path) -> None:
    assert "không kết nối được" in refused(engine, Endpoint("http://127.0.0.1:9/hoso"), home)


def test_the_token_is_in_no_log(engine: Engine, home: Path, endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        endpoint.answers = lambda asked: (503, b"busy") if len(endpoint.asked) == 1 else page(1, 1, dossier(1))
        pull(engine, source(endpoint), home)
    assert re.search(r"page asked for again: .*HTTP 503", caplog.text)
    assert TOKEN not in caplog.text


def test_sources_yaml_names_the_variable_that_holds_the_token(tmp_path: Path) -> None:
    entry = {
        "name": "api",
        "feed": "dossiers",
        "layout": "dvcqg_json",
        "provider": "td",
        "url": "https://host.example/hoso",
        "expected": "daily",
    }
    (tmp_path / "sources.yaml").write_text(json.dumps({"sources": [{**entry, "token": "ONE_STOP_SHOP_TOKEN"}]}), "utf-8")
    (read_back,) = read_sources(tmp_path / "sources.yaml")
    assert (read_back.token, read_back.url) == ("ONE_STOP_SHOP_TOKEN", "https://host.example/hoso")
