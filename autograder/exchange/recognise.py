"""Which notebook of the course a file is, by its content, whatever it is called; and whether it has answers.

Nothing of a submission is run here.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.handwritten import course_of, grading_of, text_of
from autograder.course.masters import read_master
from autograder.course.notebook import ANSWER_PROMPT, PROMPT_ID, source_cells
from autograder.course.stubs import is_stub
from autograder.errors import Ungradable
from autograder.grading.submission import read_cells

KINDS = (
    (b"%PDF", "a PDF"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"PK\x03\x04", "a zip"), (b"Rar!", "a RAR archive; zip it instead"),
    (b"7z\xbc\xaf", "a 7z archive; zip it instead"), (b"\x1f\x8b", "a gz archive; zip it instead"),
    (b"<", "a web page (HTML)"),
)  # fmt: skip
# Nothing that a release asks for is so long before it is answered; a parser needs seconds for much more.
MOST_OF_A_STUB = 8000


@dataclass(frozen=True)
class Looked:
    """What a file is.

    Args:
        notebook: the notebook of the course, "" for anything else.
        answers: how many of its exercises and questions have an answer.
        words: what it looks like, for a person.
    """

    notebook: str
    answers: int
    words: str


class Recogniser:
    """Tells the notebooks of a course from each other.

    Args:
        folders: the masters' folders.
    """

    def __init__(self, folders: Iterable[Path]):
        self._exercises: dict[str, dict[str, str]] = {}  # with what stands in each to be mended
        self._grade_ids: dict[str, set[str]] = {}
        self._by_cell: dict[str, dict[str, str]] = {}
        for folder in folders:
            master = read_master(folder)
            cells = source_cells(master)
            graded = {
                c["id"]: c["metadata"]["nbgrader"]["grade_id"] for c in cells if "nbgrader" in c["metadata"]
            }
            self._exercises[master.name] = {
                name: exercise.spec.stands for name, exercise in master.exercises.items()
            }
            self._grade_ids[master.name] = set(graded.values())
            self._by_cell[master.name] = graded

    @property
    def names(self) -> list[str]:
        """The notebooks that it knows."""
        return list(self._exercises)

    def look(self, content: bytes) -> Looked:
        """What a file is."""
        try:
            read_cells(content)
        except Ungradable as error:
            return Looked("", 0, kind_of(content) or str(error))
        notebook = json.loads(content.decode("utf-8-sig"))
        cells = [_plain(cell) for cell in notebook["cells"] if isinstance(cell, dict)]
        name = self._name(notebook, cells)
        if not name:
            return Looked("", 0, "a notebook, but none of this course's")
        answers = self._answers(name, cells)
        blank = "" if answers else ", without an answer"
        return Looked(name, answers, f"a notebook of {name}{blank}")

    def _name(self, notebook: dict[str, Any], cells: list[dict[str, Any]]) -> str:
        """By what it says itself, else by grade ids, by its cells' ids, by the functions that it defines."""
        found = {cell["grade_id"] for cell in cells} - {""}
        ids = {cell["id"] for cell in cells}
        defined = {
            name
            for cell in cells
            for name in re.findall(r"^def (\w+)\(", cell["source"], re.M)
            if cell["code"]
        }
        shares = {
            name: (
                len(found & known) / len(known) if known else 0.0,
                len(ids & self._by_cell[name].keys()) / max(1, len(self._by_cell[name])),
                len(defined & self._exercises[name].keys()) / max(1, len(self._exercises[name])),
            )
            for name, known in self._grade_ids.items()
        }
        said = course_of(notebook)["assignment"] if isinstance(notebook.get("metadata"), dict) else ""
        if any(shares.get(said, ())):
            return said
        best = max(shares, key=lambda name: (max(shares[name]), shares[name]), default="")
        return best if best and max(shares[best]) >= 0.3 else ""

    def _answers(self, name: str, cells: list[dict[str, Any]]) -> int:
        answered = set()
        for cell in cells:
            grade_id = cell["grade_id"] or self._by_cell[name].get(cell["id"], "")
            for exercise, stands in self._exercises[name].items():
                if exercise in answered or grade_id not in ("", exercise):
                    continue
                if f"def {exercise}(" in cell["source"] or grade_id == exercise:
                    answered |= {exercise} if _is_answer(cell["source"], exercise, stands) else set()
            if cell["id"].startswith(PROMPT_ID) and cell["source"].strip() not in ("", ANSWER_PROMPT):
                answered.add(cell["id"])
        return len(answered)


def _plain(cell: dict[str, Any]) -> dict[str, Any]:
    return {
        "source": text_of(cell) or "",
        "grade_id": grading_of(cell).get("grade_id", ""),
        "id": str(cell.get("id", "")),
        "code": cell.get("cell_type") == "code",
    }


def _is_answer(source: str, exercise: str, stands: str) -> bool:
    """Whether an answer's cell holds more than the stub; half a line that is no Python is an answer too."""
    if not source.strip():
        return False
    if len(source) > MOST_OF_A_STUB:
        return True
    try:
        return not is_stub(ast.parse(source), exercise, stands)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True


def kind_of(content: bytes) -> str:
    """What a file is that is no notebook, by its first bytes; "" where they do not tell."""
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    return next((words for start, words in KINDS if head.startswith(start)), "")
