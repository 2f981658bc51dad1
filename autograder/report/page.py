"""The class report: pages without scripts, one for whoever teaches, one without names for the lecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autograder.record import Record
from autograder.report.feedback import code_marks, open_name
from autograder.report.groups import Group
from autograder.report.standing import Standing
from autograder.report.summary import FEWEST, OTHERS, ClassSummary, Said, summarise

# In a lecture there is no time for more, and no group of one: that is a person.
MOST_MISCONCEPTIONS, FEWEST_ALIKE = 12, 2
MOST_LISTED = 60


@dataclass(frozen=True)
class Change:
    """A row of what the last regrade changed, as it was written down then."""

    student: str
    before: str
    now: str
    by: str
    why: str


@dataclass(frozen=True)
class ClassReport:
    """What is known of a class in one notebook, as far as pages and slides tell it.

    Args:
        title: the notebook's title, for people.
        summary: the class in numbers.
        standings: everybody's marks, as the gradebook has them.
        said: what was typed to the notebook's questions.
        groups: the wrong answers that nobody named.
        attempts: student -> how many versions were collected; empty where that is not known.
        changes: what the last regrade changed; None where there was none.
    """

    title: str
    summary: ClassSummary
    standings: Sequence[Standing]
    said: Sequence[Said] = ()
    groups: Sequence[Group] = ()
    attempts: Mapping[str, int] = field(default_factory=dict)
    changes: Sequence[Change] | None = None

    @property
    def open_misconceptions(self) -> list[tuple[str, str, int, str]]:
        """The commonest mistakes of several students, by names that do not say what belongs in a place."""
        told = [row for row in self.summary.misconceptions if row[2] >= FEWEST_ALIKE]
        return [(e, open_name(name), count, hint) for e, name, count, hint in told[:MOST_MISCONCEPTIONS]]

    @property
    def open_groups(self) -> list[Group]:
        """The groups of several students of which there is an example."""
        return [group for group in self.groups if group.students >= FEWEST_ALIKE and group.example]

    @property
    def open_said(self) -> list[Said]:
        """What was typed, without the words of a single person: they may hold a name."""
        return [_of_several(said) for said in self.said]


def _of_several(said: Said) -> Said:
    counts = [(a, n) for a, n in said.counts if (n >= FEWEST_ALIKE or a == said.so) and a != OTHERS]
    rest = said.students - sum(count for _, count in counts)
    return replace(said, counts=[*counts, (OTHERS, rest)] if rest else counts)


@cache
def environment() -> Environment:
    """The templates of reports: what is put into one is escaped; `| code_marks` makes backticks code."""
    found = Environment(
        loader=PackageLoader("autograder.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    found.filters["code_marks"] = lambda text: Markup(code_marks(text))
    return found


def report_of(
    assignment: str,
    title: str,
    standings: Sequence[Standing],
    record_of: Callable[[str], Record | None],
    so: Mapping[str, Mapping[str, Any]] | None = None,
    **more: Any,
) -> ClassReport:
    """What is known of a class in one notebook.

    Args:
        assignment: the notebook.
        title: its title, for people.
        standings: everybody's marks, as the gradebook has them.
        record_of: what the grader found in a student's work; None where it is not known.
        so: what is so, for the notebook's questions: number -> part -> value.
        more: what else `ClassReport` tells.
    """
    summary = summarise(assignment, standings, record_of)
    return ClassReport(title, summary, standings, summary.said(so or {}), **more)


def write_report(path: Path, report: ClassReport) -> Path:
    """Write the page for whoever teaches: everybody by name, and all that is known."""
    shown = report.groups[:MOST_MISCONCEPTIONS]
    return _write(
        path,
        "class.html.j2",
        what="class report",
        title=report.title,
        summary=report.summary,
        fewest=FEWEST,
        misconceptions=report.summary.misconceptions[:MOST_LISTED],
        groups=shown,
        more_groups=len(report.groups) - len(shown),
        said=report.said,
        without_mark=[one for one in report.standings if one.score is None],
        changes=report.changes,
        standings=report.standings,
        attempts=report.attempts,
    )


def write_lecture_page(path: Path, report: ClassReport) -> Path:
    """Write the page for the lecture: no name, and nothing that is one person's."""
    return _write(
        path,
        "lecture.html.j2",
        what="for the lecture",
        title=report.title,
        summary=report.summary,
        misconceptions=report.open_misconceptions,
        said=report.open_said,
        groups=report.open_groups,
    )


def _write(path: Path, template: str, **values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(environment().get_template(template).render(**values), "utf-8")
    return path
