"""A notebook as a lesson to read: executed, and without what the reader is to write or to guess.

Knows nothing of how a page is made of it, and executes nothing.
"""

from __future__ import annotations

import ast
import copy
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nbformat.notebooknode import from_dict

from autograder.course.masters import TOLD_LATER, Cell, Master
from autograder.course.names import parse
from autograder.course.notebook import release_notebook, source_notebook
from autograder.course.questions import ASKING, GIVING_UP, blank
from autograder.release.slides import MARK_SCHEME

# What a page can show, the richest first; a widget needs a kernel.
FORMS = ("text/html", "image/svg+xml", "image/png", "text/markdown", "text/latex", "text/plain")
EXPLORER = '<figure class="explorer"'
HEADING = re.compile(r"^#{1,6} +(.+?)[ \t]*$", re.M)
# What talks to one reader alone.
PERSONAL = ("progress", "reveal", "model_answer", "hint", GIVING_UP)
# MyST-NB shows such a cell's outputs alone.
NO_SOURCE = "remove-input"


@dataclass(frozen=True)
class Shown:
    """An explorer of a lesson.

    Args:
        name: for an address, "step-through-lstm".
        title: for people, "Step through the LSTM".
        alt: what it shows, in words.
        html: itself; it needs neither kernel nor network.
    """

    name: str
    title: str
    alt: str
    html: str


def lesson_notebook(master: Master, executed: Any, withhold: bool = False) -> Any:
    """The lesson: stubs in place of solutions, answers and derivations folded away.

    Args:
        master: the master.
        executed: its solved notebook, executed.
        withhold: leave out what a release withholds, and every result: the text of the release and the
            explorers that stand in it remain, nothing else.
    """
    lesson = copy.deepcopy(executed)
    lesson.metadata.pop("widgets", None)
    cells = list(_cells(master, lesson.cells, withhold))
    lesson.cells = []
    for number, (fold, group) in enumerate(groupby(cells, key=lambda pair: pair[0])):
        inside = [cell for _, cell in group]
        if fold:
            opening = _markdown(_opening(fold), f"fold-{number}")
            inside = [opening, *map(_without_heading, inside), _markdown("</details>", f"end-{number}")]
        lesson.cells += inside
    return lesson


def explorers(lesson: Any) -> Iterator[Shown]:
    """The explorers of a lesson, in order; one that stands in it twice comes once."""
    seen: set[str] = set()
    for cell in lesson.cells:
        for output in cell.get("outputs", ()):
            body = output.get("data", {}).get("text/html", "")
            if body.startswith(EXPLORER) and (name := _name_of(cell.source)) not in seen:
                seen.add(name)
                alt = re.search(r'aria-label="([^"]*)"', body)
                title = name.replace("-", " ").capitalize()
                yield Shown(name, title, html.unescape(alt[1]) if alt else title, body)


def _name_of(source: str) -> str:
    """`step_through("lstm")` is called "step-through-lstm", `explorer("seeds", …)` "seeds"."""
    found = re.search(r"\b(explorer|step_through|gradient_paths)\((?:\s*\"([^\"]+)\")?", source)
    if not found:
        return "explorer"
    words = [found[1], found[2]] if found[1] != "explorer" else [found[2]]
    return re.sub(r"\W+|_", "-", " ".join(filter(None, words))) or "explorer"


def _cells(master: Master, executed: list[Any], withhold: bool) -> Iterator[tuple[str, Any]]:
    """(the fold that it stands in, or "", cell) of the cells that are read."""
    released = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in release_notebook(source_notebook(master)).cells
        if "nbgrader" in cell.metadata
    }
    nodes = iter(executed)
    for cell in master.cells:
        node = next(nodes)
        if cell.role == "written":
            next(nodes)  # the place to write in
        is_for_others = cell.metadata.get("slide") == "notes" or _is_personal(cell)
        if is_for_others or (withhold and cell.role in TOLD_LATER):
            continue
        if cell.role == "exercise":
            node.source = released[cell.name]
        elif cell.role in ASKING:
            node.source = blank(cell.source)
        elif cell.role == "written":
            node.source = MARK_SCHEME.sub("", node.source).rstrip()
        elif cell.role == "answer":
            node.source = f"{_values(master, cell.name)}\n\n{node.source}"
        node.metadata = {"tags": [NO_SOURCE]} if cell.metadata.get("hide_input") else {}
        if node.cell_type == "code":
            is_silent = cell.role in ("check", *ASKING)
            node.outputs = [] if is_silent else list(_outputs(node.outputs, withhold))
        yield _fold(cell), node


def _fold(cell: Cell) -> str:
    if cell.role == "answer":
        return f"{cell.name}: what is so"
    if cell.role == "found":
        return f"What {cell.name} asks for: the derivation"
    return ""


def _is_personal(cell: Cell) -> bool:
    """Whether a cell is nothing but a call like `progress()`."""
    tree = parse(cell.source) if cell.kind == "code" else None
    if tree is None or not tree.body:
        return False
    calls = [node.value for node in tree.body if isinstance(node, ast.Expr)]
    names = [one.func.id for one in calls if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)]
    return len(names) == len(tree.body) and set(names) <= set(PERSONAL)


def _values(master: Master, number: str) -> str:
    """What is so, by the parts of a question."""
    answers = master.questions[number].answers
    return "\n".join(f"- {part.replace('_', ' ')}: **{_said(value)}**" for part, value in answers.items())


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _outputs(outputs: list[Any], withhold: bool) -> Iterator[Any]:
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stdout" and not withhold:
                yield output
            continue
        data = output.get("data", {})
        form = next((form for form in FORMS if form in data), None)
        if form and (not withhold or data[form].startswith(EXPLORER)):
            output.data = {form: data[form]}
            output.metadata = {}
            yield output


def _opening(fold: str) -> str:
    return f'<details class="fold"><summary>{html.escape(fold)}</summary>'


def _without_heading(cell: Any) -> Any:
    """A cell in a fold: its headings are none of the page's."""
    if cell.cell_type == "markdown":
        cell.source = HEADING.sub(r"**\1**", cell.source)
    return cell


def _markdown(source: str, identity: str) -> Any:
    return from_dict({"cell_type": "markdown", "id": identity, "metadata": {}, "source": source})
