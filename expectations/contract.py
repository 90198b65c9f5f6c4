"""A feed's data contract: YAML → checked model → Arrow schema and Great Expectations suite.

`expectations/<feed>.yaml` is the feed's only declaration. Everything that must agree with it (the typed
table the reader returns, the suite the validator runs, the messages a supplier reads, the data dictionary)
derives from the model in this module. It knows neither Prefect nor the warehouse.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    import great_expectations as gx

ROW_NUMBER = "row_number"
"""Column the reader adds to every typed table: number of the row in the file, the header not counted, from 1."""

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("s"),
    "period": pa.string(),
    "hash": pa.string(),
}
"""Contract types. `period` is a year, quarter or month, normalised to `2024`, `2024-Q1` or `2024-03`; `timestamp` is local time (Asia/Ho_Chi_Minh) without zone; `hash` is 32 hex digits, the
first 128 bits of a keyed HMAC-SHA-256 made in the reader from a personal value."""


class Model(BaseModel):
    """Strict base: a misspelt key in a YAML is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Model):
    """One column of the typed table a feed is read into."""

    type: Literal["text", "integer", "decimal", "boolean", "date", "timestamp", "period", "hash", "dropped"]
    """`dropped`: personal data that is named here so that the file may contain it, and never leaves the reader."""
    description: str
    required: bool = False
    """A row in which it is missing is quarantined."""
    pattern: str | None = None
    """Shape of a natural key that is safe to show: a value of another shape is never quoted anywhere."""
    placeholder: list[str] = []
    """Values that stand for missing, beside the layout's own (`000000001` for an unknown identity paper)."""


class Derived(Model):
    """A helper column that a rule compares with; it is made for the check and goes no further."""

    day: str | None = None
    """Column whose day it is, so that a time of day decides nothing."""
    period_start: str | None = None
    """Period column whose first day it is."""
    days_after_export: int | None = None
    """The day so many days after the delivery was made; missing where that day is not known."""
    column: str | None = None
    """Column that the three below start from."""
    day_in: str | None = None
    """Pattern whose first group is a day `yymmdd` inside the column's text."""
    missing_as: int | None = None
    """Number to take where the column is missing."""
    minus: list[str] = []
    """Columns to subtract; missing where one of them is."""

    @property
    def columns(self) -> list[str]:
        """Columns of the contract that it is made from."""
        return [name for name in (self.day, self.period_start, self.column, *self.minus) if name]


class Totals(Model):
    """The control row a supplier writes under the rows; it is ignored as a row and checked as a rule."""

    label: str
    """Text by which the totals row is recognised, in any cell (`Tổng cộng`)."""
    sums: dict[str, str] = {}
    """Column of the contract → header under which its sum is written."""
    count: str | None = None
    """Header under which the number of rows is written."""


class Layout(Model):
    """How one supplier's system writes the feed down."""

    kind: Literal["csv", "xlsx", "html", "json", "jsonl", "fixed_width"]
    description: str
    headers: dict[str, str | None]
    """Header in the file → column of the contract, or nothing where the header is known and left out.
    Matched after NFC, trimming, collapsing of spaces and case folding."""
    optional: list[str] = []
    """Headers that a delivery may leave out."""
    constants: dict[str, str] = {}
    """Columns this layout does not write because they are always the same (`service_code: DIEN`)."""
    encoding: str = "utf-8"
    delimiters: list[str] = [","]
    missing: list[str] = [""]
    date_format: str = "%Y-%m-%d"
    timestamp_format: str = "%Y%m%d%H%M%S"
    date_formats: dict[str, str] = {}
    """Column → format, where one column differs from the layout's own (`billing_month: "%m/%Y"`)."""
    numbers: Literal["plain", "vietnamese", "decimal_point"] = "plain"
    """plain: digits only; vietnamese: dot for thousands, comma for decimals; decimal_point: 152340.0."""
    scale: dict[str, int] = {}
    """Column → how many file units make one contract unit (`amount_vnd: 100`)."""
    values: dict[str, dict[str, str]] = {}
    """Column → value in the file → value in the contract (status labels to codes)."""
    totals: Totals | None = None
    reader: str | None = None
    """Name of a function in `tasks.read` for what cannot be said above (nested JSON)."""


class Rule(Model):
    """One thing that must hold, with the code and the words by which people speak of it."""

    code: str = Field(pattern=r"^[A-Z0-9]{2,4}-\d{3}$")
    severity: Literal["critical", "warning", "info"]
    """critical: the row is quarantined, or the delivery rejected; warning: loaded and counted; info: counted."""
    scope: Literal["row", "delivery"] = "row"
    expect: str | None = None
    """Great Expectations class, as ExpectColumnValuesToBeInSet; empty where `check` names a pipeline check."""
    args: dict[str, Any] = {}
    check: (
        Literal["unique", "unit_known", "agency_known", "procedure_known", "bill_known", "volume", "quarantine_share", "totals", "read"] | None
    ) = None
    """Checks that need more than the rows at hand: keys over the whole file, dimensions, earlier deliveries, the file itself."""
    column: str | None = None
    """Column named in the message; taken from `args` where it stands there."""
    message_vi: str
    """What is wrong and what to do. May use {column} (the file's header), {file} and, of a delivery, {observed} (counts);
    never the cell's value."""
    source: str | None = None
    """Where the rule is laid down (decision, circular, form)."""

    @model_validator(mode="after")
    def _one_way_to_check(self) -> Rule:
        if (self.expect is None) == (self.check is None):
            raise ValueError(f"{self.code}: give either `expect` or `check`")
        return self

    @property
    def columns(self) -> list[str]:
        """Columns of the contract that the rule looks at, the one to name first."""
        named = [self.column] if self.column else []
        given = [self.args[key] for key in ("column", "column_A", "column_B") if key in self.args]
        return list(dict.fromkeys([*named, *given, *self.args.get("column_list", []), *self._condition_columns]))

    @property
    def _condition_columns(self) -> list[str]:
        outside_quotes = re.sub(r"""(["']).*?\1""", "", self.args.get("row_condition", ""))
        return [name for name in re.findall(r"[a-z_]+(?![a-z_]*\()", outside_quotes) if name not in ("in", "not", "and", "or")]


