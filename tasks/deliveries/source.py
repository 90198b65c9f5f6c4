"""Sources of sources.yaml: which system of which supplier sends what, and where it is to be found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from expectations.contract import Contract, contract, feeds
from tasks.deliveries.coverage import check_pattern
from tasks.deliveries.rhythm import RHYTHMS
from tasks.words.understood import did_you_mean
from warehouse import country
from warehouse.scores.reporting_calendars import FORM, reporting_calendars
from warehouse.settings import Refusal, no_sources

EXPECTED = (*RHYTHMS, "once")
"""What `expected` may say."""
KEYS = ("sources", "providers", "provinces", "reporting_calendars", "limits", "retention", "sample", "open_data")
"""What a sources.yaml may hold; the first it must."""
NO_TEXT = ("headers", "required")
"""What of an entry is no text."""
ALL = "all"
"""What `provinces` says of an installation of the whole country."""
THE_FIRST = ["38"]
"""The province of a sources.yaml that names none: Thanh Hóa, where the model began."""
SFTP = ("sftp", "ssh")
"""Schemes of urls on servers that have to prove who they are."""
EDITIONS = "editions"
"""The feed of what provinces signed: all that an installation of the whole country takes, and no other one does."""
FILES = {"known_hosts": SFTP, "key_file": SFTP, "ca_file": ("https",)}
"""Keys that name a file, and the schemes of urls with which they mean something."""


@dataclass(frozen=True)
class Source:
    """One system of one supplier that sends one feed in one layout: an entry of sources.yaml."""

    name: str
    feed: str
    layout: str
    provider: str
    url: str
    """Any fsspec URL; its placeholders say what a file covers, see `tasks.deliveries.coverage`."""
    expected: str
    token: str | None = None
    """Environment variable that holds the bearer token, the password, or the passphrase of `key_file`; never the secret itself.

    The variable NAME_FILE may name a file that holds it instead.
    """
    known_hosts: str | None = None
    """sftp:// only: the file of host keys to believe, instead of those of the user and the machine."""
    key_file: str | None = None
    """sftp:// only: the private key to log in with; then nothing else is tried."""
    ca_file: str | None = None
    """https:// only: the certificates of the authorities that vouch for the server, instead of those known everywhere."""
    title: str = ""
    """What officials call it, in Vietnamese; without one the title of its feed and who sends it."""
    required: bool = False
    """Whether an edition is held while it is late (warehouse/gate.yaml)."""
    headers: Mapping[str, str | None] = field(default_factory=dict, hash=False)
    """Label of a column in this source's files → column of the contract, or nothing where it is left out; else the layout's."""
    rank: int = 0
    """Place in sources.yaml: of two words of the same moment, the one of the later source holds."""


def title_of(feed: str, provider: str) -> str:
    """What a source is called that has no title of its own: by its feed and who sends it."""
    return f"{contract(feed).title_vi} ({country.provinces().get(provider, provider)})"


def terms_of(feed: str, layout: str, source: Source | None) -> Contract:
    """The contract that a delivery is held against; its columns are called as `source` does, where that still sends such deliveries."""
    terms = contract(feed)
    return terms.with_headers(layout, source.headers) if source is not None and (source.feed, source.layout) == (feed, layout) else terms


def read_sources(path: Path) -> list[Source]:
    """The sources of a sources.yaml, local URLs made absolute; Refusal names the first mistake in one line."""
    sources: list[Source] = []
    entries = declared(path)
    for number, entry in enumerate(entries["sources"], 1):
        source = replace(_source(path, number, entry), rank=number - 1)
        if source.name in {other.name for other in sources}:
            raise Refusal(f"{path}: hai nguồn cùng tên {source.name!r}.")
        _require_its_feed(f"{path}: nguồn {source.name}", source, of_country=entries.get("provinces") == ALL)
        sources.append(source)
    return sources


