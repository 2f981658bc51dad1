"""Everybody's marks as the gradebook has them, and a state for each person on the roster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote

import sqlalchemy as sa
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)  # fmt: skip

from autograder.course.masters import read_master
from autograder.course.roster import Person
from autograder.errors import CourseError, Ungradable
from autograder.grading.classroom import find_submissions
from autograder.grading.submission import read_bytes, read_cells
from autograder.nbgrader_door import kept
from autograder.nbgrader_door.cells import cells_of, exercise_of, notebooks_handed_in
from autograder.nbgrader_door.database import has_gradebook, opened, reading, shown_url
from autograder.nbgrader_door.late import seconds_late, write_penalties
from autograder.report.standing import Part, Standing, State

NOT_YET = "handed in, but not graded yet: run `autograder grade`"


def standings(
    url: str,
    root: Path,
    notebook: str,
    roster: Iterable[Person] = (),
    submitted: Path | None = None,
    reasons: Mapping[str, str] | None = None,
) -> list[Standing]:
    """One standing for everybody on the roster, and for whoever else has handed in, in order of their ids.

    What lateness costs is taken off anew first, by the marks as they stand now.

    Args:
        url: the gradebook.
        root: the course's folder.
        notebook: the notebook.
        roster: the class; without one it is whoever the gradebook or the folder of submissions knows.
        submitted: the folder of submissions: what lies there and has no mark is said.
        reasons: what is known otherwise of students whose work came to nothing, by their ids.

    Raises:
        CourseError: there is no gradebook, or it cannot be read.
    """
    must_exist(url, notebook)
    roster = list(roster)
    names = {person.student: person.name for person in roster}
    is_on = set(names)
    order = _order(root, notebook)
    with opened(url) as engine, engine.begin() as connection:
        write_penalties(connection, root, notebook)
        found = _graded(connection, notebook, order)
        known = _people(connection)
        _keep_names(connection, roster, {student for student, name in known if not name})
        for student, name in known:
            if not is_on or student in is_on:
                names[student] = names.get(student) or name
            else:
                one = found.get(student, Standing(student, State.WITHDRAWN))
                found[student] = replace(one, name=name)
    troubles = {**_troubles(submitted, notebook, found), **(reasons or {})}
    everybody = sorted({*found, *names, *troubles}, key=str.casefold)
    return [_standing(student, found, names, troubles, is_on) for student in everybody]


def must_exist(url: str, notebook: str) -> None:
    """Refuse to go on without a gradebook.

    Raises:
        CourseError: there is none.
    """
    if not has_gradebook(url):
        raise CourseError(
            f"there is no gradebook {shown_url(url)}, and marks leave from there alone: run `autograder grade"
            f" {notebook} --gradebook {quote(shown_url(url))}`; what is graded already is not graded again"
        )


def graded_notebooks(url: str) -> set[str]:
    """The notebooks of which the gradebook knows a submission.

    Raises:
        CourseError: there is no gradebook, or it cannot be read.
    """
    must_exist(url, "NOTEBOOK")
    with reading(url) as connection:
        return notebooks_handed_in(connection)


def _standing(
    student: str,
    found: Mapping[str, Standing],
    names: Mapping[str, str],
    troubles: Mapping[str, str],
    is_on: set[str],
) -> Standing:
    one = found.get(student, Standing(student, State.MISSING))
    one = replace(one, name=names.get(student, "") or one.name)
    if is_on and student not in is_on:
        return replace(one, state=State.WITHDRAWN, reason="not on the roster")
    if student in troubles and one.state is State.MISSING:
        return replace(one, state=State.UNGRADABLE, reason=troubles[student])
    return one


def _order(root: Path, notebook: str) -> list[str]:
    """The notebook's exercises and written questions, in its order."""
    roles = ("exercise", "written")
    return [c.name for c in read_master(root / "solutions" / notebook).cells if c.role in roles]


def _people(connection: sa.Connection) -> list[tuple[str, str]]:
    row = Student.__table__.c
    query = sa.select(row.id, row.first_name, row.last_name)
    return [(s, " ".join(part for part in names if part)) for s, *names in connection.execute(query)]


