"""Written answers that say the same, in groups, and one mark for all of a group.

What is alike is decided by words alone: case, blanks, emphasis and the signs at a word's end make no other
answer. Formulas do: no sign inside a word is touched, and a single letter keeps its case.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from nbgrader.api import Grade, Gradebook, SubmittedAssignment, SubmittedNotebook

from autograder.course.masters import Master, mark_scheme, points_of
from autograder.course.notebook import ANSWER_PROMPT, source_notebook
from autograder.errors import CourseError, Ungradable
from autograder.grading.classroom import folder_of
from autograder.grading.submission import read_bytes, read_cells
from autograder.nbgrader_door import kept
from autograder.nbgrader_door.annotate import Annotator
from autograder.nbgrader_door.cells import cells_of
from autograder.nbgrader_door.database import opened, patient, said_in_words
from autograder.nbgrader_door.gradebook import annotated_source, batches

ID_LENGTH = 6
AROUND = "*_\"'\u2018\u2019\u201c\u201d`"
BEHIND = ".,;:?" + AROUND


@dataclass
class Alike:
    """Answers to one question that say the same.

    Args:
        question: whose.
        words: the answer without what makes no difference; "" for none.
        text: the first of them as it was written.
        students: who gave it.
        waiting: those of them whose answer waits for a person.
        marks: the marks that persons gave to others of them, each once.
    """

    question: str
    words: str
    text: str
    students: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)

    @property
    def id(self) -> str:
        """What it is called on the command line."""
        digest = hashlib.sha256(self.words.encode("utf-8", "replace")).hexdigest()
        return f"{self.question}-{digest[:ID_LENGTH]}"


def plain_words(text: str) -> str:
    """An answer without what makes no difference."""
    text = unicodedata.normalize("NFKC", text.replace("\u200b", "")).replace(ANSWER_PROMPT, " ")
    words = (word.lstrip(AROUND).rstrip(BEHIND) for word in text.split())
    return " ".join(word.casefold() if len(word) > 1 else word for word in words if word)


def alike(url: str, master: Master, submitted: Path, left_out: Callable[[str], None]) -> list[Alike]:
    """The written answers of a class in groups, question by question, those with the most waiting first.

    Args:
        url: the gradebook.
        master: the notebook.
        submitted: the folder of submissions.
        left_out: told of students whose file is not the one that was graded.

    Raises:
        CourseError: the gradebook cannot be used, or does not know the notebook.
    """
    annotator = Annotator(annotated_source(source_notebook(master)), {})
    questions = [cell.name for cell in master.cells_with("written")]
    groups: dict[tuple[str, str], Alike] = {}
    with opened(url) as engine, engine.connect() as connection:
        rows, digests, grades = _known(connection, master.name)
    for student, row in sorted(rows.items()):
        try:
            content = read_bytes(folder_of(submitted, student, master.name) / f"{master.name}.ipynb")
            read_cells(content)
        except Ungradable:
            if (row, kept.WHOLE) in digests:
                left_out(student)  # it was readable when it was graded
            continue
        texts = kept.texts_of(annotator.written(content), questions)
        if any(digests.get((row, q), None) != kept.digest_of(texts[q]) for q in questions):
            left_out(student)
            continue
        for question in questions:
            mark, waits = grades.get((row, question), (None, False))
            text = "\n\n".join(texts[question]).strip()
            key = (question, plain_words(text))
            group = groups.setdefault(key, Alike(question, key[1], text))
            group.students.append(student)
            if waits or mark is None:
                group.waiting.append(student)
            elif mark not in group.marks:
                group.marks.append(mark)
    order = {question: i for i, question in enumerate(questions)}
    return sorted(groups.values(), key=lambda g: (order[g.question], -len(g.waiting), -len(g.students), g.id))


def _known(connection: sa.Connection, notebook: str) -> tuple[dict, dict, dict]:
    """Students' submitted notebooks; hashes of the answers that were graded; marks by hand, and who waits."""
    cells = cells_of(connection, notebook, notebook)
    if cells is None:
        raise CourseError(f"the gradebook does not know the notebook {notebook}: grade it first")
    owner, row, grade = SubmittedAssignment.__table__.c, SubmittedNotebook.__table__.c, Grade.__table__.c
    query = sa.select(owner.student_id, row.id).where(
        row.assignment_id == owner.id, owner.assignment_id == cells.assignment
    )
    rows = {student: identity for student, identity in connection.execute(query)}
    names = {identity: name for name, identity in cells.task.items()}
    query = sa.select(grade.notebook_id, grade.cell_id, grade.manual_score, grade.needs_manual_grade).where(
        grade.cell_id.in_(list(names))
    )
    grades = {(n, names[cell]): (mark, waits) for n, cell, mark, waits in connection.execute(query)}
    digests: dict[tuple[str, str], str] = {}
    for some in batches(rows.values()):
        digests |= kept.digests_before(connection, some)
    return rows, digests, grades


def scheme_of(master: Master, question: str) -> str:
    """The mark scheme of a written question."""
    return next(mark_scheme(c.source) for c in master.cells_with("written") if c.name == question)


def mark_group(url: str, master: Master, group: Alike, points: float, comment: str = "") -> list[str]:
    """Give a mark by hand to all of a group who wait for one, through nbgrader's own interface.

    Whom a person has marked already keeps that mark.

    Returns:
        The students who got it.

    Raises:
        CourseError: more points than the question has, or less than none; or the gradebook cannot be used.
    """
    most = next(points_of(c) for c in master.cells_with("written") if c.name == group.question)
    if not 0 <= points <= most:
        raise CourseError(f"{group.question} has {most:g} points: {points:g} cannot be given")
    name = master.name
    with said_in_words(url), Gradebook(patient(url)) as gradebook:
        for student in group.waiting:
            mark: Any = gradebook.find_grade(group.question, name, name, student)
            mark.manual_score, mark.needs_manual_grade = points, False
            if comment:
                said: Any = gradebook.find_comment(group.question, name, name, student)
                said.manual_comment = comment
        gradebook.db.commit()
    return group.waiting
