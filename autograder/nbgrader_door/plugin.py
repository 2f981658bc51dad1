"""Our classes in nbgrader's pipeline, chosen by `nbgrader_config.py`.

`nbgrader autograde` and formgrader then grade in the sandbox, as `autograder grade` does. Where the
sandbox cannot run, grading fails: nothing of a submission is ever executed outside.
"""

from __future__ import annotations

import atexit
import json
import os
import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbformat.validator import get_validator
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import parse_utc
from traitlets import Unicode

from autograder.course.places import course_key
from autograder.errors import Ungradable
from autograder.grading.grade import Grader
from autograder.grading.submission import read_bytes, read_cells
from autograder.nbgrader_door.annotate import report_outputs
from autograder.report.feedback import inert

# A student's own metadata could hold what a page shows: the title, the state of widgets.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

_graders: dict[str, Grader] = {}


class CourseStep(NbGraderPreprocessor):
    """A step that needs to know the course's folder."""

    root = Unicode(".", help="The course's folder, with `solutions/`.").tag(config=True)


class TidyCells(CourseStep):
    """Before nbgrader's own steps: every graded cell gets the instructor's metadata, no other cell has any.

    nbgrader stops at doubled, renamed or unlocked cells, at cells of a student's own that claim to be
    graded, and at text that is no Unicode. As for `autograder grade`, of cells with one id the last counts.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Take from the cells what their student wrote about them."""
        missing = _grader(Path(self.root), resources["nbgrader"]["notebook"]).planner.metadata
        for cell in reversed(nb.cells):
            ours = cell.metadata.get("nbgrader")
            grade_id = ours.get("grade_id") if isinstance(ours, dict) else None
            known = missing.pop(grade_id, None) if isinstance(grade_id, str) else None
            cell.metadata = nbformat.from_dict({"nbgrader": known} if known else {})
            cell.source = cell.source.encode("utf-8", "replace").decode()
        return nb, resources


class SandboxGrade(CourseStep):
    """In place of nbgrader's Execute: grades in the sandbox and writes reports into the check cells."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Grade one submission; its cells are not run here."""
        assignment = resources["nbgrader"]["notebook"]
        grader = _grader(Path(self.root), assignment)
        card = grader.grade(nbformat.writes(nb).encode())
        record = card.record(resources["nbgrader"]["student"])
        resources["autograder"] = record
        marks = {mark.name: mark for mark in record.marks}
        nb.metadata = nbformat.from_dict(METADATA)
        for cell in nb.cells:
            if cell.cell_type != "code":
                _make_inert(cell, grader.planner.locked)
                continue
            cell.outputs, cell.execution_count = [], None
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            name = grade_id.removeprefix("check_")
            if grade_id != name and name in marks:
                outputs = report_outputs(marks[name])
                cell.outputs = [nbformat.from_dict(output) for output in outputs]
        for problem in record.problems:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], problem)
        return nb, resources


def _make_inert(cell: NotebookNode, locked: set[str]) -> None:
    """Take from a student's text what a page would run; the instructor's locked text stays."""
    cell.pop("attachments", None)
    if cell.metadata.get("nbgrader", {}).get("grade_id") not in locked:
        cell.source = inert(cell.source)


class SaveSandboxGrades(SaveAutoGrades):
    """nbgrader's SaveAutoGrades with marks from the grader itself: none travels through an output."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Record the marks of every check, also of one whose cell was deleted."""
        nb, resources = super().preprocess(nb, resources)
        here = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells}
        with self.gradebook:
            for mark in resources["autograder"].marks:
                if f"check_{mark.name}" not in here:
                    self._record(f"check_{mark.name}", mark.score)
        return nb, resources

    def _add_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        grade_id = cell.metadata["nbgrader"]["grade_id"]
        scores = {f"check_{mark.name}": mark.score for mark in resources["autograder"].marks}
        if grade_id in scores:
            self._record(grade_id, scores[grade_id])
        else:
            super()._add_score(cell, resources)

    def _record(self, grade_id: str, score: float) -> None:
        grade: Any = self.gradebook.find_grade(
            grade_id, self.notebook_id, self.assignment_id, self.student_id
        )
        grade.auto_score = score
        grade.needs_manual_grade = grade.manual_score is not None
        self.gradebook.db.commit()


