"""A feed's data contract: YAML → checked model → Arrow schema and Great Expectations suite.

`expectations/<feed>.yaml` is the feed's only declaration. Everything that must agree with it (the typed
table the reader returns, the suite the validator runs, the messages a supplier reads, the data dictionary)
derives from the model in this module. It knows neither Prefect nor the warehouse.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

if TYPE_CHECKING:
    import great_expectations as gx

ROW_NUMBER = "row_number"
"""Column the reader adds to every typed table: number of the row in the file, as the program shows it that wrote the file."""

EXPORTED_ON = "exported_on"
"""Stands among columns for the day on which the delivery was made."""

FRAME_RULE = "STR-000"
"""Rule that the frame given to Great Expectations has rows and the columns declared."""

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("s"),
    "period": pa.string(),
    "hash": pa.string(),
    "of_age": pa.date32(),
}
"""Contract types. `period` is a year, quarter or month, normalised to `2024`, `2024-Q1` or `2024-03`;
`timestamp` is local time (Asia/Ho_Chi_Minh) without zone; `hash` is 32 hex digits, the
first 128 bits of a keyed HMAC-SHA-256 made in the reader from a personal value; `of_age` is the day from which a person is known
to be of age, made in the reader from the day or year of birth, which goes no further."""


_NUMBER_OF_A_PERSON = r"(?:\d{9}|\d{12}|(?:0|84|\+84)\d{9,10})"
PERSONAL = rf"^{_NUMBER_OF_A_PERSON}$"
"""Shape of identity papers (CMND, CCCD) and telephone numbers: what has it is never quoted, whatever a pattern allows."""
NAMES_A_PERSON = rf"(?:^|\D){_NUMBER_OF_A_PERSON}(?:\D|$)|[\w.%+-]@[\w-]+\.\w"
"""Shape of text that has such a number in it, or an e-mail address: it is in no column of ours but those that are hashed or dropped."""

INTEGERS = (-(2**31), 2**31 - 1)
"""Range of whole numbers where a column declares no other."""


class Model(BaseModel):
    """Strict base: a misspelt key in a YAML is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Model):
    """One column of the typed table a feed is read into."""

    type: Literal["text", "integer", "decimal", "boolean", "date", "timestamp", "period", "hash", "of_age", "dropped"]
    """`dropped`: personal data that is named here so that the file may contain it, and never leaves the reader."""
    description: str
    required: bool = False
    """A row in which it is missing is quarantined."""
    pattern: str | None = None
    """Plausible shape of a code, or of what a hash is made of. A row whose value has another is set aside."""
    quoted: str | None = None
    """Shape of values that may be quoted in a message, where it is narrower than the plausible one. Nothing else is ever quoted."""
    numeric: bool = False
    """Its codes may be plain numbers of any length, which nothing tells from a person's: they are loaded, and not quoted."""
    length: int = 500
    """Most characters of a text."""
    range: tuple[int, int] = INTEGERS
    """Least and greatest whole number."""
    tolerant: bool = False
    """A value that no hash is made of counts as missing, and is counted, instead of setting the row aside."""
    since: str | None = None
    """of_age: column of the day before which it does not matter; whoever was of age by then is of age from it on."""
    stands_for: str | None = None
    """Pattern whose first group is what the code stands for, where several writings mean one thing."""
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
    """Pattern whose group `day` is a day `yymmdd` inside the column's text."""
    present: str | None = None
    """Column of which it says 1 where it is there, 0 where it is missing."""
    missing_as: int | None = None
    """Number to take where the column is missing."""
    years_later: int = 0
    """Years to add to the day of `day`."""
    minus: list[str] = []
    """Columns to subtract; missing where one of them is."""
    restarts: str | None = None
    """Pattern with the groups `series` and `number` in the column's text: 1 where the number is lower than one given
    earlier in its series, else 0."""
    given_at: str | None = None
    """Column that says which number of a series was given earlier."""
    where: dict[str, list[str | int]] = {}
    """Column → values of the rows it is about; missing in all others, so that a rule passes over them."""

    @property
    def columns(self) -> list[str]:
        """Columns of the contract that it is made from."""
        one = (self.day, self.period_start, self.column, self.present, self.given_at)
        return [name for name in (*one, *self.minus, *self.where) if name]


