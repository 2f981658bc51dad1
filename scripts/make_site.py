"""Make the site: lessons to read, live explorers, decks, the documentation; it needs no network.

    make site                                        # for the public: derivations told, folded away
    make site ARGS="--course --upto 04"              # for a class: nothing that a release withholds
    make site ARGS="--address https://course.example/rnn/"

Written to build/site/. Executed notebooks are taken from build/executed/ where nothing changed.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from click import Context
from typer.main import get_command

from autograder.cli import app
from autograder.course.masters import Master, read_master
from autograder.course.places import Places, course_root, find_masters
from autograder.errors import CourseError
from autograder.exchange.bundle import write_bundle
from autograder.release.build import executed_notebook
from autograder.release.lesson import Shown, explorers, lesson_notebook
from autograder.release.slides import Frame, build_slides
from autograder.release.stage import up_to
from rnncourse.cells import step_through
from rnncourse.cells.graph import cell_named
from rnncourse.gradient_paths import TITLE, gradient_paths
from rnncourse.withheld import way_back

ROOT = Path(__file__).resolve().parents[1]
OTHER_PAGE = re.compile(r"(?<![\[`])`([a-z-]+\.md)`(?![\]`])")
# An option's two dashes would become one in a text.
OPTION = re.compile(r"(`[^`]*`)|(?<![\w-])(--[a-z][a-z-]*)")
EMPHASIS = re.compile(r"(\*{1,3}|`)(\S|\S.*?\S)\1")
PICTURE = re.compile(r'<img[^>]*src="data:image/(svg\+xml|png);base64,([^"]+)"')
ENDINGS = {"svg+xml": "svg", "png": "png"}
EMBEDDED = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 17px/1.4 system-ui, "DejaVu Sans", sans-serif; color: #222; background: #fff; margin: 8px; }}
  figure {{ margin: 0; overflow-x: auto; }}
  :focus-visible {{ outline: 3px solid #0072b2; outline-offset: 2px; }}
  @media (prefers-color-scheme: dark) {{
    body {{ color: #f2f3f5; background: #16181d; }}
    :focus-visible {{ outline-color: #6cbcf5; }}
  }}
</style>
</head>
<body>
<main>
<h1 style="font-size: 1.1em; margin: 0 0 .4em">{title}</h1>
{body}
</main>
</body>
</html>
"""

EXPLORER_PAGE = """---
hide-toc: true
---

# {title}

{alt}

{stands_in}

```{{raw}} html
:file: {name}.html
```

{more}

## Use it in your own page

It needs no kernel, no server and no network. Copy <a href="{here}">its page</a>, one file, to where you
want it, or embed this one:

<pre class="embed"><code data-embed="{here}">{line}</code></pre>
"""
LESSON_TOLD = (
    "Functions that you are to write are left open here, and answers and derivations are folded: try each "
    "before you open it. In the course’s own notebooks a check in the next cell says what is right."
)
LESSON_WITHHELD = (
    "This page is for reading. In the notebook you guess, run and write, and a check in the next cell says "
    "what is right: results stand there."
)
TRAINED = "gradient-paths"
BEGIN_WITH = ("semester",)
# What explorers are about; the others are called what they are called.
TITLES = {
    "step-size": "How small may a step be?",
    "sentence-states": "What a state keeps of a sentence",
    "contributions": "Which position moves a weight?",
    "jacobians": "When does a product of Jacobians grow?",
    "gates-by-hand": "Be the gate yourself",
    "memory-cell": "One memory cell over a sentence",
    "gradient-flow": "How far does a gradient flow?",
    "seeds": "How many seeds does a ranking need?",
    "machine": "An LSTM as a machine",
    "activation": "A cell that reads Python",
    "turning": "Parity by hand",
    "bug-curves": "What a bug does to a loss curve",
}
FIRST = ("step-through-lstm", "step-through-gated", "step-through-simple", "sentence-states")


@dataclass(frozen=True)
class Lesson:
    """What the site's own pages say of a lesson."""

    name: str
    title: str
    summary: str
    picture: str
    deck: bool


@dataclass(frozen=True)
class ExplorerPage:
    """A page of an explorer: itself, in which lesson it stands, what is said below it."""

    shown: Shown
    stands_in: str
    more: str


