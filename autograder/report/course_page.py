"""A course from notebook to notebook: how points, hand-ins, derivations and predictions change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median_low, quantiles
from typing import Any

from autograder.record import Record
from autograder.report.page import write_page
from autograder.report.standing import Standing, State
from autograder.report.summary import summarise

# So much less than in a student's notebooks before is worth a word with the student.
FALL = 0.25


@dataclass(frozen=True)
class Step:
    """A class in one notebook, as a step of the course.

    Args:
        notebook: its name.
        title: its title, for people.
        everybody: the marks, by student.
        students: how many have a mark.
        mean: their mean share of the points, 0 to 1; None without a mark.
        middle: between which shares the middle half of them lies.
        missing: the share of the class that handed nothing in.
        late: the share of those with a mark who were late.
        gave_up: the share of those with a mark who had a derivation told; None where the notebook has none.
        predicted: the share of what was predicted that is so; None where nothing was.
        handed_in: the day by which half had handed in; None where that is not known.
    """

    notebook: str
    title: str
    everybody: Mapping[str, Standing]
    students: int
    mean: float | None
    middle: tuple[float, float] | None
    missing: float | None
    late: float | None
    gave_up: float | None
    predicted: float | None
    handed_in: date | None

    @property
    def number(self) -> str:
        """What it is called on an axis."""
        return self.notebook.partition("_")[0]


@dataclass(frozen=True)
class Fall:
    """A student who did much worse in the last notebook than before.

    Args:
        student: who.
        before: the mean share of the notebooks before.
        now: the share in the last; None where nothing was handed in.
    """

    student: str
    before: float
    now: float | None


def step_of(
    notebook: str,
    title: str,
    everybody: Sequence[Standing],
    record_of: Callable[[str], Record | None],
    so: Mapping[str, Mapping[str, Any]],
    has_derivations: bool,
) -> Step:
    """A class in one notebook.

    Args:
        notebook: its name.
        title: its title.
        everybody: the standings; who has left the course is not counted.
        record_of: what the grader found in a student's work; None where it is not known.
        so: what is so, for the questions that ask for a prediction: number -> part -> value.
        has_derivations: whether it keeps derivations back.
    """
    stay = [one for one in everybody if one.state is not State.WITHDRAWN]
    marked = [one for one in stay if one.score is not None]
    shares = [one.share for one in marked if one.share is not None]
    summary = summarise(notebook, stay, record_of)
    moments = [one.handed_in for one in marked if one.handed_in]
    quarters = quantiles(shares, method="inclusive") if len(shares) > 1 else None
    return Step(
        notebook,
        title,
        {one.student: one for one in stay},
        len(marked),
        sum(shares) / len(shares) if shares else None,
        (quarters[0], quarters[2]) if quarters else None,
        summary.states[State.MISSING] / len(stay) if stay else None,
        sum(one.late > 0 for one in marked) / len(marked) if marked else None,
        summary.gave_up / len(marked) if has_derivations and marked else None,
        summary.as_it_is(so),
        median_low(moments).date() if moments else None,
    )


def falls(steps: Sequence[Step]) -> list[Fall]:
    """Who did much worse in the last notebook than before, or handed in nothing for the first time."""
    found = []
    *earlier, last = steps
    for student, one in last.everybody.items():
        before = [step.everybody[student].share for step in earlier if student in step.everybody]
        shares = [share for share in before if share is not None]
        if not shares or len(shares) < len(before):
            continue  # nothing to compare with, or not the first time
        mean = sum(shares) / len(shares)
        if one.state is State.MISSING or (one.share is not None and one.share <= mean - FALL):
            found.append(Fall(student, mean, one.share))
    return sorted(found, key=lambda fall: ((fall.now or 0.0) - fall.before, fall.student))


def write_course_page(path: Path, steps: Sequence[Step]) -> Path:
    """Write the page.

    Args:
        path: where to.
        steps: one for each notebook, in the order of the course.
    """
    students = sorted({s for step in steps for s in step.everybody}, key=str.casefold)
    names = {s: one.name for step in steps for s, one in step.everybody.items() if one.name}
    return write_page(
        path,
        "course.html.j2",
        what="from notebook to notebook",
        title="The course",
        steps=steps,
        students=students,
        names=names,
        falls=falls(steps) if len(steps) > 1 else [],
        fall=FALL,
    )
