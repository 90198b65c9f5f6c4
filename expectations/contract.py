"""A feed's data contract: YAML → checked model → Arrow schema and Great Expectations suite.

`expectations/<feed>.yaml` is the feed's only declaration. Everything that must agree with it (the typed
table the reader returns, the suite the validator runs, the messages a supplier reads, the data dictionary)
derives from the model in this module. It knows neither Prefect nor the warehouse.
"""

from __future__ import annotations

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
    "hash": pa.string(),
}
"""Contract types. `timestamp` is local time (Asia/Ho_Chi_Minh) without zone; `hash` is 32 hex digits, the
first 128 bits of a keyed HMAC-SHA-256 made in the reader from a personal value."""


class Model(BaseModel):
    """Strict base: a misspelt key in a YAML is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Model):
    """One column of the typed table a feed is read into."""

    type: Literal["text", "integer", "decimal", "boolean", "date", "timestamp", "hash", "dropped"]
    """`dropped`: personal data that is named here so that the file may contain it, and never leaves the reader."""
    description: str
    required: bool = False
    """A row in which it is missing is quarantined."""
    pattern: str | None = None
    """Shape of a natural key that is safe to show: a value of another shape is never quoted anywhere."""
    placeholder: list[str] = []
    """Values that stand for missing, beside the layout's own (`000000001` for an unknown identity paper)."""


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
    check: Literal["unique", "unit_known", "agency_known", "procedure_known", "bill_known", "volume", "quarantine_share"] | None = None
    """Checks that need more than the rows at hand: keys over the whole file, dimensions, earlier deliveries."""
    column: str | None = None
    """Column named in the message; taken from `args` where it stands there."""
    message_vi: str
    """What is wrong and what to do. May use {column} (the file's header) and {file}; never the cell's value."""
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
        return list(dict.fromkeys([*named, *given, *self.args.get("column_list", [])]))


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
    layouts: dict[str, Layout]
    rules: list[Rule]

    @model_validator(mode="after")
    def _names_agree(self) -> Contract:
        for name, layout in self.layouts.items():
            unknown = {*filter(None, layout.headers.values()), *layout.constants} - self.columns.keys()
            if unknown:
                raise ValueError(f"{self.feed}/{name}: columns not in the contract: {sorted(unknown)}")
        codes = [rule.code for rule in self.rules]
        if len(codes) != len(set(codes)):
            raise ValueError(f"{self.feed}: a rule code is used twice")
        for rule in self.rules:
            unknown = set(rule.columns) - self.columns.keys()
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

    def suite(self) -> gx.ExpectationSuite:
        """Great Expectations suite of the row rules and of the frame's own shape; see `tasks.validate`."""
        import great_expectations as gx  # 4,6 s to import: only where a suite is really built

        expectations: list[Any] = [
            gx.expectations.ExpectTableColumnsToMatchSet(column_set=self.schema.names, exact_match=True, meta={"rule": "STR-000"})
        ]
        for rule in self.rules:
            if rule.expect is not None:
                make = getattr(gx.expectations, rule.expect)
                expectations.append(
                    make(**rule.args, severity=rule.severity, meta={"rule": rule.code}, description=f"{rule.code} · {rule.message_vi}")
                )
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
