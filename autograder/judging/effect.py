"""Arguments that make no difference to a wrong answer, though the right one depends on them: it is tried."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.answers.leaves import student_leaves
from autograder.answers.outcome import Outcome
from autograder.judging.gradients import Call
from autograder.record import Diagnosis
from autograder.sheets.moved import with_others
from autograder.sheets.sheet import Answer, Sheet, differs

# More arguments than these are not tried, and more are not named.
MOST_TRIED, MOST_NAMED = 24, 3


def without_effect(sheet: Sheet, call: Call, answers: Sequence[Answer]) -> list[Diagnosis]:
    """Name the arguments that a wrong answer does not depend on.

    Args:
        sheet: the exercise's answer sheet.
        call: calls the student's function.
        answers: its answers to the sheet's cases; nothing is tried where the first is right (it may do
            without), failed, lacks some steps (in these an argument may show) or holds nan or inf, which
            swallow what is read.
    """
    first = answers[0]
    if first.outcome.error or first.problems or not 0 < len(sheet.reads) <= MOST_TRIED:
        return []
    case = sheet.cases[0]
    if not all(np.isfinite(array).all() for array in first.leaves.values()):
        return []
    if any(_lacks_steps(first.leaves[leaf].shape, array.shape) for leaf, array in case.expected.items()):
        return []
    if not any(differs(first.leaves[leaf], case.expected[leaf], sheet.spec) for leaf in first.leaves):
        return []
    tried = [(leaf, arguments) for leaf in sheet.reads for arguments in with_others(case.inputs, leaf)]
    outcomes = call([list(arguments.values()) for _, arguments in tried])
    moving = {
        leaf
        for (leaf, _), outcome in zip(tried, outcomes, strict=True)
        if outcome.error or _is_another(sheet, outcome, first)
    }
    unread = [leaf for leaf in sheet.reads if leaf not in moving]
    if not unread or len(unread) == len(sheet.reads):
        return []
    # What the forward made may be made anew from its arguments: that is no mistake.
    made = sheet.forward.returns if sheet.forward else ()
    given = [leaf for leaf in unread if leaf.output not in made]
    unread = given or unread
    names = ", ".join(f"`{leaf}`" for leaf in unread[:MOST_NAMED]) + (", …" if unread[MOST_NAMED:] else "")
    make, they_are, they, them = (
        ("make", "they are", "they", "them") if len(unread) > 1 else ("makes", "it is", "it", "it")
    )
    should = f"where in your code should {they} be used?"
    hint = f"Your answer stays the same whatever {they_are}: {should}"
    if not given:
        hint = f"Do you make {them} anew from other arguments? Then look there first. If not: {should}"
    return [Diagnosis(f"{names} {make} no difference to the answer", hint)]


def _lacks_steps(got: tuple[int, ...], asked: tuple[int, ...]) -> bool:
    """Whether an array is shorter than it should be, and only that."""
    return len(got) == len(asked) > 0 and got[1:] == asked[1:] and got[0] < asked[0]


def _is_another(sheet: Sheet, outcome: Outcome, first: Answer) -> bool:
    leaves, _ = student_leaves(outcome.value, sheet.returns, sheet.cases[0].expected)
    return leaves.keys() != first.leaves.keys() or not all(
        got.shape == first.leaves[name].shape and np.array_equal(got, first.leaves[name], equal_nan=True)
        for name, got in leaves.items()
    )
