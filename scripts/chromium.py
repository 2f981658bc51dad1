"""Headless Chromium for whatever looks at a page the way a person does: tests, the slides' checker."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)


class NoChromium(Exception):
    """There is no Chromium on this machine; the message says how to get one."""


def find_chromium() -> str:
    """The path of the machine's Chromium, or of the one that the variable CHROMIUM names.

    Raises:
        NoChromium: there is none.
    """
    for name in (os.environ.get("CHROMIUM"), *NAMES):
        if name and (path := shutil.which(name)):
            return path
    raise NoChromium(
        "this needs Chromium, and there is none: `apt-get install chromium` on Debian and Ubuntu, "
        "or set the variable CHROMIUM to the path of a Chrome or Chromium"
    )


def launch(playwright: Playwright) -> Browser:
    """Start it. Root, as in a container, runs it without Chromium's own sandbox, which root cannot use.

    Raises:
        NoChromium: there is none.
    """
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = [*OPTIONS, "--no-sandbox"] if root else list(OPTIONS)
    return playwright.chromium.launch(executable_path=find_chromium(), args=options)
