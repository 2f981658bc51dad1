"""Open pages as people do and report what keeps somebody out: by axe-core, by keyboard, on a phone, enlarged.

    .venv/bin/python scripts/check_pages.py build/site build/solved/*.html [--shots DIR]

A folder stands for all pages in it but the decks, which have a checker of their own. Reported are: axe-core's
violations (wide and light, narrow and dark), any request to a network, errors in the console, a page that
scrolls sideways at 360, 1080 or 1330 pixels or at 200 %, and what has the focus without showing it, or out
of sight. Exit status 1 if there is anything to report. `--shots` writes a picture of each page at 1280 and
at 360 pixels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from chromium import note_complaints, report
from playwright.sync_api import Browser, Page, ViewportSize

from autograder.errors import CourseError

DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}
# What a window of 1280 pixels has left at 200 %.
ENLARGED: ViewportSize = {"width": 640, "height": 400}
# Windows in which a list of pages, or two lists, stand beside the text and leave it the least.
NARROW: tuple[ViewportSize, ...] = ({"width": 1080, "height": 800}, {"width": 1330, "height": 800})
# More would only be the same again: a page has some kinds of links, buttons and sliders.
MOST_STOPS = 60
AXE = "axe_playwright_python"
SIDEWAYS = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide <= 0) return null;
  const over = [...document.body.querySelectorAll("*")].filter((one) => {
    const box = one.getBoundingClientRect();
    if (box.right <= innerWidth + 1 || !box.width) return false;
    for (let around = one.parentElement; around; around = around.parentElement)
      if (getComputedStyle(around).overflowX !== "visible") return false;
    return true;
  });
  const deepest = over.filter((one) => !over.some((other) => other !== one && one.contains(other)));
  return [wide, deepest.slice(0, 3).map((one) => one.outerHTML.slice(0, 100)).join(" | ")];
}"""
FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  // A look that differs only with the focus on it, its own or its label's, shows where one is.
  const look = (node) => {
    const style = getComputedStyle(node);
    return ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderColor", "backgroundColor",
      "textDecorationLine", "clip", "clipPath"].map((name) => style[name]).join(";");
  };
  const near = [one, one.parentElement, ...(one.labels ?? [])].filter(Boolean);
  const before = near.map(look);
  one.blur();
  const after = near.map(look);
  one.focus({ focusVisible: true, preventScroll: true });
  return [before.join() !== after.join(), one.outerHTML.slice(0, 120)];
}"""

OUT_OF_SIGHT = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const box = one.getBoundingClientRect();
  const isSeen = box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight;
  return [isSeen, one.outerHTML.slice(0, 120)];
}"""

# A formula that heads a column is read from its MathML, which axe-core takes for no text.
RUN_AXE = """async () => {
  const found = (await axe.run({ resultTypes: ["violations"], preload: false })).violations;
  for (const one of found.filter(({ id }) => id === "empty-table-header"))
    one.nodes = one.nodes.filter(({ target }) => !document.querySelector(target[0])?.querySelector("math"));
  return found.filter(({ nodes }) => nodes.length);
}"""


def violations(page: Page) -> Iterator[str]:
    """What axe-core finds wrong with the page as it stands."""
    page.evaluate(files(AXE).joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate(RUN_AXE)
    for one in found:
        nodes = one["nodes"]
        why = nodes[0].get("failureSummary", "").splitlines()
        yield f"axe {one['id']} ({len(nodes)}×): {nodes[0]['html'][:160]} {' '.join(why[1:2]).strip()[:200]}"


def unseen_focus(
    page: Page, look: str = FOCUS, words: str = "has the focus and does not show it"
) -> Iterator[str]:
    """What the Tab key reaches without a sign of it.

    Args:
        page: the page.
        look: script that gives, of what has the focus, whether that is seen and its HTML; null of nothing.
        words: what is said where it is not.
    """
    # From the page's beginning, wherever one was before.
    page.evaluate(
        """() => {
          document.body.tabIndex = -1;
          document.body.focus();
          document.body.removeAttribute("tabindex");
          scrollTo(0, 0);
        }"""
    )
    seen: set[str] = set()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(look)
        if found is None:
            return
        shows, what = found
        if not shows and what not in seen:
            seen.add(what)
            yield f"{words}: {what}"


def check_page(browser: Browser, path: Path, shots: Path | None = None, most: int = 12) -> list[str]:
    """What is wrong with a page, one sentence a problem; empty if nothing is.

    Args:
        browser: a running Chromium.
        path: the page.
        shots: a folder for pictures of it, or None.
        most: places without a sign of the focus that are told.
    """
    problems: list[str] = []
    context = browser.new_context(viewport=DESK, offline=True, reduced_motion="reduce")
    page = context.new_page()
    note_complaints(page, problems, "file:", ("error",))
    page.goto(path.resolve().as_uri(), wait_until="load")
    page.wait_for_function(
        "() => !window.MathJax?.startup?.promise || MathJax.startup.promise.then(() => true)", timeout=60_000
    )
    _shoot(page, shots, path, "1280")
    problems += [*violations(page), *list(unseen_focus(page))[:most]]
    between = [(f"at {size['width']} pixels", size) for size in NARROW]
    for name, size in (*between, ("at 200 %", ENLARGED), ("at 360 pixels", PHONE)):
        page.set_viewport_size(size)
        page.wait_for_timeout(50)
        if found := page.evaluate(SIDEWAYS):
            problems.append(f"{name}: {found[0]} pixels too wide: {found[1]}")
        if size == ENLARGED:
            hidden = unseen_focus(page, OUT_OF_SIGHT, f"{name}: has the focus and is out of sight")
            problems += list(hidden)[:most]
            page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }")
    _shoot(page, shots, path, "360")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(50)
    problems += [f"at 360 pixels in the dark: {problem}" for problem in violations(page)]
    context.close()
    return problems


def _shoot(page: Page, shots: Path | None, path: Path, name: str) -> None:
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / f"{path.parent.name}_{path.stem}_{name}.png", full_page=False)


def pages_of(paths: list[Path]) -> Iterator[Path]:
    """The pages that are named, or lie in the folders that are; decks have a checker of their own."""
    for path in paths:
        if path.is_dir():
            yield from (page for page in sorted(path.rglob("*.html")) if page.parent.name != "slides")
        else:
            yield path


def main() -> int:
    """Check the pages named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--shots", type=Path)
    given = parser.parse_args()
    try:
        return 1 if report(check_page, pages_of(given.pages), given.shots) else 0
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
