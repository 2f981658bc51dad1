"""Numeric gradients of a forward function, by central differences, and a backward judged by them.

Directional first: along one random direction two evaluations of the forward tell the slope, however
many parameters there are. Only a tensor that fails is looked at entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.answers.finding import Finding, Kind
from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.leaves import student_leaves
from autograder.answers.outcome import Outcome
from autograder.course.exercise import Gradient, Inputs

STEP = 1e-5
RELATIVE_ERROR = 1e-5
MOST_ENTRIES = 400

Call = Callable[[Sequence[Sequence[Any]]], list[Outcome]]


class GradientTrouble(Exception):
    """The numeric gradient cannot be had (the forward fails); `finding` says why."""

    def __init__(self, finding: Finding):
        super().__init__(finding.kind)
        self.finding = finding


@dataclass(frozen=True)
class Slope:
    """Numeric and analytic slope of the loss along one direction in one tensor."""

    leaf: Leaf
    numeric: float
    analytic: float

    @property
    def relative_error(self) -> float:
        """|numeric - analytic| / max(|numeric|, |analytic|), with a floor for two tiny slopes."""
        if not np.isfinite(self.analytic):
            return float("inf")
        scale = max(abs(self.numeric), abs(self.analytic), 1e-4)
        return abs(self.numeric - self.analytic) / scale


@dataclass
class ForwardLoss:
    """A random weighted sum of a forward's outputs, as a function of the forward's inputs.

    Args:
        call: calls the forward with a batch of positional arguments.
        returns: names of the forward's outputs.
        expected: leaves of a reference's outputs: they say which outputs are dicts, and the shapes.
        weights: an output -> weights of its entries in the sum.
    """

    call: Call
    returns: tuple[str, ...]
    expected: Leaves
    weights: Leaves

    def outputs(self, batch: list[Inputs]) -> list[Leaves]:
        """The forward's outputs for several inputs.

        Raises:
            GradientTrouble: the forward fails, or returns another structure or shape.
        """
        found = []
        for outcome in self.call([list(inputs.values()) for inputs in batch]):
            if outcome.error:
                raise GradientTrouble(Finding(Kind.FORWARD_STOPS, error=outcome.error))
            leaves, problems = student_leaves(outcome.value, self.returns, self.expected)
            if problems:
                raise GradientTrouble(next(iter(problems.values())))
            for leaf, expected in self.expected.items():
                if leaves[leaf].shape != expected.shape:
                    raise GradientTrouble(Finding(Kind.FORWARD_SHAPE, leaf, got=leaves[leaf].shape))
            found.append(leaves)
        return found

    def __call__(self, batch: list[Inputs]) -> list[float]:
        """The loss for several inputs."""
        losses = []
        for leaves in self.outputs(batch):
            losses.append(sum(float((w * leaves[leaf]).sum()) for leaf, w in self.weights.items()))
        return losses


def input_leaves(inputs: Inputs, names: Iterable[str]) -> Leaves:
    """The arrays among the named inputs, members of a dict told by key: `W["ss"]`."""
    leaves = {}
    for name in names:
        value = inputs[name]
        if isinstance(value, dict):
            leaves.update({Leaf(name, key): np.asarray(member) for key, member in value.items()})
        else:
            leaves[Leaf(name)] = np.asarray(value)
    return leaves


def grouped(leaves: Leaves) -> dict[str, Any]:
    """Leaves as arguments again: `gates["f"]` becomes a member of the dict `gates`."""
    grouped: dict[str, Any] = {}
    for (name, key), array in leaves.items():
        if key:
            grouped.setdefault(name, {})[key] = array
        else:
            grouped[name] = array
    return grouped


def moved(inputs: Inputs, leaf: Leaf, change: np.ndarray) -> Inputs:
    """The inputs with one array changed; the others are shared, nothing is changed in place."""
    name, key = leaf
    if not key:
        return {**inputs, name: inputs[name] + change}
    return {**inputs, name: {**inputs[name], key: inputs[name][key] + change}}


def slopes(
    loss: ForwardLoss, inputs: Inputs, directions: dict[Leaf, list[np.ndarray]]
) -> dict[Leaf, list[float]]:
    """Numeric slopes of the loss along directions, all of them in one batch of calls."""
    flat = [(leaf, direction) for leaf, several in directions.items() for direction in several]
    batch = []
    for leaf, direction in flat:
        batch += [moved(inputs, leaf, STEP * direction), moved(inputs, leaf, -STEP * direction)]
    losses = loss(batch)
    found: dict[Leaf, list[float]] = {leaf: [] for leaf in directions}
    for (leaf, _), up, down in zip(flat, losses[::2], losses[1::2], strict=True):
        found[leaf].append((up - down) / (2 * STEP))
    return found


def check_backward(
    loss: ForwardLoss,
    inputs: Inputs,
    gradients: Leaves,
    gradient: Gradient,
    rng: np.random.Generator,
) -> list[Slope]:
    """Compare a backward's results with numeric slopes, one random direction a tensor.

    Args:
        loss: the loss that the backward differentiates.
        inputs: the forward's arguments.
        gradients: the backward's leaves, by the backward's own names (`dx`, `dW["ss"]`).
        gradient: which of them belongs to which input.
        rng: draws the directions.
    """
    targets = input_leaves(inputs, gradient.wrt.values())
    directions = {leaf: [rng.normal(size=array.shape)] for leaf, array in targets.items()}
    numeric = slopes(loss, inputs, directions)
    back = {forward: backward for backward, forward in gradient.wrt.items()}
    found = []
    for leaf, (slope,) in numeric.items():
        mine = Leaf(back[leaf.output], leaf.key)
        analytic = gradients[mine]
        if analytic.shape != targets[leaf].shape:
            analytic = np.full(targets[leaf].shape, np.nan)
        found.append(Slope(mine, slope, float((analytic * directions[leaf][0]).sum())))
    return found


def entrywise(loss: ForwardLoss, inputs: Inputs, leaf: Leaf) -> np.ndarray:
    """The numeric gradient by every entry of one input leaf (two evaluations an entry)."""
    array = input_leaves(inputs, inputs)[leaf]
    units = np.eye(array.size).reshape(array.size, *array.shape)
    return np.array(slopes(loss, inputs, {leaf: list(units)})[leaf]).reshape(array.shape)


def jacobian(
    loss: ForwardLoss, inputs: Inputs, gradient: Gradient, rng: np.random.Generator
) -> tuple[Leaves, Leaves]:
    """All slopes of a forward, entry by entry, from one batch of calls in a random order.

    One batch, so that a student's forward cannot answer in one way for one question and in another for
    the next: all that is found comes from the same answers.

    Args:
        loss: the forward, and which of its outputs count.
        inputs: its arguments.
        gradient: by which of them.
        rng: draws the order.

    Returns:
        The outputs at `inputs`, and for each input leaf a table (outputs, entries of the leaf).

    Raises:
        GradientTrouble: the forward fails, or there are too many entries to try.
    """
    targets = input_leaves(inputs, gradient.wrt.values())
    if sum(array.size for array in targets.values()) > MOST_ENTRIES:
        raise GradientTrouble(Finding(Kind.TOO_MANY_ENTRIES))
    batch = [inputs]
    for leaf, array in targets.items():
        for unit in np.eye(array.size).reshape(array.size, *array.shape):
            batch += [moved(inputs, leaf, STEP * unit), moved(inputs, leaf, -STEP * unit)]
    order = rng.permutation(len(batch))
    answers = dict(zip(order, loss.outputs([batch[i] for i in order]), strict=True))
    flat = {
        i: np.concatenate([leaves[leaf].ravel() for leaf in loss.weights]) for i, leaves in answers.items()
    }
    tables, at = {}, 1
    for leaf, array in targets.items():
        places = range(at, at + 2 * array.size, 2)
        tables[leaf] = np.stack([(flat[i] - flat[i + 1]) / (2 * STEP) for i in places], axis=1)
        at += 2 * array.size
    return answers[0], tables
