from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.nights import bakhong, environment, url_of
from warehouse.losses import Loss, losses
from warehouse.migrations.steps import newest_revision
from warehouse.standing import revision

BEFORE_THE_DESK = "0023"

HELD = """
INSERT INTO ops.account (account_name, shown_name, role, password_hash)
VALUES ('lan', 'Lan', 'viewer', 'x'), ('minh', 'Minh', 'viewer', 'x');
INSERT INTO ops.source (source, feed, layout, expected, provider, rank, is_required)
VALUES ('evn', 'bills', 'evn_csv', 'daily', 'evn', 0, true), ('ecpay', 'payments', 'ecpay_csv', 'daily', 'ecpay', 1, false)
"""


@pytest.fixture
def held(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.exec_driver_sql(HELD)
    return engine


def test_a_step_back_says_which_tables_and_columns_hold_something_and_takes_nothing(held: Engine) -> None:
    found = losses(held, BEFORE_THE_DESK)
    assert Loss("ops.account", None, 2) in found
    assert Loss("ops.source", "is_required", 1) in found
    assert not [loss for loss in found if loss.table == "ops.session"]  # holds nothing
    with held.connect() as connection:
        assert revision(connection) == newest_revision()
        assert connection.scalar(text("SELECT count(*) FROM ops.account")) == 2


def test_the_command_shows_them_and_goes_back_only_where_somebody_says_so(held: Engine, home: Path) -> None:
    env = environment(home, warehouse_url=url_of(held))
    shown = bakhong("warehouse", "downgrade", BEFORE_THE_DESK, "--dry-run", env=env)
    assert shown.returncode == 0, shown.stderr
    assert "ops.account" in shown.stdout
    unsaid = bakhong("warehouse", "downgrade", BEFORE_THE_DESK, env=env)
    assert (unsaid.returncode, "--yes" in unsaid.stderr) == (2, True)
    no_step = bakhong("warehouse", "downgrade", "9999", "--yes", env=env)
    assert (no_step.returncode, "0001" in no_step.stderr) == (2, True)
    done = bakhong("warehouse", "downgrade", BEFORE_THE_DESK, "--yes", env=env)
    assert done.returncode == 0, done.stderr
    with held.connect() as connection:
        assert revision(connection) == BEFORE_THE_DESK
