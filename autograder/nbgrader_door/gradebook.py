"""Marks into nbgrader's own gradebook, in bulk, and the annotated notebooks beside it.

One transaction a batch. Manual marks are never touched; where the answer is another one, they are flagged.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import sqlalchemy as sa
from nbconvert.exporters.exporter import ResourcesDict
from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autograder.course.masters import read_master
from autograder.course.notebook import release_notebook, source_notebook
from autograder.course.places import hide, write_whole
from autograder.errors import CourseError, Ungradable
from autograder.grading.classroom import STAMP, folder_of
from autograder.grading.submission import read_bytes
from autograder.nbgrader_door import kept
from autograder.nbgrader_door.annotate import Annotator
from autograder.nbgrader_door.changes import Changed, changed, totals
from autograder.nbgrader_door.follow import FollowCells, Followed, exercise_of
from autograder.nbgrader_door.late import write_penalties
from autograder.record import Record

log = logging.getLogger("autograder")

BATCH = 500
# What nbgrader's exchange puts beside a notebook, and how long it may be.
SECRET, MOST_TOLD = "submission_secret.txt", 1000
LOCKED_SECONDS = 60


@dataclass(frozen=True)
class Cells:
    """A notebook's rows in the gradebook, by name, and the cells its grades belong to."""

    assignment: str
    notebook: str
    check: dict[str, str]
    solution: dict[str, str]
    task: dict[str, str]


@dataclass
class Written:
    """What a grading wrote into the gradebook.

    Args:
        students: how many students' marks.
        followed: how the gradebook followed a change of the notebook, if it had to.
        changed: whose mark is another one than before.
        look_again: marks by hand whose answer is another one now, in words.
    """

    students: int = 0
    followed: Followed | None = None
    changed: list[Changed] = field(default_factory=list)
    look_again: list[str] = field(default_factory=list)


def write_marks(
    url: str,
    root: Path,
    folder: Path,
    records: Iterator[Record],
    submitted: Path | None = None,
    autograded: Path | None = None,
    is_graded: Callable[[str, bytes], bool] = lambda student, content: True,
    failures: Mapping[str, str] | None = None,
    due: datetime | None = None,
) -> Written:
    """Write the marks of graded submissions, and the notebooks that formgrader shows.

    Args:
        url: the gradebook, `sqlite:///gradebook.db` or `postgresql+psycopg2://...`.
        root: the course's folder.
        folder: the master's folder.
        records: records of one notebook.
        submitted: where the submissions are; without it no annotated notebooks are written.
        autograded: nbgrader's folder for annotated notebooks.
        is_graded: whether a student's record is of these bytes; a file can be replaced in the meantime.
        failures: students whose submission could not be graded, and why: no automatic mark of theirs stays.
        due: the moment after which a submission is late, in UTC; without it, the one that the gradebook has.

    Raises:
        CourseError: the gradebook cannot be reached or is locked; nothing of the batch is written.
    """
    master = read_master(folder)
    source = source_notebook(master)
    hints = {name: exercise.spec.hints for name, exercise in master.exercises.items()}
    written = Written()
    with said_in_words(url):
        written.followed = followed = register(patient(url), root, folder.name)
    changes = followed.changes if followed else {}
    with opened(url) as engine:
        address = _address(url)
        if address.get_backend_name() == "sqlite" and address.database:
            hide(Path(address.database))
        before_engine = sa.create_engine(f"sqlite:///{followed.backup}") if followed else engine
        with engine.begin() as connection:
            cells = _cells(connection, folder.name)
            if due:
                table = AssignmentRow.__table__
                connection.execute(sa.update(table).where(table.c.id == cells.assignment).values(duedate=due))
        annotator = Annotator(_annotated_source(source), hints)
        while batch := list(islice(records, BATCH)):
            digests = {}
            for record in batch if submitted else []:
                try:
                    content = _graded_content(record, submitted or Path(), is_graded)
                except Ungradable as error:
                    # Its marks are written all the same, and the others' too.
                    log.warning("%s: no notebook for formgrader: %s", record.student, error)
                    continue
                digests[record.student] = kept.digests_of(
                    annotator.written(content), cells.task, cells.solution
                )
                if autograded and submitted:
                    _write_annotated(annotator, record, content, autograded, submitted)
            students = [record.student for record in batch]
            with before_engine.connect() as connection:
                before = totals(connection, folder.name, students)
            with engine.begin() as connection:
                again = _write_batch(connection, cells, batch, submitted, digests)
                write_penalties(connection, root, folder.name, students)
                after = totals(connection, folder.name, students)
            written.students += len(batch)
            written.look_again += again.look_again
            written.changed += changed(before, after, again.handed_in_again, changes)
        for some in _batches(sorted((failures or {}).items())):
            with before_engine.connect() as connection:
                before = totals(connection, folder.name, [student for student, _ in some])
            with engine.begin() as connection:
                _write_failures(connection, cells, dict(some))
                write_penalties(connection, root, folder.name, [student for student, _ in some])
                after = totals(connection, folder.name, [student for student, _ in some])
            written.changed += [
                Changed(one.student, one.before, one.after, f"could not be graded: {dict(some)[one.student]}")
                for one in changed(before, after, set(), changes)
            ]
        before_engine.dispose()
    written.changed.sort(key=lambda one: one.student)
    return written


