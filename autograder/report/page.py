"""The class report: one page without scripts, to read and to project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.record import Record
from autograder.report.standing import Standing
from autograder.report.summary import summarise

MOST_MISCONCEPTIONS = 12


def write_report(
    path: Path,
    assignment: str,
    title: str,
    standings: Sequence[Standing],
    record_of: Callable[[str], Record | None],
    so: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Write the report page of one notebook.

    Args:
        path: where to write it.
        assignment: the notebook.
        title: its title, for people.
        standings: everybody's marks, as the gradebook has them.
        record_of: what the grader found in a student's work; None where it is not known.
        so: what is so, for the notebook's questions: number -> part -> value.
    """
    summary = summarise(assignment, standings, record_of)
    environment = Environment(
        loader=PackageLoader("autograder.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    page = environment.get_template("class.html.j2").render(
        title=title,
        summary=summary,
        misconceptions=summary.misconceptions[:MOST_MISCONCEPTIONS],
        said=summary.said(so or {}),
        standings=standings,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, "utf-8")
    return path