class Contract(Model):
    """One feed: its grain, columns, layouts and rules."""

    feed: str
    title_vi: str
    grain: str
    source: str
    """Where the form of the feed comes from."""
    natural_key: list[str]
    mode: Literal["upsert", "replace"]
    """upsert: a delivery says what it says; replace: it also says that what it leaves out of its period is gone."""
    period_column: str | None = None
    """Column from which the business period is taken; else the file name says it."""
    columns: dict[str, Column]
    derived: dict[str, Derived] = {}
    layouts: dict[str, Layout]
    rules: list[Rule]

    @model_validator(mode="after")
    def _names_agree(self) -> Contract:
        for name, layout in self.layouts.items():
            unknown = {*filter(None, layout.headers.values()), *layout.constants} - self.columns.keys()
            if unknown:
                raise ValueError(f"{self.feed}/{name}: columns not in the contract: {sorted(unknown)}")
        for name, derived in self.derived.items():
            unknown = set(derived.columns) - set(self.schema.names)
            if unknown:
                raise ValueError(f"{self.feed}/{name}: made from columns that are not kept: {sorted(unknown)}")
        codes = [rule.code for rule in self.rules]
        if len(codes) != len(set(codes)):
            raise ValueError(f"{self.feed}: a rule code is used twice")
        for rule in self.rules:
            unknown = set(rule.columns) - self.columns.keys() - self.derived.keys()
            if unknown:
                raise ValueError(f"{self.feed}/{rule.code}: columns not in the contract: {sorted(unknown)}")
        return self

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the typed table: the row's number, then every column that is kept, in the contract's order."""
        kept = [(name, ARROW_TYPES[c.type]) for name, c in self.columns.items() if c.type != "dropped"]
        return pa.schema([(ROW_NUMBER, pa.int32()), *kept])

    def rule(self, code: str) -> Rule:
        """The rule of that code, one of the feed's own or of those that hold for every feed."""
        return next(rule for rule in (*self.rules, *structure()) if rule.code == code)

    @property
    def checked_columns(self) -> list[str]:
        """Columns the suite looks at, contract's and derived: all that the frame given to Great Expectations holds."""
        used = {name for rule in self.rules if rule.expect for name in rule.columns}
        return [name for name in (ROW_NUMBER, *self.columns, *self.derived) if name in used or name == ROW_NUMBER]

    def header(self, layout: str, column: str) -> str:
        """How the layout's files name a column of the contract; the contract's own name where they do not write it."""
        return next((header for header, name in self.layouts[layout].headers.items() if name == column), column)

    def suite(self) -> gx.ExpectationSuite:
        """Great Expectations suite of the row rules, opened by the frame's own shape; see `tasks.validate`."""
        import great_expectations as gx  # 4,6 s to import: only where a suite is really built

        expect = gx.expectations
        shape = {"severity": "critical", "meta": {"rule": "STR-000"}, "description": "STR-000"}
        expectations: list[Any] = [  # an empty frame passes every other rule
            expect.ExpectTableRowCountToBeBetween(min_value=1, **shape),
            expect.ExpectTableColumnsToMatchSet(column_set=self.checked_columns, exact_match=True, **shape),
        ]
        for rule in self.rules:
            if rule.expect is not None:
                words = {"severity": rule.severity, "meta": {"rule": rule.code}, "description": f"{rule.code} · {rule.message_vi}"}
                expectations.append(getattr(expect, rule.expect)(**rule.args, **words))
        return gx.ExpectationSuite(name=self.feed, expectations=expectations)


def _read(name: str) -> Any:
    return yaml.safe_load(resources.files("expectations").joinpath(name).read_text("utf-8"))


@cache
def structure() -> tuple[Rule, ...]:
    """Rules that hold for every feed (`structure.yaml`): the file's form and cells that cannot be typed."""
    return tuple(Rule(**entry) for entry in _read("structure.yaml"))


@cache
def contract(feed: str) -> Contract:
    """The contract of a feed; LookupError where no YAML declares it."""
    if feed not in feeds():
        raise LookupError(f"no contract for feed {feed!r}; there are: {', '.join(feeds())}")
    return Contract(feed=feed, **_read(f"{feed}.yaml"))


@cache
def feeds() -> tuple[str, ...]:
    """Names of all declared feeds."""
    files = (entry.name for entry in resources.files("expectations").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml") and name != "structure.yaml"))
