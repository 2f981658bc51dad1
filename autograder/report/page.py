"""The class report: one page without scripts, to read and to project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.record import Record
from autograder.report.summary import summarise

MOST_MISCONCEPTIONS = 12
MOST_STUDENTS = 200


def write_report(
    path: Path,
    assignment: str,
    title: str,
    records: Iterable[Record],
    so: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Write the report page of one notebook.

    Args:
        path: where to write it.
        assignment: the notebook.
        title: its title, for people.
        records: the students' records.
        so: what is so, for the notebook's questions: number -> part -> value.
    """
    shown: list[Record] = []

    def remember(stream: Iterable[Record]) -> Iterable[Record]:
        for record in stream:
            if len(shown) < MOST_STUDENTS:
                shown.append(record)
            yield record

    summary = summarise(assignment, remember(records))
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
        records=shown,
        rest=summary.students - len(shown),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, "utf-8")
    return path