def read_providers(path: Path) -> dict[str, str]:
    """Code → name of the province's own suppliers: those of `providers` in sources.yaml, and whoever a source names without one."""
    named = declared(path).get("providers", {})
    if not isinstance(named, dict) or not all(isinstance(one, str) and re.fullmatch(r"[a-z][a-z0-9-]*", one) for one in named):
        raise Refusal(f"{path}: `providers` phải gồm các dòng `mã: tên`, mã viết bằng chữ thường không dấu, số và dấu -.")
    sent_by = {source.provider: country.provinces().get(source.provider, source.provider) for source in read_sources(path)}
    return sent_by | {code: str(name) for code, name in named.items()}


def read_provinces(path: Path) -> list[str]:
    """Codes of the provinces that the installation reports for: `provinces` in sources.yaml; Refusal where one is no province of today.

    Where they are `all`, the country above them is one more.
    """
    codes = declared(path).get("provinces", THE_FIRST)
    if codes == ALL:
        return [country.COUNTRY, *country.provinces()]
    if not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
        raise Refusal(f'{path}: `provinces` phải là danh sách mã tỉnh trong ngoặc kép, như ["38"]; của cả nước là `{ALL}`.')
    for code in codes:
        if code not in country.provinces():
            today = country.province_today(code)
            advice = f"tỉnh ấy đã nhập vào {today} ({country.provinces()[today]})" if today else f"có: {', '.join(country.provinces())}"
            raise Refusal(f"{path}: `provinces`: {code!r} không phải mã của tỉnh nào hiện nay; {advice}.")
    return codes


def read_reporting_calendars(path: Path) -> dict[str, str]:
    """Form → calendar of its periods: `reporting_calendars` in sources.yaml, else the first; Refusal where there is no such."""
    chosen = declared(path).get("reporting_calendars", {})
    known = [calendar.code for calendar in reporting_calendars()]
    if not isinstance(chosen, dict) or set(chosen) - {FORM} or not set(chosen.values()) <= set(known):
        raise Refusal(f"{path}: `reporting_calendars` phải là `{FORM}: lịch`, lịch là một trong: {', '.join(known)}.")
    return {FORM: known[0]} | chosen


def read_sample(path: Path) -> bool | None:
    """Whether what a sources.yaml lets in is sample data, or none: its `sample`; nothing where it does not say."""
    said = declared(path).get("sample")
    if not isinstance(said, bool | None):
        raise Refusal(f"{path}: `sample` là true hoặc false.")
    return said


def declared(path: Path) -> dict[str, Any]:
    """What a sources.yaml holds: `sources`, and perhaps others of KEYS; Refusal where it is not of that form."""
    try:
        entries = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise no_sources(path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"Không đọc được {path} ({getattr(error, 'strerror', 'không phải UTF-8')}).") from error
    except yaml.YAMLError as error:
        raise Refusal(f"{path}: không phải YAML ({' '.join(str(error).split())}).") from error
    if not isinstance(entries, dict) or not isinstance(entries.get("sources"), list) or set(entries) - set(KEYS):
        others = ", ".join(f"`{key}`" for key in KEYS[1:])
        raise Refusal(f"{path}: phải có một danh sách tên `sources`, và có thể có {others}; ngoài ra không gì khác.")
    return entries


def whole_numbers(path: Path, section: str, known: Sequence[str]) -> dict[str, int]:
    """What a section of a sources.yaml sets, by the names that it may have; Refusal names the first mistake in one line."""
    given = declared(path).get(section, {})
    if not isinstance(given, dict):
        raise Refusal(f"{path}: `{section}` phải gồm các dòng `tên: số`; có: {', '.join(known)}.")
    for name, number in given.items():
        if name not in known:
            raise Refusal(f"{path}: {section}: không có {name!r}.{did_you_mean(str(name), known)} Có: {', '.join(known)}.")
        if type(number) is not int or number < 1:
            raise Refusal(f"{path}: {section}: {name} phải là số nguyên từ 1 trở lên, không phải {number!r}.")
    return given


def known_feed(name: str, where: str = "") -> Contract:
    """The contract of a feed; Refusal, with what may be meant, where there is none."""
    if name not in feeds():
        raise Refusal(f"{where}Không có nguồn dữ liệu (feed) {name!r}.{did_you_mean(name, feeds())} Có: {', '.join(feeds())}.")
    return contract(name)


