"""A master as notebooks: nbgrader's source, the student's release, and the solved one.

The same master gives the same bytes, cell ids included.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autograder.course.handwritten import COURSE, text_id
from autograder.course.masters import BEGIN, END, TOLD_LATER, Cell, Master, points_of
from autograder.course.questions import ASKING, blank
from autograder.course.time_needed import PLACE, time_needed

if TYPE_CHECKING:
    # Its JSON schema costs most of a second: only what writes a notebook pays for it.
    from nbformat.notebooknode import NotebookNode

ANSWER_PROMPT = "*Write your answer here.*"
# The ids of its cells begin so.
PROMPT_ID = text_id("markdown", "", ANSWER_PROMPT)
# "Run All" goes on behind a cell with this tag, and the error is shown where it belongs.
MAY_FAIL = "raises-exception"


def source_notebook(master: Master, whole: bool = False, alone: bool = False) -> NotebookNode:
    """The notebook with solutions, mark schemes and nbgrader's metadata.

    Args:
        master: the master.
        whole: keep the lecturer's notes, answers to questions and derivations (for slides and the solved
            page).
        alone: behind each written question a cell shows its model answer, for whoever studies alone.
    """
    from nbformat.notebooknode import from_dict  # noqa: PLC0415

    metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        COURSE: {"assignment": master.name},
    }
    cells = source_cells(master, whole, alone)
    notebook: Any = from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})
    return notebook


def source_cells(master: Master, whole: bool = False, alone: bool = False) -> list[dict[str, Any]]:
    """The cells of `source_notebook`, as plain data."""
    cells: list[dict[str, Any]] = []
    for cell in master.cells:
        if whole:
            cells += _cells_of(cell, master)
        elif cell.metadata.get("slide") != "notes" and cell.role not in TOLD_LATER:
            cells += _cells_of(replace(cell, source=_as_asked(cell)), master)
        if alone and cell.role == "written":
            cells.append(_model_answer(cell.name))
    _give_ids(cells)
    return cells


def _model_answer(name: str) -> dict[str, Any]:
    ask = "# When you have written yours: take away the # in front of the next line."
    source = f'{ask}\n# model_answer("{name}")'
    return {"cell_type": "code", "metadata": {}, "source": source, "execution_count": None, "outputs": []}


def _as_asked(cell: Cell) -> str:
    """A cell's text in a release, before solutions are taken out."""
    return blank(cell.source) if cell.role in ASKING else cell.source


def _cells_of(cell: Cell, master: Master) -> list[dict[str, Any]]:
    source = cell.source
    if cell.kind == "markdown" and PLACE in source:
        source = source.replace(PLACE, str(time_needed(master)))
    node: dict[str, Any] = {"cell_type": cell.kind, "metadata": {}, "source": source}
    if cell.kind == "code":
        node.update(execution_count=None, outputs=[])
    metadata = node["metadata"]
    slide = cell.metadata.get("slide")
    if slide:
        metadata["slideshow"] = {"slide_type": slide}
    if cell.metadata.get("hide_input"):
        metadata["hide_input"] = True  # for the deck
        metadata["jupyter"] = {"source_hidden": True}
    if cell.metadata.get("extra"):
        metadata["jp-MarkdownHeadingCollapsed"] = True
    if cell.role == "check" or "needs" in cell.metadata:
        metadata["tags"] = [MAY_FAIL]
    if cell.role == "exercise":
        metadata["nbgrader"] = _nbgrader(cell.name, solution=True)
        if stands := master.exercises[cell.name].spec.stands:
            metadata[COURSE] = {"stands": stands}  # for whoever makes the release: nbgrader knows cells only
    elif cell.role == "check":
        points = master.exercises[cell.name].points
        metadata["nbgrader"] = _nbgrader(f"check_{cell.name}", grade=True, locked=True, points=points)
    elif cell.role == "given":
        metadata["nbgrader"] = _nbgrader(f"given_{cell.name}", locked=True)
    elif cell.role == "written":
        points = points_of(cell)
        metadata["nbgrader"] = _nbgrader(cell.name, locked=True, task=True, points=points)
        return [node, {"cell_type": "markdown", "metadata": {}, "source": ANSWER_PROMPT}]
    return [node]


def _nbgrader(grade_id: str, **flags: bool | float) -> dict:
    plain = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"schema_version": 3, "grade_id": grade_id, **plain, **flags}


def _give_ids(cells: list[dict[str, Any]]) -> None:
    """Ids from a hash of type and source, so that an inserted cell renumbers nothing."""
    seen: dict[str, int] = {}
    for cell in cells:
        role = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        digest = text_id(cell["cell_type"], role, cell["source"])
        count = seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if count == 1 else f"{digest}-{count}"


def release_notebook(source: NotebookNode) -> NotebookNode:
    """What students get: nbgrader's own preprocessors, run on the source notebook."""
    from nbconvert.exporters.exporter import ResourcesDict  # noqa: PLC0415
    from nbgrader.preprocessors import (  # noqa: PLC0415  (two seconds of imports)
        CheckCellMetadata,
        ClearMarkScheme,
        ClearOutput,
        ComputeChecksums,
        LockCells,
    )

    from autograder.course.stub_solutions import StampRelease, StubSolutions  # noqa: PLC0415

    notebook = copy.deepcopy(source)
    resources: Any = ResourcesDict()
    for step in (
        LockCells,
        StubSolutions,
        ClearOutput,
        CheckCellMetadata,
        ComputeChecksums,
        ClearMarkScheme,
        ComputeChecksums,
        CheckCellMetadata,
        StampRelease,
    ):
        notebook, resources = step().preprocess(notebook, resources)
    return notebook


def solved_notebook(master: Master) -> NotebookNode:
    """The notebook for the instructor: solutions without their markers, mark schemes, notes, derivations."""
    notebook = source_notebook(master, whole=True)
    for cell in notebook.cells:
        cell.source = re.sub(rf"^[ \t]*({BEGIN}|{END})[ \t]*\n?", "", cell.source, flags=re.M).rstrip("\n")
    return notebook


def as_text(notebook: NotebookNode) -> str:
    """The notebook as the text of an `.ipynb`."""
    import nbformat  # noqa: PLC0415

    return nbformat.writes(notebook) + "\n"
