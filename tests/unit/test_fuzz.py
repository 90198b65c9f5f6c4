"""Small deliveries of every layout, changed at random: whatever comes is read, set aside or refused, and nothing of it is quoted.

A delivery is made from its number alone: `pytest tests/unit/test_fuzz.py --fuzz-seed N` tries the one that failed again, and
`--fuzz-seconds 600` tries for longer. All of them are read; a few, since Great Expectations takes its time, are checked by the
rules of their feed as well. They are read in this process, a thousand times as fast as in one of its own: what ends a process,
an allocation of 100 GB, is tried by the night of `tests/golden/test_hostile.py`.
"""

from __future__ import annotations

import io
import json
import re
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from expectations.contract import Contract, contract
from tasks.read.file import Chunk, Rejected, read
from tasks.validate.checks import Checked, validate
from tests.golden.hostile.forms import (
    ADDRESS,
    CUSTOMER,
    EMAIL,
    FORMS,
    NAME,
    PAPER,
    PERSONAL,
    PHONE,
    SUMMARY,
    answer,
    delimited,
    header,
    page,
    portal,
    rows,
    sound,
    table,
)
from tests.golden.hostile.workbooks import DATE, book, formula, number, sheet

KEY = b"a key of the test"
CHECKED = 40
"""One delivery in so many is checked by the rules as well: half of the time goes there."""
NEVER_QUOTED = re.compile("|".join(f"{re.escape(mark)}.?\\d+" for mark in PERSONAL))
"""Personal data as the sound deliveries have it."""
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
VIETNAMESE = re.compile("[ạảãáâấầẩẫậăắằẳẵặđếềểễệẻẽẹỉĩịỏõọốồổỗộơớờởỡợủũụưứừửữựỳỷỹỵ]", re.IGNORECASE)

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

