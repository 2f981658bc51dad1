"""A master as notebooks: nbgrader's source, the student's release, and the solved one.

The same master gives the same bytes, cell ids included.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.handwritten import text_id
from autograder.masters import BEGIN, END, Cell, Master

ANSWER_PROMPT = "*Write your answer here.*"
# "Run All" goes on behind a cell with this tag, and the error is shown where it belongs.
MAY_FAIL = "raises-exception"


def source_notebook(master: Master, notes: bool = False) -> NotebookNode:
    """The notebook with solutions, mark schemes and nbgrader's metadata.

    Args:
        master: the master.
        notes: keep the lecturer's notes (for slides and the solved page).
    """
    notebook = nbformat.v4.new_notebook()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "rnncourse": {"assignment": master.name},
    }
    for cell in master.cells:
        if cell.metadata.get("slide") == "notes" and not notes:
            continue
        notebook.cells += _cells_of(cell, master)
    _give_ids(notebook)
    return notebook


def _cells_of(cell: Cell, master: Master) -> list[NotebookNode]:
    if cell.kind == "markdown":
        node = nbformat.v4.new_markdown_cell(cell.source)
    else:
        node = nbformat.v4.new_code_cell(cell.source)
    slide = cell.metadata.get("slide")
    if slide:
        node.metadata["slideshow"] = {"slide_type": slide}
    if cell.metadata.get("hide_input"):
        node.metadata["hide_input"] = True
    if cell.role == "check" or "needs" in cell.metadata:
        node.metadata["tags"] = [MAY_FAIL]
    if not cell.role:
        return [node]
    if cell.role == "exercise":
        node.metadata["nbgrader"] = _nbgrader(cell.name, solution=True)
    elif cell.role == "check":
        points = master.exercises[cell.name].points
        node.metadata["nbgrader"] = _nbgrader(f"check_{cell.name}", grade=True, locked=True, points=points)
    elif cell.role == "given":
        node.metadata["nbgrader"] = _nbgrader(f"given_{cell.name}", locked=True)
    elif cell.role == "written":
        node.metadata["nbgrader"] = _nbgrader(
            cell.name, locked=True, task=True, points=float(cell.metadata["points"])
        )
        return [node, nbformat.v4.new_markdown_cell(ANSWER_PROMPT)]
    return [node]


def _nbgrader(grade_id: str, **flags: bool | float) -> dict:
    plain = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"schema_version": 3, "grade_id": grade_id, **plain, **flags}


def _give_ids(notebook: NotebookNode) -> None:
    """Ids from a hash of type and source, so that an inserted cell renumbers nothing."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        role = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        digest = text_id(cell.cell_type, role, cell.source)
        count = seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if count == 1 else f"{digest}-{count}"


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

    from autograder.stub_solutions import StampRelease, StubSolutions  # noqa: PLC0415

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
    """The notebook for the instructor: solutions without their markers, mark schemes, notes."""
    notebook = source_notebook(master, notes=True)
    for cell in notebook.cells:
        cell.source = re.sub(rf"^[ \t]*({BEGIN}|{END})[ \t]*\n?", "", cell.source, flags=re.M).rstrip("\n")
    return notebook


def as_text(notebook: NotebookNode) -> str:
    """The notebook as the text of an `.ipynb`."""
    return nbformat.writes(notebook) + "\n"
