"""Lays down a new installation: every file of `files/`, and the folders of its inbox. What is there already stays as it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.deliveries.source import EDITIONS
from warehouse import country
from warehouse.settings import Refusal, new_key, write_private

FILES = Path(__file__).parent / "files"
"""What is laid down, in the folders in which it will lie; a name that begins with `dot-` begins with a dot there.

@DIR@ in it becomes the installation's folder, @BIN@ the folder of the program that lays it down, @KEY@ a key, @PROVINCES@ their codes."""
OF_COUNTRY = Path(__file__).with_name("sources_of_country.yaml")
"""The sources.yaml of an installation of the whole country, in which @SOURCES@ becomes a source for each province."""
NOT_IN_A_PATH = r"""[\s"'`$\\%:#@]"""
"""Signs that mean something in one of the files that name the folder: a shell's lines, units of systemd, YAML."""


@dataclass(frozen=True)
class LaidDown:
    """What was done for an installation."""

    folder: Path
    written: list[str]
    kept: list[str]
    """Files that were there, of whatever content: nothing of them was changed."""


def lay_down(folder: Path, provinces: list[str], *, of_country: bool = False) -> LaidDown:
    """Makes an installation of a folder, for provinces by their codes or `of_country`; of one that is one already, what is missing."""
    folder = folder.expanduser().resolve()
    if sign := re.search(NOT_IN_A_PATH, str(folder)):
        raise Refusal(f"Thư mục cài đặt {folder}: đường dẫn có ký tự {sign[0]!r}; chọn đường dẫn không khoảng trắng, dấu nháy, $ % : # @.")
    if unknown := [code for code in provinces if code not in country.provinces()]:
        raise Refusal(f"Không có tỉnh mang mã {unknown[0]!r}; có: {', '.join(f'{c} {name}' for c, name in country.provinces().items())}.")
    if provinces and of_country:
        raise Refusal("Bản cài đặt của cả nước là của mọi tỉnh: bỏ --province, hoặc bỏ --country.")
    values = {
        "DIR": str(folder),
        "BIN": str(Path(sys.prefix) / "bin"),
        "KEY": _key(folder),
        "PROVINCES": ", ".join(f'"{code}"' for code in provinces),
        "SOURCES": "\n".join(_source_of(code, name) for code, name in country.provinces().items()),
    }
    done = LaidDown(folder, [], [])
    for template in sorted(path for path in FILES.rglob("*") if path.is_file()):
        name = re.sub(r"(^|/)dot-", r"\1.", template.relative_to(FILES).as_posix())
        text = _filled_in((OF_COUNTRY if of_country and name == "sources.yaml" else template).read_text("utf-8"), values)
        (done.written if _write(folder / name, text) else done.kept).append(name)
    for name in (".bakhong", ".bakhong/prefect", "inbox", *(_of_sources(folder) if "sources.yaml" in done.written else ())):
        (folder / name).mkdir(mode=0o700, exist_ok=True)  # for the service's user alone: here and in what is landed people are named
    return done


def _of_sources(folder: Path) -> list[str]:
    """The folders of the inbox from which the sources are taken, also those that are declared behind a `#`."""
    return re.findall(r"url: (inbox/[\w-]+)", (folder / "sources.yaml").read_text("utf-8"))


def _source_of(code: str, name: str) -> str:
    """A province as a source of the country."""
    said = {"name": f"tinh-{code}", "title": name, "feed": EDITIONS, "layout": "open_data", "provider": f'"{code}"', "url": f"inbox/{code}"}
    return f"  - {{{', '.join(f'{key}: {value}' for key, value in said.items())}, expected: monthly}}"


def _key(folder: Path) -> str:
    """The key of the pseudonyms: that of the warehouse which is there, else one that nobody has had."""
    made = folder / ".bakhong" / "secret_key"
    return made.read_text().strip() if made.is_file() else new_key()


def _filled_in(text: str, values: Mapping[str, str]) -> str:
    return re.sub(rf"@({'|'.join(values)})@", lambda found: values[found[1]], text)


def _write(path: Path, text: str) -> bool:
    """Writes a file unless there is one: for its owner only where it holds secrets, and everything else for all to read."""
    if path.exists() or path.is_symlink():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name == ".env":
        write_private(path, text)
    else:
        path.write_text(text, "utf-8")
        if text.startswith("#!"):
            path.chmod(0o755)
    return True