class Source:
    """The folder that Sphinx makes the site of.

    Args:
        folder: where it is laid out; what was there is removed.
        address: where the site will stand, "" where nobody knows.
    """

    def __init__(self, folder: Path, address: str = ""):
        self.folder = folder
        self.lessons: list[Lesson] = []
        self.explorers: dict[str, ExplorerPage] = {}
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "docs" / "site", folder)
        shutil.copyfile(ROOT / "docs" / "images" / "check.png", folder / "static" / "check.png")
        for name in ("lessons", "explorers", "about", "extra/embed", "extra/slides"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "about.json").write_text(json.dumps({"address": address}), "utf-8")

    def add_lesson(self, master: Master, executed: Any, withhold: bool, deck: Frame | None = None) -> None:
        """Write a lesson's page, its explorers' pages and its deck."""
        lesson = lesson_notebook(master, executed, withhold)
        for one in explorers(lesson):
            named = replace(one, title=TITLES.get(one.name, one.title))
            where = (
                f"It stands in [{master.title}](../lessons/{master.name}.ipynb), where its question is asked."
            )
            self.add_explorer(named, where)
        if deck:
            build_slides(
                executed, self.folder / "extra" / "slides" / f"{master.name}.html", master.title, deck
            )
        self.lessons.append(
            Lesson(
                master.name,
                master.title,
                _summary(lesson),
                self._picture(master.name, lesson),
                deck is not None,
            )
        )
        lesson.cells.insert(1, _markdown(_links(self.lessons[-1], withhold)))
        nbformat.write(lesson, self.folder / "lessons" / f"{master.name}.ipynb")

    def add_page(self, path: Path) -> None:
        """Take a page of the documentation; a page that it names is one click away."""
        text = OTHER_PAGE.sub(r"[`\1`](\1)", path.read_text("utf-8"))
        (self.folder / "about" / path.name).write_text(text, "utf-8")

    def finish(self, bundle: bool) -> None:
        """Write the pages that list the others."""
        for page in self.explorers.values():
            self._write_explorer(page)
        # What an instructor reads first stands first.
        pages = sorted(
            (path.stem for path in (self.folder / "about").glob("*.md")),
            key=lambda page: (page not in BEGIN_WITH, page),
        )
        first = next((one for one in FIRST if one in self.explorers), "")
        self._fill(
            "index.md",
            cards="\n".join(
                _card(f"lessons/{one.name}.html", one.title, one.summary, one.picture) for one in self.lessons
            ),
            first=f"```{{raw}} html\n:file: explorers/{first}.html\n```" if first else "",
            **self._flagship(),
            bundle='<a class="button" href="rnn-course.zip">Download the course</a>' if bundle else "",
            lessons="\n".join(f"lessons/{lesson.name}" for lesson in self.lessons),
            pages="\n".join(f"about/{page}" for page in pages),
        )
        self._fill("api/commands.md", commands=commands())
        self._fill(
            "explorers.md",
            cards="\n".join(self._explorer_card(page.shown) for page in self.explorers.values()),
            explorers="\n".join(f"explorers/{name}" for name in self.explorers),
        )

    def _flagship(self) -> dict[str, str]:
        """What the start page says of the trained networks; nothing where their page is not."""
        if TRAINED not in self.explorers:
            return {"trained": "", "flagship": ""}
        card = self._explorer_card(self.explorers[TRAINED].shown)
        return {
            "trained": f'<a class="button" href="explorers/{TRAINED}.html">{TITLE}</a>',
            "flagship": f'## Names, letter by letter\n\n<ul class="cards wide">\n{card}\n</ul>',
        }

    def _fill(self, name: str, **texts: str) -> None:
        path = self.folder / name
        text = path.read_text("utf-8")
        for key, value in texts.items():
            text = text.replace(f"%{key}%", value)
        path.write_text(text, "utf-8")

    def _picture(self, name: str, lesson: Any) -> str:
        """The lesson's first picture as a file; its name, "" where there is none."""
        for cell in lesson.cells:
            for output in cell.get("outputs", ()):
                if file := self._kept(name, output.get("data", {}).get("text/html", "")):
                    return file
        return ""

    def _kept(self, name: str, body: str) -> str:
        """The first picture of a piece of a page as a file; its name, "" where there is none."""
        if not (found := PICTURE.search(body)):
            return ""
        file = f"{name}.{ENDINGS[found[1]]}"
        (self.folder / "static" / file).write_bytes(b64decode(found[2]))
        return file

    def _explorer_card(self, one: Shown) -> str:
        sentence = one.alt.removeprefix(one.title).strip()
        return _card(f"explorers/{one.name}.html", one.title, sentence, self._kept(one.name, one.html))

    def add_explorer(self, one: Shown, stands_in: str = "", more: str = "") -> None:
        """Take an explorer; of several of one name the first is shown, and the first lesson is named.

        Args:
            one: the explorer.
            stands_in: the sentence that names its lesson.
            more: what stands below it, as Markdown.
        """
        page = self.explorers.setdefault(one.name, ExplorerPage(one, stands_in, more))
        if not page.stands_in:
            self.explorers[one.name] = replace(page, stands_in=stands_in)

    def _write_explorer(self, page: ExplorerPage) -> None:
        """An explorer's own page, and the bare one that others embed."""
        one = page.shown
        title = html.escape(one.title)
        bare = EMBEDDED.format(title=title, body=one.html)
        (self.folder / "extra" / "embed" / f"{one.name}.html").write_text(bare, "utf-8")
        (self.folder / "explorers" / f"{one.name}.html").write_text(one.html, "utf-8")
        here = f"../embed/{one.name}.html"
        line = f'<iframe src="{here}" title="{title}" width="100%" height="720"></iframe>'
        text = EXPLORER_PAGE.format(
            title=title,
            alt=one.alt,
            stands_in=page.stands_in,
            more=page.more,
            name=one.name,
            here=here,
            line=html.escape(line),
        )
        (self.folder / "explorers" / f"{one.name}.md").write_text(text, "utf-8")