class Speaks(Model):
    """Which of several rows of one key speaks; the others are ignored, and counted. Of equal ones that differ, nobody knows which."""

    first: dict[str, list[str]]
    """Column → values of the rows that go before all others."""
    last: dict[str, list[str]] = {}
    """Column → values of the rows that speak only where no other does."""
    latest: list[str] = []
    """Days by which the latest of them speaks, one after the other; one that is missing is later than any."""

    @property
    def columns(self) -> list[str]:
        """Columns of the contract that decide."""
        return [*self.first, *self.last, *self.latest]


class Totals(Model):
    """The control row a supplier writes under the rows; it is ignored as a row and checked as a rule."""

    label: str
    """Text by which the totals row is recognised, in any cell (`Tổng cộng`)."""
    sums: dict[str, str] = {}
    """Column of the contract → header under which its sum is written."""
    count: str | None = None
    """Header under which the number of rows is written."""


class Case(Model):
    """One line of a decision: what a column holds when other cells of the row hold certain values."""

    when: dict[str, list[str]] = {}
    """Header → values of which its cell must be one, an empty one standing for a missing cell; none: in all other cases."""
    then: str
    """Value in the contract."""


class Layout(Model):
    """How one supplier's system writes the feed down."""

    kind: Literal["csv", "xlsx", "html", "json", "jsonl", "tagged"]
    description: str
    headers: dict[str, str | None]
    """Header in the file → column of the contract, or nothing where the header is known and left out.
    Matched after NFC, trimming, collapsing of spaces and case folding."""
    optional: list[str] = []
    """Headers that a delivery may leave out."""
    constants: dict[str, str] = {}
    """Columns this layout does not write because they are always the same (`service_code: DIEN`)."""
    encoding: str = "utf-8"
    delimiters: list[str] = [",", ";"]
    """Of which the header tells the one that a file has; a spreadsheet set to Vietnamese writes the second."""
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
    joined: dict[str, list[str]] = {}
    """Column → headers whose cells make it up, joined by a slash (`billing_month: [THANG, NAM]`, read as "%m/%Y")."""
    otherwise: dict[str, list[str]] = {}
    """Column → headers whose cells make it up, joined by a slash, in rows where its own cell is missing."""
    cases: dict[str, list[Case]] = {}
    """Column → how it follows from other cells; the first case that holds decides, without any it is missing."""
    totals: Totals | None = None
    trailer: str | None = None
    """Field of the file's last record that says how many there are before it; the file is refused where it is wrong or missing."""
    title: str | None = None
    """Pattern of what a cell above the header says of the period that the file is about: groups `year` and `month` or `quarter`."""
    sheets: Literal["one", "all"] = "one"
    """What a workbook or page with several tables under the same header is: refused, or read one table after the other."""
    reader: str | None = None
    """Entry of `tasks.read.file.READERS` for what cannot be said above (nested JSON)."""

    @property
    def columns(self) -> set[str]:
        """Columns of the contract that it says."""
        return {*filter(None, self.headers.values()), *self.constants, *self.joined, *self.otherwise, *self.cases}

    @property
    def sources(self) -> set[str]:
        """Headers that are read because a column is joined or decided from them."""
        decided = {header for cases in self.cases.values() for case in cases for header in case.when}
        return decided.union(*self.joined.values(), *self.otherwise.values())


Check = Literal[
    "unique",
    "unit_known",
    "unit_elsewhere",
    "code_elsewhere",
    "waived",
    "provider_known",
    "merchant_known",
    "overlapping",
    "possible",
    "agency_known",
    "agency_named",
    "procedure_known",
    "procedure_named",
    "bill_known",
    "payment_known",
    "half_day_clock",
    "bill_of_one",
    "overpaid",
    "beside_days",
    "cumulative",
    "several",
    "more_than_reported",
    "volume",
    "ratio",
    "quarantine_share",
    "totals",
    "no_totals",
    "conservation",
    "covers",
    "outside",
    "left_out",
    "contradicts",
    "account",
    "hidden",
    "corrected",
    "fees_reconciled",
    "province_of_sender",
    "sample_among_real",
    "real_among_samples",
    "unit_of_sender",
    "definition_known",
    "outside_period",
    "exceeding",
    "miscounted",
    "read",
]


