"""Figures that others published beside what the warehouse computes: those that differ first, those that hold document by document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row

from tasks.ask import questions
from tasks.ask.overview import Overview
from tasks.report.rendering import Page

WRONG = ("impossible", "differs")
"""Verdicts that ask for somebody's attention."""


def published(overview: Overview) -> Page:
    """What differs, and every document with how many of its figures hold."""
    return _summary(_figures(overview))


def document(overview: Overview, number: str) -> Page | None:
    """All figures of one document; nothing where there is none of that number."""
    return next((page for page in _documents(_figures(overview)) if page.place == f"da-cong-bo/{number}"), None)


def all_published(overview: Overview) -> list[Page]:
    """The summary and a page a document."""
    figures = _figures(overview)
    return [_summary(figures), *_documents(figures)]


def _figures(overview: Overview) -> Sequence[Row[Any]]:
    return [row for row in questions.published_check(overview.connection, overview.scope) if overview.scope.sees(row.unit_code)]


def _summary(figures: Sequence[Row[Any]]) -> Page:
    documents = [(name, number_of(name), Counter(row.verdict for row in rows)) for name, rows in _by_document(figures)]
    content = {"differing": [row for row in figures if row.verdict in WRONG], "documents": documents, "figures": len(figures)}
    return Page("da-cong-bo", "published.html", content)


def _documents(figures: Sequence[Row[Any]]) -> list[Page]:
    return [
        Page(
            f"da-cong-bo/{number_of(name)}", "document.html", {"name": name, "figures": rows, "told": Counter(row.verdict for row in rows)}
        )
        for name, rows in _by_document(figures)
    ]


def _by_document(figures: Sequence[Row[Any]]) -> list[tuple[str, list[Row[Any]]]]:
    named = attrgetter("source_document")
    return [(name, list(rows)) for name, rows in groupby(sorted(figures, key=named), named)]


def number_of(name: str) -> str:
    """What stands for a document in an address."""
    return sha256(name.encode()).hexdigest()[:8]
