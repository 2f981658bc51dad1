"""What in a notebook is the release's own text, and what somebody wrote into it.

A release carries a hash of its text, so that it can be told unchanged without a second copy. This module
knows nothing of masters, marks or where notebooks lie.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autograder.errors import CourseError

Notebook = dict[str, Any]
CellNode = dict[str, Any]

# What the course writes into a notebook's metadata stands under this name.
COURSE = "course"
RELEASE_ID = re.compile(r"[0-9a-f]{12}(-\d+)?")
CONFLICT_MARK = re.compile(rb"^(<{7} |>{7} )", re.M)


def read_notebook(path: Path) -> Notebook:
    """A notebook of format 4 as plain data; the text of every cell is one string.

    Raises:
        CourseError: it is none; the message says what was found and what to do.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror}") from None
    if not content.strip():
        raise CourseError(f"{path} is empty; take the notebook from a backup, or save it again")
    if mark := CONFLICT_MARK.search(content):
        line = content.count(b"\n", 0, mark.start()) + 1
        raise CourseError(
            f"{path} holds git's conflict marks (line {line}): it is two versions in one. Your own is still "
            f"whole in git. In the notebook's folder, `git show 'stash@{{0}}:./{path.name}' > mine.ipynb` "
            f"after a stash, `git show HEAD:./{path.name} > mine.ipynb` after a merge; then take mine.ipynb"
        )
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is not UTF-8 text (byte {error.start}), so it is no notebook") from None
    except json.JSONDecodeError as error:
        raise CourseError(f"{path} is not a notebook: line {error.lineno} is no JSON ({error.msg})") from None
    except (ValueError, RecursionError):
        raise CourseError(f"{path} is not a notebook: its JSON cannot be read") from None
    return _checked(notebook, path)


def _checked(notebook: Any, path: Path) -> Notebook:
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise CourseError(f"{path} is JSON, but not a notebook")
    if notebook["nbformat"] != 4:
        form = str(notebook["nbformat"])[:20]
        raise CourseError(f"{path} has the notebook format {form}, not 4; open it in JupyterLab and save it")
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not isinstance(notebook.get("metadata"), dict):
        raise CourseError(f"{path} has no list of cells or no metadata; save it again in JupyterLab")
    for number, cell in enumerate(cells, start=1):
        source = cell.get("source") if isinstance(cell, dict) else None
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            cell["source"] = source = "".join(source)
        if not isinstance(source, str) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            raise CourseError(f"{path}: cell {number} is damaged; save the notebook again in JupyterLab")
        if not isinstance(cell.get("metadata"), dict):
            cell["metadata"] = {}
    return notebook


def course_of(notebook: Notebook) -> dict[str, str]:
    """What the course wrote into a notebook's metadata: `assignment`, `release`; "" where it says nothing."""
    ours = notebook["metadata"].get(COURSE)
    ours = ours if isinstance(ours, dict) else {}
    return {key: str(ours.get(key, "")) for key in ("assignment", "release")}


def grading_of(cell: CellNode) -> dict[str, Any]:
    """What nbgrader's metadata say of a cell, whoever wrote it; empty where it has none."""
    metadata = cell.get("metadata")
    meta = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return meta if isinstance(meta, dict) and isinstance(meta.get("grade_id"), str) else {}


def text_of(cell: CellNode) -> str | None:
    """A cell's text, whoever wrote it; None where it has none."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else None


def release_hash(cells: list[CellNode]) -> str:
    """The version of a release: a hash of its text, deaf to outputs and to what Jupyter adds on saving."""
    told = []
    for cell in cells:
        grading, metadata = grading_of(cell), cell["metadata"]
        points = grading.get("points")
        points = float(points) if isinstance(points, int | float) else 0.0  # JavaScript writes 4.0 as 4
        graded = [grading.get("grade_id"), grading.get("checksum"), points]
        folded = [metadata.get("tags") or [], bool(metadata.get("hide_input"))]
        told.append([cell["cell_type"], cell.get("id"), cell["source"], graded, folded])
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


def text_id(cell_type: str, grade_id: str, source: str) -> str:
    """The id of a release's cell: a hash of what it holds, so that an inserted cell renumbers nothing."""
    return hashlib.sha256(f"{cell_type}\0{grade_id}\0{source}".encode()).hexdigest()[:12]


def has_release_id(cell: CellNode) -> bool:
    """Whether a cell came with a release: other programs give ids of other lengths."""
    return RELEASE_ID.fullmatch(str(cell.get("id"))) is not None


def give_ids_again(cells: Sequence[CellNode], release: Iterable[CellNode]) -> None:
    """Where a program has lost all ids of a release's cells, give them back to those that read the same.

    Args:
        cells: of a notebook whoever wrote it; their "id" is changed.
        release: the release's own cells.
    """
    ids: dict[tuple[str, str], list[str]] = {}
    for cell in release:
        ids.setdefault(_read_as(cell), []).append(cell["id"])
    if {str(cell.get("id")) for cell in cells} & {one for same in ids.values() for one in same}:
        return
    for cell in cells:
        if same := ids.get(_read_as(cell)):
            cell["id"] = same.pop(0)


def _read_as(cell: CellNode) -> tuple[str, str]:
    return str(cell.get("cell_type")), " ".join((text_of(cell) or "").split())


def is_untouched(cell: CellNode) -> bool:
    """Whether a cell holds what the release held: told by nbgrader's checksum, or by its id."""
    grading = grading_of(cell)
    if grading:
        return grading.get("checksum") == _checksum(cell)
    return str(cell.get("id")).partition("-")[0] == text_id(cell["cell_type"], "", cell["source"])


def _checksum(cell: CellNode) -> str:
    from nbformat import from_dict  # noqa: PLC0415
    from nbgrader.utils import compute_checksum  # noqa: PLC0415  (two seconds of imports)

    node: Any = from_dict(cell)
    try:
        return compute_checksum(node)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ""


def written(notebook: Notebook) -> list[str]:
    """What somebody wrote into a release, in words; empty for a release as it was built.

    Outputs, deleted cells and what Jupyter adds on saving are no writing.
    """
    release = course_of(notebook)["release"]
    if release and release == release_hash(notebook["cells"]):
        return []
    return [
        grading_of(cell).get("grade_id") or f"cell {number}"
        for number, cell in enumerate(notebook["cells"], start=1)
        if cell["source"].strip() and not is_untouched(cell)
    ]
