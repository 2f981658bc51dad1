"""The site: lessons tell what they may, and no page keeps anybody out."""

import json
import re
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
from check_pages import check_page
from course import TINY
from make_site import ROOT, Source, add_gradient_paths, commands, make

from autograder.course.masters import read_cells, read_master
from autograder.course.notebook import solved_notebook
from autograder.nbgrader_door.annotate import report_outputs
from autograder.nbgrader_door.pages import FeedbackPage
from autograder.record import Check, Judgement, Mark
from autograder.release.lesson import Shown, explorers, lesson_notebook
from autograder.release.solved_page import solved_page
from autograder.release.withheld import flattened
from rnncourse.cells import step_through

MASTER = r'''
# %% [markdown]
# # 09 · A lesson
#
# What *it* is **about**, $s_t$.

# %% [markdown] slide="notes"
# A secret for the lecturer.

# %% guess="09.1"
guess("09.1", falls="a third", choices=("a third", "a half"))

# %% [markdown] answer="09.1"
# ## Why a third
#
# Nine secrets are three.

# %% exercise="rnn_step" points=4
def rnn_step(x_t, s_prev, W):
    """One step."""
    ### BEGIN SOLUTION
    pre_activation = W["ss"] @ s_prev + W["sx"] @ x_t
    return np.tanh(pre_activation)
    ### END SOLUTION

# %% check="rnn_step"
check(rnn_step)

# %% [markdown] found="rnn_step"
# ## What you found
#
# $$s_t = \tanh(W^{s,s} s_{t-1} + W^{s,x} x_t) \tag{9.1}$$

# %% [markdown]
# ## A wide formula
#
# $$a_t = W^{s,s} s_{t-1} + W^{s,x} x_t + W^{s,s} s_{t-1} + W^{s,x} x_t + W^{s,s} s_{t-1} \tag{9.2}$$
#
# | | code | shape | a long heading of a column | another one | and one more |
# |---|---|---|---|---|---|
# | state | `states[t - 1]` | (H, N) | many words in a cell | `W["ss"]` | (H, H) |

# %%
rnn_step(x_t, s_prev, W)

# %% hide_input=true
step_through("simple")

# %%
progress()

# %% [markdown] written="why_tanh" points=2
# Why tanh?
#
# === BEGIN MARK SCHEME ===
# 2 points: it keeps the state bounded.
# === END MARK SCHEME ===
'''
SECRETS = ("lecturer", "np.tanh(pre_activation)", "keeps the state bounded", "progress()")
WITHHELD = ("Nine secrets", r"\tanh(W^{s,s}", "0.125")


@pytest.fixture(scope="module")
def master():
    return replace(read_master(TINY), name="09_lesson", cells=read_cells(MASTER, "09_lesson"))


@pytest.fixture(scope="module")
def executed(master):
    """The solved notebook with outputs as a kernel gives them."""
    notebook = solved_notebook(master)
    for cell in notebook.cells:
        if cell.source.startswith("rnn_step("):
            cell.outputs = [
                nbformat.v4.new_output("execute_result", {"text/plain": "0.125"}, execution_count=1)
            ]
        if cell.source.startswith("step_through"):
            shown = {"text/html": step_through("simple")._repr_html_(), "text/plain": "an explorer"}
            shown["application/vnd.jupyter.widget-view+json"] = {"model_id": "none"}
            cell.outputs = [nbformat.v4.new_output("display_data", shown)]
    return notebook


@pytest.fixture(scope="module")
def site(master, executed, tmp_path_factory):
    """One lesson, the documentation, the reference, an explorer."""
    folder = tmp_path_factory.mktemp("site")
    source = Source(folder / "source", "https://course.example/")
    source.add_lesson(master, executed, withhold=False)
    add_gradient_paths(source)
    for page in sorted((ROOT / "docs").glob("*.md")):
        source.add_page(page)
    source.finish(bundle=False)
    make(source, folder / "site")
    return folder / "site"


def text_of(lesson) -> str:
    return json.dumps(lesson, ensure_ascii=False)


def test_a_lesson_holds_no_solution_and_nothing_for_others(master, executed):
    for withhold in (False, True):
        lesson = lesson_notebook(master, executed, withhold)
        sources = "\n".join(cell.source for cell in lesson.cells)
        assert [secret for secret in SECRETS if secret in sources] == []
        assert 'raise NotImplementedError("rnn_step")' in sources
        assert 'guess("09.1", falls=..., choices=("a third", "a half"))' in sources
        assert "Why tanh?" in sources
        assert "widget-view" not in text_of(lesson)


