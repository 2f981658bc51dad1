"""Our classes in nbgrader's pipeline, chosen by `nbgrader_config.py`.

`nbgrader autograde` and formgrader then grade in the sandbox, as `autograder grade` does. Where the
sandbox cannot run, grading fails: nothing of a submission is ever executed outside.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbformat.validator import get_validator
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SAWarning
from traitlets import Unicode

from autograder.course.handwritten import give_ids_again
from autograder.course.masters import read_master
from autograder.course.notebook import release_notebook, source_notebook
from autograder.course.places import Places, course_key, find_masters
from autograder.course.roster import MOST_ID, one_spelling
from autograder.errors import AutograderError, Ungradable
from autograder.grading.classroom import STAMP
from autograder.grading.grade import Grader, fingerprint
from autograder.grading.submission import SubmittedCell, read_bytes, read_cells
from autograder.nbgrader_door.annotate import CELL_ID, report_outputs
from autograder.nbgrader_door.cells import cells_of, exercise_of
from autograder.nbgrader_door.gradebook import SECRET, register
from autograder.nbgrader_door.kept import WrittenCell, digests_of, keep_reasons, look_again, tables
from autograder.report.feedback import inert

# A student's own metadata could hold what a page shows: the title, the state of widgets.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

GLOB = re.compile(r"[*?[\]]")

_graders: dict[str, Grader] = {}

# nbgrader's own way of asking its gradebook; nothing that an instructor could do anything about.
warnings.filterwarnings("ignore", "Object of type .* not in session", SAWarning)


class SubmittedNotebook(NotebookExporter):
    """Reads a submission and writes what nbgrader's steps make of it.

    Ids of cells are made new where nbformat would refuse them or complain.
    """

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        if not any(isinstance(one, OwnWords) for one in self.log.filters):
            self.log.addFilter(OwnWords())

    def from_filename(
        self, filename: str, resources: Any = None, **options: Any
    ) -> tuple[str, ResourcesDict]:
        """Read one notebook from a folder without links: formgrader read its configuration long before.

        Raises:
            Ungradable: it lies beside a link, or is none.
        """
        if _holds_link(Path(filename).parent):
            raise Ungradable("a link or a special file; links are refused")
        return super().from_filename(filename, resources=resources, **options)  # type: ignore[return-value]

    def from_file(
        self, file_stream: TextIO, resources: Any = None, **options: Any
    ) -> tuple[str, ResourcesDict]:
        """Read one notebook and put it through the steps.

        Raises:
            Ungradable: it is no notebook.
        """
        content = file_stream.buffer.read()  # type: ignore[attr-defined]  (a file's bytes, whatever they are)
        read_cells(content)
        nb = nbformat.reads(_with_ids(content), as_version=4)
        return super().from_notebook_node(nb, resources=resources, **options)  # type: ignore[return-value]


class OwnWords(logging.Filter):
    """Takes from nbgrader's log what ours says in a sentence, or what ours has seen to already.

    Locked cells that a student edited or deleted are the instructor's again: nbgrader's step warns of each.
    An error of ours has a message for a person: nbgrader writes a stack trace.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is shown, with other words perhaps."""
        if record.module == "overwritecells" and record.levelno == logging.WARNING:
            return False
        error, said = sys.exc_info()[1], str(record.msg)
        if isinstance(error, AutograderError) and said.startswith("Traceback"):
            record.msg, record.args = "%s", (str(error),)
        elif said.startswith("Please see the the above traceback"):
            record.msg, record.args = "The reasons stand above.", ()
        return True


class CourseStep(NbGraderPreprocessor):
    """A step that needs to know the course's folder."""

    root = Unicode(".", help="The course's folder, with `solutions/`.").tag(config=True)


