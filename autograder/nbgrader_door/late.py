"""What lateness costs, at both doors: nbgrader's own plugin is asked, and extensions count.

The plugin is the one that `c.AssignLatePenalties.plugin_class` names in `nbgrader_config.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Assignment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.apps.baseapp import NbGrader
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Unicode

from autograder.course.roster import extensions_of
from autograder.errors import CourseError

Plugin = Callable[[str, float, float], float | None]
# Several batches are written at once, and traitlets has one application a process.
_one_application = Lock()


class LatePenalties(AssignLatePenalties):
    """nbgrader's step, which learns of the extensions first."""

    root = Unicode(".", help="The course's folder, with `extensions.csv`.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Give the student the time that the course's file gives, then ask the plugin."""
        names = resources["nbgrader"]
        more = extensions_of(Path(self.root), names["assignment"]).get(names["student"])
        with Gradebook(names["db_url"]) as gradebook:
            submission: Any = gradebook.find_submission(names["assignment"], names["student"])
            if more is not None and submission.extension != more:
                submission.extension = more
                gradebook.db.commit()
        return super().preprocess(nb, resources)


def late_plugin(root: Path) -> Plugin:
    """What the plugin of the course's configuration takes off: student, score, seconds late -> points.

    Raises:
        CourseError: the configuration cannot be read, or the plugin fails.
    """
    with _one_application:
        try:
            app = NbGrader()
            app.initialize([], root=str(root))
            step = AssignLatePenalties(parent=app)
            step.init_plugin()
            plugin: Any = step.plugin_inst
        except (Exception, SystemExit) as error:
            place = root / "nbgrader_config.py"
            raise CourseError(f"the late penalties of {place} fail: {error!r}") from None
        finally:
            NbGrader.clear_instance()

    def penalty(student: str, score: float, seconds: float) -> float | None:
        try:
            return plugin.late_submission_penalty(student, score, seconds)
        except Exception as error:
            name = type(plugin).__name__
            raise CourseError(f"the plugin {name} for late penalties fails on {student}: {error!r}") from None

    return penalty


def write_penalties(
    connection: sa.Connection, root: Path, assignment: str, students: Iterable[str] | None = None
) -> None:
    """Give extensions and take points off anew, by the marks as they stand.

    Args:
        connection: to the gradebook, in a transaction.
        root: the course's folder.
        assignment: the notebook.
        students: whose; everybody's without it.
    """
    owner, row, notebook = Assignment.__table__, SubmittedAssignment.__table__, SubmittedNotebook.__table__
    grade = Grade.__table__
    given = sa.func.coalesce(grade.c.manual_score, grade.c.auto_score, 0.0)
    scores = (
        sa.select(sa.func.sum(given + sa.func.coalesce(grade.c.extra_credit, 0.0)))
        .where(grade.c.notebook_id == notebook.c.id)
        .scalar_subquery()
    )
    query = sa.select(
        row.c.id, row.c.student_id, row.c.timestamp, row.c.extension, owner.c.duedate,
        notebook.c.id, notebook.c.late_submission_penalty, scores,
    ).where(
        row.c.assignment_id == owner.c.id, owner.c.name == assignment,
        notebook.c.assignment_id == row.c.id,
    )  # fmt: skip
    if students is not None:
        query = query.where(row.c.student_id.in_(list(students)))
    extensions, plugin = extensions_of(root, assignment), None
    more, off = [], []
    for identity, student, handed_in, extension, due, place, before, score in connection.execute(query):
        own = extensions.get(student, extension)
        if own != extension:
            more.append({"row": identity, "more": own})
        seconds = seconds_late(handed_in, due, own)
        penalty = None
        if seconds > 0:
            plugin = plugin or late_plugin(root)
            penalty = plugin(student, score or 0.0, seconds)
        penalty = None if penalty is None else min(max(penalty, 0.0), score or 0.0)
        if penalty != before:
            off.append({"row": place, "off": penalty})
    if more:
        connection.execute(
            sa.update(row).where(row.c.id == sa.bindparam("row")).values(extension=sa.bindparam("more")), more
        )
    if off:
        connection.execute(
            sa.update(notebook)
            .where(notebook.c.id == sa.bindparam("row"))
            .values(late_submission_penalty=sa.bindparam("off")),
            off,
        )


def seconds_late(handed_in: datetime | None, due: datetime | None, more: timedelta | None) -> float:
    """How late something came; 0 where one of the moments is not known."""
    if handed_in is None or due is None:
        return 0.0
    return max(0.0, (handed_in - due - (more or timedelta())).total_seconds())
