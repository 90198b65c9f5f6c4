"""Whether a cell's text can be of its column at all, before it is typed: its signs, its length, its shape, and that it names no person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import NAMES_A_PERSON, Column
from tasks.read.cells import bytes_of, lengths_of, unusable
from tasks.read.rows import KEPT_DIGITS, LOST_DIGITS, NO_VALUE, WITHOUT_VALUE

_SIGNS = {WITHOUT_VALUE: "STR-027", LOST_DIGITS: "STR-026", NO_VALUE: "STR-010"}
_ERRORS = ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"]
"""What spreadsheets write in place of a value that they could not work out."""
_SCIENTIFIC = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}$"
_SHORTEST = 9
"""Digits of the shortest number that names a person."""

Faults = list[tuple[str, Any]]


def fit(text: pa.StringArray, column: Column) -> tuple[pa.StringArray, Faults]:
    """The cells that can be of their column, the others missing, and by rule which those others are."""
    faults: Faults = []
    for code, mask in _misfits(text, column):
        new = pc.fill_null(mask, False)
        if faults:  # the first rule that a cell breaks names it
            new = pc.and_not(new, pa.array(np.logical_or.reduce([other.to_numpy(zero_copy_only=False) for _, other in faults])))
        if pc.any(new).as_py():
            faults.append((code, new))
            text = pc.if_else(new, pa.scalar(None, pa.string()), text)
    return text, faults


def _misfits(text: pa.StringArray, column: Column) -> Iterator[tuple[str, Any]]:
    """Rules that cells of the column may break, and which cells do."""
    data = bytes_of(text)
    if not data.size:
        return
    if (data == 0).any():
        yield from ((code, pc.equal(text, sign)) for sign, code in _SIGNS.items())
    if (data == ord("#")).any():
        yield "STR-027", pc.is_in(pc.utf8_upper(text), value_set=pa.array(_ERRORS))
    broken = unusable(text)
    if broken is not None:
        yield "STR-034", broken
    if column.type in ("text", "hash"):
        yield from _of_no_code(text, column, data)


def _of_no_code(text: pa.StringArray, column: Column, data: npt.NDArray[np.uint8]) -> Iterator[tuple[str, Any]]:
    """The same for codes and other texts, and for what a hash is made of."""
    if column.quoted is not None and pc.all(pc.match_substring_regex(text, column.quoted)).as_py():
        return  # what may be quoted is as narrow as it gets
    longest = lengths_of(text).max()
    if column.pattern is not None and (data == ord("+")).any():
        yield "STR-026", pc.match_substring_regex(text, _SCIENTIFIC)
    if column.pattern is not None and longest > KEPT_DIGITS:
        yield "STR-026", _rounded(text)
    if longest > column.length:
        yield "STR-035", pc.greater(pc.utf8_length(text), column.length)
    if column.type == "hash":
        yield from _no_paper(text, column.pattern)
        return
    if not column.numeric and longest >= _SHORTEST:
        encoded = text.dictionary_encode()
        yield "STR-028", pc.match_substring_regex(encoded.dictionary, NAMES_A_PERSON).take(encoded.indices)
    if column.pattern is not None:
        yield "STR-015", pc.invert(pc.match_substring_regex(text, column.pattern))


def _no_paper(text: pa.StringArray, pattern: str | None) -> Iterator[tuple[str, Any]]:
    """Numbers that are of no known shape, neither with the spaces and dots between their digits nor without."""
    if pattern is not None:
        fits = pc.match_substring_regex(text, pattern)
        if not pc.all(fits).as_py():
            bare = pc.match_substring_regex(pc.replace_substring_regex(text, r"[ .-]", ""), pattern)
            yield "STR-029", pc.invert(pc.or_(fits, bare))


def _rounded(text: pa.StringArray) -> Any:
    """Numbers whose digits after the fifteenth are zeros, where those of all long ones are: a spreadsheet has rounded them.

    Of a single long number that says little, since every tenth ends in a zero: at least three zeros have to agree.
    """
    lengths = lengths_of(text)
    long = lengths > KEPT_DIGITS
    chosen = text.filter(pa.array(long))
    plain = pc.match_substring_regex(chosen, r"^[0-9]+$").to_numpy(zero_copy_only=False)
    ended = pc.match_substring_regex(chosen, rf"^[0-9]{{{KEPT_DIGITS}}}0+$").to_numpy(zero_copy_only=False)
    zeros = int((lengths[long][ended] - KEPT_DIGITS).sum())
    mask = np.zeros(len(text), bool)
    if zeros >= 3 and (ended == plain).all():
        mask[np.flatnonzero(long)[ended]] = True
    return pa.array(mask)
