"""A deck works from a file without a network, fits its sheet, and leaves the explorers their keys."""

import base64
import io
import re
from html.parser import HTMLParser

import nbformat
import pytest
from check_slides import READY, SIZES, check_deck

from autograder.errors import CourseError
from autograder.release import slide_assets
from autograder.release.handout import print_handout
from autograder.release.slides import Frame, _routes, _sections, build_slides, read_slides, rendered
from rnncourse.explorer import page as piece

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
    return piece("value", EXPLORER, {"start": start, "text": "</script><!--"}, 'a "value"')


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


LONG = "A line of text that takes its place on the slide. " * 3
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
    prose("## A formula, tried\n\nWhat does it say?", "slide"),
    code("explorer(1)", "-", [shown(explorer_html(3))], hide_input=True),
    code("explorer(2)", "subslide", [shown(explorer_html(5))], hide_input=True),
    code("explorer(1)", "subslide", [shown(explorer_html(3))], hide_input=True),
    prose("## A figure\n\nWhat is blue?", "slide"),
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
    lecture.evaluate("() => Reveal.slide(2, 0)")
    current = lecture.locator(".slides section.present:not(.stack)")
    assert current.locator(".sheet mjx-container").count() == 2
    assert current.locator("mjx-assistive-mml mtext", has_text="(5.3)").count() == 1
    assert "$" not in current.locator(".sheet").inner_text()


def test_every_explorer_draws_into_its_own_figure(lecture):
    said = lecture.eval_on_selector_all(".explorer-root p", "all => all.map((p) => p.textContent)")
    assert said == ["value 3", "value 5", "value 3"]


def test_an_arrow_key_in_an_explorer_moves_the_slider_and_not_the_slide(lecture):
    lecture.evaluate("() => Reveal.slide(3, 1)")
    slider = lecture.locator("section.present section.present input[type=range]")
    slider.focus()
    lecture.keyboard.press("ArrowRight")
    lecture.keyboard.press("ArrowRight")
    words = lecture.locator("section.present section.present .explorer-root p")
    assert (words.inner_text(), position(lecture)) == ("value 7", [3, 1])
    lecture.keyboard.press("Tab")
    lecture.keyboard.press("Space")
    assert (words.inner_text(), position(lecture)) == ("value 5", [3, 1])
    lecture.keyboard.press("Escape")
    lecture.keyboard.press("ArrowRight")
    assert position(lecture) == [3, 2]


def test_a_remote_goes_on_even_from_a_slider(lecture):
    lecture.evaluate("() => Reveal.slide(3, 0)")
    lecture.locator("section.present section.present input[type=range]").focus()
    lecture.keyboard.press("PageDown")
    assert position(lecture) == [3, 1]
    assert lecture.evaluate("() => document.activeElement === document.body")
    lecture.keyboard.press("PageUp")
    assert position(lecture) == [3, 0]


def test_the_arrow_key_alone_passes_every_slide(lecture):
    seen = [position(lecture)]
    for _ in range(20):
        lecture.keyboard.press("ArrowRight")
        if position(lecture) != seen[-1]:
            seen.append(position(lecture))
    assert seen == [[0, 0], [1, 0], [2, 0], [2, 1], [3, 0], [3, 1], [3, 2], [4, 0], [5, 0]]
    assert lecture.locator(".slide-number").inner_text().split() == ["9", "/", "9"]


def test_no_slide_is_without_a_heading(lecture):
    assert lecture.evaluate(
        "() => [...document.querySelectorAll('.sheet')].every((sheet) => sheet.querySelector('h1, h2, h3'))"
    )
    again = lecture.locator(".sheet", has=lecture.locator("pre.source")).locator(".again h2")
    assert again.text_content() == "A formula"


def test_the_second_slide_lists_what_comes_and_its_notes_where_a_lecture_may_stop():
    many = [prose(f"## {n} · Part\n\n{LONG}", "slide") for n in range(1, 9)]
    notes = [prose("word " * 1500, "notes")] * 8
    cells = [cell for pair in zip(many, notes, strict=True) for cell in pair]
    stacks = read_slides(notebook(prose("# Title", "slide"), *cells))
    assert _sections(stacks) == [(place, f"{place - 1} · Part") for place in range(2, 10)]
    lengths = {minutes: ends for minutes, ends in _routes(stacks)}
    assert lengths == {
        45: ["3 · Part", "6 · Part"],
        60: ["5 · Part"],
        90: ["7 · Part"],
    }


