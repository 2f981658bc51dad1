"""Headless Chromium for whatever looks at a page the way a person does: tests, the slides' checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder.release.handout import chromium_options, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

OPTIONS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)


def launch(playwright: Playwright) -> Browser:
    """Start it.

    Raises:
        CourseError: there is none.
    """
    return playwright.chromium.launch(
        executable_path=find_chromium(), args=[*chromium_options(), *OPTIONS]
    )
