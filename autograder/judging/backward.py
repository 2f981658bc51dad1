"""A backward judged by the numeric gradient of the student's own forward.

A right backward of a wrong forward earns marks, but only where the wrong forward asks as much of it as
the right one: a forward could be made up so that its gradient is easy, or answer in one way while it is
judged itself and in another while its backward is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.answers.calling import copied
from autograder.answers.compare import axis_words, compare
from autograder.answers.finding import Finding, Kind, stopped
from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.leaves import student_leaves
from autograder.answers.outcome import Outcome
from autograder.judging.gradients import (
    RELATIVE_ERROR,
    Call,
    ForwardLoss,
    GradientTrouble,
    check_backward,
    entrywise,
    grouped,
    input_leaves,
    jacobian,
)
from autograder.sheets.sheet import Forward, Sheet, seed_of

# A right backward of an unknown wrong forward: right work, on a task that may have become easier.
UNKNOWN_FORWARD_SHARE = 0.5
# How much the slopes of a wrong forward must be like the right one's (a cosine) to count for half, for all.
ALIKE, THE_SAME = 0.7, 0.999


@dataclass(frozen=True)
class WrongForward:
    """A student's forward that is not right.

    Args:
        reference: the right one.
        mistaken: a trusted function with the very mistake that the student's has, where that is known.
    """

    reference: Callable[..., Any]
    mistaken: Callable[..., Any] | None = None


def trusted(function: Callable[..., Any]) -> Call:
    """A way to call a function of ours as if it were a student's."""

    def call(batch: Any) -> list[Outcome]:
        with np.errstate(all="ignore"):
            return [Outcome(function(*copied(list(arguments)))) for arguments in batch]

    return call


def gradient_error(sheet: Sheet, own: Forward, call: Call, forward: Call) -> Finding | None:
    """Compare a backward with numeric slopes of a forward.

    Args:
        sheet: the backward's answer sheet.
        own: which forward, and its arguments.
        call: calls the student's backward.
        forward: calls the forward.

    Returns:
        What is wrong first, or None.

    Raises:
        GradientTrouble: the forward cannot be differentiated.
    """
    rng = seed_of("gradient", own.name, sheet.name, 0)
    upstream = _upstream(own, rng)
    loss = _loss(own, forward, upstream)
    (outputs,) = loss.outputs([own.inputs])
    gradients, trouble = _gradients(sheet, own, call, outputs, upstream)
    if trouble:
        return trouble
    for slope in check_backward(loss, own.inputs, gradients, own.gradient, rng):
        if slope.relative_error > RELATIVE_ERROR:
            return _located(sheet, own, loss, gradients, slope.leaf)
    return None


def earned_share(sheet: Sheet, own: Forward, call: Call, forward: Call, wrong: WrongForward) -> float:
    """The share of its marks that a backward earns as the gradient of a wrong forward.

    Where the forward's mistake is known, the backward is asked for the gradient of a trusted function
    with that mistake: whatever the student's forward answers then, it has no say. All of the marks are
    earned, if none of the reference's slopes is missing. Where it is not known, the slopes of the
    student's forward must be like the reference's, and half of the marks are earned.

    Args:
        sheet: the backward's answer sheet.
        own: which forward, and its arguments.
        call: calls the student's backward.
        forward: calls the student's forward.
        wrong: what is known of it.
    """
    rng = seed_of("credit", own.name, sheet.name, 0)
    upstream = _upstream(own, rng)
    judged = trusted(wrong.mistaken) if wrong.mistaken else forward
    try:
        loss = _loss(own, judged, upstream)
        outputs, slopes = jacobian(loss, own.inputs, own.gradient, rng)
        _, wanted = jacobian(_loss(own, trusted(wrong.reference), upstream), own.inputs, own.gradient, rng)
    except GradientTrouble:
        return 0.0
    except Exception:  # a mistake of ours (a mutant) may fail where it was not asked before
        return 0.0
    if all(np.allclose(outputs[leaf], expected) for leaf, expected in own.expected.items()):
        return 0.0  # wrong elsewhere only: here the task is the right one, and was judged as such
    gradients, trouble = _gradients(sheet, own, call, outputs, upstream)
    if trouble or not _is_gradient(own, gradients, slopes, upstream):
        return 0.0
    if wrong.mistaken:
        complete = all(_count(slopes[leaf]) >= _count(wanted[leaf]) for leaf in wanted)
        return 1.0 if complete else 0.0
    likeness = min(_likeness(slopes[leaf], wanted[leaf]) for leaf in wanted)
    if likeness >= THE_SAME:
        return 1.0
    return UNKNOWN_FORWARD_SHARE if likeness >= ALIKE else 0.0