NASTY = (
    *("", " ", "-", "NA", "NULL", "None", "true", "0", "00", "-1", "+1", "1.5", "1,5", "1.442", "1.44", "1e400", "4.68769E+17", "7.9E+10"),
    *("NaN", "Infinity", "-inf", "9223372036854775808", "-9223372036854775809", "2147483648", "9" * 18, "9" * 19, "9" * 5000),
    *("٢٠٢٤", "４０００", "4000²", "Ⅳ", "½", "𝟙", "H56\0", "\x07", "\x1b[31m", "a\u200bb", "\u202eabc", "\ufeffa", "\u00ad", "\U0001f600"),
    *("a" * 10_000, "ế" * 5000, '="DTHU000001"', "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "#N/A", "#REF!", "'; DROP TABLE x; --", "\\N"),
    *('"', '""', 'Ống 21" PVC', "\n", "\r\n", "\t", ";", ",", "|", "[red]{0}%s", "<script>alert(1)</script>", "&#0;", "]]>", "&e;"),
    *("Ð", "Ä\x90", "NguyÃªn", "Tổng cộng", "tổng cộng:", "31/02/2024", "13/13/2024", "29/02/2023", "01/01/0001", "9999-12-31"),
    *("00000000000000", "20240230250000", "2024-W01", "Quý V/2024", "13/2024", "2024-00", "1.000.000.000.000.000.000", "nghìn đồng"),
    *(f"{NAME} 1", f"{PAPER}001", f"{PHONE}001", f"{EMAIL}1@example.invalid", f"{ADDRESS} 1", f"{SUMMARY} 1", f"{CUSTOMER}0001"),
    *("\ud800", "\udfff\udc00"),
)
NASTY_NUMBERS = ("NaN", "Infinity", "-1e308", "1e999", "1e25", "468769123456789012", "9" * 400, "-0", "45298.5", "-5", "99999999")
NASTY_VALUES = (
    *(None, True, 0, -1, 10**30, 10**300, 1e308, 1.5, float("nan"), float("inf"), [], {}, [[]], [None], {"": None}, {"a": {"b": [1]}}),
    *([{"Gia": "9" * 5000}], [{"Gia": None}], [4000], "0", "OK", *NASTY),
)
NASTY_TOKENS = (
    *("1e400", "-1e400", "9" * 5000, "NaN", "-0", '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u202e"'),
    *("[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000, "[" * 5000, "{}", ",", '"', "//", "\n{}", "'1'"),
)
NASTY_SPANS = ("0", "-1", "2", "3", "17", "²", "1e3", "65535", "1000000000", "9" * 5000, "")

Change = Callable[[Random, list[str], list[list[str]]], None]


def delivery(seed: int) -> tuple[str, list[str], bytes]:
    """The delivery of a number: layout, what was done to it, bytes."""
    rng, done = Random(seed), list[str]()
    layout = rng.choice(list(FORMS))
    made = {"portal_766_json": _json, "dvcqg_json": _json, "td_html_xls": _page}.get(
        layout, _workbook if layout.endswith("_xlsx") else _csv
    )
    content = sound(layout) if rng.random() < 0.1 else made(rng, done, layout)
    if not done or rng.random() < 0.05:
        content = _bytes(rng, done, content)
    return layout, done, content


# ---------------------------------------------------------------- how a delivery is changed


def _mostly(rng: Random, usual: str, others: Sequence[str]) -> str:
    """What most files have, since one that is refused at its first line tries nothing else."""
    return usual if rng.random() < 0.85 else rng.choice(others)


def _table(rng: Random, done: list[str], layout: str, top: int) -> list[list[str]]:
    """Titles, header, rows and totals of a layout with a few changes; the rows begin after so many lines."""
    lines = [list(line) for line in table(layout)] if top == 3 else [header(layout), *rows(layout)]
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        rng.choice(_CHANGES)(rng, done, lines)
    return lines


def _place(rng: Random, lines: list[list[str]]) -> tuple[int, int]:
    at = rng.randrange(len(lines))
    return at, rng.randrange(len(lines[at]) or 1)


def _cell(rng: Random, done: list[str], lines: list[list[str]]) -> None:
    (at, place), value = _place(rng, lines), rng.choice(NASTY)
    lines[at][place : place + 1] = [value]
    done.append(f"cell {at}:{place} is {value[:40]!r}")


def _column(rng: Random, done: list[str], lines: list[list[str]]) -> None:
    place, value, share = rng.randrange(len(lines[-1]) or 1), rng.choice(NASTY), rng.random()
    for line in lines[len(lines) - len(lines) * 3 // 4 :]:
        if rng.random() < share:
            line[place : place + 1] = [value]
    done.append(f"column {place} is {value[:40]!r} in {share:.0%}")


def _swapped(rng: Random, done: list[str], lines: list[list[str]]) -> None:
    (at, place), (other, there) = _place(rng, lines), _place(rng, lines)
    if place < len(lines[at]) and there < len(lines[other]):
        lines[at][place], lines[other][there] = lines[other][there], lines[at][place]
        done.append(f"cells {at}:{place} and {other}:{there} swapped")


def _shifted(rng: Random, done: list[str], lines: list[list[str]]) -> None:
    at, place = _place(rng, lines)
    if rng.random() < 0.5:
        lines[at].insert(place, rng.choice(NASTY))
    else:
        del lines[at][place:]
    done.append(f"line {at} shifted or cut at {place}")


def _line(rng: Random, done: list[str], lines: list[list[str]]) -> None:
    at, to, what = rng.randrange(len(lines)), rng.randrange(len(lines)), rng.choice(("twice", "moved", "left out", "empty", "a note"))
    line = lines[at]
    if what in ("moved", "left out"):
        del lines[at]
    if what in ("twice", "moved"):
        lines.insert(to, list(line))
    if what in ("empty", "a note"):
        lines.insert(to, ["" if what == "empty" else "Người lập biểu"])
    done.append(f"line {at} {what} at {to}")


def _columns(rng: Random, done: list[str], lines: list[list[str]]) -> None:
    place, to, what = rng.randrange(len(lines[-1]) or 1), rng.randrange(len(lines[-1]) or 1), rng.choice(("twice", "moved", "left out"))
    for line in lines:
        if place < len(line):
            cell = line[place]
            if what != "twice":
                del line[place]
            if what != "left out":
                line.insert(to, cell)
    done.append(f"column {place} {what} at {to}")


def _label(rng: Random, done: list[str], lines: list[list[str]]) -> None:
    at = next((at for at, line in enumerate(lines) if len(line) > 2), 0)
    place = rng.randrange(len(lines[at]) or 1)
    label = lines[at][place] if place < len(lines[at]) else ""
    others = (label.upper(), f" {label}\n", f"{label} (MM/yyyy)", f"{label} (nghìn đồng)", unicodedata.normalize("NFD", label), label[:-1])
    lines[at][place : place + 1] = [rng.choice((*others, rng.choice(NASTY)))]
    done.append(f"label {place} is {lines[at][place][:40]!r}")


_CHANGES: tuple[Change, ...] = (_cell, _cell, _cell, _column, _swapped, _swapped, _shifted, _line, _columns, _label)


def _csv(rng: Random, done: list[str], layout: str) -> bytes:
    lines = _table(rng, done, layout, 1)
    delimiter, end = _mostly(rng, ",", ";\t|"), _mostly(rng, "\r\n", ("\n", "\r", "\n\n"))
    if rng.random() < 0.8:
        text = delimited(layout, lines[1:], lines[0] or [""], delimiter, "\r\n" if end == "\n\n" else end)
    else:
        text = end.join(delimiter.join(line) for line in lines)
        done.append("no quotes")
    coding = _mostly(rng, "utf-8", ("utf-8-sig", "utf-16", "cp1258", "latin-1", "twice"))
    done.append(f"{delimiter!r} {end!r} {coding}")
    if coding == "twice":
        return text.encode("utf-8", "replace").decode("latin-1").encode()
    return text.encode(coding, "surrogatepass" if coding.startswith("utf") else "ignore")


def _workbook(rng: Random, done: list[str], layout: str) -> bytes:
    lines = [[_NOT_IN_XML.sub(lambda sign: f"_x{ord(sign[0]):04X}_", cell) for cell in line] for line in _table(rng, done, layout, 3)]
    for _ in range(rng.choice((0, 0, 1, 1, 3))):
        at, place = _place(rng, lines)
        kind = _mostly(rng, rng.choice(("", "", "date", "formula")), ("s", "b", "e", "str"))
        value = _mostly(rng, rng.choice(NASTY_NUMBERS), ("", "abc", "0x10", "#N/A"))
        other = {"date": number(value, DATE), "formula": formula("A1", rng.choice((None, value)))}
        lines[at][place : place + 1] = [other.get(kind) or number(value, kind=kind)]
        done.append(f"cell {at}:{place} is {lines[at][place][:60]}")
    sheets = {"Số liệu": sheet(lines)}
    if rng.random() < 0.2:
        state = rng.choice(("visible", "hidden", "veryHidden"))
        done.append(f"a second sheet, {state}")
        content = book({**sheets, "Tờ 2": sheet(table(layout))}, states={rng.choice(("Số liệu", "Tờ 2")): state})
    else:
        content = book(sheets)
    return _package(rng, done, content) if rng.random() < 0.25 else content


def _package(rng: Random, done: list[str], content: bytes) -> bytes:
    """The workbook with one of its parts left out, cut, or changed in an attribute or a byte."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name, what = rng.choice(list(parts)), rng.choice(("left out", "cut", "bytes", "attribute", "attribute", "attribute"))
    done.append(f"part {name} {what}")
    part = parts[name]
    if what == "left out":
        del parts[name]
    elif what == "cut":
        parts[name] = part[: rng.randrange(len(part))]
    elif what == "bytes":
        parts[name] = _bytes(rng, done, part)
    elif found := list(re.finditer(rb'(?<==")[^"]*(?=")', part)):
        chosen = rng.choice(found)
        value = rng.choice(("", "A0", "A1", "XFD1048576", "ZZZZ1", "0", "-1", "1", "99", "1000000", "s", "b", "e", "d", "x", "hidden"))
        parts[name] = part[: chosen.start()] + value.encode() + part[chosen.end() :]
        done.append(f"at {chosen.start()} {value!r} for {chosen[0][:40]!r}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def _page(rng: Random, done: list[str], layout: str) -> bytes:
    lines = _table(rng, done, layout, 1)
    text = page(lines[1:], labels=lines[0] if lines else [])
    for _ in range(rng.choice((0, 1, 1, 2))):
        tags = list(re.finditer(r"<(/?)(\w+)[^>]*>", text))
        tag, what = rng.choice(tags), rng.choice(("left out", "twice", "span", "span", "other", "comment"))
        kind, span = rng.choice(("colspan", "rowspan")), rng.choice(NASTY_SPANS)
        words = {
            "left out": "",
            "twice": tag[0] * 2,
            "span": f'<td {kind}="{span}">',
            "other": rng.choice(("<table>", "</table>", "<tr>", "<td hidden>", "<br>", "<script>", "<td style='display:none'>")),
            "comment": "<!-- " + tag[0],
        }[what]
        text = text[: tag.start()] + words + text[tag.end() :]
        done.append(f"tag at {tag.start()} {what}: {words[:40]}")
    return text.encode("utf-8", "surrogatepass")


def _field(rng: Random, root: Any) -> tuple[Any, Any]:
    """Some value inside, as its owner and its key there; mostly as deep down as it goes."""
    owner = {"": root}
    key: Any = ""
    while isinstance(owner[key], dict | list) and owner[key]:
        owner = owner[key]
        keys = list(owner) if isinstance(owner, dict) else list(range(len(owner)))
        deeper = [key for key in keys if isinstance(owner[key], dict | list) and owner[key]]
        key = rng.choice(deeper if deeper and rng.random() < 0.95 else keys)
        if rng.random() < 0.02:
            break
    return owner, key


def _json(rng: Random, done: list[str], layout: str) -> bytes:
    root = portal() if layout == "portal_766_json" else answer()
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        owner, key = _field(rng, root)
        what = _mostly(rng, "value", ("left out", "renamed", "wrapped", "twice"))
        value = deepcopy(rng.choice(NASTY_VALUES))  # it may be changed itself
        if what == "value":
            owner[key] = value
        elif what == "left out":
            del owner[key]
        elif what == "wrapped":
            owner[key] = [owner[key]]
        elif isinstance(owner, list):
            owner.append(owner[key])
        else:
            owner[str(value)[:60]] = owner.pop(key) if what == "renamed" else owner[key]
        done.append(f"{key!r} {what} {value!r:.40}")
    text = json.dumps(root, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.25:
        value, token = rng.choice(list(re.finditer(r'(?<=": )(?:"[^"]*"|[\d.]+)', text))), rng.choice(NASTY_TOKENS)
        text = text[: value.start()] + token + text[value.end() :]
        done.append(f"at {value.start()} {token:.20}")
    return text.encode("utf-8", "surrogatepass")


def _bytes(rng: Random, done: list[str], content: bytes) -> bytes:
    """A part of the bytes replaced, cut, doubled or left out."""
    for _ in range(rng.choice((1, 1, 2, 8))):
        at, size = rng.randrange(len(content) + 1), rng.choice((1, 2, 10, 100, 1000))
        before, part, after = content[:at], content[at : at + size], content[at + size :]
        what = rng.choice(("one byte", "bytes", "cut", "doubled", "left out", "zeros"))
        if what == "one byte":
            content = before + rng.randbytes(1) + content[at + 1 :]
        else:
            between = {"bytes": rng.randbytes(len(part)), "doubled": part * 2, "zeros": bytes(size) + part}.get(what, b"")
            content = before + between + (b"" if what == "cut" else after)
        done.append(f"{what} {size} at {at}")
    return content


# ---------------------------------------------------------------- what must hold of each


def test_whatever_comes_is_read_set_aside_or_refused_and_never_quoted(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    once = pytestconfig.getoption("--fuzz-seed")
    until = time.monotonic() + pytestconfig.getoption("--fuzz-seconds")
    seeds: Iterable[int] = count() if once is None else [once]
    for seed in seeds:
        layout, done, content = delivery(seed)
        try:
            _try(layout, content, tmp_path, is_checked=once is not None or seed % CHECKED == 0)
        except BaseException as problem:
            problem.add_note(f"--fuzz-seed {seed}: {layout}: {'; '.join(done)}")
            raise
        if time.monotonic() > until:
            break


def _try(layout: str, content: bytes, folder: Path, *, is_checked: bool) -> None:
    form = FORMS[layout]
    terms, path = contract(form.feed), folder / "delivered"
    path.write_bytes(content)
    try:
        chunks = _sound(read(path, terms, layout, KEY, form.file), terms)
        for part in validate(chunks, terms, layout, form.file) if is_checked else chunks:
            _assert_conserved(part)
    except Rejected as refused:
        _assert_tellable(str(refused.message_vi))


def _sound(chunks: Iterator[Chunk], terms: Contract) -> Iterator[Chunk]:
    for chunk in chunks:
        _assert_conserved(chunk)
        _assert_typed(chunk.table, terms)
        yield chunk


def _assert_conserved(part: Chunk | Checked) -> None:
    faults = part.faults.to_pylist()
    assert part.received == part.table.num_rows + len({fault["row_number"] for fault in faults}) + part.ignored
    for fault in faults:
        words = [fault["column_name"], fault["natural_key"] or ""]
        assert not any(NEVER_QUOTED.search(word) for word in words if CUSTOMER not in word), "a fault quotes personal data"


def _assert_tellable(message: str) -> None:
    assert len(message) < 600, f"{len(message)} characters"
    assert not UNSEEN.search(message), "signs that cannot be seen"
    assert not NEVER_QUOTED.search(message), "personal data"
    assert VIETNAMESE.search(message), message


def _assert_typed(found: pa.Table, terms: Contract) -> None:
    assert found.schema == terms.schema
    for name, column in terms.columns.items():
        if column.type == "integer":
            least, greatest = column.range
            assert all(least <= value <= greatest for value in found[name].to_pylist() if value is not None), name
        if column.type == "text":
            texts = [text for text in found[name].to_pylist() if text is not None]
            assert all(len(text) <= column.length for text in texts), name
            assert not any(UNSEEN.search(text) for text in texts), f"{name}: signs that cannot be seen"
        if column.required:
            assert not found[name].null_count, name