def test_the_public_reads_answers_and_derivations_in_folds(master, executed):
    sources = [cell.source for cell in lesson_notebook(master, executed).cells]
    fold = sources.index('<details class="fold"><summary>09.1: what is so</summary>')
    assert sources[fold + 1] == "- falls: **a third**\n\n**Why a third**\n\nNine secrets are three."
    assert sources[fold + 2] == "</details>"
    assert sum(source.startswith("<details") for source in sources) == 2
    assert r"\tag{9.1}" in "".join(sources)


def test_a_course_s_page_tells_nothing_that_a_release_withholds(master, executed):
    """Nor any result: only the release's own text, and explorers."""
    lesson = lesson_notebook(master, executed, withhold=True)
    assert [words for words in WITHHELD if words in text_of(lesson)] == []
    assert [one.name for one in explorers(lesson)] == ["step-through-simple"]
    assert flattened(r"\tanh(W^{s,s}s_{t-1}") not in flattened("".join(c.source for c in lesson.cells))


def test_two_explorers_of_one_lesson_have_pages_of_their_own():
    def cell(source):
        body = '<figure class="explorer" role="group" aria-label="It &amp; more"></figure>'
        return SimpleNamespace(
            source=source,
            get=lambda key, default: [{"data": {"text/html": body}}] if key == "outputs" else default,
        )

    lesson = SimpleNamespace(cells=[cell('explorer("step_size", {})'), cell('play = step_through("lstm")')])
    lesson.cells.append(lesson.cells[0])
    found = list(explorers(lesson))
    assert [one.name for one in found] == ["step-size", "step-through-lstm"]
    assert isinstance(found[0], Shown)
    assert found[0].alt == "It & more"


PAGES = {
    "start": "index.html",
    "lesson": "lessons/09_lesson.html",
    "documentation": "about/notation.html",
    "reference": "api/student.html",
    "explorer": "explorers/step-through-simple.html",
    "paths": "explorers/gradient-paths.html",
    "search": "search.html",
}


@pytest.mark.ci
@pytest.mark.parametrize("page", PAGES)
def test_no_page_keeps_anybody_out(site, browser, page):
    """By axe-core, by keyboard, at 360 pixels and at 200 %, without a network."""
    assert check_page(browser, site / PAGES[page]) == []


def test_formulas_are_typeset_with_their_numbers(site, page):
    page.goto((site / PAGES["lesson"]).as_uri())
    page.wait_for_selector("mjx-container")
    page.wait_for_function("() => MathJax.startup.promise.then(() => true)")
    assert page.locator("mjx-assistive-mml mtext", has_text="(9.1)").count() == 1
    assert "\\tag" not in page.locator("article").inner_text()


def test_an_explorer_is_alive_without_a_kernel_and_has_a_line_to_embed_it(site, page):
    page.goto((site / PAGES["explorer"]).as_uri())
    page.wait_for_selector(".stepper svg")
    line = page.locator("[data-embed]").text_content()
    address = re.search(r'<iframe src="([^"]+)"', line)[1]
    page.goto(address)
    page.wait_for_selector(".stepper svg")


def test_an_explorer_that_stands_in_several_lessons_has_one_page_that_names_the_first(tmp_path):
    source = Source(tmp_path / "source")
    whole = Shown("step-through-simple", "Step through", "all of it", "<p>whole</p>")
    source.add_explorer(whole, more="And more.")
    for lesson in ("01", "02"):
        source.add_explorer(replace(whole, html="<p>less</p>"), f"It stands in {lesson}.")
    source.finish(bundle=False)
    text = (source.folder / "explorers" / "step-through-simple.md").read_text("utf-8")
    assert "It stands in 01." in text and "And more." in text and "02" not in text
    assert (source.folder / "explorers" / "step-through-simple.html").read_text("utf-8") == "<p>whole</p>"


def test_search_finds_a_lesson(site, page):
    page.goto(f"{(site / 'search.html').as_uri()}?q=formula")
    page.wait_for_selector("#search-results li a")
    assert "lessons/09_lesson.html" in page.locator("#search-results").inner_html()


def test_a_shared_link_shows_title_sentence_and_picture(site):
    start = (site / "index.html").read_text("utf-8")
    assert '<meta property="og:title"' in start
    assert '<meta property="og:description"' in start
    (picture,) = re.findall(r'property="og:image" content="https://course.example/([^"]+)"', start)
    assert (site / picture).is_file()