@pytest.mark.parametrize(("heading", "style"), [("{} · Part", "none"), ("Part {}", "decimal")])
def test_the_list_of_what_comes_numbers_what_has_no_number(tmp_path, page, heading, style):
    parts = [prose(f"## {heading.format(n)}", "slide") for n in range(1, 4)]
    page.goto(
        build_slides(notebook(prose("# Title", "slide"), *parts), tmp_path / "deck.html", "a deck").as_uri()
    )
    page.wait_for_function(READY)
    assert page.locator(".sections a").first.text_content() == heading.format(1)
    assert (
        page.evaluate("() => getComputedStyle(document.querySelector('.sections li')).listStyleType") == style
    )


def test_the_first_slide_says_where_in_the_course_one_is(tmp_path, page):
    titles = ("04 · Gating", "05 · A lecture", "06 · Its gradient")
    frame = Frame(titles, institution="A University <b>", occasion="Spring", theme="dark")
    page.goto(build_slides(LECTURE, tmp_path / "deck.html", titles[1], frame).as_uri())
    page.wait_for_function(READY)
    assert page.locator(".map li").all_text_contents() == list(titles)
    assert page.locator(".map [aria-current]").text_content() == titles[1]
    assert page.locator(".place").text_content() == "A University <b> · Spring"
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
    with pytest.raises(CourseError, match="no theme 'pink'"):
        Frame(theme="pink")


def test_a_figure_comes_to_its_words_where_both_stay_large(tmp_path, page, browser):
    """The question stays when the answer appears; where the words are many, the figure keeps its sheet."""
    short = [
        prose("## A question\n\nWhat comes?", "slide"),
        code("f", "subslide", [shown(figure())], hide_input=True),
    ]
    long = [
        prose("## Many words\n\n" + "\n\n".join([LONG] * 4) + "\n\nWhat is **it**?", "slide"),
        code("g", "subslide", [shown(figure())], hide_input=True),
        prose("Said of the figure.", "notes"),
    ]
    deck = build_slides(notebook(prose("# Title", "slide"), *short, *long), tmp_path / "deck.html", "a deck")
    page.goto(deck.as_uri())
    page.wait_for_function(READY)
    assert page.evaluate("() => Reveal.getTotalSlides()") == 4
    assert page.locator(".sheet", has_text="What comes?").locator(".fragment .figure").count() == 1
    assert page.locator(".sheet.alone .figure").count() == 1
    assert page.locator(".sheet.alone .again p").text_content() == "What is it?"
    assert check_deck(browser, deck) == []


def test_words_that_read_a_figure_come_to_it(tmp_path, page):
    cells = [
        prose("## Many words\n\n" + "\n\n".join([LONG] * 5), "slide"),
        code("f", "subslide", [shown(figure())], hide_input=True),
        prose("Said of the figure.", "notes"),
        prose("### What it shows\n\nA field.", "subslide"),
        prose("Said of its reading.", "notes"),
        prose("## Another idea\n\nIt has a slide of its own.", "slide"),
    ]
    deck = build_slides(notebook(prose("# Title", "slide"), *cells), tmp_path / "deck.html", "a deck")
    page.goto(deck.as_uri())
    page.wait_for_function(READY)
    assert page.evaluate("() => Reveal.getTotalSlides()") == 4
    sheet = page.locator(".sheet", has_text="A field.")
    assert sheet.locator(".figure").count() == 1
    assert sheet.locator(":is(h1, h2, h3)").all_text_contents() == ["What it shows"]
    assert sheet.locator(".fragment").text_content().strip() == "A field."
    notes = sheet.locator("xpath=..").locator("aside.notes").text_content()
    assert "Said of the figure." in notes and "Said of its reading." in notes


def test_a_slide_half_empty_beside_a_figure_that_could_stand_there_is_reported(browser, tmp_path):
    """A short slide is right by itself, before another idea, and beside a figure that would be too small."""

    def question(name):
        return prose(f"## {name}\n\nWhat comes?", "slide")

    def apart(kind, **size):  # its own heading keeps a figure from the words before it
        return [prose("### A figure", kind), code("f", "-", [shown(figure(**size))], hide_input=True)]

    small = f"![a field](data:image/png;base64,{png(400, 150)})"
    cells = [
        *[question("Half empty"), *apart("subslide")],
        *[question("A pause"), prose("### The answer\n\nNothing.", "subslide")],
        *[question("Another idea comes"), *apart("slide")],
        *[question("Too large a figure"), *apart("subslide", width=1100, height=800)],
        prose(f"## A small figure\n\n{small}", "slide"),
    ]
    deck = build_slides(notebook(prose("# Title", "slide"), *cells), tmp_path / "deck.html", "a deck")
    found = check_deck(browser, deck, sizes=SIZES[:1])
    silent = [problem for problem in found if "no word that says what to see" in problem]
    assert {re.search(r"\((.*?)\)", problem)[1] for problem in silent} == {"A figure"}
    found = [problem for problem in found if problem not in silent]
    assert [re.search(r"\((.*?)\)", problem)[1] for problem in found] == ["A small figure", "Half empty"]
    assert "there is room" in found[0] and "could stand here" in found[1]


