"""Open every slide of every deck at 1280x720 and 1024x768 and report what an audience would see go wrong.

    .venv/bin/python scripts/check_slides.py build/slides/*.html [--shots DIR]

Reported are: content that leaves the slide or is cut off, figures shrunk until they cannot be read or small
where there is room, a slide half empty beside a figure that could stand on it, formulas that are wrong,
errors in the console, and any request to a network. Exit status 1 if there is anything to report. `--shots`
writes a picture of each slide, at 1280x720.

A short slide is right as such: one question, then a pause. It is half empty where the slide before or after
it, in the same stack, holds nothing but a figure that fits beside or below its words and stays well readable:
there one of them can come as a fragment, after the same pause, and words and figure are seen together. A
new stack is a new idea, and shares nothing with the one before.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from chromium import note_complaints, report
from playwright.sync_api import Browser, Page

from autograder.errors import CourseError

SIZES = ((1280, 720), (1024, 768))  # a wide projector's, and an older one's
WIDTH, HEIGHT = SIZES[0]
READY = "() => document.documentElement.classList.contains('ready')"
MEASURE = (Path(__file__).parent / "check_slides.js").read_text("utf-8")
COULD_STAND = (Path(__file__).parent / "could_stand.js").read_text("utf-8")
# A slide whose content ends above this share of its height, at the deck's own size of letters, has room.
HALF = 0.6


def open_deck(browser: Browser, path: Path, problems: list[str]) -> Page:
    """Open a deck in a page without a network and wait until it stands.

    Args:
        browser: a running Chromium.
        path: the deck.
        problems: what goes wrong in the page, now or later, is appended here.
    """
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, offline=True)
    page = context.new_page()
    address = path.resolve().as_uri()
    note_complaints(page, problems, address, ("error", "warning"))
    page.goto(address)
    page.wait_for_function(READY, timeout=60_000)
    return page


def check_deck(
    browser: Browser, path: Path, shots: Path | None = None, sizes: Sequence[tuple[int, int]] = SIZES
) -> list[str]:
    """What is wrong with a deck, one sentence a problem; empty if nothing is.

    Args:
        browser: a running Chromium.
        path: the deck, an HTML file.
        shots: a folder for a picture of each slide, or None.
        sizes: the windows to look through, width and height in pixels.
    """
    problems: list[str] = []
    page = open_deck(browser, path, problems)
    slides = page.evaluate(
        "() => Reveal.getSlides().map((s) => { const {h, v} = Reveal.getIndices(s); return [h, v ?? 0]; })"
    )
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        at = "" if width == WIDTH else f", at {width}x{height}"
        measured = []
        for number, (h, v) in enumerate(slides, start=1):
            window = {"width": width, "height": height, "HALF": HALF}
            found = page.evaluate(MEASURE, {"h": h, "v": v, **window})
            measured.append(found)
            problems += [f"slide {number} ({found['title']}){at}: {problem}" for problem in found["problems"]]
            if shots and not at:
                shots.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=shots / f"{path.stem}_{number:02}.png")
        if not at:
            problems += _half_empty(page, slides, measured)
    page.context.close()
    return problems


def _half_empty(page: Page, slides: list[list[int]], measured: list[dict[str, Any]]) -> Iterator[str]:
    """The slides beside which, in their stack, a figure stands alone that could stand on them."""
    for (i, a), (j, b) in pairwise(enumerate(measured)):
        for (m, words), (n, figure) in (((i, a), (j, b)), ((j, b), (i, a))):
            is_short = words["holds"] == "no figure" and words["used"] < HALF
            if slides[i][0] != slides[j][0] or not is_short or figure["holds"] != "a figure":
                continue
            if page.evaluate(COULD_STAND, {"words": slides[m], "figure": slides[n]}):
                yield (
                    f"slide {m + 1} ({words['title']}): ends at {words['used']:.0%} of its height, and the "
                    f"figure that stands alone on slide {n + 1} could stand here"
                )


def main() -> int:
    """Check the decks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("decks", nargs="+", type=Path)
    parser.add_argument("--shots", type=Path)
    arguments = parser.parse_args()
    try:
        return 1 if report(check_deck, arguments.decks, arguments.shots) else 0
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