def _batches(rows: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


@contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    """An engine on the gradebook, with the tables of ours in it.

    Raises:
        CourseError: the gradebook cannot be reached or is locked.
    """
    with said_in_words(url):
        engine = _engine(patient(url))
        with engine.begin() as connection:
            kept.tables.create_all(connection)
        yield engine
        engine.dispose()


@contextmanager
def reading(url: str) -> Iterator[sa.Connection]:
    """A connection to the gradebook as it is.

    Raises:
        CourseError: the gradebook cannot be reached or is locked.
    """
    with said_in_words(url):
        engine = sa.create_engine(patient(url))
        with engine.connect() as connection:
            yield connection
        engine.dispose()


@contextmanager
def said_in_words(url: str) -> Iterator[None]:
    """What a database refuses is said in a sentence, without what opens it.

    Raises:
        CourseError: it refused something.
    """
    address = _address(url)
    try:
        yield
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        raise CourseError(
            f"the gradebook {shown_url(url)} cannot be used: {_without_secrets(reason, address)}; "
            "the grades are kept in the journal: run the same command again, and nothing is graded twice"
        ) from None


def sqlite_address(path: Path) -> str:
    """The address of a gradebook in a file, whatever signs (`?`, `%20`) its path holds.

    Raises:
        CourseError: no address names that file.
    """
    for name in (str(path), quote(str(path))):
        address = _address(f"sqlite:///{name}")
        if address.database == str(path) and not address.query:
            return f"sqlite:///{name}"
    raise CourseError(f"{path} cannot be named in a database's address; use a folder without such signs")


def has_gradebook(url: str) -> bool:
    """Whether there is something at a gradebook's address; of a server it is believed."""
    address = _address(url)
    return address.get_backend_name() != "sqlite" or Path(address.database or "").is_file()


def shown_url(url: str) -> str:
    """A gradebook's address without what opens it: no password, no further options.

    Raises:
        CourseError: it is no address.
    """
    return _address(url).set(query={}).render_as_string(hide_password=True)


def _address(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except (SQLAlchemyError, ValueError):
        raise CourseError(
            "the gradebook's address cannot be read; it should look like sqlite:///gradebook.db or "
            "postgresql+psycopg2://name:password@host/database"
        ) from None


def _without_secrets(text: str, address: sa.URL) -> str:
    """A database's or a driver's text without what opens the gradebook."""
    secrets = [address.password, *(v for k, v in address.query.items() if "pass" in k.lower())]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return text


def patient(url: str) -> str:
    """The address with a minute's patience for a locked file, unless it says how long to wait."""
    if not url.startswith("sqlite") or "timeout=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}timeout={LOCKED_SECONDS}"


def _engine(url: str) -> sa.Engine:
    """An engine whose transactions on SQLite lock the file at their beginning.

    Two graders of different notebooks then wait for each other; otherwise both could read that a student
    is missing, and the second to insert one would fail.
    """
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def leave_transactions_to_us(connection: Any, _: Any) -> None:
            connection.isolation_level = None

        @event.listens_for(engine, "begin")
        def lock(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def put_tools_on_path() -> None:
    """Let nbgrader find `alembic`, which it starts by name, where no environment is activated."""
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", os.defpath)])


def register(url: str, root: Path, assignment: str) -> Followed | None:
    """Make sure that the gradebook knows the notebook's cells (what `generate_assignment` does).

    Returns:
        How the gradebook followed a change of a notebook that was handed in already; None without one.
    """
    put_tools_on_path()
    notebook = source_notebook(read_master(root / "solutions" / assignment))
    from nbgrader.preprocessors import ComputeChecksums, LockCells  # noqa: PLC0415

    from autograder.course.stub_solutions import StubSolutions  # noqa: PLC0415

    with Gradebook(url) as gradebook:
        gradebook.update_or_create_assignment(assignment)
    names = {"notebook": assignment, "assignment": assignment, "db_url": url}
    resources = ResourcesDict(nbgrader=names)
    FollowCells.followed = None
    for step in (LockCells, StubSolutions, ComputeChecksums, FollowCells):
        notebook, resources = step().preprocess(notebook, resources)
    return FollowCells.followed


def _annotated_source(source: Any) -> dict[str, Any]:
    """The instructor's cells as formgrader should show them: no solutions, but the mark schemes."""
    released = release_notebook(source)
    for cell, original in zip(released.cells, source.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("task"):
            cell.source = original.source
    return json.loads(json.dumps(released))


def _cells(connection: sa.Connection, assignment: str) -> Cells:
    row = connection.execute(
        sa.select(AssignmentRow.__table__.c.id, Notebook.__table__.c.id)
        .join(Notebook.__table__)
        .where(AssignmentRow.__table__.c.name == assignment, Notebook.__table__.c.name == assignment)
    ).first()
    if row is None:
        raise CourseError(f"the gradebook does not know the notebook {assignment}")
    found: dict[str, dict[str, str]] = {"GradeCell": {}, "SolutionCell": {}, "TaskCell": {}}
    base = BaseCell.__table__
    for identity, name, kind in connection.execute(
        sa.select(base.c.id, base.c.name, base.c.type).where(base.c.notebook_id == row[1])
    ):
        found.setdefault(kind, {})[name] = identity
    return Cells(row[0], row[1], found["GradeCell"], found["SolutionCell"], found["TaskCell"])


def _graded_content(record: Record, submitted: Path, is_graded: Callable[[str, bytes], bool]) -> bytes:
    """The bytes that a record is of.

    Raises:
        Ungradable: they are not there any more.
    """
    name = record.assignment
    content = read_bytes(folder_of(submitted, record.student, name) / f"{name}.ipynb")
    if not is_graded(record.student, content):
        raise Ungradable("its file was replaced after it was graded; run the same command again")
    return content


def _write_annotated(
    annotator: Annotator, record: Record, content: bytes, autograded: Path, submitted: Path
) -> None:
    """Write what formgrader shows, and what `nbgrader release_feedback` looks for beside it.

    A file takes the place of the one before: nbgrader leaves its own without a right to write them.
    """
    folder = autograded / record.student / record.assignment
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{record.assignment}.ipynb", annotator.annotate(content, record).encode())
    for name in (STAMP, SECRET):
        try:
            told = read_bytes(folder_of(submitted, record.student, record.assignment) / name, most=MOST_TOLD)
        except Ungradable:
            continue  # not handed in through nbgrader's exchange, or nothing that could be read
        write_whole(folder / name, told)


@dataclass
class _Again:
    """What a batch found on the way: who answered anew, and which marks by hand were for another answer."""

    look_again: list[str] = field(default_factory=list)
    handed_in_again: set[str] = field(default_factory=set)


def _write_batch(
    connection: sa.Connection,
    cells: Cells,
    batch: list[Record],
    submitted: Path | None,
    digests: Mapping[str, Mapping[str, str]],
) -> _Again:
    """One transaction: rows that are missing are inserted, automatic marks are written."""
    by_student = _rows_of(connection, cells, [record.student for record in batch])
    _write_timestamps(connection, cells, batch, submitted)
    again = _look_again(connection, cells, by_student, digests)
    _write_scores(connection, cells, by_student, batch)
    kept.keep_reasons(connection, dict.fromkeys(by_student.values(), ""))
    kept.keep_answers(connection, {by_student[student]: found for student, found in digests.items()})
    return again


def _rows_of(connection: sa.Connection, cells: Cells, students: list[str]) -> dict[str, str]:
    """The submitted notebooks of students, with an empty mark of every cell where there was none."""
    _insert_missing(connection, Student.__table__, "id", students, lambda s: {"id": s, "lms_user_id": None})
    assignments = _submitted(
        connection, SubmittedAssignment.__table__, "student_id", students, "assignment_id", cells.assignment
    )
    notebooks = _submitted(
        connection,
        SubmittedNotebook.__table__,
        "assignment_id",
        [assignments[s] for s in students],
        "notebook_id",
        cells.notebook,
    )
    by_student = {s: notebooks[assignments[s]] for s in students}
    graded = [*cells.check.values(), *cells.task.values()]
    _insert_pairs(connection, Grade.__table__, by_student, graded, {"needs_manual_grade": True})
    _insert_pairs(
        connection, Comment.__table__, by_student, [*cells.solution.values(), *cells.task.values()], {}
    )
    return by_student


def _look_again(
    connection: sa.Connection,
    cells: Cells,
    by_student: Mapping[str, str],
    digests: Mapping[str, Mapping[str, str]],
) -> _Again:
    """Marks by hand whose answer is another one now ask for another look."""
    before = kept.answers_before(connection, [by_student[student] for student in digests])
    again, grade, rows = _Again(), Grade.__table__, []
    for student, found in digests.items():
        row = by_student[student]
        other = {name for name, digest in found.items() if before.get((row, name), digest) != digest}
        if not other:
            continue
        again.handed_in_again.add(student)
        names = {**cells.task, **{exercise_of(name): identity for name, identity in cells.check.items()}}
        marks = connection.execute(
            sa.select(grade.c.cell_id, grade.c.manual_score).where(
                grade.c.notebook_id == by_student[student],
                grade.c.cell_id.in_([names[name] for name in other if name in names]),
                grade.c.manual_score.is_not(None),
            )
        )
        by_hand = {identity: mark for identity, mark in marks}
        for name in sorted(other & names.keys()):
            if names[name] in by_hand:
                rows.append({"n": by_student[student], "c": names[name]})
                mark = by_hand[names[name]]
                again.look_again.append(
                    f"{student}: {name} was answered anew; its mark, {mark:g}, is for the old one"
                )
    if rows:
        connection.execute(
            sa.update(grade)
            .where(grade.c.notebook_id == sa.bindparam("n"), grade.c.cell_id == sa.bindparam("c"))
            .values(needs_manual_grade=True),
            rows,
        )
    return again


def _write_failures(connection: sa.Connection, cells: Cells, failures: Mapping[str, str]) -> None:
    """No automatic mark where nothing could be graded; a person is asked to look, once for each reason."""
    by_student = _rows_of(connection, cells, list(failures))
    table = kept.REASONS
    query = sa.select(table).where(table.c.notebook_id.in_(list(by_student.values())))
    known = {row.notebook_id: row.reason for row in connection.execute(query)}
    new = [by_student[s] for s, reason in failures.items() if known.get(by_student[s]) != reason]
    grade = Grade.__table__
    connection.execute(
        sa.update(grade).where(grade.c.notebook_id.in_(new)).values(auto_score=None, needs_manual_grade=True)
    )
    kept.keep_reasons(connection, {by_student[student]: reason for student, reason in failures.items()})


def _insert_missing(connection: sa.Connection, table: Any, key: str, values: list[str], row: Any) -> None:
    known = set(connection.scalars(sa.select(table.c[key]).where(table.c[key].in_(values))))
    rows = [row(value) for value in values if value not in known]
    if rows:
        connection.execute(sa.insert(table), rows)


def _submitted(
    connection: sa.Connection, table: Any, key: str, values: list[str], other: str, other_value: str
) -> dict[str, str]:
    """Ids of the submitted assignments (or notebooks) by student (or assignment); made if missing."""
    query = sa.select(table.c[key], table.c.id).where(table.c[key].in_(values), table.c[other] == other_value)
    known = dict(tuple(row) for row in connection.execute(query))
    rows = [{"id": uuid4().hex, key: v, other: other_value} for v in values if v not in known]
    if rows:
        if "flagged" in table.c:
            rows = [{**row, "flagged": False} for row in rows]
        connection.execute(sa.insert(table), rows)
    return known | {row[key]: row["id"] for row in rows}


def _write_timestamps(
    connection: sa.Connection, cells: Cells, batch: list[Record], submitted: Path | None
) -> None:
    if not submitted:
        return
    table = SubmittedAssignment.__table__
    rows = []
    for record in batch:
        moment = _timestamp(folder_of(submitted, record.student, record.assignment) / STAMP)
        if moment:
            rows.append({"student": record.student, "moment": moment})
    if rows:
        connection.execute(
            sa.update(table)
            .where(table.c.student_id == sa.bindparam("student"), table.c.assignment_id == cells.assignment)
            .values(timestamp=sa.bindparam("moment")),
            rows,
        )


def _timestamp(path: Path) -> datetime | None:
    """The moment of a submission in UTC, as nbgrader writes it; None if there is none."""
    from nbgrader.utils import parse_utc  # noqa: PLC0415

    try:
        moment = parse_utc(read_bytes(path, most=100).decode("utf-8").strip())
    except (Ungradable, ValueError, OverflowError, TypeError):
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _insert_pairs(
    connection: sa.Connection, table: Any, notebooks: dict[str, str], cells: list[str], values: dict[str, Any]
) -> None:
    """A row for every pair of notebook and cell that has none yet."""
    query = sa.select(table.c.notebook_id, table.c.cell_id).where(
        table.c.notebook_id.in_(list(notebooks.values()))
    )
    known = {tuple(row) for row in connection.execute(query)}
    rows = [
        {"id": uuid4().hex, "notebook_id": notebook, "cell_id": cell, **values}
        for notebook in notebooks.values()
        for cell in cells
        if (notebook, cell) not in known
    ]
    if rows:
        connection.execute(sa.insert(table), rows)


def _write_scores(
    connection: sa.Connection, cells: Cells, notebooks: dict[str, str], batch: list[Record]
) -> None:
    """Automatic marks; a mark that a person gave stays, and is flagged where the grader's is another."""
    grade = Grade.__table__
    scores = [
        {"n": notebooks[r.student], "c": cells.check[f"check_{mark.name}"], "score": mark.score}
        for r in batch
        for mark in r.marks
    ]
    if scores:
        connection.execute(
            sa.update(grade)
            .where(grade.c.notebook_id == sa.bindparam("n"), grade.c.cell_id == sa.bindparam("c"))
            .values(
                auto_score=sa.bindparam("score"),
                needs_manual_grade=grade.c.manual_score.is_not(None)
                & (
                    grade.c.needs_manual_grade
                    | grade.c.auto_score.is_distinct_from(sa.bindparam("score", type_=sa.Float()))
                ),
            ),
            scores,
        )
    comment = Comment.__table__
    comments = [
        {
            "n": notebooks[r.student],
            "c": cells.solution[mark.name],
            "text": "No response." if mark.judgement.status == "unanswered" else None,
        }
        for r in batch
        for mark in r.marks
    ]
    if comments:
        connection.execute(
            sa.update(comment)
            .where(comment.c.notebook_id == sa.bindparam("n"), comment.c.cell_id == sa.bindparam("c"))
            .values(auto_comment=sa.bindparam("text")),
            comments,
        )
