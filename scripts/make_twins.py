"""The pictures that stand in an explorer's place where no script may run: its first look in its notebook.

make twins                                           # of all notebooks
.venv/bin/python scripts/make_twins.py 04_gating     # of one
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chromium import launch
from make_site import EMBEDDED
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, sync_playwright

from autograder.course.masters import read_master
from autograder.course.places import Places, find_masters
from autograder.release.build import executed_notebook
from autograder.release.lesson import EXPLORER
from rnncourse.explorer import TAKEN_OF

ROOT = Path(__file__).resolve().parents[1]
PLACES = Places(ROOT)
TWINS = ROOT / "rnncourse" / "explorers"
# Wide enough for an explorer as a notebook shows it; so many colours as its lines' soft edges need.
WIDTH, COLOURS = 1080, 64


def main() -> None:
    """Take the pictures of the notebooks named, or of all."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for folder in find_masters(PLACES.solutions, sys.argv[1:]):
            for name, mark, piece in explorers_of(executed_notebook(read_master(folder), PLACES)):
                path = take(browser, name, mark, piece)
                print(f"{path.relative_to(ROOT)} ({path.stat().st_size / 1e3:.0f} kB)", flush=True)
        browser.close()


def explorers_of(executed: Any) -> Iterator[tuple[str, str, str]]:
    """(name, mark, piece of a page) of the explorers in an executed notebook that a picture stands for."""
    for cell in executed.cells:
        found = re.search(r"\bexplorer\(\s*\"(\w+)\"", cell.source)
        for output in cell.get("outputs", ()):
            piece = output.get("data", {}).get("text/html", "")
            if found and piece.startswith(EXPLORER):
                _, _, rest = piece.partition('data-explorer="')
                yield found[1], rest.partition('"')[0], piece


def take(browser: Browser, name: str, mark: str, piece: str) -> Path:
    """Take an explorer's picture; it says of which piece it is."""
    page = browser.new_page(viewport={"width": WIDTH + 40, "height": 900}, reduced_motion="reduce")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(EMBEDDED.format(title=name, body=piece), "utf-8")
        page.goto(path.as_uri())
        shown = page.locator(".explorer-root[data-shown]")
        picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
    page.close()
    said = PngInfo()
    said.add_text(TAKEN_OF, mark)
    few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(TWINS / f"{name}.png", optimize=True, pnginfo=said)
    return TWINS / f"{name}.png"


if __name__ == "__main__":
    main()
