"""Columns of text → columns of the contract's types, whole columns at a time.

Every function answers with null where a cell cannot be typed; nothing is guessed. `1.442` is 1442 in a
Vietnamese layout, `1.44` is nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import ARROW_TYPES
from tasks.read.encodings import once_more

Numbers = Literal["plain", "vietnamese", "decimal_point"]
EPOCH_MILLISECONDS = "epoch_ms"
"""Timestamp format of providers that count milliseconds since 1970 UTC."""
LOCAL_OFFSET = 7 * 3600
"""Asia/Ho_Chi_Minh in seconds: no daylight saving."""

_SPACES = r"[\s\p{Z}]+"
_SPACE = re.compile("[\t\n\f\r \x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
"""The same for Python, whose own spaces have control signs among them: those are no part of a text, and not to be passed over."""
_FORMAT = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
"""Signs that no one sees (Unicode category Cf): they leave a cell as spaces do."""
_STROKES = str.maketrans("ÐƉðɖ", "ĐĐđđ")
"""Letters of other languages that look like Đ and that old fonts and converters write in its place."""
_UNUSABLE = r"[\x00-\x1f\x7f-\x{9f}\x{fffd}\p{Co}]"
"""Control signs, and what stands for a letter that was lost."""
_GUARDED = r'^="(.*)"$'
"""A text that an exporter wrote as a formula, so that a spreadsheet leaves it as it is."""
_INTEGER = {
    "plain": r"^-?\d{1,18}$",
    # `,0` and `,00` say "whole"; `,000` could as well be a foreign thousands mark.
    "vietnamese": r"^-?(?:\d{1,18}|[1-9]\d{0,2}(?:\.\d{3}){1,5})(?:,0{1,2})?$",
    # `152.000` could as well be thousands, as above; `152340.000` could not.
    "decimal_point": r"^-?(?:\d{1,18}(?:\.(?:0{0,2}|0{4,}))?|(?:0|\d{4,18})\.000)$",
}
_DECIMAL = {
    "plain": r"^-?\d{1,14}$",
    "vietnamese": r"^-?(?:\d{1,14}|[1-9]\d{0,2}(?:\.\d{3}){1,3})(?:,\d{1,4})?$",
    "decimal_point": r"^-?\d{1,14}(?:\.\d{1,4})?$",
}
_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_EARLIEST, _LATEST = 1900, 2199
_EPOCH_MILLISECONDS = 10**11, 10**13
"""From 3 March 1973 to 20 November 2286. Read as seconds, the least of them lies in the year 5138."""

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_YEAR = re.compile(r"(?:năm )?((?:19|20)[0-9]{2})")
_QUARTER = re.compile(r"(?:q|quý) ?(iii|iv|ii|i|[1-4]) ?[/-] ?((?:19|20)[0-9]{2})|((?:19|20)[0-9]{2})-q([1-4])")
_MONTH = re.compile(r"(?:tháng )?(0?[1-9]|1[0-2]) ?[/-] ?((?:19|20)[0-9]{2})|((?:19|20)[0-9]{2})-(0[1-9]|1[0-2])")


def tidy(text: str) -> str:
    """The text in NFC with single spaces, without signs that no one sees, Đ written as Đ; what was encoded twice is decoded once more."""
    text = once_more(text).translate(_STROKES)
    return _SPACE.sub(" ", _FORMAT.sub("", unicodedata.normalize("NFC", text))).strip()


def clean(values: pa.StringArray, missing: Collection[str]) -> pa.StringArray:
    """The same cells made tidy, null where the cell is empty or one of `missing`.

    Where `missing` names nothing, an empty cell is an empty text: the file has its own word for missing, as JSON's null.
    """
    data = bytes_of(values)
    if data.size and data.max() >= 128:
        # Names repeat: the distinct ones are far fewer, and making tidy is the dear part.
        values = _by_distinct(values, tidy)
    else:
        space = data <= 32
        if space.any():
            crowded = (space & (data != 32)).any() or (space[1:] & space[:-1]).any()
            spaced = pc.replace_substring_regex(values, _SPACES, " ") if crowded else values
            values = pc.utf8_trim_whitespace(spaced)
    if (data == ord("=")).any():
        values = pc.replace_substring_regex(values, _GUARDED, r"\1")
    if not missing:
        return values
    if set(missing) == {""}:
        gone = lengths_of(values) == 0
        return pc.if_else(pa.array(gone), pa.scalar(None, pa.string()), values) if gone.any() else values
    return _null_where(values, pc.is_in(values, value_set=pa.array({"", *missing}, pa.string())))


def unusable(values: pa.StringArray) -> pa.BooleanArray | None:
    """Cells with signs that no text has: control signs, letters that were lost on the way; nothing where there are none."""
    data = bytes_of(values)
    if not data.size or not ((data < 32) | (data >= 127)).any():
        return None
    encoded = values.dictionary_encode()
    return pc.fill_null(pc.match_substring_regex(encoded.dictionary, _UNUSABLE).take(encoded.indices), False)


def typed(
    values: pa.StringArray,
    kind: str,
    *,
    numbers: Numbers = "plain",
    scale: int = 1,
    date_format: str = "%Y-%m-%d",
) -> pa.Array:
    """Cleaned cells as the Arrow type of a contract type, null where they were missing or cannot be typed.

    `scale`: how many of the file's units make one of the contract's. `date_format` is for dates and timestamps.
    """
    convert: dict[str, Callable[[], pa.Array]] = {
        "text": lambda: values,
        "integer": lambda: integers(values, numbers, scale),
        "decimal": lambda: decimals(values, numbers, scale),
        "boolean": lambda: booleans(values),
        "date": lambda: moments(values, date_format).cast(ARROW_TYPES["date"]),
        "timestamp": lambda: moments(values, date_format),
        "of_age": lambda: births(values, date_format),
        "period": lambda: _by_distinct(values, period),
    }
    return convert[kind]()


def integers(values: pa.StringArray, numbers: Numbers = "plain", scale: int = 1) -> pa.Int64Array:
    """Whole numbers; a fraction, a foreign grouping or a sum that `scale` does not divide is null."""
    if not _only_digits(values):
        values = _null_where(values, pc.invert(pc.match_substring_regex(values, _INTEGER[numbers])))
        if numbers == "vietnamese":
            values = pc.replace_substring(pc.replace_substring_regex(values, ",0+$", ""), ".", "")
        elif numbers == "decimal_point":
            values = pc.replace_substring_regex(values, r"\.0*$", "")
    whole = values.cast(pa.int64())
    if scale == 1:
        return whole
    units = pc.divide(whole, scale)
    return _null_where(units, pc.not_equal(pc.multiply(units, scale), whole))


def decimals(values: pa.StringArray, numbers: Numbers = "plain", scale: int = 1) -> pa.Decimal128Array:
    """Decimal numbers of at most four places; more places, or a foreign mark, is null."""
    values = _null_where(values, pc.invert(pc.match_substring_regex(values, _DECIMAL[numbers])))
    if numbers == "vietnamese":
        values = pc.replace_substring(pc.replace_substring(values, ".", ""), ",", ".")
    exact = values.cast(ARROW_TYPES["decimal"])
    return exact if scale == 1 else pc.divide(exact, pa.scalar(scale)).cast(ARROW_TYPES["decimal"], safe=False)


def booleans(values: pa.StringArray) -> pa.BooleanArray:
    """`1` and `0`; anything else is null."""
    return pc.if_else(pc.is_in(values, value_set=pa.array(["0", "1"])), pc.equal(values, "1"), pa.scalar(None, pa.bool_()))


def moments(values: pa.StringArray, date_format: str) -> pa.TimestampArray:
    """Local times by a format of `%Y %m %d %H %M %S` and fixed signs; a day that does not exist is null.

    A day or month of one digit is taken where the format separates it.
    """
    if date_format == EPOCH_MILLISECONDS:
        return _since_1970(values)
    width = sum(_WIDTHS.get(part[1:], 1) for part in re.findall(r"%.|[^%]", date_format))
    other = pc.fill_null(pc.not_equal(pc.binary_length(values), width), False)
    if pc.any(other).as_py() and not re.search(r"%.%", date_format):
        padded = pc.replace_substring_regex(values.filter(other), r"\b(\d)\b", r"0\1")
        values = pc.replace_with_mask(values, other, padded)
    fits = pc.fill_null(pc.equal(pc.binary_length(values), width), False).to_numpy(zero_copy_only=False)
    matrix = bytes_of(values.filter(pa.array(fits))).reshape(-1, width)
    seconds_of_fitting, real = _seconds(matrix, date_format)
    seconds = np.zeros(len(values), np.int64)
    seconds[fits] = seconds_of_fitting
    known = fits.copy()
    known[fits] = real
    return pa.array(seconds, mask=~known).cast(ARROW_TYPES["timestamp"])


def _since_1970(values: pa.StringArray) -> pa.TimestampArray:
    """Local times of milliseconds; what can only be seconds or microseconds is null."""
    told = integers(values)
    usual = pc.and_(pc.greater_equal(told, _EPOCH_MILLISECONDS[0]), pc.less(told, _EPOCH_MILLISECONDS[1]))
    seconds = pc.add(pc.divide(pc.if_else(usual, told, None), 1000), LOCAL_OFFSET)
    return seconds.cast(ARROW_TYPES["timestamp"])


_A_YEAR = r"^([0-9]{4})$"
OF_AGE = 18
"""Years from which a person is of age (Civil Code 91/2015/QH13, article 20)."""


def births(values: pa.StringArray, date_format: str) -> pa.Date32Array:
    """Days of birth; of a year alone its first day, since nobody who was born in it is known to be younger."""
    first = date_format.replace("%d", "01").replace("%m", "01").replace("%Y", r"\1")
    return moments(pc.replace_substring_regex(values, _A_YEAR, first), date_format).cast(ARROW_TYPES["date"])


def of_age(born: pa.Date32Array, since: pa.Date32Array) -> pa.Date32Array:
    """From which day on each is known to be of age: the first of the month of that birthday, or `since` where that is later.

    So much is enough to tell it at the end of every month, and less than when they were born.
    """
    known = pc.and_(born.is_valid(), since.is_valid()).to_numpy(zero_copy_only=False)
    day, since_day = (days.fill_null(0).to_numpy(zero_copy_only=False).astype("datetime64[D]") for days in (born, since))
    birthday = (day.astype("datetime64[M]") + 12 * OF_AGE).astype("datetime64[D]")
    return pa.array(np.maximum(birthday, since_day), mask=~known).cast(ARROW_TYPES["date"])


def period(text: str) -> str | None:
    """`2024`, `2024-Q1` or `2024-03` from the ways offices write a period: `Quý I/2024`, `Q1/2024`, `03/2024`, `Năm 2024`."""
    text = text.casefold()
    if year := _YEAR.fullmatch(text):
        return year[1]
    if quarter := _QUARTER.fullmatch(text):
        number = quarter[1] or quarter[4]
        return f"{quarter[2] or quarter[3]}-Q{_ROMAN.get(number, number)}"
    if month := _MONTH.fullmatch(text):
        return f"{month[2] or month[3]}-{month[1] or month[4]:0>2}"
    return None


def mapped(values: pa.StringArray, meanings: Mapping[str, str]) -> pa.StringArray:
    """Cells translated as the layout says; what it does not name stays for the rules to judge."""
    found = pc.index_in(values, value_set=pa.array(meanings, pa.string()))
    return pc.coalesce(pa.array(meanings.values(), pa.string()).take(found), values)


def _seconds(matrix: npt.NDArray[np.uint8], date_format: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Seconds since 1970 of texts of equal length, one a row of the matrix, and which of them are real moments."""
    parts = {"Y": np.full(len(matrix), 1970), "m": np.ones(len(matrix), np.int64), "d": np.ones(len(matrix), np.int64)}
    real = np.ones(len(matrix), np.bool_)
    at = 0
    for part in re.findall(r"%.|[^%]", date_format):
        if part[0] != "%":
            real &= matrix[:, at] == ord(part)
            at += 1
            continue
        value = np.zeros(len(matrix), np.int64)
        for _ in range(_WIDTHS[part[1]]):
            digit = matrix[:, at] - np.uint8(48)
            real &= digit <= 9
            value = value * 10 + digit
            at += 1
        parts[part[1]] = value
    year, month = parts["Y"], parts["m"]
    real &= (year >= _EARLIEST) & (year <= _LATEST) & (month >= 1) & (month <= 12)
    months = np.where(real, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first, next_first = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    real &= (parts["d"] >= 1) & (parts["d"] <= (next_first - first).astype(np.int64))
    seconds = (first.astype(np.int64) + parts["d"] - 1) * 86400
    for name, limit, size in (("H", 24, 3600), ("M", 60, 60), ("S", 60, 1)):
        if name in parts:
            real &= parts[name] < limit
            seconds += parts[name] * size
    return seconds, real


def _by_distinct(values: pa.StringArray, convert: Callable[[str], str | None]) -> pa.StringArray:
    encoded = values.dictionary_encode()
    return pa.array([convert(value) for value in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)


def _only_digits(values: pa.StringArray) -> bool:
    """Every cell that is there is a plain number already: seen in the bytes, which is ten times faster than a pattern."""
    data, lengths = bytes_of(values), lengths_of(values)
    plain = data.size and data.min() >= 48 and data.max() <= 57 and lengths.max() <= 18
    return bool(plain and np.count_nonzero(lengths) == len(values) - values.null_count)


def _null_where(values: Any, mask: pa.BooleanArray) -> Any:
    return pc.if_else(mask, pa.scalar(None, values.type), values) if pc.any(mask).as_py() else values


def lengths_of(values: pa.StringArray) -> npt.NDArray[np.int32]:
    """Bytes of each cell; 0 where it is missing."""
    return np.diff(offsets_of(values))


def offsets_of(values: pa.StringArray) -> npt.NDArray[np.int32]:
    """Where each cell's bytes begin, and where the last one's end."""
    if not len(values):
        return np.zeros(1, np.int32)
    return np.frombuffer(values.buffers()[1], np.int32, len(values) + 1, values.offset * 4)


def bytes_of(values: pa.StringArray) -> npt.NDArray[np.uint8]:
    """All the cells' bytes, one cell after the other, without copying."""
    offsets, buffer = offsets_of(values), values.buffers()[2]
    return np.frombuffer(buffer, np.uint8)[offsets[0] : offsets[-1]] if buffer and offsets[-1] > offsets[0] else np.zeros(0, np.uint8)
