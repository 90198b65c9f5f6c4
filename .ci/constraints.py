"""Prints the constraints of an installation: the pins of requirements.lock that the program needs, with its extra `dask`, and no others.

What an environment without `dev` holds is told by the packages themselves, as they are installed beside this.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[1] / "requirements.lock"


def needed(name: str, extras: frozenset[str], found: dict[str, frozenset[str]]) -> None:
    """Adds a package, with the extras asked of it, and all that it needs itself."""
    name = canonicalize_name(name)
    if name in found and extras <= found[name]:
        return
    found[name] = found.get(name, frozenset()) | extras
    try:
        asked = [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:  # of another system than this one
        return
    for one in asked:
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            needed(one.name, frozenset(one.extras), found)


def main() -> None:
    """Prints them in the order of the lock."""
    found: dict[str, frozenset[str]] = {}
    needed("bakhong", frozenset({"dask"}), found)
    pins = re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text("utf-8"), re.M)
    print("\n".join(f"{name}=={version}" for name, version in pins if canonicalize_name(name) in found))


if __name__ == "__main__":
    main()
