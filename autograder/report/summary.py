"""A class in numbers: marks as the gradebook has them, exercises, the commonest misconceptions.

Records come one by one; only counts are kept of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from autograder.record import Mark, Record
from autograder.report.standing import Part, Standing, State

MARK_BINS = 10
# Of answers in free words there may be as many as students.
MOST_ANSWERS = 100
OTHERS = "(others)"
MOST_SHOWN = 6
# With fewer students a correlation says nothing.
FEWEST = 10


@dataclass
class Correlation:
    """The correlation of numbers that come pair by pair, by Welford's recurrence; no pair is kept."""

    count: int = 0
    mean: tuple[float, float] = (0.0, 0.0)
    squares: tuple[float, float] = (0.0, 0.0)
    products: float = 0.0

    def add(self, x: float, y: float) -> None:
        """Take in a pair."""
        self.count += 1
        dx, dy = x - self.mean[0], y - self.mean[1]
        self.mean = (self.mean[0] + dx / self.count, self.mean[1] + dy / self.count)
        rest_x, rest_y = x - self.mean[0], y - self.mean[1]
        self.squares = (self.squares[0] + dx * rest_x, self.squares[1] + dy * rest_y)
        self.products += dx * rest_y

    @property
    def value(self) -> float | None:
        """From -1 to 1; None for too few pairs, or where one of the two never changes."""
        spread = sqrt(self.squares[0] * self.squares[1])
        is_flat = min(self.squares) <= 1e-12 * self.count
        return None if self.count < FEWEST or is_flat else self.products / spread


@dataclass
class ExerciseSummary:
    """How a class did in one exercise."""

    name: str
    points: float
    students: int = 0
    right: int = 0
    partly: int = 0
    unanswered: int = 0
    total: float = 0.0
    misconceptions: Counter[str] = field(default_factory=Counter)
    hints: dict[str, str] = field(default_factory=dict)
    with_the_others: Correlation = field(default_factory=Correlation)

    @property
    def discrimination(self) -> float | None:
        """How its points go with those of all other exercises: -1 to 1, None where nothing can be said."""
        return self.with_the_others.value

    @property
    def wrong(self) -> int:
        """Students whose answer earned nothing, though there was one."""
        return self.students - self.right - self.partly - self.unanswered

    @property
    def mean_share(self) -> float:
        """The mean share of the points, 0 to 1."""
        return self.total / (self.students * self.points) if self.students and self.points else 0.0


@dataclass(frozen=True)
class Said:
    """What a class answered to one part of a question.

    Args:
        number: the question.
        part: its part.
        counts: (answer, how many students), the commonest first.
        so: what is so.
    """

    number: str
    part: str
    counts: list[tuple[str, int]]
    so: str

    @property
    def students(self) -> int:
        """How many are counted."""
        return sum(count for _, count in self.counts)


@dataclass
class ClassSummary:
    """How a class did in one notebook."""

    assignment: str
    students: int = 0
    max_score: float = 0.0
    bins: list[int] = field(default_factory=lambda: [0] * MARK_BINS)
    total: float = 0.0
    exercises: dict[str, ExerciseSummary] = field(default_factory=dict)
    answers: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    given_up: Counter[str] = field(default_factory=Counter)
    gave_up: int = 0
    states: Counter[State] = field(default_factory=Counter)

    @property
    def mean(self) -> float:
        """The mean mark."""
        return self.total / self.students if self.students else 0.0

    @property
    def misconceptions(self) -> list[tuple[str, str, int, str]]:
        """(exercise, misconception, how many students, hint), the commonest first."""
        found = [
            (e.name, name, count, e.hints.get(name, ""))
            for e in self.exercises.values()
            for name, count in e.misconceptions.items()
        ]
        return sorted(found, key=lambda row: (-row[2], row[0], row[1]))

    def as_it_is(self, so: Mapping[str, Mapping[str, Any]]) -> float | None:
        """The share of what was typed that is so, 0 to 1; None where nothing was typed.

        Args:
            so: number -> part -> what is so, of the questions that are looked at.
        """
        asked = {(number, part): value for number, parts in so.items() for part, value in parts.items()}
        counts = {key: self.answers[key] for key in asked if key in self.answers}
        typed = sum(some.total() for some in counts.values())
        right = sum(some[_as_words(asked[key])] for key, some in counts.items())
        return right / typed if typed else None

    def said(self, so: Mapping[str, Mapping[str, Any]]) -> list[Said]:
        """What the class answered, question by question.

        Args:
            so: number -> part -> what is so.
        """
        return [
            Said(number, part, counts.most_common(MOST_SHOWN), _as_words(so.get(number, {}).get(part, "")))
            for (number, part), counts in sorted(self.answers.items())
        ]


def summarise(
    assignment: str, standings: Iterable[Standing], record_of: Callable[[str], Record | None]
) -> ClassSummary:
    """Count what is known of one notebook's class.

    Args:
        assignment: the notebook.
        standings: everybody's; whoever has no mark counts among the states alone.
        record_of: what the grader found in a student's work; None where it is not known.
    """
    summary = ClassSummary(assignment)
    for one in standings:
        summary.states[one.state] += 1
        if one.score is None:
            continue
        summary.students += 1
        summary.max_score = max(summary.max_score, one.max_score)
        summary.total += one.score
        share = one.score / one.max_score if one.max_score else 0.0
        summary.bins[min(int(share * MARK_BINS), MARK_BINS - 1)] += 1
        record = record_of(one.student)
        marks = {mark.name: mark for mark in record.marks} if record else {}
        earned = sum(part.score for part in one.parts)
        for part in one.parts:
            _count(summary, part, marks.get(part.name))
            summary.exercises[part.name].with_the_others.add(part.score, earned - part.score)
        if record:
            _count_answers(summary, record)
            summary.given_up.update(record.given_up)
            summary.gave_up += bool(record.given_up)
    return summary


def _count_answers(summary: ClassSummary, record: Record) -> None:
    """What a student typed to the questions, (number, part) -> how often each answer was given."""
    for number, parts in record.answers.items():
        for part, value in parts.items():
            counts = summary.answers.setdefault((number, part), Counter())
            shown = _as_words(value)
            counts[shown if shown in counts or len(counts) < MOST_ANSWERS else OTHERS] += 1


def _as_words(value: Any) -> str:
    """An answer as it is counted: words whatever their case, lists in one line."""
    if isinstance(value, list):
        return ", ".join(_as_words(part) for part in value)
    return " ".join(str(value).split()).casefold()


def _count(summary: ClassSummary, part: Part, mark: Mark | None) -> None:
    exercise = summary.exercises.setdefault(part.name, ExerciseSummary(part.name, part.max_score))
    exercise.students += 1
    exercise.total += part.score
    status = mark.judgement.status if mark else ""
    is_right = part.score >= part.max_score if part.max_score else status == "right"
    if is_right:
        exercise.right += 1
    elif part.score > 0:
        exercise.partly += 1
    elif status == "unanswered" or part.waits:
        exercise.unanswered += 1
    for diagnosis in mark.judgement.diagnoses if mark else ():
        exercise.misconceptions[diagnosis.name] += 1
        exercise.hints.setdefault(diagnosis.name, diagnosis.hint)
