"""Every layout with every kind of defect, in three nights: each row becomes what whoever sowed it says (`generated/`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Engine, text

from expectations.contract import contract, feeds
from flows.ingest import ingest_batch
from flows.nightly import Night, night
from flows.publish import publish
from flows.steps import Steps
from tasks.pull.landing import pull
from tests.golden.generated.inbox import LAST_NIGHT, SEEDS, Inbox
from tests.golden.generated.rows import (
    Aside,
    Becomes,
    Bill,
    Certificates,
    File,
    Holder,
    Ignored,
    Loaded,
    Payment,
    Replaced,
    Shop,
    Unchanged,
    Waits,
)
from tests.nights import KEY, url_of
from warehouse.settings import Settings

QUIET = Steps(pull, ingest_batch, publish, report=None)
SHOWN = 25
"""Differences that are told of a seed."""
Where: TypeAlias = tuple[str, str, int]
"""Source, file, number of the row."""

UNIT = "CASE WHEN f.unit_key <> 0 THEN array[u.unit_code, (u.valid_from >= '2025-07-01')::text] END AS unit"
FACTS: dict[type, str] = {
    Bill: f"""SELECT bill_code AS number, service_code AS service, {UNIT}, billing_month AS month, issued_on AS issued,
        amount_vnd AS amount, customer_hash::text AS person, is_household AS household
        FROM warehouse.fact_bill f JOIN warehouse.dim_service USING (service_key) JOIN warehouse.dim_unit u USING (unit_key)""",
    Payment: f"""SELECT transaction_code AS number, payment_status_code AS status, amount_vnd AS amount, business_date AS day,
        nullif(payment_method_code, '0') AS method, nullif(service_code, '0') AS service, {UNIT}, nullif(m.merchant_code, '0') AS shop,
        refunded_vnd AS refunded, is_refund
        FROM warehouse.fact_payment f JOIN warehouse.dim_service USING (service_key) JOIN warehouse.dim_unit u USING (unit_key)
        JOIN warehouse.dim_payment_method USING (payment_method_key) JOIN warehouse.dim_payment_status USING (payment_status_key)
        JOIN warehouse.dim_merchant m USING (merchant_key)""",
    Shop: """SELECT provider_code AS provider, merchant_code AS terminal, merchant_name AS name, merchant_kind AS kind, unit_code,
        valid_from, valid_to FROM warehouse.list_merchant f""",
    Certificates: f"""SELECT {UNIT}, month, certificates_issued AS issued, certificates_in_force AS in_force,
        holders_cumulative AS cumulative FROM warehouse.fact_signature f JOIN warehouse.dim_unit u USING (unit_key)""",
    Holder: f"""SELECT holder_hash::text AS person, {UNIT}, issued_on AS issued, certificate_status AS status
        FROM warehouse.fact_signature_holder f JOIN warehouse.dim_unit u USING (unit_key)""",
}
"""What is kept of each, in the terms of the generator."""

OF_SUMS = {
    rule.code
    for feed in feeds()
    for rule in contract(feed).rules
    if rule.check in ("ratio", "overpaid", "beside_days", "fees_reconciled", "more_than_reported")
}
"""Rules that hold what a file comes to against others: no row breaks them, and the amounts here are drawn by lot."""

DELIVERIES = """SELECT delivery_id, source, file_name, status, verdict, message_vi, business_period, loaded_at, supersedes,
    rows_received, rows_loaded, rows_unchanged, rows_quarantined, rows_ignored FROM ops.delivery"""


@dataclass(frozen=True)
class Found:
    """What the warehouse says."""

    rows: dict[Where, Becomes]
    """Of each row that it keeps or has set aside."""
    files: dict[tuple[str, str], dict[str, Any]]
    flags: dict[tuple[str, str], dict[str, int]]
    """File → warnings with the number of their rows; 0 where they are of the file as a whole."""
    refused: dict[tuple[str, str], set[str]]
    """File → rules that refuse it whole."""


def found_in(engine: Engine) -> Found:
    """Reads it row by row."""
    rows: dict[Where, Becomes] = {}
    with engine.connect() as connection:

        def ask(query: str) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(text(query)).mappings()]

        files = {(row["source"], row["file_name"]): row for row in ask(DELIVERIES)}
        names = {row["delivery_id"]: key for key, row in files.items()}
        for kind, query in FACTS.items():
            states = query.replace("SELECT ", "SELECT f.delivery_id, f.row_number, f.known_to = 'infinity' AS is_current, ", 1)
            for row in ask(f"{states} WHERE f.known_to > f.known_from ORDER BY f.known_to"):
                place = (*names[row.pop("delivery_id")], row.pop("row_number"))
                if not row.pop("is_current"):
                    rows[place] = Replaced()
                    continue
                if row.get("unit"):
                    row["unit"] = (row["unit"][0], row["unit"][1] == "true")
                rows[place] = Loaded(kind(**row))
        for row in ask("SELECT * FROM ops.quarantine WHERE status <> 'rejected'"):
            place, fault = (*names[row["delivery_id"]], row["row_number"]), (row["rule_code"], row["column_name"])
            known = rows.get(place)
            if row["status"] == "waiting":
                rows[place] = Waits(fault)
            else:
                rows[place] = Aside(frozenset([fault, *(known.faults if isinstance(known, Aside) else ())]))
        flags: dict[tuple[str, str], dict[str, int]] = {key: {} for key in files}
        refused: dict[tuple[str, str], set[str]] = {key: set() for key in files}
        for row in ask("SELECT * FROM ops.verdict WHERE NOT success"):
            key, code = names[row["delivery_id"]], row["rule_code"]
            if row["severity"] == "warning":
                flags[key][code] = row["unexpected_count"] if row["scope"] == "row" else 0
            elif row["scope"] == "delivery":
                refused[key].add(code)
    return Found(rows, files, flags, refused)


def expected_of(inbox: Inbox, nights: int) -> dict[Where, tuple[Becomes, str]]:
    """What must have become of every row after so many nights, and what is odd about it."""
    return {
        (file.source, file.name, number): (row.at_last if row.at_last and nights >= LAST_NIGHT else row.becomes, row.sown)
        for file in inbox.files
        if file.night <= nights
        for number, row in file.rows.items()
        if not file.refused
    }


def differences(inbox: Inbox, found: Found, nights: int) -> Iterator[str]:
    """What is not as it must be, a line each."""
    expected = expected_of(inbox, nights)
    persons = _persons(expected, found)
    beside = inbox.beside.keys()
    for place in sorted(expected.keys() | found.rows.keys()):
        must, sown = expected.get(place, (None, "a row that nobody wrote"))
        came = _with_person(found.rows.get(place), persons)
        if isinstance(must, Ignored | Unchanged):
            must = None
        warned = replace(must, warns=()) if isinstance(must, Loaded) else must
        if came != warned and place[0] not in beside:
            yield f"{place[0]}/{place[1]} row {place[2]} ({sown or 'ordinary'}): {_told(warned, came)}"
    for file in inbox.files:
        if file.night <= nights:
            yield from _differences_of_file(file, found, expected)


def _differences_of_file(file: File, found: Found, expected: dict[Where, tuple[Becomes, str]]) -> Iterator[str]:
    key, name = (file.source, file.name), f"{file.source}/{file.name} ({file.wrong or 'nothing odd as a whole'})"
    if key not in found.files:
        yield f"{name}: never taken"
        return
    row = found.files[key]
    counts = {one: row[f"rows_{one}"] for one in ("received", "loaded", "unchanged", "quarantined", "ignored")}
    if counts["received"] is None or counts["received"] != sum(counts.values()) - counts["received"]:
        yield f"{name}: rows are lost: {counts}"
    if file.refused:
        if row["status"] != "rejected" or file.refused not in found.refused[key]:
            yield f"{name}: must be refused by {file.refused}; is {row['status']} by {sorted(found.refused[key])}"
        return
    if row["status"] != "loaded":
        yield f"{name}: must be loaded; is {row['status']}: {row['message_vi']}"
        return
    became = [expected[(*key, number)][0] for number in file.rows]
    must = Counter(COUNTED[type(one)] for one in became)
    wrong = {one: (must[one], counts[one]) for one in must | counts if one != "received" and must[one] != counts[one]}
    if wrong:
        yield f"{name}: counted {wrong} (must be, is)"
    warned = Counter(rule for one in became if isinstance(one, Loaded) for rule in one.warns)
    flagged = dict.fromkeys(file.flags, 0) | dict(warned)
    came = {code: rows for code, rows in found.flags[key].items() if code not in OF_SUMS}
    if flagged != came:
        yield f"{name}: must be flagged by {flagged}, is by {came}"


COUNTED = {
    Loaded: "loaded", Replaced: "loaded", Unchanged: "unchanged", Aside: "quarantined", Waits: "quarantined", Ignored: "ignored",
}  # fmt: skip


def _told(must: Becomes | None, came: Becomes | None) -> str:
    if isinstance(must, Loaded) and isinstance(came, Loaded) and type(must.fact) is type(came.fact):
        there = asdict(came.fact)
        return ", ".join(
            f"{name} must be {value!r}, is {there[name]!r}" for name, value in asdict(must.fact).items() if there[name] != value
        )
    return f"must be {must}, is {came}"


def _persons(expected: dict[Where, tuple[Becomes, str]], found: Found) -> dict[str, str]:
    """Hash → person, as the first row of each says: whoever bears two hashes, or shares one, is told as a difference."""
    persons: dict[str, str] = {}
    known: set[str] = set()
    for place in sorted(expected):
        must, came = (_person(one) for one in (expected[place][0], found.rows.get(place)))
        if must and came and must not in known and came not in persons:
            persons[came] = must
            known.add(must)
    return persons


def _person(one: Becomes | None) -> str | None:
    return one.fact.person if isinstance(one, Loaded) and isinstance(one.fact, Bill | Holder) else None


def _with_person(came: Becomes | None, persons: dict[str, str]) -> Becomes | None:
    person = _person(came)
    return Loaded(replace(came.fact, person=persons.get(person, "of another hash"))) if person else came  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_becomes_what_was_sown_into_it(engine: Engine, tmp_path: Path, seed: int) -> None:
    inbox = Inbox(seed)
    settings = Settings(tmp_path / "home", url_of(engine), tmp_path / "sources.yaml", KEY.encode())
    settings.home.mkdir()

    def a_night(number: int) -> tuple[Night, Found]:
        inbox.write(tmp_path, number)
        done = night(settings, engine, None, steps=QUIET)
        assert done.problems == []
        return done, found_in(engine)

    _, first = a_night(1)
    _agree(inbox, first, 1)
    done, second = a_night(2)
    assert done.outcomes == []
    assert changes(first, second) == []
    _, last = a_night(LAST_NIGHT)
    _agree(inbox, last, LAST_NIGHT)


def changes(before: Found, after: Found) -> list[str]:
    """What is not as it was."""
    return [
        f"{key}: was {was.get(key)}, is {now.get(key)}"
        for was, now in ((before.rows, after.rows), (before.files, after.files), (before.flags, after.flags))
        for key in was.keys() | now.keys()
        if was.get(key) != now.get(key)
    ]


def _agree(inbox: Inbox, found: Found, nights: int) -> None:
    wrong = [*differences(inbox, found, nights)]
    assert not wrong, "\n".join([f"{len(wrong)} differences", *wrong[:SHOWN]])
