"""A load that is killed leaves nothing, and the next one does the whole work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date

from sqlalchemy import Engine, text

from tests.nights import ROOT, started
from tests.warehouse.deliveries import deliver, land

CHILD = """
import sys, time
from sqlalchemy import create_engine
from expectations.contract import contract
from tasks.load.deliver import load
from tests.recovery.test_load_killed import ROWS
from tests.warehouse.deliveries import checked
from tasks.deliveries.ledger import delivered
from pathlib import Path

engine = create_engine(sys.argv[1])
(delivery,) = delivered(engine, Path("unused"), [int(sys.argv[2])])

def stalling():
    yield checked("bills", ROWS)
    print("half", flush=True)
    time.sleep(60)

load(engine, delivery, contract("bills"), stalling())
"""

ROWS = [
    {"bill_code": f"HD-{n}", "unit_code": "15655", "service_code": "DIEN", "billing_month": date(2024, 2, 1), "amount_vnd": n}
    for n in range(1, 6)
]


def test_a_killed_load_leaves_nothing_and_the_next_one_loads_all(engine: Engine) -> None:
    delivery = land(engine, "bills", "2024-03-01")
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CHILD, url, str(delivery.delivery_id)]
    with started(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}) as child:
        assert child.stdout.readline() == "half\n"
        child.send_signal(signal.SIGKILL)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM warehouse.fact_bill")) == 0
        assert connection.scalar(text("SELECT status FROM ops.delivery")) == "landed"
    begun = time.monotonic()
    assert deliver(engine, delivery, ROWS).loaded == len(ROWS)
    assert time.monotonic() - begun < 30
