"""What mistaken functions give with a sheet's cases; of those that give the same, one is enough."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.answers.leaf import Leaf, Leaves
from autograder.answers.leaves import StructureError, reference_leaves
from autograder.sheets.mistake import UNTOLD, Effect, Mistake, Trace, same_trace, trace_of
from autograder.sheets.sheet import Case, Sheet, differs, error_effect


def traces_of(leaves: Leaves, case: Case, sheet: Sheet) -> dict[Leaf, Trace]:
    """The wrong ones among an answer's arrays, as traces."""
    return {
        leaf: trace_of(got, case.expected[leaf])
        for leaf, got in leaves.items()
        if differs(got, case.expected[leaf], sheet.spec)
    }


def effects_of(function: Callable[..., Any], sheet: Sheet, edges: bool = True) -> tuple[Effect, ...]:
    """What a mistaken function gives in each case; without `edges` nothing is told of the edge cases."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        return tuple(
            _effect(function, case, sheet) if edges or not case.is_edge else UNTOLD for case in sheet.cases
        )


def _effect(function: Callable[..., Any], case: Case, sheet: Sheet) -> Effect:
    try:
        leaves = reference_leaves(function(*copy.deepcopy(list(case.inputs.values()))), sheet.returns)
    except StructureError:
        return "structure"
    except Exception as error:
        return error_effect(type(error).__name__, str(error))
    if set(leaves) != set(case.expected):
        return "structure"
    return traces_of(leaves, case, sheet)


@dataclass
class Distinct:
    """Mistakes of which no two give the same.

    Args:
        sheet: whose cases they are tried with.
    """

    sheet: Sheet
    found: list[Mistake] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._alike: dict[Any, list[Mistake]] = {}
        self._right: dict[tuple[int, Leaf], Trace] = {}

    def add(self, mistake: Mistake) -> bool:
        """Take in a mistake, if it shows, and no other one gives the same; says whether it was taken."""
        if not mistake.shows:
            return False
        place = tuple(e if isinstance(e, str) else tuple(e) for e in mistake.effects)
        alike = self._alike.setdefault(place, [])
        if any(self._same(mistake, other) for other in alike):
            return False
        alike.append(mistake)
        self.found.append(mistake)
        return True

    def _same(self, mistake: Mistake, other: Mistake) -> bool:
        pairs = zip(mistake.effects, other.effects, strict=True)
        return all(
            same_trace(mine[leaf], theirs[leaf], self.right(i, leaf))
            for i, (mine, theirs) in enumerate(pairs)
            if not isinstance(mine, str) and not isinstance(theirs, str)
            for leaf in mine
        )

    def right(self, index: int, leaf: Leaf) -> Trace:
        """The trace of what is expected."""
        if (index, leaf) not in self._right:
            expected = self.sheet.cases[index].expected[leaf]
            self._right[index, leaf] = trace_of(expected, expected)
        return self._right[index, leaf]
