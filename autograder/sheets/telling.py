"""Which case tells which mistake: by what the case is, or by the key that draws it.

Marks must not depend on the key. A bad draw tells a mistake by chance: where labels happen to differ, where a
sign is drawn, where a product of many factors has not vanished yet.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.answers.compare import is_too_small
from autograder.answers.leaves import reference_leaves
from autograder.course.exercise import Exercise
from autograder.course.masters import Master
from autograder.sheets.drawn import drawn_cases, mistaken_functions, own_mistaken_functions
from autograder.sheets.sheet import Case, differs


@dataclass(frozen=True)
class Chance:
    """What a case tells under some keys only.

    Args:
        exercise: its name.
        place: the case in words, and of random values the output.
        mistake: its name.
        told: under how many keys it is told.
        keys: under how many it was tried.
    """

    exercise: str
    place: str
    mistake: str
    told: int
    keys: int

    def __str__(self):
        return (
            f"{self.place} of {self.exercise!r} tells {self.mistake!r} under {self.told} of {self.keys} keys; "
            "change the draw so that it tells always, or never"
        )


def told_by_chance(master: Master, name: str, keys: Sequence[str], needed: bool = False) -> list[Chance]:
    """Try every mistake of an exercise in every case, drawn by several keys.

    Args:
        master: the notebook.
        name: the exercise.
        keys: of courses, as of `fresh_sheet`.
        needed: try the mistakes too that are made in functions which this one needs.

    Returns:
        What is told under some of the keys and not under others, in order of the mistakes.
    """
    exercise = master.exercises[name]
    functions = (mistaken_functions if needed else own_mistaken_functions)(master, exercise)
    drawn = [drawn_cases(master, name, key) for key in keys]
    found = []
    for mistake, _, function, _ in functions:
        told = Counter(
            place for cases in drawn for case in cases for place in _told(function, case, exercise.spec)
        )
        found += [
            Chance(name, place, mistake, count, len(keys))
            for place, count in told.items()
            if count < len(keys)
        ]
    return found


def _told(function: Callable[..., Any], case: Case, spec: Exercise) -> Iterator[str]:
    """The places, in words, in which a case tells a mistaken function."""
    try:
        with np.errstate(all="ignore"):
            value = function(*copy.deepcopy(list(case.inputs.values())))
        leaves = reference_leaves(value, spec.returns)
    except Exception:
        leaves = {}
    for words, names in _places(case, spec):
        if any(n not in leaves or differs(leaves[n], case.expected[n], spec) for n in names):
            yield words


def _places(case: Case, spec: Exercise) -> list[tuple[str, list[str]]]:
    """What earns marks by itself in a case, in words, and the leaves it has.

    An edge case is one thing; of random values it is each output.
    """
    if case.is_edge:
        return [(repr(case.words), list(case.expected))]
    outputs = {
        name: [leaf for leaf in case.expected if leaf.partition("[")[0] == name] for name in spec.returns
    }
    return [(f"`{name}` in {case.words!r}", leaves) for name, leaves in outputs.items()]


def too_small(master: Master, name: str, key: str) -> list[str]:
    """The outputs, in words, that are so small that the absolute tolerance alone compares them."""
    spec = master.exercises[name].spec
    return [
        f"`{leaf}` in {case.words!r} of {name!r}"
        for case in drawn_cases(master, name, key)
        for leaf, expected in case.expected.items()
        if is_too_small(expected, spec.rtol, spec.atol)
    ]
