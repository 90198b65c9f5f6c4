"""A real browser for the pages, Debian's Chromium; what asks for one is skipped where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("no browser on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def viewport() -> ViewportSize | None:
    """The size of the window; the browser's own, unless a file says otherwise."""
    return None


@pytest.fixture
def page(browser: Browser, viewport: ViewportSize | None) -> Iterator[Page]:
    context = browser.new_context(viewport=viewport)
    yield context.new_page()
    context.close()
