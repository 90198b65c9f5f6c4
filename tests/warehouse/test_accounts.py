"""Accounts of the desk: passwords that nobody can read or guess, sessions that end, an audit that stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from desk import accounts
from desk.account_commands import account
from tasks.ask.scope import scope_of
from tests.nights import url_of
from warehouse.database import connect
from warehouse.embedded import Server
from warehouse.settings import Refusal

PASSWORD, HERE = "thùng thư xanh", "10.0.0.7"


@pytest.fixture
def lan(engine: Engine) -> Engine:
    """A warehouse with one account."""
    with engine.begin() as connection:
        accounts.add(connection, "lan", "Lê Thị Lan", "steward", PASSWORD, None, "root")
    return engine


def signed_in(engine: Engine, password: str = PASSWORD) -> str:
    token = accounts.sign_in(engine, "Lan ", password, HERE)
    assert token
    return token


def count(connection: Connection, query: str) -> int:
    return int(connection.scalar(text(query)) or 0)


def test_neither_password_nor_token_is_kept(lan: Engine) -> None:
    token = signed_in(lan)
    with lan.connect() as connection:
        kept = connection.scalars(
            text(
                "SELECT a::text FROM ops.account a UNION ALL SELECT s::text FROM ops.session s UNION ALL SELECT t::text FROM ops.sign_in t"
            )
        ).all()
    assert len(kept) == 3
    assert not [row for row in kept if PASSWORD in row or token in row]
    assert "$argon2id$" in kept[0]


def test_a_session_is_whoever_signed_in_until_it_ends(lan: Engine) -> None:
    token = signed_in(lan)
    account = accounts.signed_in(lan, token)
    assert account is not None
    assert (account.name, account.may("viewer"), account.may("steward"), account.may("approver")) == ("lan", True, True, False)
    assert accounts.signed_in(lan, token + "x") is None
    with lan.begin() as connection:
        accounts.sign_out(connection, token, account, HERE)
    assert accounts.signed_in(lan, token) is None


@pytest.mark.parametrize("ended", ["last_seen_at = now() - interval '121 minutes'", "expires_at = now()"])
def test_a_session_ends_by_itself(lan: Engine, ended: str) -> None:
    token = signed_in(lan)
    with lan.begin() as connection:
        connection.execute(text(f"UPDATE ops.session SET {ended}"))
    assert accounts.signed_in(lan, token) is None


def test_another_password_or_a_closed_account_ends_all_sessions(lan: Engine) -> None:
    first, second = signed_in(lan), signed_in(lan)
    with lan.begin() as connection:
        accounts.set_password(connection, "lan", "mưa phùn tháng ba", "root")
    assert (accounts.signed_in(lan, first), accounts.signed_in(lan, second)) == (None, None)
    assert accounts.sign_in(lan, "lan", PASSWORD, HERE) is None
    third = signed_in(lan, "mưa phùn tháng ba")
    with lan.begin() as connection:
        accounts.disable(connection, "lan", "root")
    assert accounts.signed_in(lan, third) is None
    assert accounts.sign_in(lan, "lan", "mưa phùn tháng ba", HERE) is None


def test_a_password_is_the_same_however_the_keyboard_composes_it(lan: Engine) -> None:
    import unicodedata

    assert accounts.sign_in(lan, "lan", unicodedata.normalize("NFD", PASSWORD), HERE)


@pytest.mark.parametrize("weak", ["short", "lan-rất-an-toàn", "aaaaaaaaaaaa", "x" * 201])
def test_a_password_that_is_easily_guessed_is_refused(lan: Engine, weak: str) -> None:
    with lan.begin() as connection, pytest.raises(Refusal):
        accounts.set_password(connection, "lan", weak, "root")


def test_after_a_few_wrong_passwords_nobody_is_let_in_for_a_while_even_with_the_right_one(lan: Engine) -> None:
    for _ in range(accounts.WRONG_HERE):
        assert accounts.sign_in(lan, "lan", "wrong password", HERE) is None
    with pytest.raises(accounts.TooManyTries):
        accounts.sign_in(lan, "lan", PASSWORD, HERE)
    assert accounts.sign_in(lan, "lan", PASSWORD, "10.0.0.8")  # five wrong ones here lock nobody out elsewhere
    with lan.begin() as connection:
        connection.execute(text("UPDATE ops.sign_in SET tried_at = tried_at - :window"), {"window": accounts.WINDOW + timedelta(seconds=1)})
    assert accounts.sign_in(lan, "lan", PASSWORD, HERE)


def test_an_account_that_is_not_there_is_answered_like_a_wrong_password(lan: Engine) -> None:
    for _ in range(accounts.WRONG_HERE):
        assert accounts.sign_in(lan, "nobody", "wrong password", HERE) is None
    with pytest.raises(accounts.TooManyTries):
        accounts.sign_in(lan, "nobody", "wrong password", HERE)


def test_the_audit_is_never_changed_not_even_by_the_owner(lan: Engine) -> None:
    with lan.connect() as connection:
        assert connection.execute(text("SELECT acted_by, action, subject FROM ops.action")).all() == [
            ("root", "account-add", "account:lan")
        ]
    for statement in ("UPDATE ops.action SET acted_by = 'x'", "DELETE FROM ops.action", "TRUNCATE ops.action"):
        with lan.begin() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(statement))


def test_a_login_with_the_stewards_role_alone_runs_the_desk_and_the_loader_sees_no_account(lan: Engine, server: Server) -> None:
    with lan.begin() as connection:
        for role in ("steward", "etl"):
            connection.exec_driver_sql(f"ALTER ROLE bakhong_{role} LOGIN PASSWORD '{server.passwords[role]}'")
    steward, etl = (connect(server.url(role, str(lan.url.database))) for role in ("steward", "etl"))
    token = signed_in(steward)
    assert accounts.signed_in(steward, token)
    with steward.begin() as connection:
        accounts.add(connection, "binh", "Bình", "viewer", PASSWORD, "15655", "lan")
        accounts.disable(connection, "binh", "lan")
    for table in ("account", "session", "sign_in"):
        with etl.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text(f"SELECT * FROM ops.{table}"))
    steward.dispose()
    etl.dispose()


def test_an_account_of_a_unit_sees_it_what_is_below_and_what_went_into_it(engine: Engine) -> None:
    with engine.connect() as connection:
        district, commune, today = (scope_of(connection, code) for code in ("396", "15655", "15661"))
        below = count(connection, "SELECT count(DISTINCT unit_code) FROM warehouse.dim_unit WHERE parent_code = '396'")
        assert scope_of(connection, None).is_whole
    assert district.codes is not None
    assert len(district.codes) == below + 1
    assert district.sees("15655")
    assert not district.sees("38")
    assert not district.sees(None)  # what is of no unit is of the whole province
    assert (commune.sees("15655"), commune.sees("15661")) == (True, False)
    assert today.sees("15661")


def test_accounts_are_made_and_ended_on_the_command_line(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKHONG_WAREHOUSE_URL", url_of(engine))

    def run(*words: str, typed: str = "") -> Exception | None:
        problem = CliRunner().invoke(account, words, input=typed).exception
        return problem if isinstance(problem, Refusal) else None

    assert run("add", "lan", "--role", "steward", "--shown", "Lê Thị Lan", "--unit", "15655", typed=f"{PASSWORD}\n") is None
    token = signed_in(engine)
    found = accounts.signed_in(engine, token)
    assert found is not None
    assert (found.shown_name, found.role, found.unit_code) == ("Lê Thị Lan", "steward", "15655")
    assert run("sessions", "lan", "--revoke") is None
    assert accounts.signed_in(engine, token) is None
    assert run("password", "lan", typed="mưa phùn tháng ba\n") is None
    assert run("disable", "lan") is None
    assert accounts.sign_in(engine, "lan", "mưa phùn tháng ba", HERE) is None
    assert run("disable", "lan", "--undo") is None
    assert accounts.sign_in(engine, "lan", "mưa phùn tháng ba", HERE)
    refused = [
        run("add", "lan", typed=f"{PASSWORD}\n"),
        run("add", "Lan X", typed=f"{PASSWORD}\n"),
        run("password", "nobody", typed=f"{PASSWORD}\n"),
    ]
    refused += [run("add", "minh", "--unit", "99999", typed=f"{PASSWORD}\n"), run("add", "minh", typed="\n"), run("sessions", "nobody")]
    assert [str(refusal).split(":")[0] for refusal in refused] == [
        "Đã có tài khoản lan.",
        "Tên đăng nhập 'Lan X' không hợp lệ",
        "Không có tài khoản 'nobody'.",
        "Không có đơn vị hành chính nào mang mã '99999'.",
        "Mật khẩu cần từ 10 đến 200 ký tự.",
        "Không có tài khoản 'nobody'.",
    ]