def _keep_names(connection: sa.Connection, roster: Iterable[Person], nameless: set[str]) -> None:
    """Let the gradebook know names: formgrader shows them, and whoever leaves the roster keeps one."""
    rows = []
    for person in roster:
        if person.student in nameless and person.name:
            family, _, given = (person.sortable or person.name).partition(", ")
            rows.append({"who": person.student, "given": given or None, "family": family})
    if rows:
        table = Student.__table__
        named = {"first_name": sa.bindparam("given"), "last_name": sa.bindparam("family")}
        connection.execute(sa.update(table).where(table.c.id == sa.bindparam("who")).values(named), rows)


def _graded(connection: sa.Connection, assignment: str, order: list[str]) -> dict[str, Standing]:
    """Whoever has handed in, by their ids."""
    row, owner, notebook = SubmittedAssignment.__table__, Assignment.__table__, SubmittedNotebook.__table__
    grade, cell, reason = Grade.__table__, BaseCell.__table__, kept.REASONS
    cells = cells_of(connection, assignment, assignment)
    points = cells.points if cells else {}
    comments = _comments(connection, assignment)
    parts: dict[str, dict[str, Part]] = {}
    query = sa.select(
        notebook.c.id, cell.c.name, grade.c.auto_score, grade.c.manual_score, grade.c.extra_credit,
        grade.c.needs_manual_grade,
    ).where(
        row.c.assignment_id == owner.c.id, owner.c.name == assignment, notebook.c.assignment_id == row.c.id,
        grade.c.notebook_id == notebook.c.id, grade.c.cell_id == cell.c.id,
    )  # fmt: skip
    for identity, name, auto, manual, extra, waits in connection.execute(query):
        what = exercise_of(name)
        said = comments.get((identity, what), "")
        most = points.get(name, 0.0)
        part = Part(what, most, auto, manual, extra, bool(waits and most), said)
        parts.setdefault(identity, {})[what] = part
    found = {}
    query = (
        sa.select(
            row.c.student_id, notebook.c.id, notebook.c.late_submission_penalty,
            row.c.timestamp, row.c.extension, owner.c.duedate, reason.c.reason,
        )
        .select_from(row.join(owner).join(notebook).outerjoin(reason, reason.c.notebook_id == notebook.c.id))
        .where(owner.c.name == assignment)
    )  # fmt: skip
    for student, identity, penalty, handed_in, more, due, why in connection.execute(query):
        mine = parts.get(identity, {})
        # What the gradebook has counts, also where the master has changed since.
        listed = [mine[name] for name in dict.fromkeys([*order, *mine]) if name in mine]
        waits = [part.name for part in listed if part.waits]
        is_nothing = all(part.auto is None and part.manual is None for part in listed)
        state, said = State.GRADED, ""
        if why and waits:
            state, said = State.UNGRADABLE, why
        elif is_nothing:
            state = State.MISSING  # known to the gradebook, but nothing of it was graded
        elif waits:
            state, said = State.WAITING, ", ".join(waits)
        late = seconds_late(handed_in, due, more)
        found[student] = Standing(student, state, said, "", listed, penalty or 0.0, late, handed_in)
    return found


def _comments(connection: sa.Connection, assignment: str) -> dict[tuple[str, str], str]:
    """What people wrote: (submitted notebook, exercise or question) -> text."""
    comment, cell, notebook = Comment.__table__, BaseCell.__table__, SubmittedNotebook.__table__
    row, owner = SubmittedAssignment.__table__, Assignment.__table__
    query = sa.select(comment.c.notebook_id, cell.c.name, comment.c.manual_comment).where(
        comment.c.manual_comment.is_not(None),
        comment.c.cell_id == cell.c.id,
        comment.c.notebook_id == notebook.c.id,
        notebook.c.assignment_id == row.c.id,
        row.c.assignment_id == owner.c.id,
        owner.c.name == assignment,
    )
    return {(identity, name): text for identity, name, text in connection.execute(query)}


def _troubles(submitted: Path | None, notebook: str, found: Mapping[str, Standing]) -> dict[str, str]:
    """Students whose folder holds something that has no mark, and why."""
    if submitted is None or not submitted.is_dir():
        return {}
    there, failures = find_submissions(submitted, notebook)
    troubles = {failure.student: failure.reason for failure in failures}
    for one in there:
        known = found.get(one.student)
        if known is None or known.state is State.MISSING:
            try:
                read_cells(read_bytes(one.path))
            except Ungradable as error:
                troubles[one.student] = str(error)
            else:
                troubles[one.student] = NOT_YET
    return troubles
