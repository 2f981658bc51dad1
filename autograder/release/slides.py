"""Slides: an executed notebook becomes one reveal.js page that works from a file, without a network.

Which cells are in the lecture is said by their metadata, as Jupyter has it: `slideshow.slide_type`.
This module knows nothing of exercises or marks, and executes nothing.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.errors import CourseError
from autograder.release.slide_assets import font_face, inline_script, inline_theme
from autograder.report.mathjax import mathjax

CODE_STYLES = {"light": "xcode", "dark": "github-dark"}
HEADING = re.compile(r"<h[123][^>]*>(.*?)</h[123]>", re.S)
NUMBERED = re.compile(r"(Part )?\d+ · ")
TAG = re.compile(r"<[^>]+>")
# A displayed formula with lines of its own; what stands behind it waits in a lecture.
FORMULA = re.compile(r"^\$\$.*?\$\$[ \t]*$", re.M | re.S)
BEHIND_FORMULA = re.compile(r"((?<![$\\])\$(?!\$)[^$<>\n]+(?<!\\)\$[.,;:?!)]+)")
PARAGRAPH = re.compile(r"<p>(?:(?!</p>).)*\?(?:(?!</p>).)*</p>", re.S)
# Words to a formatter are none to an audience.
DIRECTIVE = re.compile(r"[ \t]*# (fmt|noqa|type|pyright|ruff)\b.*$", re.M)
# How long a slide stands: measured on nobody, stated in the speaker's notes as what it is, an estimate.
WORDS_A_MINUTE = 130
MINUTES = {"slide": 0.4, "figure": 0.7, "explorer": 2.5, "formula": 0.4, "code line": 0.1}
LECTURES = (45, 60, 90)
MARK_SCHEME = re.compile(r"^=== BEGIN MARK SCHEME ===.*?^=== END MARK SCHEME ===[ \t]*$", re.M | re.S)
SOLUTION_MARKER = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION[ \t]*\n?", re.M)


@dataclass
class Slide:
    """One sheet: its parts from top to bottom and the speaker's notes, all as HTML."""

    parts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """Its first heading as HTML, "" where there is none."""
        found = HEADING.search("".join(self.parts))
        return found[1] if found else ""

    @property
    def asks(self) -> str:
        """The last paragraph in which something is asked, as HTML; "" where nothing is."""
        words = "".join(part for part in self.parts if part.startswith('<div class="prose">'))
        asked = PARAGRAPH.findall(words)
        if not asked:
            return ""
        question, mark, behind = asked[-1].rpartition("?")
        # What follows the question, such as the words before a list, was for its own slide.
        return question + mark + (behind if "<" in behind.removesuffix("</p>") else "</p>")

    @property
    def is_alone(self) -> bool:
        """Whether one figure stands on it without words of its own: it may join those before it."""
        return (
            len(self.parts) == 2
            and 'class="prose again"' in self.parts[0]
            and self.parts[1].startswith('<div class="figure"')
        )

    @property
    def minutes(self) -> float:
        """An estimate of how long it stands: what is said and read, formulas, code, figures, experiments."""
        text = "".join(self.parts)
        words = len(TAG.sub(" ", "".join(part for part in self.parts if 'class="prose"' in part)).split())
        spoken = len(TAG.sub(" ", "".join(self.notes)).split())
        code = "".join(part for part in self.parts if part.startswith('<pre class="source'))
        return (
            MINUTES["slide"]
            + max(words, spoken) / WORDS_A_MINUTE
            + MINUTES["figure"] * text.count('<div class="figure"')
            + MINUTES["explorer"] * text.count('class="explorer"')
            + MINUTES["formula"] * text.count("$$") / 2
            + MINUTES["code line"] * (code.count("\n") + bool(code))
        )


@dataclass(frozen=True)
class Frame:
    """What stands around a lecture.

    Args:
        course: the titles of all lectures, this one among them, for the map on the first slide.
        institution: a line on the first slide; "" for none.
        occasion: another, such as the course's own name and term.
        theme: "light" or "dark".
    """

    course: tuple[str, ...] = ()
    institution: str = ""
    occasion: str = ""
    theme: str = "light"

    def __post_init__(self):
        if self.theme not in CODE_STYLES:
            raise CourseError(f"there is no theme {self.theme!r}; there are {', '.join(CODE_STYLES)}")


