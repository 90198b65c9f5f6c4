"""Answers of the national portal on decision 766: JSON of six shapes → rows of one shape.

The answers repeat neither province nor period nor the time of capture: the path says them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.deliveries.coverage import Capture, capture
from tasks.read.json_text import parsed, text_of
from tasks.read.rows import NO_VALUE, File, Rows

Row = dict[str, Any]


class NotAnAnswer(Exception):
    """The file is not a successful, complete answer for its folder; `code` is the rule of the contract that says so."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_portal_766(file: File, chunk_rows: int) -> Iterator[Rows]:
    """Rows of one answer, a figure of a department each."""
    try:
        found = rows(parsed(file), file.name)
    except NotAnAnswer as refusal:
        raise file.refused(refusal.code) from None
    header = {column: name for name, column in file.layout.headers.items() if column}
    for start in range(0, len(found), chunk_rows):
        part = found[start : start + chunk_rows]
        cells = {header.get(name, name): pa.array([text_of(row[name]) for row in part], pa.string()) for name in part[0]}
        yield Rows(cells, np.arange(start + 1, start + len(part) + 1, dtype=np.int32))


def rows(answer: Any, file_name: str) -> list[Row]:
    """Rows of one answer, in the order of the file, with the columns of the contract `portal_766`."""
    about = capture(file_name)
    if about is None or about.endpoint not in ENDPOINTS:
        raise NotAnAnswer("P766-008")
    try:
        if answer["code"] != "OK":
            raise NotAnAnswer("P766-010")
        found = list(_complete(ENDPOINTS[about.endpoint](answer["data"]), about))
        others = [row for row in found if row["department_code"] and row["department_code"].split(".")[0] != about.province]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAnAnswer("P766-010") from error
    if others:
        raise NotAnAnswer("P766-009")
    return found


def _complete(found: Iterator[Row], about: Capture) -> Iterator[Row]:
    for row in found:
        yield {"period": about.period, "province_code": about.province, **row}


def _figure(component: str, numerator: int | str | None, denominator: int | None, **printed: Any) -> Row:
    blank = {"ratio": None, "score": None, "max_score": None, "quality_status": None}
    return {"component_code": component, "numerator": numerator, "denominator": denominator, **blank, **printed}


def _tree(group: str, figures: Callable[[Row], Iterator[Row]]) -> Callable[[Row], Iterator[Row]]:
    """Tree answers: the province as `parent`, its departments as `children`; the score is printed for the group only."""

    def read(data: Row) -> Iterator[Row]:
        for node in (data["parent"], *data["children"]):
            department = {
                "department_id": node["departmentId"],
                "department_code": node["departmentCode"],
                "department_name": node["departmentName"],
                "department_level": "province" if node is data["parent"] else _LEVELS[node["level"]],
                "group_code": group,
            }
            score, maximum = (node["score"], node["maxScore"]) if "score" in node else (node["totalScore"], node["totalMaxScore"])
            yield department | _figure("", None, None, ratio=node["ratio"], score=score, max_score=maximum)
            for figure in figures(node):
                yield department | figure

    return read


def _progress(node: Row) -> Iterator[Row]:
    yield _figure("ON_TIME", node["totalOnTime"], node["totalReceived"], ratio=node["ratio"])


def _online(node: Row) -> Iterator[Row]:
    if "authorityCount" not in node:  # departments carry a score and no counts
        return
    yield _figure("ONLINE_SERVICES", _added(node["partialCount"], node["fullCount"]), node["authorityCount"])
    yield _figure("SERVICES_WITH_ONLINE_DOSSIERS", node["onlineDossierCount"], node["onlineServiceTotal"])
    yield _figure("ONLINE_DOSSIERS", node["channelOnlineSum"], node["channelTotalSum"])


def _added(*counts: Any) -> int | str:
    return sum(counts) if all(isinstance(count, int) for count in counts) else NO_VALUE


def _payment(node: Row) -> Iterator[Row]:
    yield _figure("PAID_DOSSIERS", node["totalDossierOnlinePaymentSuccess"], node["totalDossierFinancialObligation"])
    yield _figure("PROCEDURES_PAID_ONLINE", node["totalDossierOnlineFormalityPaymentSuccess"], node["totalFeeFormality"])
    yield _figure("FEE_PROCEDURES_WITH_DOSSIERS", node["totalFeeDossierFormality"], node["totalFeeFormality"])


def _list(group: str) -> Callable[[Row], Iterator[Row]]:
    """List answers: the province as `overview`, its departments as `evaluation`; every figure has its own score."""

    def read(data: Row) -> Iterator[Row]:
        if data["pagination"]["total"] != len(data["evaluation"]):
            raise NotAnAnswer("P766-010")
        for node in (data["overview"], *data["evaluation"]):
            department = {
                "department_id": node["departmentId"],
                "department_code": node.get("departmentCode"),
                "department_name": node["departmentName"],
                "department_level": "province" if node is data["overview"] else _LEVELS[node["departmentType"]],
                "group_code": group,
            }
            yield department | _figure("", None, None, ratio=node["ratio"], score=node["totalScore"], max_score=node["totalMaxScore"])
            for metric in node["metrics"]:
                printed = {"ratio": metric["ratio"], "score": metric["score"], "max_score": metric["maxScore"]}
                quality = metric.get("dataQualityStatus")
                yield department | _figure(metric["code"], metric["numerator"], metric["denominator"], **printed, quality_status=quality)

    return read


# One word, two things: PROVINCE is a provincial body in a tree, and the province itself in a list.
_LEVELS = {"PROVINCE": "body", "COMMUNE": "commune", "PROVINCIAL_DEPARTMENT": "body", "COMMUNE_PEOPLE_COMMITTEE": "commune"}

ENDPOINTS: dict[str, Callable[[Row], Iterator[Row]]] = {
    "transparency": _list("CKMB"),
    "dvc-progress-tree": _tree("TDGQ", _progress),
    "provide-online-tree": _tree("CLGQ", _online),
    "formality-online-payment-tree": _tree("TTTT", _payment),
    "handling-satisfaction": _list("MDHL"),
    "dossier-digitized": _list("MDSH"),
}
"""Endpoint → reader of its `data`."""