class Total(Model):
    """One side of a ratio. Rows in which a column named is missing are left out of both sides."""

    rows: Literal[True] | None = None
    """How many rows."""
    sum: str | None = None
    """Column whose values are added up."""
    distinct: list[str] = []
    """Columns of which each combination counts once."""
    measure: str | None = None
    """Measure of `unit_counts`: what was last counted in the units that the rows are of. Rows of units without one are left out."""
    each: list[str] = []
    """Columns for each combination of which a unit's measure counts anew."""
    listed: Literal["merchant"] | None = None
    """How many things of the provider a list holds on the day of the export."""

    @model_validator(mode="after")
    def _one_kind(self) -> Total:
        if sum(bool(said) for said in (self.rows, self.sum, self.distinct, self.measure, self.listed)) != 1:
            raise ValueError("give one of `rows`, `sum`, `distinct`, `measure`, `listed`")
        return self

    @property
    def columns(self) -> list[str]:
        """Columns that it looks at."""
        return [*filter(None, [self.sum]), *self.distinct, *self.each]


class Ratio(Model):
    """What the loaded rows of a delivery come to, one total by another; it is kept of every delivery, and rules judge it.

    Its columns are those of the contract, of the feed's table, or found by the loader beside them (`bill_amount_vnd`).
    """

    of: Total
    per: Total
    where: dict[str, list[str | int | bool]] = {}
    """Column → values of the rows that count."""
    by: str | None = None
    """Column of a service, a unit, a provider: each is a part of its own, since like is compared with like."""
    decimals: int = 0
    unit_vi: str
    """What it is measured in, as people read it."""

    @model_validator(mode="after")
    def _on_its_side(self) -> Ratio:
        if self.of.measure or self.of.listed:
            raise ValueError("`measure` and `listed` are what is divided by")
        return self

    @property
    def columns(self) -> list[str]:
        """Columns that it looks at."""
        by_unit = ["unit_key"] if self.per.measure else []
        return list(dict.fromkeys([*filter(None, [self.by]), *by_unit, *self.where, *self.of.columns, *self.per.columns]))


class Limits(Model):
    """Between what and what a ratio is taken for usual: the arguments of a rule that names the check `ratio`."""

    ratio: str
    """Name of the ratio in the contract."""
    usual: float | None = None
    """What it ought to be; without it, the median of the source's own last deliveries, each of another period."""
    min_ratio: float | None = None
    """Least part of what is usual."""
    max_ratio: float | None = None
    """Most times what is usual. Without either, only what stands at one of the factors breaks the rule."""
    factors: list[int] = [10, 100, 1000]
    """Factors at which a wrong unit of measure or a lost separator is likely; they are named wherever they are met."""
    tolerance: float = 0.25
    """How far from a factor still counts as there: 0.25 is from 8 to 12.5 times."""
    rows_at_least: int = 50
    """Rows below which nothing is judged, nor taken as an example of what is usual."""
    per_at_least: float = 0
    """The same of what is divided by."""
    before_at_least: int = 3
    """Deliveries before, below which nothing is known to be usual."""
    before_at_most: int = 12
    """Deliveries before that are looked at: of a monthly source a year, so that a season weighs no more than the others."""


class Source(Model):
    """A text in which a rule is laid down, and the days on which it is in force."""

    text: str
    valid_from: date = date.min
    valid_to: date = date.max

    def __str__(self) -> str:
        """The text with its days, as `Nghị định 61/2018/NĐ-CP (đến 30/06/2025)`."""
        days = [f"từ {self.valid_from:%d/%m/%Y}"] if self.valid_from > date.min else []
        days += [f"đến {self.valid_to:%d/%m/%Y}"] if self.valid_to < date.max else []
        return self.text + (f" ({' '.join(days)})" if days else "")


class Rule(Model):
    """One thing that must hold, with the code and the words by which people speak of it."""

    code: str = Field(pattern=r"^[A-Z0-9]{2,4}-\d{3}$")
    severity: Literal["critical", "warning", "info"]
    """critical: the row is quarantined, or the delivery rejected; warning: loaded and counted; info: counted."""
    scope: Literal["row", "delivery"] = "row"
    expect: str | None = None
    """Great Expectations class, as ExpectColumnValuesToBeInSet; empty where `check` names a pipeline check."""
    args: dict[str, Any] = {}
    """What the expectation or the check is given; `province` is the one whose own law it is, for whose units it holds."""
    check: Check | None = None
    """Checks that need more than the rows at hand: keys over the whole file, dimensions, earlier deliveries, the file itself."""
    column: str | None = None
    """Column named in the message; taken from `args` where it stands there."""
    message_vi: str
    """What is wrong and what to do. May use {column} (the file's header), {file} and {observed}: of a delivery counts, of a row what the
    check tells of it; never the cell's value."""
    source: tuple[Source, ...] = ()
    """Where the rule is laid down (decision, circular, form): a text, or several one after the other, each with its days."""

    @field_validator("source", mode="before")
    @classmethod
    def _one_text(cls, source: Any) -> Any:
        return [{"text": source}] if isinstance(source, str) else source

    @model_validator(mode="after")
    def _one_way_to_check(self) -> Rule:
        if (self.expect is None) == (self.check is None):
            raise ValueError(f"{self.code}: give either `expect` or `check`")
        if self.check == "ratio":
            Limits(**self.args)
        return self

    @property
    def limits(self) -> Limits:
        """The arguments of the check `ratio`."""
        return Limits(**self.args)

    @property
    def columns(self) -> list[str]:
        """Columns of the contract that the rule looks at, the one to name first."""
        named = [self.column] if self.column else []
        return list(dict.fromkeys([*named, *self.checked]))

    @property
    def checked(self) -> list[str]:
        """Columns whose values Great Expectations compares, of the contract and derived."""
        return [self.args[key] for key in ("column", "column_A", "column_B") if key in self.args]


