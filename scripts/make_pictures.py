"""The README's pictures, each of the real thing: what moves, what a check says, what a class report shows.

make pictures                                      # all, in docs/images/; three minutes
.venv/bin/python scripts/make_pictures.py check    # one: step-through, check, report
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from chromium import launch
from lab import STUDENT_LAB
from make_site import EMBEDDED
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from sample_class import submission
from server import jupyter, run_all, write_settings

from autograder.course.masters import read_master
from autograder.errors import CourseError
from rnncourse.cells import step_through

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
NOTEBOOK, EXERCISE = "01_simple_rnn", "rnn_forward"
MILLISECONDS_A_STEP = 1100


def picture_step_through(browser: Browser) -> None:
    """The LSTM over three words, a formula a frame; and one frame for who wants nothing to move."""
    made = step_through("lstm", ("not", "bad", "film"))
    page = browser.new_page(viewport={"width": 1000, "height": 700}, reduced_motion="reduce")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "page.html"
        path.write_text(EMBEDDED.format(title=made.alt, body=made._repr_html_()), "utf-8")
        page.goto(path.as_uri())
        page.add_style_tag(content=".stepper .leave { display: none; }")
        stepper = page.locator(".stepper")
        frames = [_shot(stepper)]
        onward = page.get_by_role("button", name="one step on (right arrow)")
        while onward.is_enabled():
            onward.click()
            page.mouse.move(0, 0)
            frames.append(_shot(stepper))
    page.close()
    height = max(frame.height for frame in frames)
    sheets = [Image.new("RGB", (frame.width, height), "white") for frame in frames]
    for sheet, frame in zip(sheets, frames, strict=True):
        sheet.paste(frame)
    sheets[-1].save(IMAGES / "step-through.png", optimize=True)
    # One palette for all, or colours would flicker.
    palette = sheets[-1].quantize(128)
    moving = [sheet.quantize(palette=palette, dither=Image.Dither.NONE) for sheet in sheets]
    pauses = [MILLISECONDS_A_STEP] * (len(moving) - 1) + [3 * MILLISECONDS_A_STEP]
    moving[0].save(
        IMAGES / "step-through.gif", save_all=True, append_images=moving[1:], duration=pauses, loop=0
    )


def _shot(part: Locator) -> Image.Image:
    part.evaluate("() => document.activeElement.blur()")
    return Image.open(io.BytesIO(part.screenshot())).convert("RGB")


def picture_check(browser: Browser) -> None:
    """A student's function with a typical mistake in JupyterLab, and what the check below it says."""
    master = read_master(ROOT / "solutions" / NOTEBOOK)
    names = list(master.exercises)
    answers = {name: master.exercises[name].source for name in names[: names.index(EXERCISE)]}
    mistake = master.exercises[EXERCISE].spec.misconceptions[0]
    wrong = master.mutate(EXERCISE, mistake)
    # The marks of a solution are the instructor's.
    answers[EXERCISE] = "\n".join(line for line in wrong.splitlines() if "### " not in line)
    release = json.loads((ROOT / "notebooks" / NOTEBOOK / f"{NOTEBOOK}.ipynb").read_text("utf-8"))
    os.environ["JUPYTER_CONFIG_PATH"] = str(STUDENT_LAB)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work = folder / "work"
        work.mkdir()
        os.environ["AUTOGRADER_PROGRESS"] = str(folder / "progress.json")
        (work / f"{NOTEBOOK}.ipynb").write_bytes(submission(release, answers))
        checks = ROOT / "notebooks" / NOTEBOOK / "checks.safetensors"
        (work / checks.name).write_bytes(checks.read_bytes())
        write_settings(folder, "apputils-extension/notification", {"fetchNews": "false"})
        write_settings(folder, "notebook-extension/tracker", {"windowingMode": "none"})
        with jupyter("lab", work, folder) as url:
            page = browser.new_page(viewport={"width": 1180, "height": 1400}, device_scale_factor=1.5)
            page.goto(f"{url}/lab/tree/{NOTEBOOK}.ipynb")
            _shoot_check(page)
            page.close()


def _shoot_check(page: Page) -> None:
    run_all(page)
    answer = page.locator(".jp-OutputArea-output", has_text=re.compile(rf"^\s*{EXERCISE}: ")).first
    answer.wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    for fold in answer.locator("summary").all()[:2]:
        fold.click()
    page.evaluate("() => document.activeElement.blur()")
    code = page.locator(".jp-CodeCell", has_text=re.compile(rf"def {EXERCISE}\(")).first
    code.scroll_into_view_if_needed()
    box, told = code.bounding_box(), answer.bounding_box()
    assert box and told, "both are in view"
    height = told["y"] + told["height"] - box["y"]
    page.screenshot(
        path=IMAGES / "check.png",
        clip={"x": box["x"], "y": box["y"], "width": box["width"], "height": height},
    )


def picture_report(browser: Browser) -> None:
    """The report on the sample class of `make demo`."""
    subprocess.run([sys.executable, str(ROOT / "scripts" / "demo.py"), NOTEBOOK], check=True, cwd=ROOT)
    report = ROOT / "build" / "demo" / "build" / "report" / f"{NOTEBOOK}.html"
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.goto(report.as_uri())
    # What a lecturer reads first: how each exercise went, and which mistakes were the commonest.
    first, end = (page.get_by_role("heading", name=name).bounding_box() for name in ("Exercises", "Students"))
    assert first and end, "the report has both headings"
    clip = {"x": 0, "y": first["y"] - 12, "width": 1100, "height": end["y"] - first["y"] - 12}
    page.screenshot(path=IMAGES / "class-report.png", full_page=True, clip=clip)
    page.close()


PICTURES: dict[str, Callable[[Browser], None]] = {
    "step-through": picture_step_through,
    "check": picture_check,
    "report": picture_report,
}


def main(names: list[str]) -> int:
    """Make the pictures that are named, or all."""
    if unknown := sorted(set(names) - set(PICTURES)):
        print(f"no picture {', '.join(unknown)}; there is: {', '.join(PICTURES)}", file=sys.stderr)
        return 2
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            for name in names or PICTURES:
                print(f"{name} …", flush=True)
                PICTURES[name](browser)
            browser.close()
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
