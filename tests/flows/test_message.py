"""The night's message: real mail servers and webhooks on loopback get each cause once."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine, insert, text

from tasks.report.message import check_address, tell_news
from tests.flows.conftest import Webhook
from tests.nights import KEY
from warehouse.settings import Refusal, Settings
from warehouse.tables import run

NIGHT = datetime(2026, 11, 27, 16, 59, tzinfo=UTC)


@dataclass
class Letters:
    """What a mail server took."""

    taken: list[Any] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # aiosmtpd's name
        self.taken.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"


@pytest.fixture
def letters() -> Iterator[tuple[Letters, str]]:
    """A mail server, and the address by which it is told of."""
    told = Letters()
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    server = Controller(told, hostname="127.0.0.1", port=port)
    server.start()
    yield told, f"smtp://127.0.0.1:{port}?from=bakhong@tinh.vn&to=lan@tinh.vn,minh@tinh.vn"
    server.stop()


def a_night(
    engine: Engine, address: str | None, causes: dict[str, str], secret: str | None = None, desk_url: str | None = None
) -> list[str]:
    row = {"flow": "nightly", "as_of": NIGHT, "started_at": NIGHT, "status": "completed", "host": "test", "process_id": 1}
    with engine.begin() as c:
        run_id = c.execute(insert(run).values(row).returning(run.c.run_id)).scalar_one()
    told = {"message_to": address, "message_secret": secret, "desk_url": desk_url}
    settings = Settings(Path("home"), None, Path("sources.yaml"), KEY.encode(), **told)
    return tell_news(engine, settings, run_id, causes.items())


def test_a_cause_is_told_once_while_it_lasts_and_again_when_it_comes_back(engine: Engine, letters: tuple[Letters, str]) -> None:
    told, address = letters
    refused = {"rejected evn BIL-010": "Bị từ chối: evn_1.csv thiếu cột"}
    assert a_night(engine, address, refused) == []
    assert a_night(engine, address, {"rejected evn BIL-010": "Bị từ chối: evn_2.csv thiếu cột"}) == []
    assert len(told.taken) == 1, "the same fault in another night's file is no news"
    assert a_night(engine, address, refused | {"late ecpay": "Nguồn chậm: ECPay"}) == []
    (to, first), (_, second) = told.taken
    assert to == ["lan@tinh.vn", "minh@tinh.vn"]
    assert (first["Subject"], first["From"]) == ("Ba Không, đêm 27/11/2026: 1 việc mới cần xem", "bakhong@tinh.vn")
    assert first.get_content().splitlines() == ["- Bị từ chối: evn_1.csv thiếu cột"]
    assert second.get_content().splitlines() == ["- Nguồn chậm: ECPay", "", "Còn 1 việc đã báo những đêm trước."]
    a_night(engine, address, {})
    assert len(told.taken) == 2
    a_night(engine, address, refused)
    assert len(told.taken) == 3, "it had gone, and is there again"


def test_what_could_not_be_sent_goes_with_the_next_night(engine: Engine, letters: tuple[Letters, str]) -> None:
    told, address = letters
    with socket.create_server(("127.0.0.1", 0)) as one:
        closed = f"smtp://127.0.0.1:{one.getsockname()[1]}?from=a@b.vn&to=c@d.vn"
    (why,) = a_night(engine, closed, {"late ecpay": "Nguồn chậm: ECPay"})
    assert why.startswith("Không gửi được tin báo (Connection refused)")
    assert a_night(engine, address, {"late ecpay": "Nguồn chậm: ECPay"}) == []
    assert len(told.taken) == 1


def test_a_password_is_not_sent_in_clear(engine: Engine, letters: tuple[Letters, str]) -> None:
    told, address = letters
    (why,) = a_night(engine, address.replace("smtp://", "smtp://bakhong@"), {"late": "chậm"}, secret="bi mat")
    assert "không mã hóa" in why
    assert "bi mat" not in why
    assert told.taken == []


def test_many_causes_are_counted_beyond_what_one_reads(engine: Engine, letters: tuple[Letters, str]) -> None:
    told, address = letters
    a_night(engine, address, {f"held {n}": f"điểm {n}\nxuống dòng" for n in range(238)})
    lines = told.taken[0][1].get_content().splitlines()
    assert len(lines) == 31
    assert lines[0] == "- điểm 0 xuống dòng"
    assert lines[-1] == "- và 208 việc khác"


def test_a_webhook_gets_the_words_as_text_and_a_refusal_of_it_is_told(engine: Engine, webhook: Webhook) -> None:
    posted, address, answer = webhook
    answer["status"] = 503
    assert a_night(engine, address, {"late": "Nguồn chậm: ECPay"}, "bi mat") == [
        "Không gửi được tin báo (địa chỉ nhận trả lời 503); sẽ gửi cùng lượt đêm sau."
    ]
    answer["status"] = 200
    assert a_night(engine, address, {"late": "Nguồn chậm: ECPay"}, "bi mat") == []
    assert posted[-1] == ("Bearer bi mat", {"text": "Ba Không, đêm 27/11/2026: 1 việc mới cần xem\n- Nguồn chậm: ECPay"})


def test_the_message_leads_to_the_desk(engine: Engine, letters: tuple[Letters, str]) -> None:
    told, address = letters
    a_night(engine, address, {"late ecpay": "Nguồn chậm: ECPay"}, desk_url="https://bakhong.tinh.vn/")
    assert told.taken[0][1].get_content().splitlines() == ["- Nguồn chậm: ECPay", "", "Trang kiểm soát: https://bakhong.tinh.vn/"]


def test_without_an_address_nothing_is_told_and_nothing_kept(engine: Engine) -> None:
    assert a_night(engine, None, {"late": "chậm"}) == []
    with engine.connect() as c:
        assert c.scalar(text("SELECT count(*) FROM ops.told")) == 0


@pytest.mark.parametrize(
    "address",
    [
        "smtp://mail.tinh.vn?to=a@b.vn",
        "smtp://mail.tinh.vn?from=a@b.vn",
        "smtp://user:password@mail.tinh.vn?from=a@b.vn&to=c@d.vn",
        "smtp://mail.tinh.vn:ngoai?from=a@b.vn&to=c@d.vn",
        "smtp://mail.tinh.vn?from=a@b.vn&to=c@d.vn&cc=e@f.vn",
        "mailto:a@b.vn",
    ],
)
def test_an_address_that_would_not_do_is_refused_before_the_night(address: str) -> None:
    with pytest.raises(Refusal, match="BAKHONG_MESSAGE_TO"):
        check_address(address)
