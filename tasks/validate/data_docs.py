"""Data Docs of the night: Great Expectations' own pages on every delivery, made to open without the internet.

The results shown are counts only (see `tasks.validate.checks.COUNTS`). Great Expectations' pages load scripts, styles,
fonts and logos from seven outside hosts, which closed networks block: all of that is taken out, and a
stylesheet of our own is put in. The start page lists the last nights.
"""

from __future__ import annotations

import re
import shutil
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import lxml.html
from jinja2 import Environment, PackageLoader

from expectations.contract import contract
from tasks.validate.gx import GX_LOCK, great_expectations

if TYPE_CHECKING:
    from collections.abc import Sequence

NIGHTS_KEPT = 14

ONLY_WITH_SCRIPTS = (
    "//script|//style|//link|//img|//iframe|//footer|//*[@onclick]|//*[contains(@class,'card-header')][contains(.,'Actions')]/.."
)
"""What loads from outside, or does nothing without scripts."""


@dataclass
class DataDocs:
    """The Data Docs in a folder, and the results of tonight's deliveries on their way there."""

    folder: Path
    _found: list[tuple[str, str, Any]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, feed: str, file_name: str, results: Sequence[Any]) -> None:
        """Take the suite's results on a delivery, one a chunk."""
        whole = merged(results)
        with self._lock:
            self._found.append((feed, file_name, whole))

    def build(self, at: datetime) -> Path:
        """Write tonight's pages and the start page, forget the nights of long ago; the start page."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._found:
            coming = self.folder / ".coming"
            shutil.rmtree(coming, ignore_errors=True)
            self._write(coming, at)
            night = self.folder / f"{at:%Y-%m-%d-%H%M%S}"
            shutil.rmtree(night, ignore_errors=True)
            coming.rename(night)
            self._found.clear()
        nights = sorted((path for path in self.folder.iterdir() if (path / "night.html").is_file()), reverse=True)
        for old in nights[NIGHTS_KEPT:]:
            shutil.rmtree(old)
        start = self.folder / "index.html"
        start.write_text(
            _page("data_docs.html", nights=[(night.name, (night / "night.html").read_text("utf-8")) for night in nights[:NIGHTS_KEPT]]),
            "utf-8",
        )
        (self.folder / "data_docs.css").write_text(_page("data_docs.css"), "utf-8")
        return start

    def _write(self, site: Path, at: datetime) -> None:
        found = sorted(self._found, key=lambda one: one[:2])
        identifiers = [
            f"{number:03}-{re.sub(r'[^A-Za-z0-9._-]+', '_', file_name)[:100]}" for number, (_, file_name, _) in enumerate(found, 1)
        ]
        with GX_LOCK:
            _build(site, at, [(feed, identifier, result) for (feed, _, result), identifier in zip(found, identifiers, strict=True)])
        shutil.rmtree(site / "static", ignore_errors=True)
        (site / "index.html").unlink()  # filled by scripts; the start page stands in for it
        pages = {page.name.removesuffix(".html"): page for page in site.rglob("*.html")}
        for page in pages.values():
            make_offline(page, up=len(page.relative_to(site).parts))
        rows = [
            {
                "feed": feed,
                "file_name": file_name,
                "is_success": result.success,
                "statistics": result.statistics,
                "link": pages[identifier].relative_to(site).as_posix(),
            }
            for (feed, file_name, result), identifier in zip(found, identifiers, strict=True)
        ]
        (site / "night.html").write_text(_page("data_docs_night.html", rows=rows), "utf-8")


def merged(results: Sequence[Any]) -> Any:
    """One result for the delivery from those of its chunks: counts added, shares taken anew."""
    whole = deepcopy(results[0])
    for position, one in enumerate(whole.results):
        parts = [result.results[position] for result in results]
        one.success = all(part.success for part in parts)
        if "element_count" not in one.result:
            continue
        counts = {name: sum(part.result.get(name, 0) for part in parts) for name in ("element_count", "unexpected_count", "missing_count")}
        present = counts["element_count"] - counts["missing_count"]
        share = 100 * counts["unexpected_count"] / present if present else 0.0
        one.result = {**counts, "unexpected_percent": share, "unexpected_percent_nonmissing": share}
        one.result["unexpected_percent_total"] = 100 * counts["unexpected_count"] / counts["element_count"]
        one.result["missing_percent"] = 100 * counts["missing_count"] / counts["element_count"]
    held = sum(one.success for one in whole.results)
    whole.success = held == len(whole.results)
    whole.statistics = {
        "evaluated_expectations": len(whole.results),
        "successful_expectations": held,
        "unsuccessful_expectations": len(whole.results) - held,
        "success_percent": 100 * held / len(whole.results),
    }
    whole.meta = {"great_expectations_version": whole.meta["great_expectations_version"]}  # the rest holds a hash of the data
    return whole


def _build(site: Path, at: datetime, results: list[tuple[str, str, Any]]) -> None:
    gx = great_expectations()
    from great_expectations.core.run_identifier import RunIdentifier  # noqa: PLC0415  # slow, see above
    from great_expectations.data_context.types.resource_identifiers import (  # noqa: PLC0415
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    context = gx.get_context(mode="ephemeral")
    for name in context.get_site_names():
        context.delete_data_docs_site(name)
    backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site)}
    context.add_data_docs_site("night", {"class_name": "SiteBuilder", "store_backend": backend, "show_how_to_buttons": False})
    for feed in {feed for feed, _, _ in results}:
        context.suites.add(contract(feed).suite())
    run = RunIdentifier(run_name=f"{at:%Y-%m-%d}", run_time=at)
    for feed, identifier, result in results:
        result.meta["run_id"] = run
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(feed), run, identifier)
        context.validation_results_store.set(key, result)
    context.build_data_docs()


def make_offline(page: Path, up: int) -> None:
    """Take out of a page what it loads from outside; `up`: how many folders above it the start page lies."""
    tree = lxml.html.fromstring(page.read_text("utf-8"))
    for element in tree.xpath(ONLY_WITH_SCRIPTS):
        if element.getparent() is not None:
            element.drop_tree()
    for element in tree.xpath("//*[@style]"):
        del element.attrib["style"]
    for link in tree.xpath("//a[@href]"):
        if link.get("href").endswith("index.html"):
            link.set("href", "../" * up + "index.html")
        elif ":" in link.get("href"):
            link.drop_tag()
    head = tree.find("head")
    head.append(lxml.html.fragment_fromstring(f'<link rel="stylesheet" href="{"../" * up}data_docs.css">'))
    page.write_bytes(lxml.html.tostring(tree, doctype="<!doctype html>", encoding="utf-8"))


def _page(template: str, **values: Any) -> str:
    environment = Environment(loader=PackageLoader("tasks.validate"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(template).render(**values)