def require_layout(terms: Contract, name: str, where: str = "") -> None:
    """Refusal, with what may be meant, where a feed has no such layout."""
    if name not in terms.layouts:
        meant = did_you_mean(name, terms.layouts)
        raise Refusal(f"{where}Nguồn dữ liệu (feed) {terms.feed} không có bố cục {name!r}.{meant} Có: {', '.join(terms.layouts)}.")


def _source(path: Path, number: int, entry: Any) -> Source:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for key, value in entry.items() if key not in NO_TEXT):
        raise Refusal(f"{path}: nguồn thứ {number}: mỗi dòng phải là `khóa: chữ`, trừ `headers` và `required`.")
    where = f"{path}: nguồn {entry.get('name', f'thứ {number}')}"
    known = [one.name for one in fields(Source) if one.name != "rank"]
    for key in entry.keys() - set(known):
        raise Refusal(f"{where}: không có khóa {key!r}.{did_you_mean(str(key), known)} Có: {', '.join(known)}.")
    for one in fields(Source):
        if one.default is MISSING and one.default_factory is MISSING and one.name not in entry:
            raise Refusal(f"{where}: thiếu {one.name!r}.")
    source = Source(**entry)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", source.name):
        raise Refusal(f"{where}: tên nguồn chỉ gồm chữ không dấu, số, - và _ (nó thành tên thư mục).")
    require_layout(known_feed(source.feed, f"{where}: "), source.layout, f"{where}: ")
    _check_others(where, source)
    if source.expected not in EXPECTED:
        raise Refusal(f"{where}: `expected` là một trong: {', '.join(EXPECTED)}; không phải {source.expected!r}.")
    wrong = check_pattern(source.url)
    if wrong is not None:
        raise Refusal(f"{where}: url: {wrong}")
    parts = urlsplit(source.url)
    if parts.password:
        raise Refusal(f"{where}: url có mật khẩu; đặt mật khẩu vào một biến môi trường và ghi tên biến ấy ở `token`.")
    paths = [key for key in FILES if key in entry]
    for key in paths:
        if parts.scheme not in FILES[key]:
            raise Refusal(f"{where}: {key!r} chỉ dùng với url {FILES[key][0]}://.")
    if "://" not in source.url:
        paths.append("url")
    resolved: dict[str, Any] = {key: str((path.parent / entry[key]).resolve()) for key in paths}
    return replace(source, title=source.title or title_of(source.feed, source.provider), **resolved)


def _require_its_feed(where: str, source: Source, *, of_country: bool) -> None:
    """Refusal where the country would take rows, or a province editions: no row of a person, dossier or payment leaves its province."""
    if of_country and source.feed != EDITIONS:
        raise Refusal(f"{where}: bản cài đặt của cả nước chỉ nhận số liệu các tỉnh đã ký (feed {EDITIONS}), không nhận {source.feed}.")
    if not of_country and source.feed == EDITIONS:
        raise Refusal(f"{where}: chỉ bản cài đặt của cả nước (`provinces: {ALL}`) nhận số liệu các tỉnh đã ký (feed {EDITIONS}).")
    if of_country and source.provider not in country.provinces():
        raise Refusal(f"{where}: `provider` phải là mã của tỉnh gửi, một trong: {', '.join(country.provinces())}.")


def _check_others(where: str, source: Source) -> None:
    if not isinstance(source.required, bool):
        raise Refusal(f"{where}: `required` là true hoặc false; không phải {source.required!r}.")
    said = source.headers
    if not isinstance(said, dict) or not all(
        isinstance(label, str) and label.strip() and isinstance(column, str | None) for label, column in said.items()
    ):
        raise Refusal(f"{where}: headers: mỗi dòng phải là `nhãn trong tệp: cột`; cột bỏ không đọc thì để trống sau dấu hai chấm.")
    try:
        contract(source.feed).with_headers(source.layout, said)
    except ValueError as error:
        raise Refusal(f"{where}: headers: {error}") from error