def test_a_hidden_cell_that_shows_nothing_makes_no_slide_and_an_empty_slide_is_reported(browser, tmp_path):
    cells = [prose("# Title", "slide"), code("x = 1", "subslide", hide_input=True)]
    assert [len(stack) for stack in read_slides(notebook(*cells))] == [1]
    said = [*cells, prose("Said of it.", "notes")]
    assert [len(stack) for stack in read_slides(notebook(*said))] == [2]
    deck = build_slides(notebook(*said), tmp_path / "deck.html", "a deck")
    assert any("the slide is empty" in problem for problem in check_deck(browser, deck))


def test_a_dark_deck_has_dark_figures(browser, tmp_path):
    """On paper they stay as they were drawn."""
    frame = Frame(theme="dark")
    cells = [prose("# Title", "slide"), prose("## A figure\n\nWhat is blue?", "slide")]
    cells.append(code("show(fig)", "-", [shown(figure())], hide_input=True))
    build_slides(notebook(*cells), tmp_path / "deck.html", "a deck", frame)
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto((tmp_path / "deck.html").as_uri())
    page.wait_for_function(READY)
    page.evaluate("() => Reveal.slide(2)")
    image = page.locator(".present .figure img")
    assert "invert" in image.evaluate("(one) => getComputedStyle(one).filter")
    page.emulate_media(media="print")
    assert image.evaluate("(one) => getComputedStyle(one).filter") == "none"
    page.close()


def test_a_dict_as_python_prints_it_is_reported(browser, tmp_path):
    cell = code("{1: 2}", "slide")
    cell.outputs = [
        nbformat.v4.new_output("execute_result", {"text/plain": "{'direct': [0.1]}"}, execution_count=1)
    ]
    deck = build_slides(notebook(prose("# Title", "slide"), cell), tmp_path / "deck.html", "a deck")
    found = check_deck(browser, deck, sizes=SIZES[:1])
    assert any("shows a dict as Python prints it" in problem for problem in found)


def test_a_derivation_comes_line_by_line_and_what_was_asked_stays(tmp_path, page):
    cells = [
        prose(
            "## Two lines\n\nFirst\n\n$$a = b \\tag{1.1}$$\n\nthen\n\n$$b = c \\tag{1.2}$$\n\nso *a = c*.",
            "slide",
        ),
        prose("## A question\n\nIt is long.\n\nWhat **comes**, and when? Is it\n\n- this\n- that?", "slide"),
        code("x = 1  # fmt: skip\nexplorer(1)", "subslide", [shown(explorer_html(3))]),
    ]
    deck = build_slides(notebook(prose("# Title", "slide"), *cells), tmp_path / "deck.html", "a deck")
    page.goto(deck.as_uri())
    page.wait_for_function(READY)
    later = page.locator(".sheet", has_text="Two lines").locator(".fragment")
    assert later.count() == 1
    assert later.text_content().strip().startswith("then") and "so a = c." in later.text_content()
    assert page.locator(".again > *").all_text_contents() == ["A question", "What comes, and when?"]
    assert "fmt" not in page.locator("pre.source").text_content()


def test_what_stands_under_a_heading_alone_is_there_at_once_and_no_table_under_a_figure(
    tmp_path, page, browser
):
    wide = (
        "| " + " | ".join(["a long word"] * 6) + " |\n|" + "---|" * 6 + "\n| " + " | ".join(["1"] * 6) + " |"
    )
    cells = [
        prose("## Only a heading", "slide"),
        code("f", "fragment", [shown(figure())], hide_input=True),
        prose(f"## A table\n\n{wide}\n\nWhat is it?", "slide"),
        code("g", "fragment", [shown(figure(600, 500))], hide_input=True),
    ]
    deck = build_slides(notebook(prose("# Title", "slide"), *cells), tmp_path / "deck.html", "a deck")
    page.goto(deck.as_uri())
    page.wait_for_function(READY)
    assert page.locator(".sheet", has_text="Only a heading").locator(".fragment").count() == 0
    assert page.locator(".sheet", has_text="A table").locator(".fragment").count() == 1
    assert not any("under a figure" in problem for problem in check_deck(browser, deck, sizes=SIZES[:1]))


