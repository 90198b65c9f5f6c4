"""Which cells of a file may be told in clear: those of a column that is about no person, of a shape that no person's data has.

A cell at fault may hold anything, a name or a number of somebody that slipped in too. So its shape is judged as strictly as its column:
numbers of more digits than MOST_DIGITS are never told, nor words that are not the contract's own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import NAMES_A_PERSON, Column, Contract

OF_PERSONS = ("hash", "dropped", "of_age")
"""Types of columns that hold personal data."""
MOST_DIGITS = 7
"""Of a number that may be told: papers have nine or twelve, and eight where a spreadsheet took the zero in front."""
LONGEST = 60
_NUMBER = r"^[-+]?(?:[0-9]+|[0-9]{1,3}(?:[., ][0-9]{3})+)(?:[.,][0-9]{1,4})?$"
_NO_DIGITS = r"[.,]0{1,2}$|[^0-9]"
"""What is left out when the digits of a number are counted."""
_DAY = r"(?:[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}|(?:19|20)[0-9]{2}[/.-][0-9]{1,2}[/.-][0-9]{1,2})"
_CLOCK = r"[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2})?"
_MOMENT = rf"^(?:{_DAY}(?:[ T]{_CLOCK})?|{_CLOCK}|(?:19|20)[0-9]{{2}}[01][0-9][0-3][0-9](?:[0-9]{{6}})?)$"
_PERIOD = r"(?i)^(?:(?:năm|quý|tháng|q) ?)?(?:[0-9]{1,2}|IV|I{1,3})? ?[/-]? ?(?:19|20)[0-9]{2}(?:[/-](?:Q?[0-9]{1,2}))?$"
_CODE = r"^[0-9]{1,6}$"
_A_PAPER = rf"^[A-Za-z]{{1,2}}[0-9]{{6,}}$|[0-9]{{{MOST_DIGITS}}}"
"""Passports, and long runs of digits, in what has the shape of a code."""
_SHAPES: dict[str, tuple[str, ...]] = {
    "integer": (),
    "decimal": (),
    "boolean": (_CODE,),
    "date": (_MOMENT,),
    "timestamp": (_MOMENT,),
    "period": (_PERIOD, _CODE),
    "text": (_CODE,),
}


def columns_of(contract: Contract, layout_name: str, header: str) -> list[str]:
    """Columns of the contract that are made of the cells under a header."""
    layout = contract.layouts[layout_name]
    own = layout.headers.get(header)
    parts = [name for names in (layout.joined, layout.otherwise) for name, headers in names.items() if header in headers]
    decided = [name for name, cases in layout.cases.items() if any(header in case.when for case in cases)]
    return [*([own] if own else []), *parts, *decided]


def is_of_persons(contract: Contract, layout_name: str, header: str) -> bool:
    """Whether the cells under a header are, or might be, personal data: those that nobody said what they are too."""
    columns = columns_of(contract, layout_name, header)
    return not columns or any(contract.columns[name].type in OF_PERSONS for name in columns)


def tellable(cells: pa.StringArray, contract: Contract, layout_name: str, header: str) -> pa.BooleanArray:
    """Which of the cleaned cells under a header may be told."""
    if is_of_persons(contract, layout_name, header):
        return pa.repeat(False, len(cells))
    told = pc.is_in(cells, value_set=pa.array(sorted(set(_words(contract, layout_name, header))), pa.string()))
    for name in columns_of(contract, layout_name, header):
        column = contract.columns[name]
        for shape in _SHAPES[column.type]:
            told = pc.or_(told, _fits(cells, shape))
        if column.type in ("integer", "decimal", "date", "timestamp"):
            told = pc.or_(told, _is_short_number(cells))
        told = pc.or_(told, _is_code(cells, column))
    return pc.and_(told, pc.fill_null(pc.less_equal(pc.utf8_length(cells), LONGEST), False))


def may_be_told(cell: str, contract: Contract, layout_name: str, header: str) -> bool:
    """The same of one cell."""
    found: bool = tellable(pa.array([cell], pa.string()), contract, layout_name, header)[0].as_py()
    return found


def may_be_put(cell: str, contract: Contract, layout_name: str, header: str) -> bool:
    """Whether a cell may be corrected to this: what may be told, an amount of any size, a code of the shape that its column has."""
    if is_of_persons(contract, layout_name, header):
        return False
    cells = pa.array([cell], pa.string())
    fits = tellable(cells, contract, layout_name, header)
    for name in columns_of(contract, layout_name, header):
        column = contract.columns[name]
        if column.type in ("integer", "decimal"):
            fits = pc.or_(fits, _fits(cells, _NUMBER))
        elif column.pattern is not None and column.type == "text":
            names_a_person = pc.or_(_fits(cells, NAMES_A_PERSON), _fits(cells, r"[^A-Za-z0-9._/-]"))
            fits = pc.or_(fits, pc.and_(_fits(cells, column.pattern), pc.invert(names_a_person)))
    found: bool = fits[0].as_py()
    return found


def _words(contract: Contract, layout_name: str, header: str) -> Iterator[str]:
    """Words that the contract itself has for the cells under a header."""
    layout = contract.layouts[layout_name]
    for name in columns_of(contract, layout_name, header):
        yield from layout.values.get(name, {})
        yield from (word for case in layout.cases.get(name, []) for word in case.when.get(header, []))
        if layout.headers.get(header) == name:
            allowed = (rule.args.get("value_set", []) for rule in contract.rules if rule.args.get("column") == name)
            yield from (word for words in allowed for word in words if isinstance(word, str))


def _is_code(cells: pa.StringArray, column: Column) -> pa.BooleanArray:
    """Cells of the shape that the column's codes have: of that which may be quoted, or of letters and few digits, as no name has both."""
    if column.type != "text" or column.pattern is None:
        return pa.repeat(False, len(cells))
    may_be_quoted = _fits(cells, column.quoted) if column.quoted else pa.repeat(False, len(cells))
    bare = pc.replace_substring_regex(cells, r"[._/-]", "")
    mixed = pc.and_(_fits(bare, "^[A-Za-z0-9]*[A-Za-z]"), _fits(bare, "[0-9]"))
    mixed = pc.and_(pc.and_(_fits(cells, column.pattern), mixed), pc.invert(_fits(bare, _A_PAPER)))
    of_persons = pc.or_(_fits(cells, NAMES_A_PERSON), _fits(cells, r"[^A-Za-z0-9._/-]"))
    return pc.and_(pc.or_(may_be_quoted, mixed), pc.invert(of_persons))


def _is_short_number(cells: pa.StringArray) -> pa.BooleanArray:
    digits = pc.utf8_length(pc.replace_substring_regex(cells, _NO_DIGITS, ""))
    return pc.and_(_fits(cells, _NUMBER), pc.fill_null(pc.less_equal(digits, MOST_DIGITS), False))


def _fits(cells: pa.StringArray, shape: str) -> pa.BooleanArray:
    return pc.fill_null(pc.match_substring_regex(cells, shape), False)
