"""What is known of one graded submission, and how it is written down and read again: here alone.

This module knows nothing of how it was found out, and makes no sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from autograder.answers.finding import Finding, Kind
from autograder.answers.leaf import Leaf
from autograder.answers.outcome import StudentError

# The grader's, also where it is read from a folder and not installed; its pyproject.toml says the same.
VERSION = "0.1.0"
MOST_PRINTED = 2000


@dataclass(frozen=True)
class Check:
    """One line of a judgement: an output, an edge case, or the gradient check.

    Args:
        name: what was looked at.
        passed: whether it is right.
        finding: what was found: where it is wrong, or what is to be said of what is right.
        is_edge: whether it is an edge case.
    """

    name: str
    passed: bool
    finding: Finding | None = None
    is_edge: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """The name of a mistake and a hint.

    Args:
        name: what the mistake is, in a few words.
        hint: one sentence.
        where: the outputs that it explains, "" for all.
        is_exact: whether the mistake, made in the function itself, gives just these numbers everywhere.
    """

    name: str
    hint: str
    where: str = ""
    is_exact: bool = False


@dataclass(frozen=True)
class Returned:
    """What a wrong answer gave to the inputs that its class shares, as far as it takes to know it again.

    Args:
        shapes: one text for each case: each part's shape, or how the call failed.
        numbers: for each case four numbers of how far it is from what is expected (`sheets/returned.py`).
    """

    shapes: tuple[str, ...]
    numbers: tuple[tuple[float, ...], ...]


@dataclass
class Judgement:
    """What came of trying one exercise.

    Args:
        name: the exercise.
        status: "right", "wrong" or "unanswered".
        share: the share of its points that is earned, 0 to 1.
        checks: one line per output, edge case and gradient check.
        diagnoses: the mistakes it looks like.
        notes: gentle remarks that cost nothing.
        printed: what the function printed, and warnings.
        follow_through: whether the share was earned with a reference in place of what it calls, or with
            the student's own wrong forward.
        returned: of a wrong answer that no known mistake gives, what it returned.
    """

    name: str
    status: str
    share: float
    checks: list[Check] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    printed: str = ""
    follow_through: bool = False
    returned: Returned | None = None

    @property
    def misconception(self) -> str | None:
        """The names of the mistakes, or None."""
        return " and ".join(d.name for d in self.diagnoses) or None


@dataclass(frozen=True)
class Mark:
    """A judgement and what it is worth.

    Args:
        judgement: what came of the exercise.
        max_score: the exercise's points.
    """

    judgement: Judgement
    max_score: float

    @property
    def name(self) -> str:
        """The exercise."""
        return self.judgement.name

    @property
    def score(self) -> float:
        """The points earned, to two decimals."""
        return round(self.max_score * self.judgement.share, 2)


@dataclass(frozen=True)
class Record:
    """All that is known of one graded submission.

    Args:
        student: whose it is.
        assignment: the notebook.
        marks: one for each exercise, in the order of the notebook.
        problems: remarks about the submission as a whole.
        answers: what was typed to the notebook's questions: number -> part -> value.
        given_up: exercises whose derivation was asked for.
    """

    student: str
    assignment: str
    marks: list[Mark]
    problems: list[str] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The points earned, without the written questions."""
        return round(sum(mark.score for mark in self.marks), 2)

    @property
    def max_score(self) -> float:
        """The points of all exercises, without the written questions."""
        return sum(mark.max_score for mark in self.marks)

    def as_json(self) -> dict[str, Any]:
        """The record as plain data, for the journal."""
        return {
            "student": self.student,
            "assignment": self.assignment,
            "score": self.score,
            "max_score": self.max_score,
            "problems": self.problems,
            "answers": self.answers,
            "given_up": self.given_up,
            "exercises": [_mark_as_json(mark) for mark in self.marks],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """The record that `as_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: it wrote no such data.
        """
        marks = [_mark_from_json(one) for one in data["exercises"]]
        return cls(
            data["student"],
            data["assignment"],
            marks,
            list(data["problems"]),
            dict(data["answers"]),
            list(data["given_up"]),
        )


def _mark_as_json(mark: Mark) -> dict[str, Any]:
    found = mark.judgement
    # Most answers have none: a line of the journal says nothing of it.
    more = {"returned": asdict(found.returned)} if found.returned else {}
    return {
        "name": found.name,
        "score": mark.score,
        "max_score": mark.max_score,
        "share": found.share,
        "status": found.status,
        "follow_through": found.follow_through,
        "misconception": found.misconception,
        "diagnoses": [asdict(diagnosis) for diagnosis in found.diagnoses],
        "checks": [asdict(check, dict_factory=_without_none) for check in found.checks],
        "notes": found.notes,
        "printed": found.printed[:MOST_PRINTED],
        **more,
    }


def _mark_from_json(data: Mapping[str, Any]) -> Mark:
    judgement = Judgement(
        data["name"],
        data["status"],
        data["share"],
        [Check(**{**check, "finding": _finding(check.get("finding"))}) for check in data["checks"]],
        [Diagnosis(**diagnosis) for diagnosis in data["diagnoses"]],
        list(data["notes"]),
        data["printed"],
        data["follow_through"],
        Returned(**{k: _tuples(v) for k, v in data["returned"].items()}) if data.get("returned") else None,
    )
    return Mark(judgement, data["max_score"])


def _without_none(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields if value is not None}


def _finding(data: Mapping[str, Any] | None) -> Finding | None:
    """The finding that `asdict` took apart and JSON carried."""
    if data is None:
        return None
    told = {name: _tuples(value) for name, value in data.items()}
    told["kind"] = Kind(told["kind"])
    if "leaf" in told:
        told["leaf"] = Leaf(*told["leaf"])
    if "error" in told:
        told["error"] = StudentError(**told["error"])
    return Finding(**{**told, "cause": _finding(told.get("cause"))})


def _tuples(value: Any) -> Any:
    """JSON has no tuples, a finding has no lists."""
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