def test_words_that_read_a_large_figure_have_it_beside_them(tmp_path, page):
    cells = [
        prose("## A question\n\n" + "\n\n".join([LONG] * 4) + "\n\nWhat comes?", "slide"),
        code("f", "subslide", [shown(figure(900, 500))], hide_input=True),
        prose("**This.** " + LONG * 2, "subslide"),
    ]
    deck = build_slides(notebook(prose("# Title", "slide"), *cells), tmp_path / "deck.html", "a deck")
    page.goto(deck.as_uri())
    page.wait_for_function(READY)
    answer = page.locator(".sheet", has_text="This.")
    assert "What comes?" in answer.locator(".again").inner_text()
    assert answer.locator(".figure img").count() == 1


def test_few_words_are_set_large(lecture):
    sizes = lecture.evaluate(
        "() => [...document.querySelectorAll('.sheet')].map((sheet) => parseFloat(sheet.style.fontSize) || 1)"
    )
    assert max(sizes) == 1.3
    heights = lecture.evaluate(
        "() => [...document.querySelectorAll('.sheet:not(.title) .prose:not(.again) h2')]"
        ".map((heading) => getComputedStyle(heading).fontSize)"
    )
    assert set(heights) == {"46px"}


def test_a_finger_on_a_slider_turns_no_slide_and_keys_that_are_caught_say_so(lecture):
    lecture.evaluate("() => Reveal.slide(3, 0)")
    slider = lecture.locator("section.present section.present input[type=range]")
    assert lecture.locator(".explorer:not([data-prevent-swipe])").count() == 0
    slider.focus()
    assert "Esc gives them back" in lecture.locator(".keys").text_content()
    lecture.keyboard.press("Escape")
    assert lecture.locator(".keys").text_content() == ""


def test_a_handout_has_every_slide_with_its_notes_and_no_blank_page(deck, browser):
    import pypdfium2

    with pypdfium2.PdfDocument(print_handout(deck)) as pdf:
        pages = [page.get_textpage().get_text_range() for page in pdf]
        pictures = [page.render(scale=0.6).to_pil().convert("L").getextrema() for page in pdf]
    text = "\n".join(pages)
    assert 4 <= len(pages) <= 9
    assert all(darkest < 128 for darkest, _ in pictures)
    for words in (
        "A lecture",
        "In this lecture",
        "Later",
        "return 2 * x",
        "value 5",
        "A figure",
        "Ask the room",
    ):
        assert words in text


def test_without_chromium_a_handout_says_what_to_install(deck, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(CourseError, match="apt-get install chromium"):
        print_handout(deck)


def test_the_speaker_reads_the_notes_in_a_window(lecture):
    lecture.evaluate("() => Reveal.slide(2, 0)")
    with lecture.expect_popup() as opening:
        lecture.keyboard.press("s")
    window = opening.value
    window.wait_for_function("() => document.querySelector('.speaker-controls-notes .value')?.innerText")
    notes = window.locator(".speaker-controls-notes .value")
    assert re.match(r"minute \d+, about [\d.]+\s+Ask the room: what is", notes.inner_text())
    assert notes.locator("svg").count() == 1


@pytest.mark.parametrize(
    ("cells", "report"),
    [
        (
            [prose("## Too much\n\n" + "\n\n".join([LONG] * 9), "slide")],
            r"slide 1 \(Too much\): \d+ px below",
        ),
        ([prose("## Late", "slide"), prose("\n\n".join([LONG] * 9), "fragment")], r"\d+ px below"),
        (
            [prose("## Bare", "slide"), code("f", "-", [shown(figure())], hide_input=True)],
            "no word that says",
        ),
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


def test_a_sign_stays_on_the_line_of_the_formula_before_it():
    html = rendered("Left of the past is $a_t$: a *number*, or ($b$). Two: $c$ $d$. Not $$e$$, yet.")
    assert html.count('<span class="glued">') == 3
    for glued in ("$a_t$:", "$b$).", "$d$."):
        assert f'<span class="glued">{glued}</span>' in html
