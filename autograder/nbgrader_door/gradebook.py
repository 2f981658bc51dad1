"""Marks into nbgrader's own gradebook, in bulk, and the annotated notebooks beside it.

One transaction a batch. Manual marks are never touched.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
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
from autograder.course.places import hide
from autograder.errors import CourseError, Ungradable
from autograder.grading.submission import read_bytes
from autograder.nbgrader_door.annotate import Annotator
from autograder.record import Record

log = logging.getLogger("autograder")

BATCH = 500
LOCKED_SECONDS = 60


@dataclass(frozen=True)
class Cells:
    """A notebook's rows in the gradebook, by name, and the cells its grades belong to."""

    assignment: str
    notebook: str
    check: dict[str, str]
    solution: dict[str, str]
    task: dict[str, str]


def write_marks(
    url: str,
    root: Path,
    folder: Path,
    records: Iterator[Record],
    submitted: Path | None = None,
    autograded: Path | None = None,
    is_graded: Callable[[str, bytes], bool] = lambda student, content: True,
) -> int:
    """Write the marks of graded submissions, and the notebooks that formgrader shows.

    Args:
        url: the gradebook, `sqlite:///gradebook.db` or `postgresql+psycopg2://...`.
        root: the course's folder.
        folder: the master's folder.
        records: records of one notebook.
        submitted: where the submissions are; without it no annotated notebooks are written.
        autograded: nbgrader's folder for annotated notebooks.
        is_graded: whether a student's record is of these bytes; a file can be replaced in the meantime.

    Returns:
        How many students' marks were written.

    Raises:
        CourseError: the gradebook cannot be reached or is locked; nothing of the batch is written.
    """
    master = read_master(folder)
    source = source_notebook(master)
    hints = {name: exercise.spec.hints for name, exercise in master.exercises.items()}
    address = _address(url)
    try:
        url = patient(url)
        register(url, root, folder.name)
        engine = _engine(url)
        if address.get_backend_name() == "sqlite" and address.database:
            hide(Path(address.database))
        with engine.connect() as connection:
            cells = _cells(connection, folder.name)
        annotator = Annotator(_annotated_source(source), hints) if submitted else None
        written = 0
        while batch := list(islice(records, BATCH)):
            if annotator and submitted and autograded:
                for record in batch:
                    try:
                        content = _graded_content(record, submitted, is_graded)
                    except Ungradable as error:
                        # Its marks are written all the same, and the others' too.
                        log.warning("%s: no notebook for formgrader: %s", record.student, error)
                    else:
                        _write_annotated(annotator, record, content, autograded)
            with engine.begin() as connection:
                _write_batch(connection, cells, batch, submitted)
            written += len(batch)
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        raise CourseError(
            f"the gradebook {shown_url(url)} cannot be written: {_without_secrets(reason, address)}; "
            "the grades are kept in the journal: run the same command again, and nothing is graded twice"
        ) from None
    return written


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


def register(url: str, root: Path, assignment: str) -> None:
    """Make sure that the gradebook knows the notebook's cells (what `generate_assignment` does)."""
    put_tools_on_path()
    notebook = source_notebook(read_master(root / "solutions" / assignment))
    graded = (cell.metadata.get("nbgrader", {}) for cell in notebook.cells)
    wanted = {meta["grade_id"] for meta in graded if meta}
    with Gradebook(url) as gradebook:
        # All of its cells, not only its name: a run may have been killed between the two.
        cell, row, owner = BaseCell.__table__.c, Notebook.__table__.c, AssignmentRow.__table__.c
        known = gradebook.db.scalars(
            sa.select(cell.name).where(
                cell.notebook_id == row.id, row.assignment_id == owner.id, owner.name == assignment
            )
        )
        if wanted <= set(known):
            return
    from nbgrader.preprocessors import ComputeChecksums, LockCells, SaveCells  # noqa: PLC0415

    with Gradebook(url) as gradebook:
        gradebook.update_or_create_assignment(assignment)
    names = {"notebook": assignment, "assignment": assignment, "db_url": url}
    resources = ResourcesDict(nbgrader=names)
    from autograder.course.stub_solutions import StubSolutions  # noqa: PLC0415

    for step in (LockCells, StubSolutions, ComputeChecksums, SaveCells):
        notebook, resources = step().preprocess(notebook, resources)


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
    content = read_bytes(submitted / record.student / name / f"{name}.ipynb")
    if not is_graded(record.student, content):
        raise Ungradable("its file was replaced after it was graded; run the same command again")
    return content


def _write_annotated(annotator: Annotator, record: Record, content: bytes, autograded: Path) -> None:
    """Write what formgrader shows; nbgrader leaves its own files without a right to write them."""
    folder = autograded / record.student / record.assignment
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.assignment}.ipynb"
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(annotator.annotate(content, record), "utf-8")
    draft.replace(path)


def _write_batch(
    connection: sa.Connection, cells: Cells, batch: list[Record], submitted: Path | None
) -> None:
    """One transaction: rows that are missing are inserted, automatic marks are written."""
    students = [record.student for record in batch]
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
    _write_timestamps(connection, cells, assignments, batch, submitted)
    by_student = {s: notebooks[assignments[s]] for s in students}
    graded = [*cells.check.values(), *cells.task.values()]
    _insert_pairs(connection, Grade.__table__, by_student, graded, {"needs_manual_grade": True})
    _insert_pairs(
        connection, Comment.__table__, by_student, [*cells.solution.values(), *cells.task.values()], {}
    )
    _write_scores(connection, cells, by_student, batch)


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
    connection: sa.Connection,
    cells: Cells,
    assignments: dict[str, str],
    batch: list[Record],
    submitted: Path | None,
) -> None:
    if not submitted:
        return
    table = SubmittedAssignment.__table__
    rows = []
    for record in batch:
        path = submitted / record.student / record.assignment / "timestamp.txt"
        moment = _timestamp(path)
        if moment:
            rows.append({"row": assignments[record.student], "moment": moment})
    if rows:
        connection.execute(
            sa.update(table)
            .where(table.c.id == sa.bindparam("row"))
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
    """Automatic marks; a mark that a person gave stays, and then asks for another look."""
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
            .values(auto_score=sa.bindparam("score"), needs_manual_grade=grade.c.manual_score.is_not(None)),
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
