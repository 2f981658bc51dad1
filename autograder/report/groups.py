"""The wrong answers that nobody named, in groups of those that return the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.record import Judgement, Record, Returned
from autograder.report.feedback import open_name
from autograder.report.sentences import sentence
from autograder.sheets.returned import is_same, short_id

# Whose work an example may be taken from: where the first one's cannot be shown, the next is tried.
MOST_KEPT = 3


@dataclass
class Group:
    """Wrong answers to one exercise that return the same.

    Args:
        exercise: whose.
        returned: what they return.
        students: how many there are.
        members: the first of them, for an example.
        total: the sum of their shares of the points.
        looks_like: what the grader says of them, by how often.
        found: what the first of them has wrong, in sentences.
        example: one of the answers, without what names its writer; "" where none can be shown.
        why: why there is no example, in a sentence.
    """

    exercise: str
    returned: Returned
    students: int = 0
    members: list[str] = field(default_factory=list)
    total: float = 0.0
    looks_like: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    example: str = ""
    why: str = ""

    @property
    def id(self) -> str:
        """What it is called on the command line."""
        return f"{self.exercise}-{short_id(self.returned)}"

    @property
    def mean_share(self) -> float:
        """What they earn on average, of the points."""
        return self.total / self.students


def groups_of(records: Iterable[Record]) -> list[Group]:
    """The groups of a class, those with the most students first."""
    alike: dict[tuple[str, tuple[str, ...]], list[Group]] = {}
    for record in records:
        for mark in record.marks:
            if returned := mark.judgement.returned:
                beside = alike.setdefault((mark.name, returned.shapes), [])
                group = next((one for one in beside if is_same(one.returned, returned)), None)
                if group is None:
                    group = Group(mark.name, returned)
                    beside.append(group)
                _take_in(group, record.student, mark.judgement)
    return sorted((g for some in alike.values() for g in some), key=lambda g: (-g.students, g.id))


def _take_in(group: Group, student: str, judgement: Judgement) -> None:
    group.students += 1
    group.total += judgement.share
    group.looks_like.update(open_name(one.name) for one in judgement.diagnoses)
    if len(group.members) < MOST_KEPT:
        group.members.append(student)
    if not group.found:
        wrong = [check for check in judgement.checks if not check.passed]
        group.found = [f"{check.name}: {sentence(check.finding)}" for check in wrong if not check.is_edge]
        group.found = group.found or [f"in special cases only: {'; '.join(c.name for c in wrong)}"]