def build_slides(
    notebook: str | Path | nbformat.NotebookNode,
    out_path: str | Path,
    title: str,
    frame: Frame = Frame(),
) -> Path:
    """Write the deck of an executed notebook as one self-contained HTML page.

    Args:
        notebook: the executed notebook, or the path of its `.ipynb`. A cell is in the lecture by its
            metadata `slideshow.slide_type` (slide, subslide, fragment, notes, skip, -); `hide_input`
            shows its outputs only.
        out_path: where the page goes.
        title: the page's title.
        frame: what stands around the lecture.

    Returns:
        The path of the page.

    Raises:
        CourseError: no cell is in the lecture, a cell of it failed, or reveal.js and MathJax
            cannot be had.
    """
    node: Any = nbformat.read(notebook, 4) if isinstance(notebook, str | Path) else notebook
    stacks = read_slides(node, title)
    sections = _sections(stacks)
    # Before the time is said in the notes, which are counted.
    routes, total = _routes(stacks), round(sum(slide.minutes for slide in chain(*stacks)))
    _say_the_time(stacks)
    folder = files("autograder.release").joinpath("deck")
    template = jinja2.Template(folder.joinpath("deck.html.j2").read_text("utf-8"), keep_trailing_newline=True)
    page = template.render(
        title=title,
        stacks=stacks,
        frame=frame,
        sections=sections,
        are_numbered=all(NUMBERED.match(heading) for _, heading in sections),
        routes=routes,
        total=total,
        theme=inline_theme(),
        style=_style(folder.joinpath("deck.css").read_text("utf-8"), CODE_STYLES[frame.theme]),
        mathjax=mathjax(),
        reveal=inline_script("reveal.js/dist/reveal.js"),
        notes=inline_script("reveal.js/plugin/notes/notes.js"),
        script=folder.joinpath("deck.js").read_text("utf-8"),
    )
    out_path = Path(out_path)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    out_path.write_text(page, "utf-8")
    return out_path


def read_slides(notebook: nbformat.NotebookNode, title: str = "the notebook") -> list[list[Slide]]:
    """The lecture of a notebook: stacks of slides, a `slide` on top and its `subslide`s below.

    Raises:
        CourseError: no cell is in the lecture, it starts before its first slide, or a cell of it failed.
    """
    stacks: list[list[Slide]] = []
    for number, cell in enumerate(notebook.cells, start=1):
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind in (None, "skip"):
            continue
        place = f"{title}, cell {number}"
        if kind == "slide" or (kind == "subslide" and not stacks):
            stacks.append([Slide()])
        elif kind == "subslide":
            stacks[-1].append(Slide())
        elif not stacks:
            raise CourseError(f"{place}: a {kind!r} stands before the first slide")
        slide = stacks[-1][-1]
        if kind == "notes":
            slide.notes.append(rendered(cell.source))
            continue
        parts = _cell_parts(cell, place)
        if kind == "fragment" and parts:
            grows = " grows" if any(part.startswith('<div class="figure"') for part in parts) else ""
            parts = [f'<div class="fragment{grows}">', *parts, "</div>"]
        slide.parts.extend(parts)
    if not stacks:
        raise CourseError(f'{title}: no cell has slide="slide", so there is no lecture')
    # A hidden cell may have nothing to show, as where PyTorch is not installed.
    stacks = [kept for stack in stacks if (kept := [one for one in stack if one.parts or one.notes])]
    _repeat_headings(stacks)
    return stacks


def _repeat_headings(stacks: list[list[Slide]]) -> None:
    """No slide without a heading: one that has none goes on under the last, and what was asked there."""
    heading = asked = ""
    for slide in chain(*stacks):
        if not slide.heading and heading and slide.parts:
            slide.parts.insert(0, f'<div class="prose again"><h2>{heading}</h2>{asked}</div>')
        elif slide.heading:
            asked = ""
        heading = slide.heading or heading
        asked = slide.asks or asked


def _sections(stacks: list[list[Slide]]) -> list[tuple[int, str]]:
    """(place of its first slide in the deck, heading) of the numbered parts, or of all stacks where none is.

    The slide with this list stands at place 1, behind the title.
    """
    found = [(place, TAG.sub("", stack[0].heading)) for place, stack in enumerate(stacks[1:], start=2)]
    return [one for one in found if NUMBERED.match(one[1])] or found


