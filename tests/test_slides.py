"""A deck works from a file without a network, fits its sheet, and leaves the explorers their keys."""

import base64
import io
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import nbformat
import pytest
from check_slides import READY, check_deck

from autograder.errors import CourseError
from autograder.release import slide_assets
from autograder.release.slides import build_slides, read_slides
from rnncourse.explorer import Explorer

EXPLORER = """
// Draws a slider and says its value; the text "</script>" and "<!-- <script" must do no harm.
const data = "a name that the page's own script must not clash with";
export function render({ model, el }) {
  const { start } = model.get("data");
  el.innerHTML = `<label>value <input type="range" min="0" max="10" value="${start}"></label>
    <button>reset</button><p aria-live="polite"></p>`;
  const [range, button, words] = ["input", "button", "p"].map((name) => el.querySelector(name));
  const say = () => { words.textContent = `value ${range.value}`; };
  range.addEventListener("input", say);
  button.addEventListener("click", () => { range.value = start; say(); });
  say();
}
"""


def explorer_html(start: int) -> str:
    stand_in = SimpleNamespace(
        _source=EXPLORER, _name="value", _alt='a "value"', data={"start": start, "text": "</script><!--"}
    )
    return Explorer.static_html(stand_in)


def png(width: int, height: int) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#0072B2").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def figure(width: int = 800, height: int = 400) -> str:
    return f'<img alt="a blue field" style="max-width:100%" src="data:image/png;base64,{png(width, height)}">'


def prose(source, slide=None, **metadata):
    metadata |= {"slideshow": {"slide_type": slide}} if slide else {}
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def code(source, slide=None, outputs=(), **metadata):
    metadata |= {"slideshow": {"slide_type": slide}} if slide else {}
    return nbformat.v4.new_code_cell(source, metadata=metadata, outputs=list(outputs))


def shown(html: str):
    return nbformat.v4.new_output(
        "execute_result", {"text/html": html, "text/plain": "alt"}, execution_count=1
    )


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


LECTURE = notebook(
    prose("# 05 · A lecture\n\nWhat it is about.", "slide"),
    prose("not in the lecture, $x$"),
    prose("## A formula\n\n$$h_t = o_t \\odot \\tanh(c_t) \\tag{5.3}$$\n\nwith $o_t < 1$.", "slide"),
    prose("Ask the room: what is $o_t$ for?", "notes"),
    prose("**Later** on the same slide", "fragment"),
    code(
        "def step(x):\n    ### BEGIN SOLUTION\n    return 2 * x  # (5.3)\n    ### END SOLUTION\n\nstep(3)",
        "subslide",
        [nbformat.v4.new_output("execute_result", {"text/plain": "6"}, execution_count=1)],
    ),
    code("explorer(1)", "slide", [shown(explorer_html(3))], hide_input=True),
    code("explorer(2)", "subslide", [shown(explorer_html(5))], hide_input=True),
    code("explorer(1)", "subslide", [shown(explorer_html(3))], hide_input=True),
    prose("## A figure", "slide"),
    code("show(fig)", "-", [shown(figure())], hide_input=True),
    prose("skipped text", "skip"),
    prose("why two states?\n\n=== BEGIN MARK SCHEME ===\n1 point: secret\n=== END MARK SCHEME ===", "slide"),
)


@pytest.fixture(scope="session", autouse=True)
def assets():
    """reveal.js and MathJax, fetched once: where npm cannot, every test here says so at once."""
    for name in slide_assets.SUMS:
        slide_assets.asset(name)


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    return build_slides(LECTURE, tmp_path_factory.mktemp("slides") / "lecture.html", "05 · A lecture")


@pytest.fixture
def lecture(page, deck):
    page.goto(deck.as_uri())
    page.wait_for_function(READY)
    return page


def position(opened) -> list[int]:
    return opened.evaluate("() => { const {h, v} = Reveal.getIndices(); return [h, v]; }")