def _summary(lesson: Any) -> str:
    """The sentences below a lesson's title, as plain text."""
    _, *paragraphs = lesson.cells[0].source.split("\n\n")
    return EMPHASIS.sub(r"\2", " ".join(paragraphs[0].split())) if paragraphs else ""


def _markdown(source: str) -> Any:
    return nbformat.v4.new_markdown_cell(source, id="links")


def _links(lesson: Lesson, withhold: bool) -> str:
    """What stands below a lesson's title: its deck, and what is to be known of the page."""
    words = f"<p>{LESSON_WITHHELD if withhold else LESSON_TOLD}</p>"
    deck = f'<p><a href="../slides/{lesson.name}.html">The lecture</a>: slides with live explorers.</p>'
    return words + deck if lesson.deck else words


def _card(address: str, title: str, sentence: str, picture: str) -> str:
    drawn = f'<img src="_static/{picture}" alt="" loading="lazy">' if picture else ""
    return f'<li>{drawn}<a href="{address}">{html.escape(title)}</a><p>{html.escape(sentence)}</p></li>'


def step_throughs() -> Iterator[Shown]:
    """The step-through of every cell, forward and back."""
    for name in ("simple", "gated", "lstm", "lstm with biases", "gru"):
        made = step_through(name, back=way_back(name))
        title = f"Step through {cell_named(name).title}{' with biases' * ('biases' in name)}"
        yield Shown(f"step-through-{name.replace(' ', '-')}", title, made.alt, made._repr_html_())


def add_gradient_paths(source: Source) -> None:
    """The page that asks where the gradient goes, with what its words mean."""
    made = gradient_paths(way_back("lstm"), address=True)
    shown = Shown(TRAINED, TITLE, made.alt, made._repr_html_())
    source.add_explorer(
        shown, more=(ROOT / "docs" / "site" / "texts" / "gradient_paths.md").read_text("utf-8")
    )


def commands() -> str:
    """The grader's commands, as its own help has them."""
    found = []
    for name, command in sorted(get_command(app).commands.items()):  # type: ignore[attr-defined]
        context = Context(command, info_name=f"autograder {name}")
        usage = command.get_usage(context).removeprefix("Usage: ")
        rows = [record for one in command.params if (record := one.get_help_record(context))]
        options = "\n".join(f"`{words}`\n: {_quoted(said)}\n" for words, said in rows)
        found.append(f"## {name}\n\n{_quoted(command.help)}\n\n```text\n{usage}\n```\n\n{options}")
    return "\n\n".join(found)


def _quoted(words: str | None) -> str:
    return OPTION.sub(lambda found: found[1] or f"`{found[2]}`", words or "")


def make(source: Source, out: Path) -> None:
    """Let Sphinx make the site.

    Raises:
        CourseError: it could not, or it complained; the message holds its words.
    """
    shutil.rmtree(out, ignore_errors=True)
    state = source.folder.with_name(f"{source.folder.name}-state")
    shutil.rmtree(state, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(state)]
    done = subprocess.run(
        [*command, str(source.folder), str(out)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    shutil.rmtree(state, ignore_errors=True)
    if done.returncode:
        raise CourseError(f"Sphinx complained:\n{done.stderr.strip()[-4000:]}")


def main() -> int:
    """Make the site that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("notebooks", nargs="*", help="only these lessons")
    parser.add_argument("--course", action="store_true", help="leave out what a release withholds, and decks")
    parser.add_argument("--upto", metavar="NN", help="no lesson behind this one")
    parser.add_argument(
        "--address", default="", help="where the site will stand, for pictures of shared links"
    )
    given = parser.parse_args()
    places = Places(course_root(ROOT))
    try:
        folders = find_masters(places.solutions, given.notebooks or None)
        if given.upto:
            folders = up_to(folders, given.upto)
        source = Source(places.root / "build" / "site-source", given.address)
        masters = [read_master(folder) for folder in folders]
        frame = None if given.course else Frame(tuple(master.title for master in masters))
        if not given.course:
            # Before the lessons, which may show less of the same.
            add_gradient_paths(source)
            for one in step_throughs():
                source.add_explorer(one)
        for master in masters:
            print(f"{master.name} …", flush=True)
            source.add_lesson(master, executed_notebook(master, places), given.course, frame)
        for page in sorted((places.root / "docs").glob("*.md")):
            source.add_page(page)
        write_bundle(places, source.folder / "extra" / "rnn-course.zip", given.upto)
        source.finish(bundle=True)
        make(source, places.root / "build" / "site")
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"The site: {places.root / 'build' / 'site' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
