"""Which case tells which mistake: by what the case is, or by the key that draws it.

Marks must not depend on the key. A bad draw tells a mistake by chance: where labels happen to differ, where a
sign is drawn, where a product of many factors has not vanished yet.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.answers.compare import is_too_small
from autograder.answers.leaf import Leaf
from autograder.answers.leaves import reference_leaves
from autograder.course.exercise import Exercise
from autograder.course.masters import Master
from autograder.sheets.drawn import mistaken_functions, own_mistaken_functions
from autograder.sheets.sheet import Case, differs


@dataclass(frozen=True)
class Chance:
    """What a case tells under some keys only.

    Args:
        place: the case in words, and of random values the output.
        mistake: its name.
        told: under how many keys it is told.
        keys: under how many it was tried.
    """

    place: str
    mistake: str
    told: int
    keys: int

    def __str__(self):
        return f"{self.place} tells {self.mistake!r} under {self.told} of {self.keys} keys"


def told_by_chance(
    master: Master,
    name: str,
    drawn: Sequence[list[Case]],
    needed: bool = False,
    each: int | None = None,
) -> list[Chance]:
    """Try every mistake of an exercise in every case, drawn by several keys.

    Args:
        master: the notebook.
        name: the exercise.
        drawn: its cases (`drawn_cases`), for each key.
        needed: try the mistakes too that are made in functions which this one needs.
        each: try each mistake under so many of the keys only, and the next one under the next keys.

    Returns:
        What is told under some of the keys and not under others, in the order of the mistakes.
    """
    exercise = master.exercises[name]
    mistakes = (mistaken_functions if needed else own_mistaken_functions)(master, exercise)
    keys = each or len(drawn)
    found = []
    for i, (mistake, _, function, _) in enumerate(mistakes):
        cases = [case for k in range(keys) for case in drawn[(i * keys + k) % len(drawn)]]
        told = Counter(place for case in cases for place in _places_told(function, case, exercise.spec))
        by_chance = {place: count for place, count in told.items() if count < keys}
        found += [Chance(place, mistake, count, keys) for place, count in by_chance.items()]
    return found


def too_small(cases: Sequence[Case], spec: Exercise) -> list[str]:
    """The outputs, in words, that are so small that they are not compared by their own size."""
    return [
        f"`{leaf}` in {case.words!r}"
        for case in cases
        for leaf, expected in case.expected.items()
        if is_too_small(expected, spec.rtol, spec.atol)
    ]


def _places_told(function: Callable[..., Any], case: Case, spec: Exercise) -> list[str]:
    """The places, in words, in which a case tells a mistaken function."""
    try:
        with np.errstate(all="ignore"):
            value = function(*copy.deepcopy(list(case.inputs.values())))
        leaves = reference_leaves(value, spec.returns)
    except Exception:
        leaves = {}
    return [
        place
        for place, names in _places(case, spec)
        if any(n not in leaves or differs(leaves[n], case.expected[n], spec) for n in names)
    ]


def _places(case: Case, spec: Exercise) -> list[tuple[str, list[Leaf]]]:
    """What earns marks by itself in a case, and the leaves it has.

    An edge case is one thing; of random values each output is one.
    """
    if case.is_edge:
        return [(repr(case.words), list(case.expected))]
    return [
        (f"`{name}` in {case.words!r}", [leaf for leaf in case.expected if leaf.output == name])
        for name in spec.returns
    ]
