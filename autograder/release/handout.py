"""A deck on paper: a slide a page with the speaker's notes below, printed by the machine's Chromium.

Knows nothing of what stands on a slide; the deck lays itself out for paper where its address asks for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from autograder.errors import CourseError

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Of the page's own clock, which runs ahead while nothing happens.
MILLISECONDS = 60_000


def find_chromium() -> str:
    """The path of the machine's Chromium, or of the one that the variable CHROMIUM names.

    Raises:
        CourseError: there is none; the message says how to get one.
    """
    for name in (os.environ.get("CHROMIUM"), *CHROMIUM):
        if name and (path := shutil.which(name)):
            return path
    raise CourseError(
        "this needs Chromium, and there is none: `apt-get install chromium` on Debian and Ubuntu, "
        "or set the variable CHROMIUM to the path of a Chrome or Chromium"
    )


def chromium_options() -> list[str]:
    """What Chromium is started with everywhere. Root, as in a container, cannot use its own sandbox."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return ["--disable-gpu", *(["--no-sandbox"] if is_root else [])]


def print_handout(deck: Path) -> Path:
    """Print a deck with its notes into a PDF beside it.

    Returns:
        The path of the PDF.

    Raises:
        CourseError: there is no Chromium, or it failed; the message holds its words.
    """
    pdf = deck.with_suffix(".pdf")
    pdf.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        command = [
            find_chromium(),
            "--headless",
            *chromium_options(),
            "--no-pdf-header-footer",
            f"--user-data-dir={profile}",
            f"--virtual-time-budget={MILLISECONDS}",
            f"--print-to-pdf={pdf}",
            f"{deck.resolve().as_uri()}?handout",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    if done.returncode or not pdf.is_file():
        raise CourseError(f"Chromium could not print {deck.name}:\n{done.stderr.strip()[-2000:]}")
    return pdf
