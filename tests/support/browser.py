"""A real browser, and what is asked of a page in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# Chromium as root and in a closed network: no sandbox, and none of its own calls home.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync")  # fmt: skip
PHONE, DESK = (390, 844), (1100, 900)
DRAWN = "document.documentElement.dataset.drawn"
SHAPES = """() => [...document.querySelectorAll(".chart")].map(place => {
    const drawing = place.querySelector("svg, canvas");
    const box = drawing && drawing.getBoundingClientRect();
    const outer = place.getBoundingClientRect();
    return {id: place.id, width: box ? box.width : 0, height: box ? box.height : 0,
            over: box ? box.right - outer.right : 0,
            marks: place.querySelectorAll(".mark-symbol path, .mark-rect path, .mark-line path")
                .length};
})"""


@contextmanager
def open_browser() -> Iterator:
    """Start Chromium, or skip the test where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium on the path (apt-get install chromium, or set CHROMIUM)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()
