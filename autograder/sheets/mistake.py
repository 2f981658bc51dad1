"""A mistake: what it is called, what it gives, and how that is recognised.

One form for declared mistakes, for single slips, and for pairs of them. Of a wrong array four numbers are
kept, enough to know it again: there are hundreds of mistakes, and hardly any of their arrays are ever seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from autograder.answers.leaf import Leaf

# No two arrays that differ by more than rounding give the same two sums with these weights.
STEPS = np.array([[1.0], [2.3]])
# How far two traces of one wrong array may lie apart: a student may have computed in single precision.
MATCH = 1e-5
TRACE_NUMBERS = 4
# In units of what is smaller, an ordinary number is none any more.
SMALLEST_UNIT = 1e-200


@dataclass(frozen=True)
class Trace:
    """What is kept of a wrong array to know it again.

    Args:
        shape: its shape.
        numbers: two weighted sums of its entries, in units of the largest expected one, and the size of both;
            then a weighted sum that tells which entries are not finite, and how. Shape (4,).
    """

    shape: tuple[int, ...]
    numbers: np.ndarray


# Of a formula that is still to be found a slip's own name is the factor.
ON_THE_WAY = "one small slip on the way"
# What an answer is told that gives just what stood there to be mended, in all or in some of its outputs.
STILL_STANDS = "nothing is mended yet: this computes what stood there"
STANDS_IN_PART = "what was to be mended stands there still"
# Behind the name of a declared mistake that is made at one of the places where its site is used.
IN_PART = ", in part"

# What a mistake gives in one case: the arrays that it changes; or "error KIND: WORDS" where it raises,
# "structure" where it returns another structure, WRONG where no more is kept of it than that it is wrong,
# UNTOLD where nothing is.
Effect = Mapping[Leaf, Trace] | str
WRONG, UNTOLD = "wrong", "untold"


@dataclass(frozen=True)
class Mistake:
    """A mistake, declared or generated: what it is called, and what it gives in each case.

    Args:
        name: its name.
        hint: its hint.
        effects: what it gives, one for each case of the sheet.
        made_in: the needed function in which it is made, "" for the exercise itself.
        other: of two at once the name and the hint of the other one.
    """

    name: str
    hint: str
    effects: tuple[Effect, ...]
    made_in: str = ""
    other: tuple[str, str] | None = None

    @property
    def shows(self) -> bool:
        """Whether it changes an array in some case, and does more than fail."""
        return any(effect and not isinstance(effect, str) for effect in self.effects)


def trace_of(array: np.ndarray, expected: np.ndarray) -> Trace:
    """What is kept of a wrong array where `expected` is right."""
    flat = np.ravel(array).astype(np.float64)
    finite = np.isfinite(flat)
    right = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    entries = np.where(finite, flat, 0.0) / (right if right > SMALLEST_UNIT else 1.0)
    weights = _weights(flat.size)
    not_finite = 0.0
    if not finite.all():
        kinds = np.select([np.isnan(flat), flat == np.inf, flat == -np.inf], [1.0, 2.0, 3.0])
        not_finite = weights[0] @ kinds
    return Trace(array.shape, np.array([*(weights @ entries), np.abs(entries).sum(), not_finite]))


@lru_cache(maxsize=64)
def _weights(size: int) -> np.ndarray:
    """By which the entries of an array are summed, so that no two orders of them give the same sums."""
    return np.sin(STEPS * np.arange(1, size + 1))


def same_trace(one: Trace, other: Trace, right: Trace) -> bool:
    """Whether two traces are of the same wrong array, up to rounding; `right` is that of the right one."""
    if one.shape != other.shape or abs(one.numbers[3] - other.numbers[3]) > MATCH:
        return False
    size = other.numbers[2]
    allowed = MATCH * size
    with np.errstate(invalid="ignore"):  # sums of huge entries may be inf: such arrays are not told apart
        if right.shape == other.shape:
            # Where a mistake is close to the right answer, the match must be closer still.
            gap = np.abs(right.numbers - other.numbers)[:2].max()
            allowed = min(allowed, max(0.02 * gap, 1e-14 * size))
        return bool((np.abs(one.numbers - other.numbers)[:2] <= allowed).all())
