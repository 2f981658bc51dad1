"""Headless Chromium for whatever looks at a page as a person does: tests, checkers of slides and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from autograder.release.handout import chromium_options, find_chromium

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
    return playwright.chromium.launch(executable_path=find_chromium(), args=[*chromium_options(), *OPTIONS])


def note_complaints(page: Page, problems: list[str], own: str, levels: tuple[str, ...]) -> None:
    """Note what a page asks of a network, says in its console, and fails in, now or later.

    Args:
        page: the page, before it is opened.
        problems: they are appended here, one sentence each.
        own: how the addresses begin that it may ask for.
        levels: which of the console's messages are noted.
    """

    def note_request(request: Any) -> None:
        if not request.url.startswith((own, "data:", "blob:", "about:")):
            problems.append(f"asks for {request.url[:120]}")

    def note_message(message: Any) -> None:
        if message.type in levels:
            problems.append(f"console: {message.text[:300]}")

    page.on("request", note_request)
    page.on("console", note_message)
    page.on("pageerror", lambda error: problems.append(f"script failed: {str(error)[:300]}"))


def report(
    check: Callable[[Browser, Path, Path | None], list[str]], paths: Iterable[Path], shots: Path | None
) -> int:
    """Check pages and print what is wrong; the number of problems is returned.

    Args:
        check: a running Chromium, a page, a folder for pictures or None -> the problems of that page.
        paths: the pages.
        shots: a folder for pictures, or None.

    Raises:
        CourseError: there is no Chromium.
    """
    count = 0
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for path in paths:
            problems = check(browser, path, shots)
            print(f"{path}: {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}", flush=True)
            for problem in problems:
                print(f"  {problem}")
            count += len(problems)
        browser.close()
    return count