def _say_the_time(stacks: list[list[Slide]]) -> None:
    """Each slide's notes begin with how long it stands, and when it begins."""
    begun = 0.0
    for slide in chain(*stacks):
        lasts = slide.minutes
        slide.notes.insert(0, f'<p class="minutes">minute {begun:.0f}, about {lasts:.1f}</p>')
        begun += lasts


def _routes(stacks: list[list[Slide]]) -> list[tuple[int, list[str]]]:
    """For lectures of several lengths: (minutes, the sections with which each lecture but the last ends)."""
    found = []
    for length in LECTURES:
        ends, begun, before = [], 0.0, ""
        for stack in stacks[1:]:
            lasts = sum(slide.minutes for slide in stack)
            if begun + lasts > length and before:
                ends.append(before)
                begun = 0.0
            begun += lasts
            before = TAG.sub("", stack[0].heading)
        found.append((length, ends))
    return found


def _cell_parts(cell: Any, place: str) -> list[str]:
    if cell.cell_type == "markdown":
        text = MARK_SCHEME.sub("", cell.source).strip()
        return [f'<div class="prose">{built_up(text)}</div>'] if text else []
    if cell.cell_type != "code":
        return []
    parts = []
    source = DIRECTIVE.sub("", SOLUTION_MARKER.sub("", cell.source)).strip("\n")
    if source and not cell.metadata.get("hide_input"):
        parts.append(f'<pre class="source highlight">{highlighted(source)}</pre>')
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            raise CourseError(f"{place} is in the lecture and failed: {output.ename}: {output.evalue}")
        parts.extend(output_parts(output))
    return parts


def output_parts(output: Any) -> list[str]:
    """An output as HTML: the richest of its forms that a page without a kernel can show."""
    if output.output_type == "stream":
        return [_text(output.text)] if output.name == "stdout" and output.text.strip() else []
    data = output.get("data", {})
    if "text/html" in data:
        kind = "figure" if data["text/html"].lstrip().startswith("<img") else "html"
        return [f'<div class="{kind}">{data["text/html"]}</div>']
    if "image/svg+xml" in data:
        return [f'<div class="html">{data["image/svg+xml"]}</div>']
    if "image/png" in data:
        alt = html.escape(data.get("text/plain", ""), quote=True)
        png = data["image/png"].replace("\n", "")
        return [f'<div class="figure"><img alt="{alt}" src="data:image/png;base64,{png}"></div>']
    for form in ("text/markdown", "text/latex"):
        if form in data:
            return [f'<div class="prose">{rendered(data[form])}</div>']
    return [_text(data["text/plain"])] if "text/plain" in data else []


def _text(text: str) -> str:
    return f'<pre class="answer">{ansi2html(text.rstrip())}</pre>'


@cache
def _renderer() -> MarkdownWithMath:
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True))


def highlighted(source: str) -> str:
    """Python as HTML whose words have classes for their colours."""
    return highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).rstrip("\n")


def rendered(text: str) -> str:
    """Markdown as HTML; formulas stay as they are, for MathJax; what ends a sentence stays beside them."""
    return BEHIND_FORMULA.sub(r'<span class="glued">\1</span>', _renderer().render(text))


def built_up(text: str) -> str:
    """Markdown as HTML in which each displayed formula but the first comes by itself, with its words."""
    ends = [found.end() for found in FORMULA.finditer(text)]
    if len(ends) < 2:
        return rendered(text)
    # Behind the last formula stands what is said of it.
    pieces = [text[a:b] for a, b in pairwise([0, *ends[:-1], len(text)])]
    return rendered(pieces[0]) + "".join(
        f'<div class="fragment builds">{rendered(piece)}</div>' for piece in pieces[1:]
    )


def _style(style: str, colours_of_code: str) -> str:
    """The deck's styles with the colours of code and a typeface whose width is known everywhere."""
    import matplotlib  # noqa: PLC0415  (only for the typeface that comes with it)

    mono = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSansMono.ttf").read_bytes()
    colours = HtmlFormatter(style=colours_of_code).get_style_defs(".highlight")
    colours = "\n".join(rule for rule in colours.splitlines() if rule.startswith(".highlight ."))
    return "\n".join([font_face("Deck Mono", "normal", 400, mono, "truetype"), colours, style])
