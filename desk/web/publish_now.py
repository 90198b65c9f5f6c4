"""Having the night published at once: the desk asks Prefect's server, whose worker may do what the desk may not."""

from __future__ import annotations

import os

from starlette.responses import RedirectResponse, Response

from desk import accounts
from desk.web.access import Asked
from desk.web.frame import PUBLISH_NOW
from tasks.ask.gate import ASKED
from tasks.deliveries.run_lock import in_one_line, require_free
from tasks.report.pages.gate import PLACE
from warehouse.settings import Refusal

NIGHTLY = "nightly/nightly"
"""Flow and deployment of `prefect.yaml`."""
BY_HAND = "chạy bakhong nightly --no-pull trên máy chủ"


def publish_now(asked: Asked) -> Response:
    """Asks for a night that looks for no new files; Refusal where a run is at work, or Prefect's server does not take it."""
    if not asked.desk.address_of(PUBLISH_NOW):
        raise Refusal(f"Trang kiểm soát chạy không có máy chủ Prefect (PREFECT_API_URL): {BY_HAND}.")
    require_free(asked.engine)
    with asked.engine.begin() as connection:
        accounts.act(connection, asked.who.name, ASKED, "publication:", None, asked.address)
        _order()
    return RedirectResponse(asked.desk.address(PLACE), 303)


def _order() -> None:
    """Has Prefect's server schedule the night for now."""
    from prefect.client.orchestration import SyncPrefectClient  # noqa: PLC0415  # seconds, which nobody waits for who only reads
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY  # noqa: PLC0415

    where = os.environ["PREFECT_API_URL"]  # said to the client: without a server it would start one of its own
    try:
        with SyncPrefectClient(where, auth_string=PREFECT_API_AUTH_STRING.value(), api_key=PREFECT_API_KEY.value()) as client:
            deployment = client.read_deployment_by_name(NIGHTLY)
            client.create_flow_run_from_deployment(deployment.id, parameters={"pulls": False})
    except Exception as error:  # whatever way it fails in, the night of the schedule comes
        raise Refusal(f"Máy chủ Prefect ở {where} không nhận lượt chạy ({in_one_line(error)}); thử lại, hoặc {BY_HAND}.") from error