def _grader(root: Path, assignment: str) -> Grader:
    """A warm grader of a notebook, kept for the students that follow."""
    place = str((root / "solutions" / assignment).resolve())
    if place not in _graders:
        _graders[place] = Grader(Path(place), course_key(root))
        atexit.register(_graders[place].close)
    return _graders[place]


def students_left_out(submitted: Path, command: list[str]) -> dict[str, str]:
    """Students whom nbgrader must not see, and why.

    It would copy what a link points to, and show its own traceback for a file that is no notebook.

    Args:
        submitted: the folder of submissions.
        command: the words of the command, `["nbgrader", "autograde", "01_simple_rnn"]`; notebooks are
            opened only where they are to be graded.
    """
    assignments = (
        [word.removeprefix("--assignment=") for word in command[2:]] if command[1:2] == ["autograde"] else []
    )
    found = {}
    for student in sorted(submitted.iterdir()) if submitted.is_dir() else []:
        if student.is_symlink() or (student.is_dir() and _holds_link(student)):
            found[student.name] = "a link or a special file; links are refused"
            continue
        # nbgrader's own list is parted by commas: it has no way to leave out such a name.
        for assignment in assignments if "," not in student.name else []:
            path = student / assignment / f"{assignment}.ipynb"
            if (student / assignment).is_dir() and path.exists():
                reason = _unreadable(path)
                if reason:
                    found[student.name] = f"{assignment}: {reason}"
    return found


def _unreadable(path: Path) -> str:
    """Why a notebook, or the time it was handed in, cannot be read by nbgrader; "" where it can."""
    try:
        content = read_bytes(path)
        read_cells(content)
    except Ungradable as error:
        return str(error)
    if content.startswith(BOM_UTF8):
        return "it begins with a byte order mark, which nbgrader cannot read; `autograder grade` can"
    if words := _unlike_the_format(content):
        return f"{words}; `autograder grade` may"
    stamp = path.parent / "timestamp.txt"
    try:
        if stamp.is_file():
            parse_utc(stamp.read_text("utf-8"))
    except Exception:
        return f"{stamp.name} holds no time; remove it"
    return ""


def _unlike_the_format(content: bytes) -> str:
    """In what a notebook is not as its format wants it, or "".

    `nbformat.validate` looks for the best words for every fault: 30,000 malformed outputs took it minutes and
    gigabytes. Here the first fault ends the look, and its cell is told.
    """
    try:
        notebook = nbformat.reader.reads(_without_names(content))
        validator = get_validator(4, notebook.nbformat_minor)
        first = next(iter(validator.iter_errors(notebook)), None) if validator else "an unknown format"
    except Exception as error:
        words = str(error).strip().partition("\n")[0]
        return f"its cells are not as the notebook format wants them ({words[:200]})"
    cell = re.search(r"cells\[(\d+)\]", str(first)) if first else None
    if cell:
        return f"cell {int(cell[1]) + 1} is not as the notebook format wants it"
    return f"it is not as the notebook format wants it ({str(first)[:200]})" if first else ""


def _without_names(content: bytes) -> str:
    """A notebook's text with ids and metadata as they should be: `TidyCells` sees to those."""
    known = ("cells", "metadata", "nbformat", "nbformat_minor")
    notebook = {key: value for key, value in json.loads(content).items() if key in known}
    for i, cell in enumerate(notebook["cells"]):
        if isinstance(cell.get("metadata"), dict):
            cell["metadata"] = {}
        cell.pop("id", None)
        if notebook.get("nbformat_minor", 0) >= 5:
            cell["id"] = f"cell-{i}"
    if isinstance(notebook.get("metadata"), dict):
        notebook["metadata"] = {}
    return json.dumps(notebook)


def _holds_link(folder: Path) -> bool:
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(place) / name
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                return True
    return False
