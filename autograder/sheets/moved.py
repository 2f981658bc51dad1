"""A case with one argument moved: whether an answer depends on it shows in what it gives then."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from autograder.answers.leaf import Leaf
from autograder.course.exercise import Inputs

# An argument x becomes a * x + b: a probability stays one, or every sign turns.
CHANGES = ((0.9, 0.02), (-1.3, 0.0))
MOST_ORDERS = 5


def leaves_of(inputs: Inputs) -> list[Leaf]:
    """The arguments that are numbers, and the members of those that are dicts."""
    found = []
    for name, value in inputs.items():
        members = value.items() if isinstance(value, dict) else [("", value)]
        found += [Leaf(name, str(key)) for key, member in members if _others(member)]
    return found


def with_others(inputs: Inputs, leaf: Leaf) -> list[Inputs]:
    """Copies of a case's arguments in which one is another, in several ways."""
    value = inputs[leaf.output][leaf.key] if leaf.key else inputs[leaf.output]
    found = []
    for other in _others(value):
        made = copy.deepcopy(inputs)
        if leaf.key:
            made[leaf.output][leaf.key] = other
        else:
            made[leaf.output] = other
        found.append(made)
    return found


def _others(value: Any) -> list[Any]:
    """Other numbers of the same kind."""
    if isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
        return [share * value + shift for share, shift in CHANGES]
    if isinstance(value, np.ndarray) and value.dtype.kind == "i" and len(np.unique(value)) > 1:
        # Labels: the same ones, of other sequences (in one of these orders any one is another), and others.
        orders = [np.roll(value, shift) for shift in range(1, min(value.size, MOST_ORDERS + 1))]
        return [*orders, value.max() + value.min() - value, np.full_like(value, value.min())]
    return []