class TidyCells(CourseStep):
    """Before nbgrader's own steps: every graded cell gets the instructor's metadata, no other cell has any.

    nbgrader stops at doubled, renamed, deleted or unlocked cells, at a student's own that claim to be graded,
    and at text that is no Unicode. As for `autograder grade`, of cells with one id the last counts.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Take from the cells what their student wrote about them, and put back those that are gone."""
        grader = _grader(Path(self.root), resources["nbgrader"]["notebook"])
        ours = {cell.metadata.nbgrader.grade_id: cell for cell in _graded_cells(grader)}
        give_ids_again(nb.cells, _released(grader))
        missing = grader.planner.metadata
        names = _grade_ids(nb, ours, grader)
        for cell, grade_id in reversed(list(zip(nb.cells, names, strict=True))):
            known = missing.pop(grade_id, None)
            cell.metadata = nbformat.from_dict({"nbgrader": known} if known else {})
            cell.source = cell.source.encode("utf-8", "replace").decode()
        for grade_id, known in missing.items():
            if known["grade"] or known["task"]:
                cell = nbformat.from_dict({**ours[grade_id], "metadata": {"nbgrader": known}})
                nb.cells.append(cell)
        return nb, resources


@cache
def _released(grader: Grader) -> list[NotebookNode]:
    """The release's cells."""
    return release_notebook(source_notebook(grader.master)).cells


def _graded_cells(grader: Grader) -> list[NotebookNode]:
    """The instructor's cells that nbgrader knows, as they are released."""
    return [cell for cell in _released(grader) if "nbgrader" in cell.metadata]


