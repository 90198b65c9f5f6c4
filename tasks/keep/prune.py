"""What has been kept for long enough goes, by the rules of `warehouse/retention.yaml`; what something still rests on stays.

Nothing is at work meanwhile. What is only looked at goes the same way as what is done, to just before the end: so both come to the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from tasks.deliveries.run_lock import alone
from tasks.deliveries.source import whole_numbers
from tasks.keep.backup import Tell
from tasks.keep.originals import Original, compress_old, held, originals, remove_old
from tasks.load.decisions import is_dismissed
from tasks.pull.writing import writing
from tasks.report.edition import outlived
from tasks.validate.data_docs import told_nights
from tasks.words.vietnamese import VIETNAM
from warehouse.retention import Kept, retention, rules_on
from warehouse.settings import Settings
from warehouse.tables import pruning

DAMAGED = "bị hỏng (khác mã băm)"


@dataclass
class Pruned:
    """A rule, and what goes by it."""

    rule: str
    kept: Kept
    files: int = 0
    rows: int = 0
    bytes: int = 0
    stays: dict[str, int] = field(default_factory=dict)
    """Why something that is old enough is kept, and how many files or rows are."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing goes by it."""
        return not (self.files or self.rows or self.bytes)


@dataclass(frozen=True)
class Pruning:
    """One time that the rules are looked at."""

    engine: Engine
    home: Path
    now: datetime
    who: str
    tries: bool
    """Nothing is changed: only what would go is said."""
    rules: dict[str, Kept]
    tell: Tell

    def before(self, rule: str) -> datetime:
        """What is older than this goes by a rule."""
        return self.rules[rule].term.before(self.now)

    @contextmanager
    def line(self, rule: str) -> Iterator[Pruned]:
        """The line of a rule while things go by it, which is written down whatever ends that."""
        line = Pruned(rule, self.rules[rule])
        try:
            yield line
        finally:
            if not (self.tries or line.is_nothing):
                with self.engine.begin() as connection:
                    connection.execute(pruning.insert(), self._written(line))

    def _written(self, line: Pruned) -> dict[str, object]:
        term = line.kept.term
        told = {"kept_for": term.told, "source": term.source, "pruned_at": self.now, "pruned_by": self.who}
        return told | {"rule": line.rule, "files": line.files, "rows": line.rows, "bytes": line.bytes}

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction, which is taken back where nothing is to be changed."""
        with self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            if self.tries:
                transaction.rollback()


Other = Callable[[Pruning], Pruned]
"""Has go what goes by a rule that is about nothing in the warehouse or its home."""


def read_rules(path: Path, now: datetime) -> dict[str, Kept]:
    """The rules that hold now, with what `retention` of a sources.yaml decides otherwise; Refusal names the first mistake in one line."""
    every = rules_on(now.date())
    own = [name for name, kept in every.items() if kept.term.unit != "nights"]  # those the night keeps, whoever reads them
    return rules_on(now.date(), whole_numbers(path, "retention", own))


def prune(
    engine: Engine, settings: Settings, now: datetime, who: str, tell: Tell, *, tries: bool, others: Sequence[Other] = ()
) -> list[Pruned]:
    """Has go what goes by the rules that hold now; a line a rule. `others`: what there is besides the warehouse and its home."""
    now = now.astimezone(VIETNAM)
    work = Pruning(engine, settings.home, now, who, tries, read_rules(settings.sources, now), tell)
    with alone(engine), writing(settings.home):
        with engine.connect() as connection:
            landed = originals(connection)
        removed = [_removed(work, landed, rule) for rule in ("landing", "landing_personal")]
        gone = {one for _, going in removed for one in going}
        lines = [_compressed(work, [one for one in landed if one not in gone]), *(line for line, _ in removed)]
        lines += [_emptied(work), *_old_files(work)]
        lines += [other(work) for other in others]
    order = list(type(retention()).model_fields)
    return sorted(lines, key=lambda line: order.index(line.rule))


def _removed(work: Pruning, landed: list[Original], rule: str) -> tuple[Pruned, list[Original]]:
    """Files of feeds with personal data, or of the others, that were received long ago."""
    old = [one for one in landed if one.is_personal == (rule == "landing_personal") and one.received_at < work.before(rule)]
    with work.line(rule) as line:
        with work.changing() as connection:
            why = held(connection, old)
            for reason in why.values():
                line.stays[reason] = line.stays.get(reason, 0) + 1
            going = [one for one in old if one not in why and not one.is_removed]
            line.rows = remove_old(connection, going, work.now)
        for one in [*going, *(one for one in old if one.is_removed)]:  # what was marked before and then cut short is removed now
            size = one.remove(work.home, tries=work.tries)
            line.files += size > 0
            line.bytes += size
    return line, going


def _compressed(work: Pruning, landed: list[Original]) -> Pruned:
    with work.line("landing_plain") as line:
        old = [one for one in landed if one.received_at < work.before("landing_plain") and not (one.waits or one.is_removed)]
        for freed in compress_old(work.home, old, work.now, work.tell, tries=work.tries):
            if freed is None:
                line.stays[DAMAGED] = line.stays.get(DAMAGED, 0) + 1
            else:
                line.files += 1
                line.bytes += freed
    return line


def _emptied(work: Pruning) -> Pruned:
    """Rows set aside that somebody decided on long ago: what they quote goes, that they were set aside stays."""
    with work.line("quarantine") as line, work.changing() as connection:
        values = {"before": work.before("quarantine")}
        line.rows, line.bytes = connection.execute(text(_EMPTY), values).one()
        if undecided := connection.scalar(text(_UNDECIDED), values):
            line.stays["chưa ai quyết định"] = undecided
    return line


def _old_files(work: Pruning) -> Iterator[Pruned]:
    """Pages and traces of long ago."""
    faults = [path for path in (work.home / "faults").glob("*.txt") if path.stat().st_mtime < work.before("faults").timestamp()]
    found = {
        "data_docs": told_nights(work.home / "data_docs", work.now.date())[1],
        "editions": outlived(work.home / "report" / "editions", work.now.date()),
        "faults": faults,
    }
    for rule, paths in found.items():
        with work.line(rule) as line:
            for path in paths:
                files = [each for each in path.rglob("*") if each.is_file() and not each.is_symlink()] if path.is_dir() else [path]
                line.files += len(files)
                line.bytes += sum(each.stat().st_size for each in files)
                if not work.tries:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield line


_DECIDED = f"(q.status IN ('dismissed', 'corrected') OR q.status = 'rejected' AND (d.corrected_by IS NOT NULL OR {is_dismissed('d')}))"

_EMPTY = f"""
WITH old AS (
    SELECT q.delivery_id, q.row_number, q.rule_code, q.column_name,
        octet_length(concat(q.value, q.cell_hash, q.natural_key)) AS bytes
    FROM ops.quarantine AS q JOIN ops.delivery AS d USING (delivery_id)
    LEFT JOIN ops.delivery AS c ON c.delivery_id = coalesce(q.corrected_by, d.corrected_by)
    WHERE {_DECIDED} AND coalesce(q.decided_at, c.loaded_at, q.checked_at) < :before
        AND num_nonnulls(q.value, q.cell_hash, q.natural_key) > 0
), emptied AS (
    UPDATE ops.quarantine AS q SET value = NULL, cell_hash = NULL, natural_key = NULL FROM old
    WHERE (q.delivery_id, q.row_number, q.rule_code, q.column_name) = (old.delivery_id, old.row_number, old.rule_code, old.column_name)
    RETURNING old.bytes
) SELECT count(*), coalesce(sum(bytes), 0) FROM emptied
"""

_UNDECIDED = f"""
SELECT count(*) FROM ops.quarantine AS q JOIN ops.delivery AS d USING (delivery_id) WHERE q.seen_at < :before AND NOT {_DECIDED}
"""
