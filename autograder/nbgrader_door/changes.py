"""Whose mark is another one than before a grading, by how much, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook

from autograder.nbgrader_door.cells import exercise_of


@dataclass(frozen=True)
class Changed:
    """A student whose mark is another one than before.

    Args:
        student: whose.
        before, after: the marks, lateness taken off.
        why: in words.
    """

    student: str
    before: float
    after: float
    why: str


@dataclass(frozen=True)
class Total:
    """A student's marks as they stand: of each cell, what counts, and what lateness costs."""

    scores: dict[str, float]
    penalty: float

    @property
    def mark(self) -> float:
        """The mark, lateness taken off."""
        return round(max(0.0, sum(self.scores.values()) - self.penalty), 4)


def totals(connection: sa.Connection, assignment: str, students: list[str]) -> dict[str, Total]:
    """The marks as they stand, of those of the students who have any."""
    row, owner, notebook = SubmittedAssignment.__table__, Assignment.__table__, SubmittedNotebook.__table__
    grade, cell = Grade.__table__, BaseCell.__table__
    given = sa.func.coalesce(grade.c.manual_score, grade.c.auto_score)
    query = sa.select(
        row.c.student_id, cell.c.name, given, grade.c.extra_credit, notebook.c.late_submission_penalty
    ).where(
        row.c.assignment_id == owner.c.id,
        owner.c.name == assignment,
        row.c.student_id.in_(students),
        notebook.c.assignment_id == row.c.id,
        grade.c.notebook_id == notebook.c.id,
        grade.c.cell_id == cell.c.id,
    )
    found: dict[str, Total] = {}
    has_mark = set()
    for student, name, mark, extra, penalty in connection.execute(query).all():
        total = found.setdefault(student, Total({}, penalty or 0.0))
        total.scores[exercise_of(name)] = (mark or 0.0) + (extra or 0.0)
        if mark is not None:
            has_mark.add(student)
    return {student: total for student, total in found.items() if student in has_mark}


def changed(
    before: Mapping[str, Total],
    after: Mapping[str, Total],
    handed_in_again: set[str],
    followed: Mapping[str, str],
) -> list[Changed]:
    """Whose marks are other ones than before, and why.

    Args:
        before: the marks by student, as they stood.
        after: as they stand.
        handed_in_again: students whose answers are other ones than before.
        followed: what became of exercises in the meantime, in words, by their names.
    """
    found = []
    for student, old in before.items():
        new = after.get(student, Total({}, 0.0))
        if old.mark == new.mark and old.scores == new.scores:
            continue
        other = [n for n in dict.fromkeys([*old.scores, *new.scores]) if _differs(old, new, n)]
        why = [followed[name] for name in other if name in followed]
        rest = [name for name in other if name not in followed]
        if rest:
            parts = ", ".join(f"{n} {old.scores.get(n, 0.0):g} → {new.scores.get(n, 0.0):g}" for n in rest)
            is_again = student in handed_in_again
            why.append(f"{'handed in again' if is_again else 'its checks or the grader changed'} ({parts})")
        if old.penalty != new.penalty:
            why.append(f"lateness costs {new.penalty:g} points, not {old.penalty:g}")
        found.append(Changed(student, old.mark, new.mark, "; ".join(why)))
    return found


def _differs(old: Total, new: Total, name: str) -> bool:
    return old.scores.get(name, 0.0) != new.scores.get(name, 0.0)
