"""What stands between us and PostgreSQL may neither lose the time zone of a session nor lend one session to two of ours."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool, StaticPool

from tasks.deliveries.run_lock import LOCK_HELD, alone
from warehouse.database import connect, upgrade
from warehouse.settings import Refusal


def test_a_session_that_lost_its_time_zone_is_refused(engine: Engine) -> None:
    """As PgBouncer loses it, told to ignore the parameters a session starts with."""
    lost = create_engine(engine.url, poolclass=NullPool, connect_args={"options": "-c timezone=UTC"})
    with pytest.raises(Refusal, match="múi giờ Asia/Ho_Chi_Minh"):
        upgrade(lost)


def test_a_session_lent_to_two_in_turn_takes_no_run_lock(engine: Engine) -> None:
    """As PgBouncer lends it by transaction: the lock of a run that died would stay for ever, or be given back by somebody else."""
    with engine.connect() as one:
        lent = create_engine(engine.url, poolclass=StaticPool, creator=lambda: one.connection.driver_connection)
        with pytest.raises(Refusal, match="pool_mode = session"), alone(lent):
            pass
    with engine.connect() as connection:
        assert not connection.scalar(text(f"SELECT {LOCK_HELD}"))


def test_a_session_of_ones_own_takes_it(engine: Engine) -> None:
    again = connect(engine.url.render_as_string(hide_password=False))
    with alone(again), engine.connect() as connection:
        assert connection.scalar(text(f"SELECT {LOCK_HELD}"))
    again.dispose()