def test_the_start_page_and_the_explorers_show_what_is_behind_each_card(site):
    start = (site / "index.html").read_text("utf-8")
    assert "<p>What it is about, $s_t$.</p>" in start
    assert '<a href="explorers/gradient-paths.html">Where does the gradient go?</a><p>A simple RNN' in start
    cards = (site / "explorers.html").read_text("utf-8").partition('class="cards"')[2]
    for address, title in (
        ("gradient-paths", "Where does the gradient go?"),
        ("step-through-simple", "Step through simple"),
    ):
        assert f'<a href="explorers/{address}.html">{title}</a>' in cards
        (picture,) = re.findall(rf'src="(_static/{address}\.\w+)"', cards)
        assert (site / picture).is_file()


def test_a_page_that_another_names_is_one_click_away(site):
    semester = (site / "about" / "semester.html").read_text("utf-8")
    assert re.search(r'href="jupyterhub.html".{,60}<code.{,60}jupyterhub.md', semester)


def test_without_words_the_search_page_asks_for_some(site, page):
    page.set_viewport_size({"width": 360, "height": 740})  # where the list of pages is folded away
    page.goto((site / "search.html").as_uri())
    page.locator("article").get_by_label("Words to look for").fill("formula")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")


def test_every_command_has_its_words():
    text = commands()
    assert not re.search(r"(?<![`\w-])--[a-z]", re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S))
    assert "what it says" not in text and "`--root <path>`\n: The course's folder.\n" in text
    for name in ("build", "grade", "bundle", "doctor"):
        assert f"## {name}\n" in text
    assert "`--upto" in text


@pytest.mark.long
def test_a_solved_page_keeps_nobody_out(master, executed, browser, tmp_path):
    path = tmp_path / "solved.html"
    path.write_text(solved_page(master.title, executed), "utf-8")
    text = path.read_text("utf-8")
    assert "<title>09 · A lesson, solved</title>" in text
    for words in ("np.tanh(pre_activation)", "A secret for the lecturer", "keeps the state bounded", "0.125"):
        assert words in re.sub(r"<[^>]+>", "", text)
    assert check_page(browser, path) == []


def test_a_solved_page_tells_the_reason_of_an_answer_once():
    asked = nbformat.v4.new_code_cell('guess("09.1", falls="a third")')
    html = "<table><tr><td>a third</td></tr></table><p>Nine secrets are <b>three</b>, $s_t$ &amp; more.</p>"
    asked.outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    cells = [
        nbformat.v4.new_markdown_cell(text) for text in ("Nine secrets are *three*, $s_t$ & more.", "three")
    ]
    page = solved_page("A lesson", nbformat.v4.new_notebook(cells=[asked, *cells, cells[0]]))
    assert len(re.findall("Nine secrets", page)) == 1
    assert "<p>three</p>" in page


@pytest.mark.long
def test_a_feedback_page_keeps_nobody_out_and_names_what_is_graded(executed, browser, tmp_path):
    notebook = deepcopy(executed)
    checks = [Check("s_t", False), Check("one unit", True, is_edge=True)]
    mark = Mark(Judgement("rnn_step", "wrong", 0.25, checks), 4.0)
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.update(score=1.0, points=4.0, comment="Nearly <b>right</b>.")
        if cell.cell_type == "code":
            cell.outputs = []
        if cell.source == "check(rnn_step)":
            cell.outputs = [nbformat.from_dict(one) for one in report_outputs(mark, ("an idea", "", ""))]
    about = {"notebook": "09_lesson", "score": 1.0, "max_score": 6.0, "late_penalty": 0.5}
    text, _ = FeedbackPage().from_notebook_node(notebook, resources={"nbgrader": about})
    path = tmp_path / "feedback.html"
    path.write_text(text, "utf-8")
    assert "<title>09_lesson: feedback</title>" in text
    assert '<a href="#check_rnn_step">rnn_step</a>: 1 of 4 points' in text
    assert '<a href="#why_tanh">why tanh</a>' in text
    assert check_page(browser, path) == []


FAULTS = {
    '<img src="data:,">': "axe image-alt",
    '<p style="color:#aaa">pale</p>': "axe color-contrast",
    '<div style="width:900px">wide</div>': "at 360 pixels: .* pixels too wide",
    '<a href="#a" style="outline:none">link</a>': "has the focus and does not show it",
    '<img alt="far" src="http://localhost:9/a.png">': "asks for http://localhost:9",
    '<a href="#b" style="position:fixed;left:-900px">folded</a>': "at 200 %: has the focus and is out of",
    "<script>undefinedName</script>": "script failed: undefinedName",
}


@pytest.mark.long
def test_what_keeps_people_out_is_reported(browser, tmp_path):
    path = tmp_path / "page.html"
    body = "".join(FAULTS)
    path.write_text(f"<!doctype html><html lang='en'><title>A</title><main>{body}</main></html>", "utf-8")
    problems = "\n".join(check_page(browser, path))
    assert [report for report in FAULTS.values() if not re.search(report, problems)] == []
