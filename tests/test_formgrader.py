"""Formgrader's pages in a browser that reaches this machine alone."""

import json
import shutil
import sqlite3
from urllib.parse import urlsplit

import pytest
from course import TINY, folder_of, submission
from server import jupyter
from test_nbgrader import ROOT, hand_in, run

from autograder.course.places import Places
from autograder.release.build import build

NAME = TINY.name
FORMULAS = """An honest formula: $a^2 + b_1$, and one that would be a link:
$\\href{javascript:document.title='owned'}{click me}$
"""

pytestmark = [pytest.mark.xdist_group("nbgrader"), pytest.mark.usefixtures("confined")]


@pytest.mark.long
def test_a_submission_is_shown_marked_and_typeset_without_another_server(browser, tmp_path):
    place, settings = tmp_path / "course", tmp_path / "settings"
    settings.mkdir()
    shutil.copytree(folder_of(NAME), place / "solutions" / NAME)
    shutil.copy(ROOT / "nbgrader_config.py", place)
    build(place / "solutions" / NAME, Places(place))
    notebook = json.loads(submission(NAME))
    notebook["cells"].append({"cell_type": "markdown", "id": "own", "metadata": {}, "source": FORMULAS})
    hand_in(place, "ada", NAME, json.dumps(notebook).encode())
    run(place, "autograder", "grade", NAME, "--gradebook", "sqlite:///gradebook.db")
    with sqlite3.connect(place / "gradebook.db") as connection:
        (shown,) = connection.execute("select id from submitted_notebook").fetchone()
    context = browser.new_context()
    page, asked, complaints = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with jupyter("server", place, settings) as url:
        here = urlsplit(url).netloc
        for path in ("manage_assignments", "gradebook", "manage_students", f"submissions/{shown}/?index=0"):
            page.goto(f"{url}/formgrader/{path}", wait_until="networkidle")
        page.wait_for_function("window.MathJax && MathJax.loaded")  # then the first comment is selected
        own = page.locator(".text_cell_render", has_text="An honest formula")
        assert own.locator("mjx-container").count() == 2
        assert not own.locator("mjx-container a, mjx-container [href]:not(use)").count()
        assert "tabbable" in page.evaluate("document.activeElement.className")
    context.close()
    assert not complaints
    assert {urlsplit(one).netloc for one in asked if not one.startswith("data:")} == {here}
