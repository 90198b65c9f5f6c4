"""The captured month of the national portal: every score it prints comes out of its counts, to the last digit."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from warehouse.scores.rules_766 import rules_on
from warehouse.scores.score_766 import evaluate, totals

MONTH = Path("samples/portal-766/H44/2026-08")
RULES = rules_on(date(2026, 8, 1))


def _answer(endpoint: str) -> Any:
    (path,) = MONTH.glob(f"*/{endpoint}-all.json")
    return json.loads(path.read_text("utf-8"))["data"]


def _tree(endpoint: str) -> list[dict[str, Any]]:
    data = _answer(endpoint)
    return [data["parent"], *data["children"]]


def _list(endpoint: str) -> list[dict[str, Any]]:
    data = _answer(endpoint)
    return [data["overview"], *data["evaluation"]]


def _scores(counts: list[tuple[str, str, Any, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(counts, columns=["department", "component_code", "numerator", "denominator"])
    return evaluate(RULES, frame)


def _same(ours: float, printed: float | None) -> bool:
    return pd.isna(ours) if printed is None else ours == printed


def _exact_cells(printed: dict[Any, float | None], ours: dict[Any, float]) -> int:
    assert printed.keys() == ours.keys()
    wrong = {key: (ours[key], value) for key, value in printed.items() if not _same(ours[key], value)}
    assert wrong == {}
    return len(printed)


def _progress() -> int:
    rows = _tree("dvc-progress-tree")
    scored = _scores([(r["departmentCode"], "ON_TIME", r["totalOnTime"], r["totalReceived"]) for r in rows])
    printed = {r["departmentCode"]: r.get("score", r.get("totalScore")) for r in rows}
    assert [_same(a, r["ratio"]) for a, r in zip(scored["ratio"], rows, strict=True)].count(False) == 0
    return _exact_cells(printed, dict(zip(scored["department"], scored["score"], strict=True)))


PAYMENT = {
    "PAID_DOSSIERS": ("totalDossierOnlinePaymentSuccess", "totalDossierFinancialObligation"),
    "PROCEDURES_PAID_ONLINE": ("totalDossierOnlineFormalityPaymentSuccess", "totalFeeFormality"),
    "FEE_PROCEDURES_WITH_DOSSIERS": ("totalFeeDossierFormality", "totalFeeFormality"),
}


def _payment() -> int:
    rows = _tree("formality-online-payment-tree")
    total = totals(_scores([(r["departmentCode"], code, r[n], r[d]) for r in rows for code, (n, d) in PAYMENT.items()]), ["department"])
    printed = {r["departmentCode"]: r["totalScore"] for r in rows}
    assert dict(zip(total["department"], total["ratio"], strict=True)) == {r["departmentCode"]: r["ratio"] for r in rows}
    return _exact_cells(printed, dict(zip(total["department"], total["score"], strict=True)))


def _online() -> int:
    parent = _answer("provide-online-tree")["parent"]
    counts = [
        ("H44", "ONLINE_SERVICES", parent["partialCount"] + parent["fullCount"], parent["authorityCount"]),
        ("H44", "SERVICES_WITH_ONLINE_DOSSIERS", parent["onlineDossierCount"], parent["onlineServiceTotal"]),
        ("H44", "ONLINE_DOSSIERS", parent["channelOnlineSum"], parent["channelTotalSum"]),
    ]
    scored = _scores(counts)
    assert scored["score"].tolist() == [2, 0.83, 6]
    return _exact_cells({"H44": parent["totalScore"]}, dict(zip(["H44"], totals(scored, ["department"])["score"], strict=True)))


def _metrics(endpoint: str) -> int:
    rows = _list(endpoint)
    cells = [(r["departmentId"], m) for r in rows for m in r["metrics"] if m["maxScore"] and m["numerator"] is not None]
    scored = _scores([(department, m["code"], m["numerator"], m["denominator"]) for department, m in cells])
    keys = list(zip(scored["department"], scored["component_code"], strict=True))
    ratios = {(department, m["code"]): m["ratio"] for department, m in cells}
    _exact_cells(ratios, dict(zip(keys, scored["ratio"], strict=True)))
    return _exact_cells({(d, m["code"]): m["score"] for d, m in cells}, dict(zip(keys, scored["score"], strict=True)))


def test_all_2461_scores_of_the_month_come_out_exactly() -> None:
    counted = {
        "progress": _progress(),
        "payment": _payment(),
        "online": _online(),
        "transparency": _metrics("transparency"),
        "satisfaction": _metrics("handling-satisfaction"),
        "digitized": _metrics("dossier-digitized"),
    }
    assert counted == {"progress": 164, "payment": 164, "online": 1, "transparency": 656, "satisfaction": 492, "digitized": 984}
    assert sum(counted.values()) == 2461


@pytest.mark.parametrize("endpoint", ["transparency", "handling-satisfaction", "dossier-digitized"])
def test_group_totals_and_ratios_are_the_portals_own(endpoint: str) -> None:
    rows = _list(endpoint)
    counts = pd.DataFrame(
        [(r["departmentId"], m["code"], m["numerator"], m["denominator"], m["score"]) for r in rows for m in r["metrics"] if m["maxScore"]],
        columns=["department", "component_code", "numerator", "denominator", "printed"],
    )
    total = totals(evaluate(RULES, counts), ["department"]).set_index("department")
    assert len(rows) == 164
    for row in rows:
        assert (total.at[row["departmentId"], "score"], total.at[row["departmentId"], "ratio"]) == (row["totalScore"], row["ratio"]), row[
            "departmentName"
        ]
        assert total.at[row["departmentId"], "max_score"] == row["totalMaxScore"]


def test_a_department_without_dossiers_has_null_zero_and_full_marks_beside_each_other() -> None:
    scored = _scores(
        [
            ("H44.01", code, 0, 0)
            for code in ("REUSED_DIGITIZED_DATA", "DOSSIER_RECEIVING_SATISFACTION", "PETITION_HANDLING_SATISFACTION", "ON_TIME")
        ]
    )
    assert scored["score"].isna().tolist() == [True, False, False, False]
    assert scored["score"].tolist()[1:] == [0, 6, 0]
    assert scored["ratio"].isna().tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("name", "paid", "obligation", "b", "c", "fee", "score"),
    [
        ("H44", 82913, 98459, 93, 56, 310, 6.25),
        ("Việt Trì", 1516, 1707, 12, 7, 35, 6.69),
        ("Nông Trang", 851, 938, 9, 4, 35, 6.37),
        ("Thanh Miếu", 621, 754, 12, 6, 36, 6.19),
        ("Vân Phú", 1491, 1651, 7, 6, 31, 6.46),
        ("Phù Ninh", 799, 992, 11, 7, 34, 6.15),
        ("Ban QL KCN", 7, 7, 2, 0, 3, 7.67),
    ],
)
def test_payment_vectors_published_elsewhere_come_out(
    name: str, paid: int, obligation: int, b: int, c: int, fee: int, score: float
) -> None:
    counts = [
        (name, "PAID_DOSSIERS", paid, obligation),
        (name, "PROCEDURES_PAID_ONLINE", b, fee),
        (name, "FEE_PROCEDURES_WITH_DOSSIERS", c, fee),
    ]
    assert totals(_scores(counts), ["department"])["score"].tolist() == [score]
