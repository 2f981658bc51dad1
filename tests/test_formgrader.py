"""Formgrader's pages in a browser that reaches this machine alone."""

import json
import shutil
import sqlite3
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from course import TINY, folder_of, submission
from nbconvert.filters import markdown2html
from nbgrader.server_extensions.formgrader.handlers import FormgraderHandler, default_handlers
from server import jupyter
from test_nbgrader import ROOT, hand_in, run

from autograder.course.places import Places
from autograder.nbgrader_door.pages import OneCourse, show_one_course
from autograder.release.build import build
from autograder.report.feedback import inert

NAME = TINY.name
FORMULAS = """An honest formula: $a^2 + b_1$, and one that would be a link:
$\\href{javascript:document.title='owned'}{click me}$
"""

pytestmark = [pytest.mark.xdist_group("nbgrader"), pytest.mark.usefixtures("confined")]


MARKDOWN = [
    "see http://hub.example/user/prof/formgrader?path=/tmp/mine",
    "HTTPS://example.org and www.example.org and ftp://example.org/x",
    "<https://example.org>",
    "[a](javascript:1) [a] (javascript:1) [[a]](x) [a\\](x)",
    "[a][b] [b] ![b]\n\n[b]: javascript:1",
    "[b]\n\n> [b]:\n> javascript:1",
    "<img src=x onerror=1> <\u200dimg src=x> \\<b> <\nscript src=x> <!-- --!><img src=x> -->",
    "$x<b>y</b>$ $$</script><img src=x>$$ `<img src=x>` \\begin{equation}<img src=x>\\end{equation}",
    "```html\n<img src=x>\n```\n\n| a |\n|---|\n| <img src=x> |",
    "term\n: <img src=x>\n\n[^1]\n\n[^1]: <img src=x>",
]


@pytest.mark.parametrize("text", MARKDOWN)
def test_a_students_markdown_makes_no_element_of_its_own_and_no_link(text):
    made = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: made.append((tag, dict(attrs)))
    parser.feed(str(markdown2html(inert(text))))
    assert not {tag for tag, _ in made} & {"a", "b", "img", "script"}
    assert {name for _, attributes in made for name in attributes} <= {"class"}
    assert inert(text).replace("\u200b", "") == text


def test_no_address_names_a_folder_whose_configuration_formgrader_runs():
    """The whole way stands in the long test below."""
    show_one_course()
    assert FormgraderHandler not in [handler for _, handler, *_ in default_handlers]
    assert sum(handler is OneCourse for _, handler, *_ in default_handlers) == 1


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
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "nbgrader_config.py").write_text(f"open({str(stranger / 'owned')!r}, 'w')")
    with jupyter("server", place, settings) as url:
        here = urlsplit(url).netloc
        assert context.request.get(f"{url}/formgrader?path={stranger}").status == 400
        assert not (stranger / "owned").exists()
        assert context.request.get(f"{url}/formgrader?path={place}").url.endswith("manage_assignments")
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