def _upstream(own: Forward, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {u: rng.normal(size=own.expected[Leaf(o)].shape) for u, o in own.gradient.upstream.items()}


def _loss(own: Forward, forward: Call, upstream: dict[str, np.ndarray]) -> ForwardLoss:
    weights = {Leaf(o): upstream[u] for u, o in own.gradient.upstream.items()}
    return ForwardLoss(forward, own.returns, own.expected, weights)


def _gradients(
    sheet: Sheet, own: Forward, call: Call, outputs: Leaves, upstream: dict[str, np.ndarray]
) -> tuple[Leaves, Finding | None]:
    """What the student's backward gives for these outputs of a forward, or what is wrong with it."""
    values = {**sheet.cases[0].inputs, **own.inputs, **grouped(outputs), **upstream}
    (outcome,) = call([[values[parameter] for parameter in sheet.parameters]])
    if outcome.error:
        return {}, stopped(outcome.error, sheet.name)
    gradients, problems = student_leaves(outcome.value, sheet.returns, sheet.cases[0].expected)
    return gradients, next(iter(problems.values()), None)


def _is_gradient(own: Forward, gradients: Leaves, slopes: Leaves, upstream: dict[str, np.ndarray]) -> bool:
    """Whether a backward's results are the upstream gradient times the forward's slopes."""
    weights = np.concatenate([weight.ravel() for weight in upstream.values()])
    back = {forward: backward for backward, forward in own.gradient.wrt.items()}
    for leaf, matrix in slopes.items():
        wanted, got = weights @ matrix, gradients[Leaf(back[leaf.output], leaf.key)]
        if got.size != wanted.size or not np.isfinite(got).all():
            return False
        if np.abs(got.ravel() - wanted).max() > RELATIVE_ERROR * np.abs(wanted).max():
            return False
    return True


def _count(matrix: np.ndarray) -> int:
    """How many slopes are not zero."""
    return int((np.abs(matrix) > 1e-6 * np.abs(matrix).max(initial=1e-6)).sum())


def _likeness(matrix: np.ndarray, wanted: np.ndarray) -> float:
    """The cosine between two tables of slopes, without its sign."""
    scale = float(np.linalg.norm(matrix) * np.linalg.norm(wanted))
    return abs(float((matrix * wanted).sum())) / scale if np.isfinite(scale) and scale > 0 else 0.0


def _located(sheet: Sheet, own: Forward, loss: ForwardLoss, gradients: Leaves, leaf: Leaf) -> Finding | None:
    """The first entry of a gradient that disagrees with the numeric one."""
    target = Leaf(own.gradient.wrt[leaf.output], leaf.key)
    shape = input_leaves(own.inputs, own.inputs)[target].shape
    got = gradients[leaf]
    if got.shape != shape:
        return Finding(Kind.GRADIENT_SHAPE, leaf, (str(target),), got.shape, shape)
    numeric = entrywise(loss, own.inputs, target)
    words = axis_words(leaf, got.ndim, sheet.spec.axes)
    wrong = compare(leaf, got, numeric, words, RELATIVE_ERROR, RELATIVE_ERROR)
    # What is right of it beside numeric differences says nothing that the values do not say better.
    return wrong and Finding(Kind.GRADIENT_VALUE, leaf, cause=replace(wrong, right=None))
