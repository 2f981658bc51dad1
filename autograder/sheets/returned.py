"""What a wrong answer returned, in a few numbers: so that answers which give the same are known as one group.

Compared are the deviations from what is expected, within a tolerance and never by a hash: the last bits of a
sum belong to the processor, and an answer computed by `einsum` is the same mistake as one computed by loops.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from autograder.record import Returned
from autograder.sheets.mistake import MATCH, trace_of
from autograder.sheets.sheet import Answer, Case, Sheet, differs

# More than a tolerance of 1e-5 needs, fewer than two ways to sum agree on: so many are kept.
KEPT_DIGITS = 10
# An id is for people to type. Two runs on one machine give it alike; what lies on the edge of a digit (one in
# a million, at rounding errors of 1e-12) gets another one, and is still in its group.
ID_DIGITS = 5
ID_LENGTH = 6
ADDRESS = re.compile(r"\b0x[0-9a-f]+")
NOTHING = (0.0, 0.0, 0.0, 0.0)


def returned_by(sheet: Sheet, answers: Sequence[Answer]) -> Returned:
    """What answers to a sheet's cases are known by.

    Args:
        sheet: the exercise's sheet, with inputs that the class shares.
        answers: the answers to its cases, in order.
    """
    cases = list(zip(sheet.cases, answers, strict=True))
    return Returned(
        tuple(_shapes(answer) for _, answer in cases),
        tuple(_numbers(sheet, case, answer) for case, answer in cases),
    )


def _shapes(answer: Answer) -> str:
    if answer.outcome.error:
        return ADDRESS.sub("0x…", answer.failed)
    parts = [
        f"{leaf} {array.shape}{'' if array.dtype.kind in 'fiub' else f' {array.dtype}'}"
        for leaf, array in answer.leaves.items()
    ]
    return "; ".join(parts + [f"{leaf} {found.kind.value}" for leaf, found in answer.problems.items()])


def _numbers(sheet: Sheet, case: Case, answer: Answer) -> tuple[float, ...]:
    """Two weighted sums of the deviations, their size, and where entries are not finite.

    Each part is measured by its own largest expected entry, so that none hides behind another.
    """
    deviations = []
    for leaf, got in answer.leaves.items():
        expected = case.expected[leaf]
        if not differs(got, expected, sheet.spec):
            continue
        unit = np.abs(expected[np.isfinite(expected)]).max(initial=0.0) or 1.0
        array = np.asarray(np.real(got), dtype=np.float64)
        deviations.append(np.ravel(array - expected if array.shape == expected.shape else array) / unit)
    if not deviations:
        return NOTHING
    trace = trace_of(np.concatenate(deviations), np.ones(1))
    return tuple(float(f"{number:.{KEPT_DIGITS}g}") for number in trace.numbers)


def is_same(one: Returned, other: Returned) -> bool:
    """Whether two answers returned the same, up to rounding."""
    return one.shapes == other.shapes and all(map(_agree, one.numbers, other.numbers))


def _agree(mine: tuple[float, ...], theirs: tuple[float, ...]) -> bool:
    allowed = MATCH * max(mine[2], theirs[2])
    return all(abs(a - b) <= allowed for a, b in zip(mine, theirs, strict=True))


def short_id(returned: Returned) -> str:
    """A few signs by which a group is told on the command line."""
    numbers = [f"{number:.{ID_DIGITS}g}" for four in returned.numbers for number in four]
    told = "\0".join([*returned.shapes, *numbers])
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:ID_LENGTH]
