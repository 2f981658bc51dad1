"""A backward judged by the numeric gradient of the student's own forward."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.answers import Forward, Sheet, seed_of
from autograder.compare import axis_words, compare
from autograder.error_words import error_words
from autograder.gradients import (
    RELATIVE_ERROR,
    Call,
    ForwardLoss,
    check_backward,
    depends_on_everything,
    entrywise,
    input_leaves,
)
from autograder.leaves import student_leaves


@dataclass(frozen=True)
class GradientFinding:
    """What a gradient check finds.

    Args:
        error: what is wrong first, in words; "" for nothing.
        depends_on_everything: whether the forward depends on all its inputs, where that was asked.
    """

    error: str
    depends_on_everything: bool = False


def gradient_error(
    sheet: Sheet, own: Forward, call: Call, forward: Call, credit: bool = False
) -> GradientFinding:
    """Compare a backward with numeric slopes of a forward.

    Args:
        sheet: the backward's answer sheet.
        own: which forward, and its arguments.
        call: calls the student's backward.
        forward: calls the forward.
        credit: marks depend on it: find out also whether the forward depends on all its inputs.

    Raises:
        GradientTrouble: the forward cannot be differentiated.
    """
    gradient = own.gradient
    rng = seed_of("gradient", own.name, sheet.name, 0)
    outputs = {u: own.expected[o] for u, o in gradient.upstream.items()}
    upstream = {u: rng.normal(size=expected.shape) for u, expected in outputs.items()}
    weights = {o: upstream[u] for u, o in gradient.upstream.items()}
    loss = ForwardLoss(forward, own.returns, own.expected, weights)
    (forward_leaves,) = loss.outputs([copy.deepcopy(own.inputs)])
    values = {**sheet.cases[0].inputs, **own.inputs, **_grouped(forward_leaves), **upstream}
    arguments = [copy.deepcopy(values[parameter]) for parameter in sheet.parameters]
    (outcome,) = call([arguments])
    if outcome.error:
        return GradientFinding(error_words(outcome.error))
    gradients, problems = student_leaves(outcome.value, sheet.returns, sheet.cases[0].expected)
    if problems:
        return GradientFinding(next(iter(problems.values())))
    for slope in check_backward(loss, own.inputs, gradients, gradient, rng):
        if slope.relative_error > RELATIVE_ERROR:
            return GradientFinding(_located(sheet, own, loss, gradients, slope.leaf))
    return GradientFinding("", credit and depends_on_everything(loss, own.inputs, gradient, rng))


def _grouped(leaves: dict[str, np.ndarray]) -> dict[str, Any]:
    """Leaves as arguments again: `gates["f"]` becomes a member of the dict `gates`."""
    grouped: dict[str, Any] = {}
    for leaf, array in leaves.items():
        name, bracket, rest = leaf.partition('["')
        if bracket:
            grouped.setdefault(name, {})[rest[:-2]] = array
        else:
            grouped[name] = array
    return grouped


def _located(
    sheet: Sheet, own: Forward, loss: ForwardLoss, gradients: dict[str, np.ndarray], leaf: str
) -> str:
    """The first entry of a gradient that disagrees with the numeric one, in words."""
    name, bracket, rest = leaf.partition("[")
    target = own.gradient.wrt[name] + bracket + rest
    shape = input_leaves(own.inputs, list(own.inputs))[target].shape
    got = gradients[leaf]
    if got.shape != shape:
        return f"`{leaf}` has the shape {got.shape}; `{target}` has {shape}"
    numeric = entrywise(loss, own.inputs, target)
    words = axis_words(leaf, got.ndim, dict(sheet.spec.axes))
    verdict = compare(leaf, got, numeric, words, RELATIVE_ERROR, RELATIVE_ERROR)
    return f"beside numeric differences {verdict.message}" if not verdict.ok else ""
