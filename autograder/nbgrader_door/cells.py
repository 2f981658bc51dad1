"""A notebook's graded cells, as the gradebook knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from nbgrader.api import (
    Assignment,
    BaseCell,
    GradeCell,
    Notebook,
    SolutionCell,
    SubmittedAssignment,
    TaskCell,
)

KINDS: dict[str, Any] = {"GradeCell": GradeCell, "SolutionCell": SolutionCell, "TaskCell": TaskCell}


@dataclass(frozen=True)
class Cells:
    """A notebook's rows in the gradebook.

    Args:
        assignment, notebook: their ids.
        found: (kind, name) of each cell -> its id and its points, None for a solution.
    """

    assignment: str
    notebook: str
    found: Mapping[tuple[str, str], tuple[str, float | None]]

    @cached_property
    def check(self) -> dict[str, str]:
        """Ids of the cells that carry an exercise's mark, by name."""
        return self._of("GradeCell")

    @cached_property
    def solution(self) -> dict[str, str]:
        """Ids of the answers' cells, by name."""
        return self._of("SolutionCell")

    @cached_property
    def task(self) -> dict[str, str]:
        """Ids of the written questions, by name."""
        return self._of("TaskCell")

    @cached_property
    def points(self) -> dict[str, float]:
        """What each cell that is graded counts, by name."""
        return {name: points for (_, name), (_, points) in self.found.items() if points is not None}

    def _of(self, kind: str) -> dict[str, str]:
        return {name: identity for (one, name), (identity, _) in self.found.items() if one == kind}


def cells_of(connection: sa.Connection, assignment: str, notebook: str) -> Cells | None:
    """The cells of a notebook; None where the gradebook does not know it."""
    owner, row, base = Assignment.__table__.c, Notebook.__table__.c, BaseCell.__table__.c
    query = sa.select(owner.id, row.id).where(
        row.assignment_id == owner.id, owner.name == assignment, row.name == notebook
    )
    known = connection.execute(query).first()
    if known is None:
        return None
    found: dict[tuple[str, str], tuple[str, float | None]] = {}
    for kind, table in KINDS.items():
        cell = table.__table__.c
        points = cell.max_score if "max_score" in cell else sa.null()
        query = sa.select(base.id, base.name, points).where(base.id == cell.id, base.notebook_id == known[1])
        found |= {(kind, name): (identity, value) for identity, name, value in connection.execute(query)}
    return Cells(known[0], known[1], found)


def notebooks_handed_in(connection: sa.Connection) -> set[str]:
    """The notebooks of which the gradebook knows a submission."""
    owner, row = Assignment.__table__.c, SubmittedAssignment.__table__.c
    return set(connection.scalars(sa.select(owner.name).where(owner.id == row.assignment_id)))


def exercise_of(cell: str) -> str:
    """The exercise that a graded cell belongs to."""
    return cell.removeprefix("check_")
