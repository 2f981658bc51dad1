"""A class in numbers: marks, exercises, the commonest misconceptions.

Records come one by one; only counts are kept, so that a class of 100,000 needs no more memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.record import Mark, Record

MARK_BINS = 10


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

    @property
    def wrong(self) -> int:
        """Students whose answer earned nothing, though there was one."""
        return self.students - self.right - self.partly - self.unanswered

    @property
    def mean_share(self) -> float:
        """The mean share of the points, 0 to 1."""
        return self.total / (self.students * self.points) if self.students and self.points else 0.0


@dataclass
class ClassSummary:
    """How a class did in one notebook."""

    assignment: str
    students: int = 0
    max_score: float = 0.0
    bins: list[int] = field(default_factory=lambda: [0] * MARK_BINS)
    total: float = 0.0
    exercises: dict[str, ExerciseSummary] = field(default_factory=dict)

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


def summarise(assignment: str, records: Iterable[Record]) -> ClassSummary:
    """Count what the records of one notebook say."""
    summary = ClassSummary(assignment)
    for record in records:
        summary.students += 1
        summary.max_score = record.max_score
        summary.total += record.score
        share = record.score / record.max_score if record.max_score else 0.0
        summary.bins[min(int(share * MARK_BINS), MARK_BINS - 1)] += 1
        for mark in record.marks:
            _count(summary, mark)
    return summary


def _count(summary: ClassSummary, mark: Mark) -> None:
    exercise = summary.exercises.setdefault(mark.name, ExerciseSummary(mark.name, mark.max_score))
    exercise.students += 1
    exercise.total += mark.score
    if mark.judgement.status == "unanswered":
        exercise.unanswered += 1
    elif mark.score >= mark.max_score:
        exercise.right += 1
    elif mark.score > 0:
        exercise.partly += 1
    for diagnosis in mark.judgement.diagnoses:
        exercise.misconceptions[diagnosis.name] += 1
        exercise.hints.setdefault(diagnosis.name, diagnosis.hint)
