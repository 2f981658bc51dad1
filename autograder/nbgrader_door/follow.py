"""The gradebook follows the course: points changed, exercises added, dropped, taken away in mid-semester.

nbgrader refuses to add or remove cells once there are submissions. Here a backup is made beside the gradebook
first, and the change is made; what it does to each mark is the next grading's to write and to tell.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from nbformat.notebooknode import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, SourceCell, SubmittedNotebook
from nbgrader.preprocessors import SaveCells

from autograder.course.places import hide
from autograder.nbgrader_door.cells import KINDS, Cells, cells_of, exercise_of
from autograder.nbgrader_door.database import engine_on

BACKUP = "before"


@dataclass(frozen=True)
class Followed:
    """What changed in the gradebook's idea of a notebook.

    Args:
        backup: where the gradebook stands as it was.
        changes: name of an exercise or a question -> what became of it, in words.
        lost: marks by hand that only the backup has now, in words.
    """

    backup: Path
    changes: dict[str, str]
    lost: list[str]


class FollowCells(SaveCells):
    """nbgrader's step that saves a notebook's cells; with submissions there it makes room for the change."""

    followed: Followed | None = None  # how, where there was a change

    def _create_notebook(self, nb: NotebookNode) -> None:
        kinds = ("GradeCell", self.new_grade_cells), ("SolutionCell", self.new_solution_cells)
        wanted = {
            (kind, name): info.get("max_score")
            for kind, new in (*kinds, ("TaskCell", self.new_task_cells))
            for name, info in new.items()
        }
        with self.gradebook.engine.connect() as connection:
            cells = cells_of(connection, self.assignment_id, self.notebook_id)
            has_submissions = cells and connection.scalar(
                sa.select(sa.func.count())
                .select_from(SubmittedNotebook.__table__)
                .where(SubmittedNotebook.__table__.c.notebook_id == cells.notebook)
            )
        if cells and has_submissions:
            self._follow(cells, wanted)
        super()._create_notebook(nb)

    def _follow(self, cells: Cells, wanted: Mapping[tuple[str, str], float | None]) -> None:
        """Make room for the change, if there is one."""
        changes = _changes({key: points for key, (_, points) in cells.found.items()}, wanted)
        if not changes and cells.found.keys() == wanted.keys():
            return
        self.gradebook.db.commit()
        backup = back_up(self.gradebook.engine, self.assignment_id)
        sources = {name: info["cell_type"] for name, info in self.new_source_cells.items()}
        with self.gradebook.engine.begin() as connection:
            lost = _make_room(connection, cells, wanted, sources)
        self.gradebook.db.expire_all()
        self.followed = Followed(backup, changes, lost)
        for words in (*changes.values(), *lost, f"the gradebook as it was: {backup}"):
            self.log.info("%s", words)


def _changes(
    known: Mapping[tuple[str, str], float | None], wanted: Mapping[tuple[str, str], float | None]
) -> dict[str, str]:
    """What became of each exercise and question, in words."""
    changes = {}
    for kind, name in [*known, *(key for key in wanted if key not in known)]:
        if kind == "SolutionCell":
            continue
        before, now = known.get((kind, name)), wanted.get((kind, name))
        what = exercise_of(name)
        if (kind, name) not in wanted:
            changes[what] = f"{what} was taken out of the notebook"
        elif (kind, name) not in known:
            changes[what] = f"{what} is new, for {now:g} points"
        elif before and not now:
            changes[what] = f"{what} was dropped: it counts nothing"
        elif before != now:
            changes[what] = f"{what} counts {now:g} points, not {before:g}"
    return changes


def _make_room(
    connection: sa.Connection,
    cells: Cells,
    wanted: Mapping[tuple[str, str], float | None],
    sources: Mapping[str, str],
) -> list[str]:
    """Give a notebook with submissions the cells that it has now.

    Returns:
        Marks by hand that went, in words.
    """
    known = cells.found
    gone = {key: identity for key, (identity, _) in known.items() if key not in wanted}
    dropped = {key: known[key][0] for key in known if known[key][1] and not wanted.get(key, 1.0)}
    grade, comment = Grade.__table__, Comment.__table__
    lost = []
    for (_, name), identity in {**gone, **dropped}.items():
        by_hand = connection.scalar(
            sa.select(sa.func.count())
            .select_from(grade)
            .where(
                grade.c.cell_id == identity,
                grade.c.manual_score.is_not(None) | grade.c.extra_credit.is_not(None),
            )
        )
        if by_hand:
            lost.append(f"{by_hand} marks by hand of {exercise_of(name)}")
    for (kind, _), identity in gone.items():
        for table, column in (
            (grade, grade.c.cell_id),
            (comment, comment.c.cell_id),
            (KINDS[kind].__table__, KINDS[kind].__table__.c.id),
            (BaseCell.__table__, BaseCell.__table__.c.id),
        ):
            connection.execute(sa.delete(table).where(column == identity))
    for identity in dropped.values():
        connection.execute(
            sa.update(grade)
            .where(grade.c.cell_id == identity)
            .values(auto_score=0.0, manual_score=None, extra_credit=None, needs_manual_grade=False)
        )
    for kind, name in wanted:
        if (kind, name) not in known:
            _add(connection, cells.notebook, kind, name, wanted[kind, name])
    _sources(connection, cells.notebook, sources)
    return lost


def _add(connection: sa.Connection, notebook: str, kind: str, name: str, points: float | None) -> None:
    """A cell that is new, and an empty mark of it for everybody who has handed in."""
    identity = uuid4().hex
    table = KINDS[kind].__table__
    connection.execute(
        sa.insert(BaseCell.__table__).values(id=identity, name=name, notebook_id=notebook, type=kind)
    )
    values: dict[str, Any] = {"id": identity}
    if "max_score" in table.c:
        values |= {"max_score": points, "cell_type": "markdown" if kind == "TaskCell" else "code"}
    connection.execute(sa.insert(table).values(**values))
    submitted = SubmittedNotebook.__table__.c
    for owner in list(connection.scalars(sa.select(submitted.id).where(submitted.notebook_id == notebook))):
        row = {"id": uuid4().hex, "cell_id": identity, "notebook_id": owner}
        if kind != "SolutionCell":
            connection.execute(sa.insert(Grade.__table__).values(**row, needs_manual_grade=True))
        if kind != "GradeCell":
            row["id"] = uuid4().hex
            connection.execute(sa.insert(Comment.__table__).values(**row))


def _sources(connection: sa.Connection, notebook: str, sources: Mapping[str, str]) -> None:
    """The texts of the cells: nbgrader fills them in, but for the rows themselves."""
    table = SourceCell.__table__
    known = set(connection.scalars(sa.select(table.c.name).where(table.c.notebook_id == notebook)))
    gone = known - sources.keys()
    connection.execute(
        sa.delete(table).where(table.c.notebook_id == notebook, table.c.name.in_(sorted(gone)))
    )
    for name in sources.keys() - known:
        connection.execute(
            sa.insert(table).values(
                id=uuid4().hex, name=name, cell_type=sources[name], locked=False, notebook_id=notebook
            )
        )


def back_up(engine: sa.Engine, assignment: str) -> Path:
    """The gradebook as it stands, in a file beside it (of a server's, in this folder).

    Returns:
        The file: an SQLite database, whatever the gradebook is.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    database = engine.url.database if engine.dialect.name == "sqlite" else None
    place = Path(database) if database else Path("gradebook.db")
    path = place.with_name(f"{place.stem}.{BACKUP}-{assignment}-{stamp}-{uuid4().hex[:4]}.db")
    if database:
        with closing(sqlite3.connect(database)) as here, closing(sqlite3.connect(path)) as there:
            here.backup(there)
    else:
        _copy(engine, engine_on(path))
    hide(path)
    return path


def _copy(source: sa.Engine, target: sa.Engine) -> None:
    """Every table of a database, row by row, into an SQLite file."""
    found = sa.MetaData()
    found.reflect(source)
    plain = sa.MetaData()
    for table in found.sorted_tables:
        sa.Table(table.name, plain, *(sa.Column(c.name, c.type.as_generic()) for c in table.columns))
    plain.create_all(target)
    with source.connect() as here, target.begin() as there:
        for table in found.sorted_tables:
            for rows in here.execute(sa.select(table)).mappings().partitions(1000):
                there.execute(sa.insert(plain.tables[table.name]), [dict(row) for row in rows])
    target.dispose()
