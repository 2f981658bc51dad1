"""Answer sheets: the inputs an exercise is tried with, what is expected, what each mistake gives.

A sheet is made from the references (`drawn.py`, for grading and for the build) or read from a release's
`checks.safetensors` (`frozen.py`: public inputs, for the student's own check).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from autograder.answers.compare import agrees
from autograder.answers.finding import Finding
from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.outcome import Outcome
from autograder.course.exercise import Exercise, Gradient, Inputs
from autograder.sheets.mistake import Mistake


@dataclass
class Case:
    """One set of arguments, and what is expected for it."""

    words: str
    is_edge: bool
    inputs: Inputs
    expected: Leaves


def asks_zeros(case: Case) -> bool:
    """Whether nothing but zeros is asked for."""
    return not any(np.any(expected) for expected in case.expected.values())


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
    """A `Stage` of a derivation, drawn: one set of arguments that silences the other ways.

    Args:
        says: what the probe does, for the student.
        outputs: the outputs that are compared.
        case: its arguments, and what is expected for them.
        mistakes: the exercise's own mistakes, each with its effect on this case.
    """

    says: str
    outputs: tuple[str, ...]
    case: Case
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass
class Sheet:
    """All that judging one exercise needs beside the student's function.

    Slips, and pairs of them, are found when they are first asked for: a right answer never needs them.
    `reads` are the arguments (or members of them) that the right answer depends on; `to_mend` are the outputs
    and special cases that what stands in the release gets wrong, where something is to be mended;
    `without_work` gives those watched outputs that are right where nothing is done.
    """

    name: str
    points: float
    parameters: list[str]
    spec: Exercise
    cases: list[Case]
    mistakes: list[Mistake]
    reads: tuple[Leaf, ...] = ()
    to_mend: frozenset[str] = frozenset()
    forward: Forward | None = None
    probes: dict[str, Probe] = field(default_factory=dict)
    slips: Callable[[], list[Mistake]] = list
    pairs: Callable[[], list[Mistake]] = list
    without_work: Callable[[], frozenset[str]] = frozenset

    @property
    def returns(self) -> tuple[str, ...]:
        """Names of what the function returns."""
        return self.spec.returns

    @property
    def own(self) -> tuple[str, ...]:
        """Those of them that it returns itself; the others are what `tried_by` saw."""
        seen = {Leaf.read(words).output for words in self.spec.watched}
        return tuple(name for name in self.returns if name not in seen)

    def seen_of(self, leaf: Leaf) -> str:
        """What is said where this is wrong, of a fact that `tried_by` saw; "" of other arrays."""
        watched = self.spec.watched
        return watched.get(str(leaf), watched.get(leaf.output, "")).replace("{key}", leaf.key)


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
