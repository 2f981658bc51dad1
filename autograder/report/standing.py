"""Where a student stands in one notebook: a state for everybody, marks as the gradebook has them.

This module knows nothing of databases, learning systems or pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What is to be said of a student beside the mark."""

    GRADED = "graded"
    WAITING = "waiting for a person"
    MISSING = "not handed in"
    UNGRADABLE = "could not be graded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Part:
    """What one graded cell earned.

    Args:
        name: the exercise or the written question.
        max_score: its points.
        auto: what the grader gave, None where it gave nothing.
        manual: what a person gave; it counts in place of `auto`.
        extra: extra credit.
        waits: whether a person is asked to look.
        comment: what a person wrote.
    """

    name: str
    max_score: float
    auto: float | None = None
    manual: float | None = None
    extra: float | None = None
    waits: bool = False
    comment: str = ""

    @property
    def score(self) -> float:
        """What counts."""
        given = self.auto if self.manual is None else self.manual
        return (given or 0.0) + (self.extra or 0.0)


@dataclass(frozen=True)
class Standing:
    """Where a student stands in one notebook.

    Args:
        student: the id in the gradebook.
        state: what is to be said beside the mark.
        reason: why it could not be graded, or what is waited for.
        name: the name for people, "" where only the id is known.
        parts: one for each graded cell, in the order of the notebook.
        penalty: points taken off for lateness.
        late: how late it was handed in, in seconds.
        handed_in: when it was, in UTC; None where that is not known.
    """

    student: str
    state: State
    reason: str = ""
    name: str = ""
    parts: list[Part] = field(default_factory=list)
    penalty: float = 0.0
    late: float = 0.0
    handed_in: datetime | None = None

    @property
    def score(self) -> float | None:
        """The mark, lateness taken off; None where there is none that may leave."""
        if self.state not in (State.GRADED, State.WAITING):
            return None
        return round(max(0.0, sum(part.score for part in self.parts) - self.penalty), 4)

    @property
    def scores(self) -> dict[str, float]:
        """What each graded cell earned; empty where no mark may leave."""
        return {} if self.score is None else {part.name: part.score for part in self.parts}

    @property
    def max_score(self) -> float:
        """What can be earned without extra credit."""
        return sum(part.max_score for part in self.parts)

    @property
    def share(self) -> float | None:
        """The mark as a share of what can be earned; None where there is no mark."""
        return None if self.score is None or not self.max_score else self.score / self.max_score


def lowest(standings: Mapping[str, Standing], most: Mapping[str, float], count: int) -> set[str]:
    """The notebooks that are dropped from a student's total: those with the lowest share of their points.

    What was not handed in is worth nothing, and so goes first.

    Args:
        standings: one student's, by notebook.
        most: what can be earned in each notebook.
        count: how many; one notebook always stays.
    """
    counted = [name for name in standings if most[name]]
    shares = {name: standings[name].share or 0.0 for name in counted}
    # Of equal shares the notebook with the most points goes: that leaves nobody with less.
    order = sorted(counted, key=lambda name: (shares[name], -most[name], name))
    return set(order[: max(0, min(count, len(order) - 1))])
