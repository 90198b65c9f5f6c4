"""Data Docs of the night: Great Expectations' own pages on every delivery, made to open without the internet.

Beside the results of the suite stand those of the rules that it cannot run: the file's form, and the delivery as a whole.
The results shown are counts and numbers of rows only (see `tasks.validate.checks.COUNTS`). Great Expectations' pages load scripts, styles,
fonts and logos from seven outside hosts, which closed networks block: all of that is taken out, and a
stylesheet of our own is put in. The start page lists the last nights.
"""

from __future__ import annotations

import re
import shutil
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import lxml.html
from jinja2 import Environment, PackageLoader

from expectations.contract import Contract, contract
from tasks.validate.found import in_short
from tasks.validate.gx import GX_LOCK, great_expectations
from tasks.words.vietnamese import NOTHING, number, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.read.rows import Rejected
    from tasks.validate.checks import RuleResult

NIGHTS_KEPT = 14

ONLY_WITH_SCRIPTS = (
    "//script|//style|//link|//img|//iframe|//footer|//*[@onclick]|//*[contains(@class,'card-header')][contains(.,'Actions')]/.."
)
"""What loads from outside, or does nothing without scripts."""


Told = tuple[str, str, Any, bool]
"""Feed and file of a delivery, what was found in it, and whether it was refused."""


@dataclass
class DataDocs:
    """The Data Docs in a folder, and the results of tonight's deliveries on their way there."""

    folder: Path
    _found: list[Told] = field(default_factory=list)
    _rendered: int = 0
    """Results whose pages are written, and wait for `build`."""
    _lock: Lock = field(default_factory=Lock)

    def add(
        self,
        terms: Contract,
        file_name: str,
        of_suite: Sequence[Any],
        of_rules: Sequence[RuleResult],
        refused: Rejected | None = None,
    ) -> None:
        """Take the suite's results on a delivery, one a chunk, what every rule found in it, and why it was refused."""
        whole = merged(terms, safe(file_name), of_suite, of_rules, refused)
        with self._lock:
            self._found.append((terms.feed, safe(file_name), whole, refused is not None))

    @property
    def told(self) -> list[Told]:
        """What it took, for the Data Docs of another process."""
        return list(self._found)

    def take(self, told: Sequence[Told]) -> None:
        """Takes what those of another process took."""
        with self._lock:
            self._found += told

    @property
    def _coming(self) -> Path:
        return self.folder / ".coming"

    def render(self, at: datetime) -> None:
        """Write tonight's pages where nobody reads them yet, as soon as all deliveries are told: it takes seconds."""
        if self._found:
            shutil.rmtree(self._coming, ignore_errors=True)
            self._write(self._coming, at)
            self._rendered = len(self._found)

    def build(self, at: datetime) -> Path:
        """Put tonight's pages in their place, write the start page, forget the nights of long ago; the start page."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._found:
            if self._rendered != len(self._found):
                self.render(at)
            night = self.folder / f"{at:%Y-%m-%d-%H%M%S}"
            shutil.rmtree(night, ignore_errors=True)
            self._coming.rename(night)
            self._found.clear()
            self._rendered = 0
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
            f"{number:03}-{re.sub(r'[^A-Za-z0-9._-]+', '_', file_name)[:100]}" for number, (_, file_name, *_) in enumerate(found, 1)
        ]
        with GX_LOCK:
            _build(site, at, [(feed, identifier, result) for (feed, _, result, _), identifier in zip(found, identifiers, strict=True)])
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
                "is_refused": is_refused,
                "statistics": result.statistics,
                "link": pages[identifier].relative_to(site).as_posix(),
            }
            for (feed, file_name, result, is_refused), identifier in zip(found, identifiers, strict=True)
        ]
        (site / "night.html").write_text(_page("data_docs_night.html", rows=rows), "utf-8")


def merged(
    terms: Contract, file_name: str, of_suite: Sequence[Any], of_rules: Sequence[RuleResult] = (), refused: Rejected | None = None
) -> Any:
    """One result for the delivery from those of its chunks, counts added and shares taken anew, and from those of the other rules."""
    with GX_LOCK:
        gx = great_expectations()
        from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult  # noqa: PLC0415  # slow, see above

    results = deepcopy(of_suite[0].results) if of_suite else []
    for position, one in enumerate(results):
        parts = [result.results[position] for result in of_suite]
        one.success = all(part.success for part in parts)
        if "element_count" not in one.result:
            continue
        counts = {name: sum(part.result.get(name, 0) for part in parts) for name in ("element_count", "unexpected_count", "missing_count")}
        present = counts["element_count"] - counts["missing_count"]
        share = 100 * counts["unexpected_count"] / present if present else 0.0
        one.result = {**counts, "unexpected_percent": share, "unexpected_percent_nonmissing": share}
        one.result["unexpected_percent_total"] = 100 * counts["unexpected_count"] / counts["element_count"]
        one.result["missing_percent"] = 100 * counts["missing_count"] / counts["element_count"]
    by_code = {one.expectation_config.meta["rule"]: one.expectation_config for one in results}
    for found in of_rules:
        rule, code = terms.rule(found.rule_code), found.rule_code
        if code in by_code:
            if found.observed:  # the suite tells how many rows, not which
                by_code[code].description = escape(f"{code} · {found.observed}")
            continue
        if rule.scope == "row":
            words, observed = found.observed or in_short(rule, "…"), f"{number(found.unexpected_count)} dòng"
        else:
            words, observed = rule.message_vi.format(file=file_name, column="…", observed=found.observed or "…"), found.observed or NOTHING
        if refused is not None and code == refused.rule_code:
            words = refused.message_vi
        # Which kind it is does not show: the words stand in its place.
        shown = gx.expectations.ExpectTableRowCountToBeBetween(
            severity=found.severity, meta={"rule": code}, description=escape(f"{code} · {words}")
        )
        result = {"observed_value": escape(observed)}
        results.append(ExpectationValidationResult(success=found.success, expectation_config=shown.configuration, result=result))
    held = sum(one.success for one in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": held,
        "unsuccessful_expectations": len(results) - held,
        "success_percent": 100 * held / len(results),
    }
    return ExpectationSuiteValidationResult(
        success=held == len(results),
        results=results,
        suite_name=terms.feed,
        statistics=statistics,
        meta={"great_expectations_version": gx.__version__},
    )


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
