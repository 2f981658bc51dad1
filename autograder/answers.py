"""Answer sheets: the inputs an exercise is tried with, what is expected, what each mistake gives.

A sheet is made from the references (fresh, for grading; only the trusted side ever holds one) or
read from a release's `checks.safetensors` (frozen, public inputs, for the student's own check).
"""

from __future__ import annotations

import copy
import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.compare import agrees
from autograder.exercise import CourseError, Exercise, Gradient, Inputs
from autograder.leaves import Leaves, StructureError, reference_leaves
from autograder.masters import GradedExercise, Master

VALUE_CASES = 2


# The leaves that a mistake changes; or "error KIND: WORDS" where it raises, "structure" where it returns
# another structure, None where it is not recorded.
Effect = Leaves | str | None


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
class Sheet:
    """All that judging one exercise needs beside the student's function."""

    name: str
    points: float
    parameters: list[str]
    spec: Exercise
    cases: list[Case]
    mistakes: list[Mistake]
    forward: Forward | None = None

    @property
    def returns(self) -> tuple[str, ...]:
        """Names of what the function returns."""
        return self.spec.returns


def seed_of(key: str, assignment: str, exercise: str, index: int) -> np.random.Generator:
    """The random generator of one case: the same key gives the same inputs, on every machine."""
    digest = hashlib.sha256(f"{key}\0{assignment}\0{exercise}\0{index}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


def fresh_sheets(master: Master, key: str) -> dict[str, Sheet]:
    """Draw inputs and compute the expected answers of every exercise of a notebook.

    Args:
        master: the notebook.
        key: the course's secret key for grading, or "public" for a student's checks.

    Raises:
        CourseError: a reference fails on its own cases.
    """
    return {name: fresh_sheet(master, name, key) for name in master.exercises}


def fresh_sheet(master: Master, name: str, key: str) -> Sheet:
    """Draw the inputs of one exercise and compute what is expected, and each mistake's effects."""
    exercise = master.exercises[name]
    spec = exercise.spec
    reference = master.reference[name]
    cases = []
    draws = (spec.cases,) * VALUE_CASES if callable(spec.cases) else spec.cases
    drawn = [(f"random values {i + 1}", False, draw) for i, draw in enumerate(draws)]
    drawn += [(words, True, draw) for words, draw in spec.edge_cases.items()]
    for index, (words, is_edge, draw) in enumerate(drawn):
        inputs = draw(seed_of(key, master.name, name, index))
        try:
            expected = reference_leaves(reference(*copy.deepcopy(list(inputs.values()))), spec.returns)
        except Exception as error:
            raise CourseError(
                f"{master.name}: the reference of {name!r} fails on {words!r}: {error!r}"
            ) from error
        if list(inputs) != exercise.parameters:
            raise CourseError(
                f"{master.name}: {words!r} of {name!r} draws {list(inputs)}; "
                f"the signature has {exercise.parameters}"
            )
        cases.append(Case(words, is_edge, inputs, expected))
    sheet = Sheet(name, exercise.points, exercise.parameters, spec, cases, [])
    sheet.mistakes = [
        Mistake(label, hint, effects_of(function, sheet), made_in)
        for label, hint, function, made_in in mistaken_functions(master, exercise)
    ]
    if spec.gradient:
        sheet.forward = _forward_of(master, spec.gradient, sheet)
    return sheet


def mistaken_functions(
    master: Master, exercise: GradedExercise
) -> list[tuple[str, str, Callable[..., Any], str]]:
    """Every mistake of an exercise: its own, then those of what it needs, made inside this one.

    Returns:
        The mistake's name, its hint, the mistaken function, and the needed function it is made in.
    """
    found = []
    for mutant in exercise.spec.misconceptions:
        found.append((mutant.name, mutant.hint, master.mutant_function(exercise.name, mutant), ""))
    for needed in exercise.spec.needs:
        for mutant in master.exercises[needed].spec.misconceptions:
            namespace = master.namespace({needed: master.mutate(needed, mutant)})
            label = f"{mutant.name} (in `{needed}`)"
            found.append((label, mutant.hint, namespace[exercise.name], needed))
    return found


def effects_of(function: Callable[..., Any], sheet: Sheet) -> list[Effect]:
    """What a mistaken function gives for each case, where it differs from the expected."""
    effects: list[Effect] = []
    for case in sheet.cases:
        try:
            with np.errstate(all="ignore"):
                value = function(*copy.deepcopy(list(case.inputs.values())))
            leaves = reference_leaves(value, sheet.returns)
        except StructureError:
            effects.append("structure")
            continue
        except Exception as error:
            effects.append(error_effect(type(error).__name__, str(error)))
            continue
        if set(leaves) != set(case.expected):
            effects.append("structure")
            continue
        effects.append(
            {name: leaf for name, leaf in leaves.items() if differs(leaf, case.expected[name], sheet.spec)}
        )
    return effects


def error_effect(kind: str, words: str) -> str:
    """An exception as the effect of a mistake."""
    return f"error {kind}: {words.strip()[:200]}"


def differs(got: np.ndarray, expected: np.ndarray, spec: Exercise) -> bool:
    """Whether an array is a wrong answer where `expected` is right."""
    if got.shape != expected.shape or got.dtype.kind not in "fiub":
        return True
    return not agrees(got, expected, spec.rtol, spec.atol).all()


def _forward_of(master: Master, gradient: Gradient, sheet: Sheet) -> Forward:
    """The forward that a backward belongs to, at the arguments of the backward's first case."""
    place = f"{master.name}: the gradient of {sheet.name!r} is of {gradient.of!r}"
    if gradient.of not in master.reference:
        raise CourseError(f"{place}, which is no exercise and no given function of this notebook")
    is_exercise = gradient.of in master.exercises
    returns = master.exercises[gradient.of].spec.returns if is_exercise else gradient.returns
    if not returns:
        raise CourseError(f"{place}, a given function: say Gradient(returns=(...)), its outputs in order")
    function = master.reference[gradient.of]
    parameters = list(inspect.signature(function).parameters)
    missing = [name for name in parameters if name not in sheet.parameters]
    if missing:
        raise CourseError(f"{place}, whose arguments {missing} are no arguments of {sheet.name!r}")
    inputs = {name: sheet.cases[0].inputs[name] for name in parameters}
    expected = reference_leaves(function(*copy.deepcopy(list(inputs.values()))), returns)
    return Forward(gradient.of, gradient, is_exercise, returns, inputs, expected)
