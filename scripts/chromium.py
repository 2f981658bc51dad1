"""Headless Chromium for whatever looks at a page the way a person does: tests, the slides' checker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from autograder.release.handout import find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)


def launch(playwright: Playwright) -> Browser:
    """Start it. Root, as in a container, runs it without Chromium's own sandbox, which root cannot use.

    Raises:
        CourseError: there is none.
    """
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = [*OPTIONS, "--no-sandbox"] if root else list(OPTIONS)
    return playwright.chromium.launch(executable_path=find_chromium(), args=options)