class Addresses(HTMLParser):
    """Collects every address that a page's own elements would load."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "link", "img", "iframe", "source", "video", "audio"):
            self.found += [value for name, value in attrs if name in ("src", "href")]


def test_a_lecture_without_faults_is_reported_without_faults(browser, deck):
    assert check_deck(browser, deck) == []


def test_nothing_in_a_deck_has_an_address_elsewhere(deck):
    parser = Addresses()
    parser.feed(deck.read_text("utf-8"))
    assert parser.found
    assert all(address.startswith("data:") for address in parser.found)
    styles = re.findall(r"<style>(.*?)</style>", deck.read_text("utf-8"), re.S)
    urls = [url for style in styles for url in re.findall(r"""url\(["']?([^"')]*)""", style)]
    assert urls
    assert [url for url in urls if not url.startswith("data:")] == []
    assert "@import" not in "".join(styles)


def test_slides_are_told_from_what_is_not_in_the_lecture():
    stacks = read_slides(LECTURE)
    assert [len(stack) for stack in stacks] == [1, 2, 3, 1, 1]
    text = "".join(part for stack in stacks for slide in stack for part in slide.parts)
    for hidden in ("not in the lecture", "skipped text", "secret", "SOLUTION", "Ask the room", "explorer(1)"):
        assert hidden not in text
    assert "Ask the room" in stacks[1][0].notes[0]


def test_formulas_are_typeset_with_their_numbers(lecture):
    lecture.evaluate("() => Reveal.slide(1, 0)")
    current = lecture.locator(".slides section.present:not(.stack)")
    assert current.locator(".sheet mjx-container").count() == 2
    assert current.locator("mjx-assistive-mml mtext", has_text="(5.3)").count() == 1
    assert "$" not in current.locator(".sheet").inner_text()


def test_every_explorer_draws_into_its_own_figure(lecture):
    said = lecture.eval_on_selector_all(".explorer-root p", "all => all.map((p) => p.textContent)")
    assert said == ["value 3", "value 5", "value 3"]


def test_an_arrow_key_in_an_explorer_moves_the_slider_and_not_the_slide(lecture):
    lecture.evaluate("() => Reveal.slide(2, 1)")
    slider = lecture.locator("section.present section.present input[type=range]")
    slider.focus()
    lecture.keyboard.press("ArrowRight")
    lecture.keyboard.press("ArrowRight")
    words = lecture.locator("section.present section.present .explorer-root p")
    assert (words.inner_text(), position(lecture)) == ("value 7", [2, 1])
    lecture.keyboard.press("Tab")
    lecture.keyboard.press("Space")
    assert (words.inner_text(), position(lecture)) == ("value 5", [2, 1])
    lecture.keyboard.press("Escape")
    lecture.keyboard.press("ArrowRight")
    assert position(lecture) == [2, 2]


def test_a_remote_goes_on_even_from_a_slider(lecture):
    lecture.evaluate("() => Reveal.slide(2, 0)")
    lecture.locator("section.present section.present input[type=range]").focus()
    lecture.keyboard.press("PageDown")
    assert position(lecture) == [2, 1]
    assert lecture.evaluate("() => document.activeElement === document.body")
    lecture.keyboard.press("PageUp")
    assert position(lecture) == [2, 0]


def test_the_arrow_key_alone_passes_every_slide(lecture):
    seen = [position(lecture)]
    for _ in range(20):
        lecture.keyboard.press("ArrowRight")
        if position(lecture) != seen[-1]:
            seen.append(position(lecture))
    assert seen == [[0, 0], [1, 0], [1, 1], [2, 0], [2, 1], [2, 2], [3, 0], [4, 0]]
    assert lecture.locator(".slide-number").inner_text().split() == ["8", "/", "8"]


def test_the_speaker_reads_the_notes_in_a_window(lecture):
    lecture.evaluate("() => Reveal.slide(1, 0)")
    with lecture.expect_popup() as opening:
        lecture.keyboard.press("s")
    window = opening.value
    window.wait_for_function("() => document.querySelector('.speaker-controls-notes .value')?.innerText")
    notes = window.locator(".speaker-controls-notes .value")
    assert notes.inner_text().startswith("Ask the room: what is")
    assert notes.locator("svg").count() == 1


LONG = "A line of text that takes its place on the slide. " * 3


@pytest.mark.parametrize(
    ("cells", "report"),
    [
        (
            [prose("## Too much\n\n" + "\n\n".join([LONG] * 9), "slide")],
            r"slide 1 \(Too much\): \d+ px below",
        ),
        ([prose("## Late", "slide"), prose("\n\n".join([LONG] * 9), "fragment")], r"\d+ px below"),
        ([code("x = " + " + ".join(["value"] * 20), "slide")], r"\d+ px over its right edge: “value”"),
        ([prose("## Wide\n\n$$" + "+".join(["W^{s,s}"] * 40) + "$$", "slide")], r"over its right edge"),
        ([prose("## Wrong\n\n$$\\frac{1}$$", "slide")], "formula: "),
        (
            [
                prose("## Small\n\n" + "\n\n".join([LONG] * 5), "slide"),
                code("f", "-", [shown(figure())], hide_input=True),
            ],
            r"figure shrunk to \d+ %",
        ),
        ([code("e", "slide", [shown("<script>undefinedName</script>")])], "script failed: undefinedName"),
        (
            [code("e", "slide", [shown('<img alt="far" src="http://localhost:9/a.png">')])],
            "asks for http://localhost:9",
        ),
    ],
)
def test_what_an_audience_would_see_go_wrong_is_reported(browser, tmp_path, cells, report):
    problems = check_deck(browser, build_slides(notebook(*cells), tmp_path / "deck.html", "a deck"))
    assert any(re.search(report, problem) for problem in problems), problems


def test_a_notebook_without_lecture_is_refused():
    with pytest.raises(CourseError, match='no cell has slide="slide"'):
        read_slides(notebook(prose("text")))


def test_a_cell_that_failed_is_refused():
    failed = nbformat.v4.new_output("error", ename="ValueError", evalue="bad", traceback=[])
    with pytest.raises(CourseError, match="cell 2 is in the lecture and failed: ValueError: bad"):
        read_slides(notebook(prose("# Title", "slide"), code("f()", "slide", [failed])), "05")


def test_a_changed_asset_is_refused(tmp_path, monkeypatch):
    for name in slide_assets.SUMS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(slide_assets.asset(name))
    name = "reveal.js/dist/reveal.js"
    assert slide_assets.asset(name, tmp_path) == slide_assets.asset(name)
    (tmp_path / name).write_bytes(b"alert(1)")
    with pytest.raises(CourseError, match="not the file it should be"):
        slide_assets.asset(name, tmp_path)
