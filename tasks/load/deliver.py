"""Accepted rows → dimensions and facts, in one transaction: set aside what may not be loaded, close the delivery last.

`tasks.load.facts` turns typed rows into columns, `history` merges them into what is known, `replace` ends what they replace;
lists and facts go the same way. Here is the order of things, and the delivery's own row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine, delete, exists, func, insert, select, text, update

from expectations.contract import Contract, contract
from tasks.deliveries.ledger import Delivery, Outcome
from tasks.load.beside_days import count_differences
from tasks.load.checked_with import CheckedWith, leave_as_it_is
from tasks.load.codes import Codes
from tasks.load.corrected import SaidAgain, put_right
from tasks.load.decisions import decide_alone
from tasks.load.dependents import are_there, follow
from tasks.load.dimensions import Dimensions
from tasks.load.facts import facts_of
from tasks.load.fees import reconcile_fees
from tasks.load.history import Mask, apply, compare_natural_keys, copy_keys, no_states, overwrite, states_of, temporary
from tasks.load.listed import hold_against_reports
from tasks.load.lists import make_members
from tasks.load.quarantine import Quote, judge, keep, let_go, quote, read_by, take
from tasks.load.ratios import Ratios
from tasks.load.received import keep_receivers
from tasks.load.refunds import give_back
from tasks.load.replace import Covered, deliveries_of_the_day, said_otherwise
from tasks.load.work import Load
from tasks.read.rows import Rejected
from tasks.validate.checks import Checked, RuleResult, merged
from warehouse.tables import delivery as deliveries
from warehouse.tables import load as loads
from warehouse.tables import verdict


def load(engine: Engine, delivery: Delivery, contract: Contract, checked: Iterable[Checked], quoted: Quote = lambda _: ()) -> Outcome:
    """Loads a delivery whole or not at all; loading it again adds only what could not be loaded before, and ends what it no longer says.

    `quoted`: gives the cells that rows are set aside for. Rejected, with the faults found until then, where the checks refuse it.
    """
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:feed))"), {"feed": f"load {contract.feed}"})
        decide_alone(connection, delivery.delivery_id)
        load_id = connection.execute(insert(loads).values(delivery_id=delivery.delivery_id).returning(loads.c.load_id)).scalar_one()
        work = Load(connection, delivery, contract, Dimensions(connection, delivery.delivery_id), load_id)
        work.is_followed = are_there(work)
        covered = Covered(work)
        temporary(connection, "incoming", "row_key bigint")
        for told in ("told_new", "told_again"):
            temporary(connection, told, "row_key bigint")
        codes, ratios, said_again = Codes(work), Ratios(work), SaidAgain(work)
        of_the_day = deliveries_of_the_day(work)
        contradicted = 0
        by: set[str] = set()
        try:
            for part in checked:
                take(work, part)
                if part.corrects:
                    work.partitions.attach()
                rows, sources = _merge(work, covered, codes, ratios, said_again, part, of_the_day)
                contradicted, by = contradicted + rows, by | sources
            ratios.judge(covered.business_period)
        except Rejected as refused:
            raise work.refusal(refused) from None
        let_go(connection, delivery)
        quote(connection, delivery, quoted)
        read_by(connection, delivery)
        for rule in work.rules("contradicts"):
            if contradicted:
                work.count(rule, contradicted, f"{contradicted} dòng, nguồn {', '.join(sorted({*by, delivery.source}))}")
        work.partitions.attach()
        codes.write_down()
        corrected = covered.withdraw()
        if contract.role == "list":
            make_members(work)
        if contract.feed in ("dossiers", "agencies"):
            keep_receivers(work)
        if "order_code" in contract.layouts[delivery.layout].columns:
            give_back(work)
        if work.is_followed:
            follow(work)
        hold_against_reports(work)
        for rule in work.rules("fees_reconciled"):
            reconcile_fees(work, rule, covered.days)
        count_differences(work)
        outcome = _close(work, covered, corrected)
        put_right(connection, delivery, contract, said_again.keys)
        return outcome


def reject(
    engine: Engine,
    delivery: Delivery,
    rejected: Rejected,
    received: int = 0,
    quoted: Quote = lambda _: (),
    agreed: Contract | None = None,
) -> Outcome:
    """Refuses a delivery as a whole: nothing of it is loaded, its rows count as set aside, and the first of each fault are kept.

    `agreed`: what it was held against, where that is not its feed's contract as such.
    """
    now, agreed = datetime.now(UTC), agreed or contract(delivery.feed)
    results = merged([*rejected.results, RuleResult(rejected.rule_code, "critical", "delivery", False, None, received)])
    with engine.begin() as connection:
        decide_alone(connection, delivery.delivery_id)
        connection.execute(delete(verdict).where(verdict.c.delivery_id == delivery.delivery_id))
        _judged(connection, delivery, agreed, results)
        if rejected.faults is not None:
            keep(connection, delivery, agreed, rejected.faults, "rejected")
        let_go(connection, delivery)
        quote(connection, delivery, quoted)
        read_by(connection, delivery)
        closing = {"status": "rejected", "verdict": "reject", "message_vi": rejected.message_vi, "rows_received": received}
        closing |= {"rows_loaded": 0, "rows_unchanged": 0, "rows_quarantined": received, "rows_ignored": 0, "loaded_at": now}
        connection.execute(update(deliveries).where(deliveries.c.delivery_id == delivery.delivery_id).values(closing))
        put_right(connection, delivery, agreed, set())
    cause = f"{delivery.source} {rejected.rule_code}"
    return Outcome(delivery.delivery_id, "rejected", "reject", received, 0, 0, received, 0, rejected.message_vi, cause)


def stays_loaded(engine: Engine, delivery: Delivery, agreed: Contract) -> None:
    """Notes of a loaded delivery that would be refused now that it was read again: it is not tried again until something else changes."""
    with engine.begin() as connection:
        leave_as_it_is(connection, delivery.delivery_id, agreed, delivery.layout)


def _judged(connection: Connection, delivery: Delivery, agreed: Contract, results: Iterable[RuleResult]) -> None:
    """Writes what every rule found; of those that set rows aside or refused the delivery, with what they were checked."""
    now, checked_with = datetime.now(UTC), CheckedWith(connection)
    rows = [
        vars(one)
        | {
            "delivery_id": delivery.delivery_id,
            "checked_at": now,
            "checked_with": checked_with.hash(agreed, delivery.layout, one.rule_code)
            if one.severity == "critical" and not one.success
            else None,
        }
        for one in results
    ]
    if rows:
        connection.execute(insert(verdict), rows)


def _merge(
    work: Load, covered: Covered, codes: Codes, ratios: Ratios, said_again: SaidAgain, part: Checked, of_the_day: dict[int, str]
) -> tuple[int, set[str]]:
    """Writes a chunk into what is known; returns how many rows contradict those of other sources of the day, and which."""
    if not part.table.num_rows:
        return 0, set()
    facts, found, rows = facts_of(work, part.table)
    keep = judge(work, rows, found)
    facts, rows = _in_order(work, facts, rows, keep)
    ratios.add(facts, rows)
    said_again.add(rows)
    if work.contract.tells is not None:
        work.tells |= set(pc.unique(rows[work.contract.tells]).to_pylist())
    until = covered.add(rows)
    keys = facts["row_key"].to_numpy()
    if covered.remembers:
        copy_keys(work.connection, "delivered", keys)
    if not len(keys):
        return 0, set()
    natural = [name for name in work.contract.natural_key if name in work.table.c]
    states = states_of(work.connection, work.table, natural, keys) if codes.may_be_known(rows) or part.corrects else no_states(natural)
    plan = overwrite(keys, facts["row_hash"].to_numpy(), work.moment, until, states)
    compare_natural_keys(work.table, natural, facts, states, plan.known)
    told_here = plan.same & (states["delivery_id"].to_numpy()[plan.told] == work.delivery.delivery_id) if states.num_rows else plan.same
    work.loaded += int((plan.added | told_here).sum())
    work.unchanged += int((plan.same & ~told_here).sum())
    if work.is_followed:
        copy_keys(work.connection, "told_new", keys[plan.added & (plan.known < 0)])
        copy_keys(work.connection, "told_again", keys[plan.added & (plan.known >= 0)])
    covered.confirm(facts, rows, states, plan)
    covered.unsettle(keys, states, plan)
    apply(work, facts, states, plan)
    return said_otherwise(work, facts, states, of_the_day)


def _in_order(work: Load, facts: pa.Table, rows: pa.Table, keep: Mask) -> tuple[pa.Table, pa.Table]:
    """The rows to load, in the order of the index they enter, so that the COPY touches each of its pages once.

    The validator lets one row of each key through; should a contract not ask for that, the last one speaks.
    """
    places = np.flatnonzero(keep)
    keys = facts["row_key"].to_numpy()[places]
    places = places[np.argsort(keys, kind="stable")]
    keys = np.sort(keys, kind="stable")
    last = np.append(keys[1:] != keys[:-1], True) if len(keys) else np.zeros(0, dtype=bool)
    work.ignored += int((~last).sum())
    chosen = pa.array(places[last])
    return facts.take(chosen), rows.take(chosen)


def _close(work: Load, covered: Covered, corrected: int | None) -> Outcome:
    """Writes the verdict, then the delivery's own row: the last thing its transaction does."""
    connection, delivery, now = work.connection, work.delivery, datetime.now(UTC)
    status = "superseded" if covered.is_superseded else "loaded"
    work.tell_rows()
    when_counted = [rule.code for rule in work.rules("overpaid")]  # what was told then holds, though the delivery is read again
    own = verdict.c.delivery_id == delivery.delivery_id
    connection.execute(delete(verdict).where(own, verdict.c.rule_code.not_in(when_counted)))
    is_overpaid = connection.scalar(select(exists().where(own)))
    _judged(connection, delivery, work.contract, work.results)
    flagged = is_overpaid or work.quarantined > 0 or not all(tally.success for tally in work.tallies.values())
    judged = "accept_with_flags" if flagged else "accept"
    connection.execute(
        update(deliveries)
        .where(deliveries.c.delivery_id == delivery.delivery_id)
        .values(
            business_period=covered.business_period,
            tells=sorted(work.tells) or None,
            status=status,
            verdict=judged,
            message_vi=None,
            rows_received=work.received,
            rows_loaded=work.loaded,
            rows_unchanged=work.unchanged,
            rows_quarantined=work.quarantined,
            rows_ignored=work.ignored,
            supersedes=func.coalesce(corrected, deliveries.c.supersedes),
            corrected_by=None,
            loaded_at=now,
        )
    )
    return Outcome(delivery.delivery_id, status, judged, work.received, work.loaded, work.unchanged, work.quarantined, work.ignored)
