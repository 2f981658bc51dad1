"""Answer sheets: the inputs an exercise is tried with, what is expected, what each mistake gives.

A sheet is made from the references (`fresh`, for grading) or read from a release's `checks.safetensors`
(`frozen`, public inputs, for the student's own check).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from autograder.answers.compare import agrees
from autograder.answers.finding import Finding
from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.outcome import Outcome
from autograder.course.exercise import Exercise, Gradient, Inputs

# The leaves that a mistake changes; or "error KIND: WORDS" where it raises, "structure" where it returns
# another structure, WRONG where no more is kept of it than that it is wrong.
Effect = Leaves | str
WRONG = "wrong"


@dataclass
class Case:
    """One set of arguments, and what is expected for it."""

    words: str
    is_edge: bool
    inputs: Inputs
    expected: Leaves


@dataclass
class Mistake:
    """A misconception: its name, its hint, its effect on each case.

    `made_in` is the needed function in which it is made, "" for the exercise itself.
    """

    name: str
    hint: str
    effects: list[Effect] = field(default_factory=list)
    made_in: str = ""


# No two arrays that differ by more than rounding give the same two sums with these weights.
TRACE_STEPS = np.array([[1.0], [2.3]])
TRACE_MATCH = 1e-8


@dataclass(frozen=True)
class Shown:
    """How a slip shows in one case.

    Args:
        case: the case's place in the sheet.
        leaves: the leaves that the slip changes, in the order of the expected ones.
        trace: what is kept of these leaves.
    """

    case: int
    leaves: tuple[Leaf, ...]
    trace: np.ndarray


@dataclass(frozen=True)
class Slip:
    """A small mistake that nobody declared, or two at once.

    Args:
        name: its name.
        hint: its hint.
        shown: where it shows among random values.
        other: of two at once the name and the hint of the other one.
    """

    name: str
    hint: str
    shown: tuple[Shown, ...]
    other: tuple[str, str] | None = None


def trace_of(leaves: Leaves, expected: Leaves) -> np.ndarray:
    """What is kept of wrong leaves to recognise them: two weighted sums and the size of both, shape (3,)."""
    parts = [np.ravel(got) / np.abs(expected[leaf]).max(initial=1e-300) for leaf, got in leaves.items()]
    entries = np.concatenate(parts).astype(np.float64)
    weights = np.sin(TRACE_STEPS * np.arange(1, entries.size + 1))
    return np.array([*(weights @ entries), np.abs(entries).sum()])


def right_trace(case: Case, leaves: Sequence[Leaf]) -> np.ndarray:
    """The trace of these leaves as they are expected."""
    return trace_of({leaf: case.expected[leaf] for leaf in leaves}, case.expected)


def same_trace(one: np.ndarray, other: np.ndarray, right: np.ndarray) -> bool:
    """Whether two traces are of the same wrong leaves, up to rounding; `right` is that of the right ones."""
    # Where a slip is close to the right answer, the match must be closer still.
    gap = np.abs(right - other)[:2].max()
    allowed = min(TRACE_MATCH * other[2], max(0.02 * gap, 1e-14 * other[2]))
    return bool((np.abs(one - other)[:2] <= allowed).all())


@dataclass
class Forward:
    """The forward function that a backward is judged against, at one set of arguments."""

    name: str
    gradient: Gradient
    is_exercise: bool
    returns: tuple[str, ...]
    inputs: Inputs
    expected: Leaves


@dataclass
class Probe:
    """A stage of a derivation: one set of arguments that silences the other ways.

    Args:
        says: what the probe does, for the student.
        outputs: the outputs that are compared.
        case: its arguments, and what is expected for them.
    """

    says: str
    outputs: tuple[str, ...]
    case: Case


@dataclass
class Sheet:
    """All that judging one exercise needs beside the student's function.

    Slips, and pairs of them, are found when they are first asked for: a right answer never needs them.
    `reads` are the arguments (or members of them) that the right answer depends on.
    """

    name: str
    points: float
    parameters: list[str]
    spec: Exercise
    cases: list[Case]
    mistakes: list[Mistake]
    reads: tuple[Leaf, ...] = ()
    forward: Forward | None = None
    probes: dict[str, Probe] = field(default_factory=dict)
    slips: Callable[[], list[Slip]] = list
    pairs: Callable[[], list[Slip]] = list

    @property
    def returns(self) -> tuple[str, ...]:
        """Names of what the function returns."""
        return self.spec.returns


@dataclass(frozen=True)
class Answer:
    """A student's answer to one case: its leaves, what is wrong with the others, or an error."""

    outcome: Outcome
    leaves: Leaves
    problems: dict[Leaf, Finding]

    @property
    def failed(self) -> str:
        """The failure ("error KIND: WORDS", "structure") where there are no leaves, else ""."""
        if self.outcome.error:
            return error_effect(self.outcome.error.kind, self.outcome.error.message)
        return "structure" if self.problems and not self.leaves else ""


def seed_of(key: str, assignment: str, exercise: str, index: int) -> np.random.Generator:
    """The random generator of one case: the same key gives the same inputs, on every machine."""
    digest = hashlib.sha256(f"{key}\0{assignment}\0{exercise}\0{index}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


def error_effect(kind: str, words: str) -> str:
    """An exception as the effect of a mistake."""
    return f"error {kind}: {words.strip()[:200]}"


def differs(got: np.ndarray, expected: np.ndarray, spec: Exercise) -> bool:
    """Whether an array is a wrong answer where `expected` is right."""
    if got.shape != expected.shape or got.dtype.kind not in "fiub":
        return True
    return not agrees(got, expected, spec.rtol, spec.atol).all()


def wrong_leaves(leaves: Leaves, case: Case, spec: Exercise) -> Leaves:
    """The wrong leaves of an answer, in the order of the expected ones.

    None are given where one is missing, of another shape, or not finite: no slip explains those.
    """
    if set(leaves) != set(case.expected):
        return {}
    wrong: Leaves = {}
    for leaf, expected in case.expected.items():
        got = leaves[leaf]
        if got.shape != expected.shape or got.dtype.kind not in "fiub" or not np.isfinite(got).all():
            return {}
        if differs(got, expected, spec):
            wrong[leaf] = got
    return wrong
