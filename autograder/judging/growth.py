"""How much longer an answer takes for a longer sequence, by a clock that it cannot reach.

What a given function counts in the answer's own process (`tried_by`) tells an honest answer what is wrong
with it; whoever wants to can change what it sees. So where a cost is part of what is asked, a right answer is
asked once more for two lengths, and must still be right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.answers.compare import STEPS, axis_words
from autograder.answers.leaf import Leaf
from autograder.answers.leaves import reference_leaves, student_leaves
from autograder.judging.gradients import Call
from autograder.sheets.sheet import Sheet

REPEATS = 5
# On a busy machine a measurement can be wrong; a right answer must not pay for it.
AGREEING = 3
CLOSE = 1e-6


@dataclass(frozen=True)
class Timed:
    """How an answer is asked for longer sequences.

    Args:
        call: calls the answer itself, where something else tries it too.
        clock: seconds, of its process's processor where that can be read finely.
        right: calls a right answer; None where there is none at hand.
        least: seconds below which the clock tells nothing.
    """

    call: Call
    clock: Callable[[], float]
    right: Call | None = None
    least: float = 0.0


def takes_longer(sheet: Sheet, timed: Timed) -> bool:
    """Whether an answer takes more times as long for many steps than it may, or is not right for them."""
    growth = sheet.spec.growth
    assert growth is not None
    few, many = (list(_longer(sheet, steps).values()) for steps in growth.steps)
    if timed.right and not all(_is_right(sheet, timed.call, timed.right, one) for one in (few, many)):
        return True
    return all(
        _seconds(timed, many) > growth.most * max(_seconds(timed, few), timed.least) for _ in range(AGREEING)
    )


def _seconds(timed: Timed, arguments: list[Any]) -> float:
    """Infinite where it does not end within its bounds."""
    found = float("inf")
    for _ in range(REPEATS):
        before = timed.clock()
        (outcome,) = timed.call([arguments])
        if outcome.error:
            return float("inf")
        found = min(found, timed.clock() - before)
    return found


def _is_right(sheet: Sheet, call: Call, right: Call, arguments: list[Any]) -> bool:
    (got,), (asked,) = call([arguments]), right([arguments])
    expected = reference_leaves(asked.value, sheet.own)
    leaves, _ = student_leaves(got.value, sheet.own, expected)
    return not got.error and all(
        leaf in leaves
        and leaves[leaf].shape == array.shape
        and np.allclose(leaves[leaf], array, rtol=CLOSE, atol=CLOSE * np.abs(array).max(initial=0))
        for leaf, array in expected.items()
    )


def _longer(sheet: Sheet, steps: int) -> dict[str, Any]:
    """The first case's arguments with so many time steps: its own, over and over."""

    def longer(value: Any, leaf: Leaf) -> Any:
        if isinstance(value, Mapping):
            return {key: longer(part, Leaf(leaf.output, key)) for key, part in value.items()}
        if not isinstance(value, np.ndarray):
            return value
        for axis, word in enumerate(axis_words(leaf, value.ndim, sheet.spec.axes)):
            if word == STEPS[0]:
                return np.take(value, np.arange(steps) % value.shape[axis], axis)
        return value

    return {name: longer(value, Leaf(name)) for name, value in sheet.cases[0].inputs.items()}
