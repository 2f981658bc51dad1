"""Whether a backward was derived, or differentiates its forward by a general method.

Complex steps, differences and forward-mode differentiation through the forward give the right numbers of any
backward without one line of the chain rule. Two signs tell them, and only both together: the answer ignores
the states that the forward saved, and it costs what only a method costs that goes through the forward once
for every number it differentiates by. A derivation with loops is slow, too, and one that computes the states
anew ignores the given ones; neither is hit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.answers import wire
from autograder.answers.compare import STEPS, axis_words
from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.leaves import student_leaves
from autograder.answers.outcome import Outcome
from autograder.judging.gradients import Call, grouped, input_leaves
from autograder.sheets.sheet import Answer, Forward, Sheet, seed_of

# Cases are made larger until they have so many numbers to differentiate by.
ENTRIES = (600, 4000)
MOST_TIMES = 20
# Costs, in forwards for each such number. Measured on the backward of one step: complex steps
# 3.6, differences 3.5, dual numbers 1.7, a derivation with three loops that computes the states anew .8, one
# without loops .003.
SURELY, HARDLY = 1.5, 0.04
# What lies between is asked again. With more sequences loops take as many times longer, one look at the
# forward for every number (most of them weights) hardly longer. With twice as many units and inputs loops
# take 4 times as long, all looks at once 16 times.
MORE_SEQUENCES, HARDLY_LONGER = 4, 2.8
MORE_UNITS, MUCH_LONGER = 2, 7.0
REPEATS = 5
# On a busy machine one measurement can be wrong, and it would take half of a right answer's points.
AGREEING = 2
SAME = 1e-6
# What is another answer a little beside the real numbers, in units of the largest number of the answer.
ANOTHER = 0.3


@dataclass(frozen=True)
class Costs:
    """How the cost of a backward is measured against its forward's.

    Args:
        forward: calls the forward.
        forward_clock: processor seconds of the process that it runs in.
        clock: processor seconds of the process that the backward runs in.
    """

    forward: Call
    forward_clock: Callable[[], float]
    clock: Callable[[], float]


def differentiates(sheet: Sheet, own: Forward, answers: Sequence[Answer], call: Call, costs: Costs) -> bool:
    """Whether a backward with right numbers is a general differentiator.

    Args:
        sheet: the backward's answer sheet.
        own: which forward, and its arguments.
        answers: the backward's answers to the sheet's cases.
        call: calls the backward.
        costs: how its cost is measured.
    """
    saved = [p for p in sheet.parameters if p not in own.inputs and p not in own.gradient.upstream]
    if not saved or not {*saved} <= {leaf.output for leaf in own.expected}:
        return False
    if not _ignores(sheet, saved, answers[0], call):
        return False
    return all(_is_costly(sheet, own, call, costs) for _ in range(AGREEING))


def batch_aside(sheet: Sheet) -> list[list[Any]]:
    """The arguments beside which an answer is tried by `steps_aside`."""
    return [list(sheet.cases[0].inputs.values())]


def steps_aside(sheet: Sheet, answer: Answer, aside: Call) -> bool:
    """Whether an answer with right numbers comes from complex steps.

    A little beside the real numbers a formula gives nearly what it gives there, or fails. A complex step
    takes what stands beside them for its own, and divides it by its tiny size: that is another answer.

    Args:
        sheet: the answer's sheet.
        answer: to its first case.
        aside: calls the function with arguments a little beside the real numbers.
    """
    (outcome,) = aside(batch_aside(sheet))
    beside = _leaves(outcome, sheet)
    return any(
        leaf in beside
        and beside[leaf].shape == array.shape
        and ANOTHER * np.abs(array).max() < np.abs(beside[leaf] - array).max() < np.inf
        for leaf, array in answer.leaves.items()
        if array.dtype.kind != "b" and array.size and np.any(array)  # truth values have no difference
    )


def _ignores(sheet: Sheet, saved: Sequence[str], answer: Answer, call: Call) -> bool:
    """Whether other saved states give the same answer."""
    inputs = sheet.cases[0].inputs
    changed = {**inputs, **{name: _moved(inputs[name]) for name in saved}}
    (outcome,) = call([list(changed.values())])
    leaves = _leaves(outcome, sheet)
    return leaves.keys() == answer.leaves.keys() and all(
        leaves[leaf].shape == array.shape and np.allclose(leaves[leaf], array, rtol=SAME, atol=0)
        for leaf, array in answer.leaves.items()
    )


def _leaves(outcome: Outcome, sheet: Sheet) -> Leaves:
    if outcome.error:
        return {}
    return student_leaves(outcome.value, sheet.returns, sheet.cases[0].expected)[0]


def _moved(value: Any) -> Any:
    """Other states in the range of the given ones."""
    if isinstance(value, Mapping):
        return {key: _moved(part) for key, part in value.items()}
    return 0.5 * np.asarray(value) + 0.1


def _is_costly(sheet: Sheet, own: Forward, call: Call, costs: Costs) -> bool:
    """Whether larger cases cost what going through the forward for every number costs."""
    targets = own.gradient.wrt.values()
    times = 1
    for enough in ENTRIES:
        while times < MOST_TIMES and _entries(_larger(sheet, own, times, times), targets) < enough:
            times += 1
        inputs = _larger(sheet, own, times, times)
        forward = min(_forward_seconds(costs, inputs) for _ in range(REPEATS))
        seconds = _backward_seconds(sheet, own, call, costs, inputs)
        share = seconds / (forward * _entries(inputs, targets))
        if not HARDLY <= share < SURELY:
            return share >= SURELY

    def seconds_for(times: int, sequences: int) -> float:
        inputs = _larger(sheet, own, times, sequences)
        return min(_backward_seconds(sheet, own, call, costs, inputs) for _ in range(2))

    few = seconds_for(times, 1)
    if seconds_for(times, MORE_SEQUENCES) < HARDLY_LONGER * few:
        return True
    return seconds_for(MORE_UNITS * times, 1) > MUCH_LONGER * few


def _forward_seconds(costs: Costs, inputs: Mapping[str, Any]) -> float:
    before = costs.forward_clock()
    costs.forward([list(inputs.values())])
    return max(costs.forward_clock() - before, 1e-6)


def _backward_seconds(
    sheet: Sheet, own: Forward, call: Call, costs: Costs, inputs: Mapping[str, Any]
) -> float:
    """Processor seconds of the backward for larger inputs, without those of reading its answer.

    Infinite where it did not end within its bounds; not a number, which no comparison takes for costly, where
    it failed in another way.
    """
    (outcome,) = costs.forward([list(inputs.values())])
    outputs, problems = student_leaves(outcome.value, own.returns, own.expected)
    if outcome.error or problems:
        return float("nan")
    rng = seed_of("derivation", own.name, sheet.name, 0)
    values = {**inputs, **grouped(outputs)}
    for upstream, output in own.gradient.upstream.items():
        values[upstream] = rng.normal(size=outputs[Leaf(output)].shape)
    before = costs.clock()
    (answer,) = call([[values[parameter] for parameter in sheet.parameters]])
    if answer.error:
        return float("inf") if answer.error.kind in ("time", "memory") else float("nan")
    return costs.clock() - before - _reading_seconds(answer.value)


def _reading_seconds(value: Any) -> float:
    """Processor seconds that reading an answer takes, at most: many, where it comes in lists of numbers."""
    as_returned = _in_numbers(value)
    before = time.process_time()
    blob = wire.pack(as_returned)
    wire.unpack(blob, len(blob))
    return time.process_time() - before


def _in_numbers(value: Any) -> Any:
    """A value that was read, with Python's numbers again for arrays without axes."""
    if isinstance(value, Mapping):
        return {key: _in_numbers(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_in_numbers(part) for part in value]
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _larger(sheet: Sheet, own: Forward, times: int, sequences: int) -> dict[str, Any]:
    """The forward's arguments with axes so many times as long, filled with numbers of the same size.

    Args:
        sheet: the backward's answer sheet.
        own: the forward.
        times: of all axes but time steps and sequences.
        sequences: of the axis of sequences.
    """
    rng = np.random.default_rng(0)
    factors = {"sequence": sequences, **dict.fromkeys(STEPS, 1)}

    def larger(value: Any, leaf: Leaf) -> Any:
        if isinstance(value, Mapping):
            return {key: larger(part, Leaf(leaf.output, key)) for key, part in value.items()}
        if not isinstance(value, np.ndarray) or value.ndim == 0:
            return value
        words = axis_words(leaf, value.ndim, sheet.spec.axes)
        sizes = zip(value.shape, words, strict=True)
        shape = tuple(size if size == 1 else size * factors.get(word, times) for size, word in sizes)
        if value.dtype.kind != "f":
            return np.resize(value, shape)
        return rng.normal(size=shape) * float(value.std() or 1.0)

    return {name: larger(value, Leaf(name)) for name, value in own.inputs.items()}


def _entries(inputs: Mapping[str, Any], targets: Any) -> int:
    return sum(array.size for array in input_leaves(dict(inputs), targets).values())
