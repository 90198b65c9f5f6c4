"""Whose a fault is: the machine's and the database's keep a delivery waiting, any other is of what was delivered."""

from __future__ import annotations

import errno
import os

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from flows.faults import is_of_the_system
from tasks.deliveries.run_lock import LockLost
from tasks.read.bounded import Broke
from warehouse.settings import Refusal


def of_database(state: str) -> psycopg.Error:
    return psycopg.errors.lookup(state)("words that hold a row")


@pytest.mark.parametrize(
    ("states", "whose"),
    [
        ("08006 25006 28P01 40P01 42501 53100 53200 55P03 57P01 58030 XX002", True),
        ("21000 22003 22021 22P05 23502 23505 42703 42804 54000", False),
    ],
    ids=["the database's", "the delivery's"],
)
def test_the_database_says_whose_an_error_is(states: str, whose: bool) -> None:
    for state in states.split():
        error = of_database(state)
        wrapped = DBAPIError.instance("INSERT", {}, error, psycopg.Error)
        assert [state, is_of_the_system(error), is_of_the_system(wrapped)] == [state, whose, whose]


def test_what_the_driver_says_by_itself_is_of_the_connection_or_of_a_value() -> None:
    assert is_of_the_system(psycopg.OperationalError("the connection is closed"))
    assert is_of_the_system(psycopg.InterfaceError("the connection is closed"))
    assert not is_of_the_system(psycopg.DataError("a text holds NUL"))


def test_the_machine_says_so_by_a_number() -> None:
    full, closed, odd = (OSError(number, os.strerror(number)) for number in (errno.ENOSPC, errno.EACCES, errno.EINVAL))
    assert [is_of_the_system(problem) for problem in (full, closed, odd, OSError("not a zip"))] == [True, True, False, False]


def test_the_run_and_the_settings_are_no_deliverys_fault_and_the_rest_is() -> None:
    ours = (LockLost(""), Refusal(""), NoConnection(), TimeoutError(), ConnectionResetError())
    assert all(map(is_of_the_system, ours))
    assert not any(map(is_of_the_system, (KeyError(), MemoryError(), RecursionError(), Broke("SIGSEGV", []))))