class Contract(Model):
    """One feed: its grain, columns, layouts and rules."""

    feed: str
    title_vi: str
    grain: str
    source: str
    """Where the form of the feed comes from."""
    natural_key: list[str]
    role: Literal["fact", "list"] = "fact"
    """list: its lines are kept as they were sent, and a dimension is made of those in force."""
    table: str
    """Table of the warehouse that keeps its rows."""
    refers_to: list[str] = []
    """Feeds whose things its rows name: in a night, it comes after them."""
    key_within: Literal["provider", "source", "nothing"] = "nothing"
    """Within what the natural key is unique."""
    are_apart: bool = False
    """Whether each provider speaks of units of its own alone, so that nothing hangs on whose deliveries are loaded first."""
    speaks: Speaks | None = None
    """Where a file may tell of one thing in several rows: which of them speaks."""
    adding: str | None = None
    """Column of measures: of one whose counts add up over providers (measures.csv), the key is unique within the provider."""
    tells: str | None = None
    """Column by which sources of the feed are told apart: what one sends, as a measure or a service, another need not."""
    replaces: Literal["period", "period and unit", "wave", "document", "list", "nothing"]
    """What an earlier delivery of the same source said of the same one is gone unless said again; `nothing`: what was said stays."""
    scope: list[str] = []
    """Columns that say which period, wave or document a row is about; without them the delivery's name says it."""
    period_column: str | None = None
    """Column that is held against the period of the delivery's name."""
    taken_back: dict[str, list[str]] = {}
    """Column → values of rows that take back what was told before, and so are of days that the delivery's name does not speak of."""
    unit_on: list[str] = []
    """Days on which the unit's code is looked up, one after the other: columns, a period standing for its last day and then its
    first; `exported_on` is the day of the export."""
    goes_over: bool = False
    """Whether a code that no longer holds then stands for the unit that took over all of its own: so of what happens to things, not of
    what is told of a unit as a whole."""
    not_kept: list[str] = []
    """Columns that no fact keeps, so that a change in them alone is no new state."""
    columns: dict[str, Column]
    derived: dict[str, Derived] = {}
    ratios: dict[str, Ratio] = {}
    """What a reader of the sums would look at first: amount per bill, payments per shop. Rules with the check `ratio` judge it."""
    layouts: dict[str, Layout]
    rules: list[Rule]

    @model_validator(mode="after")
    def _names_agree(self) -> Contract:
        for name, layout in self.layouts.items():
            unknown = layout.columns - self.columns.keys()
            if unknown:
                raise ValueError(f"{self.feed}/{name}: các cột không có trong nguồn dữ liệu: {sorted(unknown)}")
            unknown = layout.sources - layout.headers.keys()
            if unknown:
                raise ValueError(f"{self.feed}/{name}: các tiêu đề mà bố cục không nêu: {sorted(unknown)}")
        for name, layout in self.layouts.items():
            unsaid = [column for column, what in self.columns.items() if what.required and column not in layout.columns]
            if unsaid and layout.reader is None:
                raise ValueError(f"{self.feed}/{name}: các cột bắt buộc mà bố cục không nói: {unsaid}")
        if self.replaces in ("period and unit", "wave", "document") and not self.scope:
            raise ValueError(f"{self.feed}: `scope` names the columns that say which {self.replaces} a row is about")
        for name, derived in self.derived.items():
            unknown = set(derived.columns) - set(self.schema.names)
            if unknown:
                raise ValueError(f"{self.feed}/{name}: made from columns that are not kept: {sorted(unknown)}")
        unknown = {
            *self.natural_key,
            *self.scope,
            *filter(None, [self.period_column, self.tells]),
            *self.not_kept,
            *self.taken_back,
            *(column.since for column in self.columns.values() if column.since),
            *(self.speaks.columns if self.speaks else ()),
        } - self.columns.keys()
        unknown |= set(self.unit_on) - self.columns.keys() - {EXPORTED_ON}
        if unknown:
            raise ValueError(f"{self.feed}: columns not in the contract: {sorted(unknown)}")
        codes = [rule.code for rule in self.rules]
        if len(codes) != len(set(codes)):
            raise ValueError(f"{self.feed}: a rule code is used twice")
        for rule in self.rules:
            unknown = set(rule.columns) - self.columns.keys() - self.derived.keys()
            if unknown:
                raise ValueError(f"{self.feed}/{rule.code}: columns not in the contract: {sorted(unknown)}")
        return self

    @model_validator(mode="after")
    def _ratios_are_judged(self) -> Contract:
        judged = {rule.limits.ratio for rule in self.rules if rule.check == "ratio"}
        if judged != self.ratios.keys():
            raise ValueError(f"{self.feed}: ratios that are judged but not declared, or the other way round: {judged ^ self.ratios.keys()}")
        return self

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the typed table: the row's number, then every column that is kept, in the contract's order."""
        kept = [(name, ARROW_TYPES[c.type]) for name, c in self.columns.items() if c.type != "dropped"]
        return pa.schema([(ROW_NUMBER, pa.int32()), *kept])

    def rule(self, code: str) -> Rule:
        """The rule of that code, one of the feed's own or of those that hold for every feed."""
        return next(rule for rule in (*self.rules, *structure()) if rule.code == code)

    def check_of(self, code: str) -> str | None:
        """Check of the pipeline that a rule names; nothing where Great Expectations checks it, or there is no such rule any more."""
        return next((rule.check for rule in (*self.rules, *structure()) if rule.code == code), None)

    def checked_with(self, layout: str, code: str) -> str:
        """Everything in the contract that decides whether a row or file of that layout breaks a rule; words for people are not."""
        rules = [rule for rule in (*self.rules, *structure()) if rule.code == code or self.check_of(code) == "quarantine_share"]
        told = {
            "rules": [rule.model_dump(exclude={"message_vi", "source"}) for rule in rules],
            "layout": self.layouts[layout].model_dump(exclude={"description"}),
            "columns": {name: column.model_dump(exclude={"description"}) for name, column in self.columns.items()},
            "contract": self.model_dump(exclude={"title_vi", "grain", "source", "columns", "layouts", "rules"}),
        }
        return json.dumps(told, default=str, sort_keys=True)

    def shown_keys(self, parts: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.StringArray:
        """Natural key of each row as `a|b` where every part has its declared shape; else null:
        it might be a person's number that slipped into the wrong column."""
        texts, safe = [], pa.scalar(True)
        for name in self.natural_key:
            text = pc.fill_null(parts[name].cast(pa.string()), "")
            text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
            column = self.columns[name]
            shape = column.quoted or column.pattern
            fits = (
                pc.match_substring_regex(text, shape) if shape and column.type != "hash" else pa.scalar(column.type in ("date", "period"))
            )
            safe = pc.and_(safe, pc.and_(fits, pc.invert(pc.match_substring_regex(text, PERSONAL))))
            texts.append(text)
        return pc.if_else(safe, pc.binary_join_element_wise(*texts, "|"), None)

    @property
    def checked_columns(self) -> list[str]:
        """Columns the suite looks at, contract's and derived: all that the frame given to Great Expectations holds."""
        used = {name for rule in self.rules if rule.expect for name in rule.checked}
        return [name for name in (*self.columns, *self.derived) if name in used]

    def header(self, layout: str, column: str) -> str:
        """How the layout's files name a column of the contract; the contract's own name where they do not write it."""
        written = self.layouts[layout]
        headers = [header for header, name in written.headers.items() if name == column]
        headers += written.joined.get(column, []) + [header for case in written.cases.get(column, []) for header in case.when]
        return headers[0] if headers else column

    def with_headers(self, layout: str, headers: Mapping[str, str | None]) -> Contract:
        """The contract with a layout as one sender writes it: label in its files → column, or nothing for one that is left out.

        A label stands in place of the layout's own header of the column, wherever the layout names that. ValueError where it cannot.
        """
        written = self.layouts[layout]
        own: dict[str | None, list[str]] = {}
        for header, column in written.headers.items():
            own.setdefault(column, []).append(header)
        renamed: dict[str, str] = {}
        for label, column in headers.items():
            if column is None:
                continue
            if len(own.get(column, [])) != 1:
                there = ", ".join(name for name, found in own.items() if name and len(found) == 1)
                raise ValueError(f"{label!r}: {column!r} không phải cột mà bố cục {layout} ghi dưới đúng một tiêu đề; có: {there}")
            if own[column][0] in renamed:
                raise ValueError(f"{column!r} có hai nhãn")
            renamed[own[column][0]] = label

        def told(header: str) -> str:
            return renamed.get(header, header)

        left_out = [label for label, column in headers.items() if column is None]
        labels = [*map(told, written.headers), *left_out]
        twice = [label for label in labels if sum(_same_label(label, other) for other in labels) > 1]
        if twice:
            raise ValueError(f"{twice[-1]!r} là nhãn của hai cột")
        totals = written.totals and written.totals.model_copy(
            update={
                "sums": {column: told(header) for column, header in written.totals.sums.items()},
                "count": written.totals.count and told(written.totals.count),
            }
        )
        changed = {
            "headers": dict(zip(labels, [*written.headers.values(), *[None] * len(left_out)], strict=True)),
            "optional": [*map(told, written.optional), *left_out],
            "joined": {column: [told(part) for part in parts] for column, parts in written.joined.items()},
            "otherwise": {column: [told(part) for part in parts] for column, parts in written.otherwise.items()},
            "cases": {
                column: [case.model_copy(update={"when": {told(header): values for header, values in case.when.items()}}) for case in cases]
                for column, cases in written.cases.items()
            },
            "totals": totals,
        }
        return self.model_copy(update={"layouts": {**self.layouts, layout: written.model_copy(update=changed)}})

    def suite(self, codes: Collection[str] | None = None) -> gx.ExpectationSuite:
        """Great Expectations suite of the row rules, or of those named, opened by the frame's own shape; see `tasks.validate.checks`."""
        import great_expectations as gx  # noqa: PLC0415  # 4,6 s to import: only where a suite is really built

        make: Any = gx.expectations
        shape: dict[str, Any] = {"severity": "critical", "meta": {"rule": FRAME_RULE}, "description": FRAME_RULE}
        expectations: list[Any] = [  # an empty frame passes every other rule
            make.ExpectTableRowCountToBeBetween(min_value=1, **shape),
            make.ExpectTableColumnsToMatchSet(column_set=self.checked_columns, exact_match=True, **shape),
        ]
        for rule in self.rules:
            if rule.expect is not None and (codes is None or rule.code in codes):
                description = f"{rule.code} · {rule.message_vi.replace('{column}', rule.columns[0])}"
                words = {"severity": rule.severity, "meta": {"rule": rule.code}, "description": description}
                expectations.append(getattr(make, rule.expect)(**rule.args, **words))
        return gx.ExpectationSuite(name=self.feed, expectations=expectations)


def _same_label(one: str, other: str) -> bool:
    return unicodedata.normalize("NFC", one).casefold().split() == unicodedata.normalize("NFC", other).casefold().split()


def _read(name: str) -> Any:
    return yaml.load(resources.files("expectations").joinpath(name).read_text("utf-8"), yaml.CSafeLoader)


@cache
def structure() -> tuple[Rule, ...]:
    """Rules that hold for every feed (`structure.yaml`): the file's form and cells that cannot be typed."""
    return tuple(Rule(**entry) for entry in _read("structure.yaml"))


@cache
def contract(feed: str) -> Contract:
    """The contract of a feed; LookupError where no YAML declares it."""
    if feed not in feeds():
        raise LookupError(f"không có nguồn dữ liệu (feed) {feed!r}; có: {', '.join(feeds())}")
    try:
        return Contract(feed=feed, **_read(f"{feed}.yaml"))
    except ValidationError as mistake:
        raise ValueError(f"expectations/{feed}.yaml: {mistake}") from None


@cache
def feeds() -> tuple[str, ...]:
    """Names of all declared feeds."""
    files = (entry.name for entry in resources.files("expectations").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml") and name != "structure.yaml"))


def every_rule() -> Iterator[tuple[Rule, Contract | None]]:
    """Every declared rule and the contract that it is of; those that hold for every feed are of none."""
    yield from ((rule, None) for rule in structure())
    for one in map(contract, feeds()):
        yield from ((rule, one) for rule in one.rules)