def _grade_ids(nb: NotebookNode, ours: dict[str, NotebookNode], grader: Grader) -> list[str]:
    """What each cell is to nbgrader: by its metadata, else by its id, else by the function it defines."""
    by_id = {cell.id: grade_id for grade_id, cell in ours.items()}
    said = [cell.metadata.get("nbgrader") for cell in nb.cells]
    named = [one.get("grade_id") if isinstance(one, dict) else None for one in said]
    found = [
        name if isinstance(name, str) and name else by_id.get(cell.id, "")
        for name, cell in zip(named, nb.cells, strict=True)
    ]
    code = [i for i, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    cells = [SubmittedCell(nb.cells[i].source, found[i], nb.cells[i].id) for i in code]
    for i, grade_id in zip(code, grader.planner.ids_of(cells), strict=True):
        found[i] = grade_id
    return found


class OnlyTheNotebook(CourseStep):
    """Takes away the student's other files from beside the notebook that formgrader opens.

    A kernel that is started there imports from there: a student's `numpy.py` would run as the instructor.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Leave the notebooks, what nbgrader looks for beside them, and the instructor's files."""
        folder = Path(resources["metadata"]["path"])
        source = Places(Path(self.root)).source / resources["nbgrader"]["assignment"]
        for path in sorted(folder.rglob("*"), reverse=True):  # what a folder holds before the folder
            inside = path.relative_to(folder)
            if path.is_dir():
                with contextlib.suppress(OSError):  # it is not empty
                    path.rmdir()
            elif not ((source / inside).is_file() or _is_kept(inside)):
                path.unlink()
        return nb, resources


def _is_kept(inside: Path) -> bool:
    is_notebook = inside.suffix == ".ipynb" and len(inside.parts) == 1
    return is_notebook or str(inside) in (STAMP, SECRET)


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
            name = exercise_of(grade_id)
            if grade_id != name and name in marks:
                outputs = report_outputs(marks[name], grader.master.exercises[name].spec.hints)
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
            self._look_again(nb)
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
        is_other = grade.auto_score != score
        grade.auto_score = score
        waits = grade.needs_manual_grade or is_other
        grade.needs_manual_grade = grade.manual_score is not None and waits
        self.gradebook.db.commit()

    def _look_again(self, nb: NotebookNode) -> None:
        """Marks by hand whose answer is another one now ask for another look, as at the other door."""
        submitted: Any = self.gradebook.find_submission_notebook(
            self.notebook_id, self.assignment_id, self.student_id
        )
        row = submitted.id
        self.gradebook.db.commit()
        written = [
            WrittenCell(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.id, cell.source)
            for cell in nb.cells
        ]
        with self.gradebook.engine.begin() as connection:
            tables.create_all(connection)
            cells = cells_of(connection, self.assignment_id, self.notebook_id)
            assert cells is not None  # somebody has handed it in
            digests = digests_of(written, cells.task, cells.solution)
            anew = look_again(connection, cells, {self.student_id: row}, {self.student_id: digests})
            keep_reasons(connection, {row: ""})
        for student, words in anew.look_again:
            self.log.warning("%s: look again: %s", student, words)


def _grader(root: Path, assignment: str) -> Grader:
    """A warm grader of a notebook, kept for the students that follow; a new one where the course changed.

    formgrader's server goes on for days, and a teacher mends a check or names a group in the meantime.
    """
    place = str((root / "solutions" / assignment).resolve())
    key = course_key(root)
    known = _graders.get(place)
    if known is None or known.fingerprint != fingerprint(Path(place), key):
        if known:
            known.close()
        _graders[place] = Grader(Path(place), key)
        atexit.register(_graders[place].close)
    return _graders[place]


def registering(url: str, root: Path) -> Callable[..., None]:
    """A hook for nbgrader that makes a notebook known to the gradebook, as `generate_assignment` does.

    Args:
        url: the gradebook.
        root: the course's folder.
    """
    known: set[str] = set()

    def hook(assignment: str, **_: Any) -> None:
        if assignment in known:
            return
        known.add(assignment)
        try:
            (folder,) = find_masters(root / "solutions", [assignment])
            register(url, read_master(folder))
        except AutograderError as error:
            print(f"{assignment}: {error}", file=sys.stderr)

    return hook


_said: set[str] = set()


def say_once(sentence: str) -> None:
    """Say something to who runs nbgrader, which reads its configuration several times."""
    if sentence not in _said:
        _said.add(sentence)
        print(sentence, file=sys.stderr)


def students_left_out(submitted: Path, autograded: Path, command: list[str]) -> dict[str, str]:
    """Students whom nbgrader must not see, and why.

    It would copy what a link points to, and show its own traceback for a file that is no notebook.

    Args:
        submitted: the folder of submissions.
        autograded: the folder of what was made of them.
        command: the words of the command, `["nbgrader", "autograde", "01_simple_rnn"]`; notebooks are
            opened only where they are to be graded.
    """
    assignments = (
        [word.removeprefix("--assignment=") for word in command[2:]] if command[1:2] == ["autograde"] else []
    )
    found = {}
    for name in {
        path.name for folder in (submitted, autograded) if folder.is_dir() for path in folder.iterdir()
    }:
        if GLOB.search(name):
            # A folder of this name would be graded, and its feedback written, from its neighbours' files.
            found[name] = "nbgrader takes * ? [ ] in a name for a pattern; rename that folder"
        elif name != one_spelling(name):
            found[name] = "its name is in another Unicode spelling, and would be a second student; rename it"
        elif len(name) > MOST_ID:
            found[name] = f"its name is longer than {MOST_ID} characters, which the gradebook cannot hold"
    for student in sorted(submitted.iterdir()) if submitted.is_dir() else []:
        if student.name in found:
            continue
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
    return dict(sorted(found.items()))


def _unreadable(path: Path) -> str:
    """Why a notebook, or the time it was handed in, cannot be read by nbgrader; "" where it can."""
    try:
        content = read_bytes(path)
        read_cells(content)
    except Ungradable as error:
        return str(error)
    if words := _unlike_the_format(content):
        return f"{words}; `autograder grade` may"
    stamp = path.parent / STAMP
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


def _with_ids(content: bytes) -> str:
    """A notebook's text with the fields that there are, an id for each cell, and metadata that are a dict."""
    known = ("cells", "metadata", "nbformat", "nbformat_minor")
    notebook = {key: value for key, value in json.loads(content).items() if key in known}
    seen: set[str] = set()
    for i, cell in enumerate(notebook["cells"]):
        cell_id = cell.get("id")
        if not isinstance(cell_id, str) or not CELL_ID.fullmatch(cell_id) or cell_id in seen:
            cell["id"] = f"cell-{i}"
        seen.add(cell["id"])
        if not isinstance(cell.get("metadata"), dict):
            cell["metadata"] = {}
    if not isinstance(notebook.get("metadata"), dict):
        notebook["metadata"] = {}
    return json.dumps({**notebook, "nbformat": 4, "nbformat_minor": 5})


def _without_names(content: bytes) -> str:
    """A notebook's text without the metadata that `TidyCells` sees to."""
    notebook = json.loads(_with_ids(content))
    cells = [{**cell, "metadata": {}} for cell in notebook["cells"]]
    return json.dumps({**notebook, "metadata": {}, "cells": cells})


def _holds_link(folder: Path) -> bool:
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(place) / name
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                return True
    return False
